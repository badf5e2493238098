"""A painted frame looks as it was painted: 8 and 16 bits and EXR, of a shot under AgX and under Standard, in the Sequencer and
behind the camera. The frames are written by the engine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy import compat, sequences, viewport
from bl_ext.user_default.understudy.shot import look
from shots import SIDE, add_camera, write_shot

WRITE = """
import sys
from pathlib import Path
import numpy as np
from engine.pictures import to_linear, write_picture
path, depth, colours = Path(sys.argv[1]), sys.argv[2], np.load(sys.argv[3], allow_pickle=False)
picture = np.dstack([to_linear(colours) if depth == "EXR" else colours, np.ones(colours.shape[:2], np.float32)])
write_picture(path, picture, depth, {"Software": "Understudy"})
"""


def painted() -> np.ndarray:
    """(H, W, 3), sRGB values: every strong colour, and grey from black to white."""
    ramp = np.linspace(0, 1, SIDE, dtype=np.float32)
    down, right = np.meshgrid(ramp, ramp, indexing="ij")
    picture = np.dstack([right, 1 - right, down])
    picture[SIDE // 2 :] = right[SIDE // 2 :, :, None]
    return picture


@pytest.fixture(params=["8", "16", "EXR"])
def folder(request: pytest.FixtureRequest, saved_file: Path) -> Path:
    """A shot of one finished frame."""
    folder = write_shot(saved_file.parent / "understudy", 1, 1)
    np.save(folder / "painted.npy", painted())
    path = folder / "result" / ("0001.exr" if request.param == "EXR" else "0001.png")
    command = [os.environ["UNDERSTUDY_ENGINE_PYTHON"], "-c", WRITE, path, request.param, folder / "painted.npy"]
    subprocess.run([str(word) for word in command], check=True, cwd=Path(__file__).parents[2])
    return folder


def view_as(transform: str) -> bpy.types.Scene:
    """The scene, shown so, in the shot's size."""
    scene = bpy.context.scene
    scene.view_settings.view_transform = transform
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    return scene


def stored(path: Path) -> np.ndarray:
    """(H, W, 3) of a file, top row first, its numbers untouched."""
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.name = "Non-Color"
    pixels = np.array(image.pixels[:]).reshape(SIDE, SIDE, 4)[::-1, :, :3]
    bpy.data.images.remove(image)
    return pixels


@pytest.mark.parametrize("transform", ["AgX", "Standard"])
def test_in_the_sequencer(folder: Path, transform: str) -> None:
    edit: Any = sequences.show_in_sequencer(view_as(transform), folder, look(folder).results)
    edit.render.filepath, edit.render.dither_intensity = str(folder / "seen.png"), 0
    edit.frame_set(1)
    with bpy.context.temp_override(scene=edit):
        bpy.ops.render.render(write_still=True)
    assert stored(folder / "seen.png") == pytest.approx(painted(), abs=1.5 / 255)


def test_behind_the_camera_in_a_view_that_shows_agx(folder: Path) -> None:
    """But on Blender 4.5 and 5.0, whose drawing off the screen leaves camera backgrounds out, in every shading, before or
    behind, with overlays on or off: there the settings alone are seen."""
    scene = view_as("AgX")
    scene.render.engine = "BLENDER_WORKBENCH"  # the quickest that a view shows with the scene's view transform
    add_camera()
    sequences.show_behind_camera(scene, folder, look(folder).results)
    (background,) = scene.camera.data.background_images
    assert not background.image.use_view_as_render and background.alpha == 1.0
    if bpy.app.version[:2] in ((4, 5), (5, 0)):
        return
    compat.start_gpu(scene)
    view = viewport.find_view(bpy.context)
    assert view is not None
    view.space.region_3d.view_perspective, view.space.shading.type = "CAMERA", "RENDERED"
    seen = viewport.draw(scene, bpy.context.view_layer, view, 8 * SIDE, 8 * SIDE)[4::8, 4::8, :3] / 255
    inside = slice(1, -1)  # Blender blends pixels, at the rim with what is behind
    away = np.abs(seen - painted())[inside, inside]
    away[SIDE // 2 - 2 : SIDE // 2] = 0  # and where one half of the picture borders on the other
    assert away.max() < 0.06, "through AgX the strong colours would be 0.4 away"
