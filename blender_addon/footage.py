"""A strip of the Video Sequencer as numbered pictures: trimmed, timed, flipped and graded as it is there, in its own size, in the
colours that the Standard view shows. Read frame by frame in a scene of its own, so the artist's scene is never touched.

It knows strips and files, no engine and no operator.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from . import compat
from .job_folder import FOOTAGE, frame_path, write_json
from .protocol import MAX_FRAMES, MAX_SIDE, Shot
from .words import rpt_

PICTURES = ("MOVIE", "IMAGE")  # kinds of strips that hold pictures of their own


class FootageError(Exception):
    """A strip that cannot be read; str() is one sentence that says what to do."""


@dataclass(frozen=True)
class FootageParams:
    """What is read, where to, and which frames of the scene (inclusive). filepath: a movie or picture instead of a strip; files:
    names of the pictures beside it that follow it."""

    scene: str
    strip: str
    folder: Path
    frame_start: int
    frame_end: int
    width: int
    height: int
    fps: float
    filepath: str = ""
    files: tuple[str, ...] = ()


def strip_params(scene: bpy.types.Scene, strip: Any, folder: Path) -> FootageParams:
    """All of a strip that is seen. Raises FootageError."""
    if why_not := unreadable(strip):
        raise FootageError(why_not + ".")
    start, end = compat.strip_span(strip)
    if start < 0:
        raise FootageError(rpt_("'{strip}' begins before frame 0; move it to the right.").format(strip=strip.name))
    width, height = _size(strip)
    fps = scene.render.fps / scene.render.fps_base
    return _checked(FootageParams(scene.name, strip.name, folder, start, end - 1, width, height, fps))


def file_params(scene: bpy.types.Scene, filepath: str, folder: Path) -> FootageParams:
    """All of a movie, or one picture, from the scene's first frame on. Raises FootageError."""
    path = Path(bpy.path.abspath(filepath))
    if not path.is_file():
        raise FootageError(rpt_("There is no file {path}; choose a movie or a picture.").format(path=path))
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError as error:
        raise FootageError(
            rpt_("{path} is neither a movie nor a picture that Blender can read.").format(path=path)
        ) from error
    try:
        (width, height), count = image.size, image.frame_duration
    finally:
        bpy.data.images.remove(image)
    fps, start = scene.render.fps / scene.render.fps_base, scene.frame_start
    return _checked(
        FootageParams(scene.name, path.stem, folder, start, start + count - 1, width, height, fps, str(path))
    )


def _checked(params: FootageParams) -> FootageParams:
    if not 0 < max(params.width, params.height) <= MAX_SIDE:
        raise FootageError(
            rpt_("'{strip}' has no picture that can be read; look at its file in the Sequencer.").format(
                strip=params.strip
            )
        )
    if params.frame_end - params.frame_start >= MAX_FRAMES:
        raise FootageError(
            rpt_("'{strip}' is longer than {most} frames; cut it.").format(strip=params.strip, most=MAX_FRAMES)
        )
    return params


def unreadable(strip: Any, gaps: bool = False) -> str:
    """Why a strip cannot be read; empty if it can. gaps: an image strip may miss files, though not all."""
    if strip is None or strip.type not in PICTURES:
        return "Select a movie or image strip in the Video Sequencer"
    if strip.use_multiview:
        return rpt_("'{strip}' is stereo: use a strip of one eye").format(strip=strip.name)
    there = [path.is_file() for path in strip_files(strip)]
    if not all(there) and not (gaps and any(there)):
        return rpt_("A file of '{strip}' is missing: find it with File > External Data").format(strip=strip.name)
    return ""


def strip_files(strip: Any) -> list[Path]:
    """The files that a strip shows, in order."""
    if strip.type == "MOVIE":
        return [Path(bpy.path.abspath(strip.filepath))]
    folder = Path(bpy.path.abspath(strip.directory))
    return [folder / element.filename for element in strip.elements]


def _size(strip: Any) -> tuple[int, int]:
    """Width and height of the strip's own pictures: Blender knows them once it has shown one."""
    first = strip.elements[0]
    if first.orig_width and first.orig_height:
        return first.orig_width, first.orig_height
    return picture_size(strip_files(strip)[0])


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height of a picture, as Blender reads it; (0, 0) where it cannot."""
    try:
        image = bpy.data.images.load(str(path))
    except RuntimeError:
        return 0, 0
    try:
        return image.size[0], image.size[1]
    finally:
        bpy.data.images.remove(image)


def footage_folder(shared: Path, name: str) -> Path:
    """Where the footage of a strip lies: a folder of its own beside the scene's shot."""
    return shared / "footage" / (re.sub(r"[^\w. -]", "_", name).strip(" .") or "strip")


# --- reading ---------------------------------------------------------------------------------------------------------


def read_footage(params: FootageParams) -> Generator[tuple[int, int], None, Shot]:
    """Write frames/ and shot.json; yields (done, total) after each frame. Closed early, it leaves no shot.json."""
    (params.folder / "shot.json").unlink(missing_ok=True)
    yield from read_frames(params, lambda frame: frame_path(params.folder, frame))
    shot = Shot(
        params.frame_start,
        params.frame_end,
        params.width,
        params.height,
        params.fps,
        guides=[],
        objects=[],
        source=FOOTAGE,
        view_transform="Standard",
        blender=bpy.app.version_string,
    )
    write_json(params.folder / "shot.json", shot)
    return shot


def read_frames(params: FootageParams, locate: Any) -> Generator[tuple[int, int], None, None]:
    """Write the picture of each frame to `locate(frame)`, a PNG; yields (done, total)."""
    total = params.frame_end - params.frame_start + 1
    locate(params.frame_start).parent.mkdir(parents=True, exist_ok=True)
    with _stage(params) as stage:
        for i in range(total):
            path = locate(params.frame_start + i)
            partial = path.with_name(f".{path.stem}.partial.png")
            try:
                _render(stage, params.frame_start + i, partial)
                os.replace(partial, path)
            finally:
                partial.unlink(missing_ok=True)
            yield i + 1, total


def _render(stage: bpy.types.Scene, frame: int, path: Path) -> None:
    """The stage's picture of a frame as a file. Raises FootageError."""
    stage.frame_set(frame)
    stage.render.filepath = compat.literal_path(path)
    try:
        # By the scene= argument Blender leaves the Sequencer out.
        with bpy.context.temp_override(scene=stage):
            bpy.ops.render.render(write_still=True)
    except RuntimeError as error:
        raise FootageError(
            rpt_("Frame {frame} could not be read: {why}").format(
                frame=frame, why=str(error).strip().removeprefix("Error: ")
            )
        ) from error
    if not path.is_file():
        raise FootageError(
            rpt_("Frame {frame} could not be written to {folder}; make room or choose another folder.").format(
                frame=frame, folder=path.parent
            )
        )


@contextmanager
def _stage(params: FootageParams) -> Iterator[bpy.types.Scene]:
    """A scene that shows the strip and nothing else, in the strip's size."""
    if params.filepath:
        stage = bpy.data.scenes.new("Understudy Footage")
        _add_file(stage, params)
    else:
        stage = bpy.data.scenes[params.scene].copy()
    try:
        if not params.filepath:
            _leave_only(stage, params.strip)
        _set_up(stage, params)
        yield stage
    finally:
        bpy.data.scenes.remove(stage)


def _add_file(stage: bpy.types.Scene, params: FootageParams) -> None:
    strips = compat.sequencer_strips(stage.sequence_editor_create())
    stage.render.fps, stage.render.fps_base = 24, 24 / params.fps
    movie = params.frame_end > params.frame_start and not params.files
    strip = (strips.new_movie if movie else strips.new_image)(params.strip, params.filepath, 1, params.frame_start)
    for name in params.files:
        strip.elements.append(name)


def _leave_only(stage: bpy.types.Scene, name: str) -> None:
    """Mute every other strip, show this one as large as it is, and drop the 3D scene, which is not seen."""
    editor: Any = stage.sequence_editor
    everything = list(compat.all_strips(editor))
    strip = next(s for s in everything if s.name == name)
    for other in everything:
        holds = other.type == "META" and name in {inner.name for inner in compat.sequencer_strips(other)}
        other.mute = other != strip and not holds
    for channel in editor.channels:
        channel.mute = False
    transform = strip.transform
    transform.offset_x = transform.offset_y = transform.rotation = 0
    transform.scale_x = transform.scale_y = 1
    links: tuple[Any, Any] = (stage.collection.children, stage.collection.objects)
    for link in links:
        for item in list(link):
            link.unlink(item)


def _set_up(stage: Any, params: FootageParams) -> None:
    """Size, colours and file format."""
    render, view = stage.render, stage.view_settings
    render.resolution_x, render.resolution_y, render.resolution_percentage = params.width, params.height, 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1
    render.use_sequencer, render.use_compositing = True, False
    for name in ("use_border", "use_stamp", "use_multiview", "use_overwrite", "use_placeholder"):
        setattr(render, name, name == "use_overwrite")
    render.dither_intensity = 0
    stage.display_settings.display_device = "sRGB"
    view.view_transform, view.look, view.exposure, view.gamma = "Standard", "None", 0, 1
    view.use_curve_mapping = False
    for name, value in compat.image_format("PNG", "8").items():
        setattr(render.image_settings, name, value)


# --- strips that need no reading -------------------------------------------------------------------------------------


def numbered_folder(strip: Any, start: int, end: int) -> Path | None:
    """The folder of an image strip whose files are named by the very frames at which it shows them, unchanged; None for
    any other strip."""
    if strip.type != "IMAGE" or not is_plain(strip):
        return None
    files, first = strip_files(strip), int(compat.content_start(strip))
    for frame in range(start, end + 1):
        i = frame - first
        if not 0 <= i < len(files) or files[i].stem != f"{frame:04d}" or files[i].suffix not in (".png", ".exr"):
            return None
    return files[0].parent


def is_plain(strip: Any) -> bool:
    """Whether an image strip shows its pictures as they are."""
    crop = strip.crop
    as_stored = strip.colorspace_settings.name in ("sRGB", "Linear Rec.709")
    changed = (crop.min_x, crop.max_x, crop.min_y, crop.max_y, strip.use_flip_x, strip.use_flip_y, len(strip.modifiers))
    timed = strip.use_reverse_frames or strip.strobe > 1 or len(getattr(strip, "retiming_keys", ())) > 0
    graded = strip.color_saturation != 1 or strip.color_multiply != 1 or strip.blend_alpha != 1
    return as_stored and not (any(changed) or timed or graded)
