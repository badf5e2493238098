"""What Stylise is asked for, and saved styles: controls, objects; a style saved, used elsewhere, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy import cli
from bl_ext.user_default.understudy.job_folder import albedo_path, geometry_path, read_job, write_json
from bl_ext.user_default.understudy.protocol import Shot, ShotObject, Stylise, TrainStyle
from shots import SIDE, refusal, write_key, write_results, write_shot, write_style
from stage import add_ball, add_ground, empty_stage, link

ops = bpy.ops.understudy
FakeEngine = Callable[..., None]


@pytest.fixture
def folder(saved_file: Path, fake_engine: FakeEngine) -> Path:
    """A trained shot of a cup and a table, its result too; the engine says yes to everything."""
    fake_engine()
    folder = write_shot(saved_file.parent / "understudy")
    objects = [ShotObject(1, "Cup", [1.0, 1.0, 1.0]), ShotObject(2, "Table", [1.0, 1.0, 1.0])]
    write_json(folder / "shot.json", Shot(1, 4, SIDE, SIDE, 24.0, [], objects))
    write_key(folder, 2)
    train(folder)
    write_results(folder, range(1, 5))
    return folder


def train(folder: Path) -> None:
    """What a training on frame 2 leaves, and the guides that it read."""
    write_style(folder)
    (folder / "style" / "generator.json").write_text(json.dumps({"params": {}, "about": {"keys": [2], "steps": 9}}))
    for name in ("discriminator.safetensors", "discriminator.json"):
        (folder / "style" / name).write_text("judge")
    for path in (geometry_path(folder, 2), albedo_path(folder, 2)):
        path.parent.mkdir(exist_ok=True)
        path.write_text("guide")


@pytest.fixture(autouse=True)
def library(tmp_path: Path) -> Path:
    """Saved styles go to a folder of the test's own."""
    preferences = bpy.context.preferences.addons["bl_ext.user_default.understudy"].preferences
    preferences.style_folder = str(tmp_path / "styles")
    return tmp_path / "styles"


def asked(folder: Path) -> Stylise:
    """The job that Stylise leaves."""
    assert ops.stylise() == {"FINISHED"}
    settings = read_job(folder).settings
    assert isinstance(settings, Stylise)
    return settings


def add(name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    ob = bpy.data.objects.new(name, bpy.data.meshes.new(name))
    collection.objects.link(ob)
    return ob


def test_the_look_reaches_the_engine(folder: Path) -> None:
    assert asked(folder) == Stylise(1, 4), "as it comes"
    settings = bpy.context.scene.understudy
    settings.strength, settings.light, settings.texture, settings.seed = 0.5, 0.25, 1.5, 7
    settings.keep_background, settings.keep_alpha, settings.depth = True, False, "16"
    wanted = Stylise(
        1, 4, strength=0.5, light=0.25, texture=1.5, keep_background=True, keep_alpha=False, depth="16", seed=7
    )
    assert asked(folder) == wanted


def test_only_some_objects(folder: Path) -> None:
    scene, settings = bpy.context.scene, bpy.context.scene.understudy
    cup, table = add("Cup", scene.collection), add("Table", scene.collection)
    props, inner = bpy.data.collections.new("Props"), bpy.data.collections.new("Inner")
    props.children.link(inner)
    inner.objects.link(table)
    bpy.context.view_layer.update()
    settings.painted_objects = "SELECTED"
    assert "No object that is selected was captured" in refusal(ops.stylise)
    cup.select_set(True)
    assert asked(folder).objects == [1]
    settings.painted_objects = "COLLECTION"
    assert "Choose the collection" in refusal(ops.stylise)
    settings.painted_collection = props
    assert asked(folder).objects == [2], "also of collections in it"
    settings.painted_collection = bpy.data.collections.new("Empty")
    assert "No object in the collection 'Empty' was captured" in refusal(ops.stylise)
    settings.painted_objects = "ALL"
    assert asked(folder).objects == []


def test_a_style_is_saved_whole_and_once(folder: Path, library: Path) -> None:
    assert ops.save_style(name="Gouache") == {"FINISHED"}
    saved = library / "Gouache"
    files = {str(path.relative_to(saved)) for path in saved.rglob("*") if path.is_file()}
    assert files == {
        *("style.json", "thumbnail.png", "shot.json", "keys/0002.png", "frames/0002.png"),
        *("guides/0002.geometry.exr", "guides/0002.albedo.exr", "style/generator.safetensors", "style/generator.json"),
        *("style/discriminator.safetensors", "style/discriminator.json"),
    }
    assert json.loads((saved / "style.json").read_text())["steps"] == 9
    assert "choose another name" in refusal(ops.save_style, name="Gouache")
    assert "cannot be the name" in refusal(ops.save_style, name="a/b")
    assert "cannot be the name" in refusal(ops.save_style)
    (folder / "guides" / "0002.albedo.exr").unlink()
    assert "is missing, which the style was trained on" in refusal(ops.save_style, name="Ink")
    (folder / "style" / "generator.json").write_text("{")
    assert "train it again" in refusal(ops.save_style, name="Ink")
    assert [path.name for path in library.iterdir()] == ["Gouache"], "nothing half made is left"


def test_a_saved_style_paints_another_shot_without_keys(folder: Path, tmp_path: Path, library: Path) -> None:
    ops.save_style(name="Gouache")
    other = write_shot(tmp_path / "other")
    write_results(other, range(1, 5))
    settings = bpy.context.scene.understudy
    settings.job_folder = str(other)
    assert "No style is trained yet" in refusal(ops.stylise)
    settings.style = "Gouache"
    assert asked(other).style == str(library / "Gouache")
    settings.style_use = "BASE"
    assert "No style is trained yet" in refusal(ops.stylise)
    write_key(other, 1)
    assert ops.train_style() == {"FINISHED"}
    job = read_job(other).settings
    assert isinstance(job, TrainStyle) and job.base == str(library / "Gouache")
    assert ops.train_style(resume=True) == {"FINISHED"}
    assert read_job(other).settings.base == "", "going on is from the shot's own weights"


def test_the_choice_is_by_name_and_survives_other_styles(folder: Path, library: Path) -> None:
    settings = bpy.context.scene.understudy
    for name in ("Gouache", "Ink"):
        ops.save_style(name=name)
    settings.style_thumbnail = "Ink"
    assert settings.style == "Ink"
    assert ops.delete_style(name="Gouache") == {"FINISHED"}
    assert (settings.style, settings.style_thumbnail) == ("Ink", "Ink")
    ops.save_style(name="Chalk")
    assert settings.style_thumbnail == "Ink"
    assert ops.delete_style() == {"FINISHED"}
    assert (settings.style, settings.style_thumbnail) == ("", "NONE")
    assert [path.name for path in library.iterdir()] == ["Chalk"]


def test_a_style_that_is_gone_is_one_sentence(folder: Path) -> None:
    assert "No style is saved yet" in refusal(ops.delete_style)
    bpy.context.scene.understudy.style = "Lost"
    assert "There is no style 'Lost'" in refusal(ops.stylise)
    bpy.context.scene.understudy.style = "../understudy"
    assert "There is no style" in refusal(ops.stylise)


def test_command_line(folder: Path, library: Path, capsys: pytest.CaptureFixture[str]) -> None:
    collection = bpy.data.collections.new("Props")
    add("Table", collection)
    assert cli.command(["save-style", "Gouache"]) == 0
    line = "stylise --style Gouache --strength 0.5 --light 0 --strokes 2 --collection Props --keep-background"
    assert cli.command([*line.split(), "--no-keep-alpha", "--depth", "EXR"]) == 0
    style = str(library / "Gouache")
    look = {"strength": 0.5, "light": 0.0, "texture": 2.0, "objects": [2], "depth": "EXR"}
    assert read_job(folder).settings == Stylise(1, 4, style=style, keep_background=True, keep_alpha=False, **look)
    assert bpy.context.scene.understudy.style == "", "the command line is for one run"
    assert cli.command(["train-style", "--base", "Gouache"]) == 0
    assert read_job(folder).settings.base == style
    assert cli.command(["stylise", "--collection", "Nothing"]) == 1
    assert cli.command(["stylise", "--style", "Lost"]) == 1
    assert cli.command(["stylise", "--strokes", "3"]) == 2
    error = capsys.readouterr().err
    assert "no collection 'Nothing'" in error and "no style 'Lost'" in error and "not between 0 and 2" in error


def test_a_training_from_nothing_can_be_taken_back(folder: Path) -> None:
    weights = folder / "style" / "generator.safetensors"
    assert "No style was trained before" in refusal(ops.earlier_style)
    assert ops.train_style(resume=True) == {"FINISHED"}
    assert "No style was trained before" in refusal(ops.earlier_style), "going on replaces nothing"
    assert ops.train_style() == {"FINISHED"}
    weights.write_bytes(b"worse")
    assert ops.earlier_style() == {"FINISHED"}
    assert weights.read_bytes() == b"weights"
    assert ops.earlier_style() == {"FINISHED"}
    assert weights.read_bytes() == b"worse"


def pictures(folder: Path) -> np.ndarray:
    """(T, H, W, 3) 0 to 255, what lies in a folder of PNGs."""
    images = [bpy.data.images.load(str(path)) for path in sorted(folder.glob("*.png"))]
    arrays = [np.array(image.pixels[:]).reshape(image.size[1], image.size[0], 4)[..., :3] for image in images]
    for image in images:
        bpy.data.images.remove(image)
    return np.rint(np.stack(arrays) * 255)


def test_a_style_goes_from_camera_to_camera(tmp_path: Path) -> None:
    """With the real engine: a ball painted blue in one view is blue in another, which has no key; the look's controls hold."""
    from bl_ext.user_default.understudy.jobs import manager

    manager.close()
    scene, settings = empty_stage(frames=1, side=64), bpy.context.scene.understudy
    add_ground()
    ball = add_ball(location=(0, 0, 1))
    link(bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN")))
    first, second = tmp_path / "first", tmp_path / "second"
    settings.job_folder, settings.training_seconds = str(first), 2.0
    assert ops.capture() == {"FINISHED"} and ops.paint_key() == {"FINISHED"}
    key = bpy.data.images["0001.png"]
    pixels = np.array(key.pixels[:], np.float32).reshape(-1, 4)
    red = pixels[:, 0] > pixels[:, 1] + 0.1
    pixels[red, :3] = (0.1, 0.2, 0.9)
    key.pixels.foreach_set(pixels.ravel())
    assert ops.use_image_as_key(image=key.name) == {"FINISHED"}
    assert ops.train_style() == {"FINISHED"} and ops.save_style(name="Blue") == {"FINISHED"}

    scene.camera.location.x += 1.0
    settings.job_folder, settings.style = str(second), "Blue"
    assert ops.capture() == {"FINISHED"} and ops.stylise() == {"FINISHED"}
    rendered, painted = pictures(second / "frames"), pictures(second / "result")
    there = rendered[..., 0] > rendered[..., 1] + 25
    assert there.sum() > 100, "no ball"
    assert (painted[there][:, 2] > painted[there][:, 0] + 50).mean() > 0.5, "its rim is learned, in a longer training"
    settings.strength = 0.0
    assert ops.stylise() == {"FINISHED"}
    assert np.abs(pictures(second / "result") - rendered).max() <= 1
    settings.strength, settings.painted_objects = 1.0, "SELECTED"
    bpy.ops.object.select_all(action="DESELECT")
    bpy.data.objects["Ground"].select_set(True)
    assert ball.name == "Ball" and ops.stylise() == {"FINISHED"}
    inside = there & np.roll(there, 3, 1) & np.roll(there, -3, 1) & np.roll(there, 3, 2) & np.roll(there, -3, 2)
    assert np.abs(pictures(second / "result") - rendered)[inside].max() <= 1, "the ball stays as rendered"
    manager.close()
