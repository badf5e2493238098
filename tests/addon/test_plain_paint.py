"""Stylise without the engine: guides read by numpy alone are those that OpenEXR reads, and the key's paint goes where its surface
goes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import OpenEXR
import pytest
from addon.exr import ExrError, read_channels
from addon.plain_paint import Key, cell_sizes, kept, paint_frame, read_surface
from addon.protocol import JobError
from PIL import Image

from engine import job_folder, protocol

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "engine"))
from tiny_shot import SIDE, read_truth, write_exr, write_shot

KINDS = ["ZIP_COMPRESSION", "ZIPS_COMPRESSION", "NO_COMPRESSION"]


def picture(path: Path) -> np.ndarray:
    return np.array(Image.open(path).convert("RGBA"), np.float32) / 255


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", [np.float32, np.float16])
def test_channels_are_read_to_the_bit(tmp_path: Path, kind: str, number: type) -> None:
    """A number of rows that no block divides, noise that does not pack and flats that do."""
    rng = np.random.default_rng(3)
    planes = {f"ViewLayer.Combined.{c}": rng.normal(size=(37, 21)).astype(number) for c in "RGBA"}
    planes |= {"ViewLayer.Depth.Z": np.full((37, 21), 2.5, np.float32)}
    header = {"compression": getattr(OpenEXR, kind), "type": OpenEXR.scanlineimage}
    OpenEXR.File(header, dict(planes)).write(str(tmp_path / "a.exr"))  # which puts its own objects there
    green, depth = read_channels(tmp_path / "a.exr", [["Combined.G"], ["Nothing.Z", "Depth.Z"]])
    assert (green == planes["ViewLayer.Combined.G"].astype(np.float32)).all()
    assert (depth == 2.5).all()


@pytest.mark.parametrize("five", [False, True])
def test_both_layouts_of_blender(tmp_path: Path, five: bool) -> None:
    rng = np.random.default_rng(5)
    guides = {
        name: rng.random((SIDE, SIDE, len(channels)), np.float32)
        for name, (_, _, channels) in protocol.GEOMETRY_PASSES.items()
    }
    write_exr(tmp_path / "a.exr", protocol.GEOMETRY_PASSES, guides, five)
    ids, red = read_channels(tmp_path / "a.exr", [["IndexOB.X", "Object Index.X"], ["Combined.R"]])
    assert (ids == guides["id"][..., 0]).all() and (red == guides["anchor"][..., 0]).all()


@pytest.mark.parametrize("cut", [3, 40, 400, 5000])
def test_a_damaged_file_is_said_to_be(tmp_path: Path, cut: int) -> None:
    shot = write_shot(tmp_path)
    path = job_folder.geometry_path(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ExrError, match="damaged"):
        read_channels(path, [["Combined.R"]])
    with pytest.raises(JobError, match="capture frame 1 again"):
        read_surface(tmp_path, shot, 1)


def test_paint_goes_with_its_surface(tmp_path: Path) -> None:
    """The wall stands still and shows the key's paint to the value; the ball turns, and its stripes go with it."""
    shot = write_shot(tmp_path, keys=(4,))
    surfaces = {frame: read_surface(tmp_path, shot, frame) for frame in (4, 6)}
    unit = cell_sizes([surfaces[4]], 2)
    key = Key(4, surfaces[4], picture(job_folder.key_path(tmp_path, 4)), unit)
    render = picture(job_folder.frame_path(tmp_path, 6))
    truth, ids = read_truth(tmp_path, 6) / 255, surfaces[6].ids.reshape(SIDE, SIDE)
    made = paint_frame(6, surfaces[6], render, [key], unit)
    was_wall = (surfaces[4].ids.reshape(SIDE, SIDE) == 1) & (ids == 1)
    assert np.abs(made - truth)[was_wall].max() < 0.01
    error, without = (np.abs(x - truth)[ids == 2].mean() for x in (made, render[..., :3]))
    assert error < 0.5 * without
    standing = picture(job_folder.key_path(tmp_path, 4))[..., :3]
    assert error < np.abs(standing - truth)[ids == 2].mean(), "the paint stays where it was on the screen"


def test_what_is_not_asked_for_stays_as_rendered(tmp_path: Path) -> None:
    """Objects that were not chosen, and those that no key shows."""
    shot = write_shot(tmp_path)
    surface = read_surface(tmp_path, shot, 4)
    unit, render = cell_sizes([surface], 2), picture(job_folder.frame_path(tmp_path, 4))
    paint, ids = picture(job_folder.key_path(tmp_path, 4)), surface.ids.reshape(SIDE, SIDE)
    made = paint_frame(4, surface, render, [Key(4, surface, paint, unit)], unit, objects=[2])
    assert (made == render[..., :3]).all(-1)[ids == 1].all() and not (made == render[..., :3]).all(-1)[ids == 2].any()
    paint[ids == 2, 3] = 0
    made = paint_frame(4, surface, render, [Key(4, surface, paint, unit)], unit)
    assert (made == render[..., :3]).all(-1)[ids == 2].all() and not (made == render[..., :3]).all(-1)[ids == 1].any()


def test_frames_of_others_are_known(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "own.png")
    assert kept(tmp_path / "own.png") and not kept(tmp_path / "none.png")
