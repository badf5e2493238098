"""Another take of a motion: the same keys, met in the same way, and between them a little of what a second try would differ
in: its timing, how much is acted, small strays along the ways in which each joint moves anyway. By a seed; knows no
network and no file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from engine import quat
from engine.motion import baseline

PERIOD = 0.7  # seconds from one whim to the next
RAMP = 0.5  # seconds from a key within which a take comes to differ in full
SHORTEST = 0.25  # seconds: gaps shorter than this have no room for whims
WARP = 0.22, 0.12  # how far timing may shift: share of half the gap, and seconds at most
GAIN = 0.6  # share of what was acted that may be added or taken away
STRAY = 0.3  # of how much a joint moves around: how far it may stray
BREATH = 0.012  # radians that a joint which is held may move
SHIVER = 1.3  # times its own jerk: what a take may have at most
MOODS = 6


def whims(frames: int, fps: float, seed: int) -> Tensor:
    """Smooth random curves (frames, MOODS), about -1 to 1, that change their mind every PERIOD seconds."""
    random = np.random.default_rng([seed, 77])
    drawn = random.normal(0.0, 0.9, (int((frames - 1) / (PERIOD * fps)) + 6, MOODS)).clip(-1.8, 1.8)
    at = np.arange(frames) / (PERIOD * fps) + random.uniform(1.0, 2.0)
    low = at.astype(int)
    u = (at - low)[:, None]
    spline = ((1 - u) ** 3, 3 * u**3 - 6 * u**2 + 4, -3 * u**3 + 3 * u**2 + 3 * u + 1, u**3)
    curves = np.stack([w * drawn[low + i - 1] for i, w in enumerate(spline)]).sum(0) / 6.0
    return torch.from_numpy(curves.astype(np.float32))


def room(gap: baseline.Gaps, fps: float) -> Tensor:
    """What each gap allows, (T, J), 0 to 1: nothing at the keys, where a take has the velocity of every other."""
    span = gap.span / fps
    near = torch.minimum(gap.u, 1.0 - gap.u) * span / (span / 2.0).clamp(max=RAMP)
    return (near.clamp(max=1.0) * (torch.pi / 2.0)).sin().square() * ((span - SHORTEST) / RAMP).clamp(0.0, 1.0)


def vary_rotations(
    made: Tensor, plain: Tensor, gap: baseline.Gaps, held: Tensor, fps: float, amount: float, seed: int
) -> Tensor:
    """Another take of rotations (T, J, 4). plain: before they were acted; held (T, J) bool: where they only breathe."""
    mood = whims(len(made), fps, seed)
    strays = _stray(baseline.turn_between(made[:1], made), mood[:, 2:], fps, seed)
    breath = BREATH * _mixture(mood[:, 2:], made.shape[1], 3, seed)
    signed, signed_plain = quat.continuous(made), quat.continuous(plain)

    def take(share: float) -> Tensor:
        free = share * room(gap, fps)
        at = _times(gap, mood[:, :1], free, fps)
        now, before = (quat.normalize(_at(x, at)) for x in (signed, signed_plain))
        move = GAIN * mood[:, 1:2, None] * baseline.turn_between(before, now) + strays
        move = free[..., None] * torch.where(held[..., None], breath, move)
        result = quat.normalize(quat.multiply(now, quat.exp(move)))
        return torch.where(gap.u[..., None] > 0, result, made)

    return _calm(take, made, amount)


def vary(made: Tensor, plain: Tensor, gap: baseline.Gaps, held: Tensor, fps: float, amount: float, seed: int) -> Tensor:
    """Another take of vectors (T, J, C), locations or values; what is held stays."""
    mood = whims(len(made), fps, seed)
    strays = _stray(made, mood[:, 2:], fps, seed)

    def take(share: float) -> Tensor:
        free = share * room(gap, fps)
        at = _times(gap, mood[:, :1], free, fps)
        now, before = _at(made, at), _at(plain, at)
        result = now + free[..., None] * (GAIN * mood[:, 1:2, None] * (now - before) + strays)
        return torch.where((gap.u[..., None] > 0) & ~held[..., None], result, made)

    return _calm(take, made, amount)


def _times(gap: baseline.Gaps, mood: Tensor, free: Tensor, fps: float) -> Tensor:
    """The frame (T, J) that each frame shows instead: in order, and at the keys and beside them itself."""
    frames = torch.arange(len(mood))[:, None].to(free.dtype)
    return frames + free * mood * (WARP[0] * gap.span / 2.0).clamp(max=WARP[1] * fps)


def _at(x: Tensor, times: Tensor) -> Tensor:
    """x (T, J, C) at times (T, J), by a curve that keeps velocities (Catmull and Rom's)."""
    last = len(x) - 1
    low = times.floor().long().clamp(0, max(last - 1, 0))
    u = (times - low)[..., None]
    p = [baseline.pick(x, (low + i).clamp(0, last)) for i in (-1, 0, 1, 2)]
    cubic = u * (3 * p[1] - p[0] - 3 * p[2] + p[3]) + 2 * p[0] - 5 * p[1] + 4 * p[2] - p[3]
    return p[1] + 0.5 * u * (p[2] - p[0] + u * cubic)


def _stray(moves: Tensor, mood: Tensor, fps: float, seed: int) -> Tensor:
    """Strays (T, J, C) along the directions in which vectors (T, J, C) move to and fro, as far as they do."""
    frames, joints, channels = moves.shape
    width = min(2 * int(PERIOD * fps) + 1, frames)
    total = torch.cat([torch.zeros_like(moves[:1]), moves.cumsum(0)])
    low = (torch.arange(frames) - width // 2).clamp(0, frames - width)
    swing = moves - (total[low + width] - total[low]) / width  # a way that is travelled is no swing
    values, vectors = torch.linalg.eigh(torch.einsum("tji,tjk->jik", swing, swing) / frames)
    spread = STRAY * vectors * values.clamp_min(0.0).sqrt()[:, None, :]
    return torch.einsum("jck,tjk->tjc", spread, _mixture(mood, joints, channels, seed))


def _mixture(mood: Tensor, joints: int, channels: int, seed: int) -> Tensor:
    """Each joint's own mixture of the moods (T, M), so that the body strays as one: (T, joints, channels)."""
    random = torch.Generator().manual_seed(seed)
    shares = torch.randn(mood.shape[1], joints, channels, generator=random) / mood.shape[1] ** 0.5
    return torch.einsum("tm,mjc->tjc", mood, shares)


def _calm(take: Callable[[float], Tensor], made: Tensor, amount: float) -> Tensor:
    """The take, as far as it may go without being jerkier than SHIVER times what it is a take of."""
    mean, top = jerks(made)
    for share in (amount, 0.7 * amount, 0.5 * amount, 0.25 * amount):
        result = take(share)
        own_mean, own_top = jerks(result)
        if own_mean <= SHIVER * mean + 1e-5 and own_top <= SHIVER * top + 1e-5:
            return result
    return take(0.0)


def jerks(x: Tensor) -> tuple[float, float]:
    """The third difference of (T, J, C) over time, its length's mean over joints: over all frames, and at the worst."""
    if len(x) < 4 or not x.shape[1]:
        return 0.0, 0.0
    lengths = (quat.continuous(x) if x.shape[-1] == 4 else x).diff(n=3, dim=0).norm(dim=-1).mean(1)
    return float(lengths.mean()), float(lengths.max())
