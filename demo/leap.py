"""The demo's second scene: the same bird on an empty stage, with a handful of keyed poses and nothing between them. The poses
are what an animator would set for two leaps and a wave. Knows Blender; does not know who fills in the rest."""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Vector

from demo import creature
from demo.creature import Pose
from demo.scene import render_settings
from demo.shapes import add, sweep

PLAY_ON = 24


def _pose(
    yaw: float,
    place: tuple[float, float, float],
    lean: float = 0.0,
    stretch: float = 1.0,
    nod: float = 0.0,
    wings: tuple[float, float] = (6, 6),
    legs: tuple[float, float] = (0, 0),
    toes: float = 0.0,
    tail: float = 0.0,
    scarf: float = 0.0,
    tilt: float = 0.0,
) -> dict[str, Pose]:
    """The whole bird: angles in degrees, wings and legs left and right, place in metres."""
    poses = {
        "root": Pose((0, 0, yaw), place),
        "body": Pose((lean, tilt, 0), stretch=stretch),
        "head": Pose((nod, 1.3 * tilt, 0)),
        "tail": Pose((tail, 0, 0)),
    }
    for side, sign, wing, leg in (("L", -1, wings[0], legs[0]), ("R", 1, wings[1], legs[1])):
        poses[f"wing.{side}"] = Pose((0, sign * wing, 0))
        poses[f"wing_tip.{side}"] = Pose((0, sign * 0.35 * wing, 0))
        poses[f"leg.{side}"] = Pose((leg, 0, 0))
        poses[f"toes.{side}"] = Pose((toes, 0, 0))
    return poses | {f"scarf.{i}": Pose((scarf, 0, 4 * i)) for i in (1, 2, 3)}


POSES = {
    1: _pose(52, (-1.1, 0, 0)),
    11: _pose(56, (-1.15, 0, 0), lean=24, stretch=0.80, nod=-16, wings=(34, 34), tail=22, scarf=-12),
    21: _pose(46, (-0.25, 0, 0.62), -16, 1.12, nod=-10, wings=(98, 98), legs=(46, 30), toes=44, tail=-14, scarf=22),
    31: _pose(22, (0.75, 0, 0), lean=20, stretch=0.78, nod=8, wings=(52, 52), tail=26, scarf=15),
    41: _pose(8, (1.55, 0, 0.60), -8, 1.12, -8, (126, 62), legs=(36, 20), toes=44, tail=-14, scarf=20, tilt=10),
    51: _pose(6, (2.35, 0, 0), lean=20, stretch=0.78, nod=4, wings=(48, 48), tail=24, scarf=12),
    60: _pose(-12, (2.35, 0, 0), lean=2, stretch=0.98, nod=-6, wings=(108, 16), tail=2, scarf=2, tilt=6),
}
KEYS = tuple(POSES)
FRAME_END = KEYS[-1] + PLAY_ON


def _island(scene: bpy.types.Scene, rig: bpy.types.Object) -> None:
    """A round of ground that follows the bird, to catch its shadow."""
    path = np.array([(0, 0, -0.07), (0, 0, -0.02), (0, 0, 0.0)])
    island = add(scene, "Island", sweep(path, np.array([(0.80, 0.70), (0.92, 0.80), (0.90, 0.78)]), sides=64), "ground")
    follow = island.constraints.new("COPY_LOCATION")
    follow.target, follow.subtarget, follow.use_z = rig, "root", False


def build(resolution: int) -> bpy.types.Scene:
    """A second scene, "Leap", in the open file; its bird is the active object, with every bone selected."""
    scene = bpy.data.scenes.new("Leap")
    scene.frame_start, scene.frame_end = KEYS[0], FRAME_END
    rig = creature.build(scene, "Pip leaping")
    for frame, poses in POSES.items():
        creature.key_pose(rig, frame, poses)
    _island(scene, rig)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.data.angle = 2.7, 0.02
    sun.rotation_euler = Vector((-0.55, -0.8, 0.9)).to_track_quat("Z", "Y").to_euler()
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", 2.6
    camera.location = (0, -6, 2.1)
    camera.rotation_euler = (Vector((0, 0, 1.16)) - camera.location).to_track_quat("-Z", "Y").to_euler()
    follow = camera.constraints.new("COPY_LOCATION")
    follow.target, follow.subtarget, follow.use_y, follow.use_z = rig, "root", False, False
    for ob in (sun, camera):
        scene.collection.objects.link(ob)
    scene.camera = camera
    render_settings(scene, resolution)
    return scene
