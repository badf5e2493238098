"""The painter: turns the exact passes of a frame into a gouache picture with ink outlines. Every stroke sits on a point of the
rest-pose surface, so it stays where it was put while the surface bends. Knows numpy and files; does not know Blender.

Run by hand:  python -m demo.paint PASSES_FOLDER OUT_FOLDER
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image
from scipy import ndimage
from scipy.spatial import cKDTree

from demo.palette import OVERSIZE, PAINTS, PAPER, Paint, rgb

NEIGHBOURS = 8  # strokes that may cover a point

TONES = np.array([[rgb(tone) for tone in paint.tones.split()] for paint in PAINTS], np.float32)  # (P, 4, 3)
ACCENT = np.array([rgb(paint.accent) for paint in PAINTS], np.float32)  # (P, 3)
INK = np.array([paint.ink for paint in PAINTS], np.float32)
MATT = np.array([paint.matt for paint in PAINTS])


def read_passes(path: Path) -> dict[str, np.ndarray]:
    """The passes of a frame by the last word of their names: (H, W) or (H, W, C) float32."""
    planes: dict[str, dict[str, np.ndarray]] = {}
    with OpenEXR.File(str(path), separate_channels=True) as file:
        for part in file.parts:
            for name, channel in part.channels.items():
                layer, _, axis = name.rpartition(".")
                planes.setdefault(layer.rpartition(".")[2], {})[axis] = channel.pixels
    order = {axis: i for i, axis in enumerate("RGBXYZVA")}
    found = {}
    for name, axes in planes.items():
        stack = [axes[a] for a in sorted(axes, key=lambda a: order.get(a, 9))]
        found[name] = stack[0] if len(stack) == 1 else np.stack(stack, -1)
    return found


def pick(passes: dict[str, np.ndarray], *names: str) -> np.ndarray:
    """The pass that goes by one of these names: Blender 5 renamed some."""
    return next(passes[name] for name in names if name in passes)


class Strokes:
    """The strokes of one object: where they are, how they run, what makes each of them different from the others."""

    def __init__(self, place: np.ndarray, normal: np.ndarray, paint: Paint, seed: int) -> None:
        rng = np.random.default_rng(seed)
        along = np.array(paint.flow, np.float32) + 1e-3
        along = along - (normal @ along)[:, None] * normal
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        across = np.cross(normal, along)
        turn = rng.normal(0, 0.28, (len(place), 1)).astype(np.float32)  # radians off the flow
        order = rng.permutation(len(place))  # a stroke covers those before it
        self.place = place[order]  # (N, 3) metres
        self.along = ((along * np.cos(turn) + across * np.sin(turn)) / paint.length)[order]
        self.across = ((across * np.cos(turn) - along * np.sin(turn)) / paint.width)[order]
        self.value, self.accent, self.bristles = rng.random((3, len(place)), np.float32)
        self.tree = cKDTree(self.place)

    def look(self, points: np.ndarray) -> np.ndarray:
        """The strokes at surface points (N, 3): (N, 3) value and light offsets, about -1 to 1, and accent, 0 to 1."""
        _, which = self.tree.query(points, k=min(NEIGHBOURS, len(self.place)))
        which = np.sort(which.astype(np.int32), axis=1)
        out = np.zeros((len(points), 3), np.float32)
        for k in range(which.shape[1]):  # bottom stroke first
            stroke = which[:, k]
            away = points - self.place[stroke]
            u = np.einsum("nd,nd->n", away, self.along[stroke])
            v = np.einsum("nd,nd->n", away, self.across[stroke])
            own = self.bristles[stroke]
            bristle = np.sin(7 * v + 40 * own) * np.sin(13 * v + 0.7 * u + 90 * own)
            cover = np.clip((1 - np.abs(np.abs(u) + 0.12 * bristle) ** 3 - (v * v) ** 2) * 4, 0, 1)
            value = 2 * self.value[stroke] - 1 + 0.55 * bristle - 0.35 * np.clip(np.abs(v) - 0.6, 0, 1)
            accent = np.clip(1.6 * self.accent[stroke] - 0.75 + 0.15 * bristle, 0, 1)
            light = 2 * own - 1 + 0.3 * bristle
            out += cover[:, None] * (np.stack([value, light, accent], -1) - out)
        return out


@cache
def load_strokes(folder: Path) -> dict[int, tuple[Strokes, np.ndarray]]:
    """strokes.npz: object index → its strokes and its size (3,)."""
    with np.load(folder / "strokes.npz", allow_pickle=False) as file:
        numbers = sorted({int(name.split(".")[0]) for name in file.files})
        return {
            n: (Strokes(file[f"{n}.place"], file[f"{n}.normal"], PAINTS[int(file[f"{n}.paint"])], n), file[f"{n}.size"])
            for n in numbers
        }


def _smooth(low: float, high: float, x: np.ndarray) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def toon(paint: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Colour (N, 3) of paints (N,) under light (N,), -1 to 1: four tones with short soft steps."""
    tones = TONES[paint]
    out = tones[:, 0].copy()
    for tone, edge in ((1, 0.10), (2, 0.42), (3, 0.90)):
        out += _smooth(edge - 0.035, edge + 0.035, light)[:, None] * (tones[:, tone] - out)
    return out


def ink(ids: np.ndarray, paint: np.ndarray, depth: np.ndarray, wobble: np.ndarray) -> np.ndarray:
    """(H, W) how much ink: along the edges of objects, on the nearer one's side, thicker where the hand pressed."""
    width = INK[paint]
    edge = np.zeros(ids.shape, bool)
    for axis in (0, 1):
        for step in (1, -1):
            other = np.roll(ids, step, axis) != ids
            nearer = np.roll(depth, step, axis) > depth
            edge |= other & nearer & (width > 0)
    edge[[0, -1]] = edge[:, [0, -1]] = False
    if not edge.any():
        return np.zeros(ids.shape, np.float32)
    distance, (rows, columns) = ndimage.distance_transform_edt(~edge, return_indices=True)
    pressed = OVERSIZE * 0.5 * width[rows, columns] * (1 + 0.45 * wobble[rows, columns])
    return np.clip(pressed - distance + 0.8, 0, 1)


def paint_frame(
    passes: dict[str, np.ndarray], sun: np.ndarray, strokes: dict[int, tuple[Strokes, np.ndarray]]
) -> np.ndarray:
    """One frame: (H, W, 3) uint8 sRGB at half the passes' size."""
    ids = np.rint(pick(passes, "IndexOB", "Object Index")).astype(int)
    depth = pick(passes, "Depth", "Z")
    paint = np.rint(passes["paint_number"]).astype(int).clip(0, len(PAINTS) - 1)
    direct = pick(passes, "DiffDir", "Diffuse Direct")[..., :3].max(-1)
    facing = passes["Normal"][..., :3] @ sun
    seen = ndimage.gaussian_filter(((direct > 1e-4) | (facing <= 0)).astype(np.float32), 1.2)
    look = np.zeros((*ids.shape, 3), np.float32)
    for number in np.unique(ids[ids > 0]):
        here = ids == number
        painter, size = strokes[number]
        look[here] = painter.look(passes["paint_anchor"][here][:, :3] * size)
    value, offset, accent = np.moveaxis(look, -1, 0)
    shade = np.minimum(facing, 2.4 * (seen + 0.14 * offset) - 0.9) + 0.17 * offset
    shade = np.where(MATT[paint], 1.05 - 1.1 * passes["paint_anchor"][..., 2] + 0.16 * offset, shade)
    colour = toon(paint.ravel(), shade.ravel()).reshape(*ids.shape, 3)
    colour += (0.40 * accent)[..., None] * (ACCENT[paint] - colour) * _smooth(-0.1, 0.5, shade)[..., None]
    colour *= (1 + 0.075 * value)[..., None]
    line = ink(ids, paint, depth, offset)[..., None]
    colour += 0.92 * line * (TONES[paint][..., 0, :] * 0.42 - colour)
    colour[ids == 0] = rgb(PAPER)
    h, w = ids.shape
    small = np.clip(colour, 0, 1).reshape(h // OVERSIZE, OVERSIZE, w // OVERSIZE, OVERSIZE, 3).mean((1, 3))
    return (small * 255 + 0.5).astype(np.uint8)


def paint_file(folder: Path, out: Path, frame: int) -> int:
    """Paint the frame whose passes are in `folder` to OUT/0001.png (or whatever its number is)."""
    light = json.loads((folder / "light.json").read_text(encoding="utf-8"))
    passes = read_passes(folder / f"{frame:04d}.exr")
    picture = paint_frame(passes, np.array(light[f"{frame:04d}"], np.float32), load_strokes(folder))
    Image.fromarray(picture).save(out / f"{frame:04d}.png")
    return frame


def main(folder: Path, out: Path) -> None:
    """Paint every frame in `folder`, on two processors."""
    out.mkdir(parents=True, exist_ok=True)
    frames = sorted(int(path.stem) for path in folder.glob("[0-9]*.exr"))
    with ProcessPoolExecutor(2) as pool:
        for frame in pool.map(partial(paint_file, folder, out), frames):
            print(f"frame {frame}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
