"""What of an object can be animated: its joints with rest pose and rotation mode, the F-curves of each and which of
them may be given keys. Also rotations to and from the channels of every rotation mode.

Reads Blender's data and changes nothing. Knows no frame range, no file and no engine.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import bpy
from mathutils import Euler, Matrix, Quaternion, Vector

from .curves import Curve, FCurves, Track, animated, fcurves_of, split_path

ROTATION_PATHS = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}
TRANSFORMS = ("location", "rotation_euler", "rotation_quaternion", "rotation_axis_angle", "scale")

Owner = bpy.types.PoseBone | bpy.types.Object


@dataclass(eq=False)
class Joint:
    """A bone, or an object as a whole. parent: index, -1 for a root.

    rest: orientation at rest, offset: from the parent's head to its own, axes: location channels → armature axes.
    inherits: false for a bone that does not turn with its parent. size: the bone's length; an object's own size.
    """

    name: str
    parent: int
    rest: Quaternion
    offset: Vector
    axes: Matrix
    mode: str
    rotation: Track
    location: Track
    inherits: bool = True
    size: float = 1.0


@dataclass(eq=False)
class Rig:
    """An object's joints, parents first, and the tracks that were asked for and may be given keys. of_bones: the joints
    are an armature's bones, not the object as a whole."""

    ob: bpy.types.Object
    joints: list[Joint]
    tracks: list[Track]
    up: str
    of_bones: bool
    notes: list[str] = field(default_factory=list)


# --- rotation modes --------------------------------------------------------------------------------------------------


def rotation_of(channels: Sequence[float], mode: Any) -> Quaternion:
    """The rotation that a mode's channels stand for."""
    if mode == "QUATERNION":
        return Quaternion(channels).normalized()
    if mode == "AXIS_ANGLE":
        return Quaternion(channels[1:], channels[0])
    return Euler(channels, mode).to_quaternion()


def channels_of(rotation: Quaternion, mode: Any, near: Sequence[float]) -> Sequence[float]:
    """The channels of a rotation, of all that stand for it those nearest to `near`."""
    if mode == "QUATERNION":
        return (rotation if rotation.dot(Quaternion(near)) >= 0 else rotation * -1.0)[:]
    if mode != "AXIS_ANGLE":
        return rotation.to_euler(mode, Euler(near, mode))[:]
    axis, angle = rotation.to_axis_angle()
    near_axis = Vector(near[1:])
    if abs(angle) < 1e-5 and near_axis.length:
        axis = near_axis.normalized()
    if axis.dot(near_axis) < 0:
        axis, angle = -axis, -angle
    angle += math.tau * round((near[0] - angle) / math.tau)
    return (angle, *(axis * (near_axis.length or 1.0))[:])


def _meets(track: Track, mode: str) -> bool:
    """Whether turning the short way from key to key arrives at the artist's own channel values: not so for a wheel."""
    frames = track.frames()
    for a, b in pairwise(frames):
        if mode == "QUATERNION" or b - a < 2:
            continue
        start, end = ([float(curve.sample(range(f, f + 1))[0]) for curve in track.curves] for f in (a, b))
        channels: Sequence[float] = start
        first, last = rotation_of(start, mode), rotation_of(end, mode)
        for step in range(1, 9):
            channels = channels_of(first.slerp(last, step / 8), mode, channels)
        if max(abs(x - y) for x, y in zip(channels, end, strict=True)) > 0.01:
            return False
    return True


# --- reading an object -----------------------------------------------------------------------------------------------


class _Reader:
    """Builds a Rig; holds what every step of that looks at."""

    def __init__(self, ob: bpy.types.Object, bones: Collection[str] | None) -> None:
        self.ob = ob
        self.bones = bones or ()
        self.fcurves = fcurves_of(ob)
        self.driven = {
            (at + driver.data_path, driver.array_index)
            for at, owner in animated(ob)
            for driver in owner.animation_data.drivers
        }
        self.left_alone: dict[str, list[str]] = {}
        self.others: dict[str, list[tuple[str, int]]] = {}  # by owner: what has keys and is no transform
        for path, index in self.fcurves:
            owner, prop = split_path(path)
            if prop not in TRANSFORMS:
                self.others.setdefault(owner, []).append((path, index))

    def curve(self, path: str, index: int, value: float, locked: bool, owner: str) -> Curve:
        """The curve of one number; `owner` is named in the notes."""
        key = (path, index)
        fcurve = self.fcurves.get(key)
        if fcurve is None or not len(fcurve.keyframe_points):
            return Curve(path, index, fcurve, value, False)
        group = fcurve.group
        if key in self.driven or fcurve.mute or (group is not None and group.mute):
            self.note("driven or muted", owner)
            return Curve(path, index, None, value, False)
        if locked or fcurve.lock or (group is not None and group.lock):
            self.note("locked", owner)
            return Curve(path, index, fcurve, value, False)
        if any(m.type != "CYCLES" and not m.mute for m in fcurve.modifiers):
            self.note("shaped by F-curve modifiers", owner)
            return Curve(path, index, fcurve, value, False)
        return Curve(path, index, fcurve, value, True)

    def note(self, why: str, owner: str) -> None:
        """Remember, once, that something of an owner that was asked for is left alone."""
        names = self.left_alone.setdefault(why, [])
        if owner not in names and self.asked(owner):
            names.append(owner)

    def asked(self, owner: str) -> bool:
        """Whether keys are wanted on the owner of this name."""
        return not self.bones or owner in self.bones

    def curves(self, owner: Owner, prop: str, locks: Iterable[bool]) -> list[Curve]:
        """The curves of a transform property."""
        path = _path(owner, prop)
        return [
            self.curve(path, i, value, lock, owner.name)
            for i, (value, lock) in enumerate(zip(getattr(owner, prop), locks, strict=True))
        ]

    def rotation(self, owner: Owner) -> Track:
        """The rotation in the owner's mode. Four numbers are written together or, if one is locked, not at all."""
        prop = ROTATION_PATHS.get(owner.rotation_mode, "rotation_euler")
        locks = list(owner.lock_rotation)
        if prop != "rotation_euler":
            locks = [any(locks) or (owner.lock_rotations_4d and owner.lock_rotation_w)] * 4
        curves = self.curves(owner, prop, locks)
        if len(curves) == 4 and not all(curve.free for curve in curves):
            for curve in curves:
                curve.free = False
        return Track("rotation", owner.name, curves, mode=owner.rotation_mode)

    def values(self, owner: Owner) -> list[Track]:
        """Scale, custom properties and every other number of the owner that has keys; switches are not for filling."""
        curves = self.curves(owner, "scale", owner.lock_scale)
        for path, index in self.others.get(_path(owner, ""), ()):
            stepped = all(key.interpolation == "CONSTANT" for key in self.fcurves[path, index].keyframe_points)
            value = None if stepped else _resolve(self.ob, path, index)
            if value is not None:
                curves.append(self.curve(path, index, value, False, owner.name))
        return as_values(curves)


def as_values(curves: Iterable[Curve]) -> list[Track]:
    """Each curve that is animated as a track of its own."""
    return [Track("value", f"{c.path}[{c.index}]", [c]) for c in curves if c.fcurve is not None]


def _path(owner: Owner, prop: str) -> str:
    prefix = owner.path_from_id() if isinstance(owner, bpy.types.PoseBone) else ""
    return f"{prefix}.{prop}" if prefix and prop else prefix or prop


def _resolve(ob: bpy.types.Object, path: str, index: int) -> float | None:
    """The fractional number at a data path; None for a path that leads nowhere and for whole numbers and switches."""
    try:
        value: Any = ob.path_resolve(path)
        value = value if isinstance(value, (float, int, str)) else value[index]
    except (ValueError, TypeError, IndexError, KeyError):
        return None
    return value if isinstance(value, float) else None


def read_rig(ob: bpy.types.Object, bones: Collection[str] | None, all_joints: bool = False) -> Rig:
    """The rig of an object. bones: those to be filled, empty for all; None for the object as a whole. Joints are the
    bones that are asked for or have keys, and their ancestors, or all of them."""
    reader = _Reader(ob, bones)
    owners: Sequence[Owner]
    if bones is None:
        owners, frame = [ob], ob.matrix_world @ ob.matrix_basis.inverted_safe()
    else:
        owners, frame = _owners(ob, reader.fcurves, ob.pose.bones.keys() if all_joints else bones), ob.matrix_world
    above = frame.to_3x3().inverted_safe() @ Vector((0.0, 0.0, 1.0))
    rig = Rig(ob, [], [], "Y" if above.y > abs(above.z) else "Z", bones is not None)
    for owner in owners:
        joint = _joint(reader, owner, [j.name for j in rig.joints])
        rig.joints.append(joint)
        if reader.asked(owner.name):
            rig.tracks += [track for track in _tracks(reader, owner, joint, rig.notes) if track.free]
    for why, names in reader.left_alone.items():
        if names:
            rig.notes.append(f"Channels that are {why} were left alone: {listed(names)}.")
    if constrained := [o.name for o in owners if reader.asked(o.name) and any(not c.mute for c in o.constraints)]:
        rig.notes.append(f"Constraints go on acting on top of the new keys: {listed(constrained)}.")
    return rig


def listed(names: Sequence[str]) -> str:
    """The first few of some names."""
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _owners(ob: bpy.types.Object, fcurves: FCurves, bones: Collection[str]) -> list[bpy.types.PoseBone]:
    keyed = {split_path(path)[0] for path, _ in fcurves}
    meant = {bone for bone in ob.pose.bones if bone.path_from_id() in keyed or bone.name in bones}
    meant |= {parent for bone in meant for parent in bone.parent_recursive}
    return sorted((b for b in ob.pose.bones if b in meant), key=lambda bone: len(bone.parent_recursive))


def _joint(reader: _Reader, owner: Owner, earlier: list[str]) -> Joint:
    """The joint of a bone or object. Its channels' axes are those of Blender's BKE_bone_parent_transform_calc."""
    rotation, location = reader.rotation(owner), Track("location", owner.name, [])
    rotation.joint = location.joint = len(earlier)
    locks = owner.lock_location
    if isinstance(owner, bpy.types.Object):
        location.curves = reader.curves(owner, "location", locks)
        size = max(*owner.dimensions[:]) or 1.0
        return Joint(
            owner.name,
            -1,
            Quaternion(),
            Vector(),
            Matrix.Identity(3),
            owner.rotation_mode,
            rotation,
            location,
            size=size,
        )
    bone, above = owner.bone, owner.parent.bone if owner.parent else None
    location.curves = reader.curves(owner, "location", locks)
    if bone.use_connect:  # Blender ignores their location
        location.curves = [Curve(c.path, c.index, None, 0.0, False) for c in location.curves]
    frame = bone if bone.use_local_location else above
    return Joint(
        owner.name,
        earlier.index(above.name) if above else -1,
        bone.matrix_local.to_quaternion(),
        bone.head_local - above.head_local if above else bone.head_local.copy(),
        frame.matrix_local.to_3x3() if frame else Matrix.Identity(3),
        owner.rotation_mode,
        rotation,
        location,
        bone.use_inherit_rotation,
        bone.length,
    )


def _tracks(reader: _Reader, owner: Owner, joint: Joint, notes: list[str]) -> list[Track]:
    """Rotation and location as they are where the engine can take them so, number by number where it cannot."""
    tracks = reader.values(owner)
    if not joint.inherits:
        tracks += as_values(joint.location.curves)
    else:
        tracks.append(joint.location)
    if joint.rotation.free and not _meets(joint.rotation, joint.mode):
        notes.append(
            f"'{owner.name}' turns too far between two keys for one rotation: its angles are filled one by one."
        )
        return tracks + as_values(joint.rotation.curves)
    return [*tracks, joint.rotation]
