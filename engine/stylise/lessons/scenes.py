"""Random shots: what stands where, how it is lit, how it and the camera move between the frames. Draws numbers on the CPU and
hands them over as the tables that trace.py and shading.py read; knows no pictures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from engine.stylise.lessons import shapes, solids
from engine.stylise.lessons.solids import Matrix, Solid, Vector
from engine.stylise.lessons.trace import Camera, Group, Planes


@dataclass
class Thing:
    """An object of a scene: what it is, where (frame → origin, rotation), and how it is warped (frame → WARP)."""

    solid: Solid | None  # None: a rectangle
    half: Vector
    pose: Callable[[float], tuple[Vector, Matrix]]
    bend: Callable[[float], list[float]]


@dataclass(frozen=True)
class Scene:
    """Tables on a device; frames first. half: (3, ids + 1), half edges of the objects' boxes. pixel: (ids + 1), what a pixel
    of the first frame covers there. sun: (F, 3), towards it. sky: number of the object that shines by itself, or 0."""

    groups: list[Group]
    planes: Planes
    camera: Camera
    half: Tensor
    pixel: Tensor
    sun: Tensor
    sky: int
    unit: float


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


def _still(_: float) -> list[float]:
    return [0.0] * len(shapes.WARP)


def _arc(curve: float) -> list[float]:
    """The columns of an arc of this curvature."""
    return [0.0] * 3 if abs(curve) < 1e-2 else [1 / curve, 1 / abs(curve), math.copysign(1.0, curve)]


def _bends(rng: Random, solid: Solid, span: float) -> Callable[[float], list[float]]:
    """Warps of an object over time, gentle enough to be marched against."""
    hx, hy, hz = solid.half
    girth = max(hx, hy, 0.3 * hz)
    tall = max(hz, 0.6 * girth)  # what is flat is not wound up by a warp along its thickness
    is_sheet = "sheet" in solid.tags
    if not is_sheet and rng.random() < (0.25 if solid.thin else 0.45):
        return _still
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


def _moves(rng: Random, at: Vector, turn: Matrix, span: float, size: float) -> Callable[[float], tuple[Vector, Matrix]]:
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


def _camera(
    rng: Random, span: float, low: float, far: float, spread: float
) -> Callable[[float], tuple[Vector, Matrix]]:
    """Where the camera stands and its rows right, down, ahead."""
    u = rng.uniform
    kind = rng.choice(["still", "orbit", "pan", "dolly", "hand", "all"])
    turn0, lift = u(0, 6.3), u(0.02, 0.9) if rng.random() < 0.85 else u(0.9, 1.4)
    aim0 = (u(-0.3, 0.3), u(-0.3, 0.3), u(low, 0.8))
    orbit, tilt = _wave(rng, span, 0.7), _wave(rng, span, 0.3)
    dolly = _wave(rng, span, 0.4)
    pans = [_wave(rng, span, 1.2 * far * spread) for _ in range(3)]
    shakes = [_wave(rng, 4 * span, 0.06 * far * spread) for _ in range(3)]
    roll, rolls = rng.gauss(0, 0.08), _wave(rng, span, 0.15)

    def place(t: float) -> tuple[Vector, Matrix]:
        a = turn0 + (orbit(t) if kind in ("orbit", "all") else 0)
        b = max(-0.1, min(1.45, lift + (tilt(t) if kind in ("orbit", "all") else 0)))
        d = far * math.exp(max(-0.6, min(0.6, dolly(t)))) if kind in ("dolly", "all") else far
        aim = list(aim0)
        for i in range(3):
            aim[i] += pans[i](t) - pans[i](0) if kind in ("pan", "all") else 0
            aim[i] += shakes[i](t) if kind == "hand" else 0
        still = aim0 if kind == "pan" else aim
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


def _solid(rng: Random, kind: str, size: float, pixel: float) -> Solid:
    if kind == "rod":
        return solids.rod(rng, pixel)
    if kind == "sheet":
        return solids.sheet(rng, size)
    if kind == "body":
        return solids.body(rng, 1.3 * size)
    if kind == "bush":
        return solids.bush(rng, 1.2 * size, pixel)
    return solids.single(rng, size)


def _things(rng: Random, span: float, pixel: float, ground: bool) -> list[Thing]:
    """2 to 14 objects that stand on z = 0 or float."""
    recipe = rng.choice(["mixed", "mixed", "props", "body", "meadow", "crowd", "close"])
    weights = {
        "mixed": [5, 2, 1, 2, 2], "props": [9, 1, 1, 0, 0], "body": [2, 1, 1, 6, 1],
        "meadow": [2, 6, 1, 1, 5], "crowd": [5, 1, 1, 4, 1], "close": [4, 1, 1, 4, 0],
    }[recipe]  # fmt: skip
    count = {"close": rng.randint(2, 4), "crowd": rng.randint(8, 12), "meadow": rng.randint(6, 12)}.get(
        recipe, rng.randint(3, 9)
    )
    area = {"close": 0.6, "crowd": 2.3}.get(recipe, rng.uniform(1.0, 2.2))
    out: list[Thing] = []
    taken: list[tuple[float, float, float]] = []
    for _ in range(count):
        size = rng.uniform(0.3, 0.8) * (1.7 if recipe == "close" else 0.75 if recipe == "crowd" else 1)
        kind = rng.choices(["single", "rod", "sheet", "body", "bush"], weights)[0]
        solid = _solid(rng, kind, size, pixel)
        for _ in range(8):
            x, y = rng.uniform(-area, area), rng.uniform(-area, area)
            wide = min(max(solid.half[0], solid.half[1]), 1.0)
            if all(math.hypot(x - a, y - b) > 0.8 * (wide + r) for a, b, r in taken):
                break
        taken.append((x, y, wide))
        stands = ground and rng.random() < 0.75
        lies = kind == "sheet" and rng.random() < 0.5
        turn = solids.spin(rng, upright=stands and not lies)
        if kind == "sheet" and stands and not lies:  # hangs
            turn = solids.times(turn, solids.about((1, 0, 0), math.pi / 2))
            up = solid.half[1] + 0.15
        else:
            up = solid.half[2]
        z = up if stands else rng.uniform(0.2, 1.6)
        out.append(Thing(solid, solid.half, _moves(rng, (x, y, z), turn, span, 0.6), _bends(rng, solid, span)))
    return out


def _rectangles(rng: Random, ground: bool, sky: bool) -> list[tuple[Vector, Matrix, tuple[float, float]]]:
    """Ground, wall, backdrop."""
    out: list[tuple[Vector, Matrix, tuple[float, float]]] = []
    if ground:
        wide = rng.choice([2.6, 4.0, 40.0, 40.0])
        out.append(((0, 0, 0), solids.spin(rng, upright=True), (wide, wide * rng.uniform(0.8, 1.2))))
    if rng.random() < 0.25:
        angle = rng.uniform(0, 6.3)
        turn = solids.times(solids.about((0, 0, 1), angle), solids.about((0, 1, 0), math.pi / 2))
        out.append(((3.4 * math.cos(angle), 3.4 * math.sin(angle), 0.0), turn, (rng.choice([1.5, 3.0, 9.0]), 9.0)))
    if sky:
        out.append(((0, 0, 0), solids.UPRIGHT, (400.0, 400.0)))  # lesson by lesson set before the camera
    return out


def draw(seed: int, side: int, frames: int, device: torch.device) -> Scene:
    """A shot of `frames` + 1 frames, the key first; side: of the picture, in pixels."""
    rng = Random(seed * 2 + 1)
    span = math.exp(rng.uniform(math.log(0.1), math.log(1.5)))
    times = [0.0, *(rng.choice([-1, 1]) * rng.uniform(0.3, 1.0) for _ in range(frames))]
    ground, sky = rng.random() < 0.7, rng.random() < 0.2
    spread = math.tan(rng.uniform(0.22, 0.55))
    far = rng.uniform(0.8, 2.1) / spread
    pixel = 2 * spread / side
    things = _things(rng, span, pixel * far, ground)
    place = _camera(rng, span, 0.0 if ground else -0.5, far, spread)
    cameras = [place(t) for t in times]
    far_enough = [th for th in things if math.dist(th.pose(0.0)[0], cameras[0][0]) > 0.4 * far + 0.6 * max(th.half)]
    things = far_enough if len(far_enough) > 1 else things
    for at, turn, half in _rectangles(rng, ground, sky):
        if half[0] > 300:
            ahead = cameras[0][1][2]
            at = tuple(ahead[i] * 60 for i in range(3))  # type: ignore[assignment]
            right, down, _ = cameras[0][1]
            turn = tuple((right[i], down[i], ahead[i]) for i in range(3))  # type: ignore[assignment]
        fixed = (at, turn)
        things.append(Thing(None, (half[0], half[1], 0.0), lambda t, fixed=fixed: fixed, _still))  # type: ignore[misc]
    return _tables(rng, things, cameras, times, spread, pixel, span, sky, seed, device)


def _sun(rng: Random, cameras: list[tuple[Vector, Matrix]], times: list[float], span: float) -> list[Vector]:
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


def _tables(
    rng: Random, things: list[Thing], cameras: list[tuple[Vector, Matrix]], times: list[float], spread: float,
    pixel: float, span: float, sky: bool, seed: int, device: torch.device,
) -> Scene:  # fmt: skip
    """Numbers the things from 1 in random order and lays out what the tracer reads."""
    numbers = list(range(1, len(things) + 1))
    rng.shuffle(numbers)
    poses = [[[*at, *turn[0], *turn[1], *turn[2]] for at, turn in (thing.pose(t) for t in times)] for thing in things]
    generator = torch.Generator().manual_seed(seed)

    def table(rows: object) -> Tensor:
        return torch.tensor(rows, dtype=torch.float32, device=device)

    groups = []
    for several in (False, True):
        own = [i for i, th in enumerate(things) if th.solid and (len(th.solid.parts) > 1) == several]
        if not own:
            continue
        half = table([things[i].half for i in own]).T
        rows = [things[i].bend(t) for i in own for t in times]
        warps = table(rows).unflatten(0, (-1, len(times))).permute(1, 2, 0).contiguous()
        flat = warps.permute(1, 0, 2).flatten(1)
        high = half[:, None].expand(-1, len(times), -1).flatten(1)
        longest, box = shapes.stretch(high, flat, generator)
        warps[:, -1] = longest.reshape(len(times), -1)
        used = frozenset(name for name, column in shapes.KINDS.items() if any(r[column] for r in rows))
        parts = [things[i].solid.parts for i in own]  # type: ignore[union-attr]
        groups.append(
            Group(
                number=torch.tensor([numbers[i] for i in own], device=device),
                pose=table([poses[i] for i in own]).permute(1, 2, 0).contiguous(),
                warps=warps,
                used=used,
                parts=table(parts).permute(1, 2, 0).contiguous(),
                smooth=table([things[i].solid.smooth for i in own]),  # type: ignore[union-attr]
                box=box.unflatten(2, (len(times), -1)),
            )
        )
    flats = [i for i, th in enumerate(things) if th.solid is None]
    planes = Planes(
        torch.tensor([numbers[i] for i in flats], dtype=torch.int64, device=device),
        table([poses[i] for i in flats]).permute(1, 2, 0).contiguous() if flats else table([]),
        table([things[i].half[:2] for i in flats]).reshape(-1, 2).T,
    )
    boxes, widths = [(0.0, 0.0, 0.0)] * (len(things) + 1), [pixel] * (len(things) + 1)
    for i, number in enumerate(numbers):
        boxes[number] = things[i].half
        away = [a - b for a, b in zip(poses[i][0][:3], cameras[0][0], strict=True)]
        ahead = sum(a * b for a, b in zip(away, cameras[0][1][2], strict=True))
        widths[number] = pixel * max(ahead, 1.0)
    camera = Camera(table([c[0] for c in cameras]), table([c[1] for c in cameras]), table([spread] * len(times)))
    glow = numbers[-1] if sky else 0
    unit = math.exp(rng.uniform(-1.2, 1.2))
    sun = table(_sun(rng, cameras, times, span))
    return Scene(groups, planes, camera, table(boxes).T, table(widths), sun, glow, unit)
