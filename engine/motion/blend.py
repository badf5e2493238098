"""How much of what the in-betweening network adds is believed, and how much of the smooth curves instead: a small network
that sees how the bones moved up to the gap, how far they have to go, and what was added. On bodies like the captured ones
it takes all; on rigs and motion unlike them it takes what was worth taking there. Knows no file."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine import checkpoint, quat, skeleton
from engine.motion import baseline, tokens, training
from engine.motion.networks import TokenLSTM

OWN, ROOT, SHARES = 31, 11, 6
FEATURES = 2 * OWN + ROOT
DOUBT = 0.2  # of all that is added, less believed for every second of a gap beyond the first
HINGE = 2e-3  # how far off one axis a hinge's keys may be, as a share
LEAST = 0.01  # radians that they turn it by at least
FAR = 4.0  # deviations: what lies farther from all that was learned from counts as no farther
CURVES = (0.0, 1.0, 1.0)  # an artist's curves and nothing else
POSED = 0.5  # of what is shown among an artist's keys is those curves': the network is no nearer there
ALL = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)  # the network's word and nothing else


@dataclass(frozen=True)
class BlendParams:
    """Channels of the hidden layers, features in."""

    features: int = FEATURES
    hidden: int = 64


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
        seen = ((features - self.mean) / self.deviation).clamp(-FAR, FAR)
        x = nn.functional.gelu(self.first(seen))
        x = nn.functional.gelu(self.second(x))
        shares: Tensor = tokens.constant(ALL, (x.dtype, x.device)) + self.last(x)
        return shares


@functools.cache
def shipped(where: torch.device) -> Blend:
    """The one that ships, loaded once. Raises JobError."""
    saved = checkpoint.load(training.WEIGHTS / "blend", BlendParams)
    return checkpoint.restore(saved, Blend).float().eval().requires_grad_(False).to(where)


def features(between: tokens.Between, out: Tensor, turn: Tensor, move: Tensor, keyed: Keyed) -> Tensor:
    """What tells how far the network is to be believed, (B, T, J, FEATURES): of each joint, the mean over all that turn, and
    of where the root goes.

    out: the network's; turn, move (B, T, J, 3): what it adds. keyed: of which only what is keyed is read.
    """
    own = _own(between, out, turn, move, keyed)
    free = (between.turn_weight > 0)[..., None].to(own.dtype)
    whole = (own * free).sum(2, keepdim=True) / free.sum(2, keepdim=True).clamp_min(1)
    return torch.cat([own, whole.expand_as(own), _root(between, move, keyed).expand(*own.shape[:-1], ROOT)], -1)


@dataclass(frozen=True)
class Keyed:
    """Poses (B, T, J, ·) and which of them are keys (B, T, J)."""

    rotations: Tensor
    locations: Tensor
    turn_keys: Tensor
    move_keys: Tensor


@dataclass(frozen=True)
class _Pace:
    """How a value goes around a gap, all (B, T, J, ·): its way, its speed into the gap, that before, that after it; rows
    since the key before, rows until the key after, rows of the gap."""

    way: Tensor
    into: Tensor
    before: Tensor
    after: Tensor
    since: Tensor
    until: Tensor
    span: Tensor


def _pace(x: Tensor, gap: baseline.Gaps, difference: Callable[[Tensor, Tensor], Tensor]) -> _Pace:
    span, since, until = (
        n[..., None].to(x.dtype) for n in (gap.span, gap.before - gap.earlier, gap.later - gap.after)
    )  # fmt: skip
    start, end = baseline.pick(x, gap.before), baseline.pick(x, gap.after)
    over = baseline.pick(x, gap.earlier)
    earliest = baseline.pick(gap.earlier[..., None], gap.earlier)[..., 0]
    past = (gap.earlier - earliest)[..., None].clamp_min(1)
    into = difference(over, start) / since.clamp_min(1)
    before = difference(baseline.pick(x, earliest), over) / past
    after = difference(end, baseline.pick(x, gap.later)) / until.clamp_min(1)
    return _Pace(difference(start, end), into, before, after, since, until, span)


def _own(between: tokens.Between, out: Tensor, turn: Tensor, move: Tensor, keyed: Keyed) -> Tensor:
    gap = baseline.gaps(keyed.turn_keys)
    p = _pace(keyed.rotations, gap, baseline.turn_between)
    bent = between.turn_bends[0] + between.turn_bends[1]
    sizes = [
        p.way, p.into, p.before, p.into - p.before, p.into * p.span, p.after * p.span,
        0.2 * (p.into - p.before) * p.span**2, out[..., :3], *between.turn_bends, turn - bent, _carried(between, turn, move),
    ]  # fmt: skip
    shape = tokens.static(between.rig)[:, None, :, : tokens.SHAPE].expand(*p.span.shape[:-1], tokens.SHAPE)
    scalars = [
        *(torch.log1p(20.0 * v.norm(dim=-1, keepdim=True)) for v in sizes), _agree(p.into, p.way),
        _agree(p.into, p.before), _agree(turn, bent), out[..., 6:8], gap.u[..., None],
        (p.span / tokens.SECOND).clamp(max=3), 1.0 / p.span, (p.until > 0).to(p.span.dtype),
        (p.since == 1).to(p.span.dtype), between.turn_weight[..., None],
        torch.full_like(p.span, math.log(p.span.shape[-2]) / 3), shape,
    ]  # fmt: skip
    return torch.cat(scalars, -1)


def _carried(between: tokens.Between, turn: Tensor, move: Tensor) -> Tensor:
    """How far in rig sizes each joint is carried by what the network adds, (B, T, J, 3)."""
    rig = between.rig
    rotations = quat.multiply(between.rotations, quat.exp(turn))
    at, plain = (
        skeleton.fk(*x, rig.offsets[:, None], rig.parents)[1]
        for x in ((rotations, between.locations + move), (between.rotations, between.locations))
    )
    return (at - plain) / rig.size()


def _root(between: tokens.Between, move: Tensor, keyed: Keyed) -> Tensor:
    """The same of where the rig goes, (B, T, 1, ROOT): the mean over the joints that are placed, 0 for none."""
    gap, size = baseline.gaps(keyed.move_keys), between.rig.size()
    p = _pace(keyed.locations / size, gap, baseline.move_between)
    bends = [bend / size for bend in between.move_bends]
    sizes = [p.way, p.into, p.into - p.before, p.into * p.span, p.after * p.span, move / size, *bends]
    columns = [
        *(torch.log1p(20.0 * v.norm(dim=-1, keepdim=True)) for v in sizes), _agree(p.into, p.way),
        _agree(p.into, p.before), _agree(move, between.move_bends[0] + between.move_bends[1]),
    ]  # fmt: skip
    own, free = torch.cat(columns, -1), (between.move_weight > 0)[..., None].to(move.dtype)
    return (own * free).sum(2, keepdim=True) / free.sum(2, keepdim=True).clamp_min(1)


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
    """What the network adds to the plain interpolation of keyed poses (B, T, J, ·), and what an artist's curves add instead of
    those it was taught with; arguments as of tokens.between."""
    between = tokens.between(rotations, locations, turn_keys, move_keys, rig)
    out = net(between.features, rig.parents)[0]
    made, moved = between.poses(out)
    turn = baseline.turn_between(between.rotations, made)
    move, keyed = moved - between.locations, Keyed(rotations, locations, turn_keys, move_keys)
    turn_bends = baseline.eased(rotations, baseline.gaps(turn_keys), baseline.turn_between)
    move_bends = baseline.eased(locations, baseline.gaps(move_keys), baseline.move_between)
    between = dataclasses.replace(between, turn_bends=turn_bends, move_bends=move_bends)
    return Parts(between, features(between, out, turn, move, keyed), turn, move)


class Actor(nn.Module):
    """An in-betweening network, and how far it is believed."""

    def __init__(self, net: TokenLSTM, trust: Blend) -> None:
        super().__init__()
        self.net, self.trust = net, trust


def hinged(turn: Tensor, rotations: Tensor, keys: Tensor, rig: tokens.Rig) -> Tensor:
    """What is added (B, T, J, 3) about the axis alone where all keys (B, T, J) of a joint turn it about one: a knee, a boom.

    Any two rotations have one axis; so it counts if there are more, or if it is along the bone, square to it or a main one.
    """
    first = baseline.pick(rotations, keys.int().argmax(1, keepdim=True).expand(keys.shape))
    since = torch.where(keys[..., None], baseline.turn_between(first, rotations), 0.0)
    size = since.norm(dim=-1)
    most = size.amax(1, keepdim=True)
    axis = torch.take_along_dim(since, size.argmax(1, keepdim=True)[..., None], 1) / most.clamp_min(1e-6)[..., None]
    angle = (since * axis).sum(-1, keepdim=True)
    true = (since - angle * axis).norm(dim=-1).amax(1, keepdim=True) < HINGE * most
    several = (keys & (angle[..., 0] < 0.95 * most) & (angle[..., 0].abs() > 0.05 * most)).any(1, keepdim=True)
    bones = _lengthwise(rig)[:, None]
    along = (axis * bones).sum(-1).abs()
    square = (bones.norm(dim=-1) > 0.5) & ((along < HINGE) | (along > 1.0 - HINGE))
    plain = several | square | (axis.abs().amax(-1) > 1.0 - HINGE)
    hinge = (true & plain & (most > LEAST))[..., None]
    return torch.where(hinge, (turn * axis).sum(-1, keepdim=True) * axis, turn)


def _lengthwise(rig: tokens.Rig) -> Tensor:
    """Which way each bone goes, (B, J, 3), to its only child; zero where there are none or several."""
    only = [rig.parents.index(j) if rig.parents.count(j) == 1 else 0 for j in range(len(rig.parents))]
    way = rig.offsets[:, only] / rig.offsets[:, only].norm(dim=-1, keepdim=True).clamp_min(1e-9)
    return way * way.new_tensor([float(rig.parents.count(j) == 1) for j in range(len(rig.parents))])[:, None]


def fill(
    actor: Actor, rotations: Tensor, locations: Tensor, turn_keys: Tensor, move_keys: Tensor, rig: tokens.Rig
) -> tuple[Tensor, Tensor]:
    """Keyed poses (B, T, J, ·) with the gaps filled, as far as the network is to be believed."""
    found = parts(actor.net, rotations, locations, turn_keys, move_keys, rig)
    found = dataclasses.replace(found, turn=hinged(found.turn, rotations, turn_keys, rig))
    gap, gap_move = baseline.gaps(turn_keys), baseline.gaps(move_keys)
    seconds = gap.span[..., None] / tokens.SECOND
    shares = actor.trust(found.features) * (1.0 - DOUBT * (seconds - 1.0).clamp(0.0, 1.0))
    posed = torch.stack([baseline.sparse(gap), baseline.sparse(gap_move)], -1).repeat_interleave(SHARES // 2, -1)
    return found.poses(shares + POSED * posed * (tokens.constant(2 * CURVES, (shares.dtype, shares.device)) - shares))
