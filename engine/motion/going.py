"""One clip played on: what the networks make of its next moments, and what it holds itself, taken up from there. Knows no file,
and nothing of ways and targets that the artist gives."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from engine import clips, quat
from engine.motion import heed, replay, retime, tokens
from engine.motion.infer import FEWEST, FPS
from engine.motion.unroll import Pair, play, stack

HORIZON = (
    12  # rows that are the networks' own: later they tell a mean of what may come, which moves less than any of it
)
MEMORY = 600  # rows of the clip that are taken up again after that
SHORT_MEMORY = "The clip is so short that the motion may come to rest; give it a second or more to go by."


def cannot_play(model: str, data: clips.Motion, turns: Tensor) -> str:
    """Why the extrapolation network is not used on this clip, as a sentence; empty where it is."""
    count, rest = int(turns.sum()), " The motion coasts to rest instead."
    if model not in ("auto", "lstm"):
        return f"The model '{model}' is unknown to this engine." + rest
    if count < FEWEST:
        return f"The network needs {FEWEST} bones that turn, and here are {count}." + rest
    if (len(data.rotations) - 1) * FPS / data.clip.fps < 3:
        return "The network needs at least a tenth of a second of motion to go by; choose more frames." + rest
    if not np.any(data.offsets):
        return "All bones sit in one point, so the network cannot tell the rig's shape." + rest
    return ""


class Go:
    """A clip played on. `rotations` (count, J, 4), `locations`, `values` (count, C, 1): what run() made.

    others: more than one joint is moved, as the hands and feet of a control rig are; acted: the networks play; played: the
    clip's own motion was taken up.

    The networks play the first HORIZON rows, as far as they were trained; then the motion goes on with what the clip holds.
    They know of one moved joint only, so that of a control rig all is the clip's own, from the first row on.
    """

    def __init__(self, data: clips.Motion, turns: Tensor, moves: Tensor, count: int, leader: int | None = None) -> None:
        rotations, locations = torch.from_numpy(data.rotations), torch.from_numpy(data.locations)
        self.count, self.step = count, retime.near_one(data.clip.fps)
        last = len(rotations) - 1
        times = last - self.step * np.arange(min(MEMORY, int(last / self.step + 1e-6) + 1))[::-1]
        self.context = retime.Rows(times)
        self.data, self.turned, self.acted = data, turns, False
        self.part = retime.moving_part(data, rotations, locations)
        leads = moves.cumsum(0) == 1 if leader is None else torch.arange(len(moves)) == leader
        self.root = moves & leads  # the body's; the networks know of no other locations
        self.turns, self.moves = turns[self.part.joints], self.root[self.part.joints]
        self.others, self.all_moves = bool((moves & ~self.root).any()), moves[self.part.joints]
        self.rotations = rotations[-1:].expand(count, -1, -1).clone()
        self.locations = locations[-1:].expand(count, -1, -1).clone()
        self.known_values = torch.from_numpy(data.values)
        self.values = self.known_values[-1:].expand(count, -1)[..., None].clone()
        self.notes: list[str] = []
        self.played = False
        over = set(itertools.compress(self.part.joints, (p < 0 for p in self.part.rig.parents)))
        self.upper = [-1 if j in over else p for j, p in enumerate(data.clip.parents)]

    @functools.cached_property
    def known(self) -> tokens.Stance:
        """The clip's rows as stances, on the processor."""
        turns, moves = self.context.rotations(self.part.rotations), self.context.vectors(self.part.locations)
        return tokens.stances(turns[None], moves[None], self.part.rig)

    @functools.cached_property
    def way(self) -> replay.Way:
        """Who leads, and how."""
        parents = self.part.rig.parents
        leader = int(self.moves.int().argmax()) if bool(self.moves.any()) else self.part.rig.main
        while parents[leader] >= 0:
            leader = parents[leader]
        return replay.way_of(self.known, self.part.rig, leader)

    def carried(self) -> dict[int, Tensor]:
        """The other joints that go where the whole goes, each with its place at rest (3,) as seen from the root's."""
        places = {j: self.known.positions[0, -1, i] - self.known.locations[0, -1, i] for i, j in self._free()}
        root = int(self.root.int().argmax())
        return {j: at - places[root] for j, at in places.items() if root in places and j != root}

    def _free(self) -> list[tuple[int, int]]:
        parents = self.part.rig.parents
        return [(i, j) for i, j in enumerate(self.part.joints) if parents[i] < 0 and bool(self.all_moves[i])]

    def why_not(self, model: str) -> str:
        """Why neither the networks nor the clip's own motion serve, as a sentence; empty where one does."""
        rows, joints = len(self.context.times), len(self.part.joints)
        why = cannot_play(model, self.data, self.turned)
        self.acted = not why and not self.others
        if self.acted or model not in ("auto", "lstm") or not joints:
            return why
        if not replay.enough(rows):
            return why or SHORT_MEMORY
        serves = joints >= FEWEST or replay.recurs(self.known, self.part.rig, self.way)
        return "" if serves else why

    @torch.inference_mode()
    def run(self, pair: Pair | None) -> Iterator[float]:
        """Play on, telling the part done; without networks by what the clip holds alone."""
        known, count = self.known, int(np.ceil(self.count / self.step))
        last = known.rotations.shape[1]
        lasting = replay.enough(last)
        first = 0 if pair is None else min(count, HORIZON) if lasting else count
        reached, turns, moves = known.rows(last - 1, last), [known.rotations[0, -1:]], [known.locations[0, -1:]]
        like = reached
        if pair is not None:
            mean, networks = (
                heed.told(known, lambda past: self._tellers(pair, past, first), first)
                if lasting
                else 2 * (self._networks(pair, known, first),)
            )
            # A mean moves less than what it is of, so that it is no guide to what comes next.
            reached, like = (self._reached(known, told) for told in (mean, networks))
            turns.append(mean[0])
            moves.append(mean[1])
            yield first / count
        if first < count and lasting:
            again = replay.replay(known, reached, self.part.rig, count - first, self.way, like)
            turns.append(torch.where(self.turns[:, None], again.rotations, turns[0]))
            moves.append(torch.where(self.all_moves[:, None], again.locations, moves[0]))
            self._take_values(again, first)
            self.played = True
        elif count > HORIZON:
            self.notes.append(SHORT_MEMORY)
        self._take(torch.cat(turns), torch.cat(moves))

    def _reached(self, known: tokens.Stance, told: heed.Told) -> tokens.Stance:
        """The last row told after the known ones."""
        turns, moves = torch.cat([known.rotations[0, -1:], told[0]]), torch.cat([known.locations[0, -1:], told[1]])
        return tokens.stances(turns[None], moves[None], self.part.rig).rows(len(turns) - 1, len(turns))

    def _tellers(self, pair: Pair, past: tokens.Stance, rows: int) -> list[heed.Told]:
        """The next rows as the networks tell them, by the clip's own motion, and standing still."""
        now = past.rotations[0, -1:], past.locations[0, -1:]
        last = past.rotations.shape[1]
        again = replay.replay(past, past.rows(last - 1, last), self.part.rig, rows, self.way)
        turn = torch.where(self.turns[:, None], again.rotations, now[0])
        move = torch.where(self.moves[:, None], again.locations, now[1])
        still = now[0].expand(rows, -1, -1), now[1].expand(rows, -1, -1)
        return [self._networks(pair, past, rows), (turn, move), still]

    def _networks(self, pair: Pair, past: tokens.Stance, rows: int) -> heed.Told:
        where = next(pair.net.parameters()).device
        rig = tokens.Rig(self.part.rig.parents, self.part.rig.offsets.to(where), self.part.rig.up)
        free = tokens.Free(*(x.float()[None, None, :, None].to(where) for x in (self.turns, self.moves)))
        context = tokens.Stance(**{name: x.to(where) for name, x in vars(past).items()})
        made = stack(list(itertools.islice(play(pair, context, free, rig), rows)))
        return made.rotations[0].cpu(), made.locations[0].cpu()

    def _take_values(self, again: replay.Replay, first: int) -> None:
        """The channels as the clip has them where its motion was taken up; before that they go there evenly."""
        known = self.context.vectors(self.known_values[..., None])[..., 0]
        values = torch.cat([known[-1:].expand(first + 1, -1), again.values(known, known[-1])])
        rows = retime.Rows(self.step * np.arange(len(values)))
        self.values = rows.back(values, np.arange(1, self.count + 1))[..., None]

    def _take(self, rotations: Tensor, locations: Tensor) -> None:
        """Rows of the part, the last known one first, as frames of the whole rig."""
        rows, frames = retime.Rows(self.step * np.arange(len(rotations))), np.arange(1, self.count + 1)
        joints = self.part.joints
        turned = quat.normalize(rows.back(quat.continuous(rotations), frames))
        since = quat.multiply(quat.conjugate(rotations[:1]), turned)
        self.rotations[:, joints] = quat.normalize(quat.multiply(self.rotations[:, joints], since))
        self.locations[:, joints] += quat.rotate(self.part.axes[-1], rows.back(locations - locations[:1], frames))


def values_on(data: clips.Motion, count: int) -> Tensor | None:
    """`count` frames (count, C, 1) of a clip that has numbers alone, as a face of shape keys, from what it holds; None where
    they are few and what they do does not recur."""
    step, last = retime.near_one(data.clip.fps), len(data.values) - 1
    known = retime.Rows(last - step * np.arange(min(MEMORY, int(last / step + 1e-6) + 1))[::-1])
    values = known.vectors(torch.from_numpy(data.values)[..., None])[..., 0]
    moving = (values != values[:1]).any(0)
    if not replay.enough(len(values)) or not bool(moving.any()):
        return None
    source, rig, way = replay.numbers(values[:, moving])
    if int(moving.sum()) < FEWEST and not replay.recurs(source, rig, way):
        return None
    end = source.rows(len(values) - 1, len(values))
    again = replay.replay(source, end, rig, int(np.ceil(count / step)), way)
    rows = torch.cat([values[-1:], again.values(values, values[-1])])
    return retime.Rows(step * np.arange(len(rows))).back(rows, np.arange(1, count + 1))[..., None]
