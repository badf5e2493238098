"""Playing a motion on with the extrapolation networks, a stretch at a time, each after the one it made before: the LSTM
tells what comes at once, the glance at the pose more and more of what comes later."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine import quat
from engine.motion import ahead, outlook, tokens
from engine.motion.networks import TokenLSTM

LOOK = 24  # rows that the network looks back
STRETCH = 16  # rows that it plays at once


@dataclass(frozen=True)
class Pair:
    """What plays on: the LSTM, and the glance, if there is one."""

    net: TokenLSTM
    glance: outlook.Outlook | None = None


def shipped(net: TokenLSTM) -> Pair:
    """The network with the glance that ships. Raises JobError."""
    return Pair(net, outlook.shipped(next(net.parameters()).device))


def ahead_of(
    pair: Pair, rotations: Tensor, locations: Tensor, free: tokens.Free, rig: tokens.Rig, rows: int, fps: float
) -> tuple[Tensor, Tensor]:
    """Rotations (B, rows, J, 4) and locations (B, rows, J, 3) after the known ones: the mean of what the networks make of
    them and of what they make of them in a mirror."""
    turn, flip = rotations.new_tensor([1.0, 1.0, -1.0, -1.0]), rotations.new_tensor([-1.0, 1.0, 1.0])
    both = tokens.Rig(rig.parents, torch.cat([rig.offsets, rig.offsets * flip]), rig.up)
    seen, at = torch.cat([rotations, rotations * turn]), torch.cat([locations, locations * flip])
    view = ahead.ahead(seen, at, free, both, rows, fps)
    made, places = view.poses(pair.net(view.features, rig.parents)[0])
    if pair.glance and rows <= outlook.ROWS and rotations.shape[1] >= outlook.KNOWN:
        later = outlook.look(pair.glance, seen, at, free.turns, both, fps)[:, :rows]
        made = quat.slerp(made, later, outlook.believed(rows, fps, made)[..., 0])
    (made, other), (places, over) = made.chunk(2), places.chunk(2)
    other = other * turn
    other = torch.where((made * other).sum(-1, keepdim=True) < 0, -other, other)
    return quat.normalize(made + other), 0.5 * (places + over * flip)


def play(
    pair: Pair, context: tokens.Stance, free: tokens.Free, rig: tokens.Rig, fps: float = tokens.SECOND
) -> Iterator[tokens.Stance]:
    """Endless stances (T = 1) after the context (B, T, J, ·), T >= 2."""
    rotations, locations = context.rotations, context.locations
    while True:
        rotations, locations = rotations[:, -LOOK:], locations[:, -LOOK:]
        made, at = ahead_of(pair, rotations, locations, free, rig, STRETCH, fps)
        rotations, locations = torch.cat([rotations, made], 1), torch.cat([locations, at], 1)
        rows = tokens.stances(rotations[:, -STRETCH - 1 :], locations[:, -STRETCH - 1 :], rig)
        for row in range(1, STRETCH + 1):
            yield rows.rows(row, row + 1)


def stack(rows: Sequence[tokens.Stance]) -> tokens.Stance:
    """Stances one after another, as one."""
    return tokens.Stance(**{name: torch.cat([getattr(row, name) for row in rows], 1) for name in vars(rows[0])})
