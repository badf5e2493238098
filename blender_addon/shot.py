"""What lies in a shot's job folder: capture, painted keys, trained style, finished frames. Knows files, not Blender.

Panels and polls look at it on every redraw, so shot.json, which takes time to check, is kept until it changes.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from .job_folder import key_path, read_shot, result_path
from .protocol import JobError, Shot

EARLIER_STYLE = "style_before"  # the weights that a training from nothing has replaced


@dataclass(frozen=True)
class ShotState:
    """How far a shot has come. keys: painted frames of the captured range. results: finished frames, in order.

    outdated: a key was painted, painted on or removed, or the shot captured again, after the style was trained.
    suggestion: what to paint next, if that was asked for since the keys or the shot have changed. earlier: the style that
    was trained before the last one is still there.
    """

    shot: Shot | None
    keys: tuple[int, ...] = ()
    trained: bool = False
    results: tuple[int, ...] = ()
    outdated: bool = False
    suggestion: Suggestion | None = None
    earlier: bool = False


@dataclass(frozen=True)
class Suggestion:
    """What suggest.json says. covered: share of what the shot shows that some key shows, 0 to 1. frame: the one to paint
    next, None where no other would add anything."""

    covered: float
    frame: int | None


def coverage_path(folder: Path, frame: int) -> Path:
    """The frame with what no key shows tinted."""
    return folder / "coverage" / f"{frame:04d}.png"


def look(folder: Path) -> ShotState:
    """How things stand in this folder now."""
    shot = _shot(folder, _changed(folder / "shot.json"))
    if shot is None:
        return ShotState(None)
    keys = tuple(f for f in numbered(folder / "keys", ".png") if f in shot.frames)
    results = numbered(folder / "result", result_suffix(folder))
    trained = max((_changed(path) for path in (folder / "style").glob("*.safetensors")), default=0)
    painted = max((_changed(key_path(folder, frame)) for frame in keys), default=0)
    newest = max(painted, _changed(folder / "shot.json"))
    found = suggestion(folder) if _changed(folder / "suggest.json") > max(newest, _changed(folder / "keys")) else None
    learned = _learned(folder / "style" / "generator.json", _changed(folder / "style" / "generator.json"))
    outdated = 0 < trained < newest or (learned is not None and learned != keys)
    earlier = (folder / EARLIER_STYLE).is_dir()
    return ShotState(shot, keys, trained > 0, tuple(f for f in results if f in shot.frames), outdated, found, earlier)


def suggestion(folder: Path) -> Suggestion | None:
    """What the last suggest_key job has found; None where there is nothing that can be read."""
    return _suggestion(folder / "suggest.json", _changed(folder / "suggest.json"))


@lru_cache(maxsize=64)
def _suggestion(path: Path, _changed_at: int) -> Suggestion | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        covered, frames = float(found["total"]), [int(frame) for frame in found["frames"]]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return Suggestion(covered, frames[0] if frames else None) if math.isfinite(covered) else None


@lru_cache(maxsize=64)
def _learned(path: Path, _changed_at: int) -> tuple[int, ...] | None:
    """The frames that the style was trained on; None where that cannot be read."""
    try:
        return tuple(sorted(int(frame) for frame in json.loads(path.read_text(encoding="utf-8"))["about"]["keys"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def result_suffix(folder: Path) -> str:
    """.png or .exr: the kind of finished frames that was written last."""
    newest = {".png": 0, ".exr": 0}
    try:
        for entry in os.scandir(folder / "result"):
            suffix = os.path.splitext(entry.name)[1]
            if suffix in newest:
                newest[suffix] = max(newest[suffix], entry.stat().st_mtime_ns)
    except OSError:  # no folder yet
        pass
    return ".exr" if newest[".exr"] > newest[".png"] else ".png"


def result_files(folder: Path, frames: tuple[int, ...]) -> list[Path]:
    """One file for each frame from the first to the last; a gap shows the frame before it."""
    files: list[Path] = []
    suffix = result_suffix(folder)
    for frame in range(frames[0], frames[-1] + 1):
        files.append(result_path(folder, frame).with_suffix(suffix) if frame in frames else files[-1])
    return files


def _changed(path: Path) -> int:
    """When a file or folder changed, in nanoseconds; 0 if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=64)
def _shot(folder: Path, _changed_at: int) -> Shot | None:
    try:
        return read_shot(folder)
    except (JobError, OSError):
        return None


def numbered(folder: Path, suffix: str) -> tuple[int, ...]:
    """The numbers of the files NNNN.png (or another suffix) in a folder, in order."""
    try:
        stems = [os.path.splitext(name) for name in os.listdir(folder)]
    except OSError:
        return ()
    return tuple(sorted(int(stem) for stem, ending in stems if ending == suffix and stem.isdecimal()))
