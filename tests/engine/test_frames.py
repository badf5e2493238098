"""Pictures and guides from real files: both layouts of Blender's EXR, and every fault a file can have, each a sentence that
names it."""

from __future__ import annotations

import dataclasses
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_shot import SIDE, _ball, write_exr, write_picture, write_shot

from engine import exr_parts, frames, job_folder, pictures, protocol
from engine.protocol import JobError
from engine.stylise.surface import Surface
from engine.stylise.views import read_view

ALL = [*protocol.GEOMETRY_PASSES, *protocol.ALBEDO_PASSES]


@pytest.mark.parametrize("five", [False, True])
def test_guides_are_what_was_written(tmp_path: Path, five: bool) -> None:
    shot, guides = write_shot(tmp_path), _ball(3)
    write_exr(job_folder.geometry_path(tmp_path, 3), protocol.GEOMETRY_PASSES, guides, five)
    write_exr(job_folder.albedo_path(tmp_path, 3), protocol.ALBEDO_PASSES, guides, five)
    read = frames.read_guides(tmp_path, shot, 3, ALL)
    assert set(read) == set(ALL)
    for name in ALL:
        np.testing.assert_array_equal(read[name], guides[name])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_guide_that_is_not_finite(tmp_path: Path, value: float) -> None:
    shot, guides = write_shot(tmp_path), _ball(3)
    guides["normal"][5, 7, 1] = value
    write_exr(job_folder.geometry_path(tmp_path, 3), protocol.GEOMETRY_PASSES, guides)
    with pytest.raises(JobError, match=r"'normal' in .*0003\.geometry\.exr .*capture frame 3 again"):
        frames.read_guides(tmp_path, shot, 3, ALL)
    assert "depth" in frames.read_guides(tmp_path, shot, 3, ["depth"])  # what is sound is read


def test_missing_guide_and_frame(tmp_path: Path) -> None:
    shot = write_shot(tmp_path)
    job_folder.albedo_path(tmp_path, 2).unlink()
    job_folder.frame_path(tmp_path, 2).unlink()
    with pytest.raises(JobError, match=r"0002\.albedo\.exr is missing; capture frame 2 again"):
        frames.read_guides(tmp_path, shot, 2, ALL)
    with pytest.raises(JobError, match=r"0002\.png is missing; capture frame 2 again"):
        frames.read_frame(tmp_path, shot, 2)


@pytest.mark.parametrize("keep", [0, 10, 900, -40])
def test_damaged_files(tmp_path: Path, keep: int) -> None:
    shot = write_shot(tmp_path)
    for path in (job_folder.geometry_path(tmp_path, 2), job_folder.frame_path(tmp_path, 2)):
        path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(JobError, match=r"0002\.geometry\.exr is damaged"):
        frames.read_guides(tmp_path, shot, 2, ALL)
    with pytest.raises(JobError, match=r"0002\.png is damaged"):
        frames.read_frame(tmp_path, shot, 2)


def test_pass_that_is_not_there(tmp_path: Path) -> None:
    shot, guides = write_shot(tmp_path), _ball(2)
    passes = {name: spec for name, spec in protocol.GEOMETRY_PASSES.items() if name != "anchor"}
    write_exr(job_folder.geometry_path(tmp_path, 2), passes, guides)
    with pytest.raises(JobError, match="no pass 'Combined' for the guide 'anchor'"):
        frames.read_guides(tmp_path, shot, 2, ALL)


def test_wrong_size_is_refused_by_its_header(tmp_path: Path) -> None:
    shot = write_shot(tmp_path)
    write_exr(job_folder.geometry_path(tmp_path, 2), protocol.GEOMETRY_PASSES, {k: v[:32] for k, v in _ball(2).items()})
    size = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + size + struct.pack(">I", zlib.crc32(size))
    job_folder.frame_path(tmp_path, 2).write_bytes(head)
    with pytest.raises(JobError, match=r"0002\.geometry\.exr is 64 x 32 and the shot 64 x 64 pixels"):
        frames.read_guides(tmp_path, shot, 2, ALL)
    with pytest.raises(JobError, match=r"0002\.png is (30000 x 30000|damaged)"):
        frames.read_frame(tmp_path, shot, 2)


def test_key_counts_only_where_painted(tmp_path: Path) -> None:
    shot = write_shot(tmp_path)
    rgba = np.ones((SIDE, SIDE, 4), np.float32)
    rgba[:, 20:, 3] = 0
    write_picture(job_folder.key_path(tmp_path, 4), rgba)
    _, painted = frames.read_key(tmp_path, shot, 4)
    assert painted[:, :20].all() and not painted[:, 20:].any()
    rgba[..., 3] = 0
    write_picture(job_folder.key_path(tmp_path, 4), rgba)
    with pytest.raises(JobError, match="transparent all over"):
        frames.read_key(tmp_path, shot, 4)


def test_written_picture_keeps_pixels_and_words(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    path = tmp_path / "result" / "0001.png"
    pictures.write_picture(path, picture, "8", {"Software": "Understudy", "Understudy keys": "4 abc, 7 Köln"})
    np.testing.assert_array_equal(np.array(Image.open(path)), picture)
    assert pictures.read_about(path)["Understudy keys"] == "4 abc, 7 Köln"
    assert os.listdir(path.parent) == ["0001.png"]
    assert pictures.read_about(tmp_path / "nothing.png") == {}


def test_failed_write_leaves_the_old_picture(tmp_path: Path) -> None:
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    path = tmp_path / "0001.png"
    pictures.write_picture(path, picture, "8", {})
    before = path.read_bytes()
    with pytest.raises((TypeError, ValueError)):
        pictures.write_picture(path, picture[..., :2, None], "8", {})
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["0001.png"]


def test_edges_of_a_capture_are_those_that_the_stylist_sees(tmp_path: Path) -> None:
    """And of an earlier capture, without them, it finds its own."""
    shot = write_shot(tmp_path)
    before = Surface.of(read_view(tmp_path, shot, 2)).edges
    shot = dataclasses.replace(shot, guides=[*shot.guides, "edges"])
    drawn = np.zeros((shot.height, shot.width, 3), np.float32)
    drawn[10, 20] = 1, 0, 0.6
    write_picture(job_folder.edges_path(tmp_path, 2), drawn)
    edges = Surface.of(read_view(tmp_path, shot, 2)).edges
    assert before[:3].sum() > 10
    np.testing.assert_allclose(edges[:3, 10, 20], [1, 0, 0.6], atol=1e-6)
    assert float(edges[:3].sum()) == pytest.approx(1.6)
    job_folder.edges_path(tmp_path, 2).unlink()
    with pytest.raises(JobError, match=r"0002\.edges\.png is missing; capture frame 2 again"):
        read_view(tmp_path, shot, 2)


def test_a_damaged_pass_that_nobody_asked_for_does_no_harm(tmp_path: Path) -> None:
    """Of a file with a part a pass only what is asked for is unpacked."""
    shot, guides = write_shot(tmp_path), _ball(3)
    path, names = job_folder.geometry_path(tmp_path, 3), list(protocol.GEOMETRY_PASSES)
    write_exr(path, protocol.GEOMETRY_PASSES, guides, five=True)
    alone = exr_parts.keep(path, [names.index("vector")])
    assert alone is not None
    path.write_bytes(path.read_bytes().replace(alone[-40:], bytes(40)))
    for name in names:
        if name == "vector":
            with pytest.raises(JobError, match=r"0003\.geometry\.exr is damaged"):
                frames.read_guides(tmp_path, shot, 3, [name])
        else:
            np.testing.assert_array_equal(frames.read_guides(tmp_path, shot, 3, [name])[name], guides[name])


def test_a_file_of_several_parts_whose_header_is_damaged(tmp_path: Path) -> None:
    """It is read, or named as damaged; nothing else happens, and nothing takes long."""
    shot, path = write_shot(tmp_path), job_folder.geometry_path(tmp_path, 3)
    write_exr(path, protocol.GEOMETRY_PASSES, _ball(3), five=True)
    whole, rng = path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.integers(8, 2500)] = rng.choice([0, 127, 128, 255])
        path.write_bytes(damaged)
        try:
            frames.read_guides(tmp_path, shot, 3, ["depth", "id"])
        except JobError as error:
            assert "0003.geometry.exr" in str(error)
            refused += 1
    assert refused > 30
