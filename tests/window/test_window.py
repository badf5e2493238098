"""What an artist does and sees: the panel in a real window, jobs to their end, Esc, faults; the true command line."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Seat, Window
from trained import write_trained_shot
from watch import WATCH, no_long_block

Start = Callable[..., Window]
FakeEngine = Callable[..., Path]


def test_picture(
    window: Start, shot_file: Path, fake_engine: FakeEngine, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    write_trained_shot(shot_file.parent / "understudy", 48, 512, (1, 24), 18)
    progress: dict[str, object] = {"progress": [0.38, "Frame 18 painted", 41.0]}
    blender = window(shot_file, fake_engine(jobs=[[progress, {"sleep": 120}]]))
    blender.click("understudy.stylise")
    blender.wait("done() > 0")
    x, top, width, _ = blender.ask("sidebar()")
    bottom = blender.find("understudy.inbetween", 0.4)[1] + 24
    blender.point(400, 500)
    picture = tmp_path / "panel.png"
    blender.picture(picture, (x, top, width, bottom - top))
    assert picture.stat().st_size > 10_000, "an empty picture"
    if kept := request.config.getoption("--panel-picture"):
        Path(kept).write_bytes(picture.read_bytes())


def test_a_job_to_its_end_is_one_undo_step(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.5, "Half", 1.0]}, {"sleep": 0.5}, {"finish": {}}]]))
    blender.click("understudy.stylise")
    blender.wait("'Scene Stylised' in bpy.data.scenes")
    assert blender.ask("manager.engine_state") == "READY"
    assert blender.ask("bpy.data.cameras['Camera'].background_images[0].image.name") == "understudy stylised"
    blender.point(400, 500)
    blender.key("ctrl+z")
    blender.wait("'Scene Stylised' not in bpy.data.scenes and not bpy.data.cameras['Camera'].background_images")


def test_the_result_lands_in_the_scene_it_was_asked_for(
    window: Start, shot_file: Path, fake_engine: FakeEngine
) -> None:
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.5, "Half", 1.0]}, {"sleep": 3}, {"finish": {}}]]))
    blender.click("understudy.stylise")
    blender.do("bpy.context.window_manager.windows[0].scene = bpy.data.scenes.new('Other')")
    blender.wait("done() < 0")
    blender.wait("len(bpy.data.scenes) == 3")
    assert blender.ask("sorted(bpy.data.scenes.keys())") == ["Other", "Scene", "Scene Stylised"]


def test_a_scene_deleted_during_a_job(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    """The job goes on, and it is said where what it has made lies."""
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.5, "Half", 1.0]}, {"sleep": 3}, {"finish": {}}]]))
    blender.click("understudy.stylise")
    blender.do("bpy.context.window_manager.windows[0].scene = bpy.data.scenes.new('Other')")
    blender.do("bpy.data.scenes.remove(bpy.data.scenes['Scene'])")
    blender.wait("'The scene is gone; the result is in' in reports()", 60)
    assert blender.ask("bpy.data.scenes.keys()") == ["Other"]
    assert "Traceback" not in blender.log()


def test_a_new_file_during_a_job(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    """File > New: the job ends with the file it was for, and nothing of it comes into the new one."""
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.3, "Painting", 2.0]}, {"deaf": 2}, {"finish": {}}]]))
    blender.click("understudy.stylise")
    blender.wait("done() > 0")
    blender.do("bpy.ops.wm.read_homefile(use_splash=False)")
    blender.wait("done() < 0")
    assert blender.ask("[bpy.data.filepath, len(bpy.data.scenes), manager.engine_state]") == ["", 1, "READY"]
    assert "Traceback" not in blender.log()


def test_escape_in_the_middle_of_a_job(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.3, "Painting", 60.0]}, {"sleep": 60}]]))
    blender.click("understudy.stylise")
    blender.wait("done() > 0")
    blender.do("bpy.context.scene.frame_set(3)")  # the artist works on meanwhile
    blender.point(400, 500)
    blender.key("Escape")
    blender.wait("done() < 0", 2)
    assert blender.ask("manager.engine_state") == "READY"
    assert blender.ask("len(bpy.data.scenes)") == 1
    assert "Cancelled; what was finished is kept." in blender.reports()


def test_cancel_button(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.3, "Training", 60.0]}, {"sleep": 60}]]))
    blender.click("understudy.train_style")
    blender.wait("done() > 0")
    blender.click("understudy.cancel_job", 0.81)
    blender.wait("done() < 0", 2)


def test_escape_in_the_middle_of_a_capture(window: Start, shot_file: Path) -> None:
    blender = window(shot_file)
    blender.do("bpy.context.scene.frame_end = 400")
    before = blender.ask(RENDER_SETTINGS)
    blender.click("understudy.capture")
    blender.wait("done() > 0")
    blender.point(400, 500)
    blender.key("ctrl+z", "F12")  # wait until the scene is the artist's again
    blender.wait("done() > 0.01")
    blender.key("Escape")
    blender.wait("done() < 0")
    assert blender.ask(RENDER_SETTINGS) == before
    assert not (shot_file.parent / "understudy" / "shot" / "shot.json").exists()


RENDER_SETTINGS = """[str(getattr(owner, p.identifier))
    for owner in (bpy.context.scene.render, bpy.context.scene.cycles, bpy.context.view_layer, bpy.context.scene)
    for p in owner.bl_rna.properties if p.type not in ('POINTER', 'COLLECTION') and p.identifier != 'session_uid']"""


def test_a_file_loaded_during_a_job_gets_no_result(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.3, "Painting", 2.0]}, {"deaf": 2}, {"finish": {}}]]))
    blender.click("understudy.stylise")
    blender.wait("done() > 0")
    blender.do(f"bpy.ops.wm.open_mainfile(filepath={str(shot_file)!r})")
    blender.wait("done() < 0")
    assert blender.ask("len(bpy.data.scenes)") == 1
    blender.open_tab()
    blender.click("understudy.train_style")  # the panel is alive, and so is the engine
    blender.wait("done() >= 0")


def test_a_file_loaded_during_a_capture_is_as_it_was_saved(window: Start, shot_file: Path) -> None:
    blender = window(shot_file)
    before = blender.ask(RENDER_SETTINGS)
    blender.do("bpy.context.scene.frame_end = 400")
    blender.click("understudy.capture")
    blender.wait("done() > 0")
    blender.do(f"bpy.ops.wm.open_mainfile(filepath={str(shot_file)!r})")
    blender.wait("done() < 0")
    assert blender.ask(RENDER_SETTINGS) == before
    assert "Traceback" not in blender.log()


def test_the_engine_killed_in_the_middle(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.3, "Painting", 2.0]}, {"sleep": 60}]]))
    blender.click("understudy.stylise")
    blender.wait("done() > 0")
    os.kill(blender.ask("manager._engine.ready.pid"), 9)
    blender.wait("manager.engine_state == 'STOPPED'", 2)
    assert "The engine was ended by signal 9" in blender.reports()
    blender.point(400, 700)
    time.sleep(1)
    blender.key("Escape")  # on a busy machine the message opens only now, and would take the click
    blender.click("understudy.stylise")
    blender.wait("done() > 0")


def test_the_engine_ends_with_blender(window: Start) -> None:
    blender = window()
    blender.click("understudy.start_engine")
    blender.wait("manager.engine_state == 'READY'", 60)
    engine = blender.ask("manager._engine.ready.pid")
    blender.kill()
    deadline = time.monotonic() + 2.0
    while alive(engine):
        assert time.monotonic() < deadline, "the engine outlived Blender"
        time.sleep(0.05)


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and was not yet collected does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_whole_way_by_clicking(window: Start, shot_file: Path) -> None:
    """Capture, paint, train, ask for the next key and stylise with the real engine; the interface answers throughout."""
    folder = shot_file.parent / "understudy" / "shot"
    blender = window(shot_file)
    blender.do(WATCH)
    blender.do("bpy.context.scene.understudy.training_seconds = 3")
    blender.click("understudy.capture")
    blender.wait(f"done() < 0 and Path({str(folder / 'shot.json')!r}).exists()", 60)
    blender.click("understudy.paint_key")
    blender.wait("bpy.data.images.get('0001.png') is not None")
    blender.click("understudy.train_style")
    blender.wait("done() < 0", 120)
    assert "The style is trained" in blender.reports()
    blender.click("understudy.suggest_key")
    blender.wait(f"manager.running is None and Path({str(folder / 'suggest.json')!r}).exists()", 60)
    blender.click("understudy.stylise")
    blender.wait("'Scene Stylised' in bpy.data.scenes", 120)
    no_long_block(blender, "capture.modal", "paint_key.execute", "JobOperator.invoke", "JobOperator.modal", "pump")
    assert sorted(os.listdir(folder / "result")) == ["0001.png", "0002.png", "0003.png", "0004.png"]


def test_command_line(seat: Seat, user_folder: Path, shot_file: Path, fake_engine: FakeEngine, tmp_path: Path) -> None:
    engine = fake_engine(jobs=[[{"progress": [0.5, "Painting", 1.0]}, {"finish": {}}]])
    status, output = command_line(seat, shot_file, engine, "stylise")
    assert (status, "Nothing is captured yet" in output) == (1, True)
    write_trained_shot(shot_file.parent / "understudy")
    status, output = command_line(seat, shot_file, engine, f"stylise --output '{tmp_path / 'done.blend'}'")
    assert (status, "Stylise:  50%, 1 s left, Painting" in output) == (0, True)
    assert (tmp_path / "done.blend").exists()
    status, output = command_line(seat, shot_file, fake_engine(jobs=[[{"die": 4}]]), "stylise")
    assert (status, "ended with exit code 4" in output) == (1, True)
    status, output = command_line(seat, shot_file, engine, "inbetween")
    assert (status, "--save" in output) == (2, True)


def command_line(seat: Seat, file: Path, engine: Path, arguments: str) -> tuple[int, str]:
    """`blender FILE --command understudy …`: exit status and all that was printed."""
    command = f"UNDERSTUDY_ENGINE_PYTHON='{engine}' blender '{file}' --command understudy {arguments}"
    *output, status = seat.run(f"{command} 2>&1; echo $?").splitlines()
    return int(status), "\n".join(output)
