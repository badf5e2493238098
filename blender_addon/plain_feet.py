"""Feet held where they stand, without the engine: what the engine's contacts do, in numpy. Feet are whatever ends a limb and
comes to rest among the lowest; they are held by the two bones above them, or by the whole chain up to the body. Knows
arrays alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from . import quat
from .protocol import Clip

SLOW, FAST = 0.15, 0.3  # rig sizes a second: below the first a foot comes to rest, above the second it leaves
LOW = 0.08  # rig sizes above the lowest part of the rig: how high a foot may be at rest
BRIEF = 0.1  # seconds: a shorter contact is none
BLEND = 0.15  # seconds in which a held foot comes to be held, and comes free
SHORT = 0.5  # of the longest bone of a limb: a shorter one at its end is a foot, which keeps its angle to the ground
CARRIED, STILL = (
    0.7,
    0.02,
)  # of the speed of what is carried, and rig sizes a second besides: how fast a foot is at rest
DRIFT = 0.03  # rig sizes: a foot that gets farther while it is slow has shuffled to another place
REACH = 0.998  # of a limb: how far it may be stretched
ROUNDS, DAMPING, TOP_TURN = 16, 1e-3, 0.3  # of bending a limb of many bones; radians a joint may turn in one of them


def fk(
    rotations: np.ndarray, locations: np.ndarray, offsets: np.ndarray, parents: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (T, J, 4) and places (T, J, 3) in the rig's space of joints with local rotations and locations."""
    turned, placed = rotations.copy(), offsets + locations
    for joint, parent in enumerate(parents):
        if parent >= 0:
            turned[:, joint] = quat.multiply(turned[:, parent], rotations[:, joint])
            placed[:, joint] = placed[:, parent] + quat.rotate(turned[:, parent], placed[:, joint])
    return turned, placed


@dataclass(frozen=True)
class Ground:
    """What is needed to tell contacts: the rig's parents, the length of each bone, the joints that move by themselves, the
    index of the up axis, the rig's size, frames a second."""

    parents: list[int]
    lengths: np.ndarray
    moving: list[int]
    up: int
    size: float
    fps: float


class Feet:
    """The feet of a motion, rotations (T, J, 4) and locations (T, J, 3), and when they rest.

    free_turns, free_moves (T, J) bool: the rotations and locations that may be changed.
    """

    def __init__(
        self,
        clip: Clip,
        offsets: np.ndarray,
        rotations: np.ndarray,
        locations: np.ndarray,
        free_turns: np.ndarray,
        free_moves: np.ndarray,
    ) -> None:
        self.offsets, self.rotations, self.locations = offsets, rotations, locations
        self.free_turns, self.free_moves = free_turns, free_moves
        moving = (rotations != rotations[:1]).any((0, 2)) | (locations != locations[:1]).any((0, 2))
        lengths, up = np.linalg.norm(offsets, axis=-1), 2 if clip.up == "Z" else 1
        self.ground = Ground(clip.parents, lengths, np.flatnonzero(moving).tolist(), up, 1.0, clip.fps)
        if self.ground.moving:  # in a control rig few bones hang on others; they are as far apart as the body is large
            first, sums = self.positions()[0], np.zeros(len(lengths))
            for joint, parent in enumerate(clip.parents):
                sums[joint] = sums[parent] + lengths[joint] if parent >= 0 else 0.0
            apart = float(np.linalg.norm(np.ptp(first, 0)))
            size = float(sums.max()) if sums.max() > 0.25 * apart else 0.5 * apart
            self.ground = replace(self.ground, size=max(size, 1e-6))
        self.rest = np.zeros((len(rotations), 0), bool)

    def positions(self) -> np.ndarray:
        """Of all joints, (T, J, 3)."""
        return fk(self.rotations, self.locations, self.offsets, self.ground.parents)[1]

    def lock(self, feet: Sequence[int]) -> None:
        """Find the feet, unless they are named, and hold them; changes `rotations` and `locations`."""
        if not self.ground.moving:
            return
        positions = self.positions()
        feet = feet or find_feet(positions, self.ground, np.flatnonzero(self.free_moves.any(0)).tolist())
        self.rest = find_contacts(positions, self.ground, feet)
        for foot, rest in zip(feet, self.rest.T, strict=True):
            chain = limb(self.ground, foot)
            free = np.all(self.free_turns[:, chain], 1) if chain else self.free_moves[:, foot]
            move = ways(self.positions()[:, foot], rest, np.logical_not(free), self.ground)
            turned, moved = hold(self.rotations, self.locations, self.offsets, self.ground, foot, move)
            self.rotations = np.where(self.free_turns[..., None], turned, self.rotations)
            self.locations = np.where(self.free_moves[..., None], moved, self.locations)


# --- when feet rest --------------------------------------------------------------------------------------------------


def find_feet(positions: np.ndarray, ground: Ground, able: Sequence[int]) -> list[int]:
    """The joints of (T, J, 3) that end a limb, or are placed by themselves (`able`, as the foot of a control rig), and rest
    among the lowest at some time."""
    inner = {ground.parents[j] for j in ground.moving}
    feet: dict[tuple[int, ...], int] = {}
    for end in (j for j in ground.moving if j not in inner):
        chain = limb(ground, end)
        if not chain and end not in able:
            continue
        rest = find_contacts(positions, ground, [end])[:, 0]
        if rest.any() and (end in able or _carries(positions, chain[0], end, rest, ground)):
            feet.setdefault(tuple(chain or [end]), end)
    return list(feet.values())


def _carries(positions: np.ndarray, top: int, end: int, rest: np.ndarray, ground: Ground) -> bool:
    """Whether the end of a limb is slower at its rest (T,) bool than what it carries: a foot is, a finger is not."""
    both = rest[1:] & rest[:-1]
    speed = np.linalg.norm(np.diff(positions[:, [top, end]], axis=0), axis=-1)[both].mean(0) * ground.fps / ground.size
    return bool(speed[1] < CARRIED * speed[0] + STILL)


def find_contacts(positions: np.ndarray, ground: Ground, feet: Sequence[int]) -> np.ndarray:
    """When each foot rests, (T, feet) bool: from below SLOW to above FAST, all the time near the lowest part of the rig."""
    at, rows = positions[:, list(feet)], len(positions)
    lag = max(1, round(0.05 * ground.fps))  # over a few frames, so that jitter is no speed
    sooner, later = np.maximum(np.arange(rows) - lag, 0), np.minimum(np.arange(rows) + lag, rows - 1)
    apart = np.linalg.norm(at[later] - at[sooner], axis=-1) / np.maximum(later - sooner, 1)[:, None]
    speed = apart * ground.fps / ground.size
    lowest = positions[:, sorted({*ground.moving, *feet}), ground.up].min(1, keepdims=True)
    height = (at[..., ground.up] - lowest) / ground.size
    rest, brief = np.zeros(at.shape[:2], bool), max(2, round(BRIEF * ground.fps))
    for foot in range(len(feet)):
        low = height[:, foot] < LOW
        begins = low & (speed[:, foot] < SLOW)
        for start, end in _runs(low & (speed[:, foot] < FAST)):
            rest[start:end, foot] = begins[start:end].any() and end - start >= brief
    return rest


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
        if len(children) > 1 and max(lengths[children]) > SHORT * lengths[top]:
            break
        chain.append(top)
    chain.reverse()
    bones = lengths[chain[1:]]
    while len(chain) > 3 and bones[len(chain) - 2] < SHORT * bones.max():
        chain.pop()
    return chain if len(chain) > 2 else []


# --- where they are to be --------------------------------------------------------------------------------------------


def ways(at: np.ndarray, rest: np.ndarray, pinned: np.ndarray, ground: Ground) -> np.ndarray:
    """How far a foot (T, 3) has to be moved so that it stands still while at rest (T,) bool; along the ground alone.

    It stands where it is at the `pinned` (T,) rows, from one to the next, else where it is on average for a while. Before
    and after, the way grows and fades with the foot's own velocity; at pinned rows it is zero.
    """
    out = np.zeros_like(at)
    blend, pins = max(2, round(BLEND * ground.fps)), np.flatnonzero(pinned)
    for start, end in _runs(rest):
        rows, inside = np.arange(start, end), pins[(pins >= start) & (pins < end)]
        if len(inside):
            spot = np.stack([np.interp(rows, inside, at[inside, axis]) for axis in range(3)], 1)
        else:
            spot = _spots(at[start:end], DRIFT * ground.size, blend)
        out[start:end] = spot - at[start:end]
        later, sooner = pins[pins >= end], pins[pins < start]
        _fade(out, at, end - 1, 1, min([blend, *(later[:1] - end + 1), len(at) - end]))
        _fade(out, at, start, -1, min([blend, *(start - sooner[-1:]), start]))
    out[..., ground.up] = 0.0
    return out


def _spots(places: np.ndarray, drift: float, blend: int) -> np.ndarray:
    """Where a foot at rest (R, 3) is to be: its mean place; another one from where it has got farther than `drift` away."""
    spots, start, total = np.empty_like(places), 0, np.zeros(3)
    for row, place in enumerate(places):
        count = row - start
        if count and np.linalg.norm(place - total / count) > drift:
            spots[start:row] = total / count
            start, total = row, np.zeros(3)
        total = total + place
    spots[start:] = total / (len(places) - start)
    if start == 0:
        return spots
    padded = np.pad(spots, ((blend, blend), (0, 0)), mode="edge")
    sums = np.cumsum(np.concatenate([np.zeros((1, 3)), padded]), 0)
    return (sums[2 * blend + 1 :] - sums[: -2 * blend - 1]) / (2 * blend + 1)


def _fade(out: np.ndarray, at: np.ndarray, row: int, way: int, count: int) -> None:
    """Let the way at `row` come to nothing within `count` rows; it leaves with the velocity it had."""
    if count < 1 or not 0 <= row + way < len(at):
        return
    u = np.arange(1, count + 1)[:, None] / count
    speed = -(at[row + way] - at[row])
    fading = out[row] * (1 - u) ** 2 * (1 + 2 * u) + speed * count * u * (1 - u) ** 2
    out[row + way * np.arange(1, count + 1)] += fading


# --- bending limbs ---------------------------------------------------------------------------------------------------


def hold(
    rotations: np.ndarray, locations: np.ndarray, offsets: np.ndarray, ground: Ground, foot: int, move: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (T, J, 4) and locations (T, J, 3) with the foot moved by (T, 3) in the rig's space. Joints below its limb
    keep their angle to the world; a foot without a limb is moved itself."""
    turned, positions = fk(rotations, locations, offsets, ground.parents)
    rows = np.linalg.norm(move, axis=-1) > 1e-6 * ground.size
    if not rows.any():
        return rotations, locations
    chain, over = limb(ground, foot), ground.parents[foot]
    if not chain:
        locations = locations.copy()
        locations[:, foot] += move if over < 0 else quat.rotate(turned[:, over] * quat.CONJUGATE, move)
        return rotations, locations
    at = positions[rows][:, chain]
    bend = _two_bones if len(chain) == 3 else _many_bones
    new = bend(turned[rows][:, chain], at, _within_reach(at, move[rows]))
    whole, out = turned[rows], rotations.copy()
    whole[:, chain[:-1]] = new
    for joint in chain:
        above = ground.parents[joint]
        local = quat.multiply(whole[:, above] * quat.CONJUGATE, whole[:, joint]) if above >= 0 else whole[:, joint]
        out[rows, joint] = quat.normalize(local)
    return out, locations


def _within_reach(at: np.ndarray, move: np.ndarray) -> np.ndarray:
    """Where the limb (R, chain, 3) is to end: moved, but no farther away than it can be stretched, or is already."""
    length = np.linalg.norm(np.diff(at, axis=1), axis=-1).sum(1, keepdims=True)
    own, way = np.linalg.norm(at[:, -1] - at[:, 0], axis=-1, keepdims=True), at[:, -1] + move - at[:, 0]
    far = np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-9)
    return at[:, 0] + way / far * np.minimum(far, np.maximum(own, REACH * length))


def _arc(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The shortest turn of directions (…, 3) from a to b, for those less than half a turn apart."""
    a, b = (v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9) for v in (a, b))
    return quat.normalize(np.concatenate([1.0 + (a * b).sum(-1, keepdims=True), np.cross(a, b)], -1))


def _two_bones(turned: np.ndarray, at: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """World rotations (R, 2, 4) of the two bones of a limb at (R, 3, 3) that ends at `goal`: the joint between bends about
    the axis about which it is bent, or (where it is straight) about that of the other rows."""
    upper, lower = at[:, 1] - at[:, 0], at[:, 2] - at[:, 1]
    axis = np.cross(upper, lower)
    own = quat.rotate(turned[:, 0] * quat.CONJUGATE, axis)
    usual = own.sum(0) / max(float(np.linalg.norm(own, axis=-1).sum()), 1e-12)
    a, b = np.linalg.norm(upper, axis=-1), np.linalg.norm(lower, axis=-1)
    axis = axis + 0.02 * (a * b)[:, None] * quat.rotate(turned[:, 0], np.broadcast_to(usual, own.shape))
    axis = axis / np.maximum(np.linalg.norm(axis, axis=-1, keepdims=True), 1e-12)

    def bend(distance: np.ndarray) -> np.ndarray:
        return np.arccos(np.clip((distance**2 - a**2 - b**2) / np.maximum(2 * a * b, 1e-12), -1, 1))

    more = bend(np.linalg.norm(goal - at[:, 0], axis=-1)) - bend(np.linalg.norm(at[:, 2] - at[:, 0], axis=-1))
    knee = quat.exp(more[:, None] * axis)
    swing = _arc(upper + quat.rotate(knee, lower), goal - at[:, 0])
    first = quat.multiply(swing, turned[:, 0])
    return np.stack([first, quat.multiply(swing, quat.multiply(knee, turned[:, 1]))], 1)


def _many_bones(turned: np.ndarray, at: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """World rotations (R, chain - 1, 4) of a limb at (R, chain, 3) that ends at `goal`: small turns of all its joints by
    damped least squares, round after round."""
    bones, links = turned[:, :-1].copy(), np.diff(at, axis=1)
    whole = np.eye(3) * (links**2).sum((1, 2))[:, None, None]
    for _ in range(ROUNDS):
        ends = links[:, ::-1].cumsum(1)[:, ::-1]  # from each joint to the limb's end
        miss = goal - at[:, 0] - ends[:, 0]
        system = np.eye(3) * (ends**2).sum((1, 2))[:, None, None] - np.einsum("rji,rjk->rik", ends, ends)
        push = np.linalg.solve(system + DAMPING * whole, miss[..., None])[..., 0]
        turns = np.cross(ends, np.broadcast_to(push[:, None], ends.shape))
        turns = quat.exp(turns * (TOP_TURN / np.maximum(np.linalg.norm(turns, axis=-1, keepdims=True), TOP_TURN)))
        carried = turns[:, 0]
        for joint in range(links.shape[1]):
            carried = quat.multiply(carried, turns[:, joint]) if joint else carried
            links[:, joint] = quat.rotate(carried, links[:, joint])
            bones[:, joint] = quat.multiply(carried, bones[:, joint])
    return bones
