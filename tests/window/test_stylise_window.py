"""Stylise as it is watched and steered in a real window: preview, Good Enough, part of a frame painted by mouse."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from conftest import Seat, Window
from PIL import Image
from trained import write_trained_shot

Start = Callable[..., Window]
FakeEngine = Callable[..., Path]
EDITORS = "[a.spaces.active.image.name for a in view()[0].screen.areas if a.type == 'IMAGE_EDITOR']"

# Debian's Blender comes without the brushes that Blender ships as assets.
BRUSH = """
brush = bpy.data.brushes.new("Round", mode="TEXTURE_PAINT")
brush.asset_mark()
brush.color, brush.size, brush.strength = (1, 0, 0), 20, 1
window = bpy.context.window_manager.windows[0]
area = [area for area in window.screen.areas if area.type == "IMAGE_EDITOR"][0]
with bpy.context.temp_override(window=window, area=area):
    bpy.ops.brush.asset_activate(asset_library_type="LOCAL", relative_asset_identifier="Brush/Round")
"""


def test_a_training_is_watched_and_ended_early(
    window: Start, shot_file: Path, fake_engine: FakeEngine, tmp_path: Path
) -> None:
    write_trained_shot(shot_file.parent / "understudy")
    progress: dict[str, object] = {"progress": [0.1, "Training, step 7", 60.0]}
    steps = [progress, {"preview": [1, 384, 256, 3]}, {"enough": 120}, {"finish": {}}]
    blender = window(shot_file, fake_engine(jobs=[steps]))
    blender.click("understudy.train_style", 0.3)
    blender.wait("done() > 0")
    blender.click("understudy.show_preview", 0.75)
    blender.wait(f"{EDITORS} == ['Understudy Preview']")
    blender.picture(tmp_path / "preview.png")
    blender.click("understudy.good_enough", 0.3)
    blender.wait("done() < 0", 5)
    assert "The style is trained" in blender.reports()


def test_a_part_of_a_frame_is_painted_by_mouse(seat: Seat, window: Start, shot_file: Path, tmp_path: Path) -> None:
    """Only what the brush has touched counts, and the artist sees the frame under it."""
    folder = write_trained_shot(shot_file.parent / "understudy", side=256, keys=())
    blender = window(shot_file)
    blender.do("view()[1].ui_type = 'IMAGE_EDITOR'")
    blender.do("bpy.ops.understudy.paint_key(transparent=True)")
    blender.do(BRUSH)
    blender.picture(tmp_path / "before.png")
    seat.run("xdotool mousemove 640 480 mousedown 1 mousemove 660 485 sleep 0.2 mousemove 690 490 sleep 0.2 mouseup 1")
    blender.wait("bpy.data.images['0001.png'].is_dirty")
    blender.picture(tmp_path / "after.png")
    blender.do("bpy.ops.understudy.use_image_as_key(image='0001.png')")
    assert not blender.ask("bpy.data.images['0001.png'].is_dirty")
    key = np.array(Image.open(folder / "keys" / "0001.png"))
    painted = key[..., 3] > 127
    assert 50 < painted.sum() < painted.size / 4
    assert (key[key[..., 3] == 0][:, :3] == 128).all(), "the frame's own colours"
    blender.do("area.spaces.active.show_region_ui = True")
    picture = tmp_path / "saved.png"
    blender.picture(picture)
    shown = np.array(Image.open(picture).convert("RGB"))[380, 640].astype(int)
    assert np.abs(shown - 128).max() <= 4, "the frame shows through, as the screen shows grey"


def test_the_strip_is_seen(window: Start, shot_file: Path, tmp_path: Path) -> None:
    """Strip opens a Video Sequencer beside the view where none is open, on the strip's own scene."""
    write_trained_shot(shot_file.parent / "understudy", side=128)
    blender = window(shot_file)
    blender.click("understudy.show_result", 0.1)
    blender.wait("[a.type for a in view()[0].screen.areas].count('SEQUENCE_EDITOR') == 1")
    assert blender.ask("compat.sequencer_scene(bpy.context.window_manager.windows[0]).name") == "Scene Stylised"
    time.sleep(1)
    picture = tmp_path / "strip.png"
    blender.picture(picture)
    grey = np.all(np.array(Image.open(picture).convert("RGB")) == 128, -1)
    assert grey.sum() > 10_000, "the finished frame is seen"
    assert "Traceback" not in blender.log()
