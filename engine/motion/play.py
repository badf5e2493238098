"""The extrapolate job: play a motion on after its last frame, for as long as one likes, or until it arrives at a pose. A
clip folder in, a result in the same folder out; the curves coast to rest where the network cannot help. Knows no Blender."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import clips, device, protocol, quat, skeleton
from engine.motion import along, baseline, contacts, infer, replay, retime, tokens, variation
from engine.motion.infer import FEWEST, FPS, Steps, curves, network
from engine.motion.unroll import Pair, play, shipped, stack
from engine.progress import Outcome, Update
from engine.protocol import JobError

HORIZON = (
    12  # rows that are the networks' own: later they tell a mean of what may come, which moves less than any of it
)
MEMORY = 600  # rows of the clip that are taken up again after that
FREE_TURN = 0.2  # radians beyond its range in the clip that a joint may turn, and
FREE_RISE = 0.05  # rig sizes that a root may rise or sink, before they are held back
ARRIVAL = 1.3  # seconds before a target in which the motion turns to it
Vary = Callable[[Tensor, Tensor, baseline.Gaps, Tensor, float, float, int], Tensor]
SHORT_MEMORY = "The clip is so short that the motion may come to rest; give it a second or more to go by."


def extrapolate(folder: Path, settings: protocol.Extrapolate) -> Steps:
    """Play on after the last frame; writes result/clip.npz. Raises JobError."""
    data = clips.read_clip(folder)
    if not (data.rotation_wanted.any() or data.location_wanted.any() or data.value_wanted.any()):
        raise JobError("There is nothing to play on: select bones or channels that are animated.")
    if settings.towards_target:
        return (yield from _arrive(folder, data, settings))
    data, way = _way(data, settings.path)
    played = yield from play_on(data, settings, settings.frames, way)
    made = curves(played.rotations, played.locations, played.values)
    clips.write_result(folder, data.clip.frame_end + 1, made, played.plain, curves(*played.masks))
    return Outcome([clips.RESULT], played.notes, _figures(played))


def _way(data: clips.Motion, length: int) -> tuple[clips.Motion, along.Way | None]:
    """The clip without its last `length` frames, and the way that they give. Raises JobError."""
    if not length:
        return data, None
    past = len(data.rotations) - length
    if past < 1:
        raise JobError("There is no motion before the way that the root is to go; choose more frames.")
    size = float(skeleton.reach(torch.from_numpy(data.offsets), data.clip.parents))
    return _rows(data, np.arange(past)), along.split(data, length, size)


def _figures(filled: infer.Filled) -> dict[str, float]:
    return {"filled": float(sum(int(mask.sum()) for mask in filled.masks))}


def play_on(
    data: clips.Motion, settings: protocol.Extrapolate, count: int, way: along.Way | None = None
) -> Generator[Update, bool | None, infer.Filled]:
    """`count` frames after the clip, along a way if there is one."""
    rotations, locations, values = (
        torch.from_numpy(x) for x in (data.rotations, data.locations, data.values[..., None])
    )
    turns = torch.from_numpy(data.rotation_wanted) & (rotations != rotations[:1]).any(-1).any(0)
    moves = torch.from_numpy(data.location_wanted) & (locations != locations[:1]).any(-1).any(0)
    free, fps = torch.from_numpy(data.value_wanted), data.clip.fps
    yield Update(0.0, "Playing on")
    made_turns = baseline.coast_rotations(rotations, turns, count, fps)
    made_moves = baseline.coast(locations, moves, count, fps)
    made_values = baseline.coast(values, free, count, fps)
    if way:
        made_turns, made_moves = way.place(made_turns, made_moves)
    plain = curves(made_turns, made_moves, made_values)
    notes: list[str] = []
    if settings.model != "baseline" and not bool((turns | moves).any()):
        notes.append(cannot_play(settings.model, data, turns))
    elif settings.model != "baseline":
        go = Go(data, turns, moves, round(count * along.FASTEST) + 2 if way else count)
        if why := go.why_not(settings.model):
            notes.append(why)
        else:
            pair = shipped(network("extrapolate", device.choose(settings.device))) if go.acted else None
            for done in go.run(pair):
                yield Update(done, "Playing on")
            notes += go.notes
            made_turns = within_limits(go.rotations, rotations, go.upper)
            own_moves = level(go.locations, locations, data)
            made_values = torch.where(free[:, None], go.values[:count], made_values) if go.played else made_values
            if way:
                made_turns, own_moves = way.follow(made_turns, own_moves, count, go.carried())
            made_moves = torch.where((moves if go.played else go.root)[:, None], own_moves[:count], made_moves)
            made_turns = stand(data, made_turns, made_moves, turns) if go.acted else made_turns
    if settings.variation > 0:
        how = fps, settings.variation, settings.seed
        made_turns = _vary(variation.vary_rotations, rotations[-1:], made_turns, turns, *how)
        made_moves = _vary(variation.vary, locations[-1:], made_moves, moves, *how)
        made_turns, made_moves = way.place(made_turns, made_moves) if way else (made_turns, made_moves)
    masks = [w.expand(count, len(w)) for w in (turns, moves, free)]
    return infer.Filled(made_turns, made_moves, made_values, plain, masks, notes)


def _vary(change: Vary, last: Tensor, made: Tensor, free: Tensor, fps: float, amount: float, seed: int) -> Tensor:
    """Another take of rows after the last known one; there is no key at the end."""
    beyond = made[-1:].expand(int(variation.RAMP * fps) + 2, -1, -1)
    rows = torch.cat([last, made, beyond])
    keys = torch.ones(rows.shape[:2], dtype=torch.bool)
    keys[1:-1, free] = False
    varied = change(rows, rows, baseline.gaps(keys), torch.zeros_like(keys), fps, amount, seed)
    return varied[1 : len(made) + 1]


# --- towards a target ------------------------------------------------------------------------------------------------


def _arrive(folder: Path, data: clips.Motion, settings: protocol.Extrapolate) -> Steps:
    """From the motion before the clip's last frame to that frame, a pose to arrive at: played on freely where there is
    time, at last filled in as between keys."""
    past, count, fps = len(data.rotations) - 1, settings.frames, data.clip.fps
    if past < 1:
        raise JobError("There is no motion before the target; choose more frames.")
    whole = _rows(data, np.r_[0:past, np.full(count, past)])
    curve = dataclasses.replace(settings, model="baseline", variation=0.0)
    plain = yield from infer.fill(folder, infer.arrays(_unkeyed(whole, past)), curve)
    notes: list[str] = []
    free = count - round(ARRIVAL * fps) if count > infer.FARTHEST * retime.near_one(fps) else 0
    if free:
        played = yield from play_on(_rows(data, np.arange(past)), settings, free)
        notes, rows = played.notes, slice(past, past + free)
        whole.rotations[rows], whole.values[rows] = played.rotations.numpy(), played.values[..., 0].numpy()
        whole.locations[rows] = steer(played.locations, data, free / count).numpy()
    filled = yield from infer.fill(folder, infer.arrays(_unkeyed(whole, past + free)), settings)
    wanted = (data.rotation_wanted, data.location_wanted, data.value_wanted)
    masks = clips.Curves(*(np.broadcast_to(w, (count, len(w))) for w in wanted))
    made = curves(filled.rotations[past:], filled.locations[past:], filled.values[past:])
    clips.write_result(folder, data.clip.frame_end, made, clips.Curves(*(x[past:] for x in plain.plain)), masks)
    return Outcome([clips.RESULT], notes or filled.notes, {"filled": float(sum(int(mask.sum()) for mask in masks))})


def _rows(data: clips.Motion, index: np.ndarray) -> clips.Motion:
    """The clip's frames in another order, or some of them."""
    moving = ("rotations", "locations", "values", "rotation_keys", "location_keys", "value_keys")
    clip = dataclasses.replace(data.clip, frame_end=data.clip.frame_start + len(index) - 1)
    return dataclasses.replace(data, clip=clip, **{name: getattr(data, name)[index] for name in moving})


def _unkeyed(data: clips.Motion, first: int) -> clips.Motion:
    """The clip with every frame keyed but those from `first` to the last but one."""
    masks = {name: np.ones_like(getattr(data, name)) for name in ("rotation_keys", "location_keys", "value_keys")}
    for mask in masks.values():
        mask[first:-1] = False
    return dataclasses.replace(data, **masks)


def steer(locations: Tensor, data: clips.Motion, share: float) -> Tensor:
    """Locations (F, J, 3) played on, the roots so led that at the end `share` of the way to the last frame's is gone."""
    start, target = (torch.from_numpy(data.locations[i]) for i in (-2, -1))
    off = start + share * (target - start) - locations[-1]
    roots = torch.tensor([parent < 0 for parent in data.clip.parents], dtype=torch.bool) & torch.from_numpy(
        data.location_wanted
    )
    u = (torch.arange(1, len(locations) + 1) / len(locations))[:, None, None]
    return locations + u * u * (3.0 - 2.0 * u) * off * roots[:, None]


# --- guard rails -----------------------------------------------------------------------------------------------------


def within_limits(made: Tensor, known: Tensor, parents: list[int]) -> Tensor:
    """Rotations (F, J, 4) that leave the range of the `known` (T, J, 4) by little; what has no parent may face anywhere."""
    mean = quat.normalize(quat.continuous(known).mean(0, keepdim=True))
    seen = baseline.turn_between(mean.expand_as(known), known).norm(dim=-1).amax(0)
    turn = baseline.turn_between(mean.expand_as(made), made)
    kept = quat.normalize(quat.multiply(mean.expand_as(made), quat.exp(_soft(turn, seen[:, None] + FREE_TURN))))
    free = torch.tensor([parent < 0 for parent in parents], dtype=torch.bool) | (
        turn.norm(dim=-1) <= seen + FREE_TURN
    ).all(0)
    return torch.where(free[:, None], made, kept)


def stand(data: clips.Motion, rotations: Tensor, locations: Tensor, turns: Tensor) -> Tensor:
    """Rotations (F, J, 4) after the clip with the feet held where they come to stand, and where they stood at its end."""
    seen = min(len(data.rotations), int(2 * data.clip.fps))
    whole = torch.cat([torch.from_numpy(data.rotations[-seen:]), rotations])
    places = torch.cat([torch.from_numpy(data.locations[-seen:]), locations])
    free = turns.expand(len(whole), -1).clone()
    free[:seen] = False
    feet = contacts.Feet(data, whole, places, free, torch.zeros_like(free))
    feet.find([])
    for _ in feet.lock():
        pass
    return feet.rotations[seen:]


def level(made: Tensor, known: Tensor, data: clips.Motion) -> Tensor:
    """Locations (F, J, 3) of which the height neither sinks nor rises much beyond the range of the `known` (T, J, 3)."""
    up = 2 if data.clip.up == "Z" else 1
    height, size = known[..., up], float(skeleton.reach(torch.from_numpy(data.offsets), data.clip.parents))
    middle, half = 0.5 * (height.amax(0) + height.amin(0)), 0.5 * (height.amax(0) - height.amin(0))
    out = made.clone()
    off = (made[..., up] - middle)[..., None]
    out[..., up] = middle + _soft(off, (1.2 * half + FREE_RISE * size)[:, None])[..., 0]
    return out


def _soft(v: Tensor, top: Tensor) -> Tensor:
    """Vectors (…, C) as they are up to the length `top`, and at most half as long again."""
    length = v.norm(dim=-1, keepdim=True).clamp_min(1e-9)
    slack = 0.5 * top + 1e-9
    return v * torch.where(length > top, (top + slack * torch.tanh((length - top) / slack)) / length, 1.0)


# --- the network -----------------------------------------------------------------------------------------------------


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

    def __init__(self, data: clips.Motion, turns: Tensor, moves: Tensor, count: int) -> None:
        rotations, locations = torch.from_numpy(data.rotations), torch.from_numpy(data.locations)
        self.count, self.step = count, retime.near_one(data.clip.fps)
        last = len(rotations) - 1
        times = last - self.step * np.arange(min(MEMORY, int(last / self.step + 1e-6) + 1))[::-1]
        self.context = retime.Rows(times)
        self.data, self.turned, self.acted = data, turns, False
        self.part = retime.moving_part(data, rotations, locations)
        self.root = moves & (moves.cumsum(0) == 1)  # the body's; the networks know of no other locations
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
        if pair is not None:
            made: list[tokens.Stance] = []
            for now in itertools.islice(self._networks(pair), first):
                made.append(now)
                yield len(made) / count
            played = stack(made)
            turns.append(played.rotations[0].cpu())
            moves.append(played.locations[0].cpu())
            reached = tokens.Stance(**{name: x.cpu() for name, x in vars(played.rows(first - 1, first)).items()})
        if first < count and lasting:
            again = replay.replay(known, reached, self.part.rig, count - first, self.way)
            turns.append(torch.where(self.turns[:, None], again.rotations, turns[0]))
            moves.append(torch.where(self.all_moves[:, None], again.locations, moves[0]))
            self._take_values(again, first)
            self.played = True
        elif count > HORIZON:
            self.notes.append(SHORT_MEMORY)
        self._take(torch.cat(turns), torch.cat(moves))

    def _networks(self, pair: Pair) -> Iterator[tokens.Stance]:
        where = next(pair.net.parameters()).device
        rig = tokens.Rig(self.part.rig.parents, self.part.rig.offsets.to(where), self.part.rig.up)
        free = tokens.Free(*(x.float()[None, None, :, None].to(where) for x in (self.turns, self.moves)))
        context = tokens.Stance(**{name: x.to(where) for name, x in vars(self.known).items()})
        return play(pair, context, free, rig)

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
