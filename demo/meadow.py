"""The set of the demo's shot, and the toadstool's shape: a meadow with hills, trees, stones and grass under a low sun. Knows what
things look like; not that anything moves."""

from __future__ import annotations

from collections.abc import Sequence

import bpy
import numpy as np

from demo.shapes import Region, Surface, add, ellipsoid, leaf, smooth_path, sweep


def _ground() -> Surface:
    x, y = np.meshgrid(np.linspace(-14, 14, 85), np.linspace(-4, 20, 73))
    waves = 0.05 * np.sin(0.9 * x + 0.3) * np.sin(0.7 * y) * np.clip(np.hypot(x, y) - 1.6, 0, 3)  # flat where Pip hops
    z = waves + 0.02 * np.clip(y - 6, 0, None)
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    columns = x.shape[1]
    quads = [(r * columns + c) for r in range(x.shape[0] - 1) for c in range(columns - 1)]
    return Surface(vertices, [[q, q + 1, q + columns + 1, q + columns] for q in quads])


def _disc(centre: Sequence[float], radius: float) -> Surface:
    """A flat upright disc that looks to the camera."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    ring = radius * np.stack([np.cos(angle), 0 * angle, np.sin(angle)], 1) + np.asarray(centre, float)
    return Surface(ring, [list(range(64))])


def _tree(x: float, y: float, height: float, lean: float) -> tuple[Surface, Surface]:
    trunk_path = smooth_path([(x, y, -0.1), (x + lean * 0.3, y, height * 0.4), (x + lean, y, height * 0.8)], 14)
    trunk = sweep(trunk_path, np.linspace(0.14, 0.07, 14)[:, None] * [1.0, 1.0] * (height / 2.4), sides=14)
    top = (x + lean * 1.6, y, height * 1.45)
    s = (1 - np.cos(np.linspace(0, np.pi, 40))) / 2
    curve = smooth_path([(x + lean * 0.4, y, height * 0.30), (x + lean, y, height * 0.85), top], 401)
    path = curve[np.round(s * 400).astype(int)]
    drop = np.maximum(np.sin(np.pi * s**0.62) ** 0.8, 1e-3) * (1 + 0.06 * np.sin(9 * s))
    crown = sweep(path, drop[:, None] * [0.30 * height, 0.26 * height], sides=36)
    return trunk, crown


def _tuft(x: float, y: float, size: float, seed: int) -> Surface:
    rng = np.random.default_rng(seed)
    tuft = Surface(np.zeros((0, 3)), [])
    for _ in range(7):
        dx, dy = rng.uniform(-0.55, 0.55), rng.uniform(-0.2, 0.2)
        h = size * rng.uniform(0.6, 1.0)
        path = [
            (x + size * dx * s, y + size * dy * t, z) for s, t, z in ((0.3, 0, -0.03), (0.5, 0.4, 0.6 * h), (1, 1, h))
        ]
        tuft += leaf(path, 0.06 * size, 0.03 * size, (1, 0, 0), 0.3)
    return tuft


TREES = ((-2.6, 4.2, 2.5, 0.25), (3.3, 6.5, 2.7, -0.2), (-4.4, 8.5, 2.4, 0.1))  # x, y, height, lean
STONES = (  # centre, radii
    ((1.75, 0.9, 0.02), (0.34, 0.26, 0.22)),
    ((2.2, 1.15, 0.0), (0.2, 0.18, 0.14)),
    ((-1.95, 0.4, 0.0), (0.26, 0.22, 0.17)),
)
TUFTS = (  # x, y, size
    (-1.3, -1.15, 0.42), (1.55, -1.0, 0.36), (2.35, 0.75, 0.44), (-1.65, 0.75, 0.5), (0.55, 1.7, 0.36), (0.25, -1.35, 0.24)
)  # fmt: skip


def build(scene: bpy.types.Scene) -> None:
    """Put everything up."""
    corners = np.array([(-26, 30, 0), (26, 30, 0), (26, 30, 19), (-26, 30, 19)], float)
    far = ellipsoid((-9, 25, -1.2), (12, 3, 5.6), 64) + ellipsoid((10, 26, -1.5), (10, 3, 5.0), 64)
    near = ellipsoid((10.5, 17, -1.2), (8, 3, 3.9), 64) + ellipsoid((-7.5, 16, -1.3), (6.5, 3, 3.0), 64)
    add(scene, "Sky", Surface(corners, [[0, 1, 2, 3]]), "sky")
    add(scene, "Sun disc", _disc((5.6, 29, 6.4), 2.9), "sun").visible_shadow = False
    add(scene, "Far hill", far, "far hill")
    add(scene, "Near hill", near, "near hill")
    add(scene, "Ground", _ground(), "ground")
    for number, place in enumerate(TREES, 1):
        trunk, crown = _tree(*place)
        add(scene, f"Trunk {number}", trunk, "trunk")
        add(scene, f"Leaves {number}", crown, "leaves")
    for number, (centre, radii) in enumerate(STONES, 1):
        add(scene, f"Stone {number}", ellipsoid(centre, radii, 28), "stone")
    for number, (x, y, size) in enumerate(TUFTS, 1):
        add(scene, f"Grass {number}", _tuft(x, y, size, number), "grass")


def toadstool() -> tuple[Surface, list[Region]]:
    """Its surface, standing at the origin, and what on it is not cap."""
    profile = (  # height, radius
        (0.0, 0.10), (0.03, 0.145), (0.16, 0.115), (0.30, 0.10), (0.335, 0.12), (0.34, 0.30), (0.37, 0.335),
        (0.42, 0.325), (0.52, 0.25), (0.59, 0.13), (0.61, 0.005)
    )  # fmt: skip
    rows = smooth_path(profile, 60)
    path = np.stack([0 * rows[:, 0], 0 * rows[:, 0], np.maximum.accumulate(rows[:, 0]) + np.arange(60) * 1e-5], 1)
    surface = sweep(path, np.maximum(rows[:, 1], 0.004)[:, None] * [1.0, 1.0], sides=48)
    # Around the cap: angle, part of its radius, height, size.
    places = (
        (0.1, 0.93, 0.455, 0.075), (1.25, 1.0, 0.43, 0.06), (2.4, 0.95, 0.45, 0.075), (3.6, 1.0, 0.43, 0.06),
        (4.7, 0.93, 0.455, 0.075), (5.65, 0.98, 0.43, 0.055), (0.7, 0.45, 0.57, 0.06), (3.0, 0.5, 0.56, 0.06),
        (5.0, 0.4, 0.58, 0.05)
    )  # fmt: skip
    dots = [Region("dot", (0.3 * s * np.sin(a), -0.3 * s * np.cos(a), z), (r, r, r)) for a, s, z, r in places]
    return surface, [Region("stem", (0, 0, 0.10), (0.23, 0.23, 0.243)), *dots]
