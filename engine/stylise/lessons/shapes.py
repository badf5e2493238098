"""Solids as distance functions, and the warps that deform them. Every warp has an exact inverse, so that a point of the
deformed surface knows its place at rest and a place at rest knows where the warp takes it.

It knows numbers in tables (one column per point) and nothing of scenes, rays or pictures."""

from __future__ import annotations

import torch
from torch import Tensor

# The columns of a part of an object. A part is a rounded rectangle (or its outline, if hole >= 0) drawn out along z, tapered,
# then blown up by round; so spheres, boxes, cylinders, capsules, tori, cones and rods are all the same sum.
PART = ("rect_x", "rect_y", "corner", "hole", "half", "taper", "round", "scale_x", "scale_y", "scale_z")
PART_COLUMNS = len(PART) + 12  # then the offset (3) and the rotation (9), rest to part
# The columns of a warp: bulge (how much, where, how wide), folds (height, waves along x and y, phase), twist about z, arc in xz
# (curvature), sway of x and y along z (amount, waves, phase; the amount for y), the bound on how the inverse stretches.
WARP = ("bulge", "bulge_z", "bulge_w", "fold", "fold_x", "fold_y", "fold_p", "twist", "arc",
        "sway", "sway_k", "sway_p", "sway_y", "stretch")  # fmt: skip
LEAST_ARC = 1e-3


def _turn(x: Tensor, y: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    c, s = torch.cos(angle), torch.sin(angle)
    return c * x - s * y, s * x + c * y


def _girth(w: Tensor, z: Tensor) -> Tensor:
    return 1 + w[0] * torch.exp(-(((z - w[1]) / w[2]) ** 2))


def _fold(w: Tensor, x: Tensor, y: Tensor) -> Tensor:
    return w[3] * torch.sin(w[4] * x + w[5] * y + w[6])


def _sway(w: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    angle = w[10] * z + w[11]
    return w[9] * torch.sin(angle), w[12] * torch.cos(angle)


def warp(points: Tensor, w: Tensor) -> Tensor:
    """Rest (3, …) → deformed (3, …); w: (len(WARP), …)."""
    x, y, z = points
    girth = _girth(w, z)
    x, y = x * girth, y * girth
    z = z + _fold(w, x, y)
    x, y = _turn(x, y, w[7] * z)
    straight = w[8].abs() < LEAST_ARC
    radius = 1 / torch.where(straight, LEAST_ARC, w[8])
    angle = z / radius
    x, z = (
        torch.where(straight, x, radius - (radius - x) * torch.cos(angle)),
        torch.where(straight, z, (radius - x) * torch.sin(angle)),
    )
    dx, dy = _sway(w, z)
    return torch.stack([x + dx, y + dy, z])


def unwarp(points: Tensor, w: Tensor) -> Tensor:
    """The inverse of `warp`."""
    x, y, z = points
    dx, dy = _sway(w, z)
    x, y = x - dx, y - dy
    straight = w[8].abs() < LEAST_ARC
    radius = 1 / torch.where(straight, LEAST_ARC, w[8])
    sign = torch.sign(radius)
    away = (radius - x) * sign
    x, z = (
        torch.where(straight, x, radius - sign * torch.sqrt(away * away + z * z)),
        torch.where(straight, z, torch.atan2(z, away) * radius.abs()),
    )
    x, y = _turn(x, y, -w[7] * z)
    z = z - _fold(w, x, y)
    girth = _girth(w, z)
    return torch.stack([x / girth, y / girth, z])


def _parts(points: Tensor, part: Tensor) -> Tensor:
    """Distances (K, N) of points (3, N) to parts (K, PART_COLUMNS, N); never more than the true ones."""
    x, y, z = (points - part[:, 10:13]).unbind(1)
    turn = part[:, 13:22]
    scale = part[:, 7:10]
    u = (turn[:, 0] * x + turn[:, 1] * y + turn[:, 2] * z) / scale[:, 0]
    v = (turn[:, 3] * x + turn[:, 4] * y + turn[:, 5] * z) / scale[:, 1]
    w = (turn[:, 6] * x + turn[:, 7] * y + turn[:, 8] * z) / scale[:, 2]
    a, b = u.abs() - part[:, 0], v.abs() - part[:, 1]
    q = torch.hypot(a.clamp(min=0), b.clamp(min=0)) + torch.maximum(a, b).clamp(max=0) - part[:, 2]
    q = torch.where(part[:, 3] >= 0, q.abs() - part[:, 3], q)
    q = (q + part[:, 5] * (w + part[:, 4])) * torch.rsqrt(1 + part[:, 5].square())
    h = w.abs() - part[:, 4]
    distance = torch.maximum(q, h).clamp(max=0) + torch.hypot(q.clamp(min=0), h.clamp(min=0))
    return (distance - part[:, 6]) * scale.amin(1)


def distance(points: Tensor, warps: Tensor, parts: Tensor, smooth: Tensor) -> Tensor:
    """Signed distance (N), never more than the true one, of points (3, N) in the object's frame to the objects they are asked
    of: warps (len(WARP), N), parts (K, PART_COLUMNS, N), smooth (N), the width of the joints between parts."""
    found, *others = _parts(unwarp(points, warps), parts).unbind()
    for other in others:
        h = (smooth - (found - other).abs()).clamp(min=0)
        found = torch.minimum(found, other) - h * h / (4 * smooth)
    return found / warps[13]


def stretch(half: Tensor, warps: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Of warps (len(WARP), G) on boxes about the origin with half edges (3, G): the bound (G) on how much the inverse lengthens
    a step, and a box (2, 3, G), low and high, around the deformed one; both by trying points."""
    tries = torch.rand(3, 200, 1, generator=generator).to(half.device)
    tries = ((tries - 0.5) * 2.8).clamp(-1, 1)  # corners, edges and faces too
    w = warps[:, None].expand(-1, 200, -1)
    there = warp(tries * half[:, None], w)
    box = torch.stack([there.amin(1), there.amax(1)])
    margin = 0.08 * (box[1] - box[0]) + 4e-3
    radius = there.square().sum(0).sqrt().amax(0)
    reach, back = 1e-3 * radius, unwarp(there, w)
    columns = []
    for axis in range(3):
        step = torch.zeros_like(there)
        step[axis] = reach
        columns.append((unwarp(there + step, w) - back) / reach)
    jacobian = torch.stack(columns, -1).permute(1, 2, 0, 3)  # (200, G, 3, 3)
    v = torch.ones(3, 1, device=half.device)
    for _ in range(6):
        v = jacobian.mT @ (jacobian @ v)
        v = v / v.square().sum(-2, keepdim=True).sqrt().clamp(min=1e-9)
    longest = (jacobian @ v).square().sum((-2, -1)).sqrt().amax(0)
    return (longest * 1.1).clamp(1.0, 6.0), torch.stack([box[0] - margin, box[1] + margin])
