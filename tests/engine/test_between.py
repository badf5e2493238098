"""Frames between frames: that they lie where the motion leads, that alpha, light and depth are honoured, that cuts and an
artist's own files are left alone, and that a run that was stopped goes on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from tiny_shot import write_exr

from engine import job_folder, protocol
from engine.jobs import run_folder
from engine.pictures import read_about, read_picture, write_picture
from engine.progress import Outcome
from engine.protocol import Generate, JobError, Shot, ShotObject

SIDE = 48
SPEED = 1.5  # pixels a frame


def disc(frame: float, colour: tuple[float, float, float] = (0.9, 0.3, 0.1)) -> np.ndarray:
    """(H, W, 4) float32, alpha straight: a grained disc that moves to the right over nothing."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    cx = 12 + SPEED * frame
    alpha = np.clip(9.5 - np.hypot(x - cx, y - 24), 0, 1)
    grain = 0.75 + 0.25 * np.sin(1.1 * (x - cx)) * np.sin(0.9 * y)
    return np.dstack([grain[..., None] * np.array(colour), alpha]).astype(np.float32)


def scene(frame: float) -> np.ndarray:
    """The disc before a wall, opaque."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    wall = np.dstack([0.3 + 0.1 * np.sin(0.7 * x + 0.3 * y), 0.4 + 0.1 * np.sin(0.5 * y), 0.5 + 0 * x])
    over = disc(frame)
    colour = over[..., :3] * over[..., 3:] + wall * (1 - over[..., 3:])
    return np.dstack([colour, np.ones_like(x)]).astype(np.float32)


def give(folder: Path, frames: Iterable[int], picture=scene, depth: str = "8") -> Path:
    """A job folder with these frames."""
    for frame in frames:
        name = f"{frame:04d}{'.exr' if depth == 'EXR' else '.png'}"
        write_picture(folder / "frames" / name, picture(frame), depth, {})
    return folder


def run(folder: Path, **settings: object) -> Outcome:
    """The whole job in this process; by flow alone unless seconds are asked for."""
    job_folder.write_job(folder, Generate("BETWEEN", device="cpu", **({"seconds": 0.0, "slow": 1} | settings)))
    steps = run_folder(folder)
    while True:
        try:
            assert next(steps).text
        except StopIteration as end:
            return end.value


def made(folder: Path, frame: int, suffix: str = ".png") -> np.ndarray:
    return read_picture(folder / "result" / f"{frame:04d}{suffix}")[0]


def decibels(test: np.ndarray, truth: np.ndarray) -> float:
    return float(-10 * np.log10(((test - truth) ** 2).mean()))


def centre(picture: np.ndarray) -> float:
    """Where the disc is: the middle of what is red."""
    red = np.clip(picture[..., 0] - picture[..., 2], 0, 1) * picture[..., 3]
    return float((red.sum(0) * np.arange(SIDE)).sum() / red.sum())


def test_dropped_frames_come_back_where_the_motion_leads(tmp_path: Path) -> None:
    give(tmp_path, range(1, 14, 2))
    job_folder.write_job(tmp_path, Generate("BETWEEN", slow=1, seconds=6.0, device="cpu"))
    subprocess.run([sys.executable, "-m", "engine", "run", str(tmp_path)], check=True, capture_output=True)
    assert sorted(path.name for path in (tmp_path / "result").iterdir()) == [f"{n:04d}.png" for n in range(1, 14)]
    for frame in range(1, 14, 2):
        assert (made(tmp_path, frame) == read_picture(tmp_path / "frames" / f"{frame:04d}.png")[0]).all()
    gains = [
        decibels(made(tmp_path, frame), scene(frame))
        - decibels((scene(frame - 1) + scene(frame + 1)) / 2, scene(frame))
        for frame in range(2, 13, 2)
    ]
    assert min(gains) > 3, "better than the mean of the neighbours in every frame"


def test_slow_motion_counts_on_from_the_first_frame(tmp_path: Path) -> None:
    outcome = run(give(tmp_path, range(5, 9)), slow=3)
    assert outcome.results == [f"result/{n:04d}.png" for n in range(5, 15)]
    places = [centre(made(tmp_path, frame)) for frame in range(5, 15)]
    assert np.diff(places) == pytest.approx([SPEED / 3] * 9, abs=0.2)
    assert (made(tmp_path, 8) == read_picture(tmp_path / "frames" / "0006.png")[0]).all(), (
        "what is given stays as it is"
    )


def test_a_long_gap_is_crossed_evenly(tmp_path: Path) -> None:
    run(give(tmp_path, [1, 6]))
    places = [centre(made(tmp_path, frame)) for frame in range(1, 7)]
    assert (np.diff(places) > 0.5 * SPEED).all() and (np.diff(places) < 1.6 * SPEED).all()


def test_light_and_transparency_of_exr_come_through(tmp_path: Path) -> None:
    def glow(frame: float) -> np.ndarray:
        picture = disc(frame, (4.0, 1.0, 0.2))
        return np.dstack([picture[..., :3] * picture[..., 3:], picture[..., 3]])

    outcome = run(give(tmp_path, [1, 3, 5], glow, "EXR"), depth="EXR")
    assert outcome.results == [f"result/{n:04d}.exr" for n in range(1, 6)]
    picture, truth = made(tmp_path, 2, ".exr"), glow(2)
    edge = (truth[..., 3] > 0.2) & (truth[..., 3] < 0.8) & (picture[..., 3] > 0.1)
    colour = picture[edge][:, 0] / picture[edge][:, 3]
    assert edge.sum() > 10 and colour.min() > 1.2, "no dark rim"
    assert picture[..., :3].max() > 3.5, "brighter than white"
    assert np.abs(picture[..., 3] - truth[..., 3]).mean() < 0.01 and (picture[0, 0] == 0).all()


def test_sixteen_bits_keep_their_steps(tmp_path: Path) -> None:
    def ramp(frame: float) -> np.ndarray:
        grey = np.linspace(0.40, 0.44, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE) + 0.001 * frame
        return np.dstack([grey, grey, grey, np.ones_like(grey)])

    run(give(tmp_path, [1, 3], ramp, "16"), depth="16")
    picture = made(tmp_path, 2)
    assert np.abs(picture - ramp(2)).max() < 0.002 and len(np.unique(picture[..., 0])) > 500


def test_nothing_is_made_across_a_cut(tmp_path: Path) -> None:
    def cut(frame: float) -> np.ndarray:
        picture = scene(frame)
        return picture if frame < 4 else np.ascontiguousarray(np.dstack([1 - picture[::-1, :, 2::-1], picture[..., 3]]))

    outcome = run(give(tmp_path, [1, 3, 5, 7], cut))
    before, after = (read_picture(tmp_path / "frames" / name)[0] for name in ("0003.png", "0005.png"))
    assert (made(tmp_path, 4) == after).all() or (made(tmp_path, 4) == before).all()
    assert any("frames 3 and 5" in note and "cut" in note for note in outcome.notes)


def test_motion_vectors_of_a_capture_lead_where_no_eye_can(tmp_path: Path) -> None:
    """Stripes move by one stripe from frame to frame: to the eye they rest, and only the vectors know."""

    def stripes(frame: float) -> np.ndarray:
        x = np.mgrid[:SIDE, :SIDE][1].astype(np.float32)
        grey = 0.5 + 0.4 * np.sin((x - 12 * frame) * 2 * np.pi / 12)
        return np.dstack([grey, grey, grey, np.ones_like(grey)]).astype(np.float32)

    give(tmp_path, [1, 2, 3], stripes)
    vector = np.tile(np.float32([-12, 0, -12, 0]), (SIDE, SIDE, 1))  # to the frame before, and from it to the next
    for frame in (1, 2, 3):
        path = job_folder.geometry_path(tmp_path, frame)
        path.parent.mkdir(exist_ok=True)
        write_exr(path, {"vector": protocol.GEOMETRY_PASSES["vector"]}, {"vector": vector})
    job_folder.write_json(tmp_path / "shot.json", asdict(Shot(1, 3, SIDE, SIDE, 24.0, ["vector"], [])))
    outcome = run(tmp_path, slow=2)
    inner = np.s_[4:-4, 14:-14, :3]
    assert np.abs(made(tmp_path, 2)[inner] - stripes(1.5)[inner]).max() < 0.12
    assert outcome.figures["by vectors"] == 2


def write_ids(folder: Path, frames: Iterable[int]) -> None:
    """Id guides of a shot of a wall, 1, and the disc before it, 2."""
    for frame in frames:
        path = job_folder.geometry_path(folder, frame)
        path.parent.mkdir(exist_ok=True)
        ids = np.float32(1 + (disc(frame)[..., 3:] > 0.5))
        write_exr(path, {"id": protocol.GEOMETRY_PASSES["id"]}, {"id": ids})
    objects = [ShotObject(1, "Wall", [1.0, 1.0, 0.0]), ShotObject(2, "Disc", [1.0, 1.0, 1.0])]
    job_folder.write_json(folder / "shot.json", asdict(Shot(1, max(frames), SIDE, SIDE, 24.0, ["id"], objects)))


@pytest.mark.parametrize("depth", ["8", "EXR"])
def test_only_chosen_objects_are_slowed_down_and_the_rest_plays_on(tmp_path: Path, depth: str) -> None:
    """The wall is another grey in each frame, so that it shows which frame it is of."""

    def before_a_wall(frame: float) -> np.ndarray:
        over = disc(frame, (1.0, 0.5, 0.1))
        colour = over[..., :3] * over[..., 3:] + (0.02 + 0.02 * frame) * (1 - over[..., 3:])
        return np.dstack([colour, np.ones_like(over[..., 3:])]).astype(np.float32)

    frames = range(1, 9)
    write_ids(give(tmp_path, frames, before_a_wall, depth), frames)
    suffix = ".exr" if depth == "EXR" else ".png"
    outcome = run(tmp_path, slow=2, objects=[2], depth=depth)
    assert outcome.results == [f"result/{n:04d}{suffix}" for n in range(1, 16)]
    for frame in range(1, 16):
        picture, time = made(tmp_path, frame, suffix), 1 + (frame - 1) / 2
        red = picture[..., 0] - picture[..., 2] > 0.2
        assert np.nonzero(red)[1].mean() == pytest.approx(12 + SPEED * time, abs=0.5), "the disc at half its pace"
        places = [12 + SPEED * t for t in (time, min(frame, 8))]  # of the disc, and of what it hid in that frame
        y, x = np.mgrid[:SIDE, :SIDE]
        away = np.logical_and(*(np.hypot(x - place, y - 24) > 13 for place in places))
        wall = 0.02 + 0.02 * min(frame, 8)
        assert np.abs(picture[away][:, :3] - wall).max() < 0.012 and (picture[..., 3] == 1).all(), "the wall at its own"
    assert read_about(tmp_path / "result" / f"0002{suffix}")["Understudy generate"].endswith("objects [2]")
    with pytest.raises(JobError, match="None of the chosen objects"):
        run(tmp_path, objects=[7])


def test_what_is_done_stays_and_what_is_not_ours_too(tmp_path: Path) -> None:
    give(tmp_path, [1, 3, 5])
    own = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    write_picture(tmp_path / "result" / "0002.png", own, "8", {"Software": "Krita"})
    outcome = run(tmp_path)
    assert np.abs(made(tmp_path, 2)[..., :3] - 0.5).max() < 0.01
    assert any("frames 2" in note for note in outcome.notes)
    assert read_about(tmp_path / "result" / "0004.png")["Understudy frame"] == "4"
    assert run(tmp_path).figures["made"] == 0
    write_picture(tmp_path / "frames" / "0005.png", scene(5.5), "8", {})
    assert run(tmp_path).figures["made"] == 3, "frames 3 to 5, which the changed picture bears on"


def test_what_is_drawn_anew_is_mixed_and_what_moves_is_not(tmp_path: Path) -> None:
    """A disc that jumps about a place has nothing between its places; one that goes on has."""
    jumps = np.random.default_rng(0).uniform(-3, 3, 12)
    for name, where in (("jumps", lambda n: 4 + jumps[int(n) // 2]), ("goes on", lambda n: n / 2)):
        give(tmp_path / name, range(0, 24, 2), lambda n, where=where: scene(where(n)))
        outcome = run(tmp_path / name, seconds=4.0)
        assert any("drawn anew" in note for note in outcome.notes) == (name == "jumps")
    first, between, second = (
        read_picture(path)[0]
        for path in (
            tmp_path / "jumps/frames/0004.png",
            tmp_path / "jumps/result/0005.png",
            tmp_path / "jumps/frames/0006.png",
        )
    )
    assert np.abs(between - (first + second) / 2).max() < 0.01


def test_a_run_that_was_stopped_goes_on_with_the_same_network(tmp_path: Path) -> None:
    give(tmp_path, range(1, 14, 2))
    job_folder.write_job(tmp_path, Generate("BETWEEN", slow=2, seconds=4.0, device="cpu"))
    steps = run_folder(tmp_path)
    while not (tmp_path / "result" / "0004.png").is_file():
        next(steps)
    steps.close()
    kept = (tmp_path / "result" / "0002.png").read_bytes()
    outcome = run(tmp_path, slow=2, seconds=4.0)
    assert outcome.figures["kept"] >= 3 and "steps" not in outcome.figures, "not trained again"
    assert (tmp_path / "result" / "0002.png").read_bytes() == kept and len(outcome.results) == 25


def test_good_enough_ends_the_learning_and_makes_the_frames(tmp_path: Path) -> None:
    give(tmp_path, range(1, 14, 2))
    job_folder.write_job(tmp_path, Generate("BETWEEN", slow=1, seconds=300.0, device="cpu"))
    steps = run_folder(tmp_path)
    update = next(steps)
    while not update.text.startswith("Learning"):
        update = next(steps)
    update = steps.send(True)
    while not update.text.startswith("Frame"):
        update = next(steps)
    assert len(list((tmp_path / "result").iterdir())) >= 1
    steps.close()


def test_what_cannot_be_done_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="at least two pictures"):
        run(give(tmp_path / "one", [1]))
    give(tmp_path / "two", [1, 3])
    write_picture(tmp_path / "two" / "frames" / "0003.png", scene(3)[:40], "8", {})
    with pytest.raises(JobError, match="different sizes"):
        run(tmp_path / "two")
