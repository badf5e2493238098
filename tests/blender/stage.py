"""Small scenes to capture, and what a capture left of them as arrays. Knows no assertion."""

from __future__ import annotations

import math
import os
import subprocess
from pathlib import Path

import bpy
import numpy as np
from bl_ext.user_default.understudy.capture import GEOMETRY, CaptureParams, capture
from bl_ext.user_default.understudy.protocol import Shot

SIDE = 96


def empty_stage(frames: int = 2, side: int = SIDE) -> bpy.types.Scene:
    """A scene with nothing but a camera that looks along +Y, slightly down."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, frames
    scene.render.resolution_x = scene.render.resolution_y = side
    scene.render.engine = "CYCLES"
    scene.cycles.device, scene.cycles.samples = "CPU", 1
    camera = link(bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera")))
    camera.location, camera.rotation_euler = (0, -8, 3), (math.radians(75), 0, 0)
    scene.camera = camera
    return scene


def quickest(frames: int, side: int = 16) -> bpy.types.Scene:
    """What is captured in no time: a plane, seen from above."""
    scene = empty_stage(frames, side)
    scene.camera.location, scene.camera.rotation_euler = (0, 0, 5), (0, 0, 0)
    bpy.ops.mesh.primitive_plane_add()
    return scene


def link(ob: bpy.types.Object) -> bpy.types.Object:
    """Put an object into the scene."""
    bpy.context.scene.collection.objects.link(ob)
    return ob


def animate(ob: bpy.types.Object | bpy.types.PoseBone, path: str, first: tuple, last: tuple) -> None:
    """Key a property at the first and last frame of the scene."""
    scene = bpy.context.scene
    for frame, value in ((scene.frame_start, first), (scene.frame_end, last)):
        setattr(ob, path, value)
        ob.keyframe_insert(path, frame=frame)


def add_ball(name: str = "Ball", location: tuple = (-1.5, 0, 1)) -> bpy.types.Object:
    """A smooth red sphere of radius 1."""
    bpy.ops.mesh.primitive_uv_sphere_add(radius=1, location=location)
    return _painted(bpy.context.object, name, (0.8, 0.1, 0.1, 1))


def add_ground() -> bpy.types.Object:
    """A green plane 20 units wide."""
    bpy.ops.mesh.primitive_plane_add(size=20)
    return _painted(bpy.context.object, "Ground", (0.2, 0.6, 0.2, 1))


def add_skin() -> bpy.types.Object:
    """A blue bar that two bones bend, and a shape key swells."""
    bpy.ops.mesh.primitive_cylinder_add(vertices=32, radius=0.4, depth=3, location=(1.5, 0, 1.5))
    skin = _painted(bpy.context.object, "Skin", (0.1, 0.2, 0.8, 1))
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide(number_cuts=6)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.object.armature_add(location=(1.5, 0, 0))
    rig = bpy.context.object
    bpy.ops.object.mode_set(mode="EDIT")
    low = rig.data.edit_bones[0]
    low.name, low.tail = "low", (0, 0, 1.5)
    top = rig.data.edit_bones.new("top")
    top.head, top.tail, top.parent, top.use_connect = (0, 0, 1.5), (0, 0, 3), low, True
    bpy.ops.object.mode_set(mode="OBJECT")
    skin.modifiers.new("Armature", "ARMATURE").object = rig
    groups = [skin.vertex_groups.new(name=name) for name in ("low", "top")]
    for vertex in skin.data.vertices:
        weight = min(1.0, max(0.0, vertex.co.z + 0.5))
        groups[0].add([vertex.index], 1 - weight, "REPLACE")
        groups[1].add([vertex.index], weight, "REPLACE")
    top = rig.pose.bones["top"]
    top.rotation_mode = "XYZ"
    animate(top, "rotation_euler", (0, 0, 0), (0.5, 0.4, 0.3))
    skin.shape_key_add(name="Basis")
    swollen = skin.shape_key_add(name="Swollen")
    for point in swollen.data:
        point.co.x, point.co.y = point.co.x * 1.5, point.co.y * 1.5
    animate(swollen, "value", 0.0, 1.0)
    return skin


def _painted(ob: bpy.types.Object, name: str, colour: tuple) -> bpy.types.Object:
    ob.name = name
    material = bpy.data.materials.new(name)
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = colour
    ob.data.materials.append(material)
    return ob


def params(folder: Path, source: str = "RENDER") -> CaptureParams:
    """The context's scene, captured into `folder`."""
    scene = bpy.context.scene
    layer = bpy.context.view_layer.name
    return CaptureParams(scene.name, layer, folder, scene.frame_start, scene.frame_end, source)


def run(params: CaptureParams) -> Shot:
    """A whole capture, and besides the guide "position", by which tests look up places; artists have no use for it."""
    GEOMETRY["position"] = "use_pass_position"
    steps = capture(params)
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        return stop.value
    finally:
        del GEOMETRY["position"]


def guides(folder: Path, *frames: int) -> list[dict[str, np.ndarray]]:
    """For each frame its guides and `frame`, (H, W, C) each, read by the engine."""
    out = folder / "guides.npz"
    script = Path(__file__).with_name("read_guides.py")
    command = [os.environ["UNDERSTUDY_ENGINE_PYTHON"], script, folder, out, *frames]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with np.load(out, allow_pickle=False) as arrays:
        return [
            {key.partition(".")[2]: arrays[key] for key in arrays.files if key.startswith(f"{frame}.")}
            for frame in frames
        ]
