"""Strips of the Video Sequencer as a shot, and strips put together: what lands in the folder is what the strip shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy import compat
from bl_ext.user_default.understudy.footage import footage_folder, numbered_folder, unreadable
from bl_ext.user_default.understudy.job_folder import frame_path, key_path, read_job, read_shot
from bl_ext.user_default.understudy.jobs import manager
from shots import add_camera, write_shot

WIDTH, HEIGHT = 48, 32
FINISH = [{"finish": {}}]


def write_rows(path: Path, upper: tuple[float, ...], lower: tuple[float, ...]) -> None:
    """A PNG of two colours, sRGB values from 0 to 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = bpy.data.images.new("picture", WIDTH, HEIGHT)
    pixels = np.ones((HEIGHT, WIDTH, 4), np.float32)
    pixels[: HEIGHT // 2, :, :3], pixels[HEIGHT // 2 :, :, :3] = lower, upper
    image.pixels.foreach_set(pixels.ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 4), top row first, as stored."""
    image = bpy.data.images.load(str(path))
    try:
        return np.array(image.pixels[:]).reshape(image.size[1], image.size[0], 4)[::-1]
    finally:
        bpy.data.images.remove(image)


def trim(strip: Any, start: int, end: int) -> None:
    """Show it from `start` to the frame before `end`."""
    names = (
        ("left_handle", "right_handle") if hasattr(strip, "left_handle") else ("frame_final_start", "frame_final_end")
    )
    for name, frame in zip(names, (start, end), strict=True):
        setattr(strip, name, frame)


def move(strip: Any, frames: int) -> None:
    """Move it in time."""
    name = "content_start" if hasattr(strip, "content_start") else "frame_start"
    setattr(strip, name, getattr(strip, name) + frames)


def write_sequence(folder: Path, frames: range, blue: float = 0.5) -> list[Path]:
    """Pictures of two rows of colour, the upper red by its number."""
    paths = []
    for frame in frames:
        paths.append(folder / f"{frame:04d}.png")
        write_rows(paths[-1], (0.05 * frame, 0.2, blue), (0.9, 0.8, 0.1))
    return paths


def editor() -> Any:
    return bpy.context.scene.sequence_editor_create()


def add_strip(paths: list[Path], start: int = 1, channel: int = 1, name: str = "Clip") -> Any:
    """An image strip, active and selected."""
    strip = compat.sequencer_strips(editor()).new_image(name, str(paths[0]), channel, start)
    for path in paths[1:]:
        strip.elements.append(path.name)
    editor().active_strip, strip.select = strip, True
    return strip


@pytest.fixture
def strip(saved_file: Path) -> Any:
    """Ten pictures from frame 5 on, three trimmed off at the front and two at the end, in a scene that shows AgX."""
    scene = bpy.context.scene
    scene.view_settings.view_transform = "AgX"
    scene.render.resolution_x = scene.render.resolution_y = 100
    strip = add_strip(write_sequence(saved_file.parent / "shoot", range(1, 11)), 5)
    trim(strip, 8, 13)
    return strip


def use(**options: Any) -> Path:
    """Use Footage; the folder that the scene works on then."""
    assert bpy.ops.understudy.use_footage(**options) == {"FINISHED"}
    return Path(bpy.path.abspath(bpy.context.scene.understudy.job_folder))


def test_the_frames_are_what_the_strip_shows_at_its_time_and_in_its_colours(strip: Any, fake_engine: Any) -> None:
    fake_engine(jobs=[FINISH])
    folder = use()
    shot = read_shot(folder)
    assert (shot.frame_start, shot.frame_end, shot.width, shot.height) == (8, 12, WIDTH, HEIGHT)
    assert (shot.source, shot.guides) == ("footage", []) and read_job(folder).kind == "track_footage"
    for frame in shot.frames:
        picture = read_picture(frame_path(folder, frame))
        assert picture[2, 2] == pytest.approx([0.05 * (frame - 4), 0.2, 0.5, 1], abs=0.003), "file 4 lies at frame 8"
        assert picture[-2, 2] == pytest.approx([0.9, 0.8, 0.1, 1], abs=0.003)


def test_flip_and_grade_are_seen_and_the_place_in_the_picture_is_not(strip: Any, fake_engine: Any) -> None:
    fake_engine(jobs=[FINISH])
    strip.use_flip_y, strip.color_multiply = True, 0.5
    strip.transform.scale_x, strip.transform.offset_y = 0.3, 20
    picture = read_picture(frame_path(use(), 8))
    assert picture[-2, 2, 1] == pytest.approx(0.1, abs=0.01) and picture[2, 2, 1] == pytest.approx(0.4, abs=0.01)
    assert strip.transform.scale_x == pytest.approx(0.3), "the artist's strip is as it was"


def test_only_this_strip_is_read_and_nothing_stays_behind(strip: Any, fake_engine: Any) -> None:
    fake_engine(jobs=[FINISH])
    above = add_strip(write_sequence(Path(bpy.data.filepath).parent / "other", range(1, 11), 1.0), 5, 3, "Above")
    editor().active_strip, strip.mute = strip, True
    scenes = list(bpy.data.scenes)
    folder = use()
    assert read_picture(frame_path(folder, 9))[2, 2, 2] == pytest.approx(0.5, abs=0.003)
    assert list(bpy.data.scenes) == scenes and strip.mute and not above.mute
    assert {image.name for image in bpy.data.images} <= {"Render Result"}


def test_a_movie_is_read_by_its_path(saved_file: Path, fake_engine: Any) -> None:
    fake_engine(jobs=[FINISH])
    path = render_movie(write_sequence(saved_file.parent / "shoot", range(1, 7)), WIDTH, HEIGHT)
    bpy.context.scene.frame_start = 3
    folder = use(filepath=str(path))
    assert folder.name == path.stem and list(read_shot(folder).frames) == list(range(3, 9))
    reds = [read_picture(frame_path(folder, frame))[8, 8, 0] for frame in read_shot(folder).frames]
    assert (np.diff(reds) > 0.02).all(), "in order, and each frame once"


def render_movie(paths: list[Path], width: int, height: int) -> Path:
    """The pictures as a movie, beside their folder."""
    scene, folder = bpy.data.scenes.new("Movie"), paths[0].parents[1]
    strips = compat.sequencer_strips(scene.sequence_editor_create())
    strip = strips.new_image("Clip", str(paths[0]), 1, 1)
    for path in paths[1:]:
        strip.elements.append(path.name)
    scene.frame_start, scene.frame_end = 1, len(paths)
    scene.render.resolution_x, scene.render.resolution_y = width, height
    scene.view_settings.view_transform = "Standard"
    if hasattr(scene.render.image_settings, "media_type"):
        scene.render.image_settings.media_type = "VIDEO"
    scene.render.image_settings.file_format = "FFMPEG"
    scene.render.ffmpeg.format, scene.render.ffmpeg.codec = "MPEG4", "H264"
    scene.render.filepath = str(folder / "movie.mp4")
    with bpy.context.temp_override(scene=scene):
        bpy.ops.render.render(animation=True)
    bpy.data.scenes.remove(scene)
    return next(folder.glob("movie*.mp4"))


def test_used_again_the_frames_are_there_and_keys_are_kept(strip: Any, fake_engine: Any) -> None:
    fake_engine(jobs=[FINISH] * 4)
    folder = use()
    bpy.context.scene.frame_set(9)
    assert bpy.ops.understudy.paint_key() == {"FINISHED"} and key_path(folder, 9).is_file()
    read_at = frame_path(folder, 9).stat().st_mtime_ns
    assert use() == folder and frame_path(folder, 9).stat().st_mtime_ns == read_at
    trim(strip, 9, 13)
    with pytest.raises(RuntimeError, match="holds footage of other frames"):
        bpy.ops.understudy.use_footage()
    assert use(overwrite=True) == folder and read_shot(folder).frame_start == 9 and key_path(folder, 9).is_file()


def test_a_captured_shot_is_left_alone(strip: Any, fake_engine: Any) -> None:
    fake_engine(jobs=[FINISH])
    shot = write_shot(Path(bpy.data.filepath).parent / "understudy")
    before = {path: path.read_bytes() for path in shot.rglob("*") if path.is_file()}
    add_camera()
    folder = use()
    assert folder != shot and {path: path.read_bytes() for path in before} == before
    with pytest.raises(RuntimeError, match="holds footage"):
        bpy.ops.understudy.capture()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda strip: Path(bpy.path.abspath(strip.directory), "0006.png").unlink(), "file of 'Clip' is missing"),
        (lambda strip: move(strip, -40), "begins before frame 0"),
        (lambda strip: setattr(editor(), "active_strip", None), "Select a movie or image strip"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(strip: Any, fake_engine: Any, spoil: Any, sentence: str) -> None:
    fake_engine(jobs=[])
    spoil(strip)
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.understudy.use_footage()
    assert not list(Path(bpy.data.filepath).parent.glob("understudy/**/shot.json")) and manager.running is None


def test_painted_footage_lies_above_the_footage(strip: Any, fake_engine: Any) -> None:
    fake_engine(jobs=[FINISH, FINISH])
    folder = use()
    write_sequence(folder / "result", read_shot(folder).frames, 1.0)
    (folder / "style").mkdir()
    (folder / "style" / "generator.safetensors").write_bytes(b"weights")
    assert bpy.ops.understudy.stylise() == {"FINISHED"}
    made = next(s for s in compat.sequencer_strips(editor()) if s != strip)
    assert (made.channel, compat.strip_span(made)) == (strip.channel + 1, (8, 13)) and len(bpy.data.scenes) == 1


# --- combine ---------------------------------------------------------------------------------------------------------


def two_strips(folder: Path) -> tuple[Any, Any]:
    """Frames 1 to 8 of a dull clip, and 5 to 12 of a blue one above it."""
    lower = add_strip(write_sequence(folder / "dull", range(1, 9), 0.0), 1, 1, "Dull")
    upper = add_strip(write_sequence(folder / "blue", range(5, 13), 1.0), 5, 2, "Blue")
    return lower, upper


def test_a_cross_fade_of_two_strips_with_the_true_engine(saved_file: Path) -> None:
    lower, upper = two_strips(saved_file.parent)
    assert bpy.ops.understudy.combine() == {"FINISHED"}
    made = next(s for s in compat.sequencer_strips(editor()) if s not in (lower, upper))
    assert (compat.strip_span(made), made.channel) == ((5, 9), 3)
    folder = Path(bpy.path.abspath(made.directory))
    blue = [read_picture(folder / e.filename)[2, 2, 2] for e in made.elements]
    assert blue == pytest.approx([0, 1 / 3, 2 / 3, 1], abs=0.01)
    assert not (folder.parent / "first").exists(), "pictures that are there are not copied"
    manager.close()


def test_a_strip_that_is_more_than_its_files_is_read(saved_file: Path, fake_engine: Any) -> None:
    fake_engine(jobs=[FINISH])
    lower, upper = two_strips(saved_file.parent)
    assert numbered_folder(lower, 5, 8) == saved_file.parent / "dull"
    upper.use_flip_y = True
    move(lower, 2)
    assert numbered_folder(lower, 5, 8) is None
    with pytest.raises(RuntimeError, match="left no frame"):  # the fake engine makes none
        bpy.ops.understudy.combine()
    folder = next(saved_file.parent.glob("understudy/**/job.json")).parent
    assert read_job(folder).settings.first == "first" and read_job(folder).settings.frame_end == 10
    assert read_picture(folder / "first" / "0007.png")[2, 2, 0] == pytest.approx(0.25, abs=0.003)
    assert read_picture(folder / "second" / "0007.png")[2, 2, 1] == pytest.approx(0.8, abs=0.003)


def test_combine_refuses_with_a_sentence(saved_file: Path, fake_engine: Any) -> None:
    fake_engine(jobs=[])
    lower, upper = two_strips(saved_file.parent)
    settings = bpy.context.scene.understudy
    for how, sentence in (("MASK", "folder of the mask"), ("OBJECTS", "Choose a collection")):
        settings.combine_how = how
        with pytest.raises(RuntimeError, match=sentence):
            bpy.ops.understudy.combine()
    move(upper, 20)
    with pytest.raises(RuntimeError, match="share no frame"):
        bpy.ops.understudy.combine()
    lower.select = False
    with pytest.raises(RuntimeError, match="Select two"):
        bpy.ops.understudy.combine()


def test_names_and_kinds_that_are_no_footage() -> None:
    assert footage_folder(Path("a"), "take/../2?").name == "take_.._2_"
    assert "Select" in unreadable(None)
