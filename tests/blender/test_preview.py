"""What a job shows while it runs, and ending it early: pictures in an image, Good Enough, with scripted and real engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy import preview
from bl_ext.user_default.understudy.job_folder import read_job
from bl_ext.user_default.understudy.protocol import Preview
from shots import refusal, write_key, write_shot

FakeEngine = Callable[..., None]
ops = bpy.ops.understudy


def arrive(picture: np.ndarray, frame: int = 7) -> None:
    """As a job's message."""
    height, width, channels = picture.shape
    preview.receive(Preview("job", frame, width, height, channels), picture.tobytes())


def shown() -> np.ndarray:
    """(H, W, 4) 0 to 255, what the image holds, top row first."""
    image = bpy.data.images[preview.NAME]
    out = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(out)
    return np.rint(out.reshape(image.size[1], image.size[0], 4)[::-1] * 255).astype(np.uint8)


def test_a_preview_appears_once_it_is_asked_for_and_then_follows() -> None:
    assert "No job has shown a picture yet" in refusal(ops.show_preview)
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (20, 31, 3), np.uint8), rng.integers(0, 256, (400, 512, 4), np.uint8)
    arrive(first)
    assert not bpy.data.images, "nobody asked for it"
    assert ops.show_preview() == {"FINISHED"}
    assert (shown()[..., :3] == first).all()
    arrive(second)
    assert (shown()[..., :3] == second[..., :3]).all()
    assert len(bpy.data.images) == 1 and not bpy.data.images[0].is_dirty, "Blender would ask to save it"


def test_a_preview_never_holds_blender_up() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8)
    arrive(picture)
    ops.show_preview()
    took = []
    for _ in range(5):
        start = time.thread_time()
        arrive(picture)
        took.append(time.thread_time() - start)
    assert min(took) < 0.1, took


def test_a_preview_does_not_go_into_the_file_or_into_another(saved_file: Path) -> None:
    arrive(np.zeros((8, 8, 3), np.uint8))
    ops.show_preview()
    bpy.data.images[preview.NAME].use_fake_user = True
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=str(saved_file))
    assert not bpy.data.images
    assert "No job has shown a picture yet" in refusal(ops.show_preview)


def test_previews_of_a_job_reach_the_image(saved_file: Path, fake_engine: FakeEngine) -> None:
    fake_engine(jobs=[[{"preview": [2, 12, 8, 3]}, {"finish": {}}]])
    folder = write_shot(saved_file.parent / "understudy")
    write_key(folder, 1)
    arrive(np.full((8, 8, 3), 9, np.uint8))
    ops.show_preview()
    bpy.context.scene.frame_set(2)
    assert ops.train_style() == {"FINISHED"}
    assert tuple(bpy.data.images[preview.NAME].size) == (12, 8)
    assert read_job(folder).settings.preview_frame == 2, "the frame that the artist looks at"


def test_good_enough_is_for_a_training_that_runs(saved_file: Path) -> None:
    assert "No job is running that could end early" in refusal(ops.good_enough)


@pytest.fixture
def captured(tmp_path: Path) -> Path:
    """A real capture of a ball, one key: its own first frame."""
    from stage import add_ball, add_ground, animate, empty_stage

    empty_stage(frames=3, side=48)
    add_ground()
    animate(add_ball(), "location", (-1.5, 0, 1), (1.0, 0, 1))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "ball.blend"))
    assert ops.capture() == {"FINISHED"}
    assert ops.paint_key() == {"FINISHED"}
    return tmp_path / "understudy" / "ball"


def test_enough_and_cancel_keep_what_was_learned_and_go_on(captured: Path) -> None:
    """With the real engine: the next key is suggested; a training of an hour is ended early once it has shown the frame
    asked for, one is cancelled; the weights are there each time."""
    from bl_ext.user_default.understudy.job_folder import write_job
    from bl_ext.user_default.understudy.jobs import manager
    from bl_ext.user_default.understudy.protocol import Cancelled, Finished, Progress, TrainStyle
    from bl_ext.user_default.understudy.shot import look

    assert ops.suggest_key() == {"FINISHED"}
    suggested = look(captured).suggestion
    assert suggested is not None and 0 < suggested.covered < 1
    assert bpy.context.scene.frame_current == suggested.frame and suggested.frame in (2, 3)
    weights, steps = captured / "style" / "generator.safetensors", []
    for resume, end, kind in ((False, ops.good_enough, Finished), (True, ops.cancel_job, Cancelled)):
        write_job(captured, TrainStyle([1], seconds=3600, resume=resume, preview_frame=3))
        messages: list[object] = []
        manager.submit(captured, lambda message, payload: messages.append(message), "Train", takes_enough=True)  # noqa: B023
        deadline, asked = time.monotonic() + 90, False
        while not isinstance(messages[-1] if messages else None, (Finished, Cancelled)):
            assert time.monotonic() < deadline, messages[-3:]
            manager.pump()
            stepped = any(isinstance(m, Progress) and "step" in m.text for m in messages)
            seen = [m.frame for m in messages if isinstance(m, Preview)]
            if not asked and stepped and (seen or resume):
                assert end() == {"FINISHED"}
                asked = True
            time.sleep(0.02)
        assert isinstance(messages[-1], kind) and set(seen) <= {3}
        assert weights.is_file() and look(captured).trained
        steps.append((captured / "style" / "generator.json").read_text())
    assert steps[0] != steps[1], "what the cancelled training learned is kept"
    manager.close()
