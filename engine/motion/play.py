"""The extrapolate job: play a motion on after its last frame, for as long as one likes, or until it arrives at a pose. A
clip folder in, a result in the same folder out; the curves coast to rest where the network cannot help. Knows no Blender."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import clips, device, protocol, quat, skeleton
from engine.motion import along, baseline, contacts, infer, retime, variation
from engine.motion.going import Go, cannot_play, values_on
from engine.motion.infer import Steps, curves, network
from engine.motion.unroll import shipped
from engine.progress import Outcome, Update
from engine.protocol import JobError

FREE_TURN = 0.2  # radians beyond its range in the clip that a joint may turn, and
FREE_RISE = 0.05  # rig sizes that a root may rise or sink, before they are held back
ARRIVAL = 1.3  # seconds before a target in which the motion turns to it
Vary = Callable[[Tensor, Tensor, baseline.Gaps, Tensor, float, float, int], Tensor]


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
    made_values = baseline.coast_values(values, free, count, fps)
    if way:
        made_turns, made_moves = way.place(made_turns, made_moves)
    plain = curves(made_turns, made_moves, made_values)
    notes: list[str] = []
    if settings.model != "baseline" and not bool((turns | moves).any()):
        again = values_on(data, count)
        made_values = made_values if again is None else torch.where(free[:, None], again, made_values)
        notes += [cannot_play(settings.model, data, turns)] if again is None else []
    elif settings.model != "baseline":
        go = Go(data, turns, moves, round(count * along.FASTEST) + 2 if way else count, way.root if way else None)
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
