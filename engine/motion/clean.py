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

from engine import clips, protocol, quat
from engine.motion import baseline, contacts
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
    for old, new in zip(given, made, strict=True):
        new[[0, -1]] = old[[0, -1]]
    free = [torch.from_numpy(w).expand(len(data.rotations), -1).clone() for w in wanted]
    for mask in free:
        mask[[0, -1]] = False
    notes: list[str] = []
    figures: dict[str, float] = {}
    if settings.contacts:
        feet = contacts.Feet(data, made[0], made[1], free[0], free[1])
        feet.find(settings.feet)
        figures["feet"], figures["skate_before"] = float(feet.rest.any(0).sum()), feet.skate()
        for done in feet.lock():
            yield Update(0.3 + 0.7 * done, "Locking feet")
        figures["skate_after"] = feet.skate()
        made[:2] = feet.rotations, feet.locations
        if not bool(feet.rest.any()):
            notes.append("No foot comes to rest on the ground, so none was locked.")
    figures |= changes(data, given, made)
    curves = clips.Curves(*(x.numpy() for x in made))
    plain = clips.Curves(data.rotations, data.locations, data.values)
    filled = clips.Curves(*(mask.numpy() for mask in free))
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
