"""The clean job: jitter taken out of a motion without delay and without flattening its extremes, feet held where they
stand. Any rig, any channel; knows no network."""

from __future__ import annotations

import math
from collections.abc import Generator
from pathlib import Path

import numpy as np
import torch
from scipy.linalg import solveh_banded
from torch import Tensor

from engine import clips, protocol, quat, skeleton
from engine.motion import baseline, contacts, metrics
from engine.progress import Outcome, Update
from engine.protocol import JobError

SHORTEST = 5  # frames
FIRM = 1e6  # weight of the first and the last frame, which stay


def clean(folder: Path, settings: protocol.Clean) -> Generator[Update, bool | None, Outcome]:
    """Smooth the clip and lock its feet; writes result/clip.npz. Raises JobError."""
    data = clips.read_clip(folder)
    wanted = clips.Curves(data.rotation_wanted, data.location_wanted, data.value_wanted)
    if not any(w.any() for w in wanted) or len(data.rotations) < SHORTEST:
        raise JobError(f"There is nothing to clean: select animated bones or channels over {SHORTEST} frames or more.")
    yield Update(0.0, "Taking out jitter")
    given = [torch.from_numpy(x) for x in (data.rotations, data.locations, data.values)]
    stiff = stiffness(settings.smooth * data.clip.fps)
    made = [
        torch.where(torch.from_numpy(w)[None, :, None] if x.dim() == 3 else torch.from_numpy(w), smooth(x, stiff), x)
        for x, w in zip(given, wanted, strict=True)
    ]
    made[0] = torch.where(torch.from_numpy(wanted.rotations)[:, None], quat.normalize(made[0]), given[0])
    notes, figures = [], {}
    if settings.contacts:
        yield Update(0.3, "Finding what stands on the ground")
        feet = Feet(data, made[0], made[1], settings.feet)
        made[0] = yield from feet.lock(made[0], made[1])
        notes, figures = feet.notes, feet.figures
    figures |= changes(data, given, made)
    curves = clips.Curves(*(x.numpy() for x in made))
    plain = clips.Curves(data.rotations, data.locations, data.values)
    filled = clips.Curves(*(np.broadcast_to(w, (len(data.rotations), len(w))).copy() for w in wanted))
    for mask in filled:
        mask[[0, -1]] = False
    clips.write_result(folder, data.clip.frame_start, curves, plain, filled)
    return Outcome([clips.RESULT], notes, figures)


def changes(data: clips.Motion, given: list[Tensor], made: list[Tensor]) -> dict[str, float]:
    """The most that anything was changed: degrees, units of location, of values."""
    turn = baseline.turn_between(given[0], made[0]).norm(dim=-1)
    return {
        "max_degrees": math.degrees(float(turn.max())) if turn.numel() else 0.0,
        "max_location": float((made[1] - given[1]).norm(dim=-1).max()) if turn.numel() else 0.0,
        "max_value": float((made[2] - given[2]).abs().max()) if given[2].numel() else 0.0,
    }


# --- jitter ----------------------------------------------------------------------------------------------------------


def stiffness(frames: float) -> float:
    """How stiff the smoothed curve is for wobbles of twice so many frames to lose half of their height."""
    return 0.0 if frames < 1.0 else (2.0 * math.sin(math.pi / (2.0 * frames))) ** -6


def smooth(x: Tensor, stiff: float) -> Tensor:
    """x (T, …) as the curve that is nearest to it for how much its third difference changes: what moves steadily and
    every extreme wider than the jitter stays. Quaternions (T, J, 4) keep their signs and are not normalised."""
    if not stiff or not x.numel():
        return x
    rows = len(x)
    signed = quat.continuous(x) if x.dim() == 3 and x.shape[-1] == 4 else x
    third = np.zeros((4, rows))  # D'D of the third differences D, its diagonal last
    for offset, row in ((0, [1, 9, 9, 1]), (1, [-3, -9, -3]), (2, [3, 3]), (3, [-1])):
        for i, value in enumerate(row):
            third[3 - offset, offset + i : rows - 3 + i + offset] += value
    system = stiff * third
    weight = np.ones(rows)
    weight[[0, -1]] = FIRM
    system[3] += weight
    right = signed.double().flatten(1).numpy() * weight[:, None]
    made = torch.from_numpy(solveh_banded(system, right)).to(x.dtype).reshape(x.shape)
    made[[0, -1]] = signed[[0, -1]]
    return torch.where((made * x).sum(-1, keepdim=True) < 0, -made, made) if signed is not x else made


# --- feet ------------------------------------------------------------------------------------------------------------


class Feet:
    """The feet of a clip, when they rest, and how they are held; notes and figures for the artist."""

    def __init__(self, data: clips.Motion, rotations: Tensor, locations: Tensor, feet: list[int]) -> None:
        self.offsets, self.notes = torch.from_numpy(data.offsets), list[str]()
        self.figures: dict[str, float] = {}
        parents, up = data.clip.parents, 2 if data.clip.up == "Z" else 1
        size = max(float(skeleton.reach(self.offsets, parents)), 1e-6)
        self.ground = contacts.Ground(parents, up, size, data.clip.fps)
        self.wanted = data.rotation_wanted
        moving = np.flatnonzero((data.rotations != data.rotations[:1]).any((0, 2))).tolist()
        positions = skeleton.fk(rotations, locations, self.offsets, parents)[1]
        self.feet = feet or contacts.find_feet(positions, self.ground, moving)
        self.rest = contacts.find_contacts(positions, self.ground, self.feet)
        self.pinned = torch.zeros(len(rotations), dtype=torch.bool)
        self.pinned[[0, -1]] = True

    def lock(self, rotations: Tensor, locations: Tensor) -> Generator[Update, bool | None, Tensor]:
        """Rotations with the feet held."""
        before = self.skate(rotations, locations)
        for i, foot in enumerate(self.feet):
            yield Update(0.4 + 0.6 * i / len(self.feet), "Locking feet")
            at = skeleton.fk(rotations, locations, self.offsets, self.ground.parents)[1][:, foot]
            move = contacts.offsets(at, self.rest[:, i], self.pinned, self.ground)
            held = contacts.hold(rotations, locations, self.offsets, self.ground, foot, move)
            rotations = torch.where(torch.from_numpy(self.wanted)[:, None], held, rotations)
        if not bool(self.rest.any()):
            self.notes.append("No foot comes to rest on the ground, so none was locked.")
        self.figures = {
            "feet": float(self.rest.any(0).sum()),
            "skate_before": before,
            "skate_after": self.skate(rotations, locations),
        }
        return rotations

    def skate(self, rotations: Tensor, locations: Tensor) -> float:
        """Mean speed along the ground of the feet at rest, in rig sizes a second."""
        at = skeleton.fk(rotations, locations, self.offsets, self.ground.parents)[1][:, self.feet]
        flat = at[..., self.ground.flat]
        flat = torch.stack([flat[..., 0], torch.zeros_like(flat[..., 0]), flat[..., 1]], -1)
        return metrics.skate(flat, self.rest, self.ground.fps) / self.ground.size
