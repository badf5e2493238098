"""More of a sequence, as an artist meets it: continued, looped, varied, a still moved; what is kept, what is refused, how a job
that was stopped goes on. Networks are trained for a few steps only: what is asked for here must hold however little was
learned."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from jobs_run import finish
from PIL import Image
from scipy.ndimage import maximum_filter
from tiny_sequence import SIDE, flame, wheel, write
from tiny_shot import write_exr

from engine import job_folder, protocol
from engine.jobs import run_folder
from engine.pictures import read_about, read_picture, write_picture
from engine.protocol import Generate, JobError, LearnSequence, Shot, ShotObject

PRODUCT = [sys.executable, "-I", "-m", "engine", "run"]
COUNT = 24
STEPS = 8


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job folder whose flame has been learned, by the engine in a process of its own."""
    folder = write(tmp_path_factory.mktemp("learned"), flame(COUNT))
    job_folder.write_job(folder, LearnSequence(seconds=0, steps=STEPS))
    run_product(folder)
    return folder


@pytest.fixture
def folder(learned: Path, tmp_path: Path) -> Path:
    """A copy of it to work in."""
    return shutil.copytree(learned, tmp_path / "job")


def run_product(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*PRODUCT, str(folder)], capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    return done


def premultiplied(paths: list[Path]) -> np.ndarray:
    """(T, H, W, 4) of files."""
    pictures = np.stack([read_picture(path)[0] for path in paths])
    return np.concatenate([pictures[..., :3] * pictures[..., 3:], pictures[..., 3:]], -1)


def made(folder: Path) -> np.ndarray:
    return premultiplied(sorted((folder / "result").iterdir()))


def write_ids(folder: Path, there: np.ndarray) -> None:
    """Id guides of a shot of a wall, 1, and what is before it, 2, where `there` (T, SIDE, SIDE) says so."""
    (folder / "guides").mkdir()
    for n, mask in enumerate(there, 1):
        passes = {"id": protocol.GEOMETRY_PASSES["id"]}
        write_exr(job_folder.geometry_path(folder, n), passes, {"id": np.float32(1 + mask[..., None])})
    objects = [ShotObject(1, "Wall", [1.0, 1.0, 0.0]), ShotObject(2, "Fire", [1.0, 1.0, 1.0])]
    shot = Shot(1, len(there), SIDE, SIDE, 24.0, ["id"], objects)
    job_folder.write_json(folder / "shot.json", asdict(shot))


def steps_of(clip: np.ndarray) -> np.ndarray:
    """(T - 1,) mean difference of neighbours."""
    return np.abs(np.diff(clip, axis=0)).mean((1, 2, 3))


def test_a_sequence_is_continued_by_the_engine_in_its_own_process(folder: Path) -> None:
    job_folder.write_job(folder, Generate("CONTINUE", count=12))
    done = run_product(folder)
    names = [f"{n:04d}.png" for n in range(COUNT + 1, COUNT + 13)]
    assert [Path(line).name for line in done.stdout.splitlines() if "result" in line] == names
    clip, frames = made(folder), premultiplied(sorted((folder / "frames").iterdir()))
    usual = steps_of(frames)
    assert np.abs(clip[0] - frames[-1]).mean() < 2 * usual.max(), "it goes on from the last frame"
    assert steps_of(clip).min() > 0.2 * np.median(usual)
    about = read_about(folder / "result" / names[0])
    assert about["Software"].startswith("Understudy") and "CONTINUE 12 frames" in about["Understudy generate"]


def test_ten_times_as_long_it_neither_fades_nor_freezes_nor_explodes(folder: Path) -> None:
    outcome = finish(folder, Generate("CONTINUE", count=10 * COUNT))
    assert outcome.figures["made"] == 10 * COUNT
    clip, frames = made(folder), premultiplied(sorted((folder / "frames").iterdir()))
    for part in np.split(clip, 10):
        assert part.std((1, 2, 3)).mean() == pytest.approx(frames.std((1, 2, 3)).mean(), rel=0.25)
        assert 0.5 < steps_of(part).mean() / steps_of(frames).mean() < 1.7
        assert part.var(0).mean() > 0.3 * frames.var(0).mean(), "it is not one frame"


def test_no_picture_is_two_seen_through_each_other(tmp_path: Path) -> None:
    """A pattern of black and white that is never the same twice: grey can only come from mixing or from blur."""
    rng = np.random.default_rng(0)
    wave = np.fft.fft2(rng.normal(size=(SIDE, SIDE)))
    far = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.fftfreq(SIDE)))
    turns = rng.choice([2, 3, 5], (SIDE, SIDE)) * np.where(rng.random((SIDE, SIDE)) < 0.5, 1, -1)
    field = [np.fft.ifft2(wave * (far < 0.12) * np.exp(2j * np.pi * turns * t / 29)).real for t in range(40)]
    ink = np.clip(0.5 + np.array(field) / np.std(field) * 4, 0, 1)[..., None]
    write(tmp_path, np.float32(np.concatenate([ink, ink, ink, np.ones_like(ink)], -1)))
    finish(tmp_path, Generate("VARY", count=60, seconds=0.5, variation=1.0))

    def grey(clip: np.ndarray) -> float:
        return float((np.abs(clip[..., 0] - 0.5) < 0.3).mean((1, 2)).max())

    assert grey(premultiplied(sorted((tmp_path / "frames").iterdir()))) < 0.1
    assert grey(made(tmp_path)) < 0.25, "of two that are faded into each other half is grey"


def test_drawings_on_twos_stay_on_twos(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    drawings = [flame(1, seed=int(n))[0] for n in rng.integers(1000, size=15)]
    write(tmp_path, np.repeat(np.stack(drawings), 2, 0))
    finish(tmp_path, Generate("VARY", count=40, seconds=0.5))
    steps = steps_of(made(tmp_path))
    even, odd = steps[::2].mean(), steps[1::2].mean()
    assert min(even, odd) < 0.3 * max(even, odd)


@pytest.mark.parametrize("count", [14, 40])
def test_a_loop_has_no_seam(folder: Path, count: int) -> None:
    """Shorter than the sequence, and longer."""
    finish(folder, Generate("LOOP", count=count))
    clip = made(folder)
    assert len(clip) == count and (folder / "result/0001.png").is_file()
    between = steps_of(clip)
    seam = np.abs(clip[0] - clip[-1]).mean()
    assert seam < 1.2 * np.median(between) or seam < between.max()
    assert seam < 1.6 * np.median(between)


def test_a_wheel_that_does_not_turn_in_whole_frames_loops_where_it_fits_best(tmp_path: Path) -> None:
    write(tmp_path, wheel(40, period=6.5))
    finish(tmp_path, Generate("LOOP", count=13, seconds=0.5))
    clip = made(tmp_path)
    assert np.abs(clip[0] - clip[-1]).mean() < 1.2 * np.median(steps_of(clip))


def test_takes_differ_by_seed_and_by_seed_alone(folder: Path) -> None:
    clips = []
    for seed in (1, 1, 2):
        finish(folder, Generate("VARY", count=16, seed=seed, overwrite=True))
        clips.append(made(folder))
    assert (clips[0] == clips[1]).all()
    assert np.abs(clips[0] - clips[2]).mean() > 0.5 * np.median(steps_of(clips[0]))


def test_alpha_and_depth_are_kept(folder: Path) -> None:
    finish(folder, Generate("CONTINUE", count=4, depth="16"))
    picture, depth = read_picture(folder / "result" / f"{COUNT + 2:04d}.png")
    assert depth == "16" and picture[0, 0, 3] == 0 and picture[..., 3].max() > 0.9


def test_light_of_exr_comes_back_as_light(tmp_path: Path) -> None:
    pictures = flame(16)
    light = np.concatenate([6 * pictures[..., :3] * pictures[..., 3:], pictures[..., 3:]], -1)
    write(tmp_path, light, depth="EXR")
    finish(tmp_path, Generate("VARY", count=12, depth="EXR", seconds=0.5))
    clip = np.stack([read_picture(path)[0] for path in sorted((tmp_path / "result").glob("*.exr"))])
    assert clip.max() == pytest.approx(6, rel=0.1) and clip[..., 3].max() <= 1
    assert clip[..., :3].mean() == pytest.approx(light[..., :3].mean(), rel=0.3)


def test_only_the_objects_that_were_chosen_change(tmp_path: Path) -> None:
    """A flame before a wall with a grain of its own: the wall stays, grain and all."""
    fire, rng = flame(16), np.random.default_rng(0)
    wall = np.concatenate([rng.uniform(0.2, 0.6, (16, SIDE, SIDE, 3)), np.ones((16, SIDE, SIDE, 1))], -1)
    there = fire[..., 3:] > 0.5
    write(tmp_path, np.float32(np.where(there, np.concatenate([fire[..., :3], np.ones_like(fire[..., 3:])], -1), wall)))
    write_ids(tmp_path, there[..., 0])
    finish(tmp_path, Generate("VARY", count=16, seconds=0.5, objects=[2], seed=3))
    clip, before = made(tmp_path), premultiplied(sorted((tmp_path / "frames").iterdir()))
    far = ~maximum_filter(there.any(0)[..., 0], 3)  # the pixels at the flame's edge are a mix of both
    assert far.mean() > 0.3 and np.abs(clip[:, far] - before[:, far]).max() < 0.004
    assert np.abs(clip[:, ~far] - before[:, ~far]).mean() > 0.02 and (clip[..., 3] == 1).all()


def test_an_object_leaves_no_ghost_of_its_soft_edge_behind(tmp_path: Path) -> None:
    """A ball on its round before a plain wall, its edge a mix of both as a render's is."""
    y, x = np.mgrid[:SIDE, :SIDE]
    turn = 2 * np.pi * np.arange(32) / 8
    apart = np.hypot(x - 16 - 6 * np.cos(turn)[:, None, None], y - 16 - 6 * np.sin(turn)[:, None, None])
    ball = np.clip(6.5 - apart, 0, 1)
    grey = (0.4 + 0.6 * ball)[..., None].repeat(3, -1)
    write(tmp_path, np.float32(np.concatenate([grey, np.ones_like(grey[..., :1])], -1)))
    write_ids(tmp_path, ball > 0.5)
    finish(tmp_path, Generate("VARY", count=16, seconds=0.5, objects=[2], seed=3))
    for picture in made(tmp_path):
        bright = picture[..., 0] > 0.75
        away = np.hypot(x - x[bright].mean(), y - y[bright].mean())
        assert bright.sum() > 80 and np.abs(picture[away > 8.5][:, 0] - 0.4).max() < 0.02


def test_a_still_moves_as_the_sequence_did(learned: Path, tmp_path: Path) -> None:
    still = flame(1, 48, seed=9)
    write(tmp_path, still, first=7)
    finish(tmp_path, Generate("ANIMATE", count=40, learned=str(learned / "sequence")))
    clip = made(tmp_path)
    first = np.concatenate([still[0, ..., :3] * still[0, ..., 3:], still[0, ..., 3:]], -1)
    assert (tmp_path / "result/0007.png").is_file() and np.abs(clip[0] - first).max() < 0.02
    assert steps_of(clip).min() > 0.001, "it never stands still"
    assert clip[20:].std((1, 2, 3)).mean() == pytest.approx(first.std(), rel=0.3), "nor does it melt"


def test_a_stopped_job_goes_on_and_the_artists_own_stays(folder: Path) -> None:
    settings = Generate("CONTINUE", count=20)
    job_folder.write_job(folder, settings)
    process = subprocess.Popen([*PRODUCT, str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (folder / "result" / f"{COUNT + 3:04d}.png").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    times = {path: path.stat().st_mtime_ns for path in (folder / "result").glob("*.png")}
    Image.new("RGB", (SIDE, SIDE), "white").save(folder / "result" / f"{COUNT + 20:04d}.png")
    outcome = finish(folder, settings)
    assert all(path.stat().st_mtime_ns == before for path, before in times.items())
    assert f"frames {COUNT + 20}" in outcome.notes[0] and len(list((folder / "result").glob("*.png"))) == 20
    assert read_picture(folder / "result" / f"{COUNT + 20:04d}.png")[0].min() == 1
    whole = made(folder)[:19]
    (folder / "result" / f"{COUNT + 20:04d}.png").unlink()
    finish(folder, replace(settings, overwrite=True))
    assert (made(folder)[:19] == whole).all(), "what was made after the stop is what would have been made without"


def test_learning_ends_when_it_is_enough_and_goes_on_later(tmp_path: Path) -> None:
    write(tmp_path, flame(COUNT))
    job_folder.write_job(tmp_path, LearnSequence(seconds=60))
    job = run_folder(tmp_path)
    update = next(job)
    with pytest.raises(StopIteration) as end:
        while True:
            update = job.send("step 2" in update.text)
    assert end.value.value.figures["steps"] == 2
    outcome = finish(tmp_path, LearnSequence(seconds=0, steps=3, resume=True))
    assert outcome.figures["steps"] == 5
    assert {Path(name).name for name in outcome.results} >= {"network.safetensors", "motion.json"}


def test_what_cannot_be_served_is_said_at_once(tmp_path: Path) -> None:
    fire, round_ = flame(30), wheel(30, 7)
    rng = np.random.default_rng(1)
    ground = np.repeat(np.repeat(rng.uniform(size=(16, 64, 3)), 4, 0), 4, 1)
    pan = np.stack([np.dstack([ground[16:48, 4 * t : 4 * t + 32], np.ones((32, 32))]) for t in range(30)])
    for name, pictures, sentence in (
        ("few", fire[:8], "8 frames are too few"),
        ("still", np.repeat(fire[:1], 20, 0), "no motion to learn"),
        ("cut", np.concatenate([fire[:15], round_[:15]]), "a cut between frames 15 and 16"),
        ("fade", fire * np.linspace(1, 0, 30)[:, None, None, None], "never showed before"),
        ("pan", pan, "never showed before"),
    ):
        write(tmp_path / name, np.float32(pictures))
        for settings in (LearnSequence(seconds=2), Generate(seconds=2)):
            with pytest.raises(JobError, match=sentence):
                finish(tmp_path / name, settings)
    write(tmp_path / "gap", fire)
    (tmp_path / "gap/frames/0009.png").unlink()
    with pytest.raises(JobError, match="Frame 9 is missing"):
        finish(tmp_path / "gap", LearnSequence(seconds=2))
    write_picture(tmp_path / "gap/frames/0009.png", flame(1, 40)[0], "8", {})
    with pytest.raises(JobError, match="give all pictures one size"):
        finish(tmp_path / "gap", LearnSequence(seconds=2))


def test_settings_that_cannot_work_are_one_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for where, settings, sentence in (
        (tmp_path / "empty", LearnSequence(), "no pictures"),
        (folder, LearnSequence(seconds=0), "neither time nor steps"),
        (folder, Generate("DANCE"), "nothing to make"),
        (folder, Generate(count=1), "2 to"),
        (folder, Generate(variation=2), "0 to 1"),
        (folder, Generate(depth="12"), "8, 16 or EXR"),
        (folder, Generate("ANIMATE"), "choose the folder"),
        (folder, Generate(learned="nowhere"), "no learned sequence"),
        (folder, Generate(objects=[1]), "shot.json is missing"),
    ):
        with pytest.raises(JobError, match=sentence):
            finish(where, settings)
