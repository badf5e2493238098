"""Scores of the demo's stylised frames against the painter's own, beside the plain render and the nearest-anchor reprojection of
the key. Knows the demo's folder; the measures are the benchmarks'.

Run by hand:  python -m demo.scores OUT_FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.jod import jod
from benchmarks.metrics import psnr, sharpness_ratio, ssim
from engine import frames, job_folder, protocol
from engine.stylise.nearest import reproject_nearest
from engine.stylise.painter import read_key
from engine.stylise.reprojection import KeySurface
from engine.stylise.views import read_view


def sequences(folder: Path, shot: protocol.Shot, key: int, scored: list[int]) -> dict[str, np.ndarray]:
    """Name → (T, H, W, 3) uint8 of the scored frames."""
    painted = read_key(folder, shot, key)
    surface = KeySurface(painted.view, painted.painted)
    views = (read_view(folder, shot, frame) for frame in scored)
    return {
        "unstyled": np.stack([frames.read_frame(folder, shot, frame) for frame in scored]),
        "reprojection": np.stack([reproject_nearest(view, [surface], [painted.paint]) for view in views]),
        "understudy": pictures(folder / "result", scored),
    }


def pictures(folder: Path, numbers: list[int]) -> np.ndarray:
    """(T, H, W, 3) uint8."""
    return np.stack([np.array(Image.open(folder / f"{frame:04d}.png").convert("RGB")) for frame in numbers])


def main(out: Path) -> None:
    """Write scores.json; a line for each method."""
    folder = out / "shot"
    shot = job_folder.read_shot(folder)
    key = int(next((folder / "keys").glob("*.png")).stem)
    scored = [frame for frame in shot.frames if frame != key]
    truth = pictures(out / "painted", scored)
    scores: dict[str, dict[str, float]] = {}
    for name, test in sequences(folder, shot, key, scored).items():
        scores[name] = {
            "PSNR": psnr(test, truth),
            "SSIM": ssim(test, truth),
            "JOD": jod(test / 255, truth / 255, shot.fps),
            "sharpness / truth": sharpness_ratio(test, truth),
        }
        print(f"frame {name}", flush=True)
    job_folder.write_json(out / "scores.json", {"key": key, "frames scored": len(scored), **scores})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
