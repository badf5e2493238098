"""More of a picture sequence, with the true engine at a small size: where the pictures come from, what is made, where it lies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy import api, compat
from bl_ext.user_default.understudy.jobs import manager
from shots import refusal
from stage import add_ball, add_ground, empty_stage, guides, link
from test_footage import add_strip, editor, move, read_picture, render_movie, trim

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
    strip.transform.scale_x, strip.transform.offset_y, strip.blend_type = 0.5, 20, "ADD"
    assert bpy.ops.understudy.generate(how="CONTINUE", **QUICK) == {"FINISHED"}
    after = made(strip)
    assert (after.transform.scale_x, after.transform.offset_y, after.blend_type) == (0.5, 20, "ADD")
    assert (after.name, after.channel, compat.strip_span(after)) == ("Wave continued", 2, (37, 43))
    assert (strip.channel, compat.strip_span(strip)) == (2, (5, 37))
    assert {path: path.read_bytes() for path in before} == before
    first = read_picture(files(after)[0])
    assert first.shape == (SIDE, SIDE, 4) and np.abs(first - wave(COUNT)).mean() < 0.1
    assert after.directory.startswith("//understudy"), "the file can be moved with its folder"


def test_each_take_lies_above_and_none_is_written_over(strip: Any) -> None:
    assert bpy.ops.understudy.generate(how="LOOP", count=16, seconds=1.0) == {"FINISHED"}
    loop = made(strip)
    assert (loop.channel, compat.strip_span(loop)) == (3, (5, 21))
    kept, weights = {path: path.read_bytes() for path in files(loop)}, learned(strip).read_bytes()
    takes = []
    for seed in (1, 2):
        assert bpy.ops.understudy.generate(how="VARY", seed=seed, **QUICK) == {"FINISHED"}
        takes.append(np.stack([read_picture(path) for path in files(compat.sequencer_strips(editor())[-1])]))
    assert [s.channel for s in compat.sequencer_strips(editor())] == [2, 3, 4, 5]
    assert np.abs(takes[0] - takes[1]).mean() > 0.01
    assert {path: path.read_bytes() for path in kept} == kept
    assert learned(strip).read_bytes() == weights, "it is learned once"


def learned(strip: Any) -> Path:
    """The weights of what was learned of a strip."""
    home = Path(bpy.data.filepath).parent / "understudy" / "shot" / "generated" / "strips" / strip.name
    return home / "sequence" / "network.safetensors"


def test_a_strip_is_learned_as_it_is_seen(strip: Any) -> None:
    """Flipped and trimmed, of a kind that the engine does not read, in a scene whose view transform would change the colours."""
    strip.use_flip_y = True
    trim(strip, 7, 21)
    assert bpy.ops.understudy.learn_sequence(steps=2, seconds=5) == {"FINISHED"}
    frames = learned(strip).parents[1] / "frames"
    assert sorted(path.stem for path in frames.iterdir()) == [f"{frame:04d}" for frame in range(7, 21)]
    assert np.abs(read_picture(frames / "0007.png") - wave(3)[::-1]).max() < 0.02
    assert {strip.name for strip in compat.sequencer_strips(editor())} == {"Wave"} and len(bpy.data.scenes) == 1


def test_what_is_transparent_stays_so(saved_file: Path) -> None:
    pixels = [np.dstack([wave(frame)[..., :3], wave(frame)[..., 0]]) for frame in range(1, 33)]
    paths = [write_picture(saved_file.parent / "smoke" / f"{i + 1:04d}.png", each) for i, each in enumerate(pixels)]
    add_strip(paths, name="Smoke")
    assert bpy.ops.understudy.generate(how="VARY", variation=0.0, **QUICK) == {"FINISHED"}
    alpha = read_picture(files(compat.sequencer_strips(editor())[-1])[2])[..., 3]
    assert alpha.min() < 0.2 and alpha.max() > 0.3


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


def test_a_movie(saved_file: Path) -> None:
    bpy.context.scene.frame_start = 3
    path = render_movie(write_waves(saved_file.parent / "wave", range(1, COUNT + 1)), SIDE, SIDE)
    assert bpy.ops.understudy.generate(source="FILES", path=str(path), how="CONTINUE", **QUICK) == {"FINISHED"}
    (strip,) = compat.sequencer_strips(editor())
    assert compat.strip_span(strip) == (3 + COUNT, 9 + COUNT) and strip.name == f"{path.stem} continued"
    assert np.abs(read_picture(files(strip)[0]) - wave(COUNT)).mean() < 0.1


def test_missing_frames_are_filled_in_and_a_whole_strip_is_slowed_down(strip: Any) -> None:
    for frame in (10, 11, 20):
        files(strip)[frame].unlink()
    assert bpy.ops.understudy.generate(how="BETWEEN", seconds=1.0) == {"FINISHED"}
    filled = made(strip)
    assert (filled.name, filled.channel, compat.strip_span(filled)) == ("Wave between", 3, (5, 37))
    assert (read_picture(files(filled)[9]) == read_picture(files(strip)[9])).all(), "what is there is kept"
    assert np.abs(read_picture(files(filled)[20]) - wave(21)).mean() < 0.05
    editor().active_strip = filled
    assert bpy.ops.understudy.generate(how="BETWEEN", slow=2, seconds=1.0) == {"FINISHED"}
    assert compat.strip_span(compat.sequencer_strips(editor())[-1]) == (5, 5 + 63)


def test_light_stays_light(saved_file: Path) -> None:
    """OpenEXR, brighter than white, comes back as such, whatever kind of file the scene asks for."""
    scene = bpy.context.scene
    for name, value in compat.image_format("OPEN_EXR", "16").items():
        setattr(scene.render.image_settings, name, value)
    paths = [saved_file.parent / "light" / f"{frame:04d}.exr" for frame in range(1, 5)]
    for i, path in enumerate(paths):
        image = bpy.data.images.new("light", SIDE, SIDE, float_buffer=True)
        image.pixels.foreach_set(np.roll(4 * wave(i)[..., :1].repeat(4, 2), i, 1).astype(np.float32).ravel())
        path.parent.mkdir(exist_ok=True)
        image.save_render(str(path), scene=scene)
        bpy.data.images.remove(image)
    add_strip(paths, name="Light")
    assert bpy.ops.understudy.generate(how="BETWEEN", slow=2, seconds=1.0) == {"FINISHED"}
    slowed = compat.sequencer_strips(editor())[-1]
    assert [path.name for path in files(slowed)] == [f"{frame:04d}.exr" for frame in range(1, 8)]
    assert np.allclose(read_picture(files(slowed)[0]), read_picture(paths[0]), atol=0.01)
    assert read_picture(files(slowed)[1])[..., 0].max() > 2.0


# --- what cannot be done ----------------------------------------------------------------------------------------------


def shorten(strip: Any) -> None:
    trim(strip, 5, 6)


def make_small(strip: Any) -> None:
    write_picture(files(strip)[9], wave(1)[::2, ::2])


def choose_colour(strip: Any) -> None:
    """A strip without pictures of its own, active. (The bpy module makes no sound strips.)"""
    span = {"frame_end": 40} if bpy.app.version < (5, 0) else {"length": 30}
    editor().active_strip = compat.sequencer_strips(editor()).new_effect("Colour", "COLOR", 4, 10, **span)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda strip: setattr(editor(), "active_strip", None), "Select a movie or image strip in the Video Sequencer"),
        (choose_colour, "Select a movie or image strip in the Video Sequencer"),
        (shorten, "'Wave' is a single picture"),
        (make_small, "wave_0010.png is 24 x 24 and wave_0001.png 48 x 48 pixels; give all pictures one size."),
        (lambda strip: files(strip)[4].unlink(), "Frame 9 of 'Wave' is missing"),
        (lambda strip: [path.unlink() for path in files(strip)], "A file of 'Wave' is missing"),
        (lambda strip: move(strip, -40), "'Wave' begins before frame 0"),
    ],
)
def test_a_strip_that_cannot_be_used_is_one_sentence(strip: Any, spoil: Any, sentence: str) -> None:
    before = len(compat.sequencer_strips(editor()))
    spoil(strip)
    assert sentence in refusal(bpy.ops.understudy.generate, how="CONTINUE")
    assert len(compat.sequencer_strips(editor())) <= before + 1 and manager.running is None
    assert not list(Path(bpy.data.filepath).parent.rglob("takes"))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"strip": "Nobody"}, "There is no strip 'Nobody' in the Video Sequencer."),
        ({"source": "FILES", "path": "//"}, "There are no numbered pictures in"),
        ({"source": "FILES", "path": "//nowhere"}, "cannot be read (No such file or directory)"),
        ({"source": "SHOT"}, "Nothing is captured yet"),
        ({"how": "ANIMATE"}, "Choose the learned sequence whose motion"),
        ({"how": "ANIMATE", "source": "FILES", "path": "//fire.mp4"}, "Animate moves a picture"),
        ({"how": "ANIMATE", "source": "FILES", "path": "//fire.png"}, "There is no file"),
    ],
)
def test_what_is_not_there_is_one_sentence(strip: Any, options: dict[str, str], sentence: str) -> None:
    assert sentence in refusal(bpy.ops.understudy.generate, **options)


def test_the_editor_says_what_is_meant_and_a_script_says_it_itself(strip: Any) -> None:
    area = bpy.context.window_manager.windows[0].screen.areas[0]
    before = area.type
    try:
        for editor_type, sentence in (
            ("VIEW_3D", "Nothing is captured yet: capture the shot first"),
            ("IMAGE_EDITOR", "Open a picture that is saved as a file"),
        ):
            area.type = editor_type
            with bpy.context.temp_override(window=bpy.context.window_manager.windows[0], area=area):
                assert sentence in refusal(bpy.ops.understudy.generate)
                with pytest.raises(api.UnderstudyError, match="There is no strip 'Nobody'"):
                    api.generate("LOOP", strip="Nobody")
    finally:
        area.type = before


def test_a_file_that_was_never_saved() -> None:
    assert "Save the Blender file first" in refusal(bpy.ops.understudy.generate)


# --- learned sequences ------------------------------------------------------------------------------------------------


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Where learned sequences are saved."""
    preferences = bpy.context.preferences.addons["bl_ext.user_default.understudy"].preferences
    preferences.sequence_folder = str(tmp_path / "sequences")
    return tmp_path / "sequences"


def test_a_learned_sequence_is_saved_once_and_deleted(strip: Any, library: Path) -> None:
    settings = bpy.context.scene.understudy_generate
    assert "Nothing is learned of this sequence yet" in refusal(bpy.ops.understudy.save_sequence, name="Wave")
    assert "No learned sequence is saved yet" in refusal(bpy.ops.understudy.delete_sequence)
    assert bpy.ops.understudy.learn_sequence(steps=2, seconds=5, name="First") == {"FINISHED"}
    assert bpy.ops.understudy.save_sequence(name="Second") == {"FINISHED"} and settings.sequence == "Second"
    assert sorted(path.name for path in library.iterdir()) == ["First", "Second"]
    assert {path.name for path in (library / "First").iterdir()} == {"sequence", "sequence.json", "thumbnail.png"}
    assert "There is a learned sequence 'First' already" in refusal(bpy.ops.understudy.save_sequence, name="First")
    assert "cannot be the name of a folder" in refusal(bpy.ops.understudy.save_sequence, name="a/b")
    assert bpy.ops.understudy.delete_sequence() == {"FINISHED"} and settings.sequence == ""
    assert [path.name for path in library.iterdir()] == ["First"]
    assert "There is no learned sequence 'Third'" in refusal(bpy.ops.understudy.delete_sequence, name="Third")


def test_a_picture_moves_as_a_saved_sequence_does(strip: Any, library: Path) -> None:
    """The strip's picture at the current frame, from that frame on."""
    assert bpy.ops.understudy.learn_sequence(steps=2, seconds=5, name="Circling") == {"FINISHED"}
    still = wave(3)[::-1]
    path = write_picture(Path(bpy.data.filepath).with_name("still.png"), still)
    bpy.context.scene.frame_set(40)
    bpy.context.scene.understudy_generate.sequence = "Circling"
    assert bpy.ops.understudy.generate(source="FILES", path=str(path), how="ANIMATE", count=6) == {"FINISHED"}
    moved = made(strip)
    assert (moved.name, compat.strip_span(moved)) == ("still animated", (40, 46))
    pictures = np.stack([read_picture(path) for path in files(moved)])
    assert np.abs(pictures[0] - still).mean() < 0.1 and np.ptp(pictures, axis=0).max() > 0.05


# --- other places -----------------------------------------------------------------------------------------------------


def test_the_last_take_as_node_and_as_texture(strip: Any) -> None:
    assert "No frame is generated yet" in refusal(bpy.ops.understudy.show_take, place="MATERIAL")
    assert bpy.ops.understudy.generate(how="CONTINUE", **QUICK) == {"FINISHED"}
    bpy.ops.mesh.primitive_cube_add()
    assert "has no material" in refusal(bpy.ops.understudy.show_take, place="MATERIAL")
    material = bpy.data.materials.new("Fire")
    bpy.context.object.data.materials.append(material)
    for place in ("MATERIAL", "COMPOSITOR"):
        assert bpy.ops.understudy.show_take(place=place) == {"FINISHED"}
    (texture,) = [node for node in compat.material_tree(material).nodes if node.bl_idname == "ShaderNodeTexImage"]
    (node,) = [n for n in compat.compositor_tree(bpy.context.scene).nodes if n.bl_idname == "CompositorNodeImage"]
    assert texture.image == node.image and texture.image.source == "SEQUENCE"
    assert Path(bpy.path.abspath(texture.image.filepath)) == files(made(strip))[0]
    assert (texture.image_user.frame_start, texture.image_user.frame_duration) == (37, 6)


# --- a captured shot --------------------------------------------------------------------------------------------------


def test_of_a_shot_the_chosen_objects_alone(saved_file: Path) -> None:
    """The ball is made anew, the ground stays; the strip goes where a shot's results go, for it has had its view transform."""
    scene = empty_stage(frames=12, side=SIDE)
    link(bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))).rotation_euler = (0.6, 0.3, 0)
    scene.view_settings.view_transform = "Standard"
    add_ground()
    ball = add_ball(location=(-1.5, 0, 1))
    for frame, x in ((1, -1.5), (6, 1.5), (12, -1.5)):
        ball.location.x = x
        ball.keyframe_insert("location", frame=frame)
    fire = bpy.data.collections.new("Fire")
    scene.collection.children.link(fire)
    fire.objects.link(ball)
    assert bpy.ops.understudy.capture() == {"FINISHED"}
    scene.understudy_generate.collection = fire
    assert bpy.ops.understudy.generate(source="SHOT", how="VARY", variation=1.0, **QUICK) == {"FINISHED"}
    edit = bpy.data.scenes["Scene Stylised"]
    (strip,) = compat.sequencer_strips(edit.sequence_editor)
    assert (strip.name, edit.view_settings.view_transform) == ("Scene take", "Standard")
    assert not scene.sequence_editor or not compat.sequencer_strips(scene.sequence_editor)
    folder = saved_file.parent / "understudy" / "shot"
    captured, picture = (read_picture(path)[..., :3] for path in (folder / "frames" / "0003.png", files(strip)[2]))
    rows = np.flatnonzero((guides(folder, 3)[0]["id"][..., 0] == 1).any(1))
    change = np.abs(picture - captured).max((1, 2))
    assert max(change[: rows[0] - 3].max(), change[rows[-1] + 4 :].max()) < 0.01, (
        "where no ball rolls, all is as it was"
    )
    assert change[rows].max() > 0.1


# --- an engine that fails ---------------------------------------------------------------------------------------------


def test_an_engine_that_dies_costs_nothing(strip: Any, fake_engine: Any) -> None:
    fake_engine(jobs=[[{"write": ["result/0037.png", "half"]}, {"progress": [0.5, "Frame 37 made", 9.0]}, {"die": 9}]])
    assert "ended with exit code 9" in refusal(bpy.ops.understudy.generate, how="CONTINUE")
    assert list(compat.sequencer_strips(editor())) == [strip] and manager.running is None
    assert not list(Path(bpy.data.filepath).parent.rglob("takes"))
    fake_engine(jobs=[[{"finish": {}}]])
    assert "left no frame" in refusal(bpy.ops.understudy.generate, how="CONTINUE")
