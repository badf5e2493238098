"""A way that is given to a motion played on: the artist has keyed where a root goes, and perhaps how it turns, further than all
else. The motion is played at the pace of that way, turned along it and placed on it. Knows no network and no file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine import clips, quat
from engine.motion import retime

SLOWEST, FASTEST = 0.6, 1.6  # of the motion's own pace: slower or faster it is not played, and the feet slide
LEAST = 0.05  # rig sizes a second: what goes slower stands
SMOOTH = 0.25  # seconds over which paces and directions are told
TURN_IN = 0.5  # seconds in which the motion comes to face along the way


@dataclass(frozen=True)
class Way:
    """What is given of the frames after a clip: rotations (P, J, 4) and locations (P, J, 3), of which these joints (J,) count.
    last: the clip's last locations (J, 3)."""

    rotations: Tensor
    locations: Tensor
    turns: Tensor
    moves: Tensor
    last: Tensor
    fps: float
    up: int
    size: float

    @property
    def length(self) -> int:
        """Rows that are given."""
        return len(self.locations)

    @property
    def root(self) -> int:
        """The joint that goes the way."""
        return int(self.moves.int().argmax())

    def follow(
        self, rotations: Tensor, locations: Tensor, count: int, carried: dict[int, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """`count` rows of the motion (N, J, ·) that was played on freely, along the way; what comes after it goes on freely.
        carried: the other joints that go along with the root, as the controls of its feet, each with its place at rest (3,)
        as seen from the root's."""
        root = self.root
        given = torch.cat([self.last[None, root], self.locations[:count, root]])
        own = torch.cat([self.last[None, root], locations[:, root]])
        at = self._times(given, own, count)
        rows = retime.Rows(at)
        rotations, locations = rows.rotations(rotations), rows.vectors(locations)
        yaw = self._yaw(given, torch.cat([self.last[None, root], locations[:, root]]), count)
        free = locations[:, root].clone()
        rotations[:, root] = quat.multiply(yaw, rotations[:, root])
        rotations, locations = self.place(rotations, locations)
        if (n := self.length) < count:
            locations[n:, root] = locations[n - 1, root] + quat.rotate(yaw[-1:], free[n:] - free[n - 1])
        for joint, rest in carried.items():
            apart = quat.rotate(yaw, locations[:, joint] + rest - free)
            rotations[:, joint] = quat.multiply(yaw, rotations[:, joint])
            locations[:, joint] = locations[:, root] + apart - rest
        return rotations, locations

    def place(self, rotations: Tensor, locations: Tensor) -> tuple[Tensor, Tensor]:
        """The motion with what is given put in; it goes on from there."""
        n = min(len(locations), self.length)
        off = self.locations[n - 1] - locations[n - 1]
        turn = quat.multiply(self.rotations[n - 1], quat.conjugate(rotations[n - 1]))
        moved = torch.cat([self.locations[:n], locations[n:] + off])
        turned = torch.cat([self.rotations[:n], quat.multiply(turn.expand_as(rotations[n:]), rotations[n:])])
        return torch.where(self.turns[:, None], turned, rotations), torch.where(self.moves[:, None], moved, locations)

    def _ground(self, places: Tensor) -> Tensor:
        """The way (R, 2) over the ground, seen from above."""
        return places[:, [0, 1]] if self.up == 2 else places[:, [2, 0]]

    def _steps(self, places: Tensor) -> Tensor:
        """How each row is gone on to, (R - 1, 2), over the ground, as a mean over a while."""
        steps = self._ground(places).diff(dim=0)
        reach = max(1, round(SMOOTH * self.fps))
        index = torch.arange(len(steps))[:, None] + torch.arange(-reach, reach + 1)
        return steps[index.clamp(0, len(steps) - 1)].mean(1)

    def _times(self, given: Tensor, own: Tensor, count: int) -> np.ndarray:
        """Which row of the motion is played when, (count,): as fast as the way is gone."""
        least = LEAST * self.size / self.fps
        pace = float(self._steps(own).norm(dim=-1).mean())
        speed = torch.full((count,), pace)
        n = min(count, self.length)
        speed[:n] = self._steps(given)[:n].norm(dim=-1)
        rate = (speed / max(pace, 1e-9)).clamp(SLOWEST, FASTEST) if pace > least else torch.ones(count)
        return (rate.cumsum(0) - 1.0).clamp(0.0, len(own) - 2).numpy().astype(np.float64)

    def _yaw(self, given: Tensor, own: Tensor, count: int) -> Tensor:
        """How the motion is turned about the vertical so that it goes along the way, (count, 4)."""
        n, least = min(count, self.length), LEAST * self.size / self.fps
        steps = self._steps(given)[:n], self._steps(own)[:n]
        angle = torch.zeros(count)
        if float(steps[1].norm(dim=-1).mean()) > least:
            off = torch.atan2(steps[0][:, 1], steps[0][:, 0]) - torch.atan2(steps[1][:, 1], steps[1][:, 0])
            goes = torch.minimum(steps[0].norm(dim=-1), steps[1].norm(dim=-1)) > 0.5 * least
            known = np.flatnonzero(goes.numpy())
            if len(known):
                turned = np.unwrap(off.numpy()[known])
                turned = turned - 2.0 * np.pi * np.round(turned[0] / (2.0 * np.pi))
                angle[:n] = torch.from_numpy(np.interp(np.arange(n), known, turned).astype(np.float32))
                angle[n:] = angle[n - 1]
        eased = (torch.arange(1, count + 1) / (TURN_IN * self.fps)).clamp(max=1.0)
        angle = angle * eased * eased * (3.0 - 2.0 * eased)
        axis = torch.zeros(count, 3)
        axis[:, self.up] = angle
        return quat.exp(axis)


def split(data: clips.Motion, length: int, size: float) -> Way | None:
    """The way in a clip's last `length` frames; none where nothing is given in them."""
    turns, moves = (torch.from_numpy(mask[-length:].all(0)) for mask in (data.rotation_keys, data.location_keys))
    if not bool(moves.any()):
        return None
    rotations, locations = torch.from_numpy(data.rotations[-length:]), torch.from_numpy(data.locations[-length:])
    last = torch.from_numpy(data.locations[-length - 1])
    up = 2 if data.clip.up == "Z" else 1
    return Way(rotations, locations, turns, moves, last, data.clip.fps, up, size)
