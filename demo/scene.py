"""The demo's shot, made from nothing: a meadow at dusk, Pip hopping after a toadstool, a moving camera, a moving sun. Knows
Blender; does not know Understudy.

Run by hand:  python -m demo.scene OUT.blend [resolution]
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler, Vector

from demo import creature, meadow
from demo.creature import Pose
from demo.shapes import add

FRAMES = (1, 48)
KEY_FRAME = 24
RESOLUTION = 256


class Curve:
    """A smooth curve through (frame, value) pairs, flat at both ends."""

    def __init__(self, *keys: tuple[float, float]) -> None:
        self.x, self.y = (np.array(column, float) for column in zip(*keys, strict=True))
        self.slope = np.gradient(self.y, self.x)
        self.slope[[0, -1]] = 0
        turns = np.sign(np.diff(self.y[:-1])) != np.sign(np.diff(self.y[1:]))
        self.slope[1:-1][turns] = 0  # extremes stay extremes: no overshoot

    def __call__(self, frame: float) -> float:
        x = float(np.clip(frame, self.x[0], self.x[-1]))
        i = int(np.clip(np.searchsorted(self.x, x, "right") - 1, 0, len(self.x) - 2))
        h = self.x[i + 1] - self.x[i]
        t = (x - self.x[i]) / h
        a, b, m, n = self.y[i], self.y[i + 1], self.slope[i] * h, self.slope[i + 1] * h
        return float(a + t * (m + t * (3 * (b - a) - 2 * m - n + t * (2 * (a - b) + m + n))))


def hop(frame: float, start: float, end: float) -> float:
    """0 on the ground, 1 at the top of a thrown body's path between the two frames."""
    t = (frame - start) / (end - start)
    return float(max(0.0, 4 * t * (1 - t)))


# --- the bird's performance -------------------------------------------------------------------------------------------

HOPS = ((9, 19), (28, 38))
SQUASH = Curve(
    (1, 1.0), (6, 0.84), (9.5, 1.13), (14, 1.0), (18.5, 1.10), (21, 0.80), (24, 1.05), (26, 0.86), (28.5, 1.14),
    (33, 1.0), (37.5, 1.1), (40, 0.79), (43, 1.06), (46, 0.98), (48, 1.0)
)  # fmt: skip
LEAN = Curve(
    (1, 0), (6, 18), (11, -8), (17, -12), (21, 16), (25, 14), (30, -10), (36, -12), (40, 17), (44, -3), (48, 0)
)  # fmt: skip
TURN = Curve((1, 44), (8, 40), (19, 28), (28, 34), (38, 22), (48, 6))
TRAVEL = Curve((1, -0.80), (9, -0.78), (19, -0.34), (28, -0.32), (38, 0.06), (48, 0.08))
WING = Curve(
    (1, 4), (7, 0), (11, 62), (14, 20), (17, 58), (21, 6), (26, 2), (30, 66), (33, 22), (36, 60), (40, 8),
    (44, 16), (48, 6)
)  # fmt: skip
HEAD = Curve((1, -4), (8, 10), (14, -14), (21, 10), (26, 8), (33, -14), (40, 12), (48, -6))
LOOK = Curve((1, 14), (20, 18), (25, -16), (30, 4), (38, 8), (46, -22), (48, -22))


def bird_poses(frame: float) -> dict[str, Pose]:
    """Every bone's pose at a frame of the shot."""
    air = max(hop(frame, *h) for h in HOPS)
    # The scarf follows what the body did before.
    lag = [0.5 * (LEAN(frame - d) - LEAN(frame - d - 2)) for d in (1, 2.5, 4)]
    flutter = [8 * np.sin(0.9 * frame - 1.1 * i) for i in range(3)]
    poses = {
        "root": Pose((0, 0, TURN(frame)), (TRAVEL(frame), -0.1 + 0.05 * np.sin(frame / 12), 0.46 * air)),
        "body": Pose((LEAN(frame), 0, 0), stretch=SQUASH(frame)),
        "head": Pose((HEAD(frame), 5 * np.sin(frame / 7), LOOK(frame))),
        "tail": Pose((0.9 * LEAN(frame - 2) + 6, 0, 0)),
    }
    for side, sign in (("L", -1), ("R", 1)):
        poses[f"wing.{side}"] = Pose((0, sign * WING(frame), 0))
        poses[f"wing_tip.{side}"] = Pose((0, sign * 0.5 * WING(frame - 1.5), 0))
        poses[f"leg.{side}"] = Pose((28 * air, 0, 0))
        poses[f"toes.{side}"] = Pose((46 * air, 0, 0))
    for i in range(3):
        poses[f"scarf.{i + 1}"] = Pose((lag[i] + flutter[i] * 0.6 + 8 * air, 0, flutter[i]))
    return poses


# --- the toadstool ---------------------------------------------------------------------------------------------------

TOADSTOOL_HOPS = ((3, 13), (16, 26), (29, 39), (42, 52))


def _build_toadstool(scene: bpy.types.Scene) -> bpy.types.Object:
    surface, regions = meadow.toadstool()
    toadstool = add(scene, "Toadstool", surface, "cap", regions)
    toadstool.shape_key_add(name="Rest")
    squash = toadstool.shape_key_add(name="Squash")
    flat = surface.vertices * [1.3, 1.3, 0.62]
    squash.data.foreach_set("co", flat.astype(np.float32).ravel())
    squash.slider_min = -0.5
    size = Curve(
        (1, 0.55), (3.5, -0.3), (8, 0), (12.5, -0.25), (14.5, 0.7), (16.5, -0.3), (21, 0), (25.5, -0.25),
        (27.5, 0.7), (29.5, -0.3), (34, 0), (38.5, -0.25), (40.5, 0.7), (42.5, -0.3), (48, 0.0)
    )  # fmt: skip
    way = Curve((1, 0.42), (3, 0.42), (13, 0.76), (16, 0.76), (26, 1.0), (29, 1.0), (39, 1.22), (42, 1.22), (48, 1.3))
    for frame in range(FRAMES[0], FRAMES[1] + 1):
        height = 0.34 * max(hop(frame, *h) for h in TOADSTOOL_HOPS)
        toadstool.location = (way(frame), -0.55 + 0.08 * np.sin(frame / 9), height)
        toadstool.rotation_euler = Euler((0.12 * np.sin(frame / 4.1), -0.25 * height, 0.035 * frame))
        squash.value = size(frame)
        toadstool.keyframe_insert("location", frame=frame)
        toadstool.keyframe_insert("rotation_euler", frame=frame)
        squash.keyframe_insert("value", frame=frame)
    return toadstool


# --- light, camera, render settings ----------------------------------------------------------------------------------


def _build_light(scene: bpy.types.Scene) -> None:
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    scene.collection.objects.link(sun)
    sun.data.energy, sun.data.angle, sun.data.color = 2.7, 0.02, (1.0, 0.95, 0.86)
    sun.rotation_mode = "QUATERNION"
    around, up = Curve((1, -48), (48, 8)), Curve((1, 42), (24, 48), (48, 42))
    for frame in range(FRAMES[0], FRAMES[1] + 1):
        azimuth, elevation = np.radians(around(frame)), np.radians(up(frame))
        towards = Vector((np.sin(azimuth) * np.cos(elevation), -np.cos(azimuth) * np.cos(elevation), np.sin(elevation)))
        sun.rotation_quaternion = towards.to_track_quat("Z", "Y")
        sun.keyframe_insert("rotation_quaternion", frame=frame)


def _build_camera(scene: bpy.types.Scene) -> None:
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    scene.camera = camera
    camera.data.lens = 57
    camera.rotation_mode = "QUATERNION"
    side, back, high = Curve((1, -0.6), (48, 0.6)), Curve((1, -4.85), (48, -4.5)), Curve((1, 1.1), (48, 1.3))
    aim = Curve((1, -0.12), (48, 0.3))
    for frame in range(FRAMES[0], FRAMES[1] + 1):
        camera.location = (side(frame), back(frame), high(frame))
        direction = Vector((aim(frame), 0, 0.86)) - camera.location
        camera.rotation_quaternion = direction.to_track_quat("-Z", "Y")
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_quaternion", frame=frame)


def render_settings(scene: bpy.types.Scene, resolution: int, samples: int = 5) -> None:
    """Small square pictures by Cycles on the processor: needs neither display nor graphics card."""
    scene.render.engine = "CYCLES"
    scene.render.resolution_x = scene.render.resolution_y = resolution
    scene.render.resolution_percentage = 100
    scene.render.fps = 24
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_adaptive_sampling = False
    scene.cycles.use_denoising = False
    scene.cycles.max_bounces = 0
    scene.cycles.use_light_tree = False
    scene.render.dither_intensity = 0.0
    scene.render.use_persistent_data = True
    scene.view_settings.view_transform = "Standard"


def build(resolution: int = RESOLUTION) -> bpy.types.Scene:
    """An empty file (preferences stay), then the whole shot in its one scene."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    scene = bpy.context.scene
    scene.name = "Shot"
    scene.frame_start, scene.frame_end = FRAMES
    meadow.build(scene)
    rig = creature.build(scene)
    for frame in range(FRAMES[0], FRAMES[1] + 1):
        creature.key_pose(rig, frame, bird_poses(frame))
    _build_toadstool(scene)
    _build_light(scene)
    _build_camera(scene)
    render_settings(scene, resolution)
    scene.frame_set(KEY_FRAME)
    return scene


if __name__ == "__main__":
    build(*(int(a) for a in sys.argv[2:3]))
    bpy.ops.wm.save_as_mainfile(filepath=str(Path(sys.argv[1]).absolute()))
