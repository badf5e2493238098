"""What a painter sees of a shot: every frame at twice the picture's size. It knows tensors alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sight:
    """F frames, H × W pixels, twice the picture's. ids: (F, H, W). rest: (F, 3, H, W) place in the object's frame. normal, way:
    (F, 3, H, W), way from the camera. depth: (F, H, W) logarithm. facing: (F, H, W) cosine to the sun. free: 1 where no object
    shades. sun: (F, 3). albedo: linear. render: (F, 3, H / 2, W / 2). behind: (3, H, W) what is behind all, sRGB. half: (3, ids
    + 1) half edges of objects. pixel: (ids + 1) what a pixel of the picture covers there in the first frame. cover: (F, H, W)
    what a pixel covers, as a multiple of that, along the surface's steepest way."""

    ids: Tensor
    rest: Tensor
    normal: Tensor
    depth: Tensor
    facing: Tensor
    free: Tensor
    way: Tensor
    sun: Tensor
    albedo: Tensor
    render: Tensor
    behind: Tensor
    half: Tensor
    pixel: Tensor
    cover: Tensor

    @cached_property
    def number(self) -> Tensor:
        """(N) ids of all pixels of all frames."""
        return self.ids.flatten()

    @cached_property
    def place(self) -> Tensor:
        """(3, N) place at rest in pixels of the picture, as large as they are in the first frame; the background's is its place
        in the picture."""
        frames, height, width = self.ids.shape
        device = self.ids.device
        row, column = torch.meshgrid(
            torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
        )
        screen = torch.stack([column, row, torch.zeros_like(row)]).flatten(1).repeat(1, frames) / 2
        return torch.where(self.number > 0, self.flat(self.rest) / self.pixel[self.number], screen)

    @staticmethod
    def flat(x: Tensor) -> Tensor:
        """(F, C, H, W) → (C, N)."""
        return x.movedim(1, 0).flatten(1)

    def picture(self, x: Tensor) -> Tensor:
        """(C, N) → (F, C, H, W)."""
        return x.unflatten(1, self.ids.shape).movedim(0, 1)
