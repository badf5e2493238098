"""The analytic baseline: SLERP and straight lines between keys, smooth curves that keep the velocity at the keys, an
artist's curves that come to rest where they turn back, damped velocity after the last key.

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
CAPTURED, SPARSE = 2.0, 4.0  # frames between keys: up to the first they are captured, from the second on an artist's
SLOW_END = 0.5  # of the mean speed to its only neighbour: that of a first and a last key
STEEPEST = 3.0  # of the slower mean speed beside a key: the speed through it with which no curve overshoots
ROUNDS = 6  # in which speeds at keys come to agree with those at the next keys


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


Difference = Callable[[Tensor, Tensor], Tensor]


def bends(x: Tensor, gap: Gaps, difference: Difference) -> tuple[Tensor, Tensor]:
    """What to add to the straight interpolation of x so that its velocity goes on through the key before and the key
    after: two vectors (..., T, J, C), a cubic Hermite's tangents less the secant, zero at both keys.

    The velocity at a key is that of the parabola through it and its neighbours: on captured motion the last frame's
    own, on sparse keys Catmull and Rom's. A joint that has the same value at both keys is held: nothing is added.
    """
    sides = _sides(x, gap, difference)
    return _hermite(gap, sides, sides.start, sides.end)


def eased(x: Tensor, gap: Gaps, difference: Difference) -> tuple[Tensor, Tensor]:
    """The same with velocities as an artist's curves have them: at rest where the motion turns back or holds, on its way as
    evenly accelerated as can be without overshooting. Where keys are as close as captured frames they tell the velocity."""
    sides, at_keys = _sides(x, gap, difference), speeds(x, gap, difference)

    captured = (sides.since + sides.until > 0) & (sides.since <= CAPTURED) & (sides.until <= CAPTURED)

    def mixed(given: Tensor, own: Tensor, far: Tensor) -> Tensor:
        artist = torch.where(
            far > 0, ((far - CAPTURED) / (SPARSE - CAPTURED)).clamp(0.0, 1.0), (~captured).to(given.dtype)
        )
        return given + artist * (own - given)

    start = mixed(sides.start, pick(at_keys, gap.before), sides.since)
    return _hermite(gap, sides, start, mixed(sides.end, pick(at_keys, gap.after), sides.until))


def sparse(gap: Gaps) -> Tensor:
    """Which gaps lie among an artist's keys: with others before or after them, and none as close as captured frames."""
    since, until = gap.before - gap.earlier, gap.later - gap.after
    apart = [(far == 0) | (far > CAPTURED) for far in (since, until)]
    return (since + until > 0) & apart[0] & apart[1]


def speeds(x: Tensor, gap: Gaps, difference: Difference) -> Tensor:
    """The velocity at each key of x, to be read at keys alone: along the mean direction of the ways before and after it, for
    square to that it turns back; as a cubic spline's, but no faster than STEEPEST."""
    frames = torch.arange(x.shape[-3], device=x.device)[:, None].expand(gap.before.shape)
    since, until = (frames - gap.earlier)[..., None].to(x.dtype), (gap.later - frames)[..., None].to(x.dtype)
    before, after = 1.0 / since.clamp_min(1), 1.0 / until.clamp_min(1)
    come, go = difference(pick(x, gap.earlier), x) * before, difference(x, pick(x, gap.later)) * after
    fast = [v.norm(dim=-1, keepdim=True) for v in (come, go)]
    mean = 0.5 * (come / fast[0].clamp_min(1e-9) + go / fast[1].clamp_min(1e-9))
    straight = mean.norm(dim=-1, keepdim=True)  # 1 where the motion goes straight on, 0 where it turns back
    along, top = mean / straight.clamp_min(1e-9), STEEPEST * torch.minimum(*fast) * straight
    inner = (since > 0) & (until > 0)
    lone = SLOW_END * torch.where(since > 0, come, go)
    found = torch.where(inner, along * torch.minimum(0.5 * sum(fast) * straight, top), lone)
    for _ in range(ROUNDS):
        sooner, later = pick(found, gap.earlier), pick(found, gap.later)
        even = (3.0 * (come * before + go * after) - sooner * before - later * after) / (2.0 * (before + after))
        size = (even * along).sum(-1, keepdim=True).clamp_min(0.0)
        found = torch.where(inner, along * torch.minimum(size, top), lone)
    return found


@dataclass(frozen=True)
class _Sides:
    """Of each gap: the mean velocity, those at its start and end by the parabola, frames since the key before its start and
    until the one after its end, and where it moves at all."""

    secant: Tensor
    start: Tensor
    end: Tensor
    since: Tensor
    until: Tensor
    moving: Tensor


def _sides(x: Tensor, gap: Gaps, difference: Difference) -> _Sides:
    start, end = pick(x, gap.before), pick(x, gap.after)
    span = gap.span[..., None]
    since, until = (gap.before - gap.earlier)[..., None], (gap.later - gap.after)[..., None]
    secant = difference(start, end) / span
    incoming = difference(pick(x, gap.earlier), start) / since.clamp_min(1) - secant
    outgoing = difference(end, pick(x, gap.later)) / until.clamp_min(1) - secant
    first = secant + incoming * (since > 0) * span / (since + span)
    second = secant + outgoing * (until > 0) * span / (until + span)
    return _Sides(secant, first, second, since, until, (start != end).any(-1, keepdim=True))


def _hermite(gap: Gaps, sides: _Sides, start: Tensor, end: Tensor) -> tuple[Tensor, Tensor]:
    """What velocities at the start and the end of a gap add to the straight way."""
    u, long = gap.u[..., None], gap.span[..., None] * sides.moving
    return u * (1 - u) ** 2 * long * (start - sides.secant), u**2 * (u - 1) * long * (end - sides.secant)


def smooth_rotations(rotations: Tensor, gap: Gaps) -> Tensor:
    """Rotations (..., T, J, 4) kept at their keys, with an artist's continuous velocity through them."""
    first, second = eased(rotations, gap, turn_between)
    plain = slerp(rotations, gap)
    return torch.where(gap.u[..., None] > 0, quat.multiply(plain, quat.exp(first + second)), plain)


def smooth(x: Tensor, gap: Gaps) -> Tensor:
    """Vectors (..., T, J, C) kept at their keys, with an artist's continuous velocity through them."""
    first, second = eased(x, gap, move_between)
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
