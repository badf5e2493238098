"""Noise in space: smooth values and random cells, both read off one lattice of random numbers that repeats every 64 cells.
It knows points and nothing of what they are."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

SIDE = 64
CHANNELS = 4


@cache
def _lattice(device: str) -> Tensor:
    """(CHANNELS, SIDE + 1, SIDE + 1, SIDE + 1) in [-1, 1], the last plane of each axis equal to the first."""
    generator = torch.Generator().manual_seed(7)
    values = torch.rand(CHANNELS, SIDE, SIDE, SIDE, generator=generator) * 2 - 1
    for axis in (1, 2, 3):
        values = torch.cat([values, values.narrow(axis, 0, 1)], axis)
    return values.to(device)


def value(points: Tensor) -> Tensor:
    """(3, N) → (CHANNELS, N) independent value noises in [-1, 1], one cell being one unit."""
    cell = points.floor()
    u = points - cell
    place = cell.remainder_(SIDE).add_(u * u * (3 - 2 * u)).mul_(2 / SIDE).sub_(1)
    grid = place.T.reshape(1, 1, 1, -1, 3)
    lattice = _lattice(str(points.device))[None]
    found = torch.nn.functional.grid_sample(lattice, grid, align_corners=True, padding_mode="border")
    return found.reshape(CHANNELS, -1)


def cells(points: Tensor) -> tuple[Tensor, Tensor]:
    """(3, N) → place in the own cell (3, N), each -0.5 to 0.5, and (CHANNELS, N) random numbers of that cell in [0, 1]."""
    cell = points.floor()
    x, y, z = cell.remainder(SIDE).long()
    number = (z * (SIDE + 1) + y) * (SIDE + 1) + x
    own = _lattice(str(points.device)).reshape(CHANNELS, -1).index_select(1, number)
    return points - cell - 0.5, own * 0.5 + 0.5
