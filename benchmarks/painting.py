"""Paints every frame of a benchmark shot by rule, as an artist's stand-in: toon light, palettes that the render does not show,
strokes that stick to the surface, ink. One of its frames becomes the key, the others are the truth to score against.

It knows the folder that benchmarks/shots.py writes and none of the methods that are scored.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import uniform_filter

from engine import frames, job_folder, protocol

PALETTES = np.array(
    [
        # shadow, middle, light
        [[196, 186, 160], [214, 204, 178], [230, 222, 198]],
        [[110, 66, 92], [232, 122, 84], [255, 206, 138]],
        [[30, 62, 92], [46, 128, 140], [150, 208, 178]],
        [[92, 46, 60], [198, 78, 70], [244, 168, 110]],
        [[70, 60, 30], [170, 148, 48], [240, 222, 120]],
        [[44, 50, 96], [104, 96, 178], [202, 170, 220]],
        [[26, 72, 52], [84, 150, 70], [200, 214, 118]],
    ],
    np.float32,
) / 255.0  # fmt: skip
INK = np.array([0.13, 0.09, 0.12], np.float32)


def _hash(ijk: np.ndarray, seed: int) -> np.ndarray:
    """Lattice points (…, 3) int64 → [0, 1)."""
    h = (ijk * np.array([73856093, 19349663, 83492791])).sum(-1) + seed * 2654435761
    h = (h ^ (h >> 13)) * 1274126177 & 0xFFFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF) / 65536.0


def noise(points: np.ndarray, seed: int) -> np.ndarray:
    """Value noise of (…, 3) in [-1, 1]."""
    cell = np.floor(points).astype(np.int64)
    u = points - cell
    u = u * u * (3 - 2 * u)
    total = np.zeros(points.shape[:-1])
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, u, 1 - u), -1)
        total += weight * _hash(cell + np.array(corner), seed)
    return (2 * total - 1).astype(np.float32)


@dataclasses.dataclass(frozen=True)
class Surface:
    """What is seen at twice the shot's size. points: rest-pose place in the object's units (H, W, 3). light: (H, W)."""

    ids: np.ndarray
    points: np.ndarray
    normal: np.ndarray
    depth: np.ndarray
    light: np.ndarray

    @property
    def edges(self) -> np.ndarray:
        """(H, W) bool: where another object or a fold begins."""
        edge = np.zeros(self.ids.shape, bool)
        for axis in (0, 1):
            other = np.roll(self.ids, 1, axis) != self.ids
            fold = (np.roll(self.normal, 1, axis) * self.normal).sum(-1) < 0.35
            leap = np.abs(np.log(np.roll(self.depth, 1, axis) / self.depth)) > 0.08
            edge |= other | ((fold | leap) & (self.ids > 0))
        edge[0], edge[:, 0] = False, False
        return edge


def read_surface(folder: Path, shot: protocol.Shot, frame: int) -> Surface:
    """From truth/."""
    double = dataclasses.replace(shot, width=2 * shot.width, height=2 * shot.height)
    passes = {name: protocol.GEOMETRY_PASSES[name] for name in ("id", "normal", "depth", "anchor")}
    g = frames.read_passes(folder / f"truth/{frame:04d}.geometry.exr", double, passes, "render the shot again")
    passes = {"light": ("DiffDir", "Diffuse Direct", "RGB")}
    light = frames.read_passes(folder / f"truth/{frame:04d}.light.exr", double, passes, "render the shot again")[
        "light"
    ]
    ids = np.rint(g["id"][..., 0]).astype(int)
    size = np.zeros((ids.max() + 1, 3), np.float32)
    for ob in shot.objects:
        if ob.id < len(size):
            size[ob.id] = ob.size
    return Surface(
        ids, g["anchor"][..., :3] * size[ids], g["normal"], np.minimum(g["depth"][..., 0], 1e3), light.mean(-1)
    )


def blur(mask: np.ndarray, radius: int) -> np.ndarray:
    """Box mean."""
    return uniform_filter(mask.astype(np.float32), 2 * radius + 1, mode="nearest")


def streaks(s: Surface, freq: float, seed: int) -> np.ndarray:
    """Strokes along a direction of the object's own, [-1, 1]."""
    angle = s.ids * 1.7
    x = s.points[..., 0] * np.cos(angle) + s.points[..., 1] * np.sin(angle)
    y = -s.points[..., 0] * np.sin(angle) + s.points[..., 1] * np.cos(angle)
    return noise(np.stack([x * freq, y * freq / 5, s.points[..., 2] * freq / 2.5], -1), seed)


def gouache(s: Surface) -> np.ndarray:
    """Three tones with brushed borders, streaks, speckle, ink outlines."""
    strokes = streaks(s, 9.0, 1)
    tone = s.light + 0.05 * strokes
    palette = PALETTES[s.ids % len(PALETTES)]
    step = ((tone > 0.12).astype(int) + (tone > 0.55))[..., None, None]
    colour = np.take_along_axis(palette, np.broadcast_to(step, (*step.shape[:3], 3)), -2)[..., 0, :]
    colour = colour * (1 + 0.13 * streaks(s, 16.0, 2)[..., None])
    speckle = noise(s.points * 15.0, 3) > 0.66
    colour = np.where(speckle[..., None], colour * 0.5 + 0.5 * np.array([1, 0.97, 0.86]), colour)
    paper = np.array([0.93, 0.88, 0.76], np.float32)
    colour = np.where((s.ids > 0)[..., None], colour, paper)
    ink = np.clip(blur(s.edges, 1) * 3, 0, 1)[..., None]
    return colour * (1 - ink) + INK * ink


def hatching(s: Surface) -> np.ndarray:
    """Pale washes; the dark is made of hatched lines that only the shadow shows; double ink outlines."""
    palette = PALETTES[(s.ids + 3) % len(PALETTES)]
    tone = s.light
    colour = palette[..., 2, :] * 0.7 + 0.3
    colour = colour + (palette[..., 1, :] - colour) * (0.55 * (tone < 0.5))[..., None]
    colour = colour * (1 + 0.05 * noise(s.points * 5.0, 5))[..., None]
    wobble = 0.35 * noise(s.points * 3.0, 6)
    line = np.sin(22.0 * (s.points @ np.array([0.7, 0.5, 0.6]) + 0.2 * wobble)) > 0.35
    cross = np.sin(22.0 * (s.points @ np.array([-0.6, 0.6, 0.5]) + 0.2 * wobble)) > 0.45
    hatch = ((line & (tone < 0.42)) | (cross & (tone < 0.08))) & (s.ids > 0)
    colour = np.where(hatch[..., None], palette[..., 0, :] * 0.6, colour)
    colour = np.where((s.ids > 0)[..., None], colour, np.array([0.97, 0.95, 0.9]))
    ink = np.clip(blur(s.edges, 1) * 2.5, 0, 1)[..., None]
    return colour * (1 - ink) + INK * ink


LOOKS: dict[str, Callable[[Surface], np.ndarray]] = {"gouache": gouache, "hatching": hatching}


def paint(folder: Path, look: str) -> None:
    """Paint every frame of the shot into truth/LOOK/NNNN.png."""
    shot = job_folder.read_shot(folder)
    (folder / "truth" / look).mkdir(exist_ok=True)
    for frame in shot.frames:
        path = folder / "truth" / look / f"{frame:04d}.png"
        if not path.exists():
            big = np.clip(LOOKS[look](read_surface(folder, shot, frame)), 0, 1)
            small = big.reshape(shot.height, 2, shot.width, 2, 3).mean((1, 3))
            Image.fromarray(np.rint(small * 255).astype(np.uint8)).save(path)
