"""Between a clip's frames and the networks' rows: another frame rate, gaps longer than the networks know, and the part
of a rig that moves. Knows no network and no file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.interpolate import PchipInterpolator
from torch import Tensor

from engine import quat, skeleton
from engine.clips import Motion
from engine.motion import tokens

LONGEST = 45  # rows between keys: what the network was trained on


def near_one(fps: float) -> float:
    """Frames of a clip for one row of the networks; 24 to 36 a second are close enough to be taken as they are."""
    return 1.0 if 24.0 <= fps <= 36.0 else fps / tokens.SECOND


@dataclass(frozen=True)
class Rows:
    """The networks' rows, in order: each lies at a time of its own, counted in frames, between two frames or on one."""

    times: np.ndarray

    def _parts(self, frames: int) -> tuple[Tensor, Tensor, Tensor]:
        low = np.floor(self.times + 1e-9).astype(np.int64).clip(0, frames - 1)
        share = torch.from_numpy((self.times - low).clip(0.0, 1.0).astype(np.float32))
        high = torch.from_numpy(np.where(share > 0, (low + 1).clip(max=frames - 1), low))
        return torch.from_numpy(low), high, share

    def rotations(self, x: Tensor) -> Tensor:
        """Rotations (T, J, 4) at the rows."""
        low, high, share = self._parts(len(x))
        return quat.slerp(x[low], x[high], share[:, None])

    def vectors(self, x: Tensor) -> Tensor:
        """Vectors (T, J, C) at the rows."""
        low, high, share = self._parts(len(x))
        return torch.lerp(x[low], x[high], share[:, None, None])

    def keys(self, x: Tensor) -> Tensor:
        """Key masks (T, J) at the rows: keyed where both neighbours are."""
        low, high, _ = self._parts(len(x))
        return x[low] & x[high]

    def back(self, x: Tensor, frames: np.ndarray) -> Tensor:
        """Vectors (R, …) at the rows as a curve without overshoot, at `frames`; what lies outside is held."""
        if len(self.times) < 2:
            return x[:1].expand(len(frames), *x.shape[1:])
        inside = frames.clip(self.times[0], self.times[-1])
        return torch.from_numpy(PchipInterpolator(self.times, x.double().numpy())(inside)).to(x.dtype)


def rows_between(keyed: np.ndarray, step: float) -> Rows:
    """Rows about `step` frames apart for a clip of which some frames are keyed, (T,) bool.

    Every key beside a gap lies on a row; a gap has at most LONGEST rows. In runs of keyed frames the rows are exactly
    `step` apart, counted back from the run's end, for there the velocity is read from them.
    """
    frames = np.flatnonzero(keyed)
    times: list[float] = []
    for run in np.split(frames, np.flatnonzero(np.diff(frames) > 1) + 1):
        if times:
            gap = run[0] - times[-1]
            count = min(max(round(gap / step), 1), LONGEST + 1)
            times += list(times[-1] + gap * np.arange(1, count) / count)
        back = run[-1] - step * np.arange(int((run[-1] - run[0]) / step + 1e-6) + 1)
        times += [float(run[0])] if back[-1] - run[0] > 0.25 * step else []
        times += list(back[::-1] if len(run) > 1 else [float(run[0])])
    return Rows(np.array(times, np.float64))


@dataclass(frozen=True)
class Part:
    """The joints of a rig that move, as a rig of their own in which still joints are merged into the bones below them.

    joints: their indices in the whole; rotations (T, J, 4), locations (T, J, 3).
    """

    joints: list[int]
    rig: tokens.Rig
    rotations: Tensor
    locations: Tensor
    axes: Tensor  # (T, J, 4): takes location vectors of the part to those of the whole


def moving_part(motion: Motion, rotations: Tensor, locations: Tensor) -> Part:
    """The part of a clip's rig that moves in rotations (T, J, 4) and locations (T, J, 3)."""
    parents, offsets = motion.clip.parents, torch.from_numpy(motion.offsets)
    turned, positions = skeleton.fk(rotations, locations, offsets, parents)
    moving = (rotations != rotations[:1]).any(-1).any(0) | (locations != locations[:1]).any(-1).any(0)
    joints = moving.nonzero()[:, 0].tolist()
    place = {j: i for i, j in enumerate(joints)}
    over: list[int] = []
    for j in joints:
        parent = parents[j]
        while parent >= 0 and parent not in place:
            parent = parents[parent]
        over.append(place.get(parent, -1))
    own_turn, own_place = turned[:, joints], positions[:, joints]
    above = [max(p, 0) for p in over]
    root = torch.tensor([p < 0 for p in over])[:, None]
    still = quat.identity(own_turn).expand_as(own_turn)
    base = torch.where(root, still, own_turn[:, above])
    arm = quat.rotate(
        quat.conjugate(base), own_place - torch.where(root, torch.zeros_like(own_place), own_place[:, above])
    )
    rest = torch.where(root, torch.zeros_like(arm[0]), arm[0])
    actual = torch.stack([turned[:, parents[j]] if parents[j] >= 0 else still[:, 0] for j in joints], 1)
    return Part(
        joints,
        tokens.Rig(over, rest[None], motion.clip.up),
        skeleton.local_rotations(own_turn, over),
        arm - rest,
        quat.multiply(quat.conjugate(actual), base),
    )
