"""Footage without guides: what flow makes of it, measured against exact motion, and what training and stylising make of that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_footage import FRAMES, HEIGHT, WIDTH, Truth, write_footage
from tiny_shot import write_shot

from engine import frames, job_folder, protocol
from engine.jobs import run_folder
from engine.progress import Outcome
from engine.protocol import JobError, Settings


def run(folder: Path, settings: Settings) -> Outcome:
    """A whole job, as the engine runs it."""
    job_folder.write_job(folder, settings)
    job = run_folder(folder)
    try:
        while True:
            next(job)
    except StopIteration as stop:
        return stop.value


def guides(folder: Path, frame: int) -> dict[str, np.ndarray]:
    """The guides of a frame as training reads them, (H, W, C)."""
    shot = job_folder.read_shot(folder)
    return frames.read_guides(folder, shot, frame, shot.guides)


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Truth]]:
    """The footage, with frame 4 painted, tracked."""
    folder = tmp_path_factory.mktemp("footage")
    truths = write_footage(folder, keys=(4,))
    run(folder, protocol.TrackFootage())
    return folder, truths


def test_flow_is_the_true_motion(tracked: tuple[Path, list[Truth]]) -> None:
    folder, truths = tracked
    for frame in FRAMES[1:]:
        flow = guides(folder, frame)["vector"][..., :2] * [1, -1]
        error = np.sqrt(((flow - truths[frame - 1].to_previous) ** 2).sum(-1))
        assert np.median(error) < 0.1 and error.mean() < 0.5
    onward = guides(folder, 5)["vector"][..., 2:] * [-1, 1]
    wall = ~truths[4].ball
    assert np.median(onward[wall], axis=0) == pytest.approx([-1.4, -0.35], abs=0.1), "where it goes next"


def test_an_anchor_stays_on_its_surface(tracked: tuple[Path, list[Truth]]) -> None:
    """The point of the first frame that the last frame's anchors name is where the true motion leads back to."""
    folder, truths = tracked
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    place, ball = np.dstack([x, y]), truths[-1].ball
    seen = np.ones_like(ball)
    for one in truths[:0:-1]:  # from pixels of the last frame back to the first
        whole = np.clip(np.rint(place), 0, [WIDTH - 1, HEIGHT - 1]).astype(int)
        seen &= one.ball[whole[..., 1], whole[..., 0]] == ball
        place = place + one.to_previous[whole[..., 1], whole[..., 0]]
    named = guides(folder, FRAMES[-1])["anchor"]
    of_first = seen & (named[..., 2] < 0.01) & (place > 1).all(-1) & (place < [WIDTH - 2, HEIGHT - 2]).all(-1)
    away = np.sqrt(((named[..., :2] * [WIDTH, HEIGHT] - place) ** 2).sum(-1))[of_first]
    ball = ball[of_first]
    assert of_first.mean() > 0.4
    assert np.median(away[ball]) < 0.5 and np.median(away[~ball]) < 0.3
    assert (away > 3).mean() < 0.05, "hardly a pixel is taken for another surface"


def test_new_surface_is_never_taken_for_old(tracked: tuple[Path, list[Truth]]) -> None:
    """What the ball uncovers has no anchor of the ball."""
    folder, truths = tracked
    wall_now = ~truths[-1].ball
    y, x = (np.rint(guides(folder, FRAMES[-1])["anchor"][..., i] * n).astype(int) for i, n in ((1, HEIGHT), (0, WIDTH)))
    inside = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < HEIGHT) & (guides(folder, FRAMES[-1])["anchor"][..., 2] < 0.01)
    ball_first = truths[0].ball[np.clip(y, 0, HEIGHT - 1), np.clip(x, 0, WIDTH - 1)]
    assert (wall_now & inside & ball_first).sum() / wall_now.sum() < 0.02


def test_ball_and_wall_have_ids_of_their_own_that_they_keep(tracked: tuple[Path, list[Truth]]) -> None:
    folder, truths = tracked
    for frame in (1, 7, 12):
        ids, ball = guides(folder, frame)["id"][..., 0], truths[frame - 1].ball
        of_ball, of_wall = (np.bincount(ids[where].astype(int)).argmax() for where in (ball, ~ball))
        assert of_ball != of_wall and (ids[ball] == of_ball).mean() > 0.75 and (ids[~ball] == of_wall).mean() > 0.9


def test_a_cut_begins_other_surface_and_is_named(tmp_path: Path) -> None:
    write_footage(tmp_path, cut=True)
    outcome = run(tmp_path, protocol.TrackFootage())
    assert outcome.notes == ["The footage is cut at frame 7; paint a key on each side of it."]
    names = {ob.id: ob.name for ob in job_folder.read_shot(tmp_path).objects}
    for frame, part in ((6, "Frames 1 to 6"), (7, "Frames 7 to 12")):
        assert {names[int(i)].partition(",")[0] for i in np.unique(guides(tmp_path, frame)["id"])} == {part}


def test_before_a_still_camera_what_rests_is_background(tmp_path: Path) -> None:
    truths = write_footage(tmp_path, still=True)
    run(tmp_path, protocol.TrackFootage(still=True))
    for frame in (1, 6, 12):
        moving, ball = guides(tmp_path, frame)["id"][..., 0] > 0, truths[frame - 1].ball
        assert (moving & ball).sum() > 0.85 * ball.sum() and (moving & ~ball).sum() < 0.2 * (~ball).sum()


def test_footage_is_trained_on_and_stylised_like_a_capture(tracked: tuple[Path, list[Truth]]) -> None:
    folder, truths = tracked
    run(folder, protocol.TrainStyle([4], seconds=0, steps=40))
    run(folder, protocol.Stylise(FRAMES[0], FRAMES[-1]))
    made = [np.array(Image.open(job_folder.result_path(folder, frame)).convert("RGB"), np.float32) for frame in FRAMES]
    errors = {
        "stylised": [np.square(a - one.paint).mean() for a, one in zip(made, truths, strict=True)],
        "as filmed": [np.square(one.picture.astype(np.float32) - one.paint).mean() for one in truths],
        "the key on every frame": [np.square(truths[3].paint.astype(np.float32) - one.paint).mean() for one in truths],
    }
    others = [i for i, frame in enumerate(FRAMES) if frame != 4]
    mean = {name: np.mean([values[i] for i in others]) for name, values in errors.items()}
    assert mean["stylised"] < 0.5 * mean["the key on every frame"] and mean["stylised"] < 0.2 * mean["as filmed"]


def test_a_captured_shot_keeps_its_exact_guides(tmp_path: Path) -> None:
    write_shot(tmp_path)
    before = job_folder.geometry_path(tmp_path, 1).read_bytes()
    with pytest.raises(JobError, match="captured from a scene"):
        run(tmp_path, protocol.TrackFootage())
    assert job_folder.geometry_path(tmp_path, 1).read_bytes() == before


def test_a_missing_frame_is_one_sentence(tmp_path: Path) -> None:
    write_footage(tmp_path)
    job_folder.frame_path(tmp_path, 5).unlink()
    with pytest.raises(JobError, match=r"0005\.png is missing"):
        run(tmp_path, protocol.TrackFootage())
    assert job_folder.read_shot(tmp_path).guides == [], "not half a set of guides"
