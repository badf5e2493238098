"""Small picture sequences for the tests of Generate, computed by formula: a gusty flame, a turning wheel. Knows the files of a
job folder, none of the engine's reading code."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.pictures import write_picture

SIDE = 32


def flame(count: int, side: int = SIDE, seed: int = 0) -> np.ndarray:
    """(count, side, side, 4) float32, sRGB, alpha straight: tongues that rise, lean and flicker, on nothing."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side].astype(np.float32) / side
    gust, made = 0.0, []
    for t in range(count):
        gust = 0.8 * gust + 0.06 * rng.normal()
        height = 1 - y
        middle = 0.5 + gust * height + 0.06 * np.sin(7 * height - 0.9 * t)
        width = 0.17 * (1 - 0.8 * height) * (1 + 0.25 * np.sin(11 * height - 1.3 * t))
        heat = np.clip(1.6 - np.abs(x - middle) / np.maximum(width, 0.02), 0, 1) * (height < 0.85)
        made.append(np.dstack([np.ones_like(heat), 0.2 + 0.7 * heat, 0.4 * heat**2, heat]))
    return np.float32(made)


def wheel(count: int, period: float, side: int = SIDE) -> np.ndarray:
    """(count, side, side, 4) float32, opaque: three spokes that turn."""
    y, x = np.mgrid[:side, :side].astype(np.float32) / side - 0.5
    made = []
    for t in range(count):
        angle = np.arctan2(y, x) - 2 * np.pi / 3 * t / period
        spoke = np.clip(0.5 + 2 * np.cos(3 * angle), 0, 1) * (x * x + y * y < 0.2)
        made.append(np.dstack([0.2 + 0.6 * spoke, 0.2 + 0.3 * spoke, 0.3 + 0.1 * spoke, np.ones_like(spoke)]))
    return np.float32(made)


def write(folder: Path, pictures: np.ndarray, first: int = 1, depth: str = "8") -> Path:
    """A job folder with these frames."""
    for number, picture in enumerate(pictures, first):
        write_picture(folder / "frames" / f"{number:04d}{'.exr' if depth == 'EXR' else '.png'}", picture, depth, {})
    return folder
