"""The patch discriminator: tells painted patches from generated ones, given the guides that both were painted after, so that it
judges whether these strokes fit this light on this object. It knows tensors only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


@dataclass(frozen=True)
class DiscriminatorParams:
    """guides: channels of engine.stylise.features. wide, deep: widths at half and quarter size."""

    guides: int
    wide: int
    deep: int


class Discriminator(nn.Module):
    """Guides (B, C, H, W) and picture (B, 3, H, W) to one score per patch of about 20 pixels (B, 1, H/4, W/4)."""

    def __init__(self, params: DiscriminatorParams) -> None:
        super().__init__()
        self.enter = spectral_norm(nn.Conv2d(4 * (3 + params.guides), params.wide, 3, padding=1))
        self.down = spectral_norm(nn.Conv2d(params.wide, params.deep, 4, stride=2, padding=1))
        self.middle = spectral_norm(nn.Conv2d(params.deep, params.deep, 3, padding=1))
        self.score = spectral_norm(nn.Conv2d(params.deep, 1, 1))

    def forward(self, guides: Tensor, picture: Tensor) -> Tensor:
        x = F.leaky_relu(self.enter(F.pixel_unshuffle(torch.cat([picture, guides], 1), 2)), 0.2)
        x = F.leaky_relu(self.down(x), 0.2)
        x = F.leaky_relu(self.middle(x), 0.2)
        return self.score(x)
