"""One lesson: a random shot, a random painter's picture of every frame of it, and where the key shows what the other frames
show. It ties scenes, tracing, shading and painting together; it knows no network."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import torch
from torch import Tensor

from engine.stylise.lessons import painting, scenes, shapes, trace
from engine.stylise.lessons.looks import Look
from engine.stylise.lessons.scenes import Scene
from engine.stylise.lessons.shading import Albedo, Lights
from engine.stylise.lessons.trace import Hits

FAR = 1e3  # how far a ray may go, in scene units


class Frame(NamedTuple):
    """One frame, or several stacked along a first dimension. render, albedo, paint: (3, H, W) 0 to 1, sRGB (albedo 0 in the
    background). ids: (H, W) int64, 0 in the background. points: (3, H, W) rest-pose point in object units (background: column,
    row, 0 as parts of the width). normal: (3, H, W) of the world, 0 in the background. depth: (H, W) log distance, 0 there."""

    render: Tensor
    albedo: Tensor
    ids: Tensor
    points: Tensor
    normal: Tensor
    depth: Tensor
    paint: Tensor


class Lesson(NamedTuple):
    """key: the painted frame. frames: others of its shot, stacked (T, …). xy: (T, H, W, 2) where the key shows the same surface
    point, pixels of the key, x first, pixel centres at integers. seen: (T, H, W) bool, whether it does show it."""

    key: Frame
    frames: Frame
    xy: Tensor
    seen: Tensor


def _rays(scene: Scene, side: int, frames: int) -> tuple[Tensor, Tensor, Tensor]:
    """Frame (N), origin and direction (3, N) of the rays: of each frame the picture at double size, then at its own."""
    device = scene.sun.device
    xs, ys = [], []
    for grid, offset, step in ((2 * side, -0.25, 0.5), (side, 0.0, 1.0)):
        at = torch.arange(grid, device=device, dtype=torch.float32) * step + offset
        y, x = torch.meshgrid(at, at, indexing="ij")
        xs.append(x.flatten())
        ys.append(y.flatten())
    x, y = torch.cat(xs).repeat(frames), torch.cat(ys).repeat(frames)
    frame = torch.arange(frames, device=device).repeat_interleave(5 * side * side)
    return frame, *scene.camera.rays(frame, x, y, side)


def _split(x: Tensor, frames: int, side: int) -> tuple[Tensor, Tensor]:
    """(C, N) or (N) of all rays → the double pictures (F, [C,] 2 side, 2 side) and the plain ones."""
    many = 4 * side * side
    x = x.reshape(*x.shape[:-1], frames, -1).movedim(-2, 0)
    big, small = x[..., :many], x[..., many:]
    return big.unflatten(-1, (2 * side, 2 * side)), small.unflatten(-1, (side, side))


def _half(x: Tensor) -> Tensor:
    """Mean of 2 × 2 pixels of (F, C, H, W)."""
    return torch.nn.functional.avg_pool2d(x, 2)


def _columns(scene: Scene, frame: int) -> tuple[Tensor, Tensor]:
    """Poses (12, ids + 1) and warps of all objects in a frame, by id."""
    count = scene.half.shape[1]
    poses = scene.half.new_zeros(12, count)
    warps = scene.half.new_zeros(len(shapes.WARP), count)
    for group in scene.groups:
        poses[:, group.number], warps[:, group.number] = group.pose[frame], group.warps[frame]
    if scene.planes.number.numel():
        poses[:, scene.planes.number] = scene.planes.pose[frame]
    return poses, warps


def _correspondence(
    scene: Scene, side: int, ids: Tensor, rest: Tensor, key_ids: Tensor, key_rest: Tensor, key_t: Tensor, facing: Tensor
) -> tuple[Tensor, Tensor]:
    """xy and seen of frames whose ids (T, H, W) and rest (T, 3, H, W) are given, in the key, which is given at double size."""
    poses, warps = _columns(scene, 0)
    flat, number = rest.movedim(1, 0).flatten(1), ids.flatten()
    pose = poses[:, number]
    world = trace.rotate(pose, shapes.warp(flat, warps[:, number].unbind())) + pose[:3]
    x, y, ahead = scene.camera.project(0, world, side)
    at = torch.arange(side, device=ids.device, dtype=torch.float32)
    row, column = torch.meshgrid(at, at, indexing="ij")
    back = number == 0
    x = torch.where(back, column.flatten().repeat(len(ids)), x)
    y = torch.where(back, row.flatten().repeat(len(ids)), y)
    inside = (x > -0.5) & (y > -0.5) & (x < side - 0.5) & (y < side - 0.5) & ((ahead > 0.01) | back)
    i, j = (((a + 0.5) * 2).floor().clamp(0, 2 * side - 1).nan_to_num().long() for a in (y, x))
    near = i * 2 * side + j
    apart = (key_rest.flatten(1)[:, near] - flat).square().sum(0).sqrt()
    pixel = 2 * scene.camera.spread[0] / side
    allowed = 0.75 * pixel * key_t.flatten()[near] * (1 + 1 / facing.flatten()[near].clamp(min=0.2))
    same = (key_ids.flatten()[near] == number) & ((apart < allowed) | back)
    shape = ids.shape
    xy = torch.stack([x, y], -1).nan_to_num().clamp(-4 * side, 5 * side)
    return xy.reshape(*shape, 2), (same & inside).reshape(shape)


@torch.no_grad()
def make_lesson(seed: int, side: int = 256, frames: int = 3, device: torch.device | str = "cpu") -> Lesson:
    """The lesson of a seed: a key and `frames` other frames, side × side pixels, on the device."""
    device = torch.device(device)
    scene = scenes.draw(seed, side, frames, device)
    total, rng = frames + 1, Random(seed * 2)
    frame, start, way = _rays(scene, side, total)
    pixel = (2 * scene.camera.spread / side)[frame]
    hits = Hits.none(start)
    hits.t.fill_(FAR)
    trace.meet_planes(hits, scene.planes, frame, start, way)
    for group in scene.groups:
        trace.meet_group(hits, group, frame, start, way, pixel)
    count = scene.half.shape[1] - 1
    albedo = Albedo(rng, count, scene.half, scene.pixel).of(hits)
    sun = scene.sun[frame].T
    facing = (hits.normal * sun).sum(0)
    asked = (facing > 0) & (hits.number > 0) & (hits.number != (scene.sky or -1))
    asked.unflatten(0, (total, -1))[:, 4 * side * side :] = False  # the picture at its own size is not shaded
    ask = asked.nonzero()[:, 0]
    from_here = start[:, ask] + hits.t[ask] * way[:, ask] + hits.normal[:, ask] * (1.5 * pixel * hits.t)[ask]
    free = torch.ones_like(facing)
    free[ask] = (~trace.hidden(scene.groups, frame[ask], from_here, sun[:, ask], pixel[ask])).float()
    lights = Lights(rng, seed)
    cover = pixel * hits.t / scene.pixel[hits.number] / -(hits.normal * way).sum(0).clamp(max=-0.1)
    shaded = lights.shade(hits, albedo, facing.clamp(min=0) * free, way, sun, scene.sky)

    def split(x: Tensor) -> tuple[Tensor, Tensor]:
        return _split(x, total, side)

    high = torch.linspace(1, 0, 2 * side, device=device)[:, None].expand(2 * side, 2 * side)
    ids2, ids1 = split(hits.number)
    behind = lights.background(high)
    light = torch.where(ids2[:, None] > 0, split(shaded)[0], behind)
    lights.expose(light[0], ids2[0] > 0)
    render = lights.develop(_half(light))
    t2, t1 = split(hits.t)
    seen2 = painting.Sight(
        ids=ids2, rest=split(hits.rest)[0], normal=split(hits.normal)[0], depth=t2.clamp(max=FAR).log(),
        facing=split(facing)[0], free=split(free)[0], way=split(way)[0], sun=scene.sun, albedo=split(albedo)[0],
        render=render, behind=lights.develop(behind[None], grainy=False)[0], half=scene.half, pixel=scene.pixel,
        cover=split(cover)[0],
    )  # fmt: skip
    paint = _half(painting.paint(seen2, Look(Random(seed * 2 + 1000003), seen2)).clamp(0, 1))
    rest1, normal1 = split(hits.rest)[1], split(hits.normal)[1]
    stacked = _stack(scene, render, split(albedo)[1], ids1, rest1, normal1, t1, paint)
    cosine = -(seen2.normal[0] * seen2.way[0]).sum(0)
    xy, seen = _correspondence(scene, side, ids1[1:], rest1[1:], ids2[0], seen2.rest[0], t2[0], cosine)
    return Lesson(Frame(*(x[0] for x in stacked)), Frame(*(x[1:] for x in stacked)), xy, seen)


def _stack(
    scene: Scene, render: Tensor, albedo: Tensor, ids: Tensor, rest: Tensor, normal: Tensor, t: Tensor, paint: Tensor
) -> Frame:
    """All frames, stacked, as the engine would read them from a shot's guides."""
    side = ids.shape[-1]
    there = (ids > 0)[:, None]
    at = torch.arange(side, device=ids.device, dtype=torch.float32) / side
    row, column = torch.meshgrid(at, at, indexing="ij")
    screen = torch.stack([column, row, torch.zeros_like(row)])
    points = (rest + scene.half[:, ids].movedim(0, 1)) * scene.unit
    return Frame(
        render=render,
        albedo=albedo.clamp(1e-9, 1) ** (1 / 2.2) * there,
        ids=ids,
        points=torch.where(there, points, screen),
        normal=normal * there,
        depth=(t * scene.unit).log() * (ids > 0),
        paint=paint,
    )
