"""What the extrapolation network sees, and what its output is added to: rows that coast on from the last known pose.

All rows of a stretch are seen at once, so that what comes early and what comes late can agree. Vectors are as in
tokens.py. Knows no file.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine import quat, skeleton
from engine.motion import tokens
from engine.motion.tokens import STATIC, Free, Rig

FEATURES = 41 + STATIC
OUTPUTS = 16
RESTS = (0.04, 0.1, 0.3)  # seconds in which a velocity dies away: the network chooses how much of each goes on
COASTS = (0.0, 1.0, 0.0)  # of each, before the network has its say
RETURN = 0.3  # seconds of the way back to the mean pose seen
TOP_TURN, TOP_MOVE = 18.0, 4.5  # radians and rig sizes a second that are believed of the last rows


@dataclass(frozen=True)
class Pull:
    """What moves a value on, vectors (B, 1, J, 3), a second each: the velocity that is believed, that of the last two rows,
    how it changes, the way to the mean. A velocity is believed as far as it agrees with the one before (B, 1, J, 1):
    captured motion has frames that jump."""

    speed: Tensor
    last: Tensor
    change: Tensor
    home: Tensor
    agrees: Tensor


def _pull(steps: Tensor, home: Tensor, fps: float, top: float | Tensor) -> Pull:
    """From the ways (B, C - 1, J, 3) between the known rows."""
    last = _bounded(steps[:, -1:] * fps, top)
    before = _bounded(steps[:, -2:-1] * fps, top) if steps.shape[1] > 1 else last
    size = _length(last) + _length(before)
    agrees = (1.0 - _length(last - before) / size).clamp_min(0.0)
    return Pull(last * agrees, last, (last - before) * fps, home, agrees)


def _length(v: Tensor) -> Tensor:
    return (v.square().sum(-1, keepdim=True) + 1e-8).sqrt()


def _bounded(v: Tensor, top: float | Tensor) -> Tensor:
    """Vectors no longer than about `top`, untouched well below it."""
    length = (v.square().sum(-1, keepdim=True) + 1e-12).sqrt() / top
    return v * torch.where(length > 1e-3, length.tanh() / length, torch.ones_like(length))


def _ways(pull: Pull, time: Tensor) -> list[Tensor]:
    """What each kind of pull has done after `time` seconds (1, F, 1, 1): (B, F, J, 3) each."""
    coasted = [pull.speed * (rest * (1.0 - torch.exp(-time / rest))) for rest in RESTS]
    bent = pull.change * (0.5 * time.square() * torch.exp(-time / 0.06))
    raw = pull.last * (RESTS[1] * (1.0 - torch.exp(-time / RESTS[1])))
    return [*coasted, bent, pull.home * (1.0 - torch.exp(-time / RETURN)), raw]


@dataclass(frozen=True)
class Ahead:
    """The network's input over known and coming rows, features (B, C + F, J, FEATURES), and what makes poses of its word."""

    features: Tensor
    known: int
    rotations: Tensor  # (B, 1, J, 4) the last known row
    locations: Tensor  # (B, 1, J, 3)
    turned: Tensor  # (B, F, J, 4) global rotations of the rows that coast
    frame: Tensor  # (B, 1, 1, 4) the last known heading
    turn_ways: list[Tensor]
    move_ways: list[Tensor]
    growth: Tensor  # (1, F, 1, 1)
    free: Free
    rig: Rig

    def poses(self, out: Tensor) -> tuple[Tensor, Tensor]:
        """Rotations (B, F, J, 4) and locations (B, F, J, 3) of the coming rows; out (B, C + F, J, OUTPUTS): a turn, a
        move, and how much of each way is gone."""
        out, back = out[:, self.known :], quat.conjugate(self.frame)
        start = len(RESTS)
        turn = self.growth * quat.rotate(quat.conjugate(self.turned), quat.rotate(back, out[..., :3]))
        move = self.growth * quat.rotate(back, out[..., 3:6]) * self.rig.size()
        move = tokens.into_parent(move, self.turned, self.rig)
        for i, way in enumerate(self.turn_ways):
            turn = turn + (out[..., 6 + i, None] + (COASTS[i] if i < start else 0.0)) * way
        for i, way in enumerate(self.move_ways[: start + 1]):
            move = move + (out[..., 12 + i, None] + (COASTS[i] if i < start else 0.0)) * way
        rotations = quat.multiply(self.rotations.expand_as(self.turned), quat.exp(turn * self.free.turns))
        return quat.normalize(rotations), self.locations + move * self.free.moves


def turn_pulls(rotations: Tensor, rows: int, fps: float) -> list[Tensor]:
    """What each kind of pull has turned the joints by in each of `rows` rows after rotations (B, C, J, 4), C >= 3: (B, rows,
    J, 3) each."""
    last = rotations[:, -1:]
    since = quat.log(quat.multiply(quat.conjugate(last), rotations))
    steps = quat.log(quat.multiply(quat.conjugate(rotations[:, -3:-1]), rotations[:, -2:]))
    time = (torch.arange(1, rows + 1, device=rotations.device) / fps)[None, :, None, None]
    return _ways(_pull(steps, since.mean(1, keepdim=True), fps, TOP_TURN), time)


def _after(x: Tensor, rows: Tensor) -> Tensor:
    return torch.cat([x, rows], 1)


def ahead(rotations: Tensor, locations: Tensor, free: Free, rig: Rig, rows: int, fps: float) -> Ahead:
    """Features for `rows` rows after the known rotations (B, C, J, 4) and locations (B, C, J, 3), C >= 2, all `fps` a
    second."""
    known, size = rotations.shape[1], rig.size()
    last, place = rotations[:, -1:], locations[:, -1:]
    since = quat.log(quat.multiply(quat.conjugate(last), rotations))
    steps = quat.log(quat.multiply(quat.conjugate(rotations[:, :-1]), rotations[:, 1:]))
    turn = _pull(steps[:, -2:], since.mean(1, keepdim=True), fps, TOP_TURN)
    home = locations.mean(1, keepdim=True) - place
    move = _pull(locations[:, -3:].diff(dim=1), home, fps, TOP_MOVE * size)
    count = torch.arange(1 - known, rows + 1, device=rotations.device)
    time = (count / fps)[None, :, None, None]
    soon = time[:, known:]
    turn_ways, move_ways = _ways(turn, soon), _ways(move, soon)
    coasted = quat.multiply(last.expand(-1, rows, -1, -1), quat.exp(turn_ways[1] * free.turns))
    q, p = _after(rotations, coasted), _after(locations, place + move_ways[1] * free.moves)
    turned, positions = skeleton.fk(q, p, rig.offsets[:, None], rig.parents)
    frame = tokens.heading(turned[:, known - 1 : known], rig)
    over, _ = rig.above(turned)
    here, now = positions[:, known - 1 : known], turned[:, known - 1 : known]
    pace = fps / tokens.SECOND

    def change(x: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(x[:, :1]), x], 1) * pace

    def shown(v: Tensor) -> Tensor:
        return quat.rotate(now, v).expand(-1, known + rows, -1, -1)

    vectors = [
        (positions - positions[..., rig.main, None, :]) / size,
        (positions - positions.index_select(-2, over)) / size * 3.0,
        change(positions.diff(dim=1)) / size * 20.0,
        change(quat.log(quat.multiply(turned[:, 1:], quat.conjugate(turned[:, :-1])))) * 10.0,
        quat.log(quat.multiply(turned, quat.conjugate(now))),
        quat.rotate(now, quat.log(quat.multiply(quat.conjugate(last), q))),
        (positions - here) / size * 2.0,
        shown(turn.speed) * 0.3,
        shown(turn.last) * 0.3,
        shown(turn.change) * 0.02,
        shown(turn.home),
    ]
    shape = q.shape[:3]
    scalars = [
        (time > 0).to(q.dtype), time.clamp(-1.0, 1.0), 1.0 / (1.0 + 30.0 * time.abs()), torch.exp(-time.abs() / 0.1),
        free.moves, free.turns, torch.full_like(time, fps / 60.0), turn.agrees,
    ]  # fmt: skip
    features = torch.cat([
        *(quat.rotate(frame, v) for v in vectors),
        *(s.to(q.dtype).expand(*shape, 1) for s in scalars),
        tokens.static(rig)[:, None].expand(*shape, STATIC),
    ], -1)  # fmt: skip
    growth = (soon / 0.15).clamp(max=1.0) * 0.5 + 0.5 * (soon / 0.5).clamp(max=1.0)
    return Ahead(features, known, last, place, turned[:, known:], frame, turn_ways, move_ways, growth, free, rig)
