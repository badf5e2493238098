"""How things, cameras and the sun of a random shot move and bend over time, as functions of time. It knows the columns of
shapes.py, no scenes."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from engine.stylise.lessons import shapes, solids
from engine.stylise.lessons.solids import Matrix, Solid, Vector


def _unit(v: Vector) -> Vector:
    n = math.sqrt(sum(a * a for a in v)) or 1.0
    return (v[0] / n, v[1] / n, v[2] / n)


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _wave(rng: Random, span: float, size: float) -> Callable[[float], float]:
    """A value that changes with time: steadily, or to and fro."""
    if rng.random() < 0.5:
        rate = rng.gauss(0, 1) * size * span
        return lambda t: rate * t
    rate, phase = rng.uniform(1, 4) * span, rng.uniform(0, 6.3)
    return lambda t: size * 0.5 * math.sin(phase + rate * t)


def still(_: float) -> list[float]:
    return [0.0] * len(shapes.WARP)


def _arc(curve: float) -> list[float]:
    """The columns of an arc of this curvature."""
    return [0.0] * 3 if abs(curve) < 1e-2 else [1 / curve, 1 / abs(curve), math.copysign(1.0, curve)]


def bends(rng: Random, solid: Solid, span: float) -> Callable[[float], list[float]]:
    """Warps of an object over time, gentle enough to be marched against."""
    hx, hy, hz = solid.half
    girth = max(hx, hy, 0.3 * hz)
    tall = max(hz, 0.6 * girth)  # what is flat is not wound up by a warp along its thickness
    is_sheet = "sheet" in solid.tags
    if not is_sheet and rng.random() < (0.25 if solid.thin else 0.45):
        return still
    u = rng.uniform
    on = {name: rng.random() < chance for name, chance in
          {"bulge": 0.25, "fold": 1.0 if is_sheet else 0.15, "twist": 0.3, "arc": 0.45, "sway": 0.35}.items()}  # fmt: skip
    most = min(1.1 / tall, 0.5 / girth)
    arc0, arc1 = u(-1, 1) * most * on["arc"], _wave(rng, span, 0.5 * most * on["arc"])
    twist0, twist1 = rng.gauss(0, 0.5) / tall * on["twist"], _wave(rng, span, 0.5 / tall * on["twist"])
    waves = (u(1.5, 6) / girth, u(0, 5) / girth)
    fold = on["fold"] * u(0.3, 0.9) / max(waves[0], waves[1]) * (0.8 if is_sheet else 0.25)
    slide, swing = _wave(rng, span, 2.5), _wave(rng, span, 1.5)
    sway = on["sway"] * u(0.05, 0.3) * min(tall, 1.0)
    k, p, kp = u(0.4, 1.8) / tall, u(0, 6.3), u(0, 6.3)
    bulge = on["bulge"] * u(-0.35, 0.6)
    at, wide, breath = u(-0.7, 0.7) * tall, u(0.4, 1.0) * tall, _wave(rng, span, 0.2 * on["bulge"])

    def bend(t: float) -> list[float]:
        arc = max(-1.2 * most, min(1.2 * most, arc0 + arc1(t)))
        girth_now = max(-0.5, min(0.8, bulge + breath(t)))
        return [girth_now, at, wide**-2, fold, waves[0], waves[1], kp + slide(t), twist0 + twist1(t), *_arc(arc), sway, k,
                p + swing(t), sway * 0.6, 1.0]  # fmt: skip

    return bend


def moves(rng: Random, at: Vector, turn: Matrix, span: float, size: float) -> Callable[[float], tuple[Vector, Matrix]]:
    """A pose over time."""
    if rng.random() < 0.35:
        return lambda t: (at, turn)
    shift = [_wave(rng, span, size * rng.choice([0.15, 0.5, 0.9])) for _ in range(3)]
    axis = rng.choice([(0.0, 0.0, 1.0), (rng.gauss(0, 1), rng.gauss(0, 1), rng.gauss(0, 1))])
    angle = _wave(rng, span, rng.choice([0.0, 0.3, 1.2]))

    def pose(t: float) -> tuple[Vector, Matrix]:
        x, y, z = (a + f(t) - f(0) for a, f in zip(at, shift, strict=True))
        return (x, y, z), solids.times(solids.about(axis, angle(t)), turn)

    return pose


def camera(
    rng: Random, span: float, middle: Vector, low: float, far: float, spread: float
) -> Callable[[float], tuple[Vector, Matrix]]:
    """Where the camera stands and its rows right, down, ahead."""
    u = rng.uniform
    kind = rng.choice(["still", "orbit", "pan", "dolly", "hand", "all"])
    turn0, lift = u(0, 6.3), u(0.02, 0.9) if rng.random() < 0.85 else u(0.9, 1.4)
    orbit, tilt = _wave(rng, span, 0.7), _wave(rng, span, 0.3)
    dolly = _wave(rng, span, 0.4)
    pans = [_wave(rng, span, 1.2 * far * spread) for _ in range(3)]
    shakes = [_wave(rng, 4 * span, 0.06 * far * spread) for _ in range(3)]
    roll, rolls = rng.gauss(0, 0.08), _wave(rng, span, 0.15)

    def place(t: float) -> tuple[Vector, Matrix]:
        a = turn0 + (orbit(t) if kind in ("orbit", "all") else 0)
        b = max(-0.1, min(1.45, lift + (tilt(t) if kind in ("orbit", "all") else 0)))
        d = far * math.exp(max(-0.6, min(0.6, dolly(t)))) if kind in ("dolly", "all") else far
        aim = list(middle)
        for i in range(3):
            aim[i] += pans[i](t) - pans[i](0) if kind in ("pan", "all") else 0
            aim[i] += shakes[i](t) if kind == "hand" else 0
        still = middle if kind == "pan" else aim
        at = [
            still[i] + d * v for i, v in enumerate((math.cos(a) * math.cos(b), math.sin(a) * math.cos(b), math.sin(b)))
        ]
        at[2] = max(at[2], low + 0.25)
        ahead = _unit((aim[0] - at[0], aim[1] - at[1], aim[2] - at[2]))
        right = _unit(_cross(ahead, (0, 0, 1)))
        down = _cross(ahead, right)
        r = roll + (rolls(t) if kind in ("hand", "all") else 0)
        c, s = math.cos(r), math.sin(r)
        tilted = [tuple(c * p + s * q for p, q in zip(right, down, strict=True)),
                  tuple(c * q - s * p for p, q in zip(right, down, strict=True))]  # fmt: skip
        return (at[0], at[1], at[2]), (tilted[0], tilted[1], ahead)  # type: ignore[return-value]

    return place


def sun(rng: Random, cameras: list[tuple[Vector, Matrix]], times: list[float], span: float) -> list[Vector]:
    """Directions towards the sun: above, mostly not from behind the picture."""
    ahead = cameras[0][1][2]
    angle = math.atan2(-ahead[1], -ahead[0]) + rng.uniform(-2.2, 2.2)
    height = rng.uniform(0.25, 1.3)
    walk, climb = _wave(rng, span, rng.choice([0.0, 0.3, 0.9])), _wave(rng, span, rng.choice([0.0, 0.3]))
    out = []
    for t in times:
        a, h = angle + walk(t), max(0.15, min(1.5, height + climb(t)))
        out.append((math.cos(a) * math.cos(h), math.sin(a) * math.cos(h), math.sin(h)))
    return out
