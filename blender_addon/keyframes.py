"""result/clip.npz → keys of type Generated on the F-curves that are there, between and after the artist's own; and
their removal. The artist's keys are never written.

Knows arrays and F-curves, no operator and no engine.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import bpy
import numpy as np
from mathutils import Quaternion

from .curves import (
    GENERATED,
    NEAR,
    Curve,
    Track,
    fcurves_of,
    find_object,
    generated_keys,
    key_constant,
    key_points,
    split_path,
)
from .job_folder import read_clip
from .motion import MotionParams, Plan, make_plan
from .protocol import RESULT_ARRAYS, Clip, JobError
from .rig import Joint, channels_of, rotation_of

BEZIER, CONSTANT = key_constant("interpolation", "BEZIER"), key_constant("interpolation", "CONSTANT")


class Filled(NamedTuple):
    """A track's channels over T frames: values (T, curves), made (T,): which rows the engine made, broken (T,): rows
    that cannot be joined to the next one, as where a quaternion's sign changes."""

    frames: range
    values: np.ndarray
    made: np.ndarray
    broken: np.ndarray


# --- reading the result ----------------------------------------------------------------------------------------------


def read_result(folder: Path, clip: Clip) -> dict[str, np.ndarray]:
    """The arrays of protocol.RESULT_ARRAYS, checked against the clip. Raises JobError."""
    path = folder / "result" / "clip.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in RESULT_ARRAYS}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise JobError(f"The result {path} cannot be read; run the job again.") from error
    rows = arrays["rotations"].shape[:1]
    sizes = {"J": (len(clip.joints),), "C": (len(clip.channels),), "T": rows, "3": (3,), "4": (4,)}
    for name, (dtype, shape) in RESULT_ARRAYS.items():
        expected = sum((sizes[letter] for letter in shape), ())
        bad = not np.isfinite(arrays[name]).all() if arrays[name].dtype.kind == "f" else False
        if arrays[name].dtype != dtype or arrays[name].shape != expected or bad:
            raise JobError(f"The result {path} does not fit the clip; run the job again.")
    return arrays


def _column(track: Track, clip: Clip) -> int:
    """The track's column in the arrays of its kind, -1 if the clip was made before the track."""
    names = clip.channels if track.kind == "value" else clip.joints
    return names.index(track.name) if track.name in names else -1


def fill(track: Track, plan: Plan, result: dict[str, np.ndarray], column: int) -> Filled:
    """The track over the clip and what follows it: as the action has it but for what the engine made."""
    frames = range(plan.frame_start, plan.frame_end + plan.play_on + 1)
    shift = int(result["frame_start"]) - plan.frame_start
    rows = np.flatnonzero(result[f"{track.kind}_filled"][:, column])
    rows = rows[(rows + shift > 0) & (rows + shift < len(frames))]
    filled = Filled(frames, track.sample(frames), np.zeros(len(frames), bool), np.zeros(len(frames), bool))
    filled.made[rows + shift] = True
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
    values, mode, back = filled.values, joint.mode, joint.rest.conjugated()
    for row, rotation in zip(np.flatnonzero(filled.made), rotations.tolist(), strict=True):
        basis = (back @ Quaternion(rotation) @ joint.rest).normalized()
        values[row] = channels_of(basis, mode, values[row - 1].tolist())
    for row in np.flatnonzero(filled.made[:-1] & ~filled.made[1:]):
        after = values[row + 1].tolist()
        joined = channels_of(rotation_of(after, mode), mode, values[row].tolist())
        filled.broken[row] = not np.allclose(joined, after, atol=0.1)


# --- keys ------------------------------------------------------------------------------------------------------------


def apply_result(params: MotionParams, folder: Path) -> int:
    """Key what the engine made: the number of keys. Raises JobError.

    The object is read again, because the artist may have worked on: a key that is there by now is never written.
    """
    clip = read_clip(folder)
    result = read_result(folder, clip)
    plan = make_plan(params)
    count = 0
    for track, span in plan.spans.items():
        if (column := _column(track, clip)) >= 0:
            filled = fill(track, plan, result, column)
            for i, curve in enumerate(track.curves):
                if curve.free:
                    count += _write(curve, i, filled, list(_gaps(curve, span, plan.play_on)))
    return count


def _gaps(curve: Curve, span: tuple[int, int], play_on: int) -> Iterator[tuple[float, float, float]]:
    """Where keys may be made: after the artist's key at the first number and before the second; generated keys up to
    the third are replaced by them."""
    lo, hi = span
    if not play_on:
        yield from ((a, b, b) for a, b in pairwise(curve.keys) if a > lo - NEAR and b < hi + NEAR)
    elif len(before := curve.keys[curve.keys < lo + NEAR]):
        yield before[-1], hi, min([*curve.keys[len(before) :], np.inf])


def _write(curve: Curve, component: int, filled: Filled, gaps: list[tuple[float, float, float]]) -> int:
    """Key one curve in those of the gaps in which the engine made something: the number of keys."""
    assert curve.fcurve is not None  # free
    frames, rows = np.arange(filled.frames.start, filled.frames.stop), np.zeros(len(filled.frames), bool)
    points = key_points(curve.fcurve)[:, 0]
    replaced = np.zeros(len(points), bool)
    for after, before, replace in gaps:
        gap = (frames > after + NEAR) & (frames < before - NEAR)
        if filled.made[gap].any():
            rows |= gap
            replaced |= (points > after + NEAR) & (points < replace - NEAR)
    if rows.any():
        _remove(curve.fcurve, replaced & generated_keys(curve.fcurve))
        _add(curve.fcurve, frames[rows], filled.values[rows, component], filled.broken[rows])
    return int(rows.sum())


def _add(fcurve: bpy.types.FCurve, frames: np.ndarray, values: np.ndarray, broken: np.ndarray) -> None:
    """Add generated keys, none of them selected. frames, values, broken: (K,)."""
    points = fcurve.keyframe_points
    points.add(len(frames))

    def put(name: str, new: np.ndarray | int, dtype: type = np.int32) -> None:
        numbers: np.ndarray = np.empty(len(points) * (2 if name == "co" else 1), dtype)
        points.foreach_get(name, numbers)
        numbers.reshape(len(points), -1)[-len(frames) :] = np.reshape(new, (-1, 2 if name == "co" else 1))
        points.foreach_set(name, numbers)

    put("co", np.stack([frames, values], 1), np.float32)
    put("back", values, np.float32)
    put("type", GENERATED)
    put("interpolation", np.where(broken, CONSTANT, BEZIER))
    for name in ("select_control_point", "select_left_handle", "select_right_handle"):
        put(name, 0, bool)
    fcurve.update()


def _remove(fcurve: bpy.types.FCurve, which: np.ndarray) -> int:
    """Remove keys (K,) bool: their number."""
    points = fcurve.keyframe_points
    for i in reversed(np.flatnonzero(which).tolist()):
        points.remove(points[i], fast=True)
    if which.any():
        fcurve.update()
    return int(which.sum())


def delete_generated_keys(object_uid: int, bones: Collection[str] | None) -> int:
    """Delete the keys that Understudy made and nobody has changed since, on unlocked curves of some bones of an
    armature (empty: all), or (None) of the object as a whole: their number. Raises MotionError."""
    ob = find_object(object_uid)
    owners = {""}
    if bones is not None:
        owners = {bone.path_from_id() for bone in ob.pose.bones if not bones or bone.name in bones}
    count = 0
    for (path, _), fcurve in fcurves_of(ob).items():
        locked = fcurve.lock or (fcurve.group is not None and fcurve.group.lock)
        if split_path(path)[0] in owners and not locked:
            count += _remove(fcurve, generated_keys(fcurve))
    return count
