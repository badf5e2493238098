"""Saved styles: folders on disk that outlive the shot they were trained on. Knows files and no scene.

A style is a small job folder, with what its network was trained on and no more, so that it can be used like one:

    NAME/style.json      what it is, for people
    NAME/thumbnail.png   the painted frame; Blender reads and shrinks it on a thread of its own, where it is shown
    NAME/shot.json       the shot it is from, with the names of its objects
    NAME/style/          the trained weights
    NAME/keys/  frames/  guides/   of the painted frames alone
"""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import bpy
import bpy.utils.previews

from .job_folder import albedo_path, edges_path, frame_path, geometry_path, key_path, write_json
from .preferences import style_folder
from .shot import EARLIER_STYLE
from .words import rpt_

WEIGHTS = ("generator.safetensors", "generator.json", "discriminator.safetensors", "discriminator.json")
FORBIDDEN = set('/\\:*?"<>|')


class StyleError(Exception):
    """A style that cannot be saved, found or deleted; str() is one sentence that says what to do."""


def names() -> list[str]:
    """The saved styles, in order."""
    try:
        return sorted(path.parent.name for path in style_folder().glob("*/style.json"))
    except OSError:
        return []


def find(name: str) -> Path:
    """The folder of a style. Raises StyleError."""
    folder = style_folder() / name
    if name not in names():
        raise StyleError(
            rpt_("There is no style '{name}' in {folder}; choose another, or copy it there.").format(
                name=name, folder=style_folder()
            )
        )
    return folder


def save(shot_folder: Path, name: str) -> Path:
    """Save the style trained in this job folder; returns its folder. Raises StyleError; OSError for a full disk."""
    name, library = folder_name(name), style_folder()
    if (library / name).exists():
        raise StyleError(
            rpt_("There is a style '{name}' already; choose another name, or delete that one first.").format(name=name)
        )
    about = _about(shot_folder)
    library.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".partial-", dir=library))
    try:
        for source in _parts(shot_folder, [int(frame) for frame in about["keys"]]):
            target = making / source.relative_to(shot_folder)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, target)
        shutil.copyfile(key_path(making, int(about["keys"][0])), making / "thumbnail.png")
        write_json(
            making / "style.json", {"name": name, "saved": datetime.now().isoformat(timespec="seconds"), **about}
        )
        making.rename(library / name)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return library / name


def delete(name: str) -> None:
    """Delete a style for good. Raises StyleError."""
    try:
        shutil.rmtree(find(name))
    except OSError as error:
        raise StyleError(
            rpt_("The style '{name}' could not be deleted ({why}).").format(name=name, why=error.strerror)
        ) from error


# --- the style before the last training ------------------------------------------------------------------------------


def keep_earlier(shot_folder: Path) -> None:
    """Copy the trained style of a shot, before a training from nothing writes over it."""
    style, earlier = shot_folder / "style", shot_folder / EARLIER_STYLE
    partial = earlier.with_name(earlier.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(style, partial)
    shutil.rmtree(earlier, ignore_errors=True)
    partial.rename(earlier)


def swap_earlier(shot_folder: Path) -> None:
    """The style before the last training is the shot's again, and the last one is kept in its place."""
    style, earlier = shot_folder / "style", shot_folder / EARLIER_STYLE
    partial = earlier.with_name(earlier.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    style.rename(partial)
    earlier.rename(style)
    partial.rename(earlier)


# --- parts of a saved style ------------------------------------------------------------------------------------------


def _about(shot_folder: Path) -> dict[str, Any]:
    """What the training says of itself; `keys` are the frames it learned from."""
    try:
        about = json.loads((shot_folder / "style" / "generator.json").read_text(encoding="utf-8"))["about"]
        if not [int(frame) for frame in about["keys"]]:
            raise ValueError("no keys")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StyleError("The trained style cannot be read; train it again.") from error
    return dict(about)


def _parts(shot_folder: Path, keys: list[int]) -> list[Path]:
    """The files that make the style. Raises StyleError for one that is missing."""
    parts = [shot_folder / "shot.json", *(shot_folder / "style" / name for name in WEIGHTS)]
    parts += [
        path_of(shot_folder, key) for key in keys for path_of in (key_path, frame_path, geometry_path, albedo_path)
    ]
    parts += [path for key in keys if (path := edges_path(shot_folder, key)).is_file()]  # earlier captures have none
    for path in parts:
        if not path.is_file():
            raise StyleError(
                rpt_("{path} is missing, which the style was trained on; put it back, or train again.").format(
                    path=path
                )
            )
    return parts


def folder_name(name: str) -> str:
    """A name that a folder can have. Raises StyleError."""
    name = name.strip()
    if not name or name.startswith(".") or FORBIDDEN & set(name):
        raise StyleError(
            rpt_("'{name}' cannot be the name of a folder; leave out the characters {characters}").format(
                name=name, characters=" ".join(sorted(FORBIDDEN))
            )
        )
    return name


# --- thumbnails as icons ---------------------------------------------------------------------------------------------

_icons: Any = None


def icon(name: str) -> int:
    """The number of a style's thumbnail among Blender's icons."""
    return icon_of(style_folder() / name / "thumbnail.png")


def icon_of(path: Path) -> int:
    """The number of a picture among Blender's icons; 0 where it is not there."""
    if _icons is None or not path.is_file():
        return 0
    key = f"{path} {path.stat().st_mtime_ns}"
    return (_icons[key] if key in _icons else _icons.load(key, str(path), "IMAGE")).icon_id


def register() -> None:
    global _icons
    _icons = bpy.utils.previews.new()


def unregister() -> None:
    global _icons
    bpy.utils.previews.remove(_icons)
    _icons = None
