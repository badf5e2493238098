"""Playing a motion on with the extrapolation network, a frame at a time, each from the one it made before."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.motion import tokens
from engine.motion.networks import TokenLSTM


def unroll(net: TokenLSTM, context: tokens.Stance, moves: Tensor, rig: tokens.Rig, frames: int) -> tokens.Stance:
    """`frames` stances after the context (B, T, J, ·) at 30 frames a second; moves (B, J, 1): 1 where a location goes on."""
    out, state = net(tokens.ahead(context, moves, rig), rig.parents)
    last = context.rotations.shape[1] - 1
    now, out, made = context.rows(last, last + 1), out[:, -1:], []
    for index in range(frames):
        if index:
            out, state = net(tokens.ahead(now, moves, rig), rig.parents, state)
        now = tokens.advance(now, out, moves, rig)
        made.append(now)
    return tokens.Stance(**{name: torch.cat([getattr(m, name) for m in made], 1) for name in vars(now)})
