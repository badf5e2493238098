"""Suggest next key: the frame that shows what no key shows, by surface, by light and by object, said in figures, in a sentence
and as pictures, and the artist's own files left alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tiny_shot import FRAMES, SIDE, _ball, read_truth, write_exr, write_picture, write_shot

from engine import job_folder, jobs, protocol
from engine.progress import Outcome
from engine.protocol import JobError, SuggestKey

KEY = 4


def suggest(folder: Path, **settings: Any) -> tuple[dict[str, Any], Outcome]:
    """The job, run as the engine runs it: what suggest.json says, and its outcome."""
    job_folder.write_job(folder, SuggestKey(**settings))
    steps = jobs.run_folder(folder)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return json.loads((folder / "suggest.json").read_text()), end.value


def change(folder: Path, frame: int, guides: dict[str, np.ndarray]) -> None:
    """Have the shot show something else in a frame."""
    write_exr(job_folder.geometry_path(folder, frame), protocol.GEOMETRY_PASSES, guides)
    write_picture(job_folder.frame_path(folder, frame), guides["render"])


def coverage(folder: Path, frame: int) -> np.ndarray:
    return np.array(Image.open(folder / "coverage" / f"{frame:04d}.png"))


def test_without_a_key_it_suggests_the_first(tmp_path: Path) -> None:
    write_shot(tmp_path, keys=())
    found, outcome = suggest(tmp_path)
    assert len(found["frames"]) == 1 and found["frames"][0] in FRAMES
    assert found["total"] == 0 and set(found["covered"].values()) == {0}
    assert found["totals"][1] > 0.5  # one frame of this shot shows most of it
    assert f"Paint frame {found['frames'][0]} next" in outcome.notes[0]


def test_surface_that_a_key_lacks_is_what_counts(tmp_path: Path) -> None:
    """Only the left of the key is painted: what lies right is suggested, and tinted in the picture."""
    write_shot(tmp_path)
    full, _ = suggest(tmp_path, keys=[KEY])
    rgba = np.dstack([read_truth(tmp_path, KEY) / 255, np.ones((SIDE, SIDE))])
    rgba[:, SIDE // 2 :, 3] = 0
    write_picture(job_folder.key_path(tmp_path, KEY), rgba)
    half, outcome = suggest(tmp_path, keys=[KEY])
    assert half["total"] < full["total"] - 0.2
    assert outcome.figures["coverage"] == pytest.approx(half["total"], abs=1e-3)
    render = np.array(Image.open(job_folder.frame_path(tmp_path, KEY)).convert("RGB"))
    tinted = (coverage(tmp_path, KEY) != render).any(-1)
    assert tinted[:, 48:].mean() > 0.95 and tinted[:, :30].mean() < 0.02


def test_a_light_that_no_key_has_is_what_counts(tmp_path: Path) -> None:
    write_shot(tmp_path)
    before, _ = suggest(tmp_path, keys=[KEY])
    for frame in (1, 2, 3):
        guides = _ball(frame)
        guides["render"] = guides["render"] * 0.45
        change(tmp_path, frame, guides)
    after, _ = suggest(tmp_path, keys=[KEY])
    assert before["frames"][0] > KEY and after["frames"][0] < KEY
    assert after["covered"]["2"] < before["covered"]["2"] - 0.2
    np.testing.assert_allclose(after["covered"]["5"], before["covered"]["5"])


def test_a_frame_with_a_shadow_is_suggested_before_one_without(tmp_path: Path) -> None:
    """A shadow that wanders over the wall is an eightieth of the picture; but no wall in shadow can be painted after a key that
    shows none, while hidden wall can."""
    write_shot(tmp_path, keys=())
    without, _ = suggest(tmp_path)
    for frame in (7, 8):
        guides = _ball(frame)
        guides["render"][54:60, 4 * frame : 4 * frame + 8] *= 0.4
        change(tmp_path, frame, guides)
    found, _ = suggest(tmp_path)
    assert without["frames"][0] < 7 and found["frames"][0] in (7, 8)


def test_an_object_that_no_key_shows_is_named_with_its_frame(tmp_path: Path) -> None:
    write_shot(tmp_path)
    shot = json.loads((tmp_path / "shot.json").read_text())
    shot["objects"].append({"id": 3, "name": "Coin", "size": [3.0, 3.0, 0.0]})
    (tmp_path / "shot.json").write_text(json.dumps(shot))
    for frame, side in ((6, 12), (7, 20)):
        guides = _ball(frame)
        guides["id"][2 : 2 + side, 40 : 40 + side] = 3
        change(tmp_path, frame, guides)
    _, outcome = suggest(tmp_path, keys=[KEY])
    assert "'Coin' is in no key; frame 7 shows it best." in outcome.notes
    assert not any("'Ball'" in note or "'Wall'" in note for note in outcome.notes)
    _, outcome = suggest(tmp_path, keys=[KEY, 7])
    assert not any("Coin" in note for note in outcome.notes)


def test_a_large_shot_is_thinned_out_and_judged_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shot(tmp_path)
    whole, _ = suggest(tmp_path, keys=[KEY])
    monkeypatch.setattr("engine.stylise.coverage.PIXELS", SIDE * SIDE // 4)
    thin, _ = suggest(tmp_path, keys=[KEY])
    assert thin["total"] == pytest.approx(whole["total"], abs=0.05)
    assert abs(thin["frames"][0] - whole["frames"][0]) <= 1
    assert coverage(tmp_path, KEY).shape == (SIDE, SIDE, 3)


def test_each_suggestion_adds_to_those_before_it(tmp_path: Path) -> None:
    write_shot(tmp_path)
    found, _ = suggest(tmp_path, keys=[KEY], count=3)
    assert len(set(found["frames"])) == 3 and KEY not in found["frames"]
    gains = np.diff(found["totals"])
    assert (gains > 0).all() and (np.diff(gains) <= 1e-9).all()
    after, _ = suggest(tmp_path, keys=[KEY, found["frames"][0]])
    assert after["frames"] == found["frames"][1:2]
    assert after["total"] == pytest.approx(found["totals"][1], abs=1e-3)


def test_nothing_left_to_suggest_is_said(tmp_path: Path) -> None:
    write_shot(tmp_path)
    found, outcome = suggest(tmp_path, keys=list(FRAMES), count=2)
    assert found["frames"] == [] and found["total"] == 1
    assert "no other frame would add to it" in outcome.notes[0]


def test_pictures_of_an_earlier_run_go_and_the_artists_own_stay(tmp_path: Path) -> None:
    write_shot(tmp_path)
    suggest(tmp_path)
    (tmp_path / "coverage" / "0099.png").write_bytes((tmp_path / "coverage" / "0001.png").read_bytes())
    write_picture(tmp_path / "coverage" / "0098.png", np.zeros((4, 4, 3)))
    _, outcome = suggest(tmp_path)
    assert not (tmp_path / "coverage" / "0099.png").exists()
    assert (tmp_path / "coverage" / "0098.png").exists()
    assert all((tmp_path / result).is_file() for result in outcome.results)


def test_faults_are_sentences(tmp_path: Path) -> None:
    write_shot(tmp_path)
    with pytest.raises(JobError, match="painted frame 99 is not in the captured range 1 to 8"):
        suggest(tmp_path, keys=[99])
    with pytest.raises(JobError, match="must be at least 1, not 0"):
        suggest(tmp_path, count=0)
    job_folder.geometry_path(tmp_path, 3).unlink()
    with pytest.raises(JobError, match=r"0003\.geometry\.exr is missing; capture frame 3 again"):
        suggest(tmp_path)
