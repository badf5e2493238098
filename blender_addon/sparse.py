"""Which of many frames become keys: few, so that the curves between them stay within a stated bound of every frame.

Prepares tracks for decimate.py, which sees many of them at once because that is quicker, and deals what it finds out
again. Reads F-curves and writes none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from . import decimate
from .curves import BEZIER, NEAR, Track, key_constant

CONSTANT = key_constant("interpolation", "CONSTANT")
FREE, ALIGNED = key_constant("handle_left_type", "FREE"), key_constant("handle_left_type", "ALIGNED")
ROWS = 16_384  # seen at once
LONG = 12  # frames of a gap in which two keys more do not matter


@dataclass(frozen=True)
class Keying:
    """How many keys are made. every_frame: one a frame. Otherwise few, so that at every frame the curves are within so
    many degrees (rotations), bone lengths (locations) or parts of the range (other numbers) of what the engine made."""

    every_frame: bool = False
    degrees: float = 0.5
    lengths: float = 0.02
    parts: float = 0.01


class Filled(NamedTuple):
    """A track's channels over T frames: values (T, curves), made (T,): which rows the engine made, broken (T,): rows
    that cannot be joined to the next one, as where a quaternion's sign changes."""

    frames: range
    values: np.ndarray
    made: np.ndarray
    broken: np.ndarray


class Found(NamedTuple):
    """rows (K,) that become keys, their handles seen from them, (K, curves, 2)."""

    rows: np.ndarray
    left: np.ndarray
    right: np.ndarray


@dataclass(eq=False)
class Dense:
    """A track at every frame, to be thinned out. rows: which of its rows (T,) each curve may be keyed in. size: of the
    bone, for the bound."""

    track: Track
    filled: Filled
    rows: list[np.ndarray]
    keying: Keying
    size: float
    fixed: np.ndarray = field(init=False)
    handles: list[np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        """Read the artist's keys: call it when the generated ones that are to be replaced are gone."""
        self.fixed, self.handles = _given(self.track, self.filled)
        if self.track.kind == "rotation":
            self._fix_beside()

    def _fix_beside(self) -> None:
        """Fix the rows beside the artist's keys in long gaps where their handles turn with their neighbours: the network's
        rotations were seen to miss their bound there nearly always, and finding that out takes as long again."""
        for a, b in pairwise([*np.flatnonzero(self.fixed).tolist(), len(self.fixed)]):
            gap = self.filled.values[a : b + 1]
            if b - a >= LONG and (_error(self.measure)(gap, np.broadcast_to(gap[0], gap.shape)) > self.bound).any():
                self.fixed[a + 1] |= bool(np.isnan(self.handles[1][a]).any())
                self.fixed[b - 1] |= b < len(self.fixed) and bool(np.isnan(self.handles[0][b]).any())

    @property
    def measure(self) -> str:
        """What is measured: a rotation mode for degrees, "" for distances."""
        return self.track.mode if self.track.kind == "rotation" else ""

    @property
    def bound(self) -> float:
        """How far keys may be off, in what is measured."""
        if self.track.kind == "rotation":
            return self.keying.degrees
        if self.track.kind == "location":
            return max(self.keying.lengths * self.size, 1e-6)
        if "rotation" in self.track.curves[0].path:
            return math.radians(self.keying.degrees)
        return max(self.keying.parts * float(np.ptp(self.filled.values)), 1e-6)

    def pieces(self) -> Iterator[slice]:
        """From before the first row to be keyed to after the last, in one piece where nothing breaks it."""
        low, high = np.flatnonzero(np.any(self.rows, 0))[[0, -1]].tolist()
        broken = (np.flatnonzero(self.filled.broken[low:high]) + low + 1).tolist()
        for start, stop in pairwise([max(low - 1, 0), *broken, min(high + 2, len(self.fixed))]):
            yield slice(start, stop)

    def missed(self) -> bool:
        """Whether the F-curves, now that they have their keys, are out of bounds anywhere; if so, more rows are fixed.

        The artist's keys are the reason: their handles turn with their neighbours, so beside one a curve may go another
        way. Then rows next to it become keys, and where that is not enough, all that are out of bounds.
        """
        now = self.track.sample(self.filled.frames)
        off = np.any(self.rows, 0) & (_error(self.measure)(now, self.filled.values) > self.bound)
        own = np.array([frame - self.filled.frames.start for frame in self.track.frames()])
        more = np.zeros(len(off), bool)
        for row in np.flatnonzero(off).tolist():
            at = int(np.searchsorted(own, row))
            more[min(own[at - 1] + 1, row) if at else row] = True
            more[max(own[at] - 1, row) if at < len(own) else row] = True
        if not (more & ~self.fixed).any():
            more |= off
        more &= ~self.fixed
        self.fixed |= more
        return bool(more.any())


def _given(track: Track, filled: Filled) -> tuple[np.ndarray, list[np.ndarray]]:
    """Rows that are keys in any case, (T,): the artist's, and those after keys from which no Bézier curve leads on. And
    the left and right handles of the artist's keys that stay as they are whatever comes beside them, (T, curves, 2)
    each; NaN where Blender lays them by the neighbours, or where there are none."""
    frames, start, count = track.frames(), filled.frames.start, len(filled.frames)
    sides = [np.full((*filled.values.shape, 2), np.nan) for _ in range(2)]
    for i, curve in enumerate(track.curves):
        own = curve.own_keys("interpolation", "handle_left_type", "handle_right_type")
        if not len(curve.keys):
            continue
        frames += [math.floor(frame + NEAR) + 1 for frame in curve.keys[own["interpolation"] != BEZIER]]
        rows = np.rint(curve.keys).astype(int) - start
        fits = (np.abs(curve.keys - np.rint(curve.keys)) < NEAR) & (rows >= 0) & (rows < count)
        for side, name in zip(sides, ("handle_left", "handle_right"), strict=True):
            kept = fits & ((own[f"{name}_type"] == FREE) | (own[f"{name}_type"] == ALIGNED))
            if kept.any():
                at = curve.own_keys(name, "co", width=2)
                side[rows[kept], i] = (at[name] - at["co"])[kept]
    fixed = np.zeros(count, bool)
    fixed[[frame - start for frame in frames if frame in filled.frames]] = True
    return fixed, sides


def _error(measure: str) -> decimate.Error:
    return decimate.degrees(measure) if measure else decimate.distance


def few(tracks: Sequence[Dense]) -> list[Found]:
    """The keys of each track."""
    found: dict[Dense, list[Found]] = {track: [] for track in tracks}
    kinds: dict[tuple[str, int, float], list[tuple[Dense, slice]]] = {}
    for track in tracks:
        bound = track.bound if track.measure else 1.0
        kind = kinds.setdefault((track.measure, len(track.rows), bound), [])
        kind += [(track, piece) for piece in track.pieces()]
    for (measure, _, bound), pieces in kinds.items():
        for part in _parts(pieces):
            for (track, piece), keys in zip(part, _thin(part, measure, bound), strict=True):
                found[track].append(Found(keys.rows + piece.start, keys.left, keys.right))
    return [Found(*(np.concatenate(parts) for parts in zip(*found[track], strict=True))) for track in tracks]


def _parts(pieces: list[tuple[Dense, slice]]) -> Iterator[list[tuple[Dense, slice]]]:
    """Lists of pieces that together have about ROWS rows."""
    part: list[tuple[Dense, slice]] = []
    for item in pieces:
        part.append(item)
        if sum(piece.stop - piece.start for _, piece in part) > ROWS:
            yield part
            part = []
    if part:
        yield part


def _thin(pieces: list[tuple[Dense, slice]], measure: str, bound: float) -> list[Found]:
    """Thin all pieces as one long curve, each with a row more at both ends that leads on straight, so that none sees the
    next. Where no rotation is measured, each is in units of its own bound."""
    scales = [1.0 if measure else track.bound for track, _ in pieces]
    parts: list[list[np.ndarray]] = [[], [], [], []]
    values, fixed, left, right = parts
    for (track, piece), scale in zip(pieces, scales, strict=True):
        curve = track.filled.values[piece] / scale
        ends = (2 * curve[:1] - curve[1:2], 2 * curve[-1:] - curve[-2:-1]) if len(curve) > 1 else (curve, curve)
        values.append(np.concatenate([ends[0], curve, ends[1]]))
        kept = np.pad(track.fixed[piece], 1, constant_values=True)
        kept[[1, -2]] = True
        fixed.append(kept)
        for side, given in zip((left, right), track.handles, strict=True):
            side.append(np.pad(given[piece] / [1.0, scale], ((1, 1), (0, 0), (0, 0)), constant_values=np.nan))
    curves, kept_rows, *sides = (np.concatenate(part) for part in parts)
    keys = decimate.decimate(curves, kept_rows, bound, _error(measure), *sides)
    out, start = [], 0
    for curve, scale in zip(values, scales, strict=True):
        mine = slice(*np.searchsorted(keys.rows, [start + 1, start + len(curve) - 1]).tolist())
        handles = (side[mine] * [1.0, scale] for side in (keys.left, keys.right))
        out.append(Found(keys.rows[mine] - start - 1, *handles))
        start += len(curve)
    return out
