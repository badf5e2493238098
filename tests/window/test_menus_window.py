"""Understudy in the menus of the Image Editor and the Video Sequencer, and the presets in the headers of its panels: each entry
is taken by keyboard or mouse, as an artist does who has not opened the sidebar."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from conftest import Window
from test_sequencer_window import SEQUENCER, cut_file  # noqa: F401 the fixture
from test_shot_operators import IMAGE_EDITOR, write_stylised_shot
from trained import write_trained_shot

Start = Callable[..., Window]
FakeEngine = Callable[..., Path]
WORKING = [{"progress": [0.4, "Frame 3 made", 60.0]}, {"sleep": 60}]
# The menu as its header opens it, under the mouse.
MENU = """
window, area = view()
region = next(region for region in area.regions if region.type == 'WINDOW')
with bpy.context.temp_override(window=window, area=area, region=region):
    bpy.ops.wm.call_menu(name={menu!r})
"""


def take(blender: Window, menu: str, entry: str) -> None:
    """An entry of a menu by the keyboard: Space looks for it by its name, Enter takes it."""
    blender.point(500, 400)
    blender.do(MENU.format(menu=menu))
    time.sleep(0.5)
    blender.key("space", *(letter.lower() if letter != " " else "space" for letter in entry))
    time.sleep(1)
    blender.keep(entry)
    blender.key("Return")


def rest_and_press(blender: Window, x: int, y: int) -> None:
    """Click what the mouse rests on: a list that opens takes a click only from a button that is lit already."""
    blender.point(x, y)
    time.sleep(1)
    blender.ask("None")
    blender.press(x, y)
    time.sleep(0.5)


def test_the_menu_of_the_image_editor(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    """A frame is opened, painted and made a key; more is made of the picture."""
    folder = shot_file.parent / "understudy" / "shot"
    write_stylised_shot(folder)
    blender = window(shot_file, fake_engine(jobs=[WORKING]))
    blender.do("view()[1].ui_type = 'IMAGE_EDITOR'")
    blender.do(IMAGE_EDITOR)
    take(blender, "IMAGE_MT_image", "Paint This Frame")
    blender.wait("view()[1].spaces.active.image is not None")
    blender.do("image = view()[1].spaces.active.image; image.pixels[0] = 0.25; image.update()")
    take(blender, "IMAGE_MT_image", "Use as Key")
    blender.wait("'Frame 1 is a key now' in reports() and not image.is_dirty")
    assert (folder / "keys" / "0001.png").is_file()
    blender.do(f"view()[1].spaces.active.image = bpy.data.images.load({str(folder / 'frames' / '0001.png')!r})")
    take(blender, "IMAGE_MT_image", "Generate")
    blender.wait("done() > 0.3", 60)
    blender.point(500, 400)
    blender.key("Escape")
    blender.wait("done() < 0")
    assert "Traceback" not in blender.log()


def test_the_menu_of_the_video_sequencer(
    window: Start,
    cut_file: Path,  # noqa: F811 the fixture
    fake_engine: FakeEngine,
) -> None:
    """Footage is used; more is made of a strip, and Esc leaves none behind."""
    blender = window(cut_file, fake_engine(jobs=[[{"finish": {}}], WORKING]))
    blender.do("view()[1].type = 'SEQUENCE_EDITOR'")
    blender.do(SEQUENCER)
    take(blender, "SEQUENCER_MT_strip", "Use Footage")
    blender.wait("bpy.context.scene.understudy.job_folder", 150)
    blender.wait("manager.running is None")
    take(blender, "SEQUENCER_MT_strip", "Generate")
    blender.wait("done() > 0.3", 150)
    blender.point(500, 400)
    blender.key("Escape")
    blender.wait("done() < 0", 30)
    assert blender.ask("len(strips())") == 2
    assert "Traceback" not in blender.log()


def test_strips_are_combined_from_the_menu(window: Start, cut_file: Path) -> None:  # noqa: F811 the fixture
    blender = window(cut_file)
    blender.do("view()[1].type = 'SEQUENCE_EDITOR'")
    blender.do(SEQUENCER)
    take(blender, "SEQUENCER_MT_strip", "Combine")
    blender.wait("len(strips()) == 3", 90)
    assert "Traceback" not in blender.log()


def test_a_preset_is_taken_by_mouse(window: Start, shot_file: Path) -> None:
    """The list in a panel's header has those that come along; one click takes one."""
    write_trained_shot(shot_file.parent / "understudy", 48, 512, (1, 24), 48)
    blender = window(shot_file)
    _, y = blender.middle("understudy.show_result")
    left, _, width, _ = blender.ask("sidebar()")
    x = left + round(0.765 * width)
    rest_and_press(blender, x, y + 32)
    blender.keep("presets")
    rest_and_press(blender, x, y - 47)  # Half Wash, the last one, above the field for a new one
    blender.wait("bpy.context.scene.understudy.strength == 0.5")
    for operator in ("stylise_preset_add", "look_preset_add", "motion_preset_add", "generate_preset_add"):
        blender.do(f"bpy.ops.understudy.{operator}(name='Mine')")
        assert blender.ask(f"bool(bpy.utils.preset_find('Mine', 'understudy/{operator.split('_')[0]}'))")
        blender.do(f"bpy.ops.understudy.{operator}(name='Mine', remove_name=True)")
    assert "Traceback" not in blender.log()
