"""A flag in the wind: a cloth of masses and springs, its texture laid on and shaded. It knows arrays and seeds, nothing of
methods.

The cloth is COLUMNS x ROWS masses, moved by Verlet steps with the lengths of its threads put right a few times a step. Lengths
are fractions of the picture's side, times are frames.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

COLUMNS, ROWS = 30, 20
LEFT, TOP, WIDE, HIGH = 0.10, 0.16, 0.72, 0.46
SUBSTEPS = 6
STIFFNESS = 6  # times a step that lengths are put right
WIND = np.array([0.0030, 0.0, 0.0])  # of the side, a frame and frame
GRAVITY = np.array([0.0, 0.0007, 0.0])
WARM_UP = 120
SHARP = 3  # points of the texture a pixel, each way


class Cloth:
    """place: (ROWS, COLUMNS, 3), x right, y down, z to the eye."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        x, y = np.meshgrid(LEFT + WIDE * np.linspace(0, 1, COLUMNS), TOP + HIGH * np.linspace(0, 1, ROWS))
        self.place = np.stack([x, y, 0.01 * np.sin(9 * x)], -1)
        self.before = self.place.copy()
        self.pole = self.place[:, 0].copy()
        self.lengths = WIDE / (COLUMNS - 1), HIGH / (ROWS - 1)
        self.gust = np.zeros(3)
        self.phases = self.rng.uniform(0, 2 * np.pi, 6)
        self.time = 0.0

    def _air(self) -> np.ndarray:
        """(ROWS, COLUMNS, 3) the wind's speed: gusts, and whirls that travel along the cloth."""
        self.gust = 0.985 * self.gust + self.rng.normal(size=3) * np.array([0.05, 0.03, 0.10]) * 0.6
        x, y = self.place[..., 0], self.place[..., 1]
        a, b, c, d, e, f = self.phases
        whirl = 0.5 * np.sin(11 * x - 0.43 * self.time + a + 2.0 * np.sin(3 * y + b))
        whirl += 0.35 * np.sin(19 * x + 6 * y - 0.71 * self.time + c) + 0.3 * np.sin(5 * y - 0.23 * self.time + d)
        drift = np.stack(
            [1 + 0.3 * np.sin(0.05 * self.time + e) + 0 * x, 0.12 * np.sin(0.11 * self.time + f) + 0 * x, whirl], -1
        )
        return 0.042 * (drift + self.gust)

    def _normals(self) -> np.ndarray:
        across, down = np.gradient(self.place, axis=1), np.gradient(self.place, axis=0)
        normal = np.cross(across, down)
        return normal / (np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9)

    def _pull(self, axis: int, reach: int, strength: float) -> None:
        """Bring threads of `reach` cells along an axis nearer to their length."""
        place = self.place if axis else self.place.swapaxes(0, 1)
        first, second = place[:, :-reach], place[:, reach:]
        apart = second - first
        length = np.linalg.norm(apart, axis=-1, keepdims=True) + 1e-9
        put = strength * 0.5 * apart * (1 - self.lengths[1 - axis] * reach / length)
        first += put
        second -= put

    def step(self) -> None:
        """One frame on."""
        dt = 1 / SUBSTEPS
        for _ in range(SUBSTEPS):
            self.time += dt
            speed = (self.place - self.before) / dt
            normal = self._normals()
            push = ((self._air() - speed) * normal).sum(-1, keepdims=True) * normal
            force = 0.16 * push + GRAVITY + WIND
            moved = self.place + (self.place - self.before) * (1 - 0.012 * dt) + dt * dt * force
            self.before, self.place = self.place, moved
            for _ in range(STIFFNESS):
                for axis in (0, 1):
                    self._pull(axis, 1, 0.7)
                    self._pull(axis, 2, 0.12)
                self.place[:, 0] = self.pole


def _texture(height: int, width: int) -> np.ndarray:
    """(height, width, 3) float32: stripes and a sun."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    u, v = x / width, y / height
    colour = np.empty((height, width, 3), np.float32)
    colour[:] = (0.90, 0.86, 0.74)
    colour[(v * 5).astype(int) % 2 == 1] = (0.13, 0.33, 0.55)
    dx, dy = (u - 0.36) * WIDE / HIGH, v - 0.5
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    colour[radius < 0.30 + 0.06 * np.cos(12 * angle)] = (0.93, 0.63, 0.12)
    colour[radius < 0.19] = (0.76, 0.16, 0.13)
    colour[(u < 0.03) | (u > 0.97) | (v < 0.04) | (v > 0.96)] *= 0.72
    weave = 0.97 + 0.03 * np.sin(u * width) * np.sin(v * height)
    return colour * weave[..., None]


def _picture(cloth: Cloth, size: int, texture: np.ndarray) -> np.ndarray:
    """(size, size, 4) uint8: the points of the texture laid down from the back to the front."""
    height, width = texture.shape[:2]
    place = cv2.resize(cloth.place.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    normal = cv2.resize(cloth._normals().astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    light = normal @ np.array([-0.45, -0.35, 0.82], np.float32)
    shade = 0.30 + 0.70 * np.clip(np.abs(light), 0, 1) ** 1.3 + 0.12 * np.clip(light, 0, 1) ** 12
    fine = 2 * size
    canvas = np.zeros((fine * fine, 4), np.float32)
    near = 1 + 0.35 * place[..., 2]
    x = (0.5 + (place[..., 0] - 0.5) * near) * fine
    y = (0.5 + (place[..., 1] - 0.5) * near) * fine
    inside = (x >= 0) & (x < fine) & (y >= 0) & (y < fine)
    order = np.argsort(place[..., 2][inside], kind="stable")
    at = (y[inside].astype(int) * fine + x[inside].astype(int))[order]
    canvas[at, :3] = np.clip(texture * shade[..., None], 0, 1)[inside][order]
    canvas[at, 3] = 1
    canvas = _pole(canvas.reshape(fine, fine, 4))
    small: np.ndarray = np.array(cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA))
    small[..., :3] /= np.maximum(small[..., 3:], 1e-6)
    return np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)


def _pole(canvas: np.ndarray) -> np.ndarray:
    fine = len(canvas)
    left, right, top = round((LEFT - 0.035) * fine), round((LEFT + 0.005) * fine), round((TOP - 0.06) * fine)
    across = np.linspace(0, np.pi, right - left)
    canvas[top:, left:right, :3] = (0.25 + 0.5 * np.sin(across) ** 2)[None, :, None] * np.array([0.8, 0.66, 0.5])
    canvas[top:, left:right, 3] = 1
    return canvas


def flag(size: int, seed: int) -> Iterator[np.ndarray]:
    """A flag without end: (size, size, 4) uint8 sRGB, alpha straight."""
    cloth = Cloth(seed)
    texture = _texture(round(HIGH * size * 2 * SHARP / 2), round(WIDE * size * 2 * SHARP / 2))
    for _ in range(WARM_UP):
        cloth.step()
    while True:
        yield _picture(cloth, size, texture)
        cloth.step()
