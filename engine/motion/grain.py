"""The tremor of captured motion, carried on into a gap as film grain is: what lies between captured frames is not suddenly
smooth as glass. It is measured on the captured rows before the gap; an artist's own sparse keys have none. Knows no
network and no file."""

from __future__ import annotations

import torch
from torch import Tensor

from engine import quat
from engine.motion import baseline

DENSE = 5  # rows keyed one after the other, before and at a gap's first key, that tremor can be told from
CALM = 20.0**0.5  # the third difference of noise, over the noise itself
FULL = 5.0  # rows from a key within which the tremor comes to its full size


def tremor(steps: Tensor) -> Tensor:
    """The size (..., 1, J, 1) of what is noise in vectors (..., DENSE - 1, J, 3), each a step between rows, by the smallest
    of their second differences, which smooth motion hardly has."""
    rough = steps.diff(n=2, dim=-3).square().mean(-1, keepdim=True).sqrt()
    return rough.amin(-3, keepdim=True) / CALM


def carry_on(rotations: Tensor, keys: Tensor, seed: int = 0) -> Tensor:
    """Rotations (T, J, 4) with tremor in the gaps of keys (T, J) bool that follow DENSE keyed rows; exact at the keys."""
    gap = baseline.gaps(keys)
    run = keys.unfold(0, DENSE, 1).all(-1)  # (T - DENSE + 1, J): DENSE keyed rows from this one on
    if len(keys) < DENSE or not bool((gap.u > 0).any() and run.any()):
        return rotations
    steps = baseline.turn_between(rotations[:-1], rotations[1:]).unfold(0, DENSE - 1, 1).movedim(-1, 1)
    size = torch.where(run[..., None], tremor(steps)[:, 0], torch.zeros(()))
    size = torch.cat([torch.zeros(DENSE - 1, *size.shape[1:]), size])  # now at the last row of each run
    size = baseline.pick(size, gap.before)
    frames = torch.arange(len(keys))[:, None]
    near = torch.minimum(frames - gap.before, gap.after - frames) / FULL
    dice = torch.Generator().manual_seed(seed)
    noise = torch.randn(*rotations.shape[:2], 3, generator=dice)
    free = (gap.u > 0)[..., None]
    shaken = quat.multiply(rotations, quat.exp(noise * size * near.clamp(0.0, 1.0)[..., None]))
    return torch.where(free, quat.normalize(shaken), rotations)
