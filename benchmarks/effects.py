"""Effects that a script simulates, so that their true continuation exists for as long as one likes: flame, smoke, water, a flag,
a drawn line that boils, a mechanism that turns. What `build.py bench generate` measures with; it knows no methods.

A clip is the same for the same seed, frame by frame, whatever its length; its first frames are what an artist would have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from scipy import fft

from benchmarks.effects_flag import flag
from benchmarks.effects_fluid import flame, smoke

# --- water in a pool, seen from above --------------------------------------------------------------------------------

WAVE = 0.38  # the strongest wave's length, of the picture's side
STEEP = 0.17  # slope of the waves, root of the mean square
DEPTH = 0.30  # of the water, of the side
SPEED = 0.066  # a frame's angle of a wave is SPEED * sqrt(wave number)


def _spectrum(side: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(side, side) random amplitudes, and their wave vectors in radians a picture."""
    k = 2 * np.pi * fft.fftfreq(side, 1 / side)
    ky, kx = k[:, None], k[None]
    length = np.hypot(kx, ky)
    peak = 2 * np.pi / WAVE
    towards = (kx * 0.83 + ky * 0.55) / np.maximum(length, 1e-9)
    power = (length / peak) ** 4 * np.exp(-4 * length / peak) * (0.18 + 0.82 * towards**2)
    power = power * np.where(towards > 0, 1.0, 0.25)
    power *= STEEP**2 / (power * length**2).sum()
    waves = rng.normal(size=(2, side, side))
    return (waves[0] + 1j * waves[1]) * np.sqrt(power), kx + 0 * ky, ky + 0 * kx


def water(size: int, seed: int) -> Iterator[np.ndarray]:
    """A pool without end: (size, size, 4) uint8 sRGB, opaque; tiles seen through waves, the sun's net on them, glints."""
    start, kx, ky = _spectrum(size, np.random.default_rng(seed))
    omega = SPEED * np.sqrt(np.hypot(kx, ky))
    floor, t = _tiles(2 * size), 0
    while True:
        wave = start * np.exp(-1j * omega * t) * size * size
        slope_x, slope_y = (fft.ifft2(1j * k * wave).real.astype(np.float32) for k in (kx, ky))
        yield _pool(slope_x, slope_y, floor)
        t += 1


def _tiles(side: int) -> np.ndarray:
    """(side, side, 3) float32, 0 to 1: the floor, a tile the side's eighth."""
    y, x = np.mgrid[:side, :side] / side * 8
    number = np.floor(y).astype(int) * 8 + np.floor(x).astype(int)
    tint = np.random.default_rng(5).uniform(0.86, 1.06, 64)[number % 64]
    joint = np.minimum(np.minimum(x % 1, 1 - x % 1), np.minimum(y % 1, 1 - y % 1)) < 0.045
    colour = np.array([0.10, 0.52, 0.60]) * tint[..., None]
    return np.where(joint[..., None], np.array([0.36, 0.68, 0.70]), colour).astype(np.float32)


def _pool(slope_x: np.ndarray, slope_y: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """One picture out of the slopes of the surface, (size, size)."""
    size = len(slope_x)
    y, x = np.mgrid[:size, :size].astype(np.float32)
    bend = 0.25 * DEPTH * size
    net = _caustics(slope_x, slope_y)
    grown = cv2.resize(net, floor.shape[:2], interpolation=cv2.INTER_CUBIC)[..., None]
    lit = floor * (0.52 + 0.50 * np.clip(grown, 0, 4.5))
    to_x, to_y = (2 * np.clip(base - bend * slope, 0, size - 1) + 0.5 for base, slope in ((x, slope_x), (y, slope_y)))
    seen = cv2.remap(lit, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    facing = slope_x * 0.8 + slope_y * 0.6
    sky = np.clip(0.12 + 0.55 * facing, 0, 1)[..., None] * np.array([0.62, 0.80, 0.95])
    glint = np.clip((facing - 0.62) / 0.25, 0, 1)[..., None] ** 2
    colour = np.clip(seen * 0.9 + 0.30 * sky + 0.9 * glint, 0, 1)
    rgba = np.dstack([colour, np.ones((size, size))])
    return np.rint(rgba * 255).astype(np.uint8)


def _caustics(slope_x: np.ndarray, slope_y: np.ndarray) -> np.ndarray:
    """(size, size) float32, 1 in the mean: how much sunlight the waves gather on the floor. Rays, four a pixel, are bent by the
    surface and counted where they land; the surface repeats at its edges, so that none is lost."""
    size = len(slope_x)
    sx, sy = (cv2.resize(slope, (2 * size, 2 * size), interpolation=cv2.INTER_CUBIC) for slope in (slope_x, slope_y))
    y, x = np.mgrid[: 2 * size, : 2 * size] / 2
    px, py = x - 0.9 * DEPTH * size * sx, y - 0.9 * DEPTH * size * sy
    x0, y0 = np.floor(px).astype(int), np.floor(py).astype(int)
    fx, fy = px - x0, py - y0
    net = np.zeros(size * size)
    for dx, dy in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weight = (fx if dx else 1 - fx) * (fy if dy else 1 - fy)
        at = ((y0 + dy) % size) * size + (x0 + dx) % size
        net += np.bincount(at.ravel(), weight.ravel(), size * size)
    return cv2.GaussianBlur((net.reshape(size, size) / 4).astype(np.float32), (0, 0), size / 220)


# --- a drawn figure, each line drawn again every two frames ----------------------------------------------------------

# Lines of a cat, points in percent of the side; the first two are closed and painted, behind the lines.
BODY = [(34, 52), (30, 66), (29, 82), (34, 90), (50, 92), (66, 90), (71, 82), (69, 66), (64, 52), (50, 48)]
HEAD = [
    (27, 36),
    (27, 18),
    (30, 12),
    (39, 20),
    (50, 18),
    (61, 20),
    (70, 12),
    (73, 18),
    (73, 36),
    (66, 49),
    (50, 54),
    (34, 49),
]
TAIL = [(69, 84), (80, 86), (88, 78), (86, 66), (79, 62), (78, 69), (83, 71)]
LINES = [
    TAIL,
    [(43, 66), (42, 78), (42, 91)], [(57, 66), (58, 78), (58, 91)], [(50, 72), (50, 91)],  # legs
    [(38, 90), (37, 94), (44, 94), (46, 91)], [(54, 91), (56, 94), (63, 94), (62, 90)],  # paws
    [(47, 41), (50, 43), (53, 41)], [(50, 43), (50, 46), (46, 48), (43, 46)], [(50, 46), (54, 48), (57, 46)],  # muzzle
    [(34, 41), (20, 38)], [(34, 44), (21, 46)], [(66, 41), (80, 38)], [(66, 44), (79, 46)],  # whiskers
    [(31, 17), (34, 24)], [(69, 17), (66, 24)],  # ears
    [(42, 22), (43, 27)], [(50, 21), (50, 27)], [(58, 22), (57, 27)],  # stripes
]  # fmt: skip
EYES = [(40, 35), (60, 35)]
INK, FUR, PALE = (38, 30, 44), (232, 150, 72), (250, 226, 190)
ON = 2  # frames that a drawing stands


def _stroke(points: Sequence[tuple[float, float]], closed: bool, rng: np.random.Generator, shake: float) -> np.ndarray:
    """(N, 2) a smooth line through points (percent), drawn by an unsteady hand."""
    nodes = np.array(points, float) + rng.normal(size=(len(points), 2)) * 0.55 * shake
    if closed:
        nodes = np.concatenate([nodes[-1:], nodes, nodes[:2]])
    else:
        nodes = np.concatenate([2 * nodes[:1] - nodes[1:2], nodes, 2 * nodes[-1:] - nodes[-2:-1]])
    t = np.linspace(0, 1, 14, endpoint=False)[:, None]
    a, b, c, d = (nodes[i : len(nodes) - 3 + i, None] for i in range(4))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    line = np.concatenate([curve.reshape(-1, 2), nodes[-2:-1]])
    wobble = np.cumsum(rng.normal(size=line.shape), 0) * 0.11 * shake
    return line + wobble - np.linspace(0, 1, len(line))[:, None] * wobble[-1]


def _draw_line(canvas: np.ndarray, line: np.ndarray, scale: float, width: float, rng: np.random.Generator) -> None:
    press = width * (1 + 0.35 * np.sin(np.linspace(0, np.pi * rng.uniform(1, 3), len(line)) + rng.uniform(0, 6)))
    at = np.rint(line * scale * 16).astype(int)
    for i in range(len(line) - 1):
        cv2.line(
            canvas, at[i].tolist(), at[i + 1].tolist(), (*INK, 255), max(1, round(press[i] * scale)), cv2.LINE_AA, 4
        )


def _shrink(canvas: np.ndarray, size: int) -> np.ndarray:
    """(size, size, 4) uint8 of a larger canvas, alpha straight in both."""
    alpha = canvas[..., 3:].astype(np.float32) / 255
    small: np.ndarray = np.array(
        cv2.resize(np.dstack([canvas[..., :3] * alpha, alpha]), (size, size), interpolation=cv2.INTER_AREA)
    )
    small[..., :3] /= np.maximum(small[..., 3:], 1e-6)
    small[..., 3] *= 255
    return np.rint(np.clip(small, 0, 255)).astype(np.uint8)


def _drawing(size: int, rng: np.random.Generator, shake: float = 1.0) -> np.ndarray:
    """(size, size, 4) uint8: one drawing of the cat."""
    fine = 4 * size
    scale = fine / 100
    canvas = np.zeros((fine, fine, 4), np.uint8)
    outlines = [_stroke(part, True, rng, shake) for part in (BODY, HEAD)]
    for line in outlines:
        slip = rng.normal(size=2) * 0.25 * shake
        cv2.fillPoly(canvas, [np.rint((line + slip) * scale).astype(np.int32)], (*FUR, 255))
        if line is outlines[0]:
            _patch(canvas, (50, 74), (11, 13), scale, rng, shake)
            _draw_line(canvas, line, scale, 1.5, rng)
    _patch(canvas, (50, 46), (11, 6.5), scale, rng, shake)
    _draw_line(canvas, outlines[1], scale, 1.5, rng)
    for points in LINES:
        _draw_line(canvas, _stroke(points, False, rng, shake), scale, 1.25, rng)
    for centre in EYES:
        at, turn = np.rint((np.array(centre) + rng.normal(size=2) * 0.3 * shake) * scale).astype(int), rng.normal() * 6
        cv2.ellipse(
            canvas, at.tolist(), (round(2.6 * scale), round(3.6 * scale)), turn, 0, 360, (*INK, 255), -1, cv2.LINE_AA
        )
        light = np.rint(at - scale * np.array([0.8, 1.3])).astype(int).tolist()
        cv2.circle(canvas, light, round(0.9 * scale), (255, 255, 255, 255), -1, cv2.LINE_AA)
    return _shrink(canvas, size)


def _patch(canvas: np.ndarray, centre: tuple[float, float], radii: tuple[float, float], scale: float,
           rng: np.random.Generator, shake: float) -> None:  # fmt: skip
    """A pale patch, where there is fur."""
    laid = np.zeros(canvas.shape[:2], np.uint8)
    at = np.rint((np.array(centre) + rng.normal(size=2) * 0.4 * shake) * scale).astype(int).tolist()
    size = [round(radius * scale * (1 + 0.03 * shake * rng.normal())) for radius in radii]
    cv2.ellipse(laid, at, size, 0, 0, 360, 255, -1)
    canvas[(laid > 0) & (canvas[..., 3] > 0)] = (*PALE, 255)


def boil(size: int, seed: int) -> Iterator[np.ndarray]:
    """A drawn cat without end, drawn again every two frames: (size, size, 4) uint8 sRGB, alpha straight."""
    rng = np.random.default_rng(seed)
    while True:
        drawing = _drawing(size, rng)
        for _ in range(ON):
            yield drawing


# --- a mechanism that turns ------------------------------------------------------------------------------------------

PERIOD = 47.3  # frames of a turn of the large wheel: not a whole number
TEETH = 10, 7  # of the large and the small wheel
MODULE = 0.0520  # of the side, a tooth's share of the diameter


def _wheel(centre: tuple[float, float], teeth: int, angle: float) -> np.ndarray:
    """(N, 2) the outline of a gear wheel, in parts of the side."""
    radius, steps = MODULE * teeth / 2, np.arange(teeth * 40)
    turn = 2 * np.pi * steps / len(steps)
    tooth = np.clip(2.6 * np.cos(teeth * turn), -1, 1)
    r = radius + 0.62 * MODULE * tooth
    return np.stack([centre[0] + r * np.cos(turn + angle), centre[1] + r * np.sin(turn + angle)], -1)


class _Canvas:
    """Shapes in parts of the side, painted four times as fine and made small."""

    def __init__(self, size: int) -> None:
        self.size, self.fine = size, 4 * size
        self.pixels = np.zeros((self.fine, self.fine, 4), np.uint8)

    def shape(self, points: np.ndarray, colour: tuple[int, int, int]) -> None:
        cv2.fillPoly(self.pixels, [np.rint(points * self.fine * 16).astype(np.int32)], (*colour, 255), cv2.LINE_AA, 4)

    def disc(self, centre: np.ndarray | tuple[float, float], radius: float, colour: tuple[int, int, int]) -> None:
        turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
        self.shape(np.asarray(centre) + radius * np.stack([np.cos(turn), np.sin(turn)], -1), colour)

    def bar(self, start: np.ndarray, end: np.ndarray, width: float, colour: tuple[int, int, int]) -> None:
        along = (end - start) / np.linalg.norm(end - start)
        across = width * np.array([-along[1], along[0]])
        self.shape(np.stack([start + across, end + across, end - across, start - across]), colour)

    def picture(self) -> np.ndarray:
        return _shrink(self.pixels, self.size)


def _turned(centre: tuple[float, float], radius: float, angle: float) -> np.ndarray:
    return np.array(centre) + radius * np.array([np.cos(angle), np.sin(angle)])


def _mechanism(size: int, angle: float) -> np.ndarray:
    """(size, size, 4) uint8: two wheels in mesh and a piston, with the large wheel turned by `angle`."""
    canvas = _Canvas(size)
    large, small = (0.335, 0.64), (0.335 + 1.0 * MODULE * sum(TEETH) / 2, 0.64)
    pin = _turned(large, 0.185, angle)
    piston = np.array([large[0], pin[1] - np.sqrt(0.36**2 - (pin[0] - large[0]) ** 2)])
    for side in (-1, 1):
        rail = np.array([large[0] + side * 0.085, 0.02])
        canvas.bar(rail, rail + np.array([0, 0.26]), 0.014, (70, 74, 84))
    wheels = (
        (large, TEETH[0], angle, (176, 134, 62)),
        (small, TEETH[1], -angle * TEETH[0] / TEETH[1] + np.pi / TEETH[1] + np.pi, (126, 138, 152)),
    )
    for centre, teeth, turn, colour in wheels:
        outline = _wheel(centre, teeth, turn)
        canvas.shape(outline + 0.007, tuple(round(0.45 * c) for c in colour))  # type: ignore[arg-type]
        canvas.shape(outline, colour)
        radius = MODULE * teeth / 2
        canvas.disc(centre, radius * 0.74, tuple(round(0.72 * c) for c in colour))  # type: ignore[arg-type]
        for spoke in range(5):
            end = _turned(centre, radius * 0.78, turn + spoke * 2 * np.pi / 5)
            canvas.bar(np.array(centre), end, 0.06 * radius + 0.008, (196, 72, 52) if spoke == 0 else colour)
        canvas.disc(centre, radius * 0.26, colour)
        canvas.disc(centre, radius * 0.10, (40, 40, 46))
    canvas.bar(pin, piston, 0.020, (150, 52, 44))
    canvas.disc(pin, 0.035, (214, 214, 220))
    canvas.shape(piston + np.array([[-0.07, -0.05], [0.07, -0.05], [0.07, 0.05], [-0.07, 0.05]]), (160, 168, 180))
    canvas.disc(piston, 0.025, (60, 62, 70))
    return canvas.picture()


def gears(size: int, seed: int) -> Iterator[np.ndarray]:
    """A mechanism without end: (size, size, 4) uint8 sRGB, alpha straight."""
    angle = np.random.default_rng(seed).uniform(0, 2 * np.pi)
    while True:
        yield _mechanism(size, angle)
        angle += 2 * np.pi / PERIOD


# --- clips -----------------------------------------------------------------------------------------------------------

EFFECTS: dict[str, Callable[[int, int], Iterator[np.ndarray]]] = {
    "flame": flame,
    "smoke": smoke,
    "water": water,
    "flag": flag,
    "boil": boil,
    "gears": gears,
}


def clip(name: str, frames: int, size: int = 128, seed: int = 0, cache: Path | None = None) -> np.ndarray:
    """(frames, size, size, 4) uint8 sRGB, alpha straight. cache: a folder to keep what was made, and to take it from."""
    path = cache / f"{name}-{size}-{seed}.npy" if cache else None
    if path and path.is_file() and len(kept := np.load(path, mmap_mode="r", allow_pickle=False)) >= frames:
        return np.array(kept[:frames])
    made = np.stack(list(islice(EFFECTS[name](size, seed), frames)))
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npy")
        np.save(partial, made)
        partial.replace(path)
    return made
