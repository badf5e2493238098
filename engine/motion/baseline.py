"""The analytic baseline: SLERP and straight lines between keys, smooth Hermite curves, damped velocity after the last key.

Every joint and channel has keys at frames of its own. Works for any rig; the networks predict what to add to it. Knows no
file and no network.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine import quat


@dataclass(frozen=True)
class Gaps:
    """For each frame and joint the keys around it, all (..., T, J).

    before, after: frame of the last key at or before, the first at or after (the nearest key beyond the ends);
    u: 0 at `before` to 1 at `after`; 0 where there is no gap.
    """

    before: Tensor
    after: Tensor
    u: Tensor

    @property
    def weight(self) -> Tensor:
        """How much may be added: 0 at keys and beyond the ends, 1 in the middle of a gap."""
        return 4.0 * self.u * (1.0 - self.u)


def gaps(keys: Tensor) -> Gaps:
    """Gaps of the key mask (..., T, J) bool. A joint without any key counts as keyed everywhere: it keeps what it does."""
    keys = keys | ~keys.any(-2, keepdim=True)
    frames = torch.arange(keys.shape[-2], device=keys.device)[:, None].expand(keys.shape)
    last = len(frames) if frames.dim() == 2 else keys.shape[-2]
    before = torch.where(keys, frames, -1).cummax(-2).values
    after = torch.where(keys, frames, last).flip(-2).cummin(-2).values.flip(-2)
    before, after = torch.where(before < 0, after, before), torch.where(after >= last, before, after)
    span = (after - before).clamp_min(1)
    return Gaps(before, after, ((frames - before) / span).clamp(0.0, 1.0))


def pick(x: Tensor, frames: Tensor) -> Tensor:
    """x (..., T, J, C) at each joint's own frames (..., T, J)."""
    return x.gather(-3, frames[..., None].expand(*frames.shape, x.shape[-1]))


def slerp(rotations: Tensor, gap: Gaps) -> Tensor:
    """Rotations (..., T, J, 4) kept at their keys, spherically interpolated between them."""
    return quat.slerp(pick(rotations, gap.before), pick(rotations, gap.after), gap.u)


def lerp(x: Tensor, gap: Gaps) -> Tensor:
    """Vectors (..., T, J, C) kept at their keys, straight between them."""
    a, b = pick(x, gap.before), pick(x, gap.after)
    return torch.where(gap.u[..., None] > 0, a + gap.u[..., None] * (b - a), a)
