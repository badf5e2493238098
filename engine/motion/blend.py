"""How much of what the in-betweening network adds is believed, and how much of the smooth curves instead: a small network
that sees how the bones moved up to the gap, how far they have to go, and what was added. On bodies like the captured ones
it takes all; on rigs and motion unlike them it takes what was worth taking there. Knows no file."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine import checkpoint, quat, skeleton
from engine.motion import baseline, tokens, training
from engine.motion.networks import TokenLSTM

FEATURES, SHARES = 42, 6
LIMBS, BRIEF = (
    3,
    8,
)  # on rigs with fewer limbs, gaps of fewer rows get the smooth curves: a machine's arm moves as they do
CURVES = (0.0, 1.0, 1.0, 0.0, 1.0, 1.0)
ALL = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)  # the network's word and nothing else


@dataclass(frozen=True)
class BlendParams:
    """Channels of the hidden layers, features in."""

    features: int = FEATURES
    hidden: int = 48


class Blend(nn.Module):
    """Features (B, T, J, features) → shares (B, T, J, SHARES): of the network's turn, of the smooth curve's bend after the key
    before and before the key after, then the same of its move. It begins with the network's word and nothing else."""

    def __init__(self, params: BlendParams) -> None:
        super().__init__()
        self.params = params
        self.first, self.second = nn.Linear(params.features, params.hidden), nn.Linear(params.hidden, params.hidden)
        self.last = nn.Linear(params.hidden, SHARES)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        self.mean, self.deviation = nn.Buffer(torch.zeros(params.features)), nn.Buffer(torch.ones(params.features))

    def forward(self, features: Tensor) -> Tensor:
        """The shares."""
        x = nn.functional.gelu(self.first((features - self.mean) / self.deviation))
        x = nn.functional.gelu(self.second(x))
        shares: Tensor = tokens.constant(ALL, (x.dtype, x.device)) + self.last(x)
        return shares


@functools.cache
def shipped(where: torch.device) -> Blend:
    """The one that ships, loaded once. Raises JobError."""
    saved = checkpoint.load(training.WEIGHTS / "blend", BlendParams)
    return checkpoint.restore(saved, Blend).float().eval().requires_grad_(False).to(where)


def features(between: tokens.Between, out: Tensor, rotations: Tensor, turn_keys: Tensor) -> Tensor:
    """What tells how far the network is to be believed, (B, T, J, FEATURES): of each joint, and the mean over all that turn.

    out: the network's. rotations (B, T, J, 4), of which only what is keyed is read; turn_keys (B, T, J).
    """
    gap = baseline.gaps(turn_keys)
    span, since, until = (
        x[..., None].to(rotations.dtype)
        for x in (gap.span, gap.before - gap.earlier, gap.later - gap.after)
    )  # fmt: skip
    start, end = baseline.pick(rotations, gap.before), baseline.pick(rotations, gap.after)
    over = baseline.pick(rotations, gap.earlier)
    earliest = baseline.pick(gap.earlier[..., None], gap.earlier)[..., 0]
    way = baseline.turn_between(start, end)
    into = baseline.turn_between(over, start) / since.clamp_min(1)
    past = (gap.earlier - earliest)[..., None].clamp_min(1)
    before = baseline.turn_between(baseline.pick(rotations, earliest), over) / past
    after = baseline.turn_between(end, baseline.pick(rotations, gap.later)) / until.clamp_min(1)
    sizes = [
        way, into, before, into - before, into * span, after * span, 0.2 * (into - before) * span**2, out[..., :3],
        *between.turn_bends,
    ]  # fmt: skip
    scalars = [
        *(torch.log1p(20.0 * v.norm(dim=-1, keepdim=True)) for v in sizes), _agree(into, way), _agree(into, before),
        out[..., 6:8], gap.u[..., None], (span / tokens.SECOND).clamp(max=3), 1.0 / span, (until > 0).to(span.dtype),
        (since == 1).to(span.dtype), between.turn_weight[..., None],
        torch.full_like(span, math.log(span.shape[-2]) / 3),
    ]  # fmt: skip
    own = torch.cat(scalars, -1)
    free = (between.turn_weight > 0)[..., None].to(own.dtype)
    whole = (own * free).sum(2, keepdim=True) / free.sum(2, keepdim=True).clamp_min(1)
    return torch.cat([own, whole.expand_as(own)], -1)


def _agree(a: Tensor, b: Tensor) -> Tensor:
    """The cosine between vectors, 0 for none."""
    size = a.norm(dim=-1, keepdim=True) * b.norm(dim=-1, keepdim=True)
    return (a * b).sum(-1, keepdim=True) / (size + 1e-4)


@dataclass(frozen=True)
class Parts:
    """What a blend is made of. turn, move: what the network adds (B, T, J, 3), as rotation vectors and as ways."""

    between: tokens.Between
    features: Tensor
    turn: Tensor
    move: Tensor

    def poses(self, shares: Tensor) -> tuple[Tensor, Tensor]:
        """Rotations (B, T, J, 4) and locations (B, T, J, 3) with shares (B, T, J, SHARES) of each; exact at the keys."""
        between, s = self.between, shares
        turn = s[..., 0:1] * self.turn + s[..., 1:2] * between.turn_bends[0] + s[..., 2:3] * between.turn_bends[1]
        move = s[..., 3:4] * self.move + s[..., 4:5] * between.move_bends[0] + s[..., 5:6] * between.move_bends[1]
        turned = quat.multiply(between.rotations, quat.exp(turn))
        rotations = torch.where(between.turn_weight[..., None] > 0, turned, between.rotations)
        return rotations, torch.where(between.move_weight[..., None] > 0, between.locations + move, between.locations)


def parts(
    net: TokenLSTM, rotations: Tensor, locations: Tensor, turn_keys: Tensor, move_keys: Tensor, rig: tokens.Rig
) -> Parts:
    """What the network adds to the plain interpolation of keyed poses (B, T, J, ·); arguments as of tokens.between."""
    between = tokens.between(rotations, locations, turn_keys, move_keys, rig)
    out = net(between.features, rig.parents)[0]
    made, moved = between.poses(out)
    turn = baseline.turn_between(between.rotations, made)
    return Parts(between, features(between, out, rotations, turn_keys), turn, moved - between.locations)


def fill(
    net: TokenLSTM, rotations: Tensor, locations: Tensor, turn_keys: Tensor, move_keys: Tensor, rig: tokens.Rig
) -> tuple[Tensor, Tensor]:
    """Keyed poses (B, T, J, ·) with the gaps filled, as far as the network is to be believed."""
    found = parts(net, rotations, locations, turn_keys, move_keys, rig)
    shares = shipped(rotations.device)(found.features)
    if skeleton.tips(rig.parents) < LIMBS:
        brief = baseline.gaps(turn_keys).span <= BRIEF
        shares = torch.where(brief[..., None], tokens.constant(CURVES, (shares.dtype, shares.device)), shares)
    return found.poses(shares)
