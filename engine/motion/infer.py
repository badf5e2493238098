"""The motion jobs: fill the frames between keys, play a motion on after its last frame. A clip folder in, a result in
the same folder out; the curves are always there, the networks correct them where they can. Knows no Blender."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import clips, device, protocol, quat, skeleton
from engine.motion import baseline, replay, retime, tokens, training
from engine.motion.networks import TokenLSTM
from engine.motion.unroll import cautious, play, stack
from engine.progress import Outcome, Update
from engine.protocol import JobError

Steps = Generator[Update, bool | None, Outcome]
FPS = tokens.SECOND
FEWEST = 4  # turning bones; with fewer there is no body whose parts could tell of each other
LIMBS = (
    3  # a tail or an arm alone has one; on such rigs the curves were measured to be 1 to 2 % better than the network
)
CHUNK, MARGIN = 256, 100  # rows at once, and those seen on either side
CONTEXT = 24  # rows that the extrapolation network looks back
HORIZON = 16  # rows that it was trained to play on
MEMORY = 600  # rows of the clip that are taken up again after that
FARTHEST = 60  # rows between a bone's own keys, beyond which it is left to the curves
SHORT_MEMORY = "The clip is so short that the motion may come to rest; give it a second or more to go by."
TOO_FAR = (
    f"Bones with more than {FARTHEST / FPS:.0f} seconds between their own keys, while others have keys there, follow "
    "the plain curves; key them more often to have them acted."
)


@functools.cache
def network(name: str, where: torch.device) -> TokenLSTM:
    """A shipped network, loaded once. Raises JobError."""
    return training.load(training.WEIGHTS / name)[0].to(where)


@dataclass(frozen=True)
class Arrays:
    """A clip's arrays as tensors, and which values are known: keyed ones, and all of what is not wanted."""

    motion: clips.Motion
    rotations: Tensor  # (T, J, 4)
    locations: Tensor  # (T, J, 3)
    values: Tensor  # (T, C, 1)
    turn_keys: Tensor  # (T, J)
    move_keys: Tensor
    value_keys: Tensor  # (T, C)


def arrays(motion: clips.Motion) -> Arrays:
    """A clip ready for interpolation. What has fewer than two keys is known throughout: nothing lies between."""

    def known(keys: np.ndarray, wanted: np.ndarray) -> Tensor:
        return torch.from_numpy(keys | ~(wanted & (keys.sum(0) > 1)))

    return Arrays(
        motion,
        torch.from_numpy(motion.rotations),
        torch.from_numpy(motion.locations),
        torch.from_numpy(motion.values)[..., None],
        known(motion.rotation_keys, motion.rotation_wanted),
        known(motion.location_keys, motion.location_wanted),
        known(motion.value_keys, motion.value_wanted),
    )


def near_one(fps: float) -> float:
    """Frames of the clip for one row of the networks; 24 to 36 a second are close enough to be taken as they are."""
    return 1.0 if 24.0 <= fps <= 36.0 else fps / FPS


# --- in-between ------------------------------------------------------------------------------------------------------


def inbetween(folder: Path, settings: protocol.Inbetween) -> Steps:
    """Fill the frames between keys; writes result/clip.npz. Raises JobError."""
    data = arrays(clips.read_clip(folder))
    turn, move, value = (baseline.gaps(keys) for keys in (data.turn_keys, data.move_keys, data.value_keys))
    filled = [gap.u > 0 for gap in (turn, move, value)]
    if not any(bool(f.any()) for f in filled):
        raise JobError(
            "There is nothing to fill: set two keys with frames between them on the selected bones or channels."
        )
    yield Update(0.0, "Drawing the curves")
    rotations = baseline.smooth_rotations(data.rotations, turn)
    locations = baseline.smooth(data.locations, move)
    values = baseline.smooth(data.values, value)
    plain = clips.Curves(*(x.copy() for x in _curves(rotations, locations, values)))
    notes: list[str] = []
    if settings.model != "baseline":
        acted = turning(data, turn)
        if why := unsuited(settings.model, data, acted):
            notes.append(why)
        else:
            yield Update(0.1, "Acting the frames between")
            act = Act(network("inbetween", device.choose(settings.device)), data, rotations, locations, acted)
            for done in act.run():
                yield Update(0.1 + 0.9 * done, "Acting the frames between")
            rotations, locations = act.rotations, act.locations
            notes += act.notes
    made = _curves(rotations, locations, values)
    clips.write_result(folder, data.motion.clip.frame_start, made, plain, _curves(*filled))
    return Outcome([clips.RESULT], notes, {"filled": float(sum(int(f.sum()) for f in filled))})


def held(x: Tensor, gap: baseline.Gaps) -> Tensor:
    """Where x (T, J, C) has the same value at both keys, (T, J): an artist's hold, which stays one."""
    return (baseline.pick(x, gap.before) == baseline.pick(x, gap.after)).all(-1)


def turning(data: Arrays, turn: baseline.Gaps) -> Tensor:
    """The rotations that the network may correct, (T, J) bool: between two different keys."""
    return (turn.u > 0) & ~held(data.rotations, turn)


def shifting(data: Arrays) -> Tensor:
    """The locations that it may correct: those of the first joint that moves between keys, as a body's root does."""
    gap = baseline.gaps(data.move_keys)
    free = (gap.u > 0) & ~held(data.locations, gap)
    first = free.any(0).cumsum(0) == 1
    return free & first & free.any(0)


def unsuited(model: str, data: Arrays, acted: Tensor) -> str:
    """Why the in-betweening network is not used on this clip, as a sentence; empty where it is."""
    if model not in ("auto", "lstm"):
        return f"The model '{model}' is unknown to this engine, so the plain curves were used."
    count = int(acted.any(0).sum())
    if count < FEWEST:
        return f"The plain curves were used: the network needs {FEWEST} bones that turn, and here are {count}."
    moving = (data.rotations != data.rotations[:1]).any(-1).any(0).nonzero()[:, 0].tolist()
    if skeleton.tips(data.motion.clip.parents, moving) < LIMBS:
        return f"The plain curves were used: they are better on a rig with fewer than {LIMBS} limbs that move."
    if not np.any(data.motion.offsets):
        return "The plain curves were used: all bones sit in one point, so the network cannot tell the rig's shape."
    return ""


class Act:
    """The in-betweening network at work on one clip. `rotations`, `locations`: the curves', corrected by run()."""

    def __init__(self, net: TokenLSTM, data: Arrays, rotations: Tensor, locations: Tensor, acted: Tensor) -> None:
        self.net, self.rotations, self.locations = net, rotations, locations
        self.acted, self.shifted = acted, shifting(data)
        keyed = (data.turn_keys & acted.any(0)) | (data.move_keys & self.shifted.any(0))
        self.rows = retime.rows_between(keyed.any(1).numpy(), near_one(data.motion.clip.fps))
        self.part = retime.moving_part(data.motion, rotations, locations)
        self.turn_keys = self.rows.keys(~self.acted[:, self.part.joints])
        self.move_keys = self.rows.keys(~self.shifted[:, self.part.joints])
        far = baseline.gaps(self.turn_keys).span > FARTHEST
        self.turn_keys = self.turn_keys | far
        self.move_keys = self.move_keys | (baseline.gaps(self.move_keys).span > FARTHEST)
        self.notes = [TOO_FAR] if bool(far.any()) else []

    def run(self) -> Iterator[float]:
        """Correct the curves, telling the part done."""
        rotations, locations = self.rows.rotations(self.part.rotations), self.rows.vectors(self.part.locations)
        count, turns, moves = len(rotations), [], []
        for start in range(0, count, CHUNK):
            low, high = max(0, start - MARGIN), min(count, start + CHUNK + MARGIN)
            core = slice(start - low, min(start + CHUNK, count) - low)
            window = [x[low:high] for x in (rotations, locations, self.turn_keys, self.move_keys)]
            turn, move = correction(self.net, self.part.rig, *window)
            turns.append(turn[core])
            moves.append(move[core])
            yield high / count
        frames, joints = np.arange(len(self.rotations)), self.part.joints
        turn = self.rows.back(torch.cat(turns), frames)
        move = quat.rotate(self.part.axes, self.rows.back(torch.cat(moves), frames))
        corrected = quat.normalize(quat.multiply(self.rotations[:, joints], quat.exp(turn)))
        free = self.acted[:, joints, None]
        self.rotations[:, joints] = torch.where(free, corrected, self.rotations[:, joints])
        self.locations[:, joints] += torch.where(self.shifted[:, joints, None], move, torch.zeros_like(move))


@torch.inference_mode()
def correction(
    net: TokenLSTM, rig: tokens.Rig, rotations: Tensor, locations: Tensor, turn_keys: Tensor, move_keys: Tensor
) -> tuple[Tensor, Tensor]:
    """What the network adds to rotations (R, J, 4), as rotation vectors in their axes, and to locations (R, J, 3)."""
    where = next(net.parameters()).device
    turns, moves = rotations[None].to(where), locations[None].to(where)
    rig = tokens.Rig(rig.parents, rig.offsets.to(where), rig.up)
    between = tokens.between(turns, moves, turn_keys[None].to(where), move_keys[None].to(where), rig)
    made, moved = between.poses(net(between.features, rig.parents)[0])
    return baseline.turn_between(turns, made)[0].cpu(), (moved - moves)[0].cpu()


# --- extrapolation ---------------------------------------------------------------------------------------------------


def extrapolate(folder: Path, settings: protocol.Extrapolate) -> Steps:
    """Play on after the last frame; writes result/clip.npz. Raises JobError."""
    data = clips.read_clip(folder)
    if not (data.rotation_wanted.any() or data.location_wanted.any() or data.value_wanted.any()):
        raise JobError("There is nothing to play on: select bones or channels that are animated.")
    rotations, locations, values = (
        torch.from_numpy(x) for x in (data.rotations, data.locations, data.values[..., None])
    )
    turns = torch.from_numpy(data.rotation_wanted) & (rotations != rotations[:1]).any(-1).any(0)
    moves = torch.from_numpy(data.location_wanted) & (locations != locations[:1]).any(-1).any(0)
    count, fps = settings.frames, data.clip.fps
    yield Update(0.0, "Playing on")
    value_free = torch.from_numpy(data.value_wanted)
    made_turns = baseline.coast_rotations(rotations, turns, count, fps)
    made_moves = baseline.coast(locations, moves, count, fps)
    made_values = baseline.coast(values, value_free, count, fps)
    plain = _curves(made_turns, made_moves, made_values)
    notes: list[str] = []
    if settings.model != "baseline":
        if why := cannot_play(settings.model, data, turns):
            notes.append(why)
        else:
            go = Go(data, turns, moves, count)
            for done in go.run(network("extrapolate", device.choose(settings.device))):
                yield Update(done, "Playing on")
            notes += go.notes
            made_turns = go.rotations
            made_moves = torch.where(go.root[:, None], go.locations, made_moves)
    filled = [w.expand(count, len(w)) for w in (turns, moves, value_free)]
    made = _curves(made_turns, made_moves, made_values)
    clips.write_result(folder, data.clip.frame_end + 1, made, plain, _curves(*filled))
    return Outcome([clips.RESULT], notes, {"filled": float(sum(int(f.sum()) for f in filled))})


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
    """The extrapolation network at work on one clip. `rotations` (count, J, 4), `locations`: what run() made.

    The network plays the first HORIZON rows, as far as it was trained; then the motion goes on with what the clip holds.
    """

    def __init__(self, data: clips.Motion, turns: Tensor, moves: Tensor, count: int) -> None:
        rotations, locations = torch.from_numpy(data.rotations), torch.from_numpy(data.locations)
        self.count, self.step = count, near_one(data.clip.fps)
        last = len(rotations) - 1
        times = last - self.step * np.arange(min(MEMORY, int(last / self.step + 1e-6) + 1))[::-1]
        self.context = retime.Rows(times)
        self.part = retime.moving_part(data, rotations, locations)
        self.root = moves & (moves.cumsum(0) == 1)  # the body's; other locations coast
        self.turns, self.moves = turns[self.part.joints], self.root[self.part.joints]
        self.rotations = rotations[-1:].expand(count, -1, -1).clone()
        self.locations = locations[-1:].expand(count, -1, -1).clone()
        self.notes: list[str] = []

    @torch.inference_mode()
    def run(self, net: TokenLSTM) -> Iterator[float]:
        """Play on, telling the part done."""
        where = next(net.parameters()).device
        rig = tokens.Rig(self.part.rig.parents, self.part.rig.offsets.to(where), self.part.rig.up)
        free = tokens.Free(*(x.float()[None, None, :, None].to(where) for x in (self.turns, self.moves)))
        rotations, locations = self.context.rotations(self.part.rotations), self.context.vectors(self.part.locations)
        known = tokens.stances(rotations[None].to(where), locations[None].to(where), rig)
        count = int(np.ceil(self.count / self.step))
        first = min(count, HORIZON) if replay.enough(len(rotations)) else count
        made: list[tokens.Stance] = []
        recent = known.rows(max(0, len(rotations) - CONTEXT), len(rotations))
        for now in itertools.islice(play(net, recent, free, rig), first):
            made.append(now)
            yield len(made) / count
        played = cautious(stack(made), known, rig)
        turns, moves = [rotations[-1:], played.rotations[0].cpu()], [locations[-1:], played.locations[0].cpu()]
        if first < count:
            turn, move = replay.replay(known, played.rows(first - 1, first), rig, count - first)
            turns.append(torch.where(self.turns[:, None], turn.cpu(), rotations[-1]))
            moves.append(torch.where(self.moves[:, None], move.cpu(), locations[-1]))
        elif count > HORIZON:
            self.notes.append(SHORT_MEMORY)
        self._take(torch.cat(turns), torch.cat(moves))

    def _take(self, rotations: Tensor, locations: Tensor) -> None:
        """Rows of the part, the last known one first, as frames of the whole rig."""
        rows, frames = retime.Rows(self.step * np.arange(len(rotations))), np.arange(1, self.count + 1)
        joints = self.part.joints
        turned = quat.normalize(rows.back(quat.continuous(rotations), frames))
        since = quat.multiply(quat.conjugate(rotations[:1]), turned)
        self.rotations[:, joints] = quat.normalize(quat.multiply(self.rotations[:, joints], since))
        self.locations[:, joints] += quat.rotate(self.part.axes[-1], rows.back(locations - locations[:1], frames))


def _curves(rotations: Tensor, locations: Tensor, values: Tensor) -> clips.Curves:
    """Tensors (or masks) as they are written; values may have a last dimension of one."""
    return clips.Curves(rotations.numpy(), locations.numpy(), values.flatten(1).numpy())
