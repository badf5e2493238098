"""A capture leaves the file as it found it: after its end, after Esc, after an error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
import stage
from bl_ext.user_default.understudy import compat

COUNTED = [p.identifier for p in bpy.types.BlendData.bl_rna.properties if p.type == "COLLECTION"]

capturing = sys.modules[stage.capture.__module__]
SKIPPED = ("rna_type", "tool_settings", "depsgraph")  # reading the brushes' settings crashes 4.2


def dump() -> dict[str, Any]:
    """Every value of the scenes and all below them, of objects, cameras and 3D Views; how many data blocks there are."""
    out: dict[str, Any] = {name: len(getattr(bpy.data, name)) for name in COUNTED}
    views = [area.spaces.active for area in bpy.context.screen.areas if area.type == "VIEW_3D"]
    for root in (*bpy.data.scenes, *bpy.data.objects, *bpy.data.cameras, *bpy.data.materials, *views):
        out |= dict(values(root, f"{type(root).__name__} {getattr(root, 'name', '')}", 0))
    active = bpy.context.view_layer.objects.active
    out["active"] = active and active.name
    out["selected"] = sorted(ob.name for ob in bpy.context.selected_objects)
    return out


def values(owner: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """(path, value) of each property; follows what belongs to the owner, names what does not."""
    for prop in owner.bl_rna.properties:
        name = f"{path}.{prop.identifier}"
        if prop.identifier in SKIPPED:
            continue
        try:
            value = getattr(owner, prop.identifier)
        except (AttributeError, RuntimeError):
            continue
        if prop.type == "POINTER" and isinstance(value, bpy.types.ID):
            yield name, value.name
        elif prop.type == "POINTER" and value is not None and depth < 4:
            yield from values(value, name, depth + 1)
        elif prop.type == "COLLECTION" and prop.identifier in ("view_layers", "nodes", "aovs", "modifiers"):
            for i, item in enumerate(value):
                yield from values(item, f"{name}[{i}]", depth + 1)
        elif prop.type in ("BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"):
            yield name, tuple(value) if getattr(prop, "is_array", False) else value


@pytest.fixture
def scene() -> bpy.types.Scene:
    """A scene in which every setting that a capture needs is something else."""
    scene = stage.empty_stage(frames=3)
    ball = stage.add_ball("Ball", (0, 0, 1))
    ball.pass_index = 7
    ball.keyframe_insert("location", frame=1)
    bpy.ops.mesh.primitive_cube_add(location=(2, 3, 0))
    stage.link(bpy.data.objects.new("Light", bpy.data.lights.new("Light", "AREA"))).select_set(True)
    scene.world = bpy.data.worlds.new("World")
    scene.view_layers.new("Other").use_pass_mist = True
    bpy.context.view_layer.use = False
    bpy.context.view_layer.material_override = bpy.data.materials.new("Clay")
    render = scene.render
    render.use_motion_blur = render.use_border = render.use_stamp = render.use_freestyle = True
    render.filepath, render.film_transparent = "//elsewhere/", False
    if hasattr(render.image_settings, "media_type"):
        render.image_settings.media_type = "VIDEO"
    render.image_settings.file_format, render.image_settings.color_mode = "FFMPEG", "BW"
    scene.cycles.pixel_filter_type, scene.cycles.filter_width = "GAUSSIAN", 2.5
    scene.camera.data.dof.use_dof = True
    compat.compositor_tree(scene).nodes.new("CompositorNodeOutputFile")
    scene.frame_step, scene.timeline_markers.new("m", frame=2).camera = 2, scene.camera
    scene.frame_set(2, subframe=0.25)
    return scene


def changes(before: dict[str, Any]) -> dict[str, Any]:
    """What differs from then."""
    after = dump()
    return {k: (before.get(k), after.get(k)) for k in before.keys() | after.keys() if before.get(k) != after.get(k)}


@pytest.mark.parametrize("source", ["RENDER", "VIEWPORT_SOLID"])
def test_after_a_whole_capture(source: str, scene: bpy.types.Scene, tmp_path: Path) -> None:
    before = dump()
    assert len(before) > 1000
    stage.run(stage.params(tmp_path, source))
    assert changes(before) == {}


@pytest.mark.parametrize("stop_after", [1, 3, 4, 5, 8, 10])
def test_after_esc(stop_after: int, scene: bpy.types.Scene, tmp_path: Path) -> None:
    """In each sweep, before, in and after it: Esc closes the generator."""
    before = dump()
    steps = capturing.capture(stage.params(tmp_path, "VIEWPORT_SOLID"))
    while next(steps)[0] < stop_after:
        pass
    assert changes(before), "in the middle of it the scene is set up for the render"
    steps.close()
    assert changes(before) == {}
    assert not (tmp_path / "shot.json").exists()
    assert not list(tmp_path.glob(".partial*"))
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == stop_after


def test_after_an_error(scene: bpy.types.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dump()
    steps = capturing.capture(stage.params(tmp_path))
    next(steps)
    monkeypatch.setattr(capturing, "_render", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        next(steps)
    assert changes(before) == {}
