"""Windows of motion: the LaFAN1 protocol's own, and augmented ones for training. Knows no network.

A batch of motion is `Poses`: everything a rig does, in the convention of protocol.CLIP_ARRAYS.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine import quat, skeleton
from engine.clips import Mocap

PAST = 10
GAPS = (5, 15, 30, 45)
FPS = 30.0


@dataclass(frozen=True)
class Poses:
    """rotations (B, T, J, 4) local, locations (B, T, J, 3), offsets (B, J, 3); parents shared by the batch."""

    rotations: Tensor
    locations: Tensor
    offsets: Tensor
    parents: list[int]

    def fk(self) -> tuple[Tensor, Tensor]:
        """Global rotations (B, T, J, 4) and positions (B, T, J, 3)."""
        return skeleton.fk(self.rotations, self.locations, self.offsets[:, None], self.parents)


def at_root(root: Tensor, joints: int) -> Tensor:
    """Root positions (..., 3) as locations (..., J, 3) of the first joint."""
    return torch.cat([root[..., None, :], root.new_zeros(*root.shape[:-1], joints - 1, 3)], -2)


FACING = (0.0, 0.0, 1.0)  # of the root, in its own axes


def protocol_windows(mocap: Mocap, length: int, every: int, facing: tuple[float, float, float] = FACING) -> Poses:
    """LaFAN1's windows at 30 frames a second (both phases of 60): mean root over the origin, facing +X at frame 9."""
    step = max(1, round(mocap.fps / FPS))
    rotations, roots, offsets = [], [], []
    for take in mocap.takes:
        for phase in range(step):
            turns, root = take.rotations[phase::step], take.root[phase::step]
            for i in range(0, len(root) - length, every):
                rotations.append(turns[i : i + length])
                roots.append(root[i : i + length])
                offsets.append(take.offsets)
    if not rotations:
        raise ValueError(f"No clip is as long as a window of {length} frames.")
    q, p = torch.as_tensor(np.stack(rotations)), torch.as_tensor(np.stack(roots))
    p = p - p.mean(1, keepdim=True) * p.new_tensor([1.0, 0.0, 1.0])
    forward = quat.rotate(q[:, PAST - 1, 0], p.new_tensor(facing))
    yaw = torch.atan2(forward[:, 2], forward[:, 0])  # about Y this brings the facing direction to +X
    turn = quat.exp(yaw[:, None] * p.new_tensor([0.0, 1.0, 0.0]))[:, None]
    q = torch.cat([quat.multiply(turn.expand(q[:, :, 0].shape), q[:, :, 0])[:, :, None], q[:, :, 1:]], 2)
    return Poses(q, at_root(quat.rotate(turn, p), q.shape[2]), torch.as_tensor(np.stack(offsets)), mocap.parents)


def deviation(mocap: Mocap, facing: tuple[float, float, float] = FACING) -> Tensor:
    """The standard deviation (J, 3) of global positions over the protocol's training windows (50 every 20). What hardly
    moves, as the foot of a machine, counts as if it moved a tenth as far as the rest."""
    spread = protocol_windows(mocap, 50, 20, facing).fk()[1].flatten(0, 1).std(0, correction=0)
    return spread.clamp_min(0.1 * float(spread.mean()))
