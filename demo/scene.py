"""The demo's shot, made from nothing: a meadow at dusk, Pip hopping after a toadstool, a moving camera, a moving sun. Knows
Blender; does not know Understudy.

Run by hand:  python -m demo.scene OUT.blend [resolution]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import bpy
import numpy as np
from mathutils import Euler, Vector

from demo import creature
from demo.creature import Pose
from demo.shapes import Region, Surface, add, ellipsoid, leaf, smooth_path, sweep

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


# --- the set ---------------------------------------------------------------------------------------------------------


def _ground() -> Surface:
    x, y = np.meshgrid(np.linspace(-14, 14, 85), np.linspace(-4, 20, 73))
    z = 0.05 * np.sin(0.9 * x + 0.3) * np.sin(0.7 * y) * np.clip(np.hypot(x, y) - 1.6, 0, 3) + 0.02 * np.clip(
        y - 6, 0, None
    )
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    columns = x.shape[1]
    quads = [(r * columns + c) for r in range(x.shape[0] - 1) for c in range(columns - 1)]
    return Surface(vertices, [[q, q + 1, q + columns + 1, q + columns] for q in quads])


def _disc(centre: Sequence[float], width: float, height: float) -> Surface:
    """A flat upright disc that looks to the camera."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    ring = np.stack([width * np.cos(angle), 0 * angle, height * np.sin(angle)], 1) + np.asarray(centre, float)
    return Surface(ring, [list(range(64))])


def _tree(x: float, y: float, height: float, lean: float) -> tuple[Surface, Surface]:
    trunk_path = smooth_path([(x, y, -0.1), (x + lean * 0.3, y, height * 0.4), (x + lean, y, height * 0.8)], 14)
    trunk = sweep(trunk_path, np.linspace(0.14, 0.07, 14)[:, None] * [1.0, 1.0] * (height / 2.4), sides=14)
    top = (x + lean * 1.6, y, height * 1.45)
    s = (1 - np.cos(np.linspace(0, np.pi, 40))) / 2
    path = smooth_path([(x + lean * 0.4, y, height * 0.30), (x + lean, y, height * 0.85), top], 401)[
        np.round(s * 400).astype(int)
    ]
    drop = np.maximum(np.sin(np.pi * s**0.62) ** 0.8, 1e-3) * (1 + 0.06 * np.sin(9 * s))
    crown = sweep(path, drop[:, None] * [0.30 * height, 0.26 * height], sides=36)
    return trunk, crown


def _tuft(x: float, y: float, size: float, seed: int) -> Surface:
    rng = np.random.default_rng(seed)
    tuft = Surface(np.zeros((0, 3)), [])
    for _ in range(7):
        dx, dy = rng.uniform(-0.55, 0.55), rng.uniform(-0.2, 0.2)
        h = size * rng.uniform(0.6, 1.0)
        tuft += leaf(
            [
                (x + dx * 0.3 * size, y, -0.03),
                (x + dx * 0.5 * size, y + dy * 0.4 * size, 0.6 * h),
                (x + dx * size, y + dy * size, h),
            ],
            0.06 * size,
            0.03 * size,
            (1, 0, 0),
            0.3,
        )
    return tuft


def _build_set(scene: bpy.types.Scene) -> None:
    add(
        scene,
        "Sky",
        Surface(np.array([(-26, 30, 0), (26, 30, 0), (26, 30, 19), (-26, 30, 19)], float), [[0, 1, 2, 3]]),
        "sky",
    )
    add(scene, "Sun disc", _disc((5.6, 29, 6.4), 2.9, 2.9), "sun").visible_shadow = False
    add(
        scene,
        "Far hill",
        ellipsoid((-9, 25, -1.2), (12, 3, 5.6), 64) + ellipsoid((10, 26, -1.5), (10, 3, 5.0), 64),
        "far hill",
    )
    add(
        scene,
        "Near hill",
        ellipsoid((10.5, 17, -1.2), (8, 3, 3.9), 64) + ellipsoid((-7.5, 16, -1.3), (6.5, 3, 3.0), 64),
        "near hill",
    )
    add(scene, "Ground", _ground(), "ground")
    for number, (x, y, height, lean) in enumerate(
        ((-2.6, 4.2, 2.5, 0.25), (3.3, 6.5, 2.7, -0.2), (-4.4, 8.5, 2.4, 0.1)), 1
    ):
        trunk, crown = _tree(x, y, height, lean)
        add(scene, f"Trunk {number}", trunk, "trunk")
        add(scene, f"Leaves {number}", crown, "leaves")
    stones = (
        (1.75, 0.9, 0.02, 0.34, 0.26, 0.22),
        (2.2, 1.15, 0.0, 0.2, 0.18, 0.14),
        (-1.95, 0.4, 0.0, 0.26, 0.22, 0.17),
    )
    for number, (x, y, z, *radii) in enumerate(stones, 1):
        add(scene, f"Stone {number}", ellipsoid((x, y, z), radii, 28), "stone")
    tufts = (
        (-1.3, -1.15, 0.42),
        (1.55, -1.0, 0.36),
        (2.35, 0.75, 0.44),
        (-1.65, 0.75, 0.5),
        (0.55, 1.7, 0.36),
        (0.25, -1.35, 0.24),
    )
    for number, (x, y, size) in enumerate(tufts, 1):
        add(scene, f"Grass {number}", _tuft(x, y, size, number), "grass")


# --- the toadstool ---------------------------------------------------------------------------------------------------

TOADSTOOL_HOPS = ((3, 13), (16, 26), (29, 39), (42, 52))


def _toadstool_surface() -> tuple[Surface, list[Region]]:
    profile = [
        (0.0, 0.10),
        (0.03, 0.145),
        (0.16, 0.115),
        (0.30, 0.10),
        (0.335, 0.12),
        (0.34, 0.30),
        (0.37, 0.335),
        (0.42, 0.325),
        (0.52, 0.25),
        (0.59, 0.13),
        (0.61, 0.005),
    ]
    rows = smooth_path(profile, 60)
    path = np.stack([0 * rows[:, 0], 0 * rows[:, 0], np.maximum.accumulate(rows[:, 0]) + np.arange(60) * 1e-5], 1)
    surface = sweep(path, np.maximum(rows[:, 1], 0.004)[:, None] * [1.0, 1.0], sides=48)
    # Around the cap: angle, part of its radius, height, size.
    places = (
        (0.1, 0.93, 0.455, 0.075), (1.25, 1.0, 0.43, 0.06), (2.4, 0.95, 0.45, 0.075), (3.6, 1.0, 0.43, 0.06),
        (4.7, 0.93, 0.455, 0.075), (5.65, 0.98, 0.43, 0.055), (0.7, 0.45, 0.57, 0.06), (3.0, 0.5, 0.56, 0.06),
        (5.0, 0.4, 0.58, 0.05)
    )  # fmt: skip
    dots = [Region("dot", (0.3 * s * np.sin(a), -0.3 * s * np.cos(a), z), (r, r, r)) for a, s, z, r in places]
    return surface, [Region("stem", (0, 0, 0.10), (0.23, 0.23, 0.243)), *dots]


def _build_toadstool(scene: bpy.types.Scene) -> bpy.types.Object:
    surface, regions = _toadstool_surface()
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
    _build_set(scene)
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
