"""Playing a motion on with the extrapolation network, a frame at a time, each from the one it made before."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import torch

from engine.motion import tokens
from engine.motion.networks import TokenLSTM


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


def unroll(net: TokenLSTM, context: tokens.Stance, free: tokens.Free, rig: tokens.Rig, frames: int) -> tokens.Stance:
    """The first `frames` of them, as one."""
    made = list(itertools.islice(play(net, context, free, rig), frames))
    return tokens.Stance(**{name: torch.cat([getattr(m, name) for m in made], 1) for name in vars(context)})
