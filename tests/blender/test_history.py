"""The history of Stylise: what was painted before is seen, and its look and style come back on demand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.understudy import history
from shots import add_camera, refusal, write_key, write_results, write_shot, write_style

ops = bpy.ops.understudy


@pytest.fixture
def folder(saved_file: Path, fake_engine: Callable[..., None]) -> Path:
    """A shot with a trained style and results, and an engine that finishes at once, many times."""
    add_camera()
    folder = write_shot(saved_file.parent / "understudy")
    write_key(folder, 2)
    write_style(folder)
    write_results(folder, range(1, 5))
    fake_engine(jobs=[[{"finish": {}}]] * 20)
    return folder


def weights(folder: Path) -> Path:
    return folder / "style" / "generator.safetensors"


def test_look_and_style_of_an_earlier_run_come_back(folder: Path) -> None:
    settings = bpy.context.scene.understudy
    settings.strength, settings.seed = 0.5, 3
    ops.stylise()
    weights(folder).unlink()  # a training puts a new file in its place
    weights(folder).write_bytes(b"other weights")
    settings.strength, settings.seed = 1.0, 4
    ops.stylise()
    last, first = history.entries(folder)
    assert (first.frames, first.keys) == (4, (2,)) and first.style != last.style
    frame = folder / "result" / "0003.png"
    before = frame.read_bytes()
    frame.with_suffix(".partial").write_bytes(b"painted anew")
    frame.with_suffix(".partial").replace(frame)
    assert history.thumbnail(folder, first.number).read_bytes() == before, "the frame as it was"
    assert ops.use_again(number=first.number) == {"FINISHED"}
    assert (settings.strength, settings.seed) == (0.5, 3)
    assert weights(folder).read_bytes() == b"weights"
    assert (folder / "style_before" / "generator.safetensors").read_bytes() == b"other weights", "nothing is lost"
    assert ops.earlier_style() == {"FINISHED"}
    assert weights(folder).read_bytes() == b"other weights"


def test_the_same_again_is_no_new_run_and_old_ones_go(folder: Path) -> None:
    ops.stylise()
    ops.stylise()
    assert len(history.entries(folder)) == 1
    for seed in range(1, history.MOST + 2):
        bpy.context.scene.understudy.seed = seed
        ops.stylise()
    runs = history.entries(folder)
    assert len(runs) == history.MOST and runs[0].settings["seed"] == history.MOST + 1
    assert ops.use_again() == {"FINISHED"}, "0 is the last one"
    with pytest.raises(RuntimeError, match="no run 1 in the history"):
        ops.use_again(number=1)


def test_without_a_run_it_is_grey(saved_file: Path) -> None:
    write_shot(saved_file.parent / "understudy")
    assert "No frame is stylised yet" in refusal(ops.use_again)


def test_a_damaged_entry_is_left_out(folder: Path) -> None:
    ops.stylise()
    (folder / history.FOLDER / "0009").mkdir()
    (folder / history.FOLDER / "0009" / "entry.json").write_text("{")
    assert [run.number for run in history.entries(folder)] == [1]
