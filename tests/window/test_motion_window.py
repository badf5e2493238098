"""The acting slider as an animator meets it: in a real window, with the real engine, by mouse and keyboard."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Seat, Window
from watch import WATCH, no_long_block

Start = Callable[..., Window]
KEYS = """[[fc.data_path, fc.array_index, [[list(k.co), list(k.handle_left), list(k.handle_right), k.type, k.interpolation]
    for k in fc.keyframe_points]] for fc in curves('Rig')]"""
POSE = "[list(x) for b in bpy.data.objects['Rig'].pose.bones for x in (b.rotation_quaternion, b.location)]"
GENERATED = "sum(k.type == 'GENERATED' for fc in curves('Rig') for k in fc.keyframe_points)"
KEYED = f"manager.running is None and {GENERATED} > 0"  # all of them, also where they come a piece at a time
OPEN = "any('understudy' in f.__module__ for f in bpy.app.handlers.frame_change_post)"


@pytest.fixture
def rig_file(seat: Seat, user_folder: Path, tmp_path: Path) -> Path:
    """A saved file: a walker of eight bones with three poses, all selected, in Pose Mode."""
    path = tmp_path / "rig.blend"
    seat.run(f"blender --background --python '{ROOT / 'tests' / 'window' / 'rig.py'}' -- '{path}' >&2")
    return path


def open_slider(blender: Window) -> None:
    """Press In-Between, and wait until the slider is there."""
    blender.click("understudy.inbetween", 0.4)
    blender.wait(OPEN, 60)
    blender.point(500, 500)


def test_the_slider_shows_and_discards(window: Start, rig_file: Path, request: pytest.FixtureRequest) -> None:
    """Moving it moves the rig, with not one key; Esc leaves keys, pose and frame as they were."""
    blender = window(rig_file)
    before, pose = blender.ask(KEYS), blender.ask(POSE)
    open_slider(blender)
    acted = blender.ask(POSE)
    assert acted != pose and blender.ask(KEYS) == before
    blender.key("0")
    plain = blender.ask(POSE)
    blender.key("period", "5")
    half = blender.ask(POSE)
    assert len({json.dumps(x) for x in (acted, plain, half)}) == 3
    if kept := request.config.getoption("--panel-picture"):
        blender.picture(Path(kept).with_name("slider.png"))
    blender.key("Right", "Right")
    blender.wait("bpy.context.scene.frame_current == 9")
    assert blender.ask(KEYS) == before
    blender.key("Escape")
    blender.wait(f"not ({OPEN})")
    assert blender.ask("bpy.context.scene.frame_current") == 7
    assert blender.ask(KEYS) == before and blender.ask(POSE) == pose
    open_slider(blender)
    blender.do(f"bpy.ops.wm.open_mainfile(filepath={str(rig_file)!r})")
    blender.wait(f"not ({OPEN})")
    assert blender.ask(KEYS) == before and blender.ask(POSE) == pose
    assert "Traceback" not in blender.log()


def test_accepting_is_one_undo_step(window: Start, rig_file: Path) -> None:
    """Keys come with Enter and go with one Ctrl Z; other takes are other keys."""
    blender = window(rig_file)
    before = blender.ask(KEYS)
    open_slider(blender)
    first = blender.ask(POSE)
    blender.key("v")
    blender.wait(f"{POSE} != {first}", 30)
    blender.key("g", "Return")
    blender.wait(KEYED)
    assert not blender.ask(OPEN)
    blender.click("understudy.act_amount", 0.85)
    blender.wait(OPEN)
    blender.point(500, 500)
    blender.key("0", "Escape")
    blender.wait(f"not ({OPEN})")
    blender.key("ctrl+z")
    blender.wait(f"{GENERATED} == 0")
    assert blender.ask(KEYS) == before
    assert "Traceback" not in blender.log()


def test_without_an_engine_the_slider_shows_plain_curves(window: Start, rig_file: Path) -> None:
    """Nothing is installed yet, and In-Between works: it says by what, and is one undo step."""
    blender = window(rig_file)
    blender.do("import os; del os.environ['UNDERSTUDY_ENGINE_PYTHON']")
    before = blender.ask(KEYS)
    open_slider(blender)
    assert blender.ask(KEYS) == before
    blender.key("Return")
    blender.wait(KEYED)
    assert "The plain curves were used, for no engine is installed" in blender.reports()
    blender.key("ctrl+z")
    blender.wait(f"{GENERATED} == 0")
    assert blender.ask(KEYS) == before
    assert "Traceback" not in blender.log()


def test_playing_on_whole_ranges_and_learning(window: Start, rig_file: Path) -> None:
    """Play On opens the slider. In the folded panels below, Loop and Clean each make a new action and keep the old one, and Learn
    says what it needs."""
    blender = window(rig_file)
    before = blender.ask(KEYS)
    blender.do(WATCH)
    blender.click("understudy.extrapolate")
    blender.wait(OPEN, 60)
    blender.point(500, 500)
    blender.key("Escape")
    blender.wait(f"not ({OPEN})")
    assert blender.ask(KEYS) == before
    blender.do("bpy.context.scene.frame_end = 30")
    x, y = blender.middle("understudy.delete_generated_keys")
    for panel in (0, 0, 3, 2, 1):  # Takes and Keys, to look at it; Learn, Clean and Loop, the lowest first
        blender.press(x, y + 32 + 26 * panel)
        blender.keep("unfolded")
    for operator in ("loop", "clean"):
        blender.click(f"understudy.{operator}")
        blender.wait(f"manager.running is None and any({operator!r} in action.name for action in bpy.data.actions)", 60)
    assert "is kept as it was" in blender.reports()
    blender.click("understudy.learn_motion")
    blender.wait("'4 seconds or more of a moving rig are needed' in reports()", 60)
    no_long_block(blender, "SliderOperator.modal", "JobOperator.modal", "pump")
    assert "Traceback" not in blender.log()


def test_the_pie_menu_on_its_key(window: Start, rig_file: Path, tmp_path: Path) -> None:
    """Y over the 3D View, a flick to the left: In-Between. The key is among the user's, and can be switched off."""
    blender = window(rig_file)
    blender.point(500, 500)
    blender.key("y")
    time.sleep(0.5)
    blender.picture(tmp_path / "pie.png")
    blender.press(380, 500)
    blender.wait(OPEN, 60)
    blender.point(500, 500)
    blender.key("Return")
    blender.wait(KEYED)
    items = """[i for m in bpy.context.window_manager.keyconfigs.user.keymaps for i in m.keymap_items
        if i.idname == 'wm.call_menu_pie' and 'understudy' in i.properties.name]"""
    assert blender.ask(f"len({items})") == 4
    blender.do(f"for item in {items}: item.active = False")
    blender.key("y")
    time.sleep(0.5)
    blender.press(380, 500)
    assert not blender.ask(OPEN)


@pytest.mark.parametrize(
    ("editor", "menu"), [("DOPESHEET_EDITOR", "DOPESHEET_MT_key"), ("GRAPH_EDITOR", "GRAPH_MT_key")]
)
def test_the_menus_of_the_animation_editors(
    window: Start, rig_file: Path, tmp_path: Path, editor: str, menu: str
) -> None:
    """In-Between from where the keys are: the last entry of the Key menu is taken by the keyboard, and the slider opens."""
    blender = window(rig_file)
    blender.do(f"view()[1].type = {editor!r}")
    here = """
window = bpy.context.window_manager.windows[0]
area = max(window.screen.areas, key=lambda area: area.width * area.height)
region = next(region for region in area.regions if region.type == 'WINDOW')
with bpy.context.temp_override(window=window, area=area, region=region):
"""
    blender.point(500, 400)
    blender.do(f"{here}    bpy.ops.wm.call_menu(name={menu!r})")
    for key in ("Up", "Right"):  # the last entry, Understudy, and in its menu the first
        time.sleep(0.5)
        blender.key(key)
    blender.picture(tmp_path / "menu.png")
    blender.key("Return")
    blender.wait(OPEN, 60)
    blender.key("Return")
    blender.wait(KEYED)
    assert "Traceback" not in blender.log()
