"""When feet rest in a gap, how high they go and how far on they are, by a small network over each foot's path, and steps
taken accordingly: a foot that goes from one place to another stands still while it is likely to rest, and is lifted and
goes while it is not. Knows no file but its own weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import solveh_banded
from torch import Tensor, nn

from engine import checkpoint, skeleton
from engine.motion import baseline, contacts, retime, tokens, training

OWN = 16  # features of a foot; as many again are the mean of the others'
ODDS, FIRM, SMOOTH = 1.5, 1e5, 3e3  # how firmly a foot rests by its odds, over how even its way is kept
SURE = 0.02  # odds are never longer than one over this
PIN = 1e12
UNSURE = (
    2.0  # seconds: in a gap so long nobody knows when a foot steps; in one of a second it is known as well as it is
)
LEGS = 2  # the network has seen people walk; a tail's tip and a quadruped's four feet rest at other times
LIFT = 0.05  # rig sizes: what the network counts heights in
FEW = 0.02  # rig sizes: a way so short is hardly one
RAMP = 0.2  # seconds beside a key in which a foot comes to be lifted and led on
STAYS = 1e-4  # rig sizes: a foot that is to move by less is left alone


@dataclass(frozen=True)
class FootingParams:
    """Channels of the layers."""

    hidden: int = 32


class Footing(nn.Module):
    """Features (B, T, F, 2 OWN) of F feet → (B, T, F, 3): scores, above 0 where a foot is likelier to rest than not; how
    much higher than its path it goes, and how much farther on, in LIFT."""

    def __init__(self, params: FootingParams) -> None:
        super().__init__()
        self.params, width = params, params.hidden
        self.embed = nn.Linear(2 * OWN, width)
        self.first = nn.LSTM(width, width, bidirectional=True)
        self.meet = nn.Linear(4 * width, width)
        self.second = nn.LSTM(width, width, bidirectional=True)
        self.head = nn.Linear(2 * width, 3)

    def forward(self, features: Tensor) -> Tensor:
        """The scores and heights."""
        batch, rows, feet, _ = features.shape
        x = nn.functional.gelu(self.embed(features)).transpose(0, 1).reshape(rows, batch * feet, -1)
        x = self.first(x)[0].unflatten(1, (batch, feet))
        x = nn.functional.gelu(self.meet(torch.cat([x, others(x)], -1))).flatten(1, 2)
        told: Tensor = self.head(self.second(x)[0]).reshape(rows, batch, feet, 3).transpose(0, 1)
        return told


def others(x: Tensor) -> Tensor:
    """For each foot of (…, F, C) the mean of the other feet."""
    return (x.sum(-2, keepdim=True) - x) / max(x.shape[-2] - 1, 1)


@functools.cache
def shipped() -> Footing:
    """The network that ships, loaded once. Raises JobError."""
    saved = checkpoint.load(training.WEIGHTS / "footing", FootingParams)
    return checkpoint.restore(saved, Footing).float().eval().requires_grad_(False)


def features(at: Tensor, middle: Tensor, lowest: Tensor, keys: Tensor, size: Tensor, up: int) -> Tensor:
    """What tells when feet rest, (B, T, F, 2 OWN), at the networks' rate.

    at: where the feet are (B, T, F, 3), roughly in a gap; middle: of the body (B, T, 3); lowest: height of its lowest part
    (B, T); keys: where a foot is known (B, T, F) bool; size: of the rig (B,); up: the index of the up axis.
    """
    size, gap = size[:, None, None, None], baseline.gaps(keys)
    place, body = at / size, middle[:, :, None] / size
    ground = torch.ones(3)
    ground[up] = 0.0
    flat, under = place * ground, body * ground
    short, long, drift = _speed(flat, 1), _speed(flat, 3), _speed(under, 2)
    pace = drift.norm(dim=-1, keepdim=True)
    ahead, low = drift / (pace + 0.05), lowest[:, :, None, None] / size
    way = flat - under
    along = (way * ahead).sum(-1, keepdim=True)
    start, end = baseline.pick(flat, gap.before), baseline.pick(flat, gap.after)
    rows = torch.arange(at.shape[1])[:, None]
    columns = [
        keys[..., None].to(at.dtype), ((place[..., up, None] - low) * 8).clamp(max=4), _long(short), _long(long),
        (long * ahead).sum(-1, keepdim=True), (_speed(place[..., up, None], 1) * 3).clamp(-3, 3),
        torch.log1p(20 * pace), along * 4, (way - along * ahead).norm(dim=-1, keepdim=True) * 4,
        _long(flat - start), _long(flat - end), _long(end - start),
        ((rows - gap.before) / tokens.SECOND).clamp(max=2)[..., None],
        ((gap.after - rows) / tokens.SECOND).clamp(max=2)[..., None], gap.u[..., None], (body[..., up, None] - low) * 2,
    ]  # fmt: skip
    own = torch.cat([x.expand(*keys.shape, 1) for x in columns], -1)
    return torch.cat([own, others(own)], -1)


def _speed(x: Tensor, lag: int) -> Tensor:
    """Over `lag` rows to both sides of (B, T, F, C), a second."""
    rows = torch.arange(x.shape[1])
    sooner, later = (rows - lag).clamp_min(0), (rows + lag).clamp(max=x.shape[1] - 1)
    return (x[:, later] - x[:, sooner]) / (later - sooner).clamp_min(1)[:, None, None] * tokens.SECOND


def _long(v: Tensor) -> Tensor:
    return torch.log1p(20.0 * v.norm(dim=-1, keepdim=True))


@torch.inference_mode()
def resting(
    positions: Tensor, feet: list[int], pinned: Tensor, ground: contacts.Ground
) -> tuple[Tensor, Tensor, Tensor]:
    """How likely each of the feet rests at each frame of a motion, positions (T, J, 3), pinned (T, F) bool, how much higher
    it goes, and how much farther on: (T, F) each."""
    step = retime.near_one(ground.fps)
    rows = retime.Rows(np.append(np.arange(0, len(positions) - 1, step), len(positions) - 1.0))
    at = rows.vectors(positions)
    body = at[:, ground.moving]
    seen = features(
        at[None][:, :, feet], body.mean(1)[None], body[..., ground.up].amin(1)[None], rows.keys(pinned)[None],
        torch.tensor([ground.size]), ground.up,
    )  # fmt: skip
    told, frames = shipped()(seen)[0].double(), np.arange(len(positions))
    likely, lift, along = (
        torch.from_numpy(np.stack([np.interp(frames, rows.times, column) for column in x.numpy().T], 1))
        for x in (torch.sigmoid(told[..., 0]), *(told[..., 1:] * LIFT * ground.size).unbind(-1))
    )
    return likely, lift, along


def way_on(at: Tensor, gap: baseline.Gaps, up: int) -> Tensor:
    """The way along the ground from where a foot (…, T, F, 3) is before a gap to where it is after it."""
    way = baseline.pick(at, gap.after) - baseline.pick(at, gap.before)
    way[..., up] = 0.0
    return way


def step(
    rotations: Tensor, locations: Tensor, offset: Tensor, ground: contacts.Ground, feet: list[int], pinned: Tensor
) -> tuple[Tensor, Tensor]:
    """Rotations (T, J, 4) and locations (T, J, 3) of which the feet go, and are lifted, while they are least likely to
    rest, the less the longer the gap; where they are pinned, (T, F) bool, nothing changes, nor on a rig of more or fewer
    legs than two."""
    if len(feet) != LEGS:
        return rotations, locations
    positions = skeleton.fk(rotations, locations, offset, ground.parents)[1]
    resting_, lift, along = resting(positions, feet, pinned, ground)
    likely, lone = resting_.numpy(), _lone(pinned.numpy())
    rest = contacts.find_contacts(positions, ground, feet).numpy()
    likely = np.where(pinned.numpy() & ~lone, rest, likely)
    gap, rows = baseline.gaps(pinned), torch.arange(len(pinned))[:, None]
    sure = ((UNSURE - gap.span / ground.fps) / (UNSURE - 1.0)).clamp(0.0, 1.0)
    beside = (torch.minimum(rows - gap.before, gap.after - rows) / (RAMP * ground.fps)).clamp(0.0, 1.0)
    beside = beside * beside * (3.0 - 2.0 * beside)
    lift = lift * beside
    way = way_on(positions[:, feet], gap, ground.up)
    farther = (along * beside)[..., None] * way / (way.norm(dim=-1, keepdim=True) + FEW * ground.size)
    for i, foot in enumerate(feet):
        at = skeleton.fk(rotations, locations, offset, ground.parents)[1][:, foot]
        on = (at + farther[:, i]).double().numpy()
        move = torch.from_numpy(held(on, likely[:, i], pinned[:, i].numpy(), lone[:, i])).to(at.dtype) - at
        move[:, ground.up] = lift[:, i].to(at.dtype)
        move = move * sure[:, i, None]
        move[pinned[:, i] | (move.norm(dim=-1) < STAYS * ground.size)] = 0.0
        rotations, locations = contacts.hold(rotations, locations, offset, ground, foot, move)
    return rotations, locations


def _lone(pinned: np.ndarray) -> np.ndarray:
    """Which of the pinned rows (T, F) bool are too few in a row to tell whether a foot rests there."""
    padded = np.pad(pinned, ((2, 2), (0, 0)))
    whole = padded[:-2] & padded[1:-1] & padded[2:]  # three in a row, by the middle one
    near: np.ndarray = whole[:-2] | whole[1:-1] | whole[2:]
    return pinned & ~near


def held(path: np.ndarray, likely: np.ndarray, pinned: np.ndarray, lone: np.ndarray) -> np.ndarray:
    """The path (T, 3) that goes least where it is likely (T,) to rest, as evenly as the one given, through the same pinned
    rows (T,) bool, of which the lone ones count as their neighbours: least squares in three parts, by its banded equations."""
    if len(path) < 4 or pinned.all():
        return path
    odds = (likely / np.maximum(1.0 - likely, SURE)) ** ODDS
    later, sooner = np.where(lone[1:], odds[:-1], odds[1:]), np.where(lone[:-1], odds[1:], odds[:-1])
    bands, even = np.zeros((3, len(path))), np.zeros((3, len(path)))
    for row, terms in enumerate(((1.0, -1.0), (1.0, -2.0, 1.0))):
        weight = FIRM * later * sooner if row == 0 else np.full(len(path) - 2, SMOOTH)
        into = bands if row == 0 else even
        for i, a in enumerate(terms):
            for j, b in enumerate(terms[: i + 1]):
                into[i - j, j : j + len(weight)] += a * b * weight
    right = path.copy()
    for apart in range(3):
        line = even[apart, : len(path) - apart, None]
        right[: len(path) - apart] += line * path[apart:]
        if apart:
            right[apart:] += line * path[: len(path) - apart]
    bands += even
    bands[0] += 1.0 + PIN * pinned
    right += PIN * pinned[:, None] * path
    solved: np.ndarray = solveh_banded(bands, right, lower=True)
    return solved
