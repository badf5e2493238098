"""The surface that a view shows, as tensors on the device that works with them: which rest-pose point lies under each pixel, how
it changes from pixel to pixel, where it ends. It knows views; neither keys nor networks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.stylise.views import View

_FAR = 1e30  # what is not compared is summed instead: several times faster
LEAP = 0.06  # of the logarithm of the distance: one part of an object before another


@dataclass(frozen=True)
class Surface:
    """What one frame shows. points: (3, H, W) float32, rest-pose point in object units. ids: (H, W) int32. slopes: (2, 3, H, W)
    float32, change of the point by one pixel to the right and down. footprint: (H, W) float32, edge of the square that has the
    area of surface under a pixel. edges: (4, H, W) float32, how much a pixel borders on another object, on a leap in depth, on
    a fold, 0 to 1, and whether on a border it is the nearer side (1) or the farther (-1). sizes: (highest id + 1, 3) float32,
    edges of the objects' boxes. corner: row and column of the frame at which it begins. finer: how many of its pixels are as wide
    as one of the keys'."""

    points: Tensor
    ids: Tensor
    slopes: Tensor
    footprint: Tensor
    edges: Tensor
    sizes: Tensor
    corner: tuple[int, int] = (0, 0)
    finer: float = 1.0

    @classmethod
    def of(cls, view: View, device: torch.device | str = "cpu") -> Surface:
        """The view's surface on a device."""
        points = torch.from_numpy(view.points).to(device).permute(2, 0, 1).contiguous()
        normal = torch.from_numpy(view.normal).to(device).permute(2, 0, 1).contiguous()
        depth = torch.from_numpy(view.depth).to(device)
        ids = torch.from_numpy(view.ids).to(device, torch.int32)
        slopes = _slopes(points, ids)
        edges = _edges(ids, depth, normal) if view.edges is None else _captured(view.edges, device)
        return cls(
            points=points,
            ids=ids,
            slopes=slopes,
            footprint=_area(slopes).sqrt_(),
            edges=torch.cat([edges, _nearer(ids, depth)]),
            sizes=torch.from_numpy(view.sizes).to(device),
            corner=view.corner,
        )


def _area(slopes: Tensor) -> Tensor:
    """(H, W) of the surface under each pixel."""
    (a, b, c), (d, e, f) = slopes
    x, y, z = b * f - c * e, c * d - a * f, a * e - b * d
    return (x * x + y * y + z * z).sqrt_()


def _halves(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Every pixel but the first along an axis (-1 or -2), and the one before it."""
    length = x.shape[axis] - 1
    return x.narrow(axis, 1, length), x.narrow(axis, 0, length)


def _slopes(points: Tensor, ids: Tensor) -> Tensor:
    """(2, 3, H, W). Of the two neighbours the nearer counts, so that an edge is not taken for a slope."""
    slopes = points.new_zeros(2, *points.shape)
    for i, axis in enumerate((-1, -2)):
        here, there = _halves(points, axis)
        step = here - there
        length = step.square().sum(0).add_(torch.ne(*_halves(ids, axis)), alpha=_FAR)
        best = torch.full_like(points[0], _FAR)
        for side, column in zip(_halves(best, axis), (_halves(slopes[i], axis)), strict=True):
            column.lerp_(step, (length < side).float())
            torch.minimum(side, length, out=side)
    return slopes


def _captured(edges: np.ndarray, device: torch.device | str) -> Tensor:
    """(3, H, W) of the guide (H, W, 3) uint8."""
    return torch.from_numpy(edges).to(device).permute(2, 0, 1).float().div_(255)


def _edges(ids: Tensor, depth: Tensor, normal: Tensor) -> Tensor:
    """(3, H, W) as in Surface; depth (H, W) is the logarithm of the distance, normal (3, H, W)."""
    edges = depth.new_zeros(3, *ids.shape)
    for axis in (-1, -2):
        here, there = _halves(ids, axis)
        same = (here == there).float()
        leap = torch.sub(*_halves(depth, axis)).abs_().mul_(8).clamp_(max=1).mul_(same)
        fold = torch.mul(*_halves(normal, axis)).sum(0).neg_().add_(1).clamp_(0, 1).mul_(same)
        fold = fold * (here > 0)  # the background has no normal
        for edge, found in zip(edges, (1 - same, leap, fold), strict=True):
            for side in _halves(edge, axis):
                torch.maximum(side, found, out=side)
    return edges


def _nearer(ids: Tensor, depth: Tensor) -> Tensor:
    """(1, H, W) 1 on the nearer side of a border or a leap, -1 on the farther; elsewhere 0."""
    out = torch.zeros_like(depth)
    depth = depth + 20.0 * (ids == 0)  # the background, whose depth is 0, is behind all
    for axis in (-1, -2):
        step = torch.sub(*_halves(depth, axis))
        side = torch.sign(step) * (torch.ne(*_halves(ids, axis)) | (step.abs() > LEAP))
        for part, sign in zip(_halves(out, axis), (-1, 1), strict=True):
            part.addcmul_(side, 1 - part.abs(), value=sign)  # what came first stays
    return out[None]
