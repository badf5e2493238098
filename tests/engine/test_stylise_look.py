"""What an artist may ask of a trained style besides the plain painting: how much of it, where, how deep; on another shot; at
another size; in pieces."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
import torch
from PIL import Image
from test_stylise import psnr, run
from tiny_shot import FRAMES, SIDE, _ball, read_truth, write_exr, write_picture, write_shot

from engine import checkpoint, job_folder, pictures, protocol
from engine.protocol import JobError, Shot, ShotObject, Stylise, TrainStyle
from engine.stylise import tiles, train
from engine.stylise.generator import Generator as Network
from engine.stylise.generator import GeneratorParams
from engine.stylise.infer import stylise
from engine.stylise.look import Look
from engine.stylise.nearest import reproject_nearest
from engine.stylise.painter import Painter, read_key
from engine.stylise.reprojection import KeySurface
from engine.stylise.train import train_style
from engine.stylise.views import View, read_view

KEY, FRAME = 4, 7


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path, None, None]:
    """A shot with a style; tests take a copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "PATCH", 32)
        patch.setattr(train, "KEY_PATCHES", 4)
        folder = tmp_path_factory.mktemp("shot")
        write_shot(folder)
        run(train_style(folder, TrainStyle(keys=[KEY], seconds=60, steps=120, device="cpu")))
        yield folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "shot"))


def paint(folder: Path, frame: int = FRAME, **settings: object) -> np.ndarray:
    """One frame with these settings, (H, W, 3|4) float32, 0 to 1."""
    job = Stylise(frame, frame, device="cpu", **settings)  # type: ignore[arg-type]
    job_folder.write_job(folder, job)
    job_folder.read_job(folder)
    _, outcome = run(stylise(folder, job))
    assert len(outcome.results) == 1
    picture, _ = pictures.read_picture(folder / outcome.results[0])
    return picture


def render(frame: int = FRAME) -> np.ndarray:
    return np.rint(_ball(frame)["render"] * 255) / 255


def inside(ids: np.ndarray) -> np.ndarray:
    """Pixels that are not beside another object's."""
    same = np.ones(ids.shape, bool)
    for by in np.ndindex(3, 3):
        same &= np.roll(ids, np.array(by) - 1, (0, 1)) == ids
    return same


def test_strength_goes_from_the_render_to_the_painting(folder: Path) -> None:
    whole, half, none = (paint(folder, strength=part)[..., :3] for part in (1.0, 0.5, 0.0))
    np.testing.assert_allclose(none, render(), atol=1 / 500)
    np.testing.assert_allclose(half, (whole + none) / 2, atol=1 / 200)
    assert np.abs(whole - none).mean() > 0.05


def test_texture_lays_on_more_or_fewer_strokes(folder: Path) -> None:
    ball = inside(_ball(FRAME)["id"][..., 0]) & (_ball(FRAME)["id"][..., 0] == 2)
    rough = [
        np.abs(np.diff(paint(folder, texture=amount)[..., 0], axis=0))[ball[1:]].mean() for amount in (0.0, 1.0, 2.0)
    ]
    assert rough[0] < 0.7 * rough[1] < 0.7 * rough[2]


def test_light_that_is_not_followed_stays_as_in_the_key(folder: Path) -> None:
    shot = job_folder.read_shot(folder)
    key, view = read_view(folder, shot, KEY), read_view(folder, shot, 8)
    carried = reproject_nearest(view, [KeySurface(key)], [read_truth(folder, KEY)]) / 255
    where = inside(view.ids) & (view.ids == 2) & (view.points[..., 0] < key.points[key.ids == 2][:, 0].max() - 0.2)
    away = [np.abs(paint(folder, 8, light=part)[..., :3] - carried)[where].mean() for part in (0.0, 0.5, 1.0)]
    assert away[0] < 0.6 * away[2]
    assert away[0] < away[1] < away[2]


def test_only_these_objects_and_not_the_background(folder: Path) -> None:
    ids = _ball(FRAME)["id"][..., 0]
    whole, ball = paint(folder)[..., :3], paint(folder, objects=[2])[..., :3]
    deep = inside(ids)
    np.testing.assert_allclose(ball[deep & (ids == 1)], render()[deep & (ids == 1)], atol=1 / 500)
    np.testing.assert_allclose(ball[deep & (ids == 2)], whole[deep & (ids == 2)], atol=1 / 500)
    guides = _ball(FRAME)
    guides["id"][:, :12] = 0
    write_exr(job_folder.geometry_path(folder, FRAME), protocol.GEOMETRY_PASSES, guides)
    kept = paint(folder, keep_background=True)[..., :3]
    np.testing.assert_allclose(kept[:, :11], render()[:, :11], atol=1 / 500)
    assert np.abs(kept[:, 13:] - render()[:, 13:]).mean() > 0.05
    with pytest.raises(JobError, match="no object with the number 9"):
        paint(folder, objects=[9])


def test_alpha_of_the_render_comes_out_again(folder: Path) -> None:
    alpha = np.repeat(np.linspace(0, 1, SIDE)[None], SIDE, 0)
    write_picture(job_folder.frame_path(folder, FRAME), np.dstack([render(), alpha]))
    straight = paint(folder)
    np.testing.assert_allclose(straight[..., 3], alpha, atol=1 / 200)
    linear = paint(folder, depth="EXR")
    np.testing.assert_allclose(linear[..., 3], alpha, atol=1 / 200)
    wanted = pictures.to_linear(straight[..., :3]) * straight[..., 3:]
    np.testing.assert_allclose(linear[..., :3], wanted, atol=0.012)
    opaque = paint(folder, keep_alpha=False)
    assert opaque[..., 3].min() == 1
    np.testing.assert_array_equal(opaque[..., :3], straight[..., :3])


def test_depths(folder: Path) -> None:
    eight, sixteen, exr = (paint(folder, depth=depth)[..., :3] for depth in ("8", "16", "EXR"))
    np.testing.assert_allclose(sixteen, eight, atol=1 / 500)
    assert len(np.unique(sixteen)) > 2 * len(np.unique(eight))
    np.testing.assert_allclose(exr, pictures.to_linear(sixteen), atol=1e-3, rtol=2e-3)
    channels = OpenEXR.File(str(folder / "result/0007.exr")).parts[0].channels
    assert all(channel.pixels.dtype == np.float16 for channel in channels.values())
    with pytest.raises(JobError, match="depth must be 8, 16 or EXR"):
        paint(folder, depth="32")


@pytest.mark.parametrize(
    "change", [{"strength": 0.9}, {"light": 0.5}, {"texture": 0.3}, {"objects": [2]}, {"depth": "16"}]
)
def test_another_look_paints_anew_and_the_same_does_not(folder: Path, change: dict[str, object]) -> None:
    for settings, painted in (({}, 1), ({}, 0), (change, 1), (change, 0), ({}, 1)):
        _, outcome = run(stylise(folder, Stylise(2, 2, device="cpu", **settings)))  # type: ignore[arg-type]
        assert outcome.figures["painted"] == painted


def test_a_frame_captured_anew_is_painted_anew(folder: Path) -> None:
    paint(folder)
    write_picture(job_folder.frame_path(folder, FRAME), render() * 0.5)
    _, outcome = run(stylise(folder, Stylise(6, FRAME, device="cpu")))
    assert outcome.figures == {"painted": 2, "kept": 0}
    write_picture(job_folder.frame_path(folder, 6), render(6) * 0.5)
    _, outcome = run(stylise(folder, Stylise(6, FRAME, device="cpu")))
    assert outcome.figures == {"painted": 1, "kept": 1}


@pytest.mark.parametrize("name", ["strength", "light", "texture"])
def test_senseless_amounts_are_refused(folder: Path, name: str) -> None:
    with pytest.raises(JobError, match=f"The {name} must be 0 to"):
        paint(folder, **{name: 2.5})


# --- other shots, other sizes -----------------------------------------------------------------------------------------


def other_shot(folder: Path, rows: slice, columns: slice) -> Shot:
    """The same objects under other numbers, seen by another camera: a part of the picture; no painted key."""
    write_shot(folder, keys=())
    numbers = np.array([0, 5, 3])
    for frame in FRAMES:
        guides = {name: guide[rows, columns] for name, guide in _ball(frame).items()}
        guides["id"] = numbers[guides["id"].astype(int)].astype(np.float32)
        write_exr(job_folder.geometry_path(folder, frame), protocol.GEOMETRY_PASSES, guides)
        write_exr(job_folder.albedo_path(folder, frame), protocol.ALBEDO_PASSES, guides)
        write_picture(job_folder.frame_path(folder, frame), guides["render"])
    height, width = guides["id"].shape[:2]
    objects = [ShotObject(3, "Ball", [4.0, 4.0, 4.0]), ShotObject(5, "Wall", [3.0, 3.0, 0.0])]
    shot = replace(job_folder.read_shot(folder), width=width, height=height, objects=objects)
    job_folder.write_json(folder / "shot.json", asdict(shot))
    return shot


def test_a_style_paints_another_shot_of_the_same_objects(folder: Path, tmp_path: Path) -> None:
    """Objects go by name: numbers, a scale and the camera differ, the paint lands where it belongs."""
    rows, columns = slice(4, 60), slice(8, 64)
    other_shot(tmp_path / "other", rows, columns)
    truth = read_truth(folder, FRAME)[rows, columns]
    home = paint(folder)[rows, columns, :3]
    away = paint(tmp_path / "other", style=str(folder))[..., :3]
    assert psnr(away * 255, truth) > psnr(home * 255, truth) - 1
    assert psnr(away * 255, home * 255) > 26
    relative = paint(tmp_path / "other", style="../shot")[..., :3]
    np.testing.assert_array_equal(relative, away)


def test_objects_that_a_style_does_not_know_are_named(folder: Path, tmp_path: Path) -> None:
    shot = other_shot(tmp_path / "other", slice(None), slice(None))
    job_folder.write_json(
        tmp_path / "other/shot.json", asdict(replace(shot, objects=[ShotObject(3, "Moon", [2.0] * 3), shot.objects[1]]))
    )
    _, outcome = run(stylise(tmp_path / "other", Stylise(1, 1, style=str(folder), device="cpu")))
    assert any("'Moon'" in note and "'Wall'" not in note for note in outcome.notes)


def test_a_folder_that_holds_no_style(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no style in"):
        run(stylise(folder, Stylise(1, 1, style=str(tmp_path), device="cpu")))


def test_a_key_of_another_size_is_resampled_and_told(folder: Path) -> None:
    before = paint(folder)
    with Image.open(job_folder.key_path(folder, KEY)) as key:
        key.resize((3 * SIDE, 3 * SIDE), Image.Resampling.BICUBIC).save(job_folder.key_path(folder, KEY))
    _, outcome = run(stylise(folder, Stylise(FRAME, FRAME, device="cpu")))
    after, _ = pictures.read_picture(folder / outcome.results[0])
    assert psnr(after * 255, before * 255) > 30
    assert any("another size" in note and "64 x 64" in note for note in outcome.notes)
    with Image.open(job_folder.key_path(folder, KEY)) as key:
        key.crop((0, 0, 3 * SIDE, 2 * SIDE)).save(job_folder.key_path(folder, KEY))
    with pytest.raises(JobError, match="192 x 128 and the shot 64 x 64"):
        run(stylise(folder, Stylise(FRAME, FRAME, device="cpu")))


# --- pieces -----------------------------------------------------------------------------------------------------------


def large(view: View, times: int) -> View:
    """The view, side by side with itself."""
    names = ("render", "albedo", "ids", "points", "normal", "depth")
    return replace(
        view, **{n: np.tile(a := getattr(view, n), (times, times, 1)[: a.ndim]).astype(a.dtype) for n in names}
    )


def test_tiles_leave_no_seam(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shot = job_folder.read_shot(folder)
    saved = checkpoint.load(train.style_path(folder, "generator"), GeneratorParams)
    painter = Painter(checkpoint.restore(saved, Network).eval(), [read_key(folder, shot, KEY)], torch.device("cpu"))
    view = large(read_view(folder, shot, FRAME), 5)
    whole, pieces = np.empty((2, *view.shape, 3), np.float32)
    assert len(list(painter.steps(view, whole))) == 1
    monkeypatch.setitem(tiles.PIXELS, "cpu", 30_000)
    assert len(list(painter.steps(view, pieces))) == 4
    assert np.abs(whole - pieces).max() < 1 / 255
    look = Look(light=0.3, texture=0.5)
    assert len(list(painter.steps(view, pieces, look))) == 4


@pytest.mark.parametrize("shape", [(2160, 4096), (3840, 2160), (1080, 1920), (135, 8191), (64, 64), (1, 1)])
def test_tiles_cover_every_pixel_once_and_are_bounded(shape: tuple[int, int]) -> None:
    count = np.zeros(shape, np.uint8)
    for tile in tiles.split(shape, tiles.PIXELS["cpu"]):
        count[tile.inner] += 1
        rows, columns = tile.outer
        assert (rows.stop - rows.start) * (columns.stop - columns.start) < 650_000
        assert rows.start % 4 == 0 and columns.start % 4 == 0
        assert count[tile.outer][tile.within].shape == count[tile.inner].shape
    assert (count == 1).all()


def test_every_word_of_a_look_is_in_the_frame(folder: Path) -> None:
    paint(folder, strength=0.5, objects=[2, 1])
    words = pictures.read_about(job_folder.result_path(folder, FRAME))
    assert words["Understudy look"] == "strength 0.5, objects (1, 2); 8"
