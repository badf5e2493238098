"""The loop job: make a range of motion a cycle whose last frame meets its first, and play further cycles that differ a
little. Works on any rig and any channel; knows no network."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine import clips, protocol, quat
from engine.motion import baseline, variation
from engine.progress import Outcome, Update
from engine.protocol import JobError

SHORTEST = 4  # frames of a cycle
TURNING = 0.25  # radians of heading from the first frame to the last, beyond which the rig may walk a curve
WITH_BODY = 0.5  # of the body's way: what another root covers if it travels along


class Moves(NamedTuple):
    """rotations (T, J, 4), locations (T, J, 3), values (T, C, 1)."""

    rotations: Tensor
    locations: Tensor
    values: Tensor

    def curves(self) -> clips.Curves:
        """As they are written."""
        return clips.Curves(self.rotations.numpy(), self.locations.numpy(), self.values[..., 0].numpy())


def loop(folder: Path, settings: protocol.Loop) -> Generator[Update, bool | None, Outcome]:
    """Make the clip a cycle; writes result/clip.npz. Raises JobError."""
    data = clips.read_clip(folder)
    wanted = clips.Curves(data.rotation_wanted, data.location_wanted, data.value_wanted)
    rows = len(data.rotations)
    if rows < SHORTEST:
        raise JobError(f"A cycle needs at least {SHORTEST} frames; choose a longer range.")
    if not any(w.any() for w in wanted):
        raise JobError("There is nothing to loop: select bones or channels that are animated.")
    yield Update(0.0, "Closing the cycle")
    given = Moves(*(torch.from_numpy(x) for x in (data.rotations, data.locations, data.values[..., None])))
    way = find_way(data, settings.keep_root)
    open_ = given if settings.keep_root else in_place(given, find_way(data, True), data)
    closed = close(open_, way, wanted, min(settings.blend, (rows - 1) // 2))
    yield Update(0.5, "Playing it again")
    plain = made = repeat(closed, way, wanted, settings.repeats)
    if settings.repeats and settings.variation > 0:
        made = vary(made, rows, data.clip.fps, settings, wanted)
    plain = Moves(*(torch.cat([old, new[rows:]]) for old, new in zip(given, plain, strict=True)))
    filled = clips.Curves(*(np.broadcast_to(w, (len(made.rotations), len(w))) for w in wanted))
    clips.write_result(folder, data.clip.frame_start, made.curves(), plain.curves(), filled)
    figures = {f"{name}_before": x for name, x in seam(open_, way, wanted, data.clip.fps).items()}
    figures |= {f"{name}_after": x for name, x in seam(closed, way, wanted, data.clip.fps).items()}
    notes = [TURNS.format(abs(math.degrees(way.turned)))] if way.turned else []
    return Outcome([clips.RESULT], notes, figures)


TURNS = (
    "The rig turns by {:.0f} degrees in a cycle, which Blender's Cycles modifier cannot go on with; ask for repeats "
    "instead, or do not keep the root's motion."
)


# --- the way a cycle covers ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """From the first frame of a cycle to the last: a turn about the up axis through `start` (3,), then a move (3,).

    roots (J,) bool: the joints that go it; places (J, 3): where locations of zero are.
    """

    turned: float
    up: Tensor
    start: Tensor
    move: Tensor
    roots: Tensor
    places: Tensor

    def turn(self, share: float | Tensor) -> Tensor:
        """The turn, or a share (T,) of it, as quaternions (J, 4) or (T, J, 4); the identity where a joint stays."""
        angles = torch.as_tensor(share * self.turned, dtype=torch.float32)[..., None, None] * self.up
        return quat.exp(angles * self.roots[:, None])

    def place(self, locations: Tensor, share: float | Tensor) -> Tensor:
        """Locations (…, J, 3) carried along the way, or a share of it."""
        turn, share = self.turn(share), torch.as_tensor(share, dtype=torch.float32)[..., None, None]
        at = self.places + locations - self.start
        gone = quat.rotate(turn, at) + self.start + share * self.move - self.places
        return torch.where(self.roots[:, None], gone, locations)


def find_way(data: clips.Motion, travels: bool) -> Way:
    """The way of the clip's cycle; that of one that stays in place unless it `travels`."""
    axis = torch.tensor([0.0, 0.0, 1.0] if data.clip.up == "Z" else [0.0, 1.0, 0.0])
    moved = torch.from_numpy(data.locations[-1] - data.locations[0]) * (1.0 - axis)
    top = torch.tensor([parent < 0 for parent in data.clip.parents], dtype=torch.bool)
    able = top & torch.from_numpy(data.location_wanted) & (moved.norm(dim=-1) > 0)
    places = torch.from_numpy(data.offsets)
    if not travels or not bool(able.any()):
        return Way(0.0, axis, torch.zeros(3), torch.zeros(3), torch.zeros(len(top), dtype=torch.bool), places)
    body = int(able.nonzero()[0])
    move = moved[body]
    roots = able & (moved @ move >= WITH_BODY * move.square().sum())
    first, last = torch.from_numpy(data.rotations[[0, -1], body])
    turned = _heading(quat.multiply(last, quat.conjugate(first)), axis) if data.rotation_wanted[body] else 0.0
    at, third = torch.from_numpy(data.locations[:, body]) * (1.0 - axis), len(data.locations) // 3
    bent = _angle(at[third] - at[0], at[-1] - at[-1 - third], axis)
    if abs(turned) < TURNING or not 0.5 < bent / turned < 2.0:  # it does not go where it turns to
        turned = 0.0
    return Way(turned, axis, places[body] + torch.from_numpy(data.locations[0, body]), move, roots, places)


def _heading(turn: Tensor, axis: Tensor) -> float:
    """The part of a turn that goes about an axis, radians."""
    angle = float(2.0 * torch.atan2((turn[1:] * axis).sum(), turn[0]))
    return (angle + math.pi) % math.tau - math.pi


def _angle(a: Tensor, b: Tensor, axis: Tensor) -> float:
    """From one direction to another about an axis, radians."""
    return float(torch.atan2((torch.linalg.cross(a, b) * axis).sum(), (a * b).sum()))


def in_place(moves: Moves, way: Way, data: clips.Motion) -> Moves:
    """The motion without its way, which is taken back evenly."""
    share = torch.linspace(0.0, 1.0, len(moves.rotations))
    back = quat.conjugate(way.turn(share))
    rotations = torch.where(way.roots[:, None], quat.multiply(back, moves.rotations), moves.rotations)
    at = way.places + moves.locations - way.start - share[:, None, None] * way.move
    placed = quat.rotate(back, at) + way.start - way.places
    return Moves(rotations, torch.where(way.roots[:, None], placed, moves.locations), moves.values)


# --- closing ---------------------------------------------------------------------------------------------------------


def close(moves: Moves, way: Way, wanted: clips.Curves, blend: int) -> Moves:
    """The cycle closed in pose, then in velocity: what differs is shared by the last and the first `blend` frames."""
    turn, free = way.turn(1.0), [torch.from_numpy(w)[:, None] for w in wanted]
    rotations, locations, values = moves
    rise, bend = ramps(len(rotations), blend)
    away = baseline.turn_between(rotations[-1], quat.multiply(turn, rotations[0])) * free[0]
    rotations = quat.multiply(rotations, quat.exp(0.5 * rise * away))
    first, last = _spins(rotations)
    spin = 0.5 * (last - first) * free[0]
    rotations = quat.normalize(quat.multiply(rotations, quat.exp(bend * spin)))

    def vectors(x: Tensor, end: Tensor, spun: Tensor | None, may: Tensor) -> Tensor:
        """x closed so that its last row is where `end` puts the first; spun: how velocities turn in a cycle."""
        away = (end - x[-1]) * may
        half = torch.where(rise < 0, _back(spun, away), away) * rise * 0.5
        x = x + half
        (first, last) = _speeds(x)
        push = 0.5 * (last - (first if spun is None else quat.rotate(spun, first))) * may
        return x + bend * torch.where(rise < 0, _back(spun, push), push)

    return Moves(
        torch.where(free[0], rotations, moves.rotations),
        vectors(locations, way.place(locations[0], 1.0), turn, free[1]),
        vectors(values, values[0], None, free[2]),
    )


def _back(spun: Tensor | None, x: Tensor) -> Tensor:
    return x if spun is None else quat.rotate(quat.conjugate(spun), x)


def ramps(rows: int, blend: int) -> tuple[Tensor, Tensor]:
    """(T, 1, 1) each: from 0 to 1 over the last `blend` rows, from -1 to 0 over the first; and curves that are 0 at the
    seam and have there the slope 1 at the first row, -1 at the last."""
    u = torch.linspace(0.0, 1.0, blend + 1)
    rise, bend = torch.zeros(rows), torch.zeros(rows)
    step, slope = u * u * (3.0 - 2.0 * u), blend * u * u * (1.0 - u)
    rise[-blend - 1 :], bend[-blend - 1 :] = step, slope
    rise[: blend + 1], bend[: blend + 1] = -step.flip(0), slope.flip(0)
    return rise[:, None, None], bend[:, None, None]


def _speeds(x: Tensor) -> tuple[Tensor, Tensor]:
    """Velocities a frame at the first and at the last row of (T, J, C), from three rows each."""
    return 0.5 * (4.0 * x[1] - 3.0 * x[0] - x[2]), 0.5 * (3.0 * x[-1] - 4.0 * x[-2] + x[-3])


def _spins(q: Tensor) -> tuple[Tensor, Tensor]:
    """The same of rotations (T, J, 4), in each joint's own axes."""
    ahead, further = (baseline.turn_between(q[0], q[i]) for i in (1, 2))
    behind, before = (baseline.turn_between(q[-1], q[i]) for i in (-2, -3))
    return 0.5 * (4.0 * ahead - further), -0.5 * (4.0 * behind - before)


def seam(moves: Moves, way: Way, wanted: clips.Curves, fps: float) -> dict[str, float]:
    """How far the last frame is from the first, the cycle's way taken off: the worst joint's degrees, degrees a second,
    and units of location."""
    rotations, locations, _ = moves
    away = baseline.turn_between(rotations[-1], quat.multiply(way.turn(1.0), rotations[0]))
    first, last = _spins(rotations)
    place = way.place(locations[0], 1.0) - locations[-1]
    turns, places = torch.from_numpy(wanted.rotations), torch.from_numpy(wanted.locations)

    def worst(x: Tensor, of: Tensor) -> float:
        return float((x.norm(dim=-1) * of).max()) if len(of) else 0.0

    return {
        "pose_gap": math.degrees(worst(away, turns)),
        "velocity_gap": math.degrees(worst(last - first, turns)) * fps,
        "location_gap": worst(place, places),
    }


# --- playing it again ------------------------------------------------------------------------------------------------


def repeat(moves: Moves, way: Way, wanted: clips.Curves, repeats: int) -> Moves:
    """The cycle, and then `repeats` more, each going its way from where the one before ended."""
    rows = [moves]
    for _ in range(repeats):
        last = rows[-1]
        turned = quat.multiply(way.turn(1.0).expand(last.rotations.shape), last.rotations)
        rows.append(
            Moves(torch.where(way.roots[:, None], turned, last.rotations), way.place(last.locations, 1.0), last.values)
        )
    parts = [Moves(*(x[1:] for x in part)) if i else part for i, part in enumerate(rows)]
    made = Moves(*(torch.cat(x) for x in zip(*parts, strict=True)))
    free = [torch.from_numpy(w)[:, None] for w in wanted]  # what is not wanted stays as it ends
    still = (
        torch.cat([old, old[-1:].expand(len(new) - len(old), -1, -1)]) for old, new in zip(moves, made, strict=True)
    )
    return Moves(*(torch.where(f, new, old) for f, new, old in zip(free, made, still, strict=True)))


def vary(made: Moves, rows: int, fps: float, settings: protocol.Loop, wanted: clips.Curves) -> Moves:
    """Another take of what is played after the first cycle; it begins and ends as the cycle does."""
    out = []
    for x, w, change in zip(made, wanted, (variation.vary_rotations, variation.vary, variation.vary), strict=True):
        keys = torch.ones(x.shape[:2], dtype=torch.bool)
        keys[rows:-1, torch.from_numpy(w)] = False
        held = torch.zeros_like(keys)
        out.append(change(x, x, baseline.gaps(keys), held, fps, settings.variation, settings.seed))
    return Moves(*out)
