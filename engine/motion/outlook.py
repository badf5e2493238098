"""Where a motion is bound for, at one glance: the extrapolation's second network, without steps in time.

It sees the last known pose itself, not only how it came about, and so knows towards which poses a body goes; the LSTM
sees differences alone. Joints are gathered in slots by what tells them apart, the whole is thought over, and every joint
is told its way as a few slow waves over all rows. Knows no file but its own weights.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engine import checkpoint, quat, skeleton
from engine.motion import ahead, networks, tokens, training
from engine.motion.tokens import Rig

KNOWN, ROWS = 10, 25  # rows seen and rows told
WAVES, PULLS = 6, (0, 1, 2, 4)  # of the ways in ahead.py: three rests of the velocity, and home
FEATURES = 6 + 6 + 3 * (KNOWN - 1) + 13 + tokens.STATIC
# Seconds: from the first to the second the glance is believed ever more, at last by SHARE; found on training motion.
BEGINS, WHOLE, SHARE = 0.03, 0.2, 0.85


@dataclass(frozen=True)
class OutlookParams:
    """Channels a joint, channels of the whole, slots that joints are gathered in, layers, blocks of the whole in each."""

    joint: int = 128
    body: int = 320
    slots: int = 20
    layers: int = 3
    blocks: int = 2


class Block(nn.Module):
    """What is thought over of the whole, (B, body)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.f = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        """The same, and more."""
        return x + self.f(x)


class Layer(nn.Module):
    """Gather the joints, think, tell each joint; mix over parent and children."""

    def __init__(self, p: OutlookParams) -> None:
        super().__init__()
        told = p.joint // 2
        self.slots = p.slots
        self.norm, self.give = nn.LayerNorm(p.joint), nn.Linear(p.joint, told)
        self.hear, self.ask = networks.choosing(p.slots), networks.choosing(p.slots)
        self.gather = nn.Linear(p.slots * told, p.body)
        self.blocks = nn.Sequential(*(Block(p.body) for _ in range(p.blocks)))
        self.bn, self.spread = nn.LayerNorm(p.body), nn.Linear(p.body, p.slots * told)
        self.meet, self.out = nn.Linear(3 * p.joint + told, 2 * p.joint), nn.Linear(2 * p.joint, p.joint)

    def forward(self, h: Tensor, body: Tensor, code: Tensor, parents: list[int]) -> tuple[Tensor, Tensor]:
        """h (B, J, joint), body (B, body), code (B, J, CODE)."""
        x = self.norm(h)
        heard = torch.einsum("bjs,bjc->bsc", self.hear(code).softmax(1), self.give(x)).flatten(1)
        body = self.blocks(body + self.gather(heard))
        say = self.spread(self.bn(body)).unflatten(1, (self.slots, -1))
        told = torch.einsum("bjs,bsc->bjc", self.ask(code).softmax(2), say)
        near = [y[0] for y in networks.kin(x[None], parents)]
        return h + self.out(nn.functional.gelu(self.meet(torch.cat([x, *near, told], -1)))), body


class Outlook(nn.Module):
    """Features (B, J, FEATURES) → the way (B, ROWS, J, 3) as rotation vectors, Y up, and shares (B, J, PULLS) of ahead.py's."""

    def __init__(self, p: OutlookParams) -> None:
        super().__init__()
        self.params = p
        self.embed, self.who = nn.Linear(FEATURES, p.joint), networks.Who(tokens.STATIC)
        self.tell, self.own = nn.Linear(networks.CODE, p.joint), nn.Linear(networks.CODE, p.joint)
        self.layers = nn.ModuleList(Layer(p) for _ in range(p.layers))
        self.norm = nn.LayerNorm(p.joint)
        self.head = nn.Linear(2 * p.joint, WAVES * 3 + len(PULLS))
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)
        row = torch.arange(1, ROWS + 1)
        waves = torch.cos(math.pi * torch.arange(WAVES)[:, None] * (row - 0.5) / ROWS) * (row / ROWS).sqrt()
        self.waves = nn.Buffer(waves, persistent=False)

    def forward(self, features: Tensor, parents: list[int]) -> tuple[Tensor, Tensor]:
        """The way, and the shares."""
        code = self.who(features[..., -tokens.STATIC :])
        h = nn.functional.gelu(self.embed(features)) + self.tell(code)
        body = h.new_zeros(len(h), self.params.body)
        for layer in self.layers:
            h, body = layer(h, body, code, parents)
        x = self.norm(h)
        out = self.head(torch.cat([x, x * self.own(code)], -1))
        shares, waves = out[..., : len(PULLS)], out[..., len(PULLS) :].unflatten(-1, (WAVES, 3))
        return torch.einsum("bjwo,wt->btjo", waves, self.waves), shares


@functools.cache
def shipped(where: torch.device) -> Outlook:
    """The one that ships, loaded once. Raises JobError."""
    saved = checkpoint.load(training.WEIGHTS / "outlook", OutlookParams)
    return checkpoint.restore(saved, Outlook).float().eval().requires_grad_(False).to(where)


def _upright(like: Tensor, rig: Rig) -> Tensor:
    """What turns the rig's axes into Y up, facing +Z; of one's shape (…, 4)."""
    half = 0.5**0.5
    values = (half, -half, 0.0, 0.0) if rig.up == "Z" else (1.0, 0.0, 0.0, 0.0)
    return tokens.constant(values, (like.dtype, like.device)).expand_as(like)


def _columns(q: Tensor) -> Tensor:
    """Two columns of the matrix, less those of no turn (…, 6)."""
    return quat.to_matrix(q)[..., :2].flatten(-2) - tokens.constant((1.0, 0.0, 0.0, 1.0, 0.0, 0.0), (q.dtype, q.device))


def _leading(rig: Rig) -> Tensor:
    """Which joints turn the whole rig, (J,) bool: the main one and those above it."""
    leading, joint = [False] * len(rig.parents), rig.main
    while joint >= 0:
        leading[joint], joint = True, rig.parents[joint]
    return torch.tensor(leading)


def features(rotations: Tensor, locations: Tensor, rig: Rig, fps: float) -> Tensor:
    """What it sees of the known rotations (B, KNOWN, J, 4) and locations (B, KNOWN, J, 3), `fps` a second: each joint's
    turn from its rest, in its parent and in the heading, how it came there, where it is, how the body goes."""
    size, last = rig.size()[:, 0], rotations[:, -1:]
    since = quat.log(quat.multiply(quat.conjugate(last), rotations[:, :-1]))
    turned, positions = skeleton.fk(last, locations[:, -1:], rig.offsets[:, None], rig.parents)
    frame, (over, _) = tokens.heading(turned, rig), rig.above(turned)
    local, world = rotations[:, -1], quat.multiply(frame, turned)[:, 0]
    upright = _upright(local, rig)
    back = quat.conjugate(upright)
    local, world = quat.multiply(quat.multiply(upright, local), back), quat.multiply(world, back)
    local = torch.where(_leading(rig)[:, None].to(local.device), world, local)  # else it would see where the rig faces
    since = quat.rotate(upright[:, None].expand(-1, KNOWN - 1, -1, -1), since)
    at = quat.rotate(frame, (positions - positions[:, :, rig.main, None]) / size[:, None])[:, 0]
    bone = quat.rotate(frame, (positions - positions.index_select(-2, over)) / size[:, None])[:, 0]
    path = locations[..., 0, :]
    way = quat.rotate(frame[:, :, 0].expand(-1, 2, -1), (path[:, [0, -3]] - path[:, -1:]) / size)
    joints = (-1, local.shape[1], -1)
    return torch.cat([
        _columns(local), _columns(world), since.transpose(1, 2).flatten(2) * 4.0, at, bone * 3.0,
        way[:, :1].expand(*joints) * 8.0, way[:, 1:].expand(*joints) * 30.0, torch.full_like(at[..., :1], fps / 60.0),
        tokens.static(rig),
    ], -1)  # fmt: skip


def look(net: Outlook, rotations: Tensor, locations: Tensor, turns: Tensor, rig: Rig, fps: float) -> Tensor:
    """Rotations (B, ROWS, J, 4) after the last KNOWN of the known rows; turns (1, 1, J, 1): 1 where a joint is played on."""
    rotations, locations = rotations[:, -KNOWN:], locations[:, -KNOWN:]
    way, shares = net(features(rotations, locations, rig, fps), rig.parents)
    way = quat.rotate(quat.conjugate(_upright(rotations[:, :1], rig)).expand(-1, ROWS, -1, -1), way)
    for i, pulled in enumerate(ahead.turn_pulls(rotations, ROWS, fps)[k] for k in PULLS):
        way = way + (shares[:, None, :, i, None] + (1.0 if i == 1 else 0.0)) * pulled
    made = quat.multiply(rotations[:, -1:].expand(-1, ROWS, -1, -1), quat.exp(way * turns))
    return quat.normalize(made)


def believed(rows: int, fps: float, like: Tensor) -> Tensor:
    """How much the glance is believed, (1, rows, 1, 1)."""
    time = torch.arange(1, rows + 1, device=like.device, dtype=like.dtype) / fps
    return (SHARE * ((time - BEGINS) / (WHOLE - BEGINS)).clamp(0.0, 1.0))[None, :, None, None]
