"""The stylist on a small real job folder, from painted key to finished frames, as the artist meets it: better than carrying the
paint over, nothing lost by a stop, nothing of the artist's painted over, a sentence for everything that is wrong."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_shot import FRAMES, SIDE, _ball, read_truth, write_exr, write_picture, write_shot

from engine import checkpoint, device, job_folder, pictures, protocol
from engine.progress import Outcome, Update
from engine.protocol import JobError, Stylise, TrainStyle
from engine.stylise import train
from engine.stylise.discriminator import DiscriminatorParams
from engine.stylise.generator import GeneratorParams
from engine.stylise.infer import stylise
from engine.stylise.nearest import reproject_nearest
from engine.stylise.reprojection import Atlas, KeySurface
from engine.stylise.train import train_style
from engine.stylise.views import read_view

KEY = 4
TRAIN = TrainStyle(keys=[KEY], seconds=60, steps=240, device="cpu")
ALL = Stylise(FRAMES[0], FRAMES[-1], device="cpu")


def run(job: Generator[Update, None, Outcome]) -> tuple[list[Update], Outcome]:
    """A job to its end."""
    updates = []
    while True:
        try:
            updates.append(next(job))
        except StopIteration as end:
            return updates, end.value


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / ((a.astype(float) - b) ** 2).mean()))


def picture(folder: Path, frame: int) -> np.ndarray:
    return np.array(Image.open(job_folder.result_path(folder, frame)))


@pytest.fixture(scope="module", autouse=True)
def small_patches() -> Generator[None, None, None]:
    """Patches for a shot of 64 x 64 pixels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "PATCH", 32)
        patch.setattr(train, "KEY_PATCHES", 4)
        yield


@pytest.fixture(scope="module")
def painted(tmp_path_factory: pytest.TempPathFactory, small_patches: None) -> Path:
    """A shot that is trained and painted; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("shot")
    write_shot(folder)
    run(train_style(folder, TRAIN))
    run(stylise(folder, ALL))
    return folder


@pytest.fixture
def folder(painted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(painted, tmp_path / "shot"))


def test_every_frame_is_painted_and_better_than_carried_paint(painted: Path) -> None:
    shot = job_folder.read_shot(painted)
    key = KeySurface(read_view(painted, shot, KEY))
    ours, plain = [], []
    for frame in FRAMES:
        if frame != KEY:
            truth = read_truth(painted, frame)
            ours.append(psnr(picture(painted, frame), truth))
            plain.append(
                psnr(reproject_nearest(read_view(painted, shot, frame), [key], [read_truth(painted, KEY)]), truth)
            )
    assert np.mean(ours) > np.mean(plain) + 2
    np.testing.assert_array_equal(picture(painted, KEY), read_truth(painted, KEY))
    assert not list(painted.rglob("*.partial"))


def test_light_moves_and_stripes_stay(painted: Path) -> None:
    """In the last frame the bright side of the ball is where the truth has it, and stripes cross it."""
    ball = np.hypot(*(np.mgrid[:SIDE, :SIDE] + 0.5 - np.array([32, 38])[:, None, None])) < 15
    truth, ours = read_truth(painted, 8)[..., 0].astype(float), picture(painted, 8)[..., 0].astype(float)
    carried = read_truth(painted, KEY)[..., 0].astype(float)
    assert np.corrcoef(truth[ball], ours[ball])[0, 1] > max(0.7, np.corrcoef(truth[ball], carried[ball])[0, 1])
    assert np.abs(np.diff(ours, axis=0))[ball[1:]].mean() > 0.6 * np.abs(np.diff(truth, axis=0))[ball[1:]].mean()


def test_frames_say_what_they_were_painted_with(painted: Path) -> None:
    words = pictures.read_about(job_folder.result_path(painted, 7))
    assert words["Software"].startswith("Understudy")
    assert words["Understudy frame"] == "7" and words["Understudy seed"] == "0"
    assert words["Understudy model"].startswith("anchor_gan ")
    assert words["Understudy keys"].startswith(f"{KEY} ")


def test_finished_frames_are_kept_and_missing_ones_painted(folder: Path) -> None:
    before = {frame: job_folder.result_path(folder, frame).stat().st_mtime_ns for frame in FRAMES}
    job_folder.result_path(folder, 3).unlink()
    _, outcome = run(stylise(folder, ALL))
    assert outcome.figures == {"painted": 1, "kept": 7}
    assert [f for f in FRAMES if job_folder.result_path(folder, f).stat().st_mtime_ns != before[f]] == [3]
    _, outcome = run(stylise(folder, Stylise(1, 2, overwrite=True, device="cpu")))
    assert outcome.figures["painted"] == 2


def test_a_stopped_run_goes_on(folder: Path) -> None:
    shutil.rmtree(folder / "result")
    job = stylise(folder, ALL)
    while not job_folder.result_path(folder, 3).exists():
        next(job)
    job.close()
    done = sorted(os.listdir(folder / "result"))
    assert 3 <= len(done) < len(FRAMES) and all(path.endswith(".png") for path in done)
    _, outcome = run(stylise(folder, ALL))
    assert outcome.figures == {"painted": len(FRAMES) - len(done), "kept": len(done)}


@pytest.mark.parametrize("cores", [1, 3])
def test_the_picture_is_the_same_on_any_number_of_cores(
    folder: Path, monkeypatch: pytest.MonkeyPatch, cores: int
) -> None:
    before = [picture(folder, frame).astype(int) for frame in FRAMES]
    shutil.rmtree(folder / "result")
    monkeypatch.setattr(device, "share_out", lambda *_: (cores, 1))
    updates, _ = run(stylise(folder, ALL))
    assert [update.frame for update in updates if update.preview is not None] == list(FRAMES)
    assert max(np.abs(picture(folder, frame) - old).max() for frame, old in zip(FRAMES, before, strict=True)) <= 1


def test_short_numbers_paint_the_same_picture(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a processor multiplies bfloat16 faster it paints with them, elsewhere in float32: nobody is to see which."""
    made = []
    for kind in (torch.float32, torch.bfloat16):
        monkeypatch.setattr(device, "quick_type", lambda _, kind=kind: kind)
        run(stylise(folder, Stylise(FRAMES[0], FRAMES[-1], overwrite=True, device="cpu")))
        made.append(np.stack([picture(folder, frame) for frame in FRAMES]).astype(int))
    away = np.abs(made[0] - made[1])
    assert 0 < away.mean() < 0.5 and (away > 4).mean() < 0.001


def test_frames_of_another_training_seed_or_key_are_painted_anew(folder: Path) -> None:
    _, outcome = run(stylise(folder, Stylise(1, 2, seed=5, device="cpu")))
    assert outcome.figures["painted"] == 2
    repainted = read_truth(folder, KEY).copy()
    repainted[:8] = 0
    write_picture(job_folder.key_path(folder, KEY), repainted / 255)
    _, outcome = run(stylise(folder, Stylise(3, 4, device="cpu")))
    assert outcome.figures["painted"] == 2
    run(train_style(folder, TrainStyle(keys=[KEY], seconds=60, steps=3, resume=True, device="cpu")))
    _, outcome = run(stylise(folder, Stylise(3, 4, device="cpu")))
    assert outcome.figures["painted"] == 2


def test_the_artists_own_frame_is_not_painted_over(folder: Path) -> None:
    write_picture(job_folder.result_path(folder, 2), np.zeros((SIDE, SIDE, 3)))
    _, outcome = run(stylise(folder, ALL))
    assert picture(folder, 2).max() == 0
    assert "frames 2" in outcome.notes[0] and "move it away" in outcome.notes[0]
    run(stylise(folder, Stylise(2, 2, overwrite=True, device="cpu")))
    assert picture(folder, 2).max() > 0


def test_cancelled_training_keeps_what_it_learned(tmp_path: Path) -> None:
    write_shot(tmp_path)
    job = train_style(tmp_path, TrainStyle(keys=[KEY], seconds=600, device="cpu"))
    while "step 5" not in next(job).text:
        pass
    job.close()
    assert sorted(os.listdir(tmp_path / "style")) == [
        "discriminator.json", "discriminator.safetensors", "generator.json", "generator.safetensors",
    ]  # fmt: skip
    _, outcome = run(train_style(tmp_path, TrainStyle(keys=[KEY], seconds=600, steps=4, resume=True, device="cpu")))
    assert outcome.figures["steps"] == 9
    _, outcome = run(stylise(tmp_path, ALL))
    assert outcome.figures["painted"] == len(FRAMES)


def test_training_cancelled_before_its_first_step_leaves_the_old_style(folder: Path) -> None:
    before = (folder / "style" / "generator.safetensors").read_bytes()
    job = train_style(folder, TRAIN)
    next(job)
    job.close()
    assert (folder / "style" / "generator.safetensors").read_bytes() == before


def test_training_is_watched(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "PREVIEW_SECONDS", 0.5)
    updates, _ = run(train_style(folder, TrainStyle(keys=[KEY], seconds=3, device="cpu")))
    previews = [update for update in updates if update.preview is not None]
    assert len(previews) >= 2
    assert all(p.preview is not None and p.preview.shape == (SIDE, SIDE, 3) and p.frame in FRAMES for p in previews)
    done = [update.done for update in updates]
    assert done == sorted(done) and 0.5 < done[-1] <= 1


def test_only_the_painted_part_of_a_key_counts(tmp_path: Path) -> None:
    """Red is painted where alpha is zero: it must not turn up anywhere."""
    write_shot(tmp_path)
    rgba = np.dstack([read_truth(tmp_path, KEY) / 255, np.ones((SIDE, SIDE))])
    rgba[:, 44:] = (1, 0, 0, 0)
    write_picture(job_folder.key_path(tmp_path, KEY), rgba)
    run(train_style(tmp_path, TrainStyle(keys=[KEY], seconds=60, steps=80, device="cpu")))
    run(stylise(tmp_path, Stylise(3, 5, device="cpu")))
    for frame in (3, 4, 5):
        made = picture(tmp_path, frame).astype(int)
        assert not ((made[..., 0] > 200) & (made[..., 1] < 60) & (made[..., 2] < 60)).any()


@pytest.mark.parametrize(("keys", "asked", "taken"), [((KEY,), 0, 3), ((KEY, 7), 0, 6), ((KEY,), 5, 5)])
def test_training_ends_before_it_learns_the_keys_by_heart(
    keys: tuple[int, ...], asked: int, taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much time is left: after so many steps for each key, unless more are asked for."""
    monkeypatch.setattr(train, "MOST", 3)
    write_shot(tmp_path, keys=keys)
    _, outcome = run(train_style(tmp_path, TrainStyle(keys=list(keys), seconds=3600, steps=asked, device="cpu")))
    assert outcome.figures["steps"] == taken


def test_two_keys_are_both_used(tmp_path: Path) -> None:
    write_shot(tmp_path, keys=(2, 7))
    run(train_style(tmp_path, TrainStyle(keys=[7, 2], seconds=60, steps=60, device="cpu")))
    _, outcome = run(stylise(tmp_path, ALL))
    for frame in (2, 7):
        np.testing.assert_array_equal(picture(tmp_path, frame), read_truth(tmp_path, frame))
    assert len(outcome.results) == len(FRAMES)


def test_an_object_that_no_key_shows_is_named(tmp_path: Path) -> None:
    write_shot(tmp_path)
    rgba = np.dstack([read_truth(tmp_path, KEY) / 255, (_ball(KEY)["id"] == 1).astype(float)])
    write_picture(job_folder.key_path(tmp_path, KEY), rgba)
    _, outcome = run(train_style(tmp_path, TrainStyle(keys=[KEY], seconds=60, steps=3, device="cpu")))
    assert any("Ball" in note and "paint" in note for note in outcome.notes)


def test_an_object_that_no_key_shows_is_painted_after_one_of_its_colour(tmp_path: Path) -> None:
    """The ball is painted under one number, and has another from frame 5 on, as a second of its kind would."""
    shot = write_shot(tmp_path)
    run(train_style(tmp_path, TrainStyle(keys=[KEY], seconds=60, steps=120, device="cpu")))
    guides = _ball(5)
    guides["id"][guides["id"] == 2] = 3
    write_exr(job_folder.geometry_path(tmp_path, 5), protocol.GEOMETRY_PASSES, guides)
    run(stylise(tmp_path, Stylise(5, 5, device="cpu")))
    ball = read_view(tmp_path, shot, 5).ids == 3
    away = np.abs(picture(tmp_path, 5)[ball].astype(float) - read_truth(tmp_path, 5)[ball]).mean()
    assert away < 45


def test_same_seed_same_steps_same_frames(tmp_path: Path) -> None:
    results = []
    for name in "ab":
        write_shot(tmp_path / name)
        run(train_style(tmp_path / name, TrainStyle(keys=[KEY], seconds=600, steps=6, seed=3, device="cpu")))
        run(stylise(tmp_path / name, Stylise(1, 1, device="cpu")))
        results.append(picture(tmp_path / name, 1))
    np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.parametrize("job", ["train", "paint"])
def test_faults_are_sentences(folder: Path, job: str) -> None:
    def start() -> None:
        run(
            train_style(folder, TRAIN)
            if job == "train"
            else stylise(folder, Stylise(1, 8, overwrite=True, device="cpu"))
        )

    guides: dict[str, Any] = _ball(KEY)
    guides["anchor"][3, 3, 0] = np.nan
    write_exr(job_folder.geometry_path(folder, KEY), protocol.GEOMETRY_PASSES, guides)
    with pytest.raises(JobError, match=r"'anchor' in .*0004.* not finite; capture frame 4 again"):
        start()
    write_exr(job_folder.geometry_path(folder, KEY), protocol.GEOMETRY_PASSES, _ball(KEY))
    job_folder.key_path(folder, KEY).write_bytes(b"no picture")
    with pytest.raises(JobError, match=r"0004\.png is damaged"):
        start()
    job_folder.key_path(folder, KEY).unlink()
    with pytest.raises(JobError, match=r"0004\.png is missing"):
        start()


def test_weights_that_are_missing_or_damaged(folder: Path) -> None:
    (folder / "style" / "generator.safetensors").write_bytes(b"junk")
    with pytest.raises(JobError, match="train again"):
        run(stylise(folder, ALL))
    shutil.rmtree(folder / "style")
    with pytest.raises(JobError, match="train first"):
        run(stylise(folder, ALL))


def test_anchor_finds_the_surface_to_a_part_of_a_pixel(painted: Path) -> None:
    """The stripes' phase, which is a function of the anchor, read at the place found, is that of the pixel itself."""
    shot = job_folder.read_shot(painted)
    key, view = read_view(painted, shot, KEY), read_view(painted, shot, 6)
    match = Atlas([KeySurface(key)]).match(view)
    xy, confidence = match.xy.numpy(), match.confidence.numpy()
    sure = (confidence > 0.9) & (view.ids == 2)
    assert sure.sum() > 400
    x, y = xy[sure].T
    x0, y0 = np.clip(np.floor([x, y]).astype(int), 0, SIDE - 2)
    corner = [
        key.points[y0 + j, x0 + i] * (((x - x0) if i else 1 - x + x0) * ((y - y0) if j else 1 - y + y0))[:, None]
        for i in (0, 1)
        for j in (0, 1)
    ]
    off = np.linalg.norm(sum(corner) - view.points[sure], axis=-1) / view.footprint[sure]
    assert np.median(off) < 0.1
    hidden = view.points[..., 0] > key.points[key.ids == 2][:, 0].max() + 0.1
    assert not confidence[hidden & (view.ids == 2)].any()


def test_the_discriminator_is_asked_and_trained_only_if_it_counts(tmp_path: Path) -> None:
    weights = {}
    for adversarial in (0.0, 0.1):
        folder = tmp_path / str(adversarial)
        write_shot(folder)
        run(train_style(folder, TrainStyle(keys=[KEY], seconds=600, steps=12, adversarial=adversarial, device="cpu")))
        weights[adversarial] = {
            name: checkpoint.load(folder / "style" / name, params).weights
            for name, params in (("generator", GeneratorParams), ("discriminator", DiscriminatorParams))
        }
    for name in ("generator", "discriminator"):
        same = [torch.equal(weights[0.0][name][k], weights[0.1][name][k]) for k in weights[0.0][name]]
        assert not all(same), name
