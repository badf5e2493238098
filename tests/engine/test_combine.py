"""Two sequences put together: what is seen where, in which depth, that alpha is honoured, and what is done or kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_shot import write_shot

from engine import job_folder
from engine.jobs import run_folder
from engine.pictures import read_about, read_picture, to_linear, write_picture
from engine.progress import Outcome
from engine.protocol import Combine, JobError

SIDE = 16
RED, BLUE = (1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)


def fill(folder: Path, frames: range, colour: tuple[float, ...], depth: str = "8", side: int = SIDE) -> Path:
    """A sequence of one colour."""
    picture = np.tile(np.float32(colour), (side, side, 1))
    for frame in frames:
        write_picture(folder / f"{frame:04d}{'.exr' if depth == 'EXR' else '.png'}", picture, depth, {})
    return folder


def run(folder: Path, settings: Combine) -> Outcome:
    """A whole job, as the engine runs it."""
    job_folder.write_job(folder, settings)
    job = run_folder(folder)
    try:
        while True:
            next(job)
    except StopIteration as stop:
        return stop.value


def result(folder: Path, frame: int, suffix: str = ".png") -> np.ndarray:
    return read_picture(folder / "result" / f"{frame:04d}{suffix}")[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A job folder with a red and a blue sequence, frames 1 to 5."""
    fill(tmp_path / "red", range(1, 6), RED)
    fill(tmp_path / "blue", range(1, 6), BLUE)
    return tmp_path


def test_a_cross_fade_goes_evenly_from_one_to_the_other(folder: Path) -> None:
    outcome = run(folder, Combine("red", "blue", 1, 5))
    assert outcome.results == [f"result/000{n}.png" for n in range(1, 6)]
    blue = [result(folder, frame)[3, 3, 2] for frame in range(1, 6)]
    assert blue == pytest.approx([0, 0.25, 0.5, 0.75, 1], abs=0.003)
    assert (np.array(Image.open(folder / "result" / "0001.png")) == [255, 0, 0]).all(), "no alpha where none was"


def test_a_mask_shows_the_second_where_it_is_white_with_a_soft_edge(folder: Path) -> None:
    mask = np.zeros((SIDE, SIDE, 4), np.float32)
    mask[:, 8:], mask[..., 3] = 1, 1
    write_picture(folder / "mask" / "0002.png", mask, "8", {})
    run(folder, Combine("red", "blue", 2, 2, "MASK", "mask"))
    assert result(folder, 2)[5, [7, 8], 2].tolist() == [0, 1]
    run(folder, Combine("red", "blue", 2, 2, "MASK", "mask", feather=4))
    row = result(folder, 2)[5, :, 2]
    assert row[[0, 4, 11, 15]] == pytest.approx([0, 0, 1, 1]) and (np.diff(row[4:12]) > 0).sum() >= 4


def test_objects_of_a_shot_show_the_second(tmp_path: Path) -> None:
    shot = write_shot(tmp_path / "shot")
    fill(tmp_path / "red", range(1, 3), RED, side=shot.width)
    fill(tmp_path / "blue", range(1, 3), BLUE, side=shot.width)
    run(tmp_path, Combine("red", "blue", 1, 2, "OBJECTS", shot="shot", objects=[2]))
    made = result(tmp_path, 1)
    assert made[32, 27].tolist() == list(BLUE) and made[2, 2].tolist() == list(RED), "the ball, and the wall behind it"


@pytest.mark.parametrize(("depth", "step"), [("8", 1 / 255), ("16", 1 / 65535)])
def test_png_keeps_its_depth(tmp_path: Path, depth: str, step: float) -> None:
    for name, grey in (("one", 0.3), ("other", 0.3 + 2 / 255)):
        fill(tmp_path / name, range(1, 4), (grey, grey, grey, 1.0), depth)
    run(tmp_path, Combine("one", "other", 1, 3))
    assert result(tmp_path, 2)[0, 0, 0] == pytest.approx(0.3 + 1 / 255, abs=step)


def test_exr_is_mixed_and_kept_as_light(tmp_path: Path) -> None:
    fill(tmp_path / "bright", range(1, 4), (4.0, 4.0, 4.0, 1.0), "EXR")
    fill(tmp_path / "grey", range(1, 4), (0.5, 0.5, 0.5, 1.0))
    run(tmp_path, Combine("bright", "grey", 1, 3))
    light = float(to_linear(np.float32(128 / 255)))
    values = [result(tmp_path, frame, ".exr")[0, 0, 0] for frame in (1, 2, 3)]
    assert values == pytest.approx([4, (4 + light) / 2, light], rel=0.002)
    assert "CROSS_FADE" in read_about(tmp_path / "result" / "0002.exr")["Understudy combine"]


@pytest.mark.parametrize("depth", ["8", "16", "EXR"])
def test_what_is_transparent_lends_no_colour(tmp_path: Path, depth: str) -> None:
    """Half of an opaque red and half of nothing (stored as green in a PNG) is a red that is half there."""
    fill(tmp_path / "red", range(1, 4), RED, depth)
    fill(tmp_path / "nothing", range(1, 4), (0.0, 0.0 if depth == "EXR" else 1.0, 0.0, 0.0), depth)
    run(tmp_path, Combine("red", "nothing", 1, 3))
    made = result(tmp_path, 2, ".exr" if depth == "EXR" else ".png")[4, 4]
    assert made == pytest.approx([0.5, 0, 0, 0.5] if depth == "EXR" else [1, 0, 0, 0.5], abs=0.003)


def test_done_once_again_after_a_change_and_never_over_the_artists_own(folder: Path) -> None:
    settings = Combine("red", "blue", 1, 5)
    assert run(folder, settings).figures["made"] == 5
    assert run(folder, settings).figures["made"] == 0
    fill(folder / "blue", range(3, 4), (0.0, 1.0, 0.0, 1.0))
    assert run(folder, settings).figures["made"] == 1 and result(folder, 3)[0, 0, 1] == pytest.approx(0.5, abs=0.003)
    Image.new("RGB", (SIDE, SIDE), "white").save(folder / "result" / "0004.png")
    outcome = run(folder, Combine("red", "blue", 1, 5, feather=3))
    assert "frames 4" in outcome.notes[0] and result(folder, 4)[0, 0].tolist() == [1, 1, 1, 1]


def test_what_cannot_work_is_one_sentence(folder: Path) -> None:
    fill(folder / "small", range(1, 6), RED, side=8)
    (folder / "broken").mkdir()
    (folder / "broken" / "0001.png").write_bytes(b"no picture")
    for settings, sentence in (
        (Combine("red", "small", 1, 5), "8 x 8 and .* 16 x 16 pixels; give both"),
        (Combine("red", "blue", 1, 9), "Frame 6 is missing"),
        (Combine("red", "gone", 1, 5), "no folder of pictures"),
        (Combine("red", "broken", 1, 1), "damaged or no PNG"),
        (Combine("red", "blue", 5, 1), "none or too many"),
        (Combine("red", "blue", 1, 5, "DISSOLVE"), "no way to combine"),
        (Combine("red", "blue", 1, 5, "OBJECTS", objects=[1]), "shot.json is missing"),
    ):
        with pytest.raises(JobError, match=sentence):
            run(folder, settings)
    assert not (folder / "result").exists()
