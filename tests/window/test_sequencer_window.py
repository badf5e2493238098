"""The Video Sequencer's tab in a real window: footage read while the interface answers, Esc, one undo step, strips combined."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Seat, Window
from trained import write_picture
from watch import WATCH, no_long_block

SEQUENCER = """
def view():
    window = bpy.context.window_manager.windows[0]
    return window, max((a for a in window.screen.areas if a.type == 'SEQUENCE_EDITOR'), key=lambda a: a.width * a.height)
"""
STRIPS = """
import bpy, sys
scene, folder = bpy.context.scene, sys.argv[-2]
editor = scene.sequence_editor_create()
strips = editor.strips if hasattr(editor, 'strips') else editor.sequences
for channel, name in ((1, 'Take'), (2, 'Other')):
    strip = strips.new_image(name, f'{folder}/0001.png', channel, 1)
    for frame in range(2, 601):
        strip.elements.append(f'{frame:04d}.png')
editor.active_strip, scene.frame_end = strips[0], 600
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


@pytest.fixture
def cut_file(seat: Seat, user_folder: Path, tmp_path: Path) -> Path:
    """A saved file with two strips of 600 pictures, the lower one active, both selected."""
    write_picture(tmp_path / "shoot" / "0001.png", 64)
    for frame in range(2, 601):
        os.link(tmp_path / "shoot" / "0001.png", tmp_path / "shoot" / f"{frame:04d}.png")
    (tmp_path / "strips.py").write_text(STRIPS)
    path = tmp_path / "cut.blend"
    seat.run(f"blender --background --python '{tmp_path / 'strips.py'}' -- '{tmp_path / 'shoot'}' '{path}' >&2")
    return path


def open_sequencer(blender: Window) -> None:
    """The 3D View's area as Sequencer, our tab open."""
    blender.do("view()[1].type = 'SEQUENCE_EDITOR'")
    blender.do(SEQUENCER)
    blender.open_tab()


def test_footage_is_read_while_the_interface_answers(
    window: Callable[..., Window],
    cut_file: Path,
    fake_engine: Callable[..., Path],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    blender = window(cut_file, fake_engine(jobs=[[{"progress": [0.4, "Frame 600 tracked", 9.0]}, {"finish": {}}]]))
    open_sequencer(blender)
    blender.do(WATCH)
    blender.click("understudy.use_footage", 0.4)
    blender.wait("done() > 0.02")
    assert blender.ask("done()") < 1, "it answers while it reads"
    blender.key("Escape")
    blender.wait("manager.running is None")
    assert blender.ask("[s.name for s in bpy.data.scenes]") == ["Scene"]
    folder = tmp_path / "understudy" / "cut" / "footage" / "Take"
    assert (folder / "frames" / "0001.png").is_file() and not (folder / "shot.json").exists()
    blender.click("understudy.use_footage", 0.4)
    blender.wait("bpy.context.scene.understudy.job_folder", 150)
    assert (folder / "shot.json").is_file()
    no_long_block(blender, "ReadingOperator.invoke", "ReadingOperator.modal")
    blender.point(600, 120)
    picture = Path(request.config.getoption("--panel-picture") or tmp_path / "sequencer.png")
    blender.picture(picture)
    assert picture.stat().st_size > 10_000, "an empty picture"
    blender.key("ctrl+z")
    blender.wait("not bpy.context.scene.understudy.job_folder")
    assert blender.ask("len(strips())") == 2


def test_combined_strips_are_one_undo_step(window: Callable[..., Window], cut_file: Path) -> None:
    blender = window(cut_file)
    open_sequencer(blender)
    blender.do(WATCH)
    blender.click("understudy.combine")
    blender.wait("len(strips()) == 3", 90)
    no_long_block(blender, "ReadingOperator.modal", "pump")
    assert blender.ask("strips()[-1].channel") == 3
    blender.point(600, 120)
    blender.key("ctrl+z")
    blender.wait("len(strips()) == 2")
