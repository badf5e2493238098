"""Motion without the engine, in numpy, on the same job folder. In-betweens and extrapolation: the curves that the engine falls
back to; keys keep their values and their velocity, and after the last key the motion comes to rest. Loop and Clean: what the
engine does, by plain_loop.py and plain_clean.py. Knows no Blender."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from . import job_folder, quat
from .plain_clean import clean
from .plain_loop import loop
from .protocol import Clean, Extrapolate, Finished, Inbetween, JobError, Loop

REST = 0.1  # seconds in which a coasting velocity falls to a third
CAPTURED, SPARSE, SLOW_END, STEEPEST, ROUNDS = 2.0, 4.0, 0.5, 3.0, 6  # of eased curves, as the engine has them
NOTE = "The plain curves were used, for no engine is installed; install it to have the motion acted."
WHOLE_NOTE = "This was made without the engine; install it for cycles that differ and for motion that a network acts."
KINDS = ("rotation", "location", "value")
Tracks = Mapping[str, np.ndarray]  # by kind; values with a last dimension of one
Difference = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Gaps:
    """For each frame and column the keys around it, all (T, J): their frames, and the share of the gap gone by. before,
    after: the last key at or before, the first at or after. earlier, later: the keys beyond these, or the same."""

    before: np.ndarray
    after: np.ndarray
    earlier: np.ndarray
    later: np.ndarray
    u: np.ndarray


def gaps(keys: np.ndarray) -> Gaps:
    """Of the mask (T, J). A column without keys counts as keyed everywhere."""
    keys = keys | ~keys.any(0)
    last = len(keys)
    frames = np.broadcast_to(np.arange(last)[:, None], keys.shape)
    before = np.maximum.accumulate(np.where(keys, frames, -1), 0)
    after = np.minimum.accumulate(np.where(keys, frames, last)[::-1], 0)[::-1]
    before, after = np.where(before < 0, after, before), np.where(after >= last, before, after)
    earlier = np.take_along_axis(np.concatenate([before[:1], before[:-1]]), before, 0)
    later = np.take_along_axis(np.concatenate([after[1:], after[-1:]]), after, 0)
    u = np.where(after > before, (frames - before) / np.maximum(after - before, 1), 0).astype(np.float32)
    return Gaps(before, after, earlier, later, u)


def pick(x: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """x (T, J, C) at each column's own frames (T, J)."""
    return np.take_along_axis(x, frames[..., None], 0)


def speeds(x: np.ndarray, gap: Gaps, difference: Difference) -> np.ndarray:
    """The velocity at each key of x, to be read at keys alone: along the mean direction of the ways before and after it, for
    square to that it turns back; as a cubic spline's, but no faster than STEEPEST."""
    frames = np.arange(len(x))[:, None]
    since, until = (frames - gap.earlier)[..., None], (gap.later - frames)[..., None]
    before, after = 1.0 / np.maximum(since, 1), 1.0 / np.maximum(until, 1)
    come, go = difference(pick(x, gap.earlier), x) * before, difference(x, pick(x, gap.later)) * after
    fast = [np.linalg.norm(v, axis=-1, keepdims=True) for v in (come, go)]
    mean = 0.5 * (come / np.maximum(fast[0], 1e-9) + go / np.maximum(fast[1], 1e-9))
    straight = np.linalg.norm(
        mean, axis=-1, keepdims=True
    )  # 1 where the motion goes straight on, 0 where it turns back
    along, top = mean / np.maximum(straight, 1e-9), STEEPEST * np.minimum(*fast) * straight
    inner = (since > 0) & (until > 0)
    lone = SLOW_END * np.where(since > 0, come, go)
    found = np.where(inner, along * np.minimum(0.5 * (fast[0] + fast[1]) * straight, top), lone)
    for _ in range(ROUNDS):
        sooner, later = pick(found, gap.earlier), pick(found, gap.later)
        even = (3.0 * (come * before + go * after) - sooner * before - later * after) / (2.0 * (before + after))
        size = np.maximum((even * along).sum(-1, keepdims=True), 0.0)
        found = np.where(inner, along * np.minimum(size, top), lone)
    return found


def eased(x: np.ndarray, gap: Gaps, difference: Difference) -> np.ndarray:
    """What to add to the straight interpolation of x (T, J, C) so that it goes as an artist's curves do: at rest where the
    motion turns back or holds, else evenly accelerated. Where keys are as close as captured frames they tell the velocity."""
    start, end = pick(x, gap.before), pick(x, gap.after)
    span, u = np.maximum(gap.after - gap.before, 1)[..., None], gap.u[..., None]
    since, until = (gap.before - gap.earlier)[..., None], (gap.later - gap.after)[..., None]
    secant, at_keys = difference(start, end) / span, speeds(x, gap, difference)
    captured = (since + until > 0) & (since <= CAPTURED) & (until <= CAPTURED)

    def bend(beyond: np.ndarray, far: np.ndarray, own: np.ndarray) -> np.ndarray:
        given = (beyond / np.maximum(far, 1) - secant) * (far > 0) * span / (far + span)
        artist = np.where(far > 0, ((far - CAPTURED) / (SPARSE - CAPTURED)).clip(0.0, 1.0), ~captured)
        return (start != end).any(-1, keepdims=True) * span * (given + artist * (own - secant - given))

    first = bend(difference(pick(x, gap.earlier), start), since, pick(at_keys, gap.before))
    second = bend(difference(end, pick(x, gap.later)), until, pick(at_keys, gap.after))
    return u * (1 - u) ** 2 * first + u**2 * (u - 1) * second


def smooth(x: np.ndarray, gap: Gaps) -> np.ndarray:
    """Vectors (T, J, C) kept at their keys, with an artist's continuous velocity through them."""
    a, b, u = pick(x, gap.before), pick(x, gap.after), gap.u[..., None]
    between = a + u * (b - a) + eased(x, gap, lambda p, q: q - p)
    return np.where(u > 0, between, a).astype(np.float32)


def smooth_rotations(rotations: np.ndarray, gap: Gaps) -> np.ndarray:
    """Rotations (T, J, 4) kept at their keys, with an artist's continuous velocity through them."""
    a, b, u = pick(rotations, gap.before), pick(rotations, gap.after), gap.u[..., None]
    turn = quat.exp(u * quat.between(a, b))
    between = quat.multiply(quat.multiply(a, turn), quat.exp(eased(rotations, gap, quat.between)))
    return np.where(u > 0, between, a).astype(np.float32)


def inbetween(folder: Path) -> Finished:
    """Fill the frames between keys; writes result/clip.npz as the engine would. Raises JobError."""
    clip, data = job_folder.read_clip(folder), _read(folder)
    x = {"rotation": data["rotations"], "location": data["locations"], "value": data["values"][..., None]}
    made: dict[str, np.ndarray] = {}
    filled: dict[str, np.ndarray] = {}
    for name, values in x.items():
        keys = data[f"{name}_keys"]
        gap = gaps(keys | ~(data[f"{name}_wanted"] & (keys.sum(0) > 1)))
        made[name] = smooth_rotations(values, gap) if name == "rotation" else smooth(values, gap)
        filled[name] = gap.u > 0
    if not any(mask.any() for mask in filled.values()):
        raise JobError(
            "There is nothing to fill: set two keys with frames between them on the selected bones or channels."
        )
    return _write(folder, clip.frame_start, made, filled)


def extrapolate(folder: Path, frames: int, path: int = 0) -> Finished:
    """Let the motion coast to rest after the last frame, or after the one before the last `path`, which say where a root goes;
    writes result/clip.npz as the engine would. Raises JobError."""
    clip, data = job_folder.read_clip(folder), _read(folder)
    way = {name: (data[f"{name}s"][-path:], data[f"{name}_keys"][-path:]) for name in ("rotation", "location")}
    if not any(data[f"{name}_wanted"].any() for name in ("rotation", "location", "value")):
        raise JobError("There is nothing to play on: select bones or channels that are animated.")
    rest = REST * clip.fps
    covered = (rest * (1 - np.exp(-np.arange(1, frames + 1) / rest)))[:, None, None].astype(np.float32)
    made: dict[str, np.ndarray] = {}
    filled: dict[str, np.ndarray] = {}
    for name in ("rotation", "location", "value"):
        x, free = data[f"{name}s"][: -path or None], data[f"{name}_wanted"]
        if name != "value":
            free = free & (x != x[:1]).any(-1).any(0)
        x = x[..., None] if name == "value" else x
        last, before = x[-1], x[-min(2, len(x))]
        if name == "rotation":
            made[name] = quat.multiply(last[None], quat.exp(quat.between(before, last) * covered * free[:, None]))
        else:
            made[name] = last + (last - before) * covered * free[:, None]
        if name == "value":  # one that has turned back before stays where it has been
            steps = np.diff(x, axis=0)
            back = (steps > 0).any(0) & (steps < 0).any(0)
            made[name] = np.where(back, made[name].clip(x.min(0), x.max(0)), made[name])
        filled[name] = np.broadcast_to(free, (frames, len(free)))
        if path and name != "value":
            _go(made[name], *way[name])
    return _write(folder, clip.frame_end - path + 1, made, filled)


def _go(made: np.ndarray, given: np.ndarray, known: np.ndarray) -> None:
    """Put what is given of the first frames (P, J, ·) into those that were made, where it is known in all of them; what comes
    after goes on from there. Changes made in place."""
    n = min(len(made), len(given))
    for j in np.flatnonzero(known.all(0)):
        if made.shape[-1] == 4:
            turn = quat.multiply(given[n - 1, j], made[n - 1, j] * quat.CONJUGATE)
            made[n:, j] = quat.multiply(np.broadcast_to(turn, made[n:, j].shape), made[n:, j])
        else:
            made[n:, j] += given[n - 1, j] - made[n - 1, j]
        made[:n, j] = given[:n, j]


def make_loop(folder: Path, settings: Loop) -> Finished:
    """Make the clip a cycle; writes result/clip.npz as the engine would. Raises JobError."""
    clip, data = job_folder.read_clip(folder), _read(folder)
    moves, notes = loop(clip, data, settings)
    made = dict(zip(KINDS, moves, strict=True))
    filled = {name: np.broadcast_to(data[f"{name}_wanted"], x.shape[:2]) for name, x in made.items()}
    given = {"rotation": data["rotations"], "location": data["locations"], "value": data["values"][..., None]}
    plain = {name: np.concatenate([x, made[name][len(x) :]]) for name, x in given.items()}
    return _write(folder, clip.frame_start, made, filled, plain, [WHOLE_NOTE, *notes])


def make_clean(folder: Path, settings: Clean) -> Finished:
    """Take jitter out of the clip and hold its feet; writes result/clip.npz as the engine would. Raises JobError."""
    clip, data = job_folder.read_clip(folder), _read(folder)
    made, filled, notes = clean(clip, data, settings)
    given = {"rotation": data["rotations"], "location": data["locations"], "value": data["values"][..., None]}
    return _write(folder, clip.frame_start, made, filled, given, [WHOLE_NOTE, *notes])


def run(folder: Path) -> Finished:
    """The job in `folder`, as far as it can be done without the engine. Raises JobError."""
    settings = job_folder.read_job(folder).settings
    if isinstance(settings, Inbetween):
        return inbetween(folder)
    if isinstance(settings, Extrapolate) and not settings.towards_target:
        return extrapolate(folder, settings.frames, settings.path)
    if isinstance(settings, Loop):
        return make_loop(folder, settings)
    if isinstance(settings, Clean):
        return make_clean(folder, settings)
    raise JobError("This needs the engine: press Install Engine in the Understudy panel.")


def _read(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "clip.npz", allow_pickle=False) as data:
        return {name: data[name] for name in data.files}


def _write(
    folder: Path, start: int, made: Tracks, filled: Tracks, plain: Tracks | None = None, notes: Sequence[str] = (NOTE,)
) -> Finished:
    arrays = _named(made) | {f"plain_{name}": x for name, x in _named(plain or made).items()}
    arrays |= {f"{name}_filled": np.ascontiguousarray(mask) for name, mask in filled.items()}
    path = folder / "result" / "clip.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            np.savez_compressed(file, frame_start=np.int64(start), **arrays)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return Finished(
        "", ["result/clip.npz"], list(notes), {"filled": float(sum(mask.sum() for mask in filled.values()))}
    )


def _named(tracks: Tracks) -> dict[str, Any]:
    """As protocol.RESULT_ARRAYS has them."""
    values = {f"{name}s": np.ascontiguousarray(x, np.float32) for name, x in tracks.items()}
    return values | {"values": values["values"][..., 0]}
