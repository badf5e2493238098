"""Going on for as long as one likes: the motion that a clip already holds, taken up at the frame most like the one reached.

Poses and speeds stay those the artist made, so that nothing freezes or runs away; whatever differs where one motion
passes into the other dies away smoothly. Knows no network and no file.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engine import quat
from engine.motion import tokens
from engine.motion.tokens import Rig, Stance

FADE = 4.0  # rows in which a difference at a seam falls to a third
SHORTEST = 20  # rows that are played at least before the next seam


def enough(rows: int) -> bool:
    """Whether a clip of so many rows holds enough to go on from."""
    return rows > SHORTEST + 4


def replay(source: Stance, reached: Stance, rig: Rig, count: int) -> tuple[Tensor, Tensor]:
    """`count` rows after `reached` (1, 1, J, ·) from the rows of source (1, R, J, ·): rotations (count, J, 4) and locations
    (count, J, 3). The way on the ground goes on from the place and heading reached."""
    looks, last = _looks(source, rig), source.rotations.shape[1]
    rotations: list[Tensor] = []
    locations: list[Tensor] = []
    while sum(map(len, rotations)) < count:
        distance = (looks[1 : last - SHORTEST] - _looks(reached, rig)).square().sum(-1)
        start = int(distance.argmin()) + 1
        turn, move = _join(source, start, reached, rig)
        rotations.append(turn[0])
        locations.append(move[0])
        end = tokens.stances(turn[:, -2:], move[:, -2:], rig)
        reached = end.rows(1, 2)
    return torch.cat(rotations)[:count], torch.cat(locations)[:count]


def _looks(x: Stance, rig: Rig) -> Tensor:
    """What makes two rows alike, (R, ·): bone directions and how they change, both seen from the rig's heading."""
    frame, size = tokens.heading(x.turned, rig), rig.size()
    over, _ = rig.above(x.turned)
    main = x.step[..., rig.main, None, :]
    vectors = [x.positions - x.positions[..., over, :], 5.0 * (x.step - main), 5.0 * main.expand_as(x.step)]
    seen = [quat.rotate(frame, v / size) for v in vectors]
    return torch.cat([*seen, quat.rotate(frame, x.whirl)], -1)[0].flatten(1)


def _join(source: Stance, start: int, reached: Stance, rig: Rig) -> tuple[Tensor, Tensor]:
    """The source's rows after `start`, so turned and placed that they follow `reached`; the seam's difference fades."""
    at = source.rows(start, start + 1)
    rows = source.rows(start + 1, source.rotations.shape[1])
    align = quat.multiply(quat.conjugate(tokens.heading(reached.turned, rig)), tokens.heading(at.turned, rig))
    _, root = rig.above(rows.rotations)

    def turned(q: Tensor) -> Tensor:
        return torch.where(root, quat.multiply(align.expand(*q.shape), q), q)

    def moved(v: Tensor) -> Tensor:
        return torch.where(root, quat.rotate(align, v), v)

    time = torch.arange(1, rows.rotations.shape[1] + 1, device=root.device)[None, :, None, None]
    gone = torch.exp(-time / FADE)
    turn = quat.log(quat.multiply(quat.conjugate(turned(at.rotations)), reached.rotations))
    turn = (turn + (reached.spin - at.spin + turn / FADE) * time) * gone
    move, push = reached.locations - moved(at.locations), reached.shift - moved(at.shift)
    up = move.new_tensor([0.0, 0.0, 1.0] if rig.up == "Z" else [0.0, 1.0, 0.0])
    along = move + push * FADE * (1.0 - gone)
    fading = (move + (push + move / FADE) * time) * gone
    ground = torch.where(root, 1.0 - up, torch.zeros_like(up))
    rotations = quat.normalize(quat.multiply(turned(rows.rotations), quat.exp(turn)))
    return rotations, moved(rows.locations) + ground * along + (1.0 - ground) * fading
