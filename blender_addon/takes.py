"""A finished motion job in hand, before it is keys: what the engine made, what one would have without it, anything
between the two and beyond; and how it looks on the object at one frame, with not one key written.

Knows arrays and where on an object they belong; no operator, no drawing, and not how keys are written.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Quaternion

from . import quat
from .curves import MotionError, Track, find_object
from .job_folder import read_clip
from .motion import MotionParams, Plan, action_time
from .protocol import RESULT_ARRAYS, Clip, JobError
from .rig import Joint, channels_of
from .words import rpt_

Arrays = dict[str, np.ndarray]
Numbers = list[tuple[str, int, float]]  # data path seen from the object, index, value
_CUSTOM = re.compile(r'(.*)\["((?:[^"\\]|\\.)*)"\]', re.DOTALL)


@dataclass(eq=False)
class Take:
    """What a job made for one object. result: the arrays of protocol.RESULT_ARRAYS. offsets: of the clip, (J, 3)."""

    params: MotionParams
    clip: Clip
    result: Arrays
    offsets: np.ndarray

    def at(self, amount: float, rows: slice = slice(None)) -> Arrays:
        """Some rows of the motion from the plain one (0) through what was made (1) to more of it (beyond 1)."""
        out = {name: self.result[name][rows] for name in RESULT_ARRAYS if name != "frame_start"}
        if amount != 1.0:
            for name in ("locations", "values"):
                plain = out[f"plain_{name}"]
                out[name] = plain + np.float32(amount) * (out[name] - plain)
            turned = quat.exp(np.float32(amount) * self._turns[rows])
            out["rotations"] = quat.multiply(out["plain_rotations"], turned)
        return out

    @property
    def first(self) -> int:
        """The frame of the first row, in the action's time."""
        return int(self.result["frame_start"])

    @property
    def count(self) -> int:
        """How many rows there are, T."""
        return len(self.result["rotations"])

    @cached_property
    def _turns(self) -> np.ndarray:
        """From the plain rotations to those that were made, as rotation vectors, (T, J, 3)."""
        return quat.log(quat.multiply(self.result["plain_rotations"] * quat.CONJUGATE, self.result["rotations"]))


def read_take(params: MotionParams, folder: Path) -> Take:
    """The finished job in a folder, checked. Raises JobError."""
    clip = read_clip(folder)
    result = read_result(folder, clip)
    try:
        with np.load(folder / "clip.npz", allow_pickle=False) as file:
            offsets = file["offsets"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise JobError(rpt_("The clip in {folder} cannot be read; run the job again.").format(folder=folder)) from error
    return Take(params, clip, result, offsets)


def read_result(folder: Path, clip: Clip) -> Arrays:
    """The arrays of protocol.RESULT_ARRAYS, checked against the clip. Raises JobError."""
    path = folder / "result" / "clip.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in RESULT_ARRAYS}
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise JobError(rpt_("The result {path} cannot be read; run the job again.").format(path=path)) from error
    rows = arrays["rotations"].shape[:1]
    sizes = {"J": (len(clip.joints),), "C": (len(clip.channels),), "T": rows, "3": (3,), "4": (4,)}
    for name, (dtype, shape) in RESULT_ARRAYS.items():
        expected = sum((sizes[letter] for letter in shape), ())
        bad = not np.isfinite(arrays[name]).all() if arrays[name].dtype.kind == "f" else False
        if arrays[name].dtype != dtype or arrays[name].shape != expected or bad:
            raise JobError(rpt_("The result {path} does not fit the clip; run the job again.").format(path=path))
    return arrays


def column(track: Track, clip: Clip) -> int:
    """The track's column in the arrays of its kind, -1 if the clip was made before the track."""
    names = clip.channels if track.kind == "value" else clip.joints
    return names.index(track.name) if track.name in names else -1


# --- how it looks ----------------------------------------------------------------------------------------------------


class Look:
    """Takes shown on their objects at one frame, without keys; `restore` leaves the objects as they were found."""

    def __init__(self, takes: Sequence[Take], plans: Sequence[Plan], scene: bpy.types.Scene) -> None:
        """plans: of the takes, as their objects are now."""
        self.plans = list(plans)
        self._frame = scene.frame_current
        self._before = [read_numbers(plan.rig.ob, plan) for plan in self.plans]
        self._uids = [take.params.object_uid for take in takes]

    def show(self, scene: bpy.types.Scene, takes: Sequence[Take], amount: float) -> None:
        """Pose the objects as the takes have them at the scene's frame. Where those make nothing, nothing changes."""
        for take, plan in zip(takes, self.plans, strict=True):
            ob = _present(take.params.object_uid)
            if ob is not None:
                write_numbers(ob, pose(take, plan, round(action_time(ob, scene.frame_current)), amount))

    def restore(self, scene: bpy.types.Scene | None) -> None:
        """Frame (in this scene; None: not the frame) and poses as they were when this began, also those on no key."""
        if scene is not None and scene.frame_current != self._frame:
            scene.frame_set(self._frame)
        for uid, numbers in zip(self._uids, self._before, strict=True):
            if (ob := _present(uid)) is not None:
                write_numbers(ob, numbers)


def _present(uid: int) -> bpy.types.Object | None:
    try:
        return find_object(uid)
    except MotionError:
        return None


def pose(take: Take, plan: Plan, frame: int, amount: float) -> Numbers:
    """What a frame of the action looks like, channel by channel; empty where the take made nothing."""
    row = frame - take.first
    if not 0 <= row < take.count:
        return []
    now = take.at(amount, slice(row, row + 1))
    numbers: Numbers = []
    for track in plan.spans:
        at = column(track, take.clip)
        if at >= 0 and now[f"{track.kind}_filled"][0, at]:
            shown = channels(track, plan.rig.joints, now[f"{track.kind}s"][0, at])
            numbers += [(c.path, c.index, float(x)) for c, x in zip(track.curves, shown, strict=True) if c.free]
    return numbers


def channels(track: Track, joints: Sequence[Joint], made: Any) -> Sequence[float]:
    """What was made of a track at one frame, as its channels."""
    if track.kind == "value":
        return [float(made)]
    joint = joints[track.joint]
    if track.kind == "location":
        return (made @ np.array(joint.axes)).tolist()  # its transpose is its inverse
    basis = (joint.rest.conjugated() @ Quaternion(made.tolist()) @ joint.rest).normalized()
    return channels_of(basis, joint.mode, [curve.value for curve in track.curves])


def read_numbers(ob: bpy.types.Object, plan: Plan) -> Numbers:
    """The present values of all that the plan may change."""
    curves = [curve for track in plan.spans for curve in track.curves if curve.free]
    return [(c.path, c.index, float(_place(ob, c.path, c.index)[2])) for c in curves]


def write_numbers(ob: bpy.types.Object, numbers: Numbers) -> None:
    """Set channels of the object, as posing does: no key is written."""
    for path, index, value in numbers:
        owner, name, _ = _place(ob, path, index)
        if isinstance(name, int) or path.endswith('"]'):
            owner[name] = value
        else:
            setattr(owner, name, value)
    if numbers:
        ob.update_tag(refresh={"OBJECT", "DATA"} if ob.data else {"OBJECT"})


def _place(ob: bpy.types.Object, path: str, index: int) -> tuple[Any, str | int, float]:
    """Where a channel's number is kept, under which name or index, and the number."""
    if custom := _CUSTOM.fullmatch(path):
        owner: Any = ob.path_resolve(custom[1]) if custom[1] else ob
        name = bpy.utils.unescape_identifier(custom[2])
        value = owner[name]
    else:
        at, _, name = path.rpartition(".")
        owner = ob.path_resolve(at) if at else ob
        value = getattr(owner, name)
    return (owner, name, value) if isinstance(value, (float, int)) else (value, index, value[index])
