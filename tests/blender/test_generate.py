"""More of a picture sequence, with the true engine at a small size: where the pictures come from, what is made, where it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy import api, compat
from bl_ext.user_default.understudy.job_folder import read_job
from bl_ext.user_default.understudy.jobs import manager
from test_footage import add_strip, editor, move, read_picture, trim

SIDE, COUNT = 48, 16
QUICK = {"seconds": 1.0, "count": 6}


def wave(frame: int) -> np.ndarray:
    """(SIDE, SIDE, 4) sRGB, top row first: a ball of light that circles once in 8 frames, over a dark ground."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    angle = 2 * np.pi * frame / 8
    light = np.exp(-(((x - 0.25 * np.cos(angle)) ** 2 + (y - 0.25 * np.sin(angle)) ** 2) * 60))
    return np.dstack([0.1 + 0.8 * light, 0.2 + 0.3 * light, 0.3 + 0 * light, 1 + 0 * light])


def write_picture(path: Path, pixels: np.ndarray) -> Path:
    """A picture of (H, W, 4) values as stored, in the kind of file that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = bpy.data.images.new("picture", pixels.shape[1], pixels.shape[0], alpha=True)
    image.pixels.foreach_set(pixels[::-1].astype(np.float32).ravel())
    image.filepath_raw = str(path)
    image.file_format = {".png": "PNG", ".jpg": "JPEG"}[path.suffix]
    image.save()
    bpy.data.images.remove(image)
    return path


def write_waves(folder: Path, frames: Any, suffix: str = ".png") -> list[Path]:
    return [write_picture(folder / f"wave_{frame:04d}{suffix}", wave(frame)) for frame in frames]


@pytest.fixture
def strip(saved_file: Path) -> Any:
    """A strip of COUNT pictures from frame 5 on, in a scene that shows AgX."""
    bpy.context.scene.view_settings.view_transform = "AgX"
    yield add_strip(write_waves(saved_file.parent / "wave", range(1, COUNT + 1)), 5, 2, "Wave")
    manager.close()


def made(strip: Any) -> Any:
    """The one other strip."""
    (other,) = [other for other in compat.sequencer_strips(editor()) if other.name != strip.name]
    return other


def files(strip: Any) -> list[Path]:
    return [Path(bpy.path.abspath(strip.directory), element.filename) for element in strip.elements]


def test_continued_it_follows_in_its_channel_and_looks_like_it(strip: Any) -> None:
    before = {path: path.read_bytes() for path in files(strip)}
    assert bpy.ops.understudy.generate(how="CONTINUE", **QUICK) == {"FINISHED"}
    after = made(strip)
    assert (after.name, after.channel, compat.strip_span(after)) == ("Wave continued", 2, (21, 27))
    assert (strip.channel, compat.strip_span(strip)) == (2, (5, 21))
    assert {path: path.read_bytes() for path in before} == before
    first = read_picture(files(after)[0])
    assert first.shape == (SIDE, SIDE, 4) and np.abs(first - wave(COUNT)).mean() < 0.1
    assert after.directory.startswith("//understudy"), "the file can be moved with its folder"
