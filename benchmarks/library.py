"""The benchmark's own shots, rendered and painted once and kept; and the staging of a job on one of them, made of links, so that
the shot itself stays as it is. It knows folders and scripts, no methods."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import painting
from engine import job_folder
from engine.protocol import Shot

# scenes.py's scene: painting.py's look, or None for the demo's own painter.
OWN: dict[str, str | None] = {"demo": None, "turntable": "gouache", "dancer": "hatching", "grove": "hatching"}


@dataclass(frozen=True)
class Entry:
    """A shot to score on. truth: folder of NNNN.png, every frame painted."""

    name: str
    folder: Path
    truth: Path

    @property
    def shot(self) -> Shot:
        """shot.json."""
        return job_folder.read_shot(self.folder)

    def paint(self, frames: list[int]) -> np.ndarray:
        """(T, H, W, 3) uint8, the truth of these frames."""
        return np.stack([np.array(Image.open(self.truth / f"{frame:04d}.png").convert("RGB")) for frame in frames])


def own_shot(name: str, folder: Path, frames: int = 40, side: int = 256) -> Entry:
    """One of OWN, rendered and painted below `folder` unless it is there."""
    shot, look = folder / name, OWN[name]
    if not (shot / "shot.json").exists():
        print(f"rendering {name}", flush=True)
        _run(_blender(), "benchmarks.shots", name, shot, "--frames", frames, "--side", side)
    truth = shot / "truth" / (look or "painted")
    if look:
        painting.paint(shot, look)
    elif not truth.exists():
        print(f"painting {name}", flush=True)
        passes, numbers = shot / "passes", ",".join(str(frame) for frame in job_folder.read_shot(shot).frames)
        _run(_blender(), "demo.passes", shot / "shot.blend", passes, "Shot", numbers)
        _run(sys.executable, "demo.paint", passes, truth)
        shutil.rmtree(passes)
    return Entry(name, shot, truth)


def _blender() -> str:
    return os.environ["UNDERSTUDY_BLENDER_PYTHON"]


def _run(python: str, module: str, *arguments: object) -> None:
    command = [python, "-m", module, *(str(argument) for argument in arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def named_shot(entry: str) -> Entry:
    """NAME=FOLDER[:TRUTH]."""
    name, _, place = entry.partition("=")
    folder, _, truth = place.partition(":")
    return Entry(name, Path(folder), Path(truth or f"{folder}/truth/painted"))


def stage(entry: Entry, keys: list[int], work: Path) -> Path:
    """A job folder that shares frames and guides with the shot and has the truth's pictures as keys."""
    shutil.rmtree(work, ignore_errors=True)
    (work / "keys").mkdir(parents=True)
    for name in ("frames", "guides", "shot.json"):
        (work / name).symlink_to((entry.folder / name).resolve())
    for frame in keys:
        shutil.copyfile(entry.truth / f"{frame:04d}.png", job_folder.key_path(work, frame))
    return work
