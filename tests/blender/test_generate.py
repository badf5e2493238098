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

SIDE, COUNT = 48, 32
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


@pytest.fixture(scope="module", autouse=True)
def engine() -> Any:
    """One engine for all that need the true one."""
    yield
    manager.close()


@pytest.fixture
def strip(saved_file: Path) -> Any:
    """A strip of COUNT pictures from frame 5 on, in a scene that shows AgX."""
    bpy.context.scene.view_settings.view_transform = "AgX"
    return add_strip(write_waves(saved_file.parent / "wave", range(1, COUNT + 1)), 5, 2, "Wave")


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
    assert (after.name, after.channel, compat.strip_span(after)) == ("Wave continued", 2, (37, 43))
    assert (strip.channel, compat.strip_span(strip)) == (2, (5, 37))
    assert {path: path.read_bytes() for path in before} == before
    first = read_picture(files(after)[0])
    assert first.shape == (SIDE, SIDE, 4) and np.abs(first - wave(COUNT)).mean() < 0.1
    assert after.directory.startswith("//understudy"), "the file can be moved with its folder"


def test_it_lies_where_its_source_lies_in_the_picture(strip: Any) -> None:
    strip.transform.scale_x, strip.transform.offset_y, strip.blend_type = 0.5, 20, "ADD"
    assert bpy.ops.understudy.generate(how="CONTINUE", **QUICK) == {"FINISHED"}
    after = made(strip)
    assert (after.transform.scale_x, after.transform.offset_y, after.blend_type) == (0.5, 20, "ADD")


def test_each_take_lies_above_and_none_is_written_over(strip: Any) -> None:
    assert bpy.ops.understudy.generate(how="LOOP", count=16, seconds=1.0) == {"FINISHED"}
    loop = made(strip)
    assert (loop.channel, compat.strip_span(loop)) == (3, (5, 21))
    kept, weights = {path: path.read_bytes() for path in files(loop)}, learned(strip).read_bytes()
    takes = []
    for seed in (1, 2, 1):
        assert bpy.ops.understudy.generate(how="VARY", seed=seed, **QUICK) == {"FINISHED"}
        takes.append(np.stack([read_picture(path) for path in files(compat.sequencer_strips(editor())[-1])]))
    assert [s.channel for s in compat.sequencer_strips(editor())] == [2, 3, 4, 5, 6]
    assert (takes[0] == takes[2]).all() and np.abs(takes[0] - takes[1]).mean() > 0.01
    assert {path: path.read_bytes() for path in kept} == kept
    assert learned(strip).read_bytes() == weights, "it is learned once"


def learned(strip: Any) -> Path:
    """The weights of what was learned of a strip."""
    home = Path(bpy.data.filepath).parent / "understudy" / "shot" / "generated" / "strips" / strip.name
    return home / "sequence" / "network.safetensors"


def test_a_strip_is_learned_as_it_is_seen(strip: Any) -> None:
    """Flipped and trimmed, of a kind that the engine does not read, in a scene whose view transform would change the colours."""
    strip.use_flip_y = True
    trim(strip, 7, 17)
    assert bpy.ops.understudy.learn_sequence(steps=2, seconds=5) == {"FINISHED"}
    frames = learned(strip).parents[1] / "frames"
    assert sorted(path.stem for path in frames.iterdir()) == [f"{frame:04d}" for frame in range(7, 17)]
    assert np.abs(read_picture(frames / "0007.png") - wave(3)[::-1]).max() < 0.02
    assert {strip.name for strip in compat.sequencer_strips(editor())} == {"Wave"} and len(bpy.data.scenes) == 1


def test_what_is_transparent_stays_so(saved_file: Path) -> None:
    pixels = [np.dstack([wave(frame)[..., :3], wave(frame)[..., 0]]) for frame in range(1, 33)]
    paths = [write_picture(saved_file.parent / "smoke" / f"{i + 1:04d}.png", each) for i, each in enumerate(pixels)]
    add_strip(paths, name="Smoke")
    assert bpy.ops.understudy.generate(how="VARY", variation=0.0, **QUICK) == {"FINISHED"}
    alpha = read_picture(files(compat.sequencer_strips(editor())[-1])[2])[..., 3]
    assert alpha.min() < 0.2 < 0.6 < alpha.max()


def test_a_folder_of_other_pictures(saved_file: Path) -> None:
    """JPEGs with a name before the number, and another sequence beside them."""
    bpy.context.scene.view_settings.view_transform = "AgX"
    write_waves(saved_file.parent / "plates", range(101, 133), ".jpg")
    write_picture(saved_file.parent / "plates" / "test_0001.jpg", wave(0))
    folder = str(saved_file.parent / "plates")
    assert bpy.ops.understudy.generate(source="FILES", path=folder, how="CONTINUE", **QUICK) == {"FINISHED"}
    (strip,) = compat.sequencer_strips(editor())
    assert compat.strip_span(strip) == (133, 139) and strip.name == "plates continued"
    assert np.abs(read_picture(files(strip)[0]) - wave(132)).mean() < 0.1
