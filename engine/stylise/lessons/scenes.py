"""Random shots: what stands where, how it is lit, how it and the camera move between the frames. Draws numbers on the CPU and
hands them over as the tables that trace.py and shading.py read; knows no pictures."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from engine.stylise.lessons import moves, shapes, solids
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
        out.append(
            Thing(solid, solid.half, moves.moves(rng, (x, y, z), turn, span, 0.6), moves.bends(rng, solid, span))
        )
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


def _middle(rng: Random, things: list[Thing]) -> Vector:
    """Where the camera aims: near the middle of a few things."""
    some = [thing.pose(0.0)[0] for thing in rng.sample(things, rng.randint(1, min(4, len(things))))]
    x, y, z = (sum(at[i] for at in some) / len(some) + rng.gauss(0, 0.2) for i in range(3))
    return x, y, max(z, 0.1)


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
    place = moves.camera(rng, span, _middle(rng, things), 0.0 if ground else -0.5, far, spread)
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
        things.append(Thing(None, (half[0], half[1], 0.0), lambda t, fixed=fixed: fixed, moves.still))  # type: ignore[misc]
    return _tables(rng, things, cameras, times, spread, pixel, span, sky, seed, device)


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
    sun = table(moves.sun(rng, cameras, times, span))
    return Scene(groups, planes, camera, table(boxes).T, table(widths), sun, glow, unit)
