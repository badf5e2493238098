"""What stands on the ground, found by height and speed, and held there: by the two bones above it where there are two, else
by the whole chain up to the body. Any rig: feet are whatever ends a limb and comes to rest among the lowest. Knows no
network and no file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine import quat, skeleton
from engine.clips import Motion

SLOW, FAST = 0.15, 0.3  # rig sizes a second: below the first a foot comes to rest, above the second it leaves
LOW = 0.08  # rig sizes above the lowest part of the rig: how high a foot may be at rest
BRIEF = 0.1  # seconds: a shorter contact is none, a shorter gap between two is no step
BLEND = 0.15  # seconds in which a held foot comes to be held, and comes free
SHORT = 0.5  # of the longest bone of a limb: a shorter one at its end is a foot, which keeps its angle to the ground
# A foot at rest is slower than this share of what it carries, and rig sizes a second besides.
CARRIED, STILL = 0.9, 0.03
DRIFT = 0.03  # rig sizes: a foot that gets farther while it is slow has shuffled to another place
REACH = 0.998  # of a limb: how far it may be stretched
ROUNDS, DAMPING, TOP_TURN = 16, 1e-3, 0.3  # of bending a limb of many bones; radians a joint may turn in one of them


@dataclass(frozen=True)
class Ground:
    """What is needed to tell contacts: the rig's parents, the length of each bone, the joints that move by themselves, the
    index of the up axis, the rig's size, frames a second."""

    parents: list[int]
    lengths: list[float]
    moving: list[int]
    up: int
    size: float
    fps: float


def find_feet(positions: Tensor, ground: Ground, able: list[int]) -> list[int]:
    """The joints of (T, J, 3) that end a limb, or are placed by themselves (`able`, as the foot of a control rig), and rest
    among the lowest at some time."""
    inner = {ground.parents[j] for j in ground.moving}
    feet: dict[tuple[int, ...], int] = {}
    for end in (j for j in ground.moving if j not in inner):
        chain = limb(ground, end)
        if not chain and end not in able:
            continue
        rest = find_contacts(positions, ground, [end])[:, 0]
        if bool(rest.any()) and (end in able or _carries(positions, chain[0], end, rest, ground)):
            feet.setdefault(tuple(chain or [end]), end)
    return list(feet.values())


def _carries(positions: Tensor, top: int, end: int, rest: Tensor, ground: Ground) -> bool:
    """Whether the end of a limb is slower at its rest (T,) bool than what it carries: a foot is, a finger is not."""
    speed = _speed(positions[:, [top, end]], ground)[rest].mean(0)
    return bool(speed[1] < CARRIED * speed[0] + STILL)


def low_ends(positions: Tensor, ground: Ground) -> list[int]:
    """The joints of (T, J, 3) that end a limb and come near the lowest part of the rig at some time, at rest or not: a
    runner's feet too."""
    inner = {ground.parents[j] for j in ground.moving}
    height = positions[..., ground.up] - positions[:, ground.moving, ground.up].amin(1, keepdim=True)
    near = (height < LOW * ground.size).any(0).tolist()
    ends = {tuple(limb(ground, j)): j for j in reversed(ground.moving) if j not in inner and near[j]}
    return sorted(end for chain, end in ends.items() if chain)


def find_contacts(positions: Tensor, ground: Ground, feet: list[int]) -> Tensor:
    """When each foot rests, (T, feet) bool: from below SLOW to above FAST, all the time near the lowest part of the rig."""
    at = positions[:, feet]
    speed = _speed(at, ground)
    lowest = positions[:, sorted({*ground.moving, *feet}), ground.up].amin(1, keepdim=True)
    height = (at[..., ground.up] - lowest) / ground.size
    rest = torch.zeros(at.shape[:2], dtype=torch.bool)
    brief = max(2, round(BRIEF * ground.fps))
    for foot in range(len(feet)):
        low = height[:, foot] < LOW
        stays, begins = low & (speed[:, foot] < FAST), low & (speed[:, foot] < SLOW)
        for start, end in _runs(stays.numpy()):
            rest[start:end, foot] = bool(begins[start:end].any()) and end - start >= brief
    return rest


def _speed(at: Tensor, ground: Ground) -> Tensor:
    """Of points (T, F, 3), in rig sizes a second (T, F); over a few frames, so that jitter is no speed."""
    frames, lag = torch.arange(len(at)), max(1, round(0.05 * ground.fps))
    sooner, later = (frames - lag).clamp_min(0), (frames + lag).clamp_max(len(at) - 1)
    way = (at[later] - at[sooner]).norm(dim=-1)
    return way / (later - sooner).clamp_min(1)[:, None] * ground.fps / ground.size


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """First row and the row after the last of each run of a mask (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def limb(ground: Ground, end: int) -> list[int]:
    """The joints that can bring `end` to a place, the upmost first, the one that is brought last; empty where there are
    none. That is the limb from below the joint where it branches off; a short bone at its end, and toes, are left out."""
    parents, lengths = ground.parents, ground.lengths
    chain = [end]
    while (top := parents[chain[-1]]) >= 0:
        children = [j for j, parent in enumerate(parents) if parent == top]
        if len(children) > 1 and max(lengths[j] for j in children) > SHORT * lengths[top]:
            break
        chain.append(top)
    chain.reverse()
    bones = [lengths[j] for j in chain[1:]]
    while len(chain) > 3 and bones[len(chain) - 2] < SHORT * max(bones):
        chain.pop()
    return chain if len(chain) > 2 else []


# --- holding ---------------------------------------------------------------------------------------------------------


def offsets(at: Tensor, rest: Tensor, pinned: Tensor, ground: Ground) -> Tensor:
    """How far a foot (T, 3) has to be moved so that it stands still while at rest (T,) bool; along the ground alone.

    It stands where it is at the `pinned` (T,) rows, from one to the next, else where it is on average for a while. Before
    and after, the offset grows and fades with the foot's own velocity; at pinned rows it is zero.
    """
    out = torch.zeros_like(at)
    blend, fixed = max(2, round(BLEND * ground.fps)), pinned.numpy()
    pins = np.flatnonzero(fixed)
    for start, end in _runs(rest.numpy()):
        rows, inside = np.arange(start, end), pins[(pins >= start) & (pins < end)]
        if len(inside):
            spot = np.stack([np.interp(rows, inside, at[inside, axis].numpy()) for axis in range(3)], 1)
            out[start:end] = torch.from_numpy(spot.astype(np.float32)) - at[start:end]
        else:
            out[start:end] = _spots(at[start:end], DRIFT * ground.size, blend) - at[start:end]
        later, sooner = pins[pins >= end], pins[pins < start]
        _fade(out, at, end - 1, 1, min([blend, *(later[:1] - end + 1), len(at) - end]))
        _fade(out, at, start, -1, min([blend, *(start - sooner[-1:]), start]))
    out[..., ground.up] = 0.0
    return out


def _spots(at: Tensor, drift: float, blend: int) -> Tensor:
    """Where a foot at rest (R, 3) is to be: its mean place; another one from where it has got farther than `drift` away."""
    places = at.numpy()
    spots, start, total = np.empty_like(places), 0, np.zeros(3)
    for row, place in enumerate(places):
        count = row - start
        if count and np.linalg.norm(place - total / count) > drift:
            spots[start:row] = total / count
            start, total = row, np.zeros(3)
        total = total + place
    spots[start:] = total / (len(places) - start)
    if start == 0:
        return torch.from_numpy(spots)
    padded = np.pad(spots, ((blend, blend), (0, 0)), mode="edge")
    sums = np.cumsum(np.concatenate([np.zeros((1, 3)), padded]), 0)
    return torch.from_numpy(((sums[2 * blend + 1 :] - sums[: -2 * blend - 1]) / (2 * blend + 1)).astype(np.float32))


def _fade(out: Tensor, at: Tensor, row: int, way: int, count: int) -> None:
    """Let the offset at `row` come to nothing within `count` rows; it leaves with the velocity it had."""
    if count < 1 or not 0 <= row + way < len(at):
        return
    u = torch.arange(1, count + 1)[:, None] / count
    speed = -(at[row + way] - at[row])
    fading = out[row] * (1 - u) ** 2 * (1 + 2 * u) + speed * count * u * (1 - u) ** 2
    rows = row + way * torch.arange(1, count + 1)
    out[rows] = out[rows] + fading


def hold(
    rotations: Tensor, locations: Tensor, offset: Tensor, ground: Ground, foot: int, move: Tensor
) -> tuple[Tensor, Tensor]:
    """Rotations (T, J, 4) and locations (T, J, 3) with the foot moved by (T, 3) in the rig's space. Joints below its limb
    keep their angle to the world; a foot without a limb is moved itself."""
    turned, positions = skeleton.fk(rotations, locations, offset, ground.parents)
    rows = move.norm(dim=-1) > 1e-6 * ground.size
    if not bool(rows.any()):
        return rotations, locations
    chain, over = limb(ground, foot), ground.parents[foot]
    if not chain:
        locations = locations.clone()
        locations[:, foot] += move if over < 0 else quat.rotate(quat.conjugate(turned[:, over]), move)
        return rotations, locations
    turns, at = turned[rows][:, chain], positions[rows][:, chain]
    new = (_two_bones if len(chain) == 3 else _many_bones)(turns, at, _within_reach(at, move[rows]))
    whole, fresh = turned.clone(), turned[rows]
    fresh[:, chain[:-1]] = new
    whole[rows] = fresh
    local = quat.normalize(skeleton.local_rotations(whole, ground.parents))
    out = rotations.clone()
    for joint in chain:
        out[:, joint] = torch.where(rows[:, None], local[:, joint], rotations[:, joint])
    return out, locations


def _within_reach(at: Tensor, move: Tensor) -> Tensor:
    """Where the limb (R, chain, 3) is to end: moved, but no farther away than it can be stretched, or is already."""
    length = at.diff(dim=1).norm(dim=-1).sum(1, keepdim=True)
    own, way = (at[:, -1] - at[:, 0]).norm(dim=-1, keepdim=True), at[:, -1] + move - at[:, 0]
    far = way.norm(dim=-1, keepdim=True).clamp_min(1e-9)
    return at[:, 0] + way / far * torch.minimum(far, torch.maximum(own, REACH * length))


def _arc(a: Tensor, b: Tensor) -> Tensor:
    """The shortest turn of directions (…, 3) from a to b, for those less than half a turn apart."""
    a, b = (v / v.norm(dim=-1, keepdim=True).clamp_min(1e-9) for v in (a, b))
    w = 1.0 + (a * b).sum(-1, keepdim=True)
    return quat.normalize(torch.cat([w, torch.linalg.cross(a, b)], -1))


def _two_bones(turned: Tensor, at: Tensor, goal: Tensor) -> Tensor:
    """World rotations (R, 2, 4) of the two bones of a limb at (R, 3, 3) that ends at `goal`: the joint between bends about
    the axis about which it is bent, or (where it is straight) about that of the other rows."""
    upper, lower = at[:, 1] - at[:, 0], at[:, 2] - at[:, 1]
    axis = torch.linalg.cross(upper, lower)
    own = quat.rotate(quat.conjugate(turned[:, 0]), axis)
    usual = own.sum(0) / own.norm(dim=-1).sum().clamp_min(1e-12)
    scale = upper.norm(dim=-1, keepdim=True) * lower.norm(dim=-1, keepdim=True)
    axis = axis + 0.02 * scale * quat.rotate(turned[:, 0], usual.expand_as(own))
    axis = axis / axis.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    a, b, far = upper.norm(dim=-1), lower.norm(dim=-1), (goal - at[:, 0]).norm(dim=-1)

    def bend(distance: Tensor) -> Tensor:
        return torch.acos(((distance**2 - a**2 - b**2) / (2.0 * a * b).clamp_min(1e-12)).clamp(-1.0, 1.0))

    more = bend(far) - bend((at[:, 2] - at[:, 0]).norm(dim=-1))
    knee = quat.exp(more[:, None] * axis)
    swing = _arc(upper + quat.rotate(knee, lower), goal - at[:, 0])
    first = quat.multiply(swing, turned[:, 0])
    return torch.stack([first, quat.multiply(swing, quat.multiply(knee, turned[:, 1]))], 1)


def _many_bones(turned: Tensor, at: Tensor, goal: Tensor) -> Tensor:
    """World rotations (R, chain - 1, 4) of a limb at (R, chain, 3) that ends at `goal`: small turns of all its joints by
    damped least squares, round after round."""
    bones, links = list(turned[:, :-1].unbind(1)), at.diff(dim=1)
    whole = torch.eye(3) * links.square().sum((1, 2))[:, None, None]
    for _ in range(ROUNDS):
        ends = links.flip(1).cumsum(1).flip(1)  # from each joint to the limb's end
        miss = goal - at[:, 0] - ends[:, 0]
        system = torch.eye(3) * ends.square().sum((1, 2))[:, None, None] - torch.einsum("rji,rjk->rik", ends, ends)
        push = torch.linalg.solve(system + DAMPING * whole, miss)
        turns = torch.linalg.cross(ends, push[:, None].expand_as(ends))
        turns = quat.exp(turns * (TOP_TURN / turns.norm(dim=-1, keepdim=True).clamp_min(TOP_TURN)))
        carried = turns[:, 0]
        for joint in range(links.shape[1]):
            carried = quat.multiply(carried, turns[:, joint]) if joint else carried
            links[:, joint] = quat.rotate(carried, links[:, joint])
            bones[joint] = quat.multiply(carried, bones[joint])
    return torch.stack(bones, 1)


# --- a clip's feet ---------------------------------------------------------------------------------------------------


class Feet:
    """The feet of a motion, rotations (T, J, 4) and locations (T, J, 3), and when they rest.

    free_turns, free_moves (T, J) bool: the rotations and locations that may be changed.
    """

    def __init__(
        self, motion: Motion, rotations: Tensor, locations: Tensor, free_turns: Tensor, free_moves: Tensor
    ) -> None:
        self.offset, self.free_turns, self.free_moves = torch.from_numpy(motion.offsets), free_turns, free_moves
        parents, up = motion.clip.parents, 2 if motion.clip.up == "Z" else 1
        moving = (rotations != rotations[:1]).any(-1).any(0) | (locations != locations[:1]).any(-1).any(0)
        self.rotations, self.locations, size, lengths = rotations, locations, 1.0, self.offset.norm(dim=-1).tolist()
        self.ground = Ground(parents, lengths, moving.nonzero()[:, 0].tolist(), up, size, motion.clip.fps)
        if self.ground.moving:  # in a control rig few bones hang on others; they are as far apart as the body is large
            first = self.positions()[0]
            apart = (first.amax(0) - first.amin(0)).norm()
            reach = float(skeleton.reach(self.offset, parents))
            size = max(reach if reach > 0.25 * float(apart) else 0.5 * float(apart), 1e-6)
            self.ground = replace(self.ground, size=size)
        self.feet: list[int] = []
        self.rest = torch.zeros(len(rotations), 0, dtype=torch.bool)

    def find(self, feet: list[int]) -> None:
        """Find the feet, unless they are named, and when they rest."""
        if not self.ground.moving:
            return
        positions = self.positions()
        self.feet = feet or find_feet(positions, self.ground, self.free_moves.any(0).nonzero()[:, 0].tolist())
        self.rest = find_contacts(positions, self.ground, self.feet)

    def pinned(self) -> Tensor:
        """Where each foot has to stay as it is, (T, feet) bool."""
        chains = {foot: limb(self.ground, foot) for foot in self.feet}
        free = [self.free_turns[:, c].all(1) if c else self.free_moves[:, foot] for foot, c in chains.items()]
        return ~torch.stack(free, 1) if free else self.rest

    def lock(self) -> Iterator[float]:
        """Hold them, telling the part done; changes `rotations` and `locations`."""
        pinned = self.pinned()
        for i, foot in enumerate(self.feet):
            move = offsets(self.positions()[:, foot], self.rest[:, i], pinned[:, i], self.ground)
            turned, moved = hold(self.rotations, self.locations, self.offset, self.ground, foot, move)
            self.rotations = torch.where(self.free_turns[..., None], turned, self.rotations)
            self.locations = torch.where(self.free_moves[..., None], moved, self.locations)
            yield (i + 1) / len(self.feet)

    def skate(self) -> float:
        """Mean speed along the ground of the feet at rest, in rig sizes a second."""
        if not self.feet:
            return 0.0
        at = self.positions()[:, self.feet]
        at[..., self.ground.up] = 0.0
        speed = at.diff(dim=0).norm(dim=-1) * self.ground.fps / self.ground.size
        resting = self.rest[1:] & self.rest[:-1]
        return float((speed * resting).sum() / resting.sum().clamp_min(1))

    def positions(self) -> Tensor:
        """Of all joints, (T, J, 3)."""
        return skeleton.fk(self.rotations, self.locations, self.offset, self.ground.parents)[1]
