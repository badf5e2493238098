"""result/clip.npz → keys of type Generated on the F-curves that are there, between and after the artist's own; and
their removal. The artist's keys are never written.

Knows arrays and F-curves, no operator and no engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import bpy
import numpy as np
from mathutils import Quaternion

from . import quat
from .curves import (
    BEZIER,
    GENERATED,
    NEAR,
    Curve,
    Track,
    fcurves_of,
    find_object,
    generated_keys,
    key_points,
    split_path,
)
from .motion import Plan, make_plan
from .protocol import JobError
from .rig import Joint, channels_of, rotation_of
from .sparse import ALIGNED, CONSTANT, Dense, Filled, Found, Keying, few
from .steps import Step, beside
from .takes import Arrays, Take, column
from .words import n_

WRITING = n_("Writing the keys")
Gap = tuple[float, float, float]


# --- arrays to channels --------------------------------------------------------------------------------------------------


def fill(track: Track, plan: Plan, result: Arrays, column: int, first: int) -> Filled:
    """The track over the clip and what follows it: as the action has it but for what the engine made. first: the frame of the
    result's first row."""
    frames = range(plan.frame_start, plan.frame_end + plan.play_on + 1 + plan.towards_target)
    shift = first - plan.frame_start
    rows = np.flatnonzero(result[f"{track.kind}_filled"][:, column])
    rows = rows[(rows + shift >= (not plan.whole)) & (rows + shift < len(frames) - plan.towards_target)]
    filled = Filled(
        frames,
        np.zeros((len(frames), len(track.curves))),
        np.zeros(len(frames), bool),
        np.zeros(len(frames), bool),
    )
    filled.made[rows + shift] = True
    known = np.flatnonzero(~filled.made | (np.arange(len(frames)) == 0))
    filled.values[known] = track.sample((known + frames.start).tolist())
    numbers = result[f"{track.kind}s"][rows, column]
    if track.kind == "rotation":
        _turn(plan.rig.joints[track.joint], filled, numbers)
    elif track.kind == "location":
        filled.values[rows + shift] = numbers @ np.array(
            plan.rig.joints[track.joint].axes
        )  # its transpose is its inverse
    else:
        filled.values[rows + shift, 0] = numbers
    return filled


def _turn(joint: Joint, filled: Filled, rotations: np.ndarray) -> None:
    """Rotations (made, 4) as channels of the joint's mode, with the signs and turns nearest to the frame before."""
    values, mode, rest = filled.values, joint.mode, np.array(joint.rest)
    made = np.flatnonzero(filled.made)
    basis = quat.multiply(quat.multiply(rest * quat.CONJUGATE, rotations.astype(np.float64)), rest)
    basis /= np.maximum(np.linalg.norm(basis, axis=-1, keepdims=True), 1e-12)
    if mode == "QUATERNION":
        _with_signs(filled, basis)
    else:
        for row, rotation in zip(made.tolist(), basis.tolist(), strict=True):
            values[row] = channels_of(Quaternion(rotation), mode, values[max(row - 1, 0)].tolist())
    for row in made[~np.append(filled.made, True)[made + 1]].tolist():
        after = values[row + 1].tolist()
        joined = channels_of(rotation_of(after, mode), mode, values[row].tolist())
        filled.broken[row] = max(abs(x - y) for x, y in zip(joined, after, strict=True)) > 0.1


def _with_signs(filled: Filled, basis: np.ndarray) -> None:
    """Put in quaternions (made, 4), each with the sign that lies nearest to the row before."""
    values, made = filled.values, filled.made
    first = values[:1].copy()
    values[made] = basis
    flips = np.where((values * np.concatenate([first, values[:-1]])).sum(1) < 0, -1.0, 1.0)
    signs = np.cumprod(np.where(made, flips, 1.0))
    known = np.maximum.accumulate(np.where(made, -1, np.arange(len(made))))  # the last row before that is given
    signs *= np.where(known < 0, 1.0, signs[known])
    values[made] *= signs[made, None]


# --- keys ------------------------------------------------------------------------------------------------------------


def key_steps(take: Take, amount: float, keying: Keying) -> Generator[Step, None, int]:
    """Key what a take has made, by so much of it, a track at a time: the number of keys. Raises JobError.

    The object is read again, because the artist may have worked on: a key that is there by now is never written.
    """
    plan, result, tracks = make_plan(take.params), take.at(amount), []
    for done, (track, span) in enumerate(plan.spans.items()):
        if (at := column(track, take.clip)) >= 0:
            filled = fill(track, plan, result, at, take.first)
            gaps = [list(_gaps(curve, span, plan.play_on)) if curve.free else [] for curve in track.curves]
            alike = {gap: _rows(filled, list(gap)) for gap in set(map(tuple, gaps))}
            rows = [alike[tuple(gap)] for gap in gaps]
            if any(row.any() for row in rows):
                _keep_others(track, filled, rows)
                _clear(track, filled, gaps)
                tracks.append((gaps, Dense(track, filled, rows, keying, plan.rig.joints[track.joint].size)))
        yield 0.4 * done / len(plan.spans), WRITING
    if not tracks:
        raise JobError("No key was made: the artist's keys leave no room any more; undo, or select others.")
    cleared = {dense: gaps for gaps, dense in tracks}
    return (yield from put_steps(list(cleared), True, lambda dense: _clear(dense.track, dense.filled, cleared[dense])))


def put_steps(tracks: list[Dense], generated: bool, clear: Callable[[Dense], None]) -> Generator[Step, None, int]:
    """Write the keys of all tracks: their number. clear: takes those of a track away again, where they missed their bound."""
    count, most = 0, max(len(tracks), 1)
    with ThreadPoolExecutor(1) as worker:
        while tracks:
            done = 1 - 0.6 * len(tracks) / most
            every = tracks[0].keying.every_frame
            found = (
                [None] * len(tracks) if every else (yield from beside(worker, (done, WRITING), partial(few, tracks)))
            )
            again: list[Dense] = []
            for dense, keys in zip(tracks, found, strict=True):
                made = put_keys(dense, keys, generated)
                if not every and dense.missed():
                    clear(dense)
                    again.append(dense)
                else:
                    count += made
                yield done, WRITING
            tracks = again
    return count


def _gaps(curve: Curve, span: tuple[int, int], play_on: int) -> Iterator[Gap]:
    """Where keys may be made: after the artist's key at the first number and before the second; generated keys up to
    the third are replaced by them."""
    lo, hi = span
    if not play_on:
        yield from ((a, b, b) for a, b in pairwise(curve.keys) if a > lo - NEAR and b < hi + NEAR)
    elif len(before := curve.keys[curve.keys < lo + NEAR]):
        yield before[-1], hi, min([*curve.keys[len(before) :], np.inf])


def _rows(filled: Filled, gaps: list[Gap]) -> np.ndarray:
    """Rows of the gaps in which the engine made something, (T,) bool."""
    start, count, rows = filled.frames.start, len(filled.frames), np.zeros(len(filled.frames), bool)
    for after, before, _ in gaps:
        low, high = math.floor(after + NEAR) + 1 - start, math.ceil(min(before, start + count) - NEAR) - start
        gap = slice(max(low, 0), max(high, 0))
        rows[gap] |= filled.made[gap].any()
    return rows


def _keep_others(track: Track, filled: Filled, rows: list[np.ndarray]) -> None:
    """Where a curve gets no keys it stays as it is, whatever was made."""
    elsewhere = np.stack([filled.made & ~row for row in rows], 1)
    if elsewhere.any():
        filled.values[elsewhere] = track.sample(filled.frames)[elsewhere]


def put_keys(dense: Dense, found: Found | None, generated: bool = True) -> int:
    """Write the keys that were found (None: one a frame), on each curve those in its rows: the number of keys."""
    count, filled = 0, dense.filled
    at = np.arange(len(filled.frames)) if found is None else found.rows
    for i, (curve, own) in enumerate(zip(dense.track.curves, dense.rows, strict=True)):
        kept = own[at]
        if kept.any():
            points = np.stack([at + filled.frames.start, filled.values[at, i]], 1)[kept]
            handles = [points + side[kept, i] for side in (found.left, found.right)] if found else []
            assert curve.fcurve is not None  # free
            add_keys(curve.fcurve, points, filled.broken[at][kept], handles, generated)
            count += len(points)
    return count


def _clear(track: Track, filled: Filled, gaps: list[list[Gap]]) -> None:
    """Take the generated keys in the gaps away."""
    for curve, own in zip(track.curves, gaps, strict=True):
        if curve.fcurve is not None and own and (generated := generated_keys(curve.fcurve)).any():
            frames = key_points(curve.fcurve)[:, 0]
            gone = np.zeros(len(frames), bool)
            for gap in own:
                if _rows(filled, [gap]).any():
                    gone |= (frames > gap[0] + NEAR) & (frames < gap[2] - NEAR)
            remove_keys(curve.fcurve, gone & generated)


def add_keys(
    fcurve: bpy.types.FCurve, points: np.ndarray, broken: np.ndarray, handles: list[np.ndarray], generated: bool = True
) -> None:
    """Add keys, none of them selected. points, and handles on the left and the right (or none): (K, 2); broken: (K,).
    generated: they are marked as Understudy's; otherwise they are the artist's."""
    keys, count = fcurve.keyframe_points, len(points)
    keys.add(count)

    def put(name: str, new: np.ndarray | int, dtype: type = np.int32) -> None:
        width = new.shape[1] if isinstance(new, np.ndarray) and new.ndim == 2 else 1
        numbers: np.ndarray = np.empty(len(keys) * width, dtype)
        keys.foreach_get(name, numbers)
        numbers.reshape(-1, width)[-count:] = np.reshape(new, (-1, width))
        keys.foreach_set(name, numbers)

    put("co", points, np.float32)
    put("interpolation", np.where(broken, CONSTANT, BEZIER))
    if generated:
        put("back", points[:, 1], np.float32)
        put("type", GENERATED)
    for name, handle in zip(("handle_left", "handle_right"), handles, strict=False):
        put(f"{name}_type", ALIGNED)
        put(name, handle, np.float32)
    for name in ("select_control_point", "select_left_handle", "select_right_handle"):
        put(name, 0, bool)
    fcurve.update()


def remove_keys(fcurve: bpy.types.FCurve, which: np.ndarray) -> int:
    """Remove keys (K,) bool: their number."""
    points = fcurve.keyframe_points
    for i in reversed(np.flatnonzero(which).tolist()):
        points.remove(points[i], fast=True)
    if which.any():
        fcurve.update()
    return int(which.sum())


def delete_steps(object_uid: int, bones: Collection[str] | None) -> Generator[Step, None, int]:
    """Delete the keys that Understudy made and nobody has changed since, on unlocked curves of some bones of an armature (empty:
    all), or (None) of the object as a whole, a curve at a time: their number. Raises MotionError."""
    ob = find_object(object_uid)
    owners = {""}
    if bones is not None:
        owners = {bone.path_from_id() for bone in ob.pose.bones if not bones or bone.name in bones}
    count, fcurves = 0, fcurves_of(ob)
    for done, ((path, _), fcurve) in enumerate(fcurves.items()):
        locked = fcurve.lock or (fcurve.group is not None and fcurve.group.lock)
        if split_path(path)[0] in owners and not locked:
            count += remove_keys(fcurve, generated_keys(fcurve))
        yield done / len(fcurves), WRITING
    return count
