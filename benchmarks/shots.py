"""Benchmark shots authored by script: small scenes with moving light, rendered as job folders by Blender's Python module.

    python benchmarks/shots.py NAME FOLDER [--frames N] [--side N]

Writes frames/, guides/ and shot.json of the contract, and truth/NNNN.{geometry,light}.exr at twice the size, from which
benchmarks/painting.py paints every frame. It knows bpy but neither the add-on nor the engine.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from pathlib import Path

import bpy
from mathutils import Vector

Scene = bpy.types.Scene
GUIDES = ["depth", "normal", "albedo", "id", "position", "vector", "anchor"]


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


def dancer(last: int) -> None:
    """A skinned column that bends and twists over a ground, with hoops that cover it; the camera drifts."""
    ops = bpy.ops.mesh
    mesh, rig = skinned_column(6, 4.0, 0.55)
    finish(mesh, "Body", (0.5, 0.2, 0.35))
    ops.primitive_plane_add(size=16)
    finish(bpy.context.object, "Floor", (0.25, 0.3, 0.36), smooth=False)
    ops.primitive_plane_add(size=16, location=(0, 4.0, 3), rotation=(math.pi / 2, 0, 0))
    finish(bpy.context.object, "Wall", (0.42, 0.36, 0.25), smooth=False)
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
    add_camera({1: (2.6, -9.2, 3.6), last: (-1.6, -9.4, 3.0)}, (0, 0, 1.9), 45)
    add_sun({1: (40, -50), last: (55, 45)})


SHOTS: dict[str, Callable[[int], None]] = {"turntable": turntable, "dancer": dancer}


def anchor_material() -> bpy.types.Material:
    """Shows the Generated coordinate as light."""
    mat = bpy.data.materials.new("anchor")
    mat.use_nodes = True
    nodes, links = mat.node_tree.nodes, mat.node_tree.links
    nodes.clear()
    coord, glow, out = (nodes.new(f"ShaderNode{n}") for n in ("TexCoord", "Emission", "OutputMaterial"))
    links.new(coord.outputs["Generated"], glow.inputs["Color"])
    links.new(glow.outputs[0], out.inputs["Surface"])
    return mat


def render(
    scene: Scene, path: Path, side: int, samples: int, layered: bool, override: bpy.types.Material | None
) -> None:
    """One still: exact (one sample, no filter) into a multilayer EXR, or filtered into a PNG."""
    scene.render.resolution_x = scene.render.resolution_y = side
    scene.cycles.samples = samples
    scene.cycles.filter_width = 0.01 if layered else 1.5
    scene.view_layers[0].material_override = override
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):
        settings.media_type = "MULTI_LAYER_IMAGE" if layered else "IMAGE"
    settings.file_format = "OPEN_EXR_MULTILAYER" if layered else "PNG"
    settings.color_depth = "32" if layered else "8"
    settings.color_mode = "RGBA" if layered else "RGB"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def prepare(scene: Scene) -> None:
    """Cycles without denoiser or bounces between frames that would not be the same twice."""
    scene.render.engine = "CYCLES"
    scene.render.film_transparent = True
    scene.render.use_file_extension = False
    scene.cycles.use_denoising = scene.cycles.use_adaptive_sampling = False
    scene.render.use_persistent_data = False
    scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    layer = scene.view_layers[0]
    for name in ("z", "normal", "position", "vector", "object_index", "diffuse_color", "diffuse_direct"):
        setattr(layer, f"use_pass_{name}", True)


def capture(scene: Scene, folder: Path, frame: int, side: int, anchor: bpy.types.Material) -> None:
    """Everything of one frame."""
    scene.frame_set(frame)
    sky = scene.world.node_tree.nodes["Background"].inputs["Strength"]
    sky.default_value = 0.0
    render(scene, folder / f"truth/{frame:04d}.light.exr", 2 * side, 1, True, None)
    render(scene, folder / f"truth/{frame:04d}.geometry.exr", 2 * side, 1, True, anchor)
    render(scene, folder / f"guides/{frame:04d}.albedo.exr", side, 1, True, None)
    render(scene, folder / f"guides/{frame:04d}.geometry.exr", side, 1, True, anchor)
    sky.default_value = 0.6
    render(scene, folder / f"frames/{frame:04d}.png", side, 16, False, None)


def describe(scene: Scene, side: int) -> dict[str, object]:
    """shot.json of the contract."""
    objects = []
    for ob in sorted((o for o in scene.objects if o.pass_index > 0), key=lambda o: o.pass_index):
        box = [Vector(c) for c in ob.bound_box]
        size = [(max(c[i] for c in box) - min(c[i] for c in box)) * ob.scale[i] for i in range(3)]
        objects.append({"id": ob.pass_index, "name": ob.name, "size": size})
    return {
        "frame_start": scene.frame_start, "frame_end": scene.frame_end, "width": side, "height": side, "fps": 24.0,
        "guides": GUIDES, "objects": objects, "view_transform": scene.view_settings.view_transform,
        "blender": bpy.app.version_string,
    }  # fmt: skip


def main() -> None:
    """Build the shot and render it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=sorted(SHOTS))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--side", type=int, default=256)
    args = parser.parse_args()
    for name in ("frames", "guides", "keys", "truth"):
        (args.folder / name).mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, args.frames
    SHOTS[args.name](args.frames)
    prepare(scene)
    anchor = anchor_material()
    for frame in range(1, args.frames + 1):
        capture(scene, args.folder, frame, args.side, anchor)
    (args.folder / "shot.json").write_text(json.dumps(describe(scene, args.side), indent=1))


if __name__ == "__main__":
    main()
