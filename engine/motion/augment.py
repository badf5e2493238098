"""Training motion: random windows of a collection, varied in speed, side, bones and rig, and random keys for them.

Everything is drawn from one numpy generator, so that a seed fixes it on one kind of device. Knows no network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine import quat, skeleton
from engine.clips import Mocap
from engine.motion import tokens
from engine.motion.windows import FPS, PAST, Poses, at_root


@dataclass(frozen=True)
class Source:
    """A collection laid end to end: rotations (N, J, 4), root (N, 3); for each take its first row, length, offsets."""

    rotations: Tensor
    root: Tensor
    first: Tensor
    length: Tensor
    offsets: Tensor
    parents: list[int]
    fps: float


def source(mocap: Mocap, apart: Sequence[str] = ()) -> Source:
    """The collection as tensors, without the takes whose names begin with one of `apart`."""
    takes = [take for take in mocap.takes if not take.name.startswith(tuple(apart))] if apart else mocap.takes
    length = np.array([len(take.root) for take in takes])
    rotations = np.concatenate([take.rotations for take in takes])
    root = np.concatenate([take.root for take in takes])
    offsets = np.stack([take.offsets for take in takes])
    first = np.concatenate([[0], length.cumsum()[:-1]])
    turns, place, begins, rows, rest = (torch.as_tensor(a) for a in (rotations, root, first, length, offsets))
    return Source(turns, place, begins, rows, rest, mocap.parents, mocap.fps)


class Dice:
    """Random tensors on a device, drawn from a numpy generator's next number."""

    def __init__(self, rng: np.random.Generator, where: torch.device) -> None:
        self.where = where
        self.own = torch.Generator(where)
        self.own.manual_seed(int(rng.integers(2**62)))

    def uniform(self, *shape: int) -> Tensor:
        """From 0 to 1."""
        return torch.rand(*shape, generator=self.own, device=self.where)

    def normal(self, *shape: int) -> Tensor:
        """Of mean 0 and deviation 1."""
        return torch.randn(*shape, generator=self.own, device=self.where)


def sample(data: Source, count: int, frames: int, rng: np.random.Generator, fps: float = FPS) -> Poses:
    """`count` windows of `frames` frames at `fps`, at 0.8 to 1.25 times their speed, half of them mirrored."""
    dice = Dice(rng, data.root.device)
    speed = torch.exp((2.0 * dice.uniform(count) - 1.0) * math.log(1.25) * (dice.uniform(count) < 0.7))
    step = speed * data.fps / fps
    room = (data.length - 1 - step[:, None] * (frames - 1)).clamp_min(0.0)
    shares = room.cumsum(1) / room.sum(1, keepdim=True)
    take = (dice.uniform(count, 1) > shares).sum(1).clamp(max=len(data.length) - 1)
    start = dice.uniform(count) * room.gather(1, take[:, None])[:, 0]
    at = start[:, None] + step[:, None] * torch.arange(frames, device=dice.where)
    low = torch.minimum(at.long(), (data.length[take] - 2)[:, None])
    u, index = at - low, low + data.first[take][:, None]
    a, b = data.rotations[index], data.rotations[index + 1]
    rotations = quat.normalize(torch.lerp(a, torch.where((a * b).sum(-1, keepdim=True) < 0, -b, b), u[..., None, None]))
    root = torch.lerp(data.root[index], data.root[index + 1], u[..., None])
    poses = Poses(rotations, at_root(root, rotations.shape[2]), data.offsets[take], data.parents)
    return mirror(poses, dice.uniform(count) < 0.5)


def mirror(poses: Poses, which: Tensor) -> Poses:
    """The windows `which` (B,) in a mirror, x ↔ -x: the rig is mirrored too, so no left and right need be known."""
    side, one = 1.0 - 2.0 * which[:, None].float(), torch.ones(len(which), 1, device=which.device)
    flip, turn = torch.cat([side, one, one], 1), torch.cat([one, one, side, side], 1)
    return Poses(
        poses.rotations * turn[:, None, None],
        poses.locations * flip[:, None, None],
        poses.offsets * flip[:, None],
        poses.parents,
    )


def vary_rig(poses: Poses, rng: np.random.Generator) -> Poses:
    """Sometimes other proportions, another's arm or trunk, or another rig that moves the same way: bones dropped, merged,
    split, a limb alone, a still root on top."""
    batch, joints = poses.offsets.shape[:2]
    if rng.random() < 0.1 and joints > 4:
        top = int(rng.choice([j for j in range(1, joints) if poses.parents.count(j)]))
        limb = upload(np.isin(np.arange(joints), below(poses.parents, top)), poses.rotations.device)
        poses = replace(poses, rotations=torch.where(limb[:, None], poses.rotations.flip(0), poses.rotations))
    if rng.random() < 0.5:
        length = torch.exp(0.12 * Dice(rng, poses.offsets.device).normal(batch, joints, 1))
        poses = replace(poses, offsets=poses.offsets * length)
    choice = rng.random()
    if choice < 0.1:
        poses = _subset(poses, [j for j in range(joints) if j == 0 or rng.random() > 0.25])
    elif choice < 0.16:
        poses = _subset(
            poses, below(poses.parents, int(rng.choice([j for j in range(joints) if poses.parents.count(j)])))
        )
    elif choice < 0.24:
        poses = _split(poses, rng)
    if rng.random() < 0.1:
        poses = _rooted(poses)
    return poses


def below(parents: Sequence[int], top: int) -> list[int]:
    """A joint and all below it."""
    limb = [top]
    for j in range(top + 1, len(parents)):
        if parents[j] in limb:
            limb.append(j)
    return limb


def rig_of(poses: Poses, rng: np.random.Generator) -> tokens.Rig:
    """The rig of a batch; sometimes it faces nowhere in particular, or rests in any pose, for artists' rigs may."""
    facing, rest = None, None
    dice = Dice(rng, poses.offsets.device)
    if rng.random() < 0.2:
        facing = dice.normal(len(poses.offsets), 1, 3)
        facing = facing / facing.norm(dim=-1, keepdim=True).clamp_min(1e-3)
    rig = tokens.Rig(poses.parents, poses.offsets, "Y", facing)
    if rng.random() < 0.2:
        turned, places = Poses(poses.rotations[:, :1], poses.locations[:, :1], poses.offsets, poses.parents).fk()
        rest = quat.rotate(tokens.heading(turned, rig), places - places[:, :, rig.main, None])[:, 0].flip(0)
    return tokens.Rig(poses.parents, poses.offsets, "Y", facing, rest)


def _subset(poses: Poses, keep: list[int]) -> Poses:
    turned, positions = poses.fk()
    rotations, locations, offsets, parents = skeleton.subset(
        turned, positions, poses.offsets[:, None], poses.parents, keep
    )
    return Poses(rotations, locations, offsets[:, 0], parents)


def _split(poses: Poses, rng: np.random.Generator) -> Poses:
    """Some bones in two, each turning by its share: the rig of another rigger."""
    parents: list[int] = []
    rotations: list[Tensor] = []
    locations: list[Tensor] = []
    offsets: list[Tensor] = []
    last: dict[int, int] = {-1: -1}  # where the lower end of each joint went
    share: dict[int, float] = {}
    for j, parent in enumerate(poses.parents):
        parents.append(last[parent])
        locations.append(poses.locations[:, :, j])
        offsets.append(poses.offsets[:, j] * (1.0 - share.get(parent, 0.0)))
        last[j] = len(parents) - 1
        if parent < 0 or poses.parents.count(j) != 1 or rng.random() > 0.3:
            rotations.append(poses.rotations[:, :, j])
            continue
        part, share[j] = float(rng.uniform(0.2, 0.8)), float(rng.uniform(0.2, 0.8))
        turn = quat.log(poses.rotations[:, :, j])
        rotations += [quat.exp(turn * part), quat.exp(turn * (1.0 - part))]
        parents.append(last[j])
        locations.append(torch.zeros_like(locations[-1]))
        offsets.append(poses.offsets[:, poses.parents.index(j)] * share[j])
        last[j] = len(parents) - 1
    return Poses(torch.stack(rotations, 2), torch.stack(locations, 2), torch.stack(offsets, 1), parents)


def _rooted(poses: Poses) -> Poses:
    """A still root above the first joint, as most animation rigs have one."""
    still = torch.zeros_like(poses.rotations[:, :, :1])
    still[..., 0] = 1.0
    zero = torch.zeros_like(poses.locations[:, :, :1])
    parents = [-1] + [p + 1 for p in poses.parents]
    return Poses(
        torch.cat([still, poses.rotations], 2),
        torch.cat([zero, poses.locations], 2),
        torch.cat([torch.zeros_like(poses.offsets[:, :1]), poses.offsets], 1),
        parents,
    )


@dataclass(frozen=True)
class Plan:
    """One batch of in-betweening: its length and which rows are keyed, rows (frames,) bool."""

    frames: int
    rows: np.ndarray
    loose: bool

    @property
    def dense(self) -> bool:
        """Whether a run of keyed rows, as captured motion has them, lies before one gap."""
        return bool(self.rows[:4].all())


def plan(rng: np.random.Generator) -> Plan:
    """Half the benchmark's own pattern, a fifth with other contexts, the rest sparse keys as an artist sets them."""
    kind, gap = rng.random(), int(rng.integers(4, 50))
    if kind < 0.8:
        past, future = (PAST, 0) if kind < 0.62 else (int(rng.integers(1, 16)), int(rng.integers(0, 11)))
        gap = int(rng.integers(50, 121)) if 0.62 <= kind < 0.66 else gap
        rows = np.ones(past + gap + 1 + future, bool)
        rows[past : past + gap] = False
        return Plan(len(rows), rows, False)
    frames = int(rng.integers(24, 72))
    spacing = int(rng.integers(3, 32))
    rows = rng.random(frames) < 1.0 / spacing
    rows[[0, -1]] = True
    return Plan(frames, rows, rng.random() < 0.4)


def keys(plan_: Plan, poses: Poses, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Key masks of rotations and locations (B, T, J); loose: some joints lose keys and have others of their own."""
    batch, frames, joints = poses.rotations.shape[:3]
    dice = Dice(rng, poses.rotations.device)
    turn = upload(plan_.rows, dice.where)[None, :, None].expand(batch, frames, joints)
    if plan_.loose:
        own = dice.uniform(batch, frames, joints) < 0.5 * float(plan_.rows.mean())
        kept = turn & (dice.uniform(batch, frames, joints) < 0.6)
        turn = torch.where(dice.uniform(batch, 1, joints) < 0.3, kept | own, turn)
        ends = torch.zeros(frames, dtype=torch.bool, device=dice.where)
        ends[:1], ends[-1:] = True, True
        turn = turn | ends[:, None]
    moves = (poses.locations.abs().amax((0, 1, 3)) > 0)[None, None]
    return turn, turn | ~moves


def upload(array: np.ndarray, where: torch.device) -> Tensor:
    """An array on a device, without waiting for what the device has yet to do."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    return tensor.pin_memory().to(where, non_blocking=True) if where.type == "cuda" else tensor.to(where)
