"""The in-between job: fill the frames between keys. A clip folder in, a result in the same folder out; the curves are
always there, the network corrects them where it can. Knows no Blender."""

from __future__ import annotations

import functools
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import clips, device, protocol, quat
from engine.motion import baseline, blend, contacts, footing, grain, learn, retime, tokens, training, variation
from engine.motion.networks import TokenLSTM
from engine.progress import Outcome, Update
from engine.protocol import JobError

Steps = Generator[Update, bool | None, Outcome]
Asked = protocol.Inbetween | protocol.Extrapolate
FPS = tokens.SECOND
FEWEST = 4  # turning bones; with fewer there is no body whose parts could tell of each other
CHUNK, MARGIN = 512, 64  # rows at once, and those seen on either side
FARTHEST = 60  # rows between a bone's own keys, beyond which it is left to the curves
TOO_FAR = (
    f"Bones with more than {FARTHEST / FPS:.0f} seconds between their own keys, while others have keys there, follow "
    "the plain curves; key them more often to have them acted."
)


@functools.cache
def network(name: str, where: torch.device) -> TokenLSTM:
    """A shipped network, loaded once. Raises JobError."""
    return training.load(training.WEIGHTS / name)[0].to(where)


def actor(folder: Path, settings: Asked, clip: protocol.Clip) -> blend.Actor:
    """What fills gaps: the shipped networks, or those learned from the artist's own clips. Raises JobError."""
    where = device.choose(settings.device)
    if settings.learned:
        return learn.load(folder / settings.learned, clip).to(where)
    return blend.Actor(network("inbetween", where), blend.shipped(where))


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


# --- in-between ------------------------------------------------------------------------------------------------------


def inbetween(folder: Path, settings: protocol.Inbetween) -> Steps:
    """Fill the frames between keys; writes result/clip.npz. Raises JobError."""
    data = arrays(clips.read_clip(folder))
    filled = yield from fill(folder, data, settings)
    figures = {"filled": float(sum(int(mask.sum()) for mask in filled.masks))}
    if settings.lock_feet and filled.acted:
        figures |= yield from lock_feet(data, filled)
    made = curves(filled.rotations, filled.locations, filled.values)
    clips.write_result(folder, data.motion.clip.frame_start, made, filled.plain, curves(*filled.masks))
    return Outcome([clips.RESULT], filled.notes, figures)


@dataclass
class Filled:
    """rotations (T, J, 4), locations (T, J, 3), values (T, C, 1) without a gap; the plain curves; which are made (T, J),
    (T, J), (T, C); notes; whether the network had a part in it."""

    rotations: Tensor
    locations: Tensor
    values: Tensor
    plain: clips.Curves
    masks: list[Tensor]
    notes: list[str]
    acted: bool = False


def fill(folder: Path, data: Arrays, settings: Asked) -> Generator[Update, bool | None, Filled]:
    """Fill the frames between keys: curves, the network's acting, another take of it. Raises JobError."""
    turn, move, value = (baseline.gaps(keys) for keys in (data.turn_keys, data.move_keys, data.value_keys))
    masks = [gap.u > 0 for gap in (turn, move, value)]
    if not any(bool(mask.any()) for mask in masks):
        raise JobError(
            "There is nothing to fill: set two keys with frames between them on the selected bones or channels."
        )
    yield Update(0.0, "Drawing the curves")
    rotations = baseline.smooth_rotations(data.rotations, turn)
    locations = baseline.smooth(data.locations, move)
    values = baseline.smooth(data.values, value)
    plain = clips.Curves(*(x.copy() for x in curves(rotations, locations, values)))
    filled = Filled(rotations, locations, values, plain, masks, [])
    if settings.model != "baseline":
        free = turning(data, turn)
        if why := unsuited(settings, data, free):
            filled.notes.append(why)
        else:
            act = Act(actor(folder, settings, data.motion.clip), data, rotations, locations, free)
            for done in act.run():
                yield Update(0.1 + 0.8 * done, "Acting the frames between")
            turned, filled.locations = act.rotations, act.locations
            if isinstance(settings, protocol.Inbetween) and settings.lock_feet:
                turned, filled.locations = step(data, act, masks)
            grained = grain.carry_on(turned, data.turn_keys, settings.seed)
            filled.rotations, filled.acted = torch.where(free[..., None], grained, turned), True
            filled.notes += act.notes
    if settings.variation > 0:
        _vary(data, filled, (turn, move, value), settings)
    return filled


def _vary(data: Arrays, filled: Filled, gaps: Sequence[baseline.Gaps], settings: Asked) -> None:
    """Make another take of what was filled."""
    how = data.motion.clip.fps, settings.variation, settings.seed
    keyed = (data.rotations, data.locations, data.values)
    still = [held(x, gap) for x, gap in zip(keyed, gaps, strict=True)]
    plain = [torch.from_numpy(x) for x in filled.plain]
    filled.rotations = variation.vary_rotations(filled.rotations, plain[0], gaps[0], still[0], *how)
    filled.locations = variation.vary(filled.locations, plain[1], gaps[1], still[1], *how)
    filled.values = variation.vary(filled.values, plain[2][..., None], gaps[2], still[2], *how)


def step(data: Arrays, act: Act, masks: list[Tensor]) -> tuple[Tensor, Tensor]:
    """What was acted with feet that step when they are likely to; tremor comes after it, for feet are told by their speed."""
    feet = contacts.Feet(data.motion, act.rotations, act.locations, masks[0], masks[1])
    feet.feet = contacts.low_ends(feet.positions(), feet.ground) if feet.ground.moving else []
    return footing.step(act.rotations, act.locations, feet.offset, feet.ground, feet.feet, feet.pinned())


def lock_feet(data: Arrays, filled: Filled) -> Generator[Update, bool | None, dict[str, float]]:
    """Hold what stands on the ground; the figures."""
    feet = contacts.Feet(data.motion, filled.rotations, filled.locations, filled.masks[0], filled.masks[1])
    feet.find([])
    before = feet.skate()
    for done in feet.lock():
        yield Update(0.9 + 0.1 * done, "Locking feet")
    filled.rotations, filled.locations = feet.rotations, feet.locations
    return {"skate_before": before, "skate_after": feet.skate()}


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


def unsuited(settings: Asked, data: Arrays, acted: Tensor) -> str:
    """Why the in-betweening network is not used on this clip, as a sentence; empty where it is."""
    if settings.model not in ("auto", "lstm"):
        return f"The model '{settings.model}' is unknown to this engine, so the plain curves were used."
    count = int(acted.any(0).sum())
    if count < FEWEST:
        return f"The plain curves were used: the network needs {FEWEST} bones that turn, and here are {count}."
    if not np.any(data.motion.offsets):
        return "The plain curves were used: all bones sit in one point, so the network cannot tell the rig's shape."
    return ""


class Act:
    """The in-betweening network at work on one clip. `rotations`, `locations`: the curves', corrected by run()."""

    def __init__(self, actor: blend.Actor, data: Arrays, rotations: Tensor, locations: Tensor, acted: Tensor) -> None:
        self.actor, self.rotations, self.locations = actor, rotations, locations
        self.acted, self.shifted = acted, shifting(data)
        keyed = (data.turn_keys & acted.any(0)) | (data.move_keys & self.shifted.any(0))
        self.rows = retime.rows_between(keyed.any(1).numpy(), retime.near_one(data.motion.clip.fps))
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
            turn, move = correction(self.actor, self.part.rig, *window)
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
    actor: blend.Actor, rig: tokens.Rig, rotations: Tensor, locations: Tensor, turn_keys: Tensor, move_keys: Tensor
) -> tuple[Tensor, Tensor]:
    """What is added to rotations (R, J, 4), as rotation vectors in their axes, and to locations (R, J, 3)."""
    where = next(actor.parameters()).device
    turns, moves = rotations[None].to(where), locations[None].to(where)
    rig = tokens.Rig(rig.parents, rig.offsets.to(where), rig.up)
    made, moved = blend.fill(actor, turns, moves, turn_keys[None].to(where), move_keys[None].to(where), rig)
    return baseline.turn_between(turns, made)[0].cpu(), (moved - moves)[0].cpu()


def curves(rotations: Tensor, locations: Tensor, values: Tensor) -> clips.Curves:
    """Tensors (or masks) as they are written; values may have a last dimension of one."""
    return clips.Curves(rotations.numpy(), locations.numpy(), values.flatten(1).numpy())
