"""Painted frames from Blender's side: any image as a key, parts of a frame, keys put aside, the next one suggested."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy.job_folder import key_path, read_job
from bl_ext.user_default.understudy.protocol import SuggestKey
from bl_ext.user_default.understudy.shot import look
from shots import SIDE, refusal, write_key, write_picture, write_shot

ops = bpy.ops.understudy
FakeEngine = Callable[..., None]


@pytest.fixture
def folder(saved_file: Path) -> Path:
    return write_shot(saved_file.parent / "understudy")


def pixels(path: Path) -> np.ndarray:
    """(H, W, 4) 0 to 255, as the file holds them, top row first."""
    image = bpy.data.images.load(str(path))
    out = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(out)
    width, height = image.size
    bpy.data.images.remove(image)
    return np.rint(out.reshape(height, width, 4)[::-1] * 255).astype(int)


def painting(
    name: str, *colour: float, size: tuple[int, int] = (SIDE, SIDE), is_float: bool = False
) -> bpy.types.Image:
    """A generated image of one colour, given as its pixels hold it."""
    image = bpy.data.images.new(name, *size, alpha=True, float_buffer=is_float)
    image.pixels.foreach_set(np.tile(np.float32(colour), size[0] * size[1]))
    return image


def use(image: bpy.types.Image, **settings: object) -> Path:
    """The key that it becomes."""
    assert ops.use_image_as_key(image=image.name, **settings) == {"FINISHED"}
    return key_path(Path(bpy.data.filepath).parent / "understudy", bpy.context.scene.frame_current)


def test_a_generated_image_becomes_a_key_as_it_is_shown(folder: Path) -> None:
    bpy.context.scene.frame_set(3)
    bpy.context.scene.view_settings.view_transform = "AgX"
    key = use(painting("Sketch", 0.2, 0.4, 0.6, 1.0))
    assert key == folder / "keys" / "0003.png"
    assert (pixels(key) == (51, 102, 153, 255)).all()
    assert look(folder).keys == (3,) and os.listdir(folder / "keys") == ["0003.png"]
    assert [scene.name for scene in bpy.data.scenes] == ["Scene"]


def test_float_and_packed_and_16_bit_images(folder: Path, tmp_path: Path) -> None:
    half = painting("Half", 0.25, 0.125, 0.0, 0.5, is_float=True)  # premultiplied and linear, as Blender holds it
    half.pack()
    assert (pixels(use(half)) == (188, 137, 0, 128)).all()
    bpy.context.scene.frame_set(2)
    settings = bpy.context.scene.render.image_settings
    settings.file_format, settings.color_depth, settings.color_mode = "PNG", "16", "RGBA"
    bpy.context.scene.view_settings.view_transform = "Standard"
    painting("Deep", 0.5, 0.5, 0.5, 1.0, is_float=True).save_render(str(tmp_path / "deep.png"))
    deep = bpy.data.images.load(str(tmp_path / "deep.png"))
    assert deep.is_float
    assert (pixels(use(deep)) == (188, 188, 188, 255)).all()


def test_a_key_is_replaced_only_when_asked_and_the_old_one_kept(folder: Path) -> None:
    before = write_key(folder, 1).read_bytes()
    green = painting("Green", 0.0, 1.0, 0.0, 1.0)
    assert "has a key already" in refusal(ops.use_image_as_key, image="Green")
    assert key_path(folder, 1).read_bytes() == before
    for colour in ((0, 255, 0, 255), (0, 0, 255, 255)):
        assert (pixels(use(green, overwrite=True)) == colour).all()
        green.pixels.foreach_set(np.tile(np.float32([0.0, 0.0, 1.0, 1.0]), SIDE * SIDE))
    assert sorted(os.listdir(folder / "keys" / "unused")) == ["0001-2.png", "0001.png"]
    assert (folder / "keys" / "unused" / "0001.png").read_bytes() == before
    assert look(folder).keys == (1,)


def test_the_keys_own_image_is_simply_saved(folder: Path) -> None:
    assert ops.paint_key() == {"FINISHED"}
    image = bpy.data.images["0001.png"]
    image.pixels.foreach_set(np.tile(np.float32([1.0, 0.0, 0.0, 1.0]), SIDE * SIDE))
    assert (pixels(use(image)) == (255, 0, 0, 255)).all()
    assert not image.is_dirty and not (folder / "keys" / "unused").exists()


def test_a_painting_of_another_size(folder: Path) -> None:
    assert pixels(use(painting("Large", 0.2, 0.4, 0.6, 1.0, size=(64, 64)))).shape == (SIDE, SIDE, 4)
    bpy.context.scene.frame_set(2)
    painting("Wide", 0.0, 0.0, 0.0, 1.0, size=(64, 16))
    assert "proportions differ; crop" in refusal(ops.use_image_as_key, image="Wide")
    assert look(folder).keys == (1,)


@pytest.mark.parametrize("kind", ["none", "missing", "movie"])
def test_what_is_no_painting(folder: Path, kind: str) -> None:
    wanted = {"none": "There is no image", "missing": "has no pixels", "movie": "a key is one still image"}[kind]
    if kind != "none":
        image = bpy.data.images.new("Thing", 8, 8)
        image.source, image.filepath = {"missing": "FILE", "movie": "SEQUENCE"}[kind], str(folder / "nowhere.png")
    assert wanted in refusal(ops.use_image_as_key, image="Thing" if kind != "none" else "")
    assert not look(folder).keys


def test_only_captured_frames_become_keys(folder: Path) -> None:
    bpy.context.scene.frame_set(99)
    painting("Sketch", 0.2, 0.4, 0.6, 1.0)
    assert "This frame is not captured" in refusal(ops.use_image_as_key, image="Sketch")


def test_a_part_of_a_frame_begins_transparent_with_the_frames_colours(folder: Path) -> None:
    write_picture(folder / "frames" / "0001.png", (0.2, 0.4, 0.6))
    assert ops.paint_key(transparent=True) == {"FINISHED"}
    assert (pixels(key_path(folder, 1)) == (51, 102, 153, 0)).all()
    assert [image.name for image in bpy.data.images] == ["0001.png"]
    painted = write_key(folder, 2).read_bytes()
    bpy.context.scene.frame_set(2)
    assert ops.paint_key(transparent=True) == {"FINISHED"}
    assert key_path(folder, 2).read_bytes() == painted


def test_a_removed_key_is_kept_aside(folder: Path) -> None:
    assert "not painted" in refusal(ops.remove_key)
    painted = write_key(folder, 1).read_bytes()
    assert ops.remove_key() == {"FINISHED"}
    assert not look(folder).keys
    assert (folder / "keys" / "unused" / "0001.png").read_bytes() == painted


def test_an_unsaved_painting_is_not_removed(folder: Path) -> None:
    assert ops.paint_key() == {"FINISHED"}
    bpy.data.images["0001.png"].pixels[0] = 0.25
    assert "not saved" in refusal(ops.remove_key)
    assert look(folder).keys == (1,)


def test_the_suggested_frame_is_gone_to(folder: Path, fake_engine: FakeEngine) -> None:
    found = {"frames": [4, 2], "covered": {"4": 0.3}, "total": 0.82, "totals": [0.82, 0.9, 0.95]}
    fake_engine(jobs=[[{"write": ["suggest.json", json.dumps(found)]}, {"finish": {}}]])
    write_picture(folder / "coverage" / "0004.png", (1.0, 0.0, 1.0))
    write_key(folder, 1)
    assert ops.suggest_key() == {"FINISHED"}
    assert read_job(folder).settings == SuggestKey(keys=[1])
    assert bpy.context.scene.frame_current == 4
    assert "Understudy Coverage 4" in bpy.data.images
    suggested = look(folder).suggestion
    assert suggested is not None and (suggested.covered, suggested.frame) == (0.82, 4)
    later = (folder / "suggest.json").stat().st_mtime + 5
    os.utime(write_key(folder, 4), (later, later))
    assert look(folder).suggestion is None, "the keys have changed since"


@pytest.mark.parametrize("written", ["", "{", '{"frames": [1]}', '{"frames": 3, "total": "x"}'])
def test_no_suggestion_is_one_sentence(folder: Path, fake_engine: FakeEngine, written: str) -> None:
    fake_engine(jobs=[[*([{"write": ["suggest.json", written]}] if written else []), {"finish": {}}]])
    assert "left no suggestion" in refusal(ops.suggest_key)
    assert bpy.context.scene.frame_current == 1
