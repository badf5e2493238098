"""Where a picture sequence comes from that the engine learns and makes more of: a strip of the Video Sequencer, a folder of
numbered pictures, an image, a captured shot. Collects its pictures in a job folder, and keeps what was made of them as takes:

    generated/strips/NAME/frames/   the pictures, NNNN.png or NNNN.exr by their frame
    generated/strips/NAME/sequence/ what was learned of them
    generated/strips/NAME/takes/loop-2/result/   what was made, with its job.json; nothing writes over it

It knows strips and files, no engine and no operator.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import bpy

from . import compat
from .footage import (
    FootageError,
    FootageParams,
    file_params,
    is_plain,
    picture_size,
    read_frames,
    strip_files,
    strip_params,
)
from .job_folder import FOOTAGE, albedo_path, frame_path, geometry_path
from .protocol import MAX_FRAMES, Shot
from .sequence_library import source_folder
from .words import rpt_

NUMBERED = re.compile(r"^(.*?)(\d+)(\.\w+)$")  # fire_0001.png
PICTURES: frozenset[str] = getattr(bpy.path, "extensions_image")  # noqa: B009 the types leave them out
MOVIES: frozenset[str] = getattr(bpy.path, "extensions_movie")  # noqa: B009
LABELS = {"CONTINUE": "continued", "LOOP": "loop", "VARY": "take", "BETWEEN": "between", "ANIMATE": "animated"}


@dataclass(frozen=True)
class PictureSource:
    """A picture sequence. name: for people. folder: its job folder. files: its pictures by their frame, in order, with gaps where
    some are missing. read: what Blender reads in their place, frame by frame, for they are not shown as they are, or are no PNG
    or EXR. shot: the folder of the captured shot that they are of, whose guides are used, with what its shot.json says."""

    name: str
    folder: Path
    files: Mapping[int, Path] = field(default_factory=dict)
    read: FootageParams | None = None
    shot: tuple[Path, Shot] | None = None

    @property
    def frames(self) -> list[int]:
        """The frames that there is a picture of."""
        if self.read is not None and not self.files:
            return list(range(self.read.frame_start, self.read.frame_end + 1))
        return list(self.files)

    @property
    def rendered(self) -> bool:
        """Whether it is a capture, which the scene's view transform has been applied to."""
        return self.shot is not None and self.shot[1].source != FOOTAGE


# --- where pictures come from ----------------------------------------------------------------------------------------


def strip_source(scene: bpy.types.Scene, strip: Any, shot_folder: Path) -> PictureSource:
    """What is seen of a strip; of an image strip that misses files, those that are there. Raises FootageError."""
    folder = source_folder(shot_folder, "strips", strip.name)
    if strip.type == "IMAGE" and is_plain(strip):
        files = _shown_files(strip)
        if files and _as_they_are(files):
            return PictureSource(strip.name, folder, files)
    return PictureSource(strip.name, folder, read=strip_params(scene, strip, folder))


def only_frame(source: PictureSource, frame: int | None) -> PictureSource:
    """The picture of one frame alone, of a source of which it has none its first; all of it for None."""
    if frame is None:
        return source
    frame = frame if frame in source.frames else source.frames[0]
    if source.read is None:
        return replace(source, files={frame: source.files[frame]})
    files = {frame: source.files[frame]} if source.files else {}
    if source.read.filepath:
        read = replace(source.read, frame_end=source.read.frame_start, filepath=str(files[frame]), files=())
    else:
        read = replace(source.read, frame_start=frame, frame_end=frame)
    return replace(source, files=files, read=read)


def _shown_files(strip: Any) -> dict[int, Path]:
    """The files of an image strip that are there, by the frames at which it shows them. Raises FootageError."""
    files, first = strip_files(strip), int(compat.content_start(strip))
    start, end = compat.strip_span(strip)
    if start < 0:
        raise FootageError(rpt_("'{strip}' begins before frame 0; move it to the right.").format(strip=strip.name))
    shown = {first + i: path for i, path in enumerate(files) if start <= first + i < end}
    return {frame: path for frame, path in shown.items() if path.is_file()}


def folder_source(scene: bpy.types.Scene, path: Path, shot_folder: Path) -> PictureSource:
    """The numbered pictures in a folder, of several sequences the longest; or the sequence that a picture is of. Raises
    FootageError."""
    folder = path.parent if path.is_file() else path
    found = _numbered_pictures(folder)
    match = NUMBERED.match(path.name) if path.is_file() else None
    files = found.get((match[1], match[3]), {}) if match else max(found.values(), key=len, default={})
    if not files:
        raise FootageError(
            rpt_("There are no numbered pictures in {folder}, such as 0001.png; choose another folder.").format(
                folder=folder
            )
        )
    return _of_files(
        scene, folder.name, source_folder(shot_folder, "folders", folder.name), dict(sorted(files.items()))
    )


def _numbered_pictures(folder: Path) -> dict[tuple[str, str], dict[int, Path]]:
    """By what their names begin and end with. Raises FootageError."""
    found: dict[tuple[str, str], dict[int, Path]] = {}
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise FootageError(
            rpt_("The folder {folder} cannot be read ({why}); choose another.").format(
                folder=folder, why=error.strerror or type(error).__name__
            )
        ) from error
    for name in names:
        match = NUMBERED.match(name)
        if match and match[3].lower() in PICTURES:
            found.setdefault((match[1], match[3]), {})[int(match[2])] = folder / name
    return found


def image_source(scene: bpy.types.Scene, path: Path, shot_folder: Path, frame: int) -> PictureSource:
    """One picture, at this frame. Raises FootageError."""
    if not path.is_file():
        raise FootageError(rpt_("There is no file {path}; choose a movie or a picture.").format(path=path))
    return _of_files(scene, path.stem, source_folder(shot_folder, "images", path.stem), {frame: path})


def movie_source(scene: bpy.types.Scene, path: Path, shot_folder: Path) -> PictureSource:
    """All of a movie, from the scene's first frame on. Raises FootageError."""
    folder = source_folder(shot_folder, "movies", path.stem)
    return PictureSource(path.stem, folder, read=file_params(scene, str(path), folder))


def shot_source(name: str, folder: Path, shot: Shot) -> PictureSource:
    """A captured shot, or footage that was made one."""
    files = {frame: frame_path(folder, frame) for frame in shot.frames}
    home = source_folder(folder, "shots", folder.name if shot.source == FOOTAGE else "shot")
    there = {frame: path for frame, path in files.items() if path.is_file()}
    return PictureSource(name, home, there, shot=(folder, shot))


def _of_files(scene: bpy.types.Scene, name: str, folder: Path, files: dict[int, Path]) -> PictureSource:
    if len(files) > MAX_FRAMES:
        raise FootageError(rpt_("'{strip}' is longer than {most} frames; cut it.").format(strip=name, most=MAX_FRAMES))
    if _as_they_are(files):
        return PictureSource(name, folder, files)
    first, *rest = files.values()
    params = file_params(scene, str(first), folder)
    start = params.frame_start
    params = replace(params, frame_end=start + len(files) - 1, files=tuple(path.name for path in rest))
    return PictureSource(name, folder, files, read=params)


def _as_they_are(files: Mapping[int, Path]) -> bool:
    """Whether the engine can read them: EXR, or PNG in full colour. Raises FootageError for PNGs of several sizes."""
    first: tuple[Path, tuple[int, int]] | None = None
    for path in files.values():
        if path.suffix.lower() == ".exr":
            continue
        size = _png_size(path) if path.suffix.lower() == ".png" else None
        if size is None:
            return False
        first = first or (path, size)
        _expect_size(path, size, *first)
    return True


def _png_size(path: Path) -> tuple[int, int] | None:
    """Width and height of a PNG in full colour, None for any other file."""
    with path.open("rb") as file:
        head = file.read(26)
    if len(head) < 26 or head[:8] != b"\x89PNG\r\n\x1a\n" or head[25] not in (2, 6):
        return None
    width, height = struct.unpack(">II", head[16:24])
    return width, height


def _expect_size(path: Path, size: tuple[int, int], first: Path, usual: tuple[int, int]) -> None:
    if size != usual:
        raise FootageError(
            rpt_("{path} is {size} and {first} {usual} pixels; give all pictures one size.").format(
                path=path.name, size=f"{size[0]} x {size[1]}", first=first.name, usual=f"{usual[0]} x {usual[1]}"
            )
        )


# --- into the job folder ---------------------------------------------------------------------------------------------


def collect(source: PictureSource) -> Generator[tuple[int, int], None, None]:
    """Make frames/ hold the pictures of the source and no others, with the guides of a shot; yields (done, total)."""
    frames = source.folder / "frames"
    frames.mkdir(parents=True, exist_ok=True)
    wanted = {f"{frame:04d}" for frame in source.frames}
    for path in frames.iterdir():
        if path.stem not in wanted:
            path.unlink()
    if source.read is not None:
        yield from _read(source, source.read)
        return
    if source.shot is not None:
        _share(source.shot[0] / "shot.json", source.folder / "shot.json")
    for i, (frame, path) in enumerate(source.files.items()):
        target = frame_path(source.folder, frame).with_suffix(path.suffix.lower())
        target.with_suffix(".exr" if target.suffix == ".png" else ".png").unlink(missing_ok=True)
        _share(path, target)
        if source.shot is not None:
            _share_guides(source.shot[0], source.folder, frame)
        yield i + 1, len(source.files)


def _share_guides(shot_folder: Path, folder: Path, frame: int) -> None:
    for path_of in (geometry_path, albedo_path):
        if path_of(shot_folder, frame).is_file():
            _share(path_of(shot_folder, frame), path_of(folder, frame))


def _read(source: PictureSource, params: FootageParams) -> Generator[tuple[int, int], None, None]:
    """Pictures as Blender shows them."""
    for path in source.files.values():
        _expect_size(path, picture_size(path), next(iter(source.files.values())), (params.width, params.height))
        yield 0, len(source.files)
    numbers = dict(zip(range(params.frame_start, params.frame_end + 1), source.frames, strict=True))
    yield from read_frames(params, lambda frame: frame_path(source.folder, numbers[frame]))


def _share(path: Path, target: Path) -> None:
    """The same file in another place too: a hard link where the disk has them, else a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        try:
            os.link(path, partial)
        except OSError:
            shutil.copyfile(path, partial)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


# --- what was made of it ---------------------------------------------------------------------------------------------


def keep_take(folder: Path, how: str, results: list[str]) -> list[Path]:
    """Move what a job has made into a folder of its own under takes/; the files, in order. Raises OSError."""
    word = LABELS[how]
    names = (f"{word}-{n}" if n > 1 else word for n in range(1, MAX_FRAMES))
    take = next(path for path in (folder / "takes" / name for name in names) if not path.exists())
    (take / "result").mkdir(parents=True)
    shutil.copyfile(folder / "job.json", take / "job.json")
    for name in results:
        os.replace(folder / name, take / name)
    return sorted((take / name for name in results), key=lambda path: int(path.stem))
