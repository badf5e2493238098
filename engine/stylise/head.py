"""The last layer of the tone part, solved: of all layers that mix what it looks at into colours, the one that paints the keys
best, by least squares. So a network that has learned what to look at paints after a key at once, before any training. It knows
tensors and the generator."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from engine.stylise.features import GUESS
from engine.stylise.generator import ToneNetwork

SIDE = 384  # pixels of a piece of a key
RIDGE = 1e-3


def neighbours(look: Tensor) -> Tensor:
    """(B, 9 C + 1, H W) of (B, C, H, W): what a 3 x 3 convolution without borders sees at each pixel, and a one."""
    seen = F.unfold(look, 3, padding=1)
    return torch.cat([seen, torch.ones_like(seen[:, :1])], 1)


def sums(network: ToneNetwork, guides: Tensor, paint: Tensor, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The normal equations of keys (B, C, H, W), their paint (B, 3, H, W) and how much each pixel counts (B, 1, H, W): (B, N, N),
    (B, N, 3), and (B, 1, 1) the weight in all."""
    seen, weight = neighbours(network.look(guides)), weight.flatten(2)
    wrong = (paint - guides[:, GUESS]).flatten(2)
    weighed = seen * weight
    return weighed @ seen.transpose(1, 2), weighed @ wrong.transpose(1, 2), weight.sum(2, keepdim=True)


def solve(square: Tensor, cross: Tensor, weight: Tensor) -> Tensor:
    """(B, N, 3) the last layer of these normal equations."""
    square, cross = square / (weight + 1e-6), cross / (weight + 1e-6)
    return torch.linalg.solve(square + RIDGE * torch.eye(square.shape[1], device=square.device), cross)


def as_layer(solved: Tensor) -> tuple[Tensor, Tensor]:
    """Weight (3, C, 3, 3) and bias (3,) of a solution (N, 3)."""
    return solved[:-1].T.reshape(3, -1, 3, 3).contiguous(), solved[-1].contiguous()


def _pieces(shape: torch.Size) -> list[tuple[slice, slice]]:
    """A key in pieces, so that memory stays bounded."""
    height, width = shape
    return [(slice(y, y + SIDE), slice(x, x + SIDE)) for y in range(0, height, SIDE) for x in range(0, width, SIDE)]


@torch.no_grad()
def fit(network: ToneNetwork, keys: list[tuple[Tensor, Tensor, Tensor]]) -> None:
    """Set the network's last layer by keys: guides (C, H, W), paint (3, H, W), weight (1, H, W) each."""
    parts = [sums(network, *(x[None, :, *tile] for x in key)) for key in keys for tile in _pieces(key[0].shape[1:])]
    square, cross, weight = (torch.stack(column).sum(0) for column in zip(*parts, strict=True))
    layer, bias = as_layer(solve(square, cross, weight)[0])
    network.colour.weight.copy_(layer)
    if network.colour.bias is not None:
        network.colour.bias.copy_(bias)
