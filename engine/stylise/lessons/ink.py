"""Outlines: where borders, leaps in depth and folds run, how far each pixel is from them, and the line a painter makes of that.
It knows sights and looks, no scenes."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.stylise.lessons.looks import Look
from engine.stylise.lessons.sight import Sight

NOWHERE = 1e6


def _halves(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    many = x.shape[axis] - 1
    return x.narrow(axis, 1, many), x.narrow(axis, 0, many)


def _borders(sight: Sight, look: Look) -> tuple[Tensor, Tensor]:
    """(F, H, W) bool, the pixels that lie along a border on the side where the painter draws, and the id of the nearer object."""
    found, owner = torch.zeros_like(sight.ids, dtype=torch.bool), torch.zeros_like(sight.ids)
    depth = torch.where(sight.ids > 0, sight.depth, 20.0)
    for axis in (-1, -2):
        here, there = _halves(sight.ids, axis)
        step = torch.sub(*_halves(depth, axis))
        edge = here != there
        if look.ink_leaps:
            edge = edge | (step.abs() > look.ink_leap)
        if look.ink_folds:
            edge = edge | ((torch.mul(*_halves(sight.normal, axis)).sum(1) < look.ink_fold) & (here > 0) & (there > 0))
        if look.ink_albedo is not None:
            edge = edge | (torch.sub(*_halves(sight.albedo, axis)).abs().amax(1) > look.ink_albedo)
        near = torch.where(step < 0, here, there)
        for side, nearer in zip(range(2), (step <= 0, step >= 0), strict=True):
            wanted = edge if look.ink_side == "both" else edge & (nearer if look.ink_side == "in" else ~nearer)
            _halves(found, axis)[side].logical_or_(wanted)
            old = _halves(owner, axis)[side]
            old.copy_(torch.where(wanted, near, old))
    return found, owner


def _nearest(found: Tensor) -> tuple[Tensor, Tensor]:
    """Distance (F, H, W) to the nearest pixel of `found`, in pixels, as far as 15, and its flat index."""
    frames, height, width = found.shape
    row = torch.arange(height, device=found.device, dtype=torch.float32)[:, None]
    column = torch.arange(width, device=found.device, dtype=torch.float32)[None]
    y, x = torch.where(found, row, NOWHERE), torch.where(found, column, NOWHERE)
    best = torch.where(found, 0.0, 2 * NOWHERE**2)
    for reach in (8, 4, 2, 1, 1):
        for dy in (-reach, 0, reach):
            for dx in (-reach, 0, reach):
                if not (dx or dy):
                    continue
                y2, x2 = torch.roll(y, (dy, dx), (-2, -1)), torch.roll(x, (dy, dx), (-2, -1))
                apart = (row - y2) ** 2 + (column - x2) ** 2
                nearer = apart < best
                best = torch.where(nearer, apart, best)
                y, x = torch.where(nearer, y2, y), torch.where(nearer, x2, x)
    frame = torch.arange(frames, device=found.device)[:, None, None] * (height * width)
    there = y < NOWHERE
    index = torch.where(there, frame + (y * width + x).where(there, torch.zeros_like(y)).long(), 0)
    return best.clamp(max=1e4).sqrt(), index


class Lines:
    """The outlines of a sight in a look. distance: (N) to the nearest, in pixels of the picture."""

    def __init__(self, sight: Sight, look: Look, light: Tensor, noise: Tensor) -> None:
        self.sight, self.look, self.light, self.noise = sight, look, light, noise
        found, owner = _borders(sight, look)
        apart, index = _nearest(found)
        self.apart, self.index = apart.flatten(), index.flatten()
        self.owner = owner.flatten()[self.index]
        self.distance = self.apart / 2

    def cover(self) -> Tensor:
        """(N) how much ink, 0 to 1."""
        look, depth = self.look, self.sight.depth.flatten()
        width = look.ink_width * (1 + look.ink_varies * self.noise[0] + look.ink_shade * (0.5 - self.light.clamp(0, 1)))
        if look.ink_gaps is not None:
            width = torch.where(self.noise[1] > look.ink_gaps, 0.0, width)
        width = width[self.index] * look.ink_weights[self.owner]
        half = width if look.ink_side == "both" else 2 * width  # in pixels of the sight, from the border on
        cover = (half - self.apart - look.ink_wobble * self.noise[2]).clamp(0, 1) * (width > 0)
        if look.ink_side != "both":
            deep = torch.where(self.sight.number > 0, depth, 20.0)
            behind = deep - deep[self.index]
            cover = cover * ((behind < 0.04) if look.ink_side == "in" else (behind > -0.04))
        return cover * look.ink_opacity

    def colour(self, tones: Tensor) -> Tensor:
        """(3, N)."""
        if self.look.ink_local is None:
            return self.look.palette.ink[:, None].expand_as(tones[0])
        return self.look.palette.tones[0][:, self.owner] * self.look.ink_local
