"""Rigs to test on, F-curves as plain data to compare, and an engine that joins keys by straight lines."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bl_ext.user_default.understudy import compat
from bl_ext.user_default.understudy.job_folder import read_clip

MODES = ("QUATERNION", "XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX", "AXIS_ANGLE")
ROTATION = {"QUATERNION": "rotation_quaternion", "AXIS_ANGLE": "rotation_axis_angle"}


def make_armature(parents: Sequence[int], seed: int = 0, name: str = "Rig") -> bpy.types.Object:
    """An armature in Pose Mode with bones b0, b1, … of random places and rolls, the active object."""
    dice = random.Random(seed)
    data = bpy.data.armatures.new(name)
    ob = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(ob)
    bpy.context.view_layer.objects.active = ob
    bpy.ops.object.mode_set(mode="EDIT")
    for i, parent in enumerate(parents):
        bone = data.edit_bones.new(f"b{i}")
        bone.head = [dice.uniform(-1, 1) for _ in range(3)]
        bone.tail = [x + dice.uniform(0.2, 1) * dice.choice((-1, 1)) for x in bone.head]
        bone.roll = dice.uniform(-3, 3)
        bone.parent = data.edit_bones[parent] if parent >= 0 else None
    bpy.ops.object.mode_set(mode="POSE")
    return ob


def turn(owner: Any, dice: random.Random, size: float = 0.7) -> str:
    """Set a random rotation in the owner's own mode: the property's name."""
    prop = ROTATION.get(owner.rotation_mode, "rotation_euler")
    if prop == "rotation_quaternion":
        setattr(owner, prop, np.array(unit([1.0, *(dice.uniform(-size, size) for _ in range(3))])))
    elif prop == "rotation_axis_angle":
        setattr(owner, prop, (dice.uniform(0.3, 2 * size), *unit([1.0, dice.uniform(-size, size), 0.3])))
    else:
        setattr(owner, prop, [dice.uniform(-size, size) for _ in range(3)])
    return prop


def unit(numbers: Iterable[float]) -> list[float]:
    """Scaled to length 1."""
    array = np.array(list(numbers))
    return (array / np.linalg.norm(array)).tolist()


def key_pose(owners: Iterable[Any], frame: int, seed: int, *, location: bool = True, scale: bool = False) -> None:
    """Key random poses."""
    dice = random.Random(seed)
    for owner in owners:
        owner.keyframe_insert(turn(owner, dice), frame=frame)
        if location:
            owner.location = [dice.uniform(-0.5, 0.5) for _ in range(3)]
            owner.keyframe_insert("location", frame=frame)
        if scale:
            owner.scale = [dice.uniform(0.7, 1.4) for _ in range(3)]
            owner.keyframe_insert("scale", frame=frame)


def fcurves(ob: bpy.types.Object) -> dict[tuple[str, int], bpy.types.FCurve]:
    """By path and index."""
    return {(fc.data_path, fc.array_index): fc for fc in compat.action_fcurves(ob)}


def bone_curve(ob: bpy.types.Object, bone: str, prop: str, index: int = 0) -> bpy.types.FCurve:
    """One F-curve of a bone."""
    return fcurves(ob)[(f'pose.bones["{bone}"].{prop}', index)]


KEY_FIELDS = ("type", "interpolation", "easing", "back", "period", "amplitude", "handle_left_type", "handle_right_type")
KEY_FIELDS += ("select_control_point", "select_left_handle", "select_right_handle")


def dump(ob: bpy.types.Object, kinds: Sequence[str] = (), handles: bool = True) -> dict[tuple[str, int], list[tuple]]:
    """Every number of every key (of some types); handles that Blender lays by the neighbours only if `handles`."""
    out = {}
    for where, fcurve in fcurves(ob).items():
        rows = []
        for key in fcurve.keyframe_points:
            if not kinds or key.type in kinds:
                row = [tuple(key.co), *(getattr(key, name) for name in KEY_FIELDS)]
                for side in ("left", "right"):
                    if handles or getattr(key, f"handle_{side}_type") in ("FREE", "ALIGNED"):
                        row.append(tuple(getattr(key, f"handle_{side}")))
                rows.append(tuple(row))
        out[where] = rows
    return out


def frames_of(fcurve: bpy.types.FCurve, kind: str) -> list[int]:
    """Frames of the keys of a type."""
    return [round(key.co.x) for key in fcurve.keyframe_points if key.type == kind]


# --- an engine for tests ---------------------------------------------------------------------------------------------


def straight_engine(folder: Path, play_on: int = 0) -> dict[str, np.ndarray]:
    """Do the job in a folder: straight lines between keys, rotations normalised; or, to play on, one more step like the
    last for locations and values, and stillness for rotations. The result's arrays."""
    clip = read_clip(folder)
    with np.load(folder / "clip.npz") as file:
        arrays = {name: file[name] for name in file.files}
    result = {"frame_start": np.int64(clip.frame_start)}
    for kind in ("rotation", "location", "value"):
        x, keys = arrays[f"{kind}s"].copy(), arrays[f"{kind}_keys"]
        for j in np.flatnonzero(arrays[f"{kind}_wanted"]):
            x[:, j] = _lines(x[:, j], np.flatnonzero(keys[:, j]), turns=kind == "rotation")
        filled = ~keys & arrays[f"{kind}_wanted"]
        if play_on:
            step = 0 * x[-1] if kind == "rotation" else x[-1] - x[-2]
            x = np.concatenate([x, [x[-1] + step * n for n in range(1, play_on + 1)]])
            filled = np.concatenate([filled, np.tile(arrays[f"{kind}_wanted"], (play_on, 1))])
        result[f"{kind}s"], result[f"{kind}_filled"] = x.astype(np.float32), filled
        result[f"plain_{kind}s"] = result[f"{kind}s"].copy()
    write_result(folder, result)
    return result


def _lines(x: np.ndarray, keys: np.ndarray, turns: bool) -> np.ndarray:
    x, out = x.copy(), x.copy()
    for a, b in pairwise(keys):
        if turns and np.dot(x[a], x[b]) < 0:
            x[b] *= -1
        for t in range(a + 1, b):
            mix = x[a] + (x[b] - x[a]) * (t - a) / (b - a)
            out[t] = mix * (-1) ** t / np.linalg.norm(mix) if turns else mix  # a rotation may come with either sign
    return out


def write_result(folder: Path, result: dict[str, np.ndarray]) -> None:
    """As the engine leaves it."""
    (folder / "result").mkdir(exist_ok=True)
    np.savez(folder / "result" / "clip.npz", **result)
