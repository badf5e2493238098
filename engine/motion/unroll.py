"""Playing a motion on with the extrapolation network, a stretch at a time, each after the one it made before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from engine import quat
from engine.motion import ahead, tokens
from engine.motion.networks import TokenLSTM

LOOK = 24  # rows that the network looks back
STRETCH = 16  # rows that it plays at once


def ahead_of(
    net: TokenLSTM, rotations: Tensor, locations: Tensor, free: tokens.Free, rig: tokens.Rig, rows: int, fps: float
) -> tuple[Tensor, Tensor]:
    """Rotations (B, rows, J, 4) and locations (B, rows, J, 3) after the known ones: the mean of what the network makes of
    them and of what it makes of them in a mirror."""
    turn, flip = rotations.new_tensor([1.0, 1.0, -1.0, -1.0]), rotations.new_tensor([-1.0, 1.0, 1.0])
    both = tokens.Rig(rig.parents, torch.cat([rig.offsets, rig.offsets * flip]), rig.up)
    view = ahead.ahead(
        torch.cat([rotations, rotations * turn]), torch.cat([locations, locations * flip]), free, both, rows, fps
    )
    made, at = view.poses(net(view.features, rig.parents)[0])
    (made, other), (at, over) = made.chunk(2), at.chunk(2)
    other = other * turn
    other = torch.where((made * other).sum(-1, keepdim=True) < 0, -other, other)
    return quat.normalize(made + other), 0.5 * (at + over * flip)


def play(
    net: TokenLSTM, context: tokens.Stance, free: tokens.Free, rig: tokens.Rig, fps: float = tokens.SECOND
) -> Iterator[tokens.Stance]:
    """Endless stances (T = 1) after the context (B, T, J, ·), T >= 2."""
    rotations, locations = context.rotations, context.locations
    while True:
        rotations, locations = rotations[:, -LOOK:], locations[:, -LOOK:]
        made, at = ahead_of(net, rotations, locations, free, rig, STRETCH, fps)
        rotations, locations = torch.cat([rotations, made], 1), torch.cat([locations, at], 1)
        rows = tokens.stances(rotations[:, -STRETCH - 1 :], locations[:, -STRETCH - 1 :], rig)
        for row in range(1, STRETCH + 1):
            yield rows.rows(row, row + 1)


def stack(rows: Sequence[tokens.Stance]) -> tokens.Stance:
    """Stances one after another, as one."""
    return tokens.Stance(**{name: torch.cat([getattr(row, name) for row in rows], 1) for name in vars(rows[0])})
