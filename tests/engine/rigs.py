"""Small rigs that move, for the motion tests: made by formula, none of them seen in training. Knows no network."""

from __future__ import annotations

import numpy as np

from engine import protocol
from engine.clips import Motion

BIPED = [-1, 0, 1, 2, 2, 4, 5, 2, 7, 8, 0, 10, 11, 0, 13, 14]
QUADRUPED = [-1, 0, 1, 2, 3, 1, 5, 6, 1, 8, 9, 0, 11, 12, 0, 14, 15, 0, 17, 18]
TAIL = [-1, 0, 1, 2, 3, 4, 5, 6]
ARM = [-1, 0, 1, 2, 3, 4]
PENDULUM = [-1, 0]


def waving(parents: list[int], frames: int = 61, fps: float = 30.0, seed: int = 0, up: str = "Z") -> Motion:
    """A rig whose joints swing at frequencies near 1 a second while its root travels; nothing is keyed yet."""
    rng = np.random.default_rng(seed)
    joints, time = len(parents), np.arange(frames)[:, None] / fps
    axis = rng.normal(size=(joints, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = rng.uniform(0.15, 0.5, joints) * np.sin(
        2 * np.pi * rng.uniform(0.6, 1.2, joints) * time + rng.uniform(0, 6, joints)
    )
    rotations = np.concatenate([np.cos(angle / 2)[..., None], np.sin(angle / 2)[..., None] * axis], -1)
    locations = np.zeros((frames, joints, 3))
    locations[:, 0] = time * [0.0, -1.0, 0.0] + 0.05 * np.sin(6 * time) * [0.0, 0.0, 1.0]
    offsets = rng.normal(size=(joints, 3)) * 0.3
    offsets[0] = 0.0
    names = [f"bone.{j:03d}" for j in range(joints)]
    return Motion(
        protocol.Clip(1, frames, fps, names, parents, ["grip"], up),
        offsets.astype(np.float32), rotations.astype(np.float32), locations.astype(np.float32),
        np.sin(3 * time).astype(np.float32),
        np.zeros((frames, joints), bool), np.zeros((frames, joints), bool), np.zeros((frames, 1), bool),
        np.ones(joints, bool), np.arange(joints) == 0, np.ones(1, bool),
    )  # fmt: skip


def keyed(motion: Motion, rows: list[int]) -> Motion:
    """The same with the whole pose keyed at these rows."""
    motion.rotation_keys[rows] = True
    motion.location_keys[rows, 0] = True
    motion.value_keys[rows] = True
    return motion
