"""Training motion: random windows of a collection, varied in speed, side, bones and rig, and random keys for them.

Everything is drawn from one numpy generator, so that a seed fixes it. Knows no network.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine import quat, skeleton
from engine.clips import Mocap
from engine.motion.windows import FPS, PAST, Poses, at_root


@dataclass(frozen=True)
class Source:
    """A collection laid end to end: rotations (N, J, 4), root (N, 3); for each take its first row, length, offsets."""

    rotations: Tensor
    root: Tensor
    first: np.ndarray
    length: np.ndarray
    offsets: Tensor
    parents: list[int]
    fps: float


def source(mocap: Mocap) -> Source:
    """The collection as tensors."""
    length = np.array([len(take.root) for take in mocap.takes])
    rotations = np.concatenate([take.rotations for take in mocap.takes])
    root = np.concatenate([take.root for take in mocap.takes])
    offsets = np.stack([take.offsets for take in mocap.takes])
    first = np.concatenate([[0], length.cumsum()[:-1]])
    tensors = [torch.as_tensor(a) for a in (rotations, root, offsets)]
    return Source(tensors[0], tensors[1], first, length, tensors[2], mocap.parents, mocap.fps)


def sample(data: Source, count: int, frames: int, rng: np.random.Generator) -> Poses:
    """`count` windows of `frames` frames at 30 a second, at 0.8 to 1.25 times their speed, half of them mirrored."""
    speed = np.exp(rng.uniform(np.log(0.8), np.log(1.25), count)) * (rng.random(count) < 0.7)
    step = np.where(speed > 0, speed, 1.0) * data.fps / FPS
    room = np.maximum(data.length[None] - 1 - step[:, None] * (frames - 1), 0.0)
    shares = np.cumsum(room, 1) / room.sum(1, keepdims=True)
    take = (rng.random((count, 1)) > shares).sum(1)
    start = data.first[take] + rng.random(count) * room[np.arange(count), take]
    at = start[:, None] + step[:, None] * np.arange(frames)
    low = np.minimum(at.astype(np.int64), (data.first + data.length - 2)[take][:, None])
    u = torch.as_tensor((at - low).astype(np.float32))
    index = torch.as_tensor(low)
    a, b = data.rotations[index], data.rotations[index + 1]
    rotations = quat.normalize(torch.lerp(a, torch.where((a * b).sum(-1, keepdim=True) < 0, -b, b), u[..., None, None]))
    root = torch.lerp(data.root[index], data.root[index + 1], u[..., None])
    poses = Poses(rotations, at_root(root, rotations.shape[2]), data.offsets[torch.as_tensor(take)], data.parents)
    return mirror(poses, torch.as_tensor(rng.random(count) < 0.5))


def mirror(poses: Poses, which: Tensor) -> Poses:
    """The windows `which` (B,) in a mirror, x ↔ -x: the rig is mirrored too, so no left and right need be known."""
    flip = torch.where(which[:, None], torch.tensor([-1.0, 1.0, 1.0]), torch.ones(3))
    turn = torch.cat([torch.ones(len(flip), 1), flip[:, :1].expand(-1, 1), flip[:, :1] * flip[:, 1:]], 1)
    turn[:, 1] = 1.0
    return Poses(
        poses.rotations * turn[:, None, None],
        poses.locations * flip[:, None, None],
        poses.offsets * flip[:, None],
        poses.parents,
    )


def vary_rig(poses: Poses, rng: np.random.Generator) -> Poses:
    """Sometimes other proportions, sometimes another rig that moves the same way: bones dropped, merged, a limb alone,
    a still root on top."""
    batch, joints = poses.offsets.shape[:2]
    if rng.random() < 0.5:
        length = torch.as_tensor(np.exp(rng.normal(0.0, 0.12, (batch, joints, 1))).astype(np.float32))
        poses = replace(poses, offsets=poses.offsets * length)
    choice = rng.random()
    if choice < 0.1:
        keep = [j for j in range(joints) if j == 0 or rng.random() > 0.25]
        poses = _subset(poses, keep)
    elif choice < 0.16:
        top = int(rng.choice([j for j in range(1, joints) if poses.parents.count(j)]))
        keep = [top]
        for j in range(top + 1, joints):
            if poses.parents[j] in keep:
                keep.append(j)
        poses = _subset(poses, keep)
    if rng.random() < 0.1:
        poses = _rooted(poses)
    return poses


def _subset(poses: Poses, keep: list[int]) -> Poses:
    turned, positions = poses.fk()
    rotations, locations, offsets, parents = skeleton.subset(
        turned, positions, poses.offsets[:, None], poses.parents, keep
    )
    return Poses(rotations, locations, offsets[:, 0], parents)


def _rooted(poses: Poses) -> Poses:
    """A still root above the first joint, as most animation rigs have one."""
    still = quat.identity(poses.rotations).expand_as(poses.rotations[:, :, :1])
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


def plan(rng: np.random.Generator) -> Plan:
    """Half the benchmark's own pattern, a fifth with other contexts, the rest sparse keys as an artist sets them."""
    kind, gap = rng.random(), int(rng.integers(4, 46))
    if kind < 0.75:
        past, future = (PAST, 0) if kind < 0.55 else (int(rng.integers(1, 16)), int(rng.integers(0, 11)))
        rows = np.ones(past + gap + 1 + future, bool)
        rows[past : past + gap] = False
        return Plan(len(rows), rows, False)
    frames = int(rng.integers(24, 60))
    spacing = int(rng.integers(4, 30))
    rows = rng.random(frames) < 1.0 / spacing
    rows[[0, -1]] = True
    return Plan(frames, rows, rng.random() < 0.4)


def keys(plan_: Plan, poses: Poses, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Key masks of rotations and locations (B, T, J); loose: some joints lose keys and have others of their own."""
    shape = poses.rotations.shape[:3]
    mask = np.broadcast_to(plan_.rows[None, :, None], shape).copy()
    if plan_.loose:
        own = rng.random(shape) < 0.5 * plan_.rows.mean()
        kept = mask & (rng.random(shape) < 0.6)
        odd = rng.random((shape[0], 1, shape[2])) < 0.3
        mask = np.where(odd, kept | own, mask)
        mask[:, [0, -1]] = True
    turn = torch.as_tensor(mask)
    moves = (poses.locations.abs().amax((0, 1, 3)) > 0)[None, None]
    return turn, turn | ~moves
