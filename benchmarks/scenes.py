"""The scenes of the benchmark's shots, authored by script: rigid toys and a fast camera, a dancer in a skirt, a grove of thin
things, and the demo's meadow. Each moves its light. It knows bpy and the demo's shapes; not how a shot is rendered.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import bpy
import numpy as np
from mathutils import Vector

from demo.scene import build as build_demo
from demo.shapes import Surface, ellipsoid, smooth_path, sweep


def material(name: str, colour: tuple[float, float, float]) -> bpy.types.Material:
    """A matte material of one linear colour."""
    mat = bpy.data.materials.new(name)
    mat.use_nodes = True
    shader = mat.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = 1.0
    shader.inputs["Specular IOR Level"].default_value = 0.0
    return mat


def finish(
    ob: bpy.types.Object, name: str, colour: tuple[float, float, float], smooth: bool = True
) -> bpy.types.Object:
    """Name, colour and number the object that was just made."""
    ob.name = name
    ob.data.materials.append(material(name, colour))
    ob.pass_index = 1 + sum(1 for other in bpy.context.scene.objects if other.pass_index > 0)
    if smooth:
        ob.data.polygons.foreach_set("use_smooth", [True] * len(ob.data.polygons))
    return ob


def keyed(ob: bpy.types.Object, path: str, values: dict[int, tuple[float, ...]]) -> None:
    """Key `path` at the frames of `values`."""
    for frame, value in values.items():
        setattr(ob, path, value)
        ob.keyframe_insert(path, frame=frame)


def add_camera(path: dict[int, tuple[float, float, float]], target: tuple[float, float, float], lens: float) -> None:
    """A camera on `path`, looking at `target`."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens = lens
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.scene.camera = camera
    for frame, place in path.items():
        camera.location = place
        camera.rotation_euler = (Vector(target) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
        camera.keyframe_insert("location", frame=frame)
        camera.keyframe_insert("rotation_euler", frame=frame)


def add_sun(turns: dict[int, tuple[float, float]]) -> None:
    """A sun without softness; `turns` gives its tilt and bearing in degrees."""
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.angle = 0.0
    sun.data.energy = 3.0
    bpy.context.scene.collection.objects.link(sun)
    keyed(sun, "rotation_euler", {f: (math.radians(t), 0.0, math.radians(b)) for f, (t, b) in turns.items()})


def skinned_column(bones: int, height: float, radius: float) -> tuple[bpy.types.Object, bpy.types.Object]:
    """A column that bends with a chain of bones; returns the mesh and its armature."""
    bpy.ops.mesh.primitive_cylinder_add(radius=radius, depth=height, vertices=48, location=(0, 0, height / 2))
    mesh = bpy.context.object
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.bisect(plane_co=(0, 0, height / 2), plane_no=(0, 0, 1))
    for i in range(1, 24):
        bpy.ops.mesh.select_all(action="SELECT")
        bpy.ops.mesh.bisect(plane_co=(0, 0, height * i / 24), plane_no=(0, 0, 1))
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.object.armature_add(location=(0, 0, 0))
    rig = bpy.context.object
    bpy.ops.object.mode_set(mode="EDIT")
    edit = rig.data.edit_bones
    edit[0].tail = (0, 0, height / bones)
    for i in range(1, bones):
        bone = edit.new(f"Bone.{i:03d}")
        bone.head, bone.tail = edit[i - 1].tail, (0, 0, height * (i + 1) / bones)
        bone.parent, bone.use_connect = edit[i - 1], True
    bpy.ops.object.mode_set(mode="OBJECT")
    mesh.select_set(True)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.parent_set(type="ARMATURE_AUTO")
    return mesh, rig


def solid(name: str, surface: Surface, colour: tuple[float, float, float], smooth: bool = True) -> bpy.types.Object:
    """A mesh object of this surface."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(surface.vertices.tolist(), [], surface.faces)
    ob = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(ob)
    return finish(ob, name, colour, smooth)


def together(parts: list[Surface]) -> Surface:
    """One surface of many."""
    starts = np.cumsum([0, *(len(part.vertices) for part in parts[:-1])])
    faces = [[v + int(start) for v in face] for part, start in zip(parts, starts, strict=True) for face in part.faces]
    return Surface(np.concatenate([part.vertices for part in parts]), faces)


def moving(ob: bpy.types.Object, shift: np.ndarray, values: Callable[[int], float], last: int) -> None:
    """Move the vertices by `shift` (N, 3) times a value of the frame, as a shape key: the rest pose stays."""
    if not ob.data.shape_keys:
        ob.shape_key_add(name="Rest")
    key = ob.shape_key_add(name="Moved")
    points = np.empty(len(ob.data.vertices) * 3, np.float32)
    ob.data.vertices.foreach_get("co", points)
    key.data.foreach_set("co", points + shift.astype(np.float32).ravel())
    key.slider_min, key.slider_max = -1, 1
    for frame in range(1, last + 1):
        key.value = values(frame)
        key.keyframe_insert("value", frame=frame)


def turntable(last: int) -> None:
    """Rigid toys on a ground, a fast camera, a sun that walks half around."""
    ops = bpy.ops.mesh
    ops.primitive_plane_add(size=14)
    finish(bpy.context.object, "Ground", (0.35, 0.33, 0.28), smooth=False)
    ops.primitive_uv_sphere_add(radius=1.0, location=(-1.5, 0.2, 1.0), segments=48, ring_count=24)
    ball = finish(bpy.context.object, "Ball", (0.6, 0.12, 0.08))
    ops.primitive_torus_add(major_radius=0.8, minor_radius=0.32, location=(0.9, -1.0, 0.9), rotation=(1.2, 0.3, 0))
    ring = finish(bpy.context.object, "Ring", (0.1, 0.3, 0.6))
    ops.primitive_cube_add(size=1.3, location=(1.3, 1.2, 0.65))
    finish(bpy.context.object, "Box", (0.55, 0.45, 0.08), smooth=False)
    ops.primitive_monkey_add(size=1.7, location=(-0.3, -1.9, 0.75))
    head = finish(bpy.context.object, "Head", (0.2, 0.42, 0.14))
    keyed(ball, "location", {1: (-1.5, 0.2, 1.0), last // 2: (-1.9, 0.6, 1.9), last: (-2.3, 0.0, 1.0)})
    keyed(ball, "rotation_euler", {1: (0, 0, 0), last: (0.8, 0.9, 1.2)})
    keyed(ring, "rotation_euler", {1: (1.2, 0.3, 0), last: (1.9, 0.2, 1.1)})
    keyed(head, "rotation_euler", {1: (-0.5, 0, 0), last: (-0.3, 0, 0.9)})
    add_camera({1: (4.5, -7.5, 4.6), last // 2: (0.5, -8.6, 4.0), last: (-4.2, -7.6, 3.4)}, (-0.2, -0.3, 0.8), 42)
    add_sun({1: (48, -35), last: (38, 75)})


def skirt(last: int) -> None:
    """A bell of cloth round the column: folds that travel round it, and a swing."""
    down = np.linspace(0, 1, 24)
    path = np.stack([0 * down, 0 * down, 1.75 - 1.5 * down], 1)
    cloth = sweep(path, (0.6 + 0.75 * down**1.5)[:, None] * [1.0, 1.0], sides=120)
    ob = solid("Skirt", cloth, (0.12, 0.22, 0.5))
    angle = np.arctan2(cloth.vertices[:, 1], cloth.vertices[:, 0])
    depth = np.clip((1.75 - cloth.vertices[:, 2]) / 1.5, 0, 1)
    out = np.stack([np.cos(angle), np.sin(angle), 0 * angle], 1) * (0.2 * depth**1.3)[:, None]
    moving(ob, out * np.cos(7 * angle)[:, None], lambda frame: math.cos(0.11 * frame), last)
    moving(ob, out * np.sin(7 * angle)[:, None], lambda frame: math.sin(0.11 * frame), last)
    swing = np.stack([0.35 * depth**2, 0.1 * depth, 0.06 * depth * np.cos(angle)], 1)
    moving(ob, swing, lambda frame: math.sin(6.3 * frame / last), last)


def dancer(last: int) -> None:
    """A skinned column that bends and twists in a skirt whose folds travel, a hoop and a ball that cover it; the camera
    drifts. The sun walks round, and the wall is lit all the time: no key could tell how it would look else."""
    ops = bpy.ops.mesh
    mesh, rig = skinned_column(6, 4.0, 0.55)
    finish(mesh, "Body", (0.5, 0.2, 0.35))
    ops.primitive_plane_add(size=16)
    finish(bpy.context.object, "Floor", (0.25, 0.3, 0.36), smooth=False)
    ops.primitive_plane_add(size=16, location=(0, 4.0, 3), rotation=(math.pi / 2, 0, 0))
    finish(bpy.context.object, "Wall", (0.42, 0.36, 0.25), smooth=False)
    skirt(last)
    ops.primitive_torus_add(major_radius=1.5, minor_radius=0.12, location=(0, 0, 1.4))
    hoop = finish(bpy.context.object, "Hoop", (0.65, 0.5, 0.1))
    ops.primitive_ico_sphere_add(radius=0.6, subdivisions=4, location=(1.9, -0.7, 0.6))
    ball = finish(bpy.context.object, "Ball", (0.1, 0.4, 0.35))
    for frame, bend, twist in ((1, -0.22, 0.0), (last // 2, 0.25, 0.25), (last, -0.1, 0.5)):
        for i, bone in enumerate(rig.pose.bones):
            bone.rotation_mode = "XYZ"
            bone.rotation_euler = (bend * (0.4 + 0.15 * i), twist, bend * 0.8 * math.cos(i))
            bone.keyframe_insert("rotation_euler", frame=frame)
    keyed(hoop, "rotation_euler", {1: (0.3, 0.1, 0), last: (-0.35, 0.3, 1.5)})
    keyed(ball, "location", {1: (2.1, -0.7, 0.6), last // 2: (1.5, -1.6, 1.7), last: (-1.4, -1.9, 0.6)})
    keyed(ball, "rotation_euler", {1: (0, 0, 0), last: (1.4, 0.3, -1.0)})
    add_camera({1: (2.6, -9.2, 3.6), last: (-1.6, -9.4, 3.0)}, (0, 0, 1.7), 55)
    add_sun({1: (50, -40), last: (58, 45)})


def branches(rng: np.random.Generator, start: np.ndarray, way: np.ndarray, radius: float) -> list[Surface]:
    """A branch from `start` along `way` and all that grows on it."""
    bend = rng.normal(0, 0.12, 3) * np.linalg.norm(way)
    end = start + way
    path = smooth_path(np.stack([start, start + way / 2 + bend, end]), 9)
    out = [sweep(path, np.linspace(radius, radius * 0.6, 9)[:, None] * [1.0, 1.0], side=(0.3, 1, 0.2), sides=8)]
    if radius > 0.018:
        for _ in range(3 if radius > 0.04 else 2):
            turn = rng.normal(0, 0.55, 3) * [1, 0.7, 0.7] + [0, 0, 0.12]
            away = way / np.linalg.norm(way) + turn
            fork = path[int(rng.integers(5, 9))]
            length = np.linalg.norm(way) * rng.uniform(0.55, 0.8)
            out += branches(rng, fork, away / np.linalg.norm(away) * length, radius * 0.55)
    return out


def box(centre: tuple[float, float, float], size: tuple[float, float, float]) -> Surface:
    """A box with its sides along the axes."""
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    faces = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    return Surface(corners * size + centre, faces)


def fence() -> Surface:
    """Pickets on two rails."""
    pickets = [
        box((x, -1.3, 0.5 + 0.05 * (i % 3)), (0.13, 0.04, 1.0)) for i, x in enumerate(np.arange(-4.8, 4.8, 0.34))
    ]
    return together([*pickets, *(box((0, -1.25, z), (9.8, 0.05, 0.1)) for z in (0.3, 0.75))])


def wires() -> Surface:
    """Two poles and three wires that hang between them and on to the sides."""
    parts = [sweep(np.array([[x, 1.6, z] for z in np.linspace(0, 3.8, 6)]), np.full((6, 2), 0.07)) for x in (-2.9, 2.9)]
    for height in (3.7, 3.4, 3.05):
        for left in (-8.7, -2.9, 2.9):
            x = np.linspace(left, left + 5.8, 30)
            sag = 0.35 * (1 - ((x - left - 2.9) / 2.9) ** 2)
            path = np.stack([x, 0 * x + 1.55, height - sag], 1)
            parts.append(sweep(path, np.full((30, 2), 0.022), side=(0, 1, 0), sides=6))
    return together(parts)


def blades(rng: np.random.Generator, count: int) -> Surface:
    """Tall grass, a blade a hair."""
    parts = []
    for _ in range(count):
        root = np.array([rng.uniform(-4.2, 4.2), rng.uniform(-3.6, -1.8), 0])
        (x, y), height = rng.normal(0, 0.16, 2), rng.uniform(0.3, 0.9)
        middle, tip = np.array([0.4 * x, 0.4 * y, 0.6 * height]), np.array([1.6 * x, 1.6 * y, height])
        path = smooth_path(np.stack([root, root + middle, root + tip]), 6)
        parts.append(sweep(path, np.linspace(0.035, 0.008, 6)[:, None] * [1.0, 1.0], side=(0, 1, 0), sides=4))
    return together(parts)


def grove(last: int) -> None:
    """Thin things: a fence, a bare tree and tall grass in the wind, wires, and a balloon that drifts behind all of them; the
    camera goes past."""
    rng = np.random.default_rng(5)
    bpy.ops.mesh.primitive_plane_add(size=30)
    finish(bpy.context.object, "Ground", (0.3, 0.34, 0.2), smooth=False)
    bpy.ops.mesh.primitive_plane_add(size=30, location=(0, 7, 6), rotation=(math.pi / 2, 0, 0))
    finish(bpy.context.object, "Sky", (0.45, 0.5, 0.55), smooth=False)
    solid("Fence", fence(), (0.5, 0.42, 0.3), smooth=False)
    trunk = together(branches(rng, np.array([0.6, 0.4, 0.0]), np.array([-0.1, 0.0, 1.5]), 0.17))
    tree = solid("Tree", trunk, (0.3, 0.18, 0.1))
    solid("Wires", wires(), (0.2, 0.2, 0.22))
    grass = solid("Grass", blades(rng, 70), (0.25, 0.4, 0.1))
    balloon = solid("Balloon", ellipsoid((0, 0, 0), (0.75, 0.75, 0.9)), (0.6, 0.15, 0.12))
    for ob, reach in ((tree, 0.05), (grass, 0.3)):
        points = np.array([vertex.co for vertex in ob.data.vertices])
        for axis, pace in ((0, 0.21), (1, 0.13)):
            shift = np.zeros_like(points)
            shift[:, axis] = reach * points[:, 2] ** 2 * (1 if axis == 0 else 0.4)
            phase = 1.3 * axis + reach
            moving(ob, shift, lambda frame, pace=pace, phase=phase: math.sin(pace * frame + phase), last)
    keyed(balloon, "location", {1: (-2.6, 2.6, 1.5), last // 2: (-0.6, 2.9, 2.2), last: (1.6, 2.5, 2.0)})
    keyed(balloon, "rotation_euler", {1: (0, 0, 0), last: (0.2, 0.15, 1.0)})
    add_camera({1: (-1.9, -8.6, 1.9), last: (1.7, -8.2, 2.4)}, (0.1, 0, 1.75), 52)
    add_sun({1: (48, -30), last: (55, 38)})


def demo(_: int) -> None:
    """The demo's own shot, 48 frames."""
    build_demo()


SCENES: dict[str, Callable[[int], None]] = {"demo": demo, "turntable": turntable, "dancer": dancer, "grove": grove}
