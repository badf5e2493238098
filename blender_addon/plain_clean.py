"""Jitter taken out of a motion without the engine: what the engine's clean job does, in numpy. Feet are held by plain_feet.py.
Knows arrays and the settings of the job; no file and no Blender."""

from __future__ import annotations

import math

import numpy as np

from . import quat
from .plain_feet import Feet
from .protocol import Clean, Clip, JobError

SHORTEST = 5  # frames
FIRM = 1e6  # weight of the first and the last frame, which stay
NO_FOOT = "No foot comes to rest on the ground, so none was locked."

Arrays = dict[str, np.ndarray]


def clean(clip: Clip, data: Arrays, settings: Clean) -> tuple[Arrays, Arrays, list[str]]:
    """What is made of the rotations, locations and values (with a last dimension of one), by kind; which of it may be
    changed, (T, J); and what there is to say of it. Raises JobError."""
    given = {"rotation": data["rotations"], "location": data["locations"], "value": data["values"][..., None]}
    wanted = {name: data[f"{name}_wanted"] for name in given}
    rows = len(data["rotations"])
    if not any(w.any() for w in wanted.values()) or rows < SHORTEST:
        raise JobError(f"There is nothing to clean: select animated bones or channels over {SHORTEST} frames or more.")
    stiff = stiffness(settings.smooth * clip.fps)
    made = {name: np.where(wanted[name][:, None], smooth(x, stiff, name == "rotation"), x) for name, x in given.items()}
    made["rotation"] = np.where(wanted["rotation"][:, None], quat.normalize(made["rotation"]), given["rotation"])
    free = {name: np.tile(w, (rows, 1)) for name, w in wanted.items()}
    for name, x in given.items():
        made[name][[0, -1]], free[name][[0, -1]] = x[[0, -1]], False
    notes = []
    if settings.contacts:
        feet = Feet(clip, data["offsets"], made["rotation"], made["location"], free["rotation"], free["location"])
        feet.lock(settings.feet)
        made["rotation"], made["location"] = feet.rotations, feet.locations
        notes += [] if feet.rest.any() else [NO_FOOT]
    return made, free, notes


def stiffness(frames: float) -> float:
    """How stiff the smoothed curve is for wobbles of twice so many frames to lose half of their height."""
    return 0.0 if frames < 1.0 else (2.0 * math.sin(math.pi / (2.0 * frames))) ** -6


def smooth(x: np.ndarray, stiff: float, turns: bool) -> np.ndarray:
    """x (T, J, C) as the curve that is nearest to it for how much its third difference changes: what moves steadily and
    every extreme wider than the jitter stays. turns: x are quaternions; they keep their signs and are not normalised."""
    if not stiff or not x.size:
        return x
    signed = quat.continuous(x) if turns else x
    rows = len(x)
    system = np.zeros((rows, 4))  # row by row the weights of the frame itself and of the three before it
    for i in range(rows - 3):
        third = np.array([-1.0, 3.0, -3.0, 1.0])
        for a in range(4):
            for b in range(a + 1):
                system[i + a, a - b] += stiff * third[a] * third[b]
    weight = np.ones(rows)
    weight[[0, -1]] = FIRM
    system[:, 0] += weight
    made = solve_banded(system, signed.reshape(rows, -1) * weight[:, None]).reshape(x.shape).astype(x.dtype)
    made[[0, -1]] = signed[[0, -1]]
    return np.where((made * x).sum(-1, keepdims=True) < 0, -made, made) if turns else made


def solve_banded(system: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The solution (T, N) of a symmetric positive system, by Cholesky's factors. system (T, 4): row by row the diagonal and
    the three numbers left of it; right: (T, N)."""
    rows = len(system)
    factor = np.zeros((rows, 4))
    for i in range(rows):
        for k in range(min(3, i), -1, -1):  # the number k left of the diagonal
            j = i - k
            shared = sum(factor[i, i - m] * factor[j, j - m] for m in range(max(0, i - 3), j))
            rest = system[i, k] - shared
            factor[i, k] = rest / factor[j, 0] if k else math.sqrt(rest)
    x = np.array(right, np.float64)
    for i in range(rows):
        for k in range(1, min(3, i) + 1):
            x[i] -= factor[i, k] * x[i - k]
        x[i] /= factor[i, 0]
    for i in reversed(range(rows)):
        for k in range(1, min(3, rows - 1 - i) + 1):
            x[i] -= factor[i + k, k] * x[i + k]
        x[i] /= factor[i, 0]
    return x
