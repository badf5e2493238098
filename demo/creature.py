"""Pip, the bird: body, wings, scarf, skeleton and skin, and the functions that pose it. Does not know the shot it plays in.

Pip looks along -Y, stands on z = 0 and is about 1.5 metres tall. Bones: root (where it stands), body (squashes), head, tail,
wing and wing_tip, leg and toes on each side, and three of the scarf.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import radians

import bpy
import numpy as np
from mathutils import Euler

from demo.shapes import Region, Surface, add, ellipsoid, leaf, smooth_path, sweep

Vector3 = tuple[float, float, float]

# name: (head, tail, parent)
BONES: dict[str, tuple[Vector3, Vector3, str]] = {
    "root": ((0, 0, 0), (0, 0.3, 0), ""),
    "body": ((0, 0, 0.34), (0, 0, 0.98), "root"),
    "head": ((0, 0, 0.98), (0, -0.02, 1.5), "body"),
    "tail": ((0, 0.38, 0.55), (0, 0.86, 0.74), "body"),
    "wing.L": ((0.40, 0, 0.94), (0.50, 0.06, 0.68), "body"),
    "wing_tip.L": ((0.50, 0.06, 0.68), (0.53, 0.16, 0.40), "wing.L"),
    "wing.R": ((-0.40, 0, 0.94), (-0.50, 0.06, 0.68), "body"),
    "wing_tip.R": ((-0.50, 0.06, 0.68), (-0.53, 0.16, 0.40), "wing.R"),
    "leg.L": ((0.18, 0, 0.34), (0.18, 0, 0.06), "root"),
    "toes.L": ((0.18, 0, 0.06), (0.18, -0.2, 0.03), "leg.L"),
    "leg.R": ((-0.18, 0, 0.34), (-0.18, 0, 0.06), "root"),
    "toes.R": ((-0.18, 0, 0.06), (-0.18, -0.2, 0.03), "leg.R"),
    "scarf.1": ((-0.16, 0.31, 1.03), (-0.36, 0.56, 1.02), "body"),
    "scarf.2": ((-0.36, 0.56, 1.02), (-0.55, 0.78, 0.93), "scarf.1"),
    "scarf.3": ((-0.55, 0.78, 0.93), (-0.72, 0.96, 0.78), "scarf.2"),
}


@dataclass(frozen=True)
class Pose:
    """One bone's pose: turn in degrees about the bird's axes (x nods forward, y tilts, z looks round), on top of what the
    parent does; move in metres; stretch along the bone."""

    turn: Vector3 = (0, 0, 0)
    move: Vector3 = (0, 0, 0)
    stretch: float = 1.0

    @property
    def scale(self) -> Vector3:
        """Stretch along the bone at constant volume."""
        thin = self.stretch**-0.5
        return (thin, self.stretch, thin)


def _egg() -> Surface:
    """Body and head in one: the soft union of two ellipsoids, turned on a wheel whose axle bends forward."""
    u = (1 - np.cos(np.linspace(0, np.pi, 56))) / 2
    z = 0.20 + u * (1.50 - 0.20)
    body = 0.48 * np.sqrt(np.maximum(1 - ((z - 0.67) / 0.47) ** 2, 0))
    head = 0.37 * np.sqrt(np.maximum(1 - ((z - 1.17) / 0.33) ** 2, 0))
    radius = np.maximum((body**6 + head**6) ** (1 / 6), 2e-3)
    bend = np.clip((z - 0.55) / 0.6, 0, 1)
    path = np.stack([0 * z, -0.07 * bend * bend * (3 - 2 * bend), z], 1)
    return sweep(path, radius[:, None] * [1.0, 0.96], sides=48)


def _leg(x: float) -> Surface:
    shin = sweep(smooth_path([(x, 0, 0.36), (x, 0.02, 0.2), (x, 0, 0.05)], 8), np.full((8, 2), 0.032), sides=12)
    toes = [
        leaf([(x, 0.02, 0.05), (x + dx, -dy, 0.025)], 0.035, 0.028, (1, 0, 0), 0.6)
        for dx, dy in ((-0.1, 0.17), (0, 0.22), (0.1, 0.17))
    ]
    return shin + toes[0] + toes[1] + toes[2] + leaf([(x, -0.02, 0.05), (x, 0.13, 0.025)], 0.03, 0.026, (1, 0, 0))


def _scarf_ring() -> Surface:
    angle = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    path = np.stack([0.385 * np.cos(angle), -0.05 + 0.375 * np.sin(angle), 0.985 + 0.035 * np.sin(angle)], 1)
    return sweep(path, np.full((48, 2), 0.085) * [1.0, 0.85], side=(0, 0, 1), sides=16, closed=True)


def _scarf_tail() -> Surface:
    points = [(-0.10, 0.27, 1.03), *(BONES[f"scarf.{i}"][1] for i in (1, 2, 3))]
    path = smooth_path(points, 26)
    width = np.interp(np.linspace(0, 1, 26), [0, 0.06, 0.5, 0.95, 1], [0.03, 0.075, 0.10, 0.125, 0.02])
    return sweep(path, np.stack([width, np.full(26, 0.028)], 1), side=(0, 0, 1), sides=16)


def _parts() -> Iterable[tuple[str, Surface, str, list[Region], list[str]]]:
    """(name, surface, paint, regions, bones that move it)."""
    face = [
        Region("belly", (0, -0.50, 0.62), (0.37, 0.46, 0.46)),
        Region("belly", (0.13, -0.44, 1.17), (0.185, 0.30, 0.20)),
        Region("belly", (-0.13, -0.44, 1.17), (0.185, 0.30, 0.20)),
        Region("cheek", (0.245, -0.33, 1.075), (0.075, 0.12, 0.06)),
        Region("cheek", (-0.245, -0.33, 1.075), (0.075, 0.12, 0.06)),
    ]
    yield "Pip body", _egg(), "back", face, ["body", "head"]
    yield (
        "Pip beak",
        leaf([(0, -0.38, 1.12), (0, -0.48, 1.115), (0, -0.60, 1.085)], 0.085, 0.065, (1, 0, 0), 0.22),
        "beak",
        [],
        ["head"],
    )
    for side, x in (("L", 1), ("R", -1)):
        glint = Region("glint", (x * 0.15 + 0.03, -0.44, 1.255), (0.026, 0.04, 0.028))
        yield (
            f"Pip eye {side}",
            ellipsoid((x * 0.15, -0.395, 1.225), (0.056, 0.04, 0.068), 20),
            "eye",
            [glint],
            ["head"],
        )
        wing = leaf(
            [(x * 0.40, -0.02, 1.0), (x * 0.49, 0.05, 0.7), (x * 0.50, 0.22, 0.36)], 0.21, 0.055, (0, 1, 0), 0.42
        )
        yield f"Pip wing {side}", wing, "wing", [], ["body", f"wing.{side}", f"wing_tip.{side}"]
        yield f"Pip leg {side}", _leg(x * 0.18), "leg", [], [f"leg.{side}", f"toes.{side}"]
    tail = leaf([(0, 0.36, 0.52), (0, 0.6, 0.6), (0, 0.92, 0.78)], 0.15, 0.045, (1, 0, 0), 0.6)
    yield "Pip tail", tail, "wing", [], ["body", "tail"]
    tuft = leaf([(0, -0.10, 1.46), (0.0, -0.06, 1.60), (0.02, 0.08, 1.70)], 0.055, 0.035, (1, 0, 0))
    tuft += leaf([(0, -0.04, 1.46), (-0.02, 0.03, 1.56), (-0.03, 0.14, 1.60)], 0.045, 0.03, (1, 0, 0))
    yield "Pip tuft", tuft, "back", [], ["head"]
    yield "Pip scarf", _scarf_ring(), "scarf", [], ["body", "head"]
    stripes = [Region("stripe", (x, y, z), (0.055, 0.2, 0.2)) for x, y, z in ((-0.36, 0.56, 1.02), (-0.60, 0.84, 0.88))]
    yield "Pip scarf tail", _scarf_tail(), "scarf", stripes, ["body", "scarf.1", "scarf.2", "scarf.3"]


def smooth_weights(vertices: np.ndarray, bones: list[str]) -> np.ndarray:
    """Weights (N, bones) that sum to one: the inverse fourth power of the distance to each bone."""
    distance = np.empty((len(vertices), len(bones)))
    for column, name in enumerate(bones):
        head, tail = (np.asarray(p, float) for p in BONES[name][:2])
        along = np.clip((vertices - head) @ (tail - head) / ((tail - head) @ (tail - head)), 0, 1)
        distance[:, column] = np.linalg.norm(vertices - head - along[:, None] * (tail - head), axis=1)
    weights = 1 / (distance + 0.02) ** 4
    return weights / weights.sum(1, keepdims=True)


def _skin(part: bpy.types.Object, rig: bpy.types.Object, vertices: np.ndarray, bones: list[str]) -> None:
    weights = smooth_weights(vertices, bones)
    for column, bone in enumerate(bones):
        group = part.vertex_groups.new(name=bone)
        for vertex, weight in enumerate(weights[:, column].tolist()):
            if weight > 1e-3:
                group.add([vertex], weight, "REPLACE")
    part.parent = rig
    modifier = part.modifiers.new("Armature", "ARMATURE")
    modifier.object = rig


def _skeleton(scene: bpy.types.Scene, name: str) -> bpy.types.Object:
    rig = bpy.data.objects.new(name, bpy.data.armatures.new(name))
    scene.collection.objects.link(rig)
    layer = scene.view_layers[0]
    layer.objects.active = rig
    with bpy.context.temp_override(scene=scene, view_layer=layer, active_object=rig, object=rig):
        bpy.ops.object.mode_set(mode="EDIT")
        for bone, (head, tail, parent) in BONES.items():
            made = rig.data.edit_bones.new(bone)
            made.head, made.tail = head, tail
            if parent:
                made.parent = rig.data.edit_bones[parent]
        bpy.ops.object.mode_set(mode="OBJECT")
    return rig


def build(scene: bpy.types.Scene, name: str = "Pip") -> bpy.types.Object:
    """The whole bird in the scene; returns its armature object."""
    rig = _skeleton(scene, name)
    for part, surface, paint, regions, bones in _parts():
        _skin(add(scene, part, surface, paint, regions), rig, surface.vertices, bones)
    return rig


def key_pose(rig: bpy.types.Object, frame: int, poses: Mapping[str, Pose]) -> None:
    """Key every bone named in `poses` at this frame: rotation always, location of the root, scale of the body."""
    for bone, pose in poses.items():
        pose_bone = rig.pose.bones[bone]
        pose_bone.rotation_mode = "QUATERNION"
        rest = pose_bone.bone.matrix_local.to_quaternion()
        turn = Euler([radians(angle) for angle in pose.turn]).to_quaternion()
        pose_bone.rotation_quaternion = rest.inverted() @ turn @ rest
        pose_bone.keyframe_insert("rotation_quaternion", frame=frame, group=bone)
        if bone == "root":
            pose_bone.location = pose.move
            pose_bone.keyframe_insert("location", frame=frame, group=bone)
        if bone == "body":
            pose_bone.scale = pose.scale
            pose_bone.keyframe_insert("scale", frame=frame, group=bone)
