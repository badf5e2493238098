"""The colours that a sequence has. What is put together of several pictures, or predicted, has others, as a flame washed with
what is behind it; each of those is made the nearest that there was. It knows tensors only."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

LEVELS = 16  # of each channel, which make up cells of colour
CHUNK = 4096  # cells at once
MOST = 4096  # of the cells, the most frequent, that colours are moved to
NEAR = 0.5  # cells off, a colour is left as it is


class Colours:
    """Of pictures (4, H, W), tones premultiplied by alpha, of any sizes."""

    def __init__(self, pictures: Iterable[Tensor], device: torch.device) -> None:
        counts = torch.zeros(LEVELS**4, dtype=torch.long)
        for picture in pictures:
            counts += torch.bincount(_cells(picture[None].float().cpu()).flatten(), minlength=LEVELS**4)
        common = counts.argsort(descending=True)[: min(MOST, int((counts > 0).sum()))]
        places = torch.stack([torch.arange(LEVELS**4) // LEVELS**n % LEVELS for n in (3, 2, 1, 0)], 1).float()
        nearest = torch.cat([torch.cdist(part, places[common]).argmin(1) for part in places.split(CHUNK)])
        turn = places[common][nearest] - places
        length = turn.norm(dim=1, keepdim=True)
        turn = turn * (1 - NEAR / length.clamp(min=NEAR)) / LEVELS
        turn[counts > 0] = 0
        self._turn = turn.to(device)

    def __call__(self, pictures: Tensor) -> Tensor:
        """(B, 4, H, W) of colours that there were, or nearly; what is brighter than white is left as it is."""
        turned = (pictures + self._turn[_cells(pictures)].permute(0, 3, 1, 2)).clamp(min=0)
        return torch.where(pictures.amax(1, keepdim=True) > 1, pictures, turned)


def _cells(pictures: Tensor) -> Tensor:
    """(B, H, W) int64, the cell of each colour of (B, 4, H, W)."""
    levels = (pictures * LEVELS).long().clamp(0, LEVELS - 1)
    return ((levels[:, 0] * LEVELS + levels[:, 1]) * LEVELS + levels[:, 2]) * LEVELS + levels[:, 3]
