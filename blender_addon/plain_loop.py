"""A range of motion made a cycle without the engine: what the engine's loop job does, in numpy, but for cycles that differ.
Knows arrays and the settings of the job; no file and no Blender."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from . import quat
from .protocol import Clip, JobError, Loop

SHORTEST = 4  # frames of a cycle
TURNING = 0.25  # radians of heading from the first frame to the last, beyond which the rig may walk a curve
WITH_BODY = 0.5  # of the body's way: what another root covers if it travels along
TURNS = (
    "The rig turns by {:.0f} degrees in a cycle, which Blender's Cycles modifier cannot go on with; ask for repeats "
    "instead, or do not keep the root's motion."
)
VARIES = "Cycles that differ need the engine; these are alike."

Arrays = dict[str, np.ndarray]


class Moves(NamedTuple):
    """rotations (T, J, 4), locations (T, J, 3), values (T, C, 1)."""

    rotations: np.ndarray
    locations: np.ndarray
    values: np.ndarray


class Way(NamedTuple):
    """From the first frame of a cycle to the last: a turn (radians) about the axis `up` through `start`, then a `move`, all (3,).
    roots (J,) bool: the joints that go it; places (J, 3): where locations of zero are."""

    turned: float
    up: np.ndarray
    start: np.ndarray
    move: np.ndarray
    roots: np.ndarray
    places: np.ndarray

    def turn(self, share: np.ndarray | float = 1.0) -> np.ndarray:
        """The turn, or a share (T,) of it, as quaternions (J, 4) or (T, J, 4); the identity where a joint stays."""
        angles = np.asarray(share * self.turned, np.float32)[..., None, None] * self.up
        return quat.exp(angles * self.roots[:, None])

    def place(self, locations: np.ndarray) -> np.ndarray:
        """Locations (…, J, 3) carried along the way."""
        gone = quat.rotate(self.turn(), self.places + locations - self.start) + self.start + self.move - self.places
        return np.where(self.roots[:, None], gone, locations)


def loop(clip: Clip, data: Arrays, settings: Loop) -> tuple[Moves, list[str]]:
    """The cycle and its repeats, and what there is to say of it. Raises JobError."""
    wanted = [data[f"{name}_wanted"] for name in ("rotation", "location", "value")]
    if len(data["rotations"]) < SHORTEST:
        raise JobError(f"A cycle needs at least {SHORTEST} frames; choose a longer range.")
    if not any(w.any() for w in wanted):
        raise JobError("There is nothing to loop: select bones or channels that are animated.")
    given = Moves(data["rotations"], data["locations"], data["values"][..., None])
    way = find_way(clip, data, settings.keep_root)
    open_ = given if settings.keep_root else in_place(given, find_way(clip, data, True))
    closed = close(open_, way, wanted, min(settings.blend, (len(given.rotations) - 1) // 2))
    notes = [TURNS.format(abs(math.degrees(way.turned)))] if way.turned else []
    notes += [VARIES] if settings.repeats and settings.variation > 0 else []
    return repeat(closed, way, wanted, settings.repeats), notes


# --- the way a cycle covers ------------------------------------------------------------------------------------------


def find_way(clip: Clip, data: Arrays, travels: bool) -> Way:
    """The way of the clip's cycle; that of one that stays in place unless it `travels`."""
    up = np.array([0, 0, 1] if clip.up == "Z" else [0, 1, 0], np.float32)
    moved = (data["locations"][-1] - data["locations"][0]) * (1 - up)
    top = np.array([parent < 0 for parent in clip.parents], bool)
    able = top & data["location_wanted"] & (np.linalg.norm(moved, axis=-1) > 0)
    nowhere = np.zeros(3, np.float32)
    if not travels or not able.any():
        return Way(0.0, up, nowhere, nowhere, np.zeros(len(top), bool), data["offsets"])
    body = int(np.flatnonzero(able)[0])
    move = moved[body]
    roots = able & (moved @ move >= WITH_BODY * move @ move)
    turned = 0.0
    if data["rotation_wanted"][body]:
        first, last = data["rotations"][[0, -1], body]
        turned = _heading(quat.multiply(last, first * quat.CONJUGATE), up)
    at, third = data["locations"][:, body] * (1 - up), len(data["locations"]) // 3
    bent = _angle(at[third] - at[0], at[-1] - at[-1 - third], up)
    if abs(turned) < TURNING or not 0.5 < bent / turned < 2.0:  # it does not go where it turns to
        turned = 0.0
    return Way(turned, up, data["offsets"][body] + data["locations"][0, body], move, roots, data["offsets"])


def _heading(turn: np.ndarray, axis: np.ndarray) -> float:
    """The part of a turn that goes about an axis, radians."""
    angle = 2 * math.atan2(float(turn[1:] @ axis), float(turn[0]))
    return (angle + math.pi) % math.tau - math.pi


def _angle(a: np.ndarray, b: np.ndarray, axis: np.ndarray) -> float:
    """From one direction to another about an axis, radians."""
    return math.atan2(float(np.cross(a, b) @ axis), float(a @ b))


def in_place(moves: Moves, way: Way) -> Moves:
    """The motion without its way, which is taken back evenly."""
    share = np.linspace(0, 1, len(moves.rotations), dtype=np.float32)
    back = way.turn(share) * quat.CONJUGATE
    at = way.places + moves.locations - way.start - share[:, None, None] * way.move
    placed = quat.rotate(back, at) + way.start - way.places
    goes = way.roots[:, None]
    rotations = np.where(goes, quat.multiply(back, moves.rotations), moves.rotations)
    return Moves(rotations, np.where(goes, placed, moves.locations), moves.values)


# --- closing ---------------------------------------------------------------------------------------------------------


def close(moves: Moves, way: Way, wanted: Sequence[np.ndarray], blend: int) -> Moves:
    """The cycle closed in pose, then in velocity: what differs is shared by the last and the first `blend` frames."""
    turn, free = way.turn(), [w[:, None] for w in wanted]
    rotations, locations, values = moves
    rise, bend = ramps(len(rotations), blend)
    away = quat.between(rotations[-1], quat.multiply(turn, rotations[0])) * free[0]
    rotations = quat.multiply(rotations, quat.exp(0.5 * rise * away))
    first, last = _spins(rotations)
    rotations = quat.normalize(quat.multiply(rotations, quat.exp(bend * 0.5 * (last - first) * free[0])))

    def vectors(x: np.ndarray, end: np.ndarray, spun: np.ndarray | None, may: np.ndarray) -> np.ndarray:
        """x closed so that its last row is where `end` puts the first; spun: how velocities turn in a cycle."""
        away = (end - x[-1]) * may
        x = x + 0.5 * rise * np.where(rise < 0, _back(spun, away), away)
        (first, last) = _speeds(x)
        push = 0.5 * (last - (first if spun is None else quat.rotate(spun, first))) * may
        return x + bend * np.where(rise < 0, _back(spun, push), push)

    return Moves(
        np.where(free[0], rotations, moves.rotations),
        vectors(locations, way.place(locations[0]), turn, free[1]),
        vectors(values, values[0], None, free[2]),
    )


def _back(spun: np.ndarray | None, x: np.ndarray) -> np.ndarray:
    return x if spun is None else quat.rotate(spun * quat.CONJUGATE, x)


def ramps(rows: int, blend: int) -> tuple[np.ndarray, np.ndarray]:
    """(T, 1, 1) each: from 0 to 1 over the last `blend` rows, from -1 to 0 over the first; and curves that are 0 at the
    seam and have there the slope 1 at the first row, -1 at the last."""
    u = np.linspace(0, 1, blend + 1, dtype=np.float32)
    rise, bend = np.zeros(rows, np.float32), np.zeros(rows, np.float32)
    step, slope = u * u * (3 - 2 * u), blend * u * u * (1 - u)
    rise[-blend - 1 :], bend[-blend - 1 :] = step, slope
    rise[: blend + 1], bend[: blend + 1] = -step[::-1], slope[::-1]
    return rise[:, None, None], bend[:, None, None]


def _speeds(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Velocities a frame at the first and at the last row of (T, J, C), from three rows each."""
    return 0.5 * (4 * x[1] - 3 * x[0] - x[2]), 0.5 * (3 * x[-1] - 4 * x[-2] + x[-3])


def _spins(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same of rotations (T, J, 4), in each joint's own axes."""
    ahead, further = (quat.between(q[0], q[i]) for i in (1, 2))
    behind, before = (quat.between(q[-1], q[i]) for i in (-2, -3))
    return 0.5 * (4 * ahead - further), -0.5 * (4 * behind - before)


# --- playing it again ------------------------------------------------------------------------------------------------


def repeat(moves: Moves, way: Way, wanted: Sequence[np.ndarray], repeats: int) -> Moves:
    """The cycle, and then `repeats` more, each going its way from where the one before ended."""
    parts, last = [moves], moves
    for _ in range(repeats):
        turned = np.where(way.roots[:, None], quat.multiply(way.turn(), last.rotations), last.rotations)
        last = Moves(turned, way.place(last.locations), last.values)
        parts.append(Moves(*(x[1:] for x in last)))
    out = []
    for old, may, *rows in zip(moves, wanted, *parts, strict=True):
        made = np.concatenate(rows)
        still = np.concatenate(
            [old, np.repeat(old[-1:], len(made) - len(old), 0)]
        )  # what is not wanted stays as it ends
        out.append(np.where(may[:, None], made, still))
    return Moves(*out)
