"""Random objects: each a few parts in its own frame at rest, and the box they fill. Lengths are in units of a scene whose things
are about one unit large. It knows the tables of shapes.py, no scenes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

Vector = tuple[float, float, float]
Matrix = tuple[Vector, Vector, Vector]
UPRIGHT: Matrix = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
PARTS = 6  # of an object that has several


@dataclass
class Solid:
    """parts: rows of PART and the offset and rotation. half: half edges of the box about the origin. smooth: width of the
    joints. stiff: whether it is never warped. thin: a thing of lines."""

    parts: list[list[float]]
    half: Vector
    smooth: float = 1e-4
    stiff: bool = False
    thin: bool = False
    tags: set[str] = field(default_factory=set)


def spin(rng: Random, upright: bool = False) -> Matrix:
    """A random rotation, about z alone if upright."""
    if upright:
        a = rng.uniform(0, 2 * math.pi)
        return ((math.cos(a), -math.sin(a), 0), (math.sin(a), math.cos(a), 0), (0, 0, 1))
    return about((rng.gauss(0, 1), rng.gauss(0, 1), rng.gauss(0, 1)), rng.uniform(0, math.pi))


def about(axis: Vector, angle: float) -> Matrix:
    """Rotation about an axis of any length."""
    n = math.sqrt(sum(a * a for a in axis)) or 1.0
    x, y, z = (a / n for a in axis)
    c, s = math.cos(angle), math.sin(angle)
    k = 1 - c
    return (
        (c + x * x * k, x * y * k - z * s, x * z * k + y * s),
        (y * x * k + z * s, c + y * y * k, y * z * k - x * s),
        (z * x * k - y * s, z * y * k + x * s, c + z * z * k),
    )


def times(a: Matrix, b: Matrix) -> Matrix:
    """Matrix product."""
    rows = [tuple(sum(a[i][k] * b[k][j] for k in range(3)) for j in range(3)) for i in range(3)]
    return (rows[0], rows[1], rows[2])  # type: ignore[return-value]


def _row(
    rect: tuple[float, float] = (0, 0), corner: float = 0, hole: float = -1, half: float = 0, taper: float = 0,
    round: float = 0, scale: Vector = (1, 1, 1), offset: Vector = (0, 0, 0), turn: Matrix = UPRIGHT,
) -> list[float]:  # fmt: skip
    flat = [v for row in turn for v in row]
    return [*rect, corner, hole, half, taper, round, *scale, *offset, *flat]


def reach(row: list[float]) -> tuple[Vector, float]:
    """Half edges of a part's box in its own frame, and the radius of a ball around it."""
    out = row[2] + max(row[3], 0) + row[6]
    half = ((row[0] + out) * row[7], (row[1] + out) * row[8], (row[4] + row[6]) * row[9])
    return half, math.sqrt(sum(h * h for h in half))


def _simple(rng: Random, size: float) -> list[float]:
    """One primitive, about `size` in radius."""
    u = rng.uniform
    kind = rng.choices(
        ["ball", "egg", "box", "soft", "drum", "pill", "ring", "cone", "frame", "tube", "coin"],
        [3, 3, 3, 4, 3, 3, 2, 2, 1, 1, 1],
    )[0]
    if kind == "ball":
        return _row(round=size)
    if kind == "egg":
        return _row(round=size, scale=(u(0.5, 1.1), u(0.5, 1.1), u(0.6, 1.25)))
    if kind == "box":
        return _row((size * u(0.3, 1), size * u(0.3, 1)), half=size * u(0.3, 1.2), round=0.004)
    if kind == "soft":
        r = size * u(0.05, 0.3)
        return _row((size * u(0.2, 0.8), size * u(0.2, 0.8)), corner=size * u(0, 0.2), half=size * u(0.2, 0.9), round=r)
    if kind == "drum":
        return _row(corner=size * u(0.3, 0.9), half=size * u(0.2, 1.3), round=size * rng.choice([0.01, 0.05, 0.12]))
    if kind == "pill":
        return _row(half=size * u(0.4, 1.3), round=size * u(0.15, 0.5))
    if kind == "ring":
        return _row(corner=size * u(0.6, 1), hole=0, round=size * u(0.08, 0.35))
    if kind == "cone":
        r, h = size * u(0.4, 1), size * u(0.5, 1.2)
        return _row(corner=r, half=h, taper=u(0.4, 0.97) * r / (2 * h), round=0.01)
    if kind == "frame":
        rect = (size * u(0.5, 1), size * u(0.3, 0.8))
        return _row(rect, corner=size * u(0, 0.2), hole=size * u(0.03, 0.12), half=size * u(0.05, 0.5), round=0.02)
    if kind == "tube":
        return _row(corner=size * u(0.4, 0.8), hole=size * u(0.02, 0.08), half=size * u(0.3, 1), round=0.01)
    return _row(corner=size * u(0.6, 1), half=size * u(0.02, 0.1), round=0.02)


def single(rng: Random, size: float) -> Solid:
    """One primitive, standing along z."""
    row = _simple(rng, size)
    return Solid([row], reach(row)[0])


def rod(rng: Random, pixel: float) -> Solid:
    """A stick or blade; pixel: what one pixel covers at its distance."""
    width = pixel * rng.uniform(0.4, 2.2)
    flat = rng.random() < 0.4
    scale = (1.0, 0.45, 1.0) if flat else (1.0, 1.0, 1.0)
    half = rng.uniform(0.4, 1.6)
    taper = rng.choice([0, 0.8]) * width / (2 * half)
    row = _row(corner=width * 0.6, half=half, taper=taper, round=width * 0.4, scale=scale)
    return Solid([row], reach(row)[0], thin=True)


def sheet(rng: Random, size: float) -> Solid:
    """A cloth or a sheet of paper, flat at rest, to be folded."""
    row = _row((size * rng.uniform(0.6, 1.3), size * rng.uniform(0.5, 1.2)), half=0.008, round=0.012)
    return Solid([row], reach(row)[0], tags={"sheet"})


def _box_of(parts: list[list[float]]) -> Vector:
    """Half edges of a box about the origin that holds the parts' balls."""
    half = [0.0, 0.0, 0.0]
    for row in parts:
        edges = reach(row)[0]
        for i in range(3):  # the turned box: part frame to object frame is the transpose
            own = sum(abs(row[13 + 3 * k + i]) * edges[k] for k in range(3))
            half[i] = max(half[i], abs(row[10 + i]) + own)
    return (half[0], half[1], half[2])


def body(rng: Random, size: float) -> Solid:
    """Primitives that flow into each other: a trunk, a head, limbs."""
    u = rng.uniform
    trunk = _row(round=size * u(0.25, 0.45), half=size * u(0.1, 0.4), scale=(u(0.8, 1.3), u(0.7, 1.0), 1.0))
    parts = [trunk]
    top = reach(trunk)[0][2]
    parts.append(_row(round=size * u(0.18, 0.36), offset=(u(-0.1, 0.1) * size, u(-0.1, 0.1) * size, top * u(0.9, 1.2))))
    while len(parts) < PARTS:
        if rng.random() < 0.75:
            turn = spin(rng)
            long, r = size * u(0.15, 0.45), size * u(0.06, 0.17)
            ends = [turn[2][i] * long for i in range(3)]
            at = (ends[0] + u(-0.15, 0.15) * size, ends[1] + u(-0.1, 0.1) * size, ends[2] + u(-0.5, 0.5) * top)
            parts.append(_row(half=long, round=r, offset=at, turn=turn))
        else:
            at = (u(-0.4, 0.4) * size, u(-0.4, 0.4) * size, u(-0.6, 0.9) * size)
            parts.append([*_simple(rng, size * 0.35)[:10], *at, *[v for row in spin(rng) for v in row]])
    return Solid(parts, _box_of(parts), smooth=size * u(0.03, 0.25))


def bush(rng: Random, size: float, pixel: float) -> Solid:
    """A tuft of stalks from one root, some with something on top."""
    u = rng.uniform
    parts = []
    low = -size * 0.6
    width = pixel * u(0.4, 1.8)
    for number in range(PARTS):
        turn = about((u(-1, 1), u(-1, 1), 0), u(0, 0.7))
        half = size * u(0.35, 0.75)
        way = turn[2]
        root = (u(-0.25, 0.25) * size, u(-0.25, 0.25) * size)
        if number == PARTS - 1 and rng.random() < 0.5:
            parts.append(_row(round=size * u(0.08, 0.25), offset=(root[0], root[1], low + size * u(0.6, 1.3))))
            continue
        at = (root[0] + way[0] * half, root[1] + way[1] * half, low + way[2] * half)
        scale = (1.0, rng.choice([0.4, 1.0]), 1.0)
        taper = u(0, 0.9) * width / (2 * half)
        parts.append(
            _row(corner=width * 0.6, half=half, taper=taper, round=width * 0.4, scale=scale, offset=at, turn=turn)
        )
    return Solid(parts, _box_of(parts), thin=True)
