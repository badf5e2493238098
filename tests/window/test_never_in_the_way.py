"""The interface while a job runs: no part of the extension holds Blender's main thread for long, and the artist may undo, render,
open a second Blender or quit."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from conftest import ENGINE_PYTHON, ROOT, Seat, Window
from test_window import alive
from trained import write_trained_shot
from watch import WATCH, no_long_block

sys.path.insert(0, str(ROOT / "tests" / "engine"))
from tiny_shot import write_shot

Start = Callable[..., Window]
FakeEngine = Callable[..., Path]


def test_no_block_while_the_engine_works(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    """48 frames of 512 x 512, a preview of that size after each, then the strip."""
    write_trained_shot(shot_file.parent / "understudy", 48, 512, (1, 24), 48)
    steps: list[object] = []
    for i in range(24):
        steps += [{"progress": [i / 24, f"Frame {i} painted", 9.0]}, {"preview": [i, 512, 512, 3]}, {"sleep": 0.1}]
    blender = window(shot_file, fake_engine(jobs=[[*steps, {"finish": {}}]]))
    blender.do(WATCH)
    blender.click("understudy.stylise")
    blender.wait("done() > 0.1")
    blender.do("bpy.ops.understudy.show_preview()")
    blender.wait("'Scene Stylised' in bpy.data.scenes", 60)
    no_long_block(blender, "JobOperator.modal", "pump", "EngineState.draw", "ShotSteps.draw", "show_preview")


def test_no_block_without_an_engine(window: Start, shot_file: Path) -> None:
    """Plain reprojection runs beside the interface, and Esc ends it."""
    folder = shot_file.parent / "understudy" / "shot"
    write_shot(folder)
    blender = window(shot_file, Path("/nonexistent"))
    blender.do("import os; del os.environ['UNDERSTUDY_ENGINE_PYTHON']")
    blender.do(WATCH)
    blender.do("bpy.context.scene.frame_end = 8")
    blender.click("understudy.stylise")
    blender.wait("'Scene Stylised' in bpy.data.scenes", 60)
    assert len(os.listdir(folder / "result")) == 8
    assert "carried over by plain reprojection" in blender.reports()
    no_long_block(blender, "JobOperator.modal", "EngineState.draw")
    blender.point(400, 500)
    blender.key("ctrl+z")
    blender.wait("'Scene Stylised' not in bpy.data.scenes")


# 60 bones with eleven poses in 200 frames, one after another in Pose Mode.
LARGE_RIG = """
import random
dice = random.Random(3)
armature = bpy.data.armatures.new('Large')
rig = bpy.data.objects.new('Large', armature)
bpy.context.scene.collection.objects.link(rig)
window, area = view()
bpy.context.view_layer.objects.active = rig
with bpy.context.temp_override(window=window, area=area):
    bpy.ops.object.mode_set(mode='EDIT')
    for i in range(60):
        bone = armature.edit_bones.new(f'b{i}')
        bone.head, bone.tail = (i % 6, i // 6, 0), (i % 6, i // 6, 0.8)
        bone.parent = armature.edit_bones[f'b{dice.randrange(i)}'] if i else None
    bpy.ops.object.mode_set(mode='POSE')
    bpy.ops.pose.select_all(action='SELECT')
bpy.context.scene.frame_end = 201
for frame in range(1, 202, 20):
    for bone in rig.pose.bones:
        bone.rotation_quaternion = (1, *(dice.uniform(-0.5, 0.5) for _ in range(3)))
        bone.keyframe_insert('rotation_quaternion', frame=frame)
        bone.keyframe_insert('location', frame=frame)
bpy.ops.ed.undo_push(message='rig')
"""
GENERATED = "sum(k.type == 'GENERATED' for fc in curves('Large') for k in fc.keyframe_points)"


def test_no_block_while_keys_are_read_and_written(window: Start, shot_file: Path) -> None:
    """In-Between on 200 frames of 60 bones, accepted, its keys made few and deleted: Blender answers throughout."""
    blender = window(shot_file, Path("/nonexistent"))
    blender.do("import os; del os.environ['UNDERSTUDY_ENGINE_PYTHON']")
    blender.do(LARGE_RIG)
    blender.do(WATCH)
    blender.click("understudy.inbetween", 0.4)
    blender.wait("any('understudy' in f.__module__ for f in bpy.app.handlers.frame_change_post)", 60)
    blender.point(500, 500)
    blender.key("Return")
    blender.wait(f"manager.running is None and {GENERATED} > 1000", 60)
    made = blender.ask(GENERATED)
    press(blender, "delete_generated_keys")
    blender.wait(f"manager.running is None and {GENERATED} == 0", 60)
    blender.point(500, 500)
    blender.key("ctrl+z")
    blender.wait(f"{GENERATED} == {made}", 60)
    press(blender, "reduce_keys")
    blender.wait(f"manager.running is None and {GENERATED} == 0", 60)  # what is left is the artist's
    no_long_block(blender, "JobOperator.invoke", "SliderOperator.modal", "KeyOperator.modal")
    assert "Traceback" not in blender.log()


def press(blender: Window, operator: str) -> None:
    """As a button does it, with its undo step."""
    blender.do("window, area = view()")
    here = "with bpy.context.temp_override(window=window, area=area):"
    blender.do(f"{here} bpy.ops.understudy.{operator}('INVOKE_DEFAULT', True)")


def test_undo_and_a_render_during_a_job(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.5, "Half", 5.0]}, {"sleep": 6}, {"finish": {}}]]))
    blender.do("bpy.context.object.location.x = 3; bpy.ops.ed.undo_push(message='moved')")
    blender.click("understudy.stylise")
    blender.wait("done() > 0")
    blender.point(400, 500)
    blender.key("ctrl+z")
    blender.wait("bpy.data.objects['Cube'].location.x == 0")
    blender.do("bpy.ops.render.render()")
    blender.wait("'Scene Stylised' in bpy.data.scenes")
    assert "Traceback" not in blender.log()


def quit_blender(blender: Window, *processes: int) -> None:
    """As File > Quit does it; nothing outlives it, and nothing goes wrong on the way."""
    blender.do("bpy.context.preferences.use_preferences_save = False")  # the next test has its own
    blender.do("bpy.app.timers.register(lambda: bpy.ops.wm.quit_blender() and None, first_interval=0.2)")
    deadline = time.monotonic() + 120.0
    while any(map(alive, (blender.pid, *processes))):
        assert time.monotonic() < deadline, "the engine or Blender lives on"
        time.sleep(0.1)
    assert "Traceback" not in blender.log() and "Segmentation" not in blender.log()


def test_quitting_during_a_job_ends_the_engine(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.3, "Painting", 60.0]}, {"sleep": 60}]]))
    blender.click("understudy.stylise")
    blender.wait("done() > 0")
    quit_blender(blender, blender.ask("manager._engine.ready.pid"))


def test_quitting_during_a_capture(window: Start, shot_file: Path) -> None:
    """Half a shot is no shot: what was rendered goes."""
    blender = window(shot_file)
    blender.do("bpy.context.scene.frame_end = 400")
    blender.click("understudy.capture")
    blender.wait("done() > 0")
    quit_blender(blender)
    assert not (shot_file.parent / "understudy" / "shot" / "shot.json").exists()


def test_two_blenders_at_once(window: Start, seat: Seat, shot_file: Path) -> None:
    """They do not get in each other's way; in one and the same shot the second is told what is going on."""
    folder = shot_file.parent / "understudy" / "shot"
    write_shot(folder)
    first, second = window(shot_file, ENGINE_PYTHON), window(shot_file, ENGINE_PYTHON)
    train = """
window, area = view()
bpy.context.scene.understudy.training_seconds = 60
with bpy.context.temp_override(window=window, area=area):
    bpy.ops.understudy.train_style('INVOKE_DEFAULT')
"""
    first.do(train)
    first.wait("done() > 0", 60)
    second.do(train)
    second.wait("'Another process' in reports()", 60)
    assert first.ask("done()") > 0
    first.do("bpy.ops.understudy.good_enough()")
    first.wait("done() < 0", 60)
    assert "The style is trained" in first.reports()


def test_the_history_and_use_again(window: Start, shot_file: Path, fake_engine: FakeEngine, tmp_path: Path) -> None:
    """A run is listed with its picture; its button brings its look back."""
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"finish": {}}]]))
    blender.do("bpy.context.scene.understudy.strength = 0.5")
    blender.click("understudy.stylise")
    blender.wait("done() < 0 and 'Scene Stylised' in bpy.data.scenes")
    blender.do("bpy.context.scene.understudy.strength = 1.0")
    time.sleep(1)  # the panel is drawn without its progress, so that what is below moves up
    x, y = blender.middle("understudy.show_result")
    blender.press(x, y + 84)  # the third header below
    blender.picture(tmp_path / "history.png")
    blender.click("understudy.use_again")
    assert blender.ask("round(bpy.context.scene.understudy.strength, 3)") == 0.5
