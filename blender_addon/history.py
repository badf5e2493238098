"""What was stylised before: for each run its settings, a thumbnail and the style that it was painted with, in the shot's folder,
so that a result that was painted over can be made again. Knows files, no scene.

    history/0003/entry.json   thumbnail.png   style/
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from .job_folder import write_json
from .styles import keep_earlier

FOLDER = "history"
MOST = 12  # runs that are kept
SETTINGS = (
    "strength",
    "light",
    "texture",
    "painted_objects",
    "keep_background",
    "keep_alpha",
    "depth",
    "seed",
    "style",
    "style_use",
)


@dataclass(frozen=True)
class Entry:
    """One run. made: local time, ISO. settings: by name, as in the scene. keys: the painted frames. style: a digest of the
    weights or the name of a saved style, empty where the paint was carried over without an engine."""

    number: int
    made: str
    frames: int
    keys: tuple[int, ...]
    settings: dict[str, Any]
    style: str


def entries(folder: Path) -> tuple[Entry, ...]:
    """The shot's runs, the last one first."""
    history = folder / FOLDER
    try:
        return _entries(history, history.stat().st_mtime_ns)
    except OSError:
        return ()


def thumbnail(folder: Path, number: int) -> Path:
    """The picture of a run: a finished frame as it was, kept by a second name for the file, which costs neither time nor room
    until the frame is painted anew."""
    path = folder / FOLDER / f"{number:04d}" / "thumbnail.png"
    return path if path.exists() else path.with_suffix(".exr")


def record(folder: Path, settings: dict[str, Any], keys: tuple[int, ...], files: list[Path], plain: bool) -> None:
    """Note a run that has left these finished frames; one like the last takes its place. Raises OSError."""
    saved = settings["style"] if settings["style_use"] == "PAINT" else ""
    before, style = entries(folder), "" if plain else saved or digest(folder)
    entry = Entry(
        before[0].number + 1 if before else 1,
        datetime.now().isoformat(" ", "minutes"),
        len(files),
        keys,
        settings,
        style,
    )
    (folder / FOLDER).mkdir(exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder / FOLDER))
    try:
        write_json(making / "entry.json", asdict(entry))
        picture = files[len(files) // 2]
        _link(str(picture), str(making / f"thumbnail{picture.suffix}"))
        if style and not saved:
            shutil.copytree(folder / "style", making / "style", copy_function=_link)
        for old in before[:1] if before and _same(before[0], entry) else before[MOST - 1 :]:
            shutil.rmtree(folder / FOLDER / f"{old.number:04d}")
        making.rename(folder / FOLDER / f"{entry.number:04d}")
    finally:
        shutil.rmtree(making, ignore_errors=True)


def bring_back(folder: Path, entry: Entry) -> bool:
    """Make the style of a run the shot's again, the present one being kept as the earlier one; False where it is the shot's
    already, or none was kept. Raises OSError."""
    kept = folder / FOLDER / f"{entry.number:04d}" / "style"
    if not kept.is_dir() or entry.style == digest(folder):
        return False
    if (folder / "style").is_dir():
        keep_earlier(folder)
    making = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    try:
        shutil.copytree(kept, making / "style")
        shutil.rmtree(folder / "style", ignore_errors=True)
        (making / "style").rename(folder / "style")
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return True


def digest(folder: Path) -> str:
    """Short name of the weights that the shot has now; empty where it has none."""
    weights = folder / "style" / "generator.safetensors"
    return hashlib.sha256(weights.read_bytes()).hexdigest()[:12] if weights.is_file() else ""


@lru_cache(maxsize=16)
def _entries(history: Path, _changed_at: int) -> tuple[Entry, ...]:
    found = [_read(path) for path in sorted(history.glob("[0-9]*/entry.json"), reverse=True)]
    return tuple(entry for entry in found if entry is not None)


def _read(path: Path) -> Entry | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        keys = tuple(int(key) for key in data["keys"])
        settings = {name: value for name, value in dict(data["settings"]).items() if name in SETTINGS}
        return Entry(int(data["number"]), str(data["made"]), int(data["frames"]), keys, settings, str(data["style"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _same(one: Entry, other: Entry) -> bool:
    return (one.settings, one.style, one.keys, one.frames) == (other.settings, other.style, other.keys, other.frames)


def _link(source: str, target: str) -> None:
    """A second name for a file that Understudy never writes in place; a copy where the disk has no such names."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
