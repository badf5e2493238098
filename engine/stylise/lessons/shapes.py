"""Solids as distance functions, and the warps that deform them. Every warp has an exact inverse, so that a point of the
deformed surface knows its place at rest and a place at rest knows where the warp takes it.

It knows numbers in tables (one column per point) and nothing of scenes, rays or pictures."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

# The columns of a part of an object. A part is a rounded rectangle (or its outline, if hole >= 0) drawn out along z, tapered,
# then blown up by round; so spheres, boxes, cylinders, capsules, tori, cones and rods are all the same sum.
PART = ("rect_x", "rect_y", "corner", "hole", "half", "taper", "round", "scale_x", "scale_y", "scale_z")
PART_COLUMNS = len(PART) + 12  # then the offset (3) and the rotation (9), rest to part
# The columns of a warp: bulge (how much, where, one by the square of its width), folds (height, waves along x and y, phase),
# twist about z, arc in xz (radius with sign, without, the sign; all 0 if straight), sway of x and y along z (amount, waves,
# phase; the amount for y), and the bound on how the inverse stretches.
WARP = ("bulge", "bulge_z", "bulge_w", "fold", "fold_x", "fold_y", "fold_p", "twist", "radius", "reach", "side",
        "sway", "sway_k", "sway_p", "sway_y", "stretch")  # fmt: skip
KINDS = {"bulge": 0, "fold": 3, "twist": 7, "arc": 10, "sway": 11}  # and the column that is 0 where it is not used
ALL = frozenset(KINDS)
Columns = Sequence[Tensor]


def _turn(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    c, s = torch.cos(angle), torch.sin(angle)
    return c * x - s * y, s * x + c * y


def _girth(w: Columns, z: Tensor) -> Tensor:
    return 1 + w[0] * torch.exp(-(z - w[1]).square() * w[2])


def _fold(w: Columns, x: Tensor, y: Tensor) -> Tensor:
    return w[3] * torch.sin(torch.addcmul(torch.addcmul(w[6], w[4], x), w[5], y))


def _sway(w: Columns, z: Tensor) -> tuple[Tensor, Tensor]:
    angle = torch.addcmul(w[13], w[12], z)
    return w[11] * torch.sin(angle), w[14] * torch.cos(angle)


def warp(points: Tensor, w: Columns) -> Tensor:
    """Rest (3, …) → deformed (3, …); w: the columns of WARP, each (…)."""
    x, y, z = points
    girth = _girth(w, z)
    x, y = x * girth, y * girth
    z = z + _fold(w, x, y)
    x, y = _turn(x, y, w[7] * z)
    bent = w[10] != 0
    angle, away = z / torch.where(bent, w[8], 1.0), w[8] - x
    x, z = torch.where(bent, w[8] - away * torch.cos(angle), x), torch.where(bent, away * torch.sin(angle), z)
    dx, dy = _sway(w, z)
    return torch.stack([x + dx, y + dy, z])


def unwarp(points: Tensor, w: Columns, used: frozenset[str] = ALL) -> tuple[Tensor, Tensor, Tensor]:
    """The inverse of `warp`: x, y, z at rest. used: which of KINDS any of the warps has; the others are passed over."""
    x, y, z = points.unbind()
    if "sway" in used:
        dx, dy = _sway(w, z)
        x, y = x - dx, y - dy
    if "arc" in used:
        bent, away = w[10] != 0, (w[8] - x) * w[10]
        x = torch.where(bent, w[8] - w[10] * torch.hypot(away, z), x)
        z = torch.where(bent, torch.atan2(z, away) * w[9], z)
    if "twist" in used:
        x, y = _turn(x, y, -w[7] * z)
    if "fold" in used:
        z = z - _fold(w, x, y)
    if "bulge" in used:
        girth = _girth(w, z)
        x, y = x / girth, y / girth
    return x, y, z


class Field:
    """Distances to objects, one object for each of N points: warps (len(WARP), N), parts (K, PART_COLUMNS, N), smooth (N),
    the width of the joints between parts."""

    def __init__(self, warps: Tensor, parts: Tensor, smooth: Tensor, used: frozenset[str]) -> None:
        self.warps, self.used, self.smooth = warps.unbind(), used, smooth / 4
        self.rect, self.corner, self.hole, self.half = parts[:, 0:2], parts[:, 2], parts[:, 3], parts[:, 4]
        self.taper, self.round, self.scale, self.offset = parts[:, 5], parts[:, 6], parts[:, 7:10], parts[:, 10:13]
        self.turn = parts[:, 13:22].unflatten(1, (3, 3)) / self.scale[:, :, None]
        self.solid, self.least = self.hole < 0, self.scale.amin(1)
        self.lean = torch.rsqrt(1 + self.taper.square())

    def rest(self, points: Tensor) -> Tensor:
        """(3, N) in the object's frame → (3, N) at rest."""
        return torch.stack(unwarp(points, self.warps, self.used))

    def distance(self, points: Tensor) -> Tensor:
        """(N) signed, never more than the true one, of points (3, N) in the object's frame."""
        inner = (self.turn * (self.rest(points) - self.offset)[:, None]).sum(2)
        z = inner[:, 2]
        beside = inner[:, :2].abs() - self.rect
        x, y = beside.clamp(min=0).unbind(1)
        q = torch.hypot(x, y) + beside.amax(1).clamp_(max=0) - self.corner
        q = torch.where(self.solid, q, q.abs() - self.hole)
        q = torch.addcmul(q, self.taper, z + self.half) * self.lean
        h = z.abs() - self.half
        found = torch.maximum(q, h).clamp_(max=0) + torch.hypot(q.clamp(min=0), h.clamp(min=0))
        found = (found - self.round) * self.least
        joined = found[0] if len(found) == 1 else -self.smooth * torch.logsumexp(found / -self.smooth, 0)
        return joined / self.warps[-1]


def stretch(half: Tensor, warps: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Of warps (len(WARP), G) on boxes about the origin with half edges (3, G): the bound (G) on how much the inverse lengthens
    a step, and a box (2, 3, G), low and high, around the deformed one; both by trying points."""
    tries = torch.rand(3, 200, 1, generator=generator).to(half.device)
    tries = ((tries - 0.5) * 2.8).clamp(-1, 1)  # corners, edges and faces too
    w = warps[:, None].expand(-1, 200, -1).unbind()
    there = warp(tries * half[:, None], w)
    box = torch.stack([there.amin(1), there.amax(1)])
    margin = 0.08 * (box[1] - box[0]) + 4e-3
    radius = there.square().sum(0).sqrt().amax(0)
    reach, back = 1e-3 * radius, torch.stack(unwarp(there, w))
    columns = []
    for axis in range(3):
        step = torch.zeros_like(there)
        step[axis] = reach
        columns.append((torch.stack(unwarp(there + step, w)) - back) / reach)
    jacobian = torch.stack(columns, -1).permute(1, 2, 0, 3)  # (200, G, 3, 3)
    v = torch.ones(3, 1, device=half.device)
    for _ in range(6):
        v = jacobian.mT @ (jacobian @ v)
        v = v / v.square().sum(-2, keepdim=True).sqrt().clamp(min=1e-9)
    longest = (jacobian @ v).square().sum((-2, -1)).sqrt().amax(0)
    return (longest * 1.1).clamp(1.0, 6.0), torch.stack([box[0] - margin, box[1] + margin])
