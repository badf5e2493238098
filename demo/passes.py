"""What the painter needs of the demo's shot: for every frame one small exact render (anchor, paint number, normal, depth, object,
light with its cast shadows) and, once, the strokes scattered over the rest-pose surfaces. Knows Blender; does not paint.

Run by hand:  python -m demo.passes FILE.blend FOLDER SCENE 1,2,3
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from demo.palette import OVERSIZE, PAINTS
from demo.shapes import ANCHOR_AOV, PAINT_AOV

MAX_STROKES = 40_000


def _sun(scene: bpy.types.Scene) -> bpy.types.Object:
    """The scene's one lamp."""
    return next(ob for ob in scene.objects if ob.type == "LIGHT")


def exact_settings(scene: bpy.types.Scene) -> None:
    """One unfiltered sample, the hard sun alone, and the passes that the painter reads."""
    scene.render.resolution_percentage = 100 * OVERSIZE
    scene.cycles.samples = 1
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
    _sun(scene).data.angle = 0.0
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_normal = layer.use_pass_object_index = layer.use_pass_diffuse_direct = True
    for name, kind in ((ANCHOR_AOV, "COLOR"), (PAINT_AOV, "VALUE")):
        aov = layer.aovs.add()
        aov.name, aov.type = name, kind
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "MULTI_LAYER_IMAGE"
    image.file_format, image.color_depth, image.exr_codec = "OPEN_EXR_MULTILAYER", "32", "ZIP"


def _paint_of(material: bpy.types.Material) -> int:
    """The number of a material's main paint."""
    number = next(node for node in material.node_tree.nodes if node.bl_idname == "ShaderNodeValue")
    return int(number.outputs[0].default_value)


def scatter(ob: bpy.types.Object, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Strokes over an object's rest-pose surface: place and normal (N, 3) and the object's size (3,), in metres from its
    lowest corner, and the number of its paint."""
    mesh = ob.data
    mesh.calc_loop_triangles()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3)
    triangles = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    mesh.loop_triangles.foreach_get("vertices", triangles)
    a, b, c = (points[triangles.reshape(-1, 3)[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    area = np.linalg.norm(cross, axis=1) / 2
    number = _paint_of(mesh.materials[0])
    stroke = PAINTS[number].length * PAINTS[number].width
    count = int(np.clip(1.1 * area.sum() / stroke, 24, MAX_STROKES))
    which = rng.choice(len(area), count, p=area / area.sum())
    u, v = rng.random((2, count, 1), np.float32)
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    place = a[which] + u * (b - a)[which] + v * (c - a)[which] - points.min(0)
    normal = cross[which] / np.maximum(2 * area[which, None], 1e-12)
    return {"place": place, "normal": normal, "size": np.ptp(points, axis=0), "paint": np.int64(number)}


def write_strokes(scene: bpy.types.Scene, folder: Path) -> None:
    """strokes.npz: what `scatter` gives, as `INDEX.name`, for every mesh by its pass index."""
    arrays: dict[str, np.ndarray] = {}
    for ob in scene.objects:
        if ob.type == "MESH":
            found = scatter(ob, np.random.default_rng(ob.pass_index))
            arrays |= {f"{ob.pass_index}.{name}": array for name, array in found.items()}
    np.savez(folder / "strokes.npz", **arrays)


def render_passes(scene: bpy.types.Scene, folder: Path, frames: Sequence[int]) -> Iterator[int]:
    """Render the exact passes of `frames` to FOLDER/0001.exr and on; write strokes.npz and light.json. Yields each frame
    when it is there. Changes the scene's settings: meant for a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    write_strokes(scene, folder)
    exact_settings(scene)
    towards_sun = {}
    for frame in frames:
        scene.frame_set(frame)
        towards_sun[f"{frame:04d}"] = list(_sun(scene).matrix_world.to_3x3() @ Vector((0, 0, 1)))
        scene.render.filepath = str(folder / f"{frame:04d}.exr")
        bpy.ops.render.render(write_still=True, scene=scene.name)
        yield frame
    (folder / "light.json").write_text(json.dumps(towards_sun, indent=1) + "\n", encoding="utf-8")


def main(blend: str, folder: str, scene_name: str, frames: str) -> None:
    """Open the file and render; frames are numbers with commas between them."""
    bpy.ops.wm.open_mainfile(filepath=str(Path(blend).absolute()))
    scene = bpy.data.scenes[scene_name]
    bpy.context.window.scene = scene
    for frame in render_passes(scene, Path(folder).absolute(), [int(f) for f in frames.split(",")]):
        print(f"frame {frame}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:5])
