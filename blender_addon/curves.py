"""The F-curves of an object, and whose their keys are: the artist's own, or those that Understudy made.

Reads Blender's data and changes nothing. Knows no rig, no frame range, no file and no engine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import bpy
import numpy as np

from . import compat
from .protocol import JobError
from .words import rpt_

NEAR = 0.01  # frames: Blender takes keys nearer than this for one
_BONE_PATH = re.compile(r'(pose\.bones\["(?:[^"\\]|\\.)*"\])(.*)', re.DOTALL)

FCurves = dict[tuple[str, int], bpy.types.FCurve]


class MotionError(JobError):
    """An object of which no motion job can be made; str() is one sentence that says what to do."""


def key_constant(field_name: str, choice: str) -> int:
    """The number that stands for a choice where keys are read and written all at once."""
    prop: Any = bpy.types.Keyframe.bl_rna.properties[field_name]
    return prop.enum_items[choice].value


GENERATED, BEZIER = key_constant("type", "GENERATED"), key_constant("interpolation", "BEZIER")
AUTOMATIC = [key_constant("handle_left_type", name) for name in ("AUTO", "AUTO_CLAMPED")]
CLOSE = 2  # frames between keys: closer ones tell how fast the motion is
TRAVELS, TURNS = 1.0, 0.7  # of the speed at the last of sparse keys that is believed: a limb may turn back there


def generated_keys(fcurve: bpy.types.FCurve) -> np.ndarray:
    """Which keys of the curve Understudy made and nobody has changed since, (K,) bool.

    Blender keeps the type Generated when the artist poses over such a key. Therefore the value as it was made is also
    kept in the key's `back`, a number that only the Back interpolation reads: where they differ it is the artist's.
    """
    points = fcurve.keyframe_points
    kind, back = np.empty(len(points), np.int32), np.empty(len(points), np.float32)
    points.foreach_get("type", kind)
    if not (generated := kind == GENERATED).any():
        return generated
    points.foreach_get("back", back)
    return generated & (back == key_points(fcurve)[:, 1])


def key_points(fcurve: bpy.types.FCurve) -> np.ndarray:
    """Frame and value of every key, (K, 2) float32."""
    points = np.empty((len(fcurve.keyframe_points), 2), np.float32)
    fcurve.keyframe_points.foreach_get("co", points.ravel())
    return points


@dataclass(eq=False)
class Curve:
    """One number over time. fcurve: None where the action does not move it and it stays `value`. free: may be keyed."""

    path: str
    index: int
    fcurve: bpy.types.FCurve | None
    value: float
    free: bool

    def sample(self, frames: Sequence[int]) -> np.ndarray:
        """What the action alone makes of it, (T,)."""
        if self.fcurve is None:
            return np.full(len(frames), self.value)
        return np.array([self.fcurve.evaluate(frame) for frame in frames])

    def sample_on(self, frames: Sequence[int], end: int, going: float) -> np.ndarray:
        """The same if the motion does not stop at its last key, at frame `end`, but has so much of its speed there: handles
        that Blender lays by the neighbours are level until a key follows."""
        made, keys = self.sample(frames), self.keys
        if self.fcurve is None or len(keys) < 2 or abs(keys[-1] - end) > NEAR or keys[-1] - keys[-2] < CLOSE + NEAR:
            return made
        kinds = self.own_keys("handle_left_type", "interpolation")
        if kinds["handle_left_type"][-1] not in AUTOMATIC or kinds["interpolation"][-2] != BEZIER:
            return made
        start, between = float(keys[-2]), key_points(self.fcurve)[generated_keys(self.fcurve), 0]
        if ((between > start) & (between < end)).any():
            return made
        first, soon, last = (self.fcurve.evaluate(frame) for frame in (start, start + NEAR, end))
        way, began = last - first, (soon - first) / NEAR * (end - start)
        ends = going * (1.5 * way - 0.5 * began)  # all of it is that of a cubic that is straight at its end
        u = ((np.array(frames) - start) / (end - start)).clip(0.0, 1.0)
        on = first + u * began + u**2 * (3 * way - 2 * began - ends) + u**3 * (began + ends - 2 * way)
        return np.where((u > 0) & (u < 1), on, made)

    @cached_property
    def keys(self) -> np.ndarray:
        """Frames that the artist keyed, (K,) float."""
        return np.zeros(0) if self.fcurve is None else key_points(self.fcurve)[~generated_keys(self.fcurve), 0]

    def own_keys(self, *fields: str, width: int = 1) -> dict[str, np.ndarray]:
        """Whole numbers of each of `keys` by field, (K,), or where there are two of each, (K, 2) float32."""
        if self.fcurve is None:
            return {field: np.zeros((0, 2) if width > 1 else 0) for field in fields}
        out, own = {}, ~generated_keys(self.fcurve)
        for field_name in fields:
            numbers: np.ndarray = np.empty((len(own), width), np.float32 if width > 1 else np.int32)
            self.fcurve.keyframe_points.foreach_get(field_name, numbers.ravel())
            out[field_name] = numbers[own] if width > 1 else numbers[own, 0]
        return out

    def forget(self) -> None:
        """The keys have changed: read them again when they are asked for."""
        self.__dict__.pop("keys", None)

    @cached_property
    def selected_keys(self) -> np.ndarray:
        """Those of `keys` that are selected in the Dope Sheet."""
        if self.fcurve is None:
            return np.zeros(0)
        selected = np.empty(len(self.fcurve.keyframe_points), bool)
        self.fcurve.keyframe_points.foreach_get("select_control_point", selected)
        return self.keys[selected[~generated_keys(self.fcurve)]] if selected.any() else self.keys[:0]


@dataclass(eq=False)
class Track:
    """What is keyed and filled as one: a joint's rotation, its location, or one value. joint: its index, or -1."""

    kind: str  # "rotation", "location" or "value", as in protocol.CLIP_ARRAYS
    name: str
    curves: list[Curve]
    joint: int = -1
    mode: str = ""  # of a rotation

    @property
    def free(self) -> bool:
        """Whether any of it may be given keys."""
        return any(curve.free for curve in self.curves)

    def frames(self, selected: bool = False) -> list[int]:
        """Whole frames that the artist's keys hold, ascending. A key between two frames holds both."""
        keys = [curve.selected_keys if selected else curve.keys for curve in self.curves]
        at = np.concatenate(keys) if keys else np.zeros(0)
        whole: list[int] = np.unique(np.concatenate([np.floor(at + NEAR), np.ceil(at - NEAR)])).astype(int).tolist()
        return whole

    def sample(self, frames: Sequence[int], on: int | None = None) -> np.ndarray:
        """What the action alone makes of it, (T, curves). on: the frame at whose keys the motion is not to stop."""
        going = TRAVELS if self.kind == "location" else TURNS
        return np.stack([c.sample(frames) if on is None else c.sample_on(frames, on, going) for c in self.curves], 1)


def find_object(uid: int) -> bpy.types.Object:
    """The object of a session uid, with an action that can be edited. Raises MotionError."""
    ob = next((ob for ob in bpy.data.objects if ob.session_uid == uid), None)
    if ob is None:
        raise MotionError("The object is gone; select an armature or object that has keys.")
    actions = [owner.animation_data.action for _, owner in animated(ob)]
    if not actions:
        raise MotionError(rpt_("'{ob}' has no action yet; key at least two poses of it first.").format(ob=ob.name))
    if not any(action.is_editable for action in actions):
        raise MotionError(
            rpt_("The action '{name}' is linked from another file; make it local to give it keys.").format(
                name=actions[0].name
            )
        )
    return ob


def animated(ob: bpy.types.Object) -> list[tuple[str, Any]]:
    """What has an action: the object, its data (a camera's lens) and its shape keys, each with where it is found from the
    object, as the beginning of a data path."""
    data: Any = ob.data
    owners = (("", ob), ("data.", data), ("data.shape_keys.", getattr(data, "shape_keys", None)))
    return [(at, owner) for at, owner in owners if owner and owner.animation_data and owner.animation_data.action]


def fcurves_of(ob: bpy.types.Object) -> FCurves:
    """The F-curves that move the object and may be edited, by data path (seen from the object) and index."""
    return {
        (at + fcurve.data_path, fcurve.array_index): fcurve
        for at, owner in animated(ob)
        if owner.animation_data.action.is_editable
        for fcurve in compat.action_fcurves(owner)
    }


def split_path(path: str) -> tuple[str, str]:
    """The owner's path ('' for the object itself) and the rest: ('pose.bones["hip"]', 'location')."""
    match = _BONE_PATH.match(path)
    return (match[1], match[2].removeprefix(".")) if match else ("", path)
