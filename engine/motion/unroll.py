"""Playing a motion on with the extrapolation network, a frame at a time, each from the one it made before."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import torch

from engine import quat
from engine.motion import tokens
from engine.motion.networks import TokenLSTM

DOUBT = 9.0  # rows after which half of a played turn is believed; the best over all horizons on training motion


def play(net: TokenLSTM, context: tokens.Stance, free: tokens.Free, rig: tokens.Rig) -> Iterator[tokens.Stance]:
    """Endless stances (T = 1) after the context (B, T, J, ·), at 30 frames a second."""
    last = context.rotations.shape[1] - 1
    now = known = context.rows(last, last + 1)
    out, state = net(tokens.ahead(context, known, free, rig), rig.parents)
    out = out[:, -1:]
    while True:
        now = tokens.advance(now, out, known, free, rig)
        yield now
        out, state = net(tokens.ahead(now, known, free, rig), rig.parents, state)


def stack(rows: Sequence[tokens.Stance]) -> tokens.Stance:
    """Stances one after another, as one."""
    return tokens.Stance(**{name: torch.cat([getattr(row, name) for row in rows], 1) for name in vars(rows[0])})


def unroll(net: TokenLSTM, context: tokens.Stance, free: tokens.Free, rig: tokens.Rig, frames: int) -> tokens.Stance:
    """The first `frames` of what the network plays, as it is trained."""
    return stack(list(itertools.islice(play(net, context, free, rig), frames)))


def cautious(made: tokens.Stance, context: tokens.Stance, rig: tokens.Rig) -> tokens.Stance:
    """What the network played, nearer to the last known pose the longer it is ago: the network is too sure of itself."""
    known = context.rotations[:, -1:]
    gone = quat.log(quat.multiply(quat.conjugate(known.expand_as(made.rotations)), made.rotations))
    time = torch.arange(1, gone.shape[1] + 1, device=gone.device)[:, None, None]
    rotations = quat.multiply(known.expand_as(made.rotations), quat.exp(gone / (1.0 + (time / DOUBT) ** 2)))
    locations = torch.cat([context.locations[:, -1:], made.locations], 1)
    return tokens.stances(torch.cat([known, rotations], 1), locations, rig).rows(1, locations.shape[1])
