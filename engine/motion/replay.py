"""Going on for as long as one likes: the motion that a clip already holds, taken up at the frame most like the one reached.

Poses and speeds stay those the artist made, so that nothing freezes or runs away; whatever differs where one motion
passes into the other dies away smoothly. All that has no parent, as the body and the controls of its feet, is turned and
carried on as one. Knows no network and no file.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine import quat
from engine.motion import tokens
from engine.motion.tokens import Rig, Stance

FADE = 4.0  # rows in which a difference at a seam falls to a third
SHORTEST = 20  # rows that are played at least before the next seam
WHOLE = 0.5  # of what is left of the clip: as much is played at least
TILT = (
    0.5  # what a radian by which the body leans counts for, where a speed of a rig's size in five rows counts for one
)
TOLD, BETTER = 10, 0.8  # rows that are told, and of the error of standing still what counts as better
STAYS = 0.25  # rig sizes: what goes less far over the ground stays where it is
UPRIGHT = 0.2  # how far up the leader's up points, at least, in what does not roll
POINT = 1e-5  # a rig so small is a point, measured by how far it goes


def enough(rows: int) -> bool:
    """Whether a clip of so many rows holds enough to go on from."""
    return rows > SHORTEST + 4


@dataclass(frozen=True)
class Way:
    """How rows go on: the joint that leads (one without a parent); whether it stands where it is, so that nothing is turned
    or carried along; whether it rolls: then it has no heading to be turned to, and rolls on."""

    leader: int
    fixed: bool
    rolls: bool


@dataclass(frozen=True)
class Replay:
    """rotations (count, J, 4), locations (count, J, 3); the row of the source that each was (count,); where seams are."""

    rotations: Tensor
    locations: Tensor
    rows: Tensor
    seams: list[int]

    def values(self, source: Tensor, reached: Tensor) -> Tensor:
        """Numbers (count, C) after `reached` (C,) by the rows (R, C) of the source. What only ever rises or falls does so
        on; other differences fade."""
        steps, out = source.diff(dim=0), source[self.rows].clone()
        onward = ((steps >= 0).all(0) | (steps <= 0).all(0)) & (steps != 0).any(0)
        for start, end in zip(self.seams, [*self.seams[1:], len(out)], strict=True):
            off = reached - source[self.rows[start] - 1]
            gone = torch.exp(-torch.arange(1, end - start + 1) / FADE)[:, None]
            out[start:end] += torch.where(onward, off, off * gone)
            reached = out[end - 1]
        return out


def way_of(source: Stance, rig: Rig, leader: int) -> Way:
    """The way of a source that `leader` leads."""
    over_ground = source.positions[:, :, leader] * (1.0 - _up(rig, source.positions))
    gone = (over_ground.amax(1) - over_ground.amin(1)).norm(dim=-1).amax()
    up = _up(rig, source.positions)
    lean = (quat.rotate(source.turned[:, :, leader], up.expand_as(over_ground)) * up).sum(-1).amin()
    return Way(leader, bool(gone < STAYS * _size(source, rig).amax()), bool(lean < UPRIGHT))


def replay(source: Stance, reached: Stance, rig: Rig, count: int, way: Way, like: Stance | None = None) -> Replay:
    """`count` rows after `reached` (1, 1, J, ·) from the rows of source (1, R, J, ·), at first from the one most like `like`, or
    like `reached`. The way on the ground goes on from the place and heading reached."""
    size, last = _size(source, rig), source.rotations.shape[1]
    looks = _looks(source, rig, way, size)
    apart = torch.cdist(looks, looks[1 : last - SHORTEST])  # of each row from each that can be gone on from
    rotations: list[Tensor] = []
    locations: list[Tensor] = []
    rows: list[Tensor] = []
    seams: list[int] = []
    sought = _looks(reached if like is None else like, rig, way, size)
    start = int((looks[1 : last - SHORTEST] - sought).square().sum(-1).argmin()) + 1
    done = 0
    while done < count:
        first = start + max(SHORTEST, int(WHOLE * (last - start)))
        ends = apart[min(first, last - 1) :]
        end, onward = divmod(int(ends.argmin()), ends.shape[1])
        end += min(first, last - 1)
        turn, move = _join(source, start, end + 1, reached, rig, way)
        rotations.append(turn[0])
        locations.append(move[0])
        rows.append(torch.arange(start + 1, end + 1))
        seams.append(done)
        done, start = done + len(turn[0]), onward + 1
        reached = tokens.stances(turn[:, -2:], move[:, -2:], rig).rows(1, 2)
    return Replay(torch.cat(rotations)[:count], torch.cat(locations)[:count], torch.cat(rows)[:count], seams)


def numbers(values: Tensor) -> tuple[Stance, Rig, Way]:
    """Numbers (R, C) that change, as what can be gone on from: each a point that goes up and down, all as far."""
    low, high = values.amin(0), values.amax(0)
    places = torch.stack([torch.zeros_like(values), (values - low) / (high - low), torch.zeros_like(values)], -1)[None]
    still = quat.identity(places).expand(*places.shape[:-1], 4)
    rig = Rig([-1] * values.shape[1], torch.zeros(1, values.shape[1], 3))
    return tokens.stances(still, places, rig), rig, Way(0, True, False)


def recurs(source: Stance, rig: Rig, way: Way) -> bool:
    """Whether the last rows of the source would have been told by this from what was before them, better than by standing
    still and than by going on evenly: so for what bounces, not for what is done once."""
    last, errors = source.rotations.shape[1] - 1, torch.zeros(2)
    time, size = torch.arange(1, TOLD + 1)[None, :, None, None], _size(source, rig)
    for cut in range(last - TOLD, max(SHORTEST + 4, last - 3 * TOLD), -TOLD // 2):
        past, true = source.rows(0, cut + 1), source.rows(cut + 1, cut + 1 + TOLD)
        now = source.rows(cut, cut + 1)
        told = replay(past, now, rig, TOLD, way)
        again = tokens.stances(told.rotations[None], told.locations[None], rig)
        even = quat.multiply(quat.exp(now.whirl * time), now.turned.expand_as(true.turned))
        ways = [(again.turned, again.positions), (now.turned, now.positions), (even, now.positions + now.step * time)]
        off = [_off(turned, places, true, size) for turned, places in ways]
        errors += torch.stack([off[0], torch.minimum(off[1], off[2])])
    return bool(errors[0] < BETTER * errors[1])


def _off(turned: Tensor, places: Tensor, true: Stance, size: Tensor) -> Tensor:
    turn = quat.log(quat.multiply(quat.conjugate(turned.expand_as(true.turned)), true.turned))
    return turn.norm(dim=-1).mean() + ((places - true.positions) / size).norm(dim=-1).mean()


def _up(rig: Rig, like: Tensor) -> Tensor:
    return like.new_tensor([0.0, 0.0, 1.0] if rig.up == "Z" else [0.0, 1.0, 0.0])


def _size(x: Stance, rig: Rig) -> Tensor:
    """The rig's, or, if that is a point, how far it goes."""
    size = rig.size()
    far = (x.positions.amax(1, keepdim=True) - x.positions.amin(1, keepdim=True)).norm(dim=-1).amax(2)[..., None, None]
    return torch.where(size > POINT, size, far.clamp_min(POINT))


def _looks(x: Stance, rig: Rig, way: Way, size: Tensor) -> Tensor:
    """What makes two rows alike, (R, ·): where joints are and how they go, seen from the rig's heading."""
    leading = slice(way.leader, way.leader + 1)
    turned, up = x.turned[..., leading, :], _up(rig, x.positions)
    seen_from = quat.identity(x.turned).expand_as(x.turned) if way.fixed or way.rolls else x.turned
    frame, (over, root) = tokens.heading(seen_from, rig), rig.above(x.turned)
    leader, main = x.positions[..., leading, :], x.step[..., leading, :]
    bones = x.positions - torch.where(root, leader, x.positions[..., over, :])
    own = leader if way.fixed else leader * up
    vectors = [bones, own, 5.0 * (x.step - main), 5.0 * main.expand_as(x.step)]
    lean = quat.rotate(frame, quat.rotate(turned, up.expand_as(main)))
    seen = [quat.rotate(frame, v / size) for v in vectors]
    return torch.cat([*seen, quat.rotate(frame, x.whirl), (0.0 if way.rolls else TILT) * lean], -2)[0].flatten(1)


def _join(source: Stance, start: int, end: int, reached: Stance, rig: Rig, way: Way) -> tuple[Tensor, Tensor]:
    """The source's rows after `start` up to `end`, so turned and placed that they follow `reached`; differences at the seam
    fade, but those of where the whole has come to on the ground."""
    at, rows = source.rows(start, start + 1), source.rows(start + 1, end)
    align = quat.multiply(quat.conjugate(tokens.heading(reached.turned, rig)), tokens.heading(at.turned, rig))
    align = quat.identity(align) if way.fixed or way.rolls else align
    _, root = rig.above(rows.rotations)
    rest, leading = rig.offsets[:, None], slice(way.leader, way.leader + 1)
    on = quat.multiply(reached.rotations[..., leading, :], quat.conjugate(at.rotations[..., leading, :]))

    def turned(q: Tensor) -> Tensor:
        own = torch.where(root, quat.multiply(align.expand(*q.shape), q), q)
        if way.rolls and not way.fixed:
            own[..., leading, :] = quat.multiply(on.expand_as(q[..., leading, :]), q[..., leading, :])
        return own

    def moved(v: Tensor) -> Tensor:
        return torch.where(root, quat.rotate(align, v), v)

    def placed(locations: Tensor) -> Tensor:
        return torch.where(root, quat.rotate(align, locations + rest) - rest, locations)

    time = torch.arange(1, rows.rotations.shape[1] + 1, device=root.device)[None, :, None, None]
    gone = torch.exp(-time / FADE)
    turn = quat.log(quat.multiply(quat.conjugate(turned(at.rotations)), reached.rotations))
    turn = (turn + (reached.spin - at.spin + turn / FADE) * time) * gone
    move, push = reached.locations - placed(at.locations), reached.shift - moved(at.shift)
    ground = torch.where(root, 1.0 - _up(rig, move), torch.zeros_like(move)) * (0.0 if way.fixed else 1.0)
    far, going = (ground * v[..., leading, :] for v in (move, push))
    move, push = move - far, push - going
    along = far + going * FADE * (1.0 - gone)
    fading = (move + (push + move / FADE) * time) * gone
    rotations = quat.normalize(quat.multiply(turned(rows.rotations), quat.exp(turn)))
    return rotations, placed(rows.locations) + along + fading
