"""Playing a motion on with the extrapolation network, a stretch at a time, each after the one it made before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from engine.motion import ahead, tokens
from engine.motion.networks import TokenLSTM

LOOK = 24  # rows that the network looks back
STRETCH = 16  # rows that it plays at once


def play(
    net: TokenLSTM, context: tokens.Stance, free: tokens.Free, rig: tokens.Rig, fps: float = tokens.SECOND
) -> Iterator[tokens.Stance]:
    """Endless stances (T = 1) after the context (B, T, J, ·), T >= 2."""
    rotations, locations = context.rotations, context.locations
    while True:
        rotations, locations = rotations[:, -LOOK:], locations[:, -LOOK:]
        view = ahead.ahead(rotations, locations, free, rig, STRETCH, fps)
        made, at = view.poses(net(view.features, rig.parents)[0])
        rotations, locations = torch.cat([rotations, made], 1), torch.cat([locations, at], 1)
        rows = tokens.stances(rotations[:, -STRETCH - 1 :], locations[:, -STRETCH - 1 :], rig)
        for row in range(1, STRETCH + 1):
            yield rows.rows(row, row + 1)


def stack(rows: Sequence[tokens.Stance]) -> tokens.Stance:
    """Stances one after another, as one."""
    return tokens.Stance(**{name: torch.cat([getattr(row, name) for row in rows], 1) for name in vars(rows[0])})
