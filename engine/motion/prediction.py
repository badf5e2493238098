"""The CMU prediction benchmark (Martinez 2017; Mao 2019): its file format, its windows, its score.

A file holds for each clip `<clip>/expmap` (T, 117): the root's place and 38 rotation vectors, 60 rows a second in truth.
It has no bone lengths; a body of usual proportions stands in. Knows no network.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import quat
from engine.clips import Mocap, Take
from engine.motion import metrics
from engine.motion.windows import Poses, at_root
from engine.protocol import JobError

COLUMNS, JOINTS = 117, 38
OBSERVED, PLAYED, LENGTH, WINDOWS, SEED = 10, 25, 75, 8, 1234567890
FPS = 60.0
STILL = 1e-4  # a column that deviates less in training is copied
LEG = ((8.0, -8.0, 4.0), (13.5, -37.0, 0.0), (13.5, -37.0, 0.0), (2.0, -6.0, 13.0))
ARM = ((0.0, 11.0, 0.0), (16.0, 4.0, -2.0), (28.0, 0.0, 0.0), (17.0, 0.0, 0.0), (8.0, 0.0, 0.0), (8.0, 1.0, 5.0))
TRUNK = ((0.0, 3.0, 0.0), (0.0, 11.0, -1.0), (0.0, 11.0, 0.0), (0.0, 11.0, 0.0), (0.0, 8.0, 1.0), (0.0, 8.0, 0.0))
# The joints that move, by their column triple, their parents among these, and where they sit at rest, in centimetres.
MOVING = [1, 3, 4, 5, 6, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 21, 22, 23, 24, 25, 28, 30, 31, 32, 33, 34, 37]
PARENTS = [-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 12, 13, 11, 15, 16, 17, 18, 18, 11, 21, 22, 23, 24, 24]


def _offsets() -> np.ndarray:
    leg, arm, mirrored = np.array(LEG), np.array(ARM), np.array([-1.0, 1.0, 1.0])
    parts = [np.zeros((1, 3)), leg, leg * mirrored, np.array(TRUNK), arm, arm * mirrored]
    return np.concatenate(parts).astype(np.float32)


def is_file(path: Path) -> bool:
    """Whether this is a file of the benchmark."""
    with np.load(path, allow_pickle=False) as data:
        return any(name.endswith("/expmap") for name in data.files)


def expmaps(path: Path) -> dict[str, np.ndarray]:
    """Each clip's rows (T, 117). Raises JobError."""
    with np.load(path, allow_pickle=False) as data:
        clips = {n.removesuffix("/expmap"): data[n].astype(np.float32) for n in data.files if n.endswith("/expmap")}
    if not clips or any(x.ndim != 2 or x.shape[1] != COLUMNS or not np.isfinite(x).all() for x in clips.values()):
        raise JobError(
            f"{path.name} is no file of the CMU prediction benchmark: rows of {COLUMNS} numbers are missing."
        )
    return clips


def _rotations(rows: np.ndarray, triples: Sequence[int]) -> Tensor:
    """Rotation vectors (..., T, 117) as quaternions (..., T, len(triples), 4)."""
    return quat.exp(torch.as_tensor(rows.reshape(*rows.shape[:-1], -1, 3)[..., triples, :].copy()))


def read(path: Path) -> Mocap:
    """The clips as motion of a body of usual size, the joints that move alone. Raises JobError."""
    takes = []
    for name, rows in expmaps(path).items():
        turns = quat.continuous(_rotations(rows, MOVING)).cpu().numpy()
        takes.append(Take(name, turns, rows[:, :3] * 5.6, _offsets()))
    return Mocap([f"joint.{j:02d}" for j in MOVING], PARENTS, FPS, takes)


def only(mocap: Mocap, names: Sequence[str]) -> Mocap | None:
    """These clips alone, None for no names."""
    return replace(mocap, takes=[t for t in mocap.takes if t.name in names]) if names else None


def without(mocap: Mocap, names: Sequence[str]) -> Mocap:
    """All clips but these."""
    return replace(mocap, takes=[t for t in mocap.takes if t.name not in names])


@dataclass(frozen=True)
class Windows:
    """The windows of one action: all rotations (8 clips, 35, 38, 4), of which the first, the root's, is none."""

    action: str
    rotations: Tensor


def windows(path: Path, names: Sequence[str] | None = None) -> list[Windows]:
    """The benchmark's windows of each clip, or of the clips `names`, by action. Raises JobError."""
    found: dict[str, list[np.ndarray]] = {}
    for name, rows in expmaps(path).items():
        random = np.random.RandomState(SEED)
        rows = rows.copy()
        rows[:, :6] = 0.0
        if len(rows) <= LENGTH or (names and name not in names):
            continue
        for start in random.randint(0, len(rows) - LENGTH, WINDOWS):
            found.setdefault(re.sub(r"_?\d+$", "", name), []).append(rows[start + 40 : start + LENGTH])
    return [Windows(action, _rotations(np.stack(x), range(1, JOINTS + 1))) for action, x in found.items()]


Player = Callable[[Poses], Tensor]


def score(every: Sequence[Windows], play: Player) -> dict[str, float]:
    """Mean angle error at the benchmark's rows, the mean over actions; names as angle_25."""
    errors = []
    place = [m - 1 for m in MOVING]
    for action in every:
        seen = action.rotations[:, :OBSERVED]
        still = at_root(torch.zeros(*seen.shape[:2], 3), len(MOVING))
        body = Poses(seen[:, :, place], still, torch.as_tensor(_offsets()).expand(len(seen), -1, -1), PARENTS)
        made = seen[:, -1:].expand(-1, PLAYED, -1, -1).clone()
        made[:, :, place] = play(body)
        errors.append(metrics.angle_error(action.rotations[:, OBSERVED:, 1:], made[:, :, 1:]))
    mean = torch.stack(errors).mean(0)
    return {f"angle_{h}": float(mean[h - 1]) for h in metrics.HORIZONS}
