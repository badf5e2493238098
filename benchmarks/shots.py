"""Renders the benchmark's shots as job folders, by Blender's Python module.

    python -m benchmarks.shots NAME FOLDER [--frames N] [--side N]

Writes frames/, guides/ and shot.json of the contract. For benchmarks/painting.py to paint every frame it adds truth/NNNN.
{geometry,light}.exr at twice the size; for demo/paint.py, which paints the demo's, shot.blend. It knows bpy and how the add-on
makes the guide of edges, not its capture, nor the engine.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import bpy
import numpy as np

from benchmarks.scenes import SCENES
from blender_addon import edges
from blender_addon.protocol import EDGE_SCALE
from blender_addon.viewport import write_png
from demo.scene import FRAMES

Scene = bpy.types.Scene
GUIDES = ["depth", "normal", "albedo", "id", "vector", "anchor", "edges"]
GEOMETRY = ("z", "normal", "vector", "object_index")
LIGHT = ("diffuse_color", "diffuse_direct")


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


def choose_passes(scene: Scene, wanted: tuple[str, ...]) -> None:
    """What a multilayer EXR is to hold."""
    for name in (*GEOMETRY, *LIGHT):
        setattr(scene.view_layers[0], f"use_pass_{name}", name in wanted)


def grey_sky(scene: Scene) -> bpy.types.NodeSocket:
    """A world for the scene; returns its strength."""
    scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    return scene.world.node_tree.nodes["Background"].inputs["Strength"]


def capture(
    scene: Scene, folder: Path, frame: int, side: int, anchor: bpy.types.Material, sky: bpy.types.NodeSocket | None
) -> None:
    """Everything of one frame; of a scene that lights itself (sky None) no truth."""
    scene.frame_set(frame)
    choose_passes(scene, (*GEOMETRY, *LIGHT))
    fine = folder / f"truth/{frame:04d}.geometry.exr"
    if sky:
        sky.default_value = 0.0
        render(scene, folder / f"truth/{frame:04d}.light.exr", 2 * side, 1, True, None)
    render(scene, fine, EDGE_SCALE * side, 1, True, anchor)
    write_edges(fine, folder / f"guides/{frame:04d}.edges.png")
    choose_passes(scene, LIGHT[:1])  # as the product captures: what is not read takes time to read
    scene.cycles.film_exposure = 0.0
    render(scene, folder / f"guides/{frame:04d}.albedo.exr", side, 1, True, None)
    scene.cycles.film_exposure = 1.0
    choose_passes(scene, GEOMETRY)
    render(scene, folder / f"guides/{frame:04d}.geometry.exr", side, 1, True, anchor)
    if sky:
        sky.default_value = 0.6
    render(scene, folder / f"frames/{frame:04d}.png", side, 16, False, None)


def write_edges(fine: Path, path: Path) -> None:
    """The guide as the product makes it, of a render in finer pixels."""
    guide = edges.edges(*edges.read_fine(fine))
    write_png(path, np.pad(guide, [(0, 0), (0, 0), (0, 1)], constant_values=255))


def size_of(ob: bpy.types.Object) -> list[float]:
    """Edges of the box of the mesh at rest, whatever keys and bones do to it."""
    points = [vertex.co for vertex in ob.data.vertices]
    return [(max(p[i] for p in points) - min(p[i] for p in points)) * ob.scale[i] for i in range(3)]


def describe(scene: Scene, side: int) -> dict[str, object]:
    """shot.json of the contract."""
    numbered = sorted((ob for ob in scene.objects if ob.pass_index > 0), key=lambda ob: ob.pass_index)
    objects = [{"id": ob.pass_index, "name": ob.name, "size": size_of(ob)} for ob in numbered if ob.type == "MESH"]
    return {
        "frame_start": scene.frame_start, "frame_end": scene.frame_end, "width": side, "height": side, "fps": 24.0,
        "guides": GUIDES, "objects": objects, "view_transform": scene.view_settings.view_transform,
        "blender": bpy.app.version_string,
    }  # fmt: skip


def main() -> None:
    """Build the shot and render it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=sorted(SCENES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--side", type=int, default=256)
    args = parser.parse_args()
    for name in ("frames", "guides", "truth"):
        (args.folder / name).mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    SCENES[args.name](args.frames)
    scene = bpy.context.scene
    own = args.name == "demo"
    scene.frame_start, scene.frame_end = FRAMES if own else (1, args.frames)
    if own:
        bpy.ops.wm.save_as_mainfile(filepath=str(args.folder.absolute() / "shot.blend"))
    prepare(scene)
    sky, anchor = None if own else grey_sky(scene), anchor_material()
    for frame in range(scene.frame_start, scene.frame_end + 1):
        capture(scene, args.folder, frame, args.side, anchor, sky)
        print(f"frame {frame}", flush=True)
    (args.folder / "shot.json").write_text(json.dumps(describe(scene, args.side), indent=1))


if __name__ == "__main__":
    main()
