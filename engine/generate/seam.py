"""Where one stretch of pictures gives way to another: each pixel changes over once, at its own time, where both look most alike,
so that no picture is two seen through each other. A least cut through space and time, as a convex problem solved by primal and
dual steps. It knows tensors only."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.generate.networks import enlarge

CELL = 2  # pixels a side that change over together
TIME = 4.0  # times as dear is a change in time as one in space, so that few pixels change at once
HELD = 4.0  # times dearer is one between frames that are alike, as drawings on twos are
LEAST = 0.04  # tones: what a change costs where both are the same, so that it is short
PREFERENCE = 2.0  # mean costs that a preference of 1 is worth
WIDE = 9  # pixels: finer than that is detail, which is of the one or the other
LIGHT = 0.5  # tones in all channels: more is no difference of light
ROUNDS = 300
ISLAND = 0.015  # of the picture: smaller parts do not stand alone
RISE, FALL = (
    1.0,
    0.08,
)  # steps of the dual and the primal variables; their product is below 1 over the sum of all squared differences


def choose(first: Tensor, second: Tensor, prefer: Tensor) -> Tensor:
    """(L, 1, H, W), 0 the first to 1 the second, of two stretches (L, C, H, W), sides multiples of CELL. prefer: (L, 1, H, W), -1
    for the first to 1 for the second. Before them all is the first, after them all the second."""
    apart = F.avg_pool2d((first - second).abs().sum(1, keepdim=True), CELL)[:, 0] + LEAST
    pace = first.diff(dim=0).abs().mean((1, 2, 3)) + second.diff(dim=0).abs().mean((1, 2, 3))
    held = F.pad(1 + HELD * (1 - pace / max([LEAST, *pace.tolist()])), (1, 1), value=1.0)
    wanted = PREFERENCE * F.avg_pool2d(prefer, CELL)[:, 0]
    taken = _least_cut(apart / apart.mean(), wanted, held) > 0.5
    taken = _without_islands(taken).float()[:, None]
    return F.interpolate(taken, size=first.shape[-2:], mode="bilinear", align_corners=False)


def _without_islands(taken: Tensor) -> Tensor:
    """(L, h, w) bool without small parts on their own: in a picture that is mostly of the second stretch, a scrap of the first
    goes over at once."""
    made = taken.cpu().numpy()
    for t in range(len(made)):
        if made[t].mean() > 0.5:
            made[t:] |= _islands(~made[t])
    return torch.from_numpy(made).to(taken.device)


def _islands(there: np.ndarray) -> np.ndarray:
    """(h, w) bool: parts of a map (h, w) bool that are small."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8))
    is_small = stats[:, cv2.CC_STAT_AREA] < ISLAND * there.size
    is_small[0] = False
    return np.asarray(is_small[labels])


def slowly(chosen: Tensor) -> Tensor:
    """What was chosen, (L, 1, h, w), changing over more slowly in time."""
    whole = torch.cat([torch.zeros_like(chosen[:1]), chosen, torch.ones_like(chosen[:1])])
    return (whole[:-2] + 2 * whole[1:-1] + whole[2:]) / 4


def lay(first: Tensor, second: Tensor, chosen: Tensor, slow: Tensor) -> Tensor:
    """(B, C, H, W): detail of the one or the other as chosen, (B, 1, h, w) of any size; where they are but lit
    differently, tones change over the more widely the coarser they are, and the coarsest as `slow` says, (B, 1, h, w), so that no
    edge is seen."""
    size, full = (chosen.shape[-2], chosen.shape[-1]), (first.shape[-2], first.shape[-1])
    apart = second - first
    area = F.interpolate(apart, size=size, mode="area")
    middle, coarse = only_light(soften(area)), only_light(wide(area))
    made = first + enlarge(chosen, full) * apart
    for band, share in ((middle - coarse, soften(chosen)), (coarse, wide(slow))):
        made = made + enlarge(share - chosen, full) * enlarge(band, full)
    return torch.maximum(torch.minimum(made, torch.maximum(first, second)), torch.minimum(first, second))


def only_light(apart: Tensor, most: float = LIGHT) -> Tensor:
    """Differences of tones (B, C, H, W) without those that are more than light makes, `most` in all channels together."""
    return apart * torch.exp(-((apart.abs().sum(1, keepdim=True) / most) ** 2))


def soften(maps: Tensor, side: int = 3) -> Tensor:
    """Without what is finer than about `side` pixels."""
    for _ in range(2):
        maps = F.avg_pool2d(maps, side, 1, side // 2, count_include_pad=False)
    return maps


def wide(maps: Tensor) -> Tensor:
    """Without what is finer than changes of light are."""
    return soften(maps, WIDE)


def _least_cut(cost: Tensor, wanted: Tensor, held: Tensor) -> Tensor:
    """(L, h, w) from 0 to 1, hardly falling in time, that changes where cost (L, h, w) is small; wanted: what 1 is worth. held:
    (L + 1,), as many times as dear is a change before each frame and after the last."""
    length = len(cost)
    ends = torch.cat([cost[:1], cost, cost[-1:]])
    limit = TIME * held[:, None, None] * _means(ends, 0)
    flows = [torch.zeros_like(limit), torch.zeros_like(cost[:, 1:]), torch.zeros_like(cost[:, :, 1:])]
    ramp = torch.linspace(0, 1, length + 2, device=cost.device)[1:-1, None, None]
    share = ramp.expand_as(cost).clone()
    before, after = torch.zeros_like(cost[:1]), torch.ones_like(cost[:1])
    ahead = share
    for _ in range(ROUNDS):
        whole = torch.cat([before, ahead, after])
        # A change back in time costs so much that there is none.
        flows[0] = torch.maximum(torch.minimum(flows[0] + RISE * whole.diff(dim=0), limit), -20 * limit)
        # Both ways in space together, so that a cut is as dear whichever way it runs.
        down = F.pad(flows[1] + RISE * ahead.diff(dim=1), (0, 0, 0, 1))
        along = F.pad(flows[2] + RISE * ahead.diff(dim=2), (0, 1))
        beyond = (torch.hypot(down, along) / cost).clamp(min=1)
        flows[1], flows[2] = (down / beyond)[:, :-1], (along / beyond)[:, :, :-1]
        out = -flows[0].diff(dim=0)
        out[:, 1:] += flows[1]
        out[:, :-1] -= flows[1]
        out[:, :, 1:] += flows[2]
        out[:, :, :-1] -= flows[2]
        new = (share - FALL * (out - wanted)).clamp(0, 1)
        ahead, share = 2 * new - share, new
    return share


def _means(maps: Tensor, axis: int) -> Tensor:
    """Of neighbours along an axis."""
    count = maps.shape[axis] - 1
    return (maps.narrow(axis, 0, count) + maps.narrow(axis, 1, count)) / 2
