"""The analytic baseline: SLERP and straight lines between keys, smooth curves that keep the velocity at the keys,
damped velocity after the last key.

Every joint and channel has keys at frames of its own. Works for any rig; the networks predict what to add to it. Knows
no file and no network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from engine import quat

REST = 0.1  # seconds in which a coasting velocity falls to a third


@dataclass(frozen=True)
class Gaps:
    """For each frame and joint the keys around it, all (..., T, J): frame numbers, and the share of the gap gone by.

    before, after: the last key at or before, the first at or after (beyond the ends: the nearest key).
    earlier, later: the key before `before`, the key after `after` (the same where there is none).
    u: 0 at `before` to 1 at `after`; 0 where there is no gap.
    """

    before: Tensor
    after: Tensor
    earlier: Tensor
    later: Tensor
    u: Tensor

    @property
    def span(self) -> Tensor:
        """Frames from key to key, at least 1."""
        return (self.after - self.before).clamp_min(1)


def gaps(keys: Tensor) -> Gaps:
    """Gaps of the key mask (..., T, J) bool. A joint without keys counts as keyed everywhere: it keeps what it does."""
    keys = keys | ~keys.any(-2, keepdim=True)
    last = keys.shape[-2]
    frames = torch.arange(last, device=keys.device)[:, None].expand(keys.shape)
    before = torch.where(keys, frames, -1).cummax(-2).values
    after = torch.where(keys, frames, last).flip(-2).cummin(-2).values.flip(-2)
    before, after = torch.where(before < 0, after, before), torch.where(after >= last, before, after)
    earlier = torch.cat([before[..., :1, :], before[..., :-1, :]], -2).gather(-2, before)
    later = torch.cat([after[..., 1:, :], after[..., -1:, :]], -2).gather(-2, after)
    u = (frames - before) / (after - before).clamp_min(1)
    return Gaps(before, after, earlier, later, torch.where(after > before, u, 0.0))


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


def turn_between(a: Tensor, b: Tensor) -> Tensor:
    """The rotation vector from a to b, in the axes of both."""
    return quat.log(quat.multiply(quat.conjugate(a), b))


def move_between(a: Tensor, b: Tensor) -> Tensor:
    """The way from a to b."""
    return b - a


def bends(x: Tensor, gap: Gaps, difference: Callable[[Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """What to add to the straight interpolation of x so that its velocity goes on through the key before and the key
    after: two vectors (..., T, J, C), a cubic Hermite's tangents less the secant, zero at both keys.

    The velocity at a key is that of the parabola through it and its neighbours: on captured motion the last frame's
    own, on sparse keys Catmull and Rom's. A joint that has the same value at both keys is held: nothing is added.
    """
    start, end = pick(x, gap.before), pick(x, gap.after)
    span, u = gap.span[..., None], gap.u[..., None]
    since, until = (gap.before - gap.earlier)[..., None], (gap.later - gap.after)[..., None]
    secant = difference(start, end) / span
    incoming = difference(pick(x, gap.earlier), start) / since.clamp_min(1) - secant
    outgoing = difference(end, pick(x, gap.later)) / until.clamp_min(1) - secant
    moving = (start != end).any(-1, keepdim=True) * span**2
    first = u * (1 - u) ** 2 * moving * incoming * (since > 0) / (since + span)
    second = u**2 * (u - 1) * moving * outgoing * (until > 0) / (until + span)
    return first, second


def smooth_rotations(rotations: Tensor, gap: Gaps) -> Tensor:
    """Rotations (..., T, J, 4) kept at their keys, with continuous velocity through them."""
    first, second = bends(rotations, gap, turn_between)
    plain = slerp(rotations, gap)
    return torch.where(gap.u[..., None] > 0, quat.multiply(plain, quat.exp(first + second)), plain)


def smooth(x: Tensor, gap: Gaps) -> Tensor:
    """Vectors (..., T, J, C) kept at their keys, with continuous velocity through them."""
    first, second = bends(x, gap, move_between)
    return lerp(x, gap) + first + second


def coast(x: Tensor, free: Tensor, frames: int, fps: float) -> Tensor:
    """Vectors (T, J, C) played on: (frames, J, C), the last velocity dying away where `free` (J,)."""
    velocity = x[-1] - x[-min(2, len(x))]
    return x[-1] + velocity * _coasting(free, frames, fps)


def coast_values(x: Tensor, free: Tensor, frames: int, fps: float) -> Tensor:
    """Numbers (T, C, 1) played on in the same way; one that has turned back before stays where it has been."""
    made, steps = coast(x, free, frames, fps), x.diff(dim=0)
    back = (steps > 0).any(0) & (steps < 0).any(0)
    return torch.where(back, made.clamp(x.amin(0), x.amax(0)), made)


def coast_rotations(rotations: Tensor, free: Tensor, frames: int, fps: float) -> Tensor:
    """Rotations (T, J, 4) played on in the same way."""
    velocity = turn_between(rotations[-min(2, len(rotations))], rotations[-1])
    return quat.multiply(rotations[-1].expand(frames, -1, -1), quat.exp(velocity * _coasting(free, frames, fps)))


def _coasting(free: Tensor, frames: int, fps: float) -> Tensor:
    """How many frames of the last velocity have been covered, (frames, J, 1)."""
    time = torch.arange(1, frames + 1) / (REST * fps)
    return (REST * fps * (1.0 - torch.exp(-time)))[:, None, None] * free[:, None]
