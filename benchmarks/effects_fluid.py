"""Flame and smoke, by a small fluid solver: semi-Lagrangian advection, buoyancy, vorticity confinement, a projection by FFT. It
knows arrays and seeds, and nothing of what is measured with its pictures.

Lengths are fractions of the picture's side and times are frames, so that a clip in another size is much the same clip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from scipy import fft
from scipy.ndimage import gaussian_filter

Field = np.ndarray


@dataclass(frozen=True)
class Fluid:
    """What tells one fluid from another; rates are for a frame.

    rise: speed that heat 1 gains. draught: speed that all of it rises with.
    cooling, fading: heat and density lost, an amount; softening: blur of both, in pixels of 128. swirl: vorticity
    confinement. gusts: random force. width: of the source, of the picture's. spread: how the source's gas expands."""

    rise: float
    draught: float
    cooling: float
    fading: float
    softening: float
    swirl: float
    gusts: float
    width: float
    spread: float


FLAME = Fluid(
    rise=0.0095,
    draught=0.004,
    cooling=0.052,
    fading=0.05,
    softening=0.0,
    swirl=0.22,
    gusts=0.0022,
    width=0.21,
    spread=0.06,
)
SMOKE = Fluid(
    rise=0.0026,
    draught=0.008,
    cooling=0.012,
    fading=0.0085,
    softening=0.4,
    swirl=0.18,
    gusts=0.0014,
    width=0.085,
    spread=0.03,
)
FLOOR = 0.06  # of the side, below the picture: what feeds the source is not seen
ROOF = 0.25  # above it, where everything comes to rest
WARM_UP = 160  # frames until a clip looks the same at any time


class Solver:
    """One fluid on a grid, `side` cells a picture."""

    def __init__(self, kind: Fluid, side: int, seed: int, substeps: int = 2) -> None:
        self.kind, self.side, self.substeps = kind, side, substeps
        self.rng = np.random.default_rng(seed)
        self.height, self.width = round(side * (1 + FLOOR + ROOF)), side
        shape = self.height, self.width
        self.u, self.v, self.heat, self.density = (np.zeros(shape, np.float32) for _ in range(4))
        y, x = np.mgrid[: self.height, : self.width].astype(np.float32)
        self.x, self.y = x, y
        ky, kx = fft.fftfreq(self.height)[:, None], fft.rfftfreq(self.width)[None]
        self.sy, self.sx = 2j * np.pi * ky, 2j * np.pi * kx
        self.laplacian = np.where((k := self.sy**2 + self.sx**2) == 0, 1, k)
        self.calm = self._calm()
        self.floor = self.height - round(side * FLOOR)
        self.noise = np.zeros((4, *shape), np.float32)

    def _calm(self) -> Field:
        """(H, W) what is kept of a velocity in a step: less at the roof, at the floor and beside the picture."""
        top = np.clip(self.y / (self.side * ROOF), 0, 1)
        bottom = np.clip((self.height - 1 - self.y) / (self.side * FLOOR * 0.6), 0, 1)
        beside = np.clip(np.minimum(self.x, self.width - 1 - self.x) / (self.side * 0.08), 0, 1)
        return (0.7 + 0.3 * np.minimum(np.minimum(top, bottom), beside)).astype(np.float32)

    def _wander(self, i: int, blur: float, keep: float) -> Field:
        """(H, W) noise of standard deviation about 1 that changes slowly."""
        small = max(2, round(blur * self.side / 3))
        shape = self.height // small + 2, self.width // small + 2
        fresh = cv2.resize(
            self.rng.normal(size=shape).astype(np.float32), (self.width, self.height), interpolation=cv2.INTER_CUBIC
        )
        self.noise[i] = keep * self.noise[i] + np.sqrt(1 - keep**2) * fresh
        return self.noise[i]

    def _advect(self, field: Field, back_x: Field, back_y: Field, cubic: bool) -> Field:
        how = cv2.INTER_CUBIC if cubic else cv2.INTER_LINEAR
        return cv2.remap(field, back_x, back_y, how, borderMode=cv2.BORDER_REPLICATE)

    def _project(self) -> None:
        """Take the divergence out, but for what expands at the source."""
        swelling = self.kind.spread * self.source * self.heat
        u, v = fft.rfft2(self.u), fft.rfft2(self.v)
        pressure = (self.sx * u + self.sy * v - fft.rfft2(swelling)) / self.laplacian
        self.u = fft.irfft2(u - self.sx * pressure, s=self.u.shape).astype(np.float32)
        self.v = fft.irfft2(v - self.sy * pressure, s=self.v.shape).astype(np.float32)

    def _confine(self, dt: float) -> None:
        """Give small whirls back what the coarse grid takes from them."""
        curl: Field = np.asarray(np.gradient(self.v, axis=1)) - np.asarray(np.gradient(self.u, axis=0))
        strength = gaussian_filter(np.abs(curl), 1.0)
        gy, gx = np.gradient(strength, axis=0), np.gradient(strength, axis=1)
        length = np.sqrt(gx * gx + gy * gy) + 1e-4
        self.u += self.kind.swirl * dt * (gy / length) * curl
        self.v -= self.kind.swirl * dt * (gx / length) * curl

    def _feed(self, dt: float) -> None:
        """Heat and density at the source, uneven in place and time."""
        across = (self.x / self.width - 0.5) / self.kind.width
        up = (self.y - self.floor) / (0.035 * self.side)
        shape = np.exp(-(across**4) - up**2)
        lively = np.clip(0.75 + 0.5 * self._wander(2, 0.08, 0.82), 0, 1.6)
        self.source = (shape * lively).astype(np.float32)
        part = np.clip(self.source * dt, 0, 1)
        self.heat += part * (1.25 - self.heat)
        self.density += part * (1.0 - self.density)

    def step(self) -> None:
        """One frame on."""
        dt = 1 / self.substeps
        for _ in range(self.substeps):
            self._feed(dt)
            self.v -= self.kind.rise * self.side * dt * self.heat
            push = self.kind.gusts * self.side * dt * (0.3 + np.clip(self.heat + self.density, 0, 1))
            self.u += push * self._wander(0, 0.11, 0.9)
            self.v += push * self._wander(1, 0.11, 0.9)
            self._confine(dt)
            self._project()
            self.u *= self.calm
            self.v *= self.calm
            back_x, back_y = self.x - dt * self.u, self.y - dt * (self.v - self.kind.draught * self.side)
            self.u, self.v = (self._advect(field, back_x, back_y, False) for field in (self.u, self.v))
            self.heat = self._carry(self.heat, back_x, back_y, dt * self.kind.cooling)
            self.density = self._carry(self.density, back_x, back_y, dt * self.kind.fading)
            self.heat[: round(self.side * ROOF * 0.5)] *= 0.8
            self.density[: round(self.side * ROOF * 0.5)] *= 0.8

    def _carry(self, field: Field, back_x: Field, back_y: Field, lost: float) -> Field:
        """A field moved on, softened, and less by `lost`."""
        moved = self._advect(field, back_x, back_y, True)
        if self.kind.softening:
            moved = gaussian_filter(moved, self.kind.softening * self.side / 128)
        return np.clip(moved - lost, 0, float(field.max()))

    def seen(self, field: Field) -> Field:
        """The part of a field that is in the picture, (side, side)."""
        top = round(self.side * ROOF)
        return field[top : top + self.side]


def _ramp(value: Field, stops: list[tuple[float, tuple[float, float, float]]]) -> Field:
    """(H, W, 3) colours of values, through (value, colour) in rising order."""
    at = [stop for stop, _ in stops]
    return np.stack([np.interp(value, at, [colour[c] for _, colour in stops]) for c in range(3)], -1)


EMBERS = [
    (0.0, (0.35, 0.02, 0.0)), (0.25, (0.72, 0.10, 0.02)), (0.5, (0.95, 0.36, 0.05)),
    (0.75, (1.0, 0.72, 0.20)), (1.0, (1.0, 0.95, 0.66)),
]  # fmt: skip


def _flame_picture(solver: Solver) -> Field:
    heat = solver.seen(solver.heat)
    body = np.clip((heat - 0.16) / 0.75, 0, 1)
    glow = gaussian_filter(body, 0.03 * solver.side)
    colour = _ramp(np.clip(body + 0.15 * glow, 0, 1), EMBERS)
    alpha = np.clip(1.9 * body, 0, 1)
    alpha = alpha + (1 - alpha) * 0.35 * glow
    return np.dstack([colour, alpha])


def _smoke_picture(solver: Solver) -> Field:
    density = np.clip(solver.seen(solver.density) - 0.02, 0, None)
    thick = gaussian_filter(density, 0.004 * solver.side)
    # Light from the upper left: what lies that way takes some of it.
    shift = 0.015 * solver.side
    shade = sum(
        cv2.warpAffine(thick, np.array([[1, 0, k * shift], [0, 1, k * shift]], np.float32), thick.shape[::-1])
        for k in range(1, 9)
    )
    light = np.exp(-0.30 * np.asarray(shade, np.float32))
    colour = np.array([0.30, 0.33, 0.40]) + light[..., None] * np.array([0.62, 0.58, 0.50])
    return np.dstack([np.clip(colour, 0, 1), 1 - np.exp(-3.2 * density)])


def _run(kind: Fluid, picture: Callable[[Solver], Field], size: int, seed: int) -> Iterator[Field]:
    solver = Solver(kind, size, seed)
    for _ in range(WARM_UP):
        solver.step()
    while True:
        yield np.rint(np.clip(picture(solver), 0, 1) * 255).astype(np.uint8)
        solver.step()


def flame(size: int, seed: int) -> Iterator[Field]:
    """A fire without end: (size, size, 4) uint8 sRGB, alpha straight."""
    return _run(FLAME, _flame_picture, size, seed)


def smoke(size: int, seed: int) -> Iterator[Field]:
    """A column of smoke without end: (size, size, 4) uint8 sRGB, alpha straight."""
    return _run(SMOKE, _smoke_picture, size, seed)
