"""Rays against solids: what each pixel of several frames shows, and whether the sun sees it. Each ray is marched only against
the objects whose box it meets, all of those pairs in one batch.

It knows the tables of a scene and nothing of colours."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.stylise.lessons import shapes

STEPS = (5, 6, 8, 10, 10, 12, 12)  # of each round; after it, rays that have arrived or left are dropped
CHUNK = 400_000  # pairs at a time
FEW = 0.001  # of the rays: not worth another round


@dataclass(frozen=True)
class Group:
    """Objects of equally many parts. number: (M) int64, ids. pose: (F, 12, M), origin and rotation (object to world, by
    rows). warps: (F, len(WARP), M), and which kinds are
    used. parts: (K, PART_COLUMNS, M). smooth: (M). box: (2, 3, F, M), low and high, around the warped
    object in its own frame."""

    number: Tensor
    pose: Tensor
    warps: Tensor
    used: frozenset[str]
    parts: Tensor
    smooth: Tensor
    box: Tensor


@dataclass(frozen=True)
class Planes:
    """Rectangles in z = 0 of their frame. number: (M). pose: (F, 12, M). half: (2, M), half edges."""

    number: Tensor
    pose: Tensor
    half: Tensor


@dataclass(frozen=True)
class Camera:
    """Pinholes. place: (F, 3). turn: (F, 3, 3), rows right, down, ahead. spread: (F), tangent of half the field of view."""

    place: Tensor
    turn: Tensor
    spread: Tensor

    def rays(self, frame: Tensor, x: Tensor, y: Tensor, side: int) -> tuple[Tensor, Tensor]:
        """Origins and unit directions (3, N) of pixels (N) of a picture `side` wide, pixel centres at integers."""
        spread = self.spread[frame]
        u, v = ((2 * a + 1) / side - 1 for a in (x, y))
        right, down, ahead = self.turn[frame].permute(1, 2, 0)
        way = right * (u * spread) + down * (v * spread) + ahead
        return self.place[frame].T, way / way.square().sum(0).sqrt()

    def project(self, frame: int, points: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
        """World points (3, …) → x, y in pixels, and how far ahead they are."""
        away = points - self.place[frame].reshape(3, *[1] * (points.ndim - 1))
        right, down, ahead = torch.einsum("ij,j...->i...", self.turn[frame], away)
        safe = ahead.clamp(min=1e-4) * self.spread[frame]
        return ((right / safe + 1) * side - 1) / 2, ((down / safe + 1) * side - 1) / 2, ahead


@dataclass
class Hits:
    """What rays (N) meet. number: int64 id, 0 for nothing. t: distance, inf for nothing. rest: (3, N) place at rest in the
    object's frame. normal: (3, N) of the world, towards the ray's origin."""

    number: Tensor
    t: Tensor
    rest: Tensor
    normal: Tensor

    @classmethod
    def none(cls, like: Tensor) -> Hits:
        """Nothing met yet by rays (3, N)."""
        count = like.shape[1]
        return cls(
            torch.zeros(count, dtype=torch.int64, device=like.device),
            torch.full_like(like[0], torch.inf),
            torch.zeros_like(like),
            torch.zeros_like(like),
        )


def rotate(pose: Tensor, v: Tensor) -> Tensor:
    """Object to world: pose (12, N), v (3, N)."""
    return torch.stack([(pose[3 + 3 * i : 6 + 3 * i] * v).sum(0) for i in range(3)])


def rotate_back(pose: Tensor, v: Tensor) -> Tensor:
    """World to object."""
    return torch.stack([pose[3 + i] * v[0] + pose[6 + i] * v[1] + pose[9 + i] * v[2] for i in range(3)])


@dataclass
class _Pairs:
    """Rays with an object each, in the objects' frames."""

    group: Group
    frame: Tensor
    column: Tensor
    start: Tensor
    way: Tensor

    def pick(self, which: Tensor | slice) -> _Pairs:
        return _Pairs(self.group, self.frame[which], self.column[which], self.start[:, which], self.way[:, which])

    def field(self) -> shapes.Field:
        """Distances to the objects."""
        many = self.group.number.shape[0]
        flat = self.group.warps.permute(1, 0, 2).flatten(1)
        warps = flat.index_select(1, self.frame * many + self.column)
        parts = self.group.parts.index_select(2, self.column)
        return shapes.Field(warps, parts, self.group.smooth[self.column], self.group.used)

    def pose(self) -> Tensor:
        many = self.group.number.shape[0]
        return self.group.pose.permute(1, 0, 2).flatten(1).index_select(1, self.frame * many + self.column)


def _meet_boxes(group: Group, frame: Tensor, start: Tensor, way: Tensor) -> tuple[Tensor, _Pairs, Tensor, Tensor]:
    """Rays (3, N) and the boxes they pass: the ray of each pair, the pair, where it enters and leaves."""
    radius = group.box.abs().amax(0).square().sum(0).sqrt()
    rays, columns = [], []
    for k in range(group.number.shape[0]):
        away = group.pose[:, :3, k][frame].T - start
        along = (away * way).sum(0)
        beside = away.square().sum(0) - along.square() - radius[:, k][frame].square()
        rays.append(((beside < 0) & (along > -radius[:, k][frame])).nonzero()[:, 0])
        columns.append(torch.full_like(rays[-1], k))
    ray, column = torch.cat(rays), torch.cat(columns)
    pairs = _Pairs(group, frame[ray], column, start[:, ray], way[:, ray])
    pose = pairs.pose()
    pairs.start, pairs.way = rotate_back(pose, pairs.start - pose[:3]), rotate_back(pose, pairs.way)
    box = group.box.flatten(2)[:, :, pairs.frame * group.number.shape[0] + column]
    ends = (box - pairs.start) / torch.where(pairs.way.abs() < 1e-7, 1e-7, pairs.way)
    near, far = ends.amin(0).amax(0).clamp(min=0), ends.amax(0).amin(0)
    keep = (far > near).nonzero()[:, 0]
    return ray[keep], pairs.pick(keep), near[keep], far[keep]


def _march(pairs: _Pairs, near: Tensor, far: Tensor, fine: Tensor) -> Tensor:
    """How far each pair's ray goes until it is within fine × distance of the object; inf where it passes."""
    out = torch.full_like(near, torch.inf)
    alive = torch.arange(near.shape[0], device=near.device)
    t, fine_now = near.clone(), fine
    for number, steps in enumerate(STEPS):
        if not alive.numel():
            break
        field = pairs.field()
        step = torch.zeros_like(t)
        for _ in range(steps):
            step = field.distance(torch.addcmul(pairs.start, t, pairs.way))
            t = t + step.clamp(max=0.5)
        arrived = step.abs() < fine_now * t.clamp(min=0.05)
        keep = (~arrived & (t < far)).nonzero()[:, 0]
        if number == len(STEPS) - 1 or keep.numel() < FEW * near.numel():  # what is left nearly touches or passes
            arrived, keep = step.abs() < 40 * fine_now * t.clamp(min=0.05), keep[:0]
        out[alive[arrived]] = torch.where(t[arrived] < far[arrived] + 1e-3, t[arrived], torch.inf)
        alive, t, far, fine_now, pairs = alive[keep], t[keep], far[keep], fine_now[keep], pairs.pick(keep)
    return out


def _gradient(points: Tensor, field: shapes.Field, reach: Tensor) -> Tensor:
    """Unit normal (3, N) in the objects' frames, from four tries about each point."""
    total = torch.zeros_like(points)
    for sign in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        corner = torch.tensor(sign, dtype=points.dtype, device=points.device)[:, None]
        total += corner * field.distance(points + corner * reach)
    return total / total.square().sum(0).sqrt().clamp(min=1e-9)


def meet_group(hits: Hits, group: Group, frame: Tensor, start: Tensor, way: Tensor, pixel: Tensor) -> None:
    """Enter into `hits` what is nearer than what it holds. pixel: (N), the width of a pixel at distance one."""
    ray, pairs, near, far = _meet_boxes(group, frame, start, way)
    for some in _chunks(ray):
        _enter(hits, ray[some], pairs.pick(some), near[some], far[some], way, pixel)


def _chunks(ray: Tensor) -> list[slice]:
    """Parts of a batch of pairs that memory holds with all that is computed of them."""
    return [slice(i, i + CHUNK) for i in range(0, ray.shape[0], CHUNK)]


def _enter(hits: Hits, ray: Tensor, pairs: _Pairs, near: Tensor, far: Tensor, way: Tensor, pixel: Tensor) -> None:
    """March the pairs' rays and enter what they meet, if it is nearer than what `hits` holds."""
    t = _march(pairs, near, far, 0.01 * pixel[ray])
    t = torch.where(t > 0.02, t, torch.inf)  # within an object the camera looks through it
    best = hits.t.scatter_reduce(0, ray, t, "amin")
    won = ((t == best[ray]) & (t < hits.t[ray])).nonzero()[:, 0]
    ray, t, pairs = ray[won], t[won], pairs.pick(won)
    points, field = pairs.start + t * pairs.way, pairs.field()
    normal = rotate(pairs.pose(), _gradient(points, field, (0.2 * pixel[ray] * t).clamp(min=4e-4)))
    hits.t[ray], hits.number[ray] = t, pairs.group.number[pairs.column]
    hits.rest[:, ray] = field.rest(points)
    hits.normal[:, ray] = torch.where((normal * way[:, ray]).sum(0) > 0, -normal, normal)


def meet_planes(hits: Hits, planes: Planes, frame: Tensor, start: Tensor, way: Tensor) -> None:
    """The same for rectangles."""
    for column in range(planes.number.shape[0]):
        pose = planes.pose[:, :, column][frame].T
        o, d = rotate_back(pose, start - pose[:3]), rotate_back(pose, way)
        t = -o[2] / torch.where(d[2].abs() < 1e-6, 1e-6, d[2])
        x, y = (o[:2] + t * d[:2]).unbind()
        half = planes.half[:, column]
        won = (t > 1e-3) & (t < hits.t) & (x.abs() < half[0]) & (y.abs() < half[1])
        normal = pose[[5, 8, 11]] * -torch.sign(d[2])
        hits.t = torch.where(won, t, hits.t)
        hits.number = torch.where(won, planes.number[column], hits.number)
        hits.rest = torch.where(won, torch.stack([x, y, torch.zeros_like(x)]), hits.rest)
        hits.normal = torch.where(won, normal, hits.normal)


def hidden(groups: list[Group], frame: Tensor, points: Tensor, way: Tensor, fine: Tensor) -> Tensor:
    """(N) bool: whether an object stands between points (3, N) and the light towards `way` (3, N). fine: (N), length."""
    dark = torch.zeros_like(frame, dtype=torch.bool)
    for group in groups:
        ray, pairs, near, far = _meet_boxes(group, frame, points, way)
        for some in _chunks(ray):
            met = _march(pairs.pick(some), near[some].clamp(min=0) + 1e-4, far[some], 0.1 * fine[ray[some]])
            dark[ray[some][met < torch.inf]] = True
    return dark
