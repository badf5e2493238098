"""Rigs and motion by formula, for training only: what no motion capture shows, tails, props, creatures and cartoons.

Random trees of bones whose joints swing, or go from held pose to held pose, each through a spring of its own and the
later the farther down the limb; and those of creatures.py. Knows no network.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine import quat
from engine.motion import augment, creatures

TAKES, ROWS = creatures.TAKES, creatures.ROWS
RATE = creatures.RATE


def rig(rng: np.random.Generator) -> tuple[list[int], np.ndarray]:
    """Parents, and offsets (J, 3): a trunk with limbs of equal make, and sometimes a tail."""
    parents, offsets = [-1], [np.zeros(3)]
    trunk, limbs = int(rng.integers(0, 5)), int(rng.integers(0, 7))

    def grow(top: int, count: int, way: np.ndarray, length: float) -> None:
        for _ in range(count):
            way = way + rng.normal(0.0, 0.25, 3)
            offsets.append(way / np.linalg.norm(way) * length)
            parents.append(top)
            top, length = len(parents) - 1, length * rng.uniform(0.7, 1.05)

    def somewhere() -> np.ndarray:
        return np.asarray(rng.normal(0.0, 1.0, 3))

    grow(0, trunk, np.array([0.0, 1.0, 0.0]) if rng.random() < 0.6 else somewhere(), 1.0)
    bones = int(rng.integers(2, 5))
    for _ in range(limbs):
        grow(int(rng.integers(0, trunk + 1)), bones, somewhere(), float(rng.uniform(0.5, 1.5)))
    if limbs < 2 or rng.random() < 0.3:
        grow(0, int(rng.integers(3, 11)), somewhere(), float(rng.uniform(0.3, 0.8)))
    order = np.argsort([depth(parents, j) for j in range(len(parents))], kind="stable")
    place = {int(j): i for i, j in enumerate(order)} | {-1: -1}
    return [place[parents[j]] for j in order], np.array(offsets)[order]


def depth(parents: list[int], joint: int) -> int:
    """Joints between a joint and its root."""
    count = 0
    while parents[joint] >= 0:
        joint, count = parents[joint], count + 1
    return count


def targets(dice: augment.Dice, rng: np.random.Generator, joints: int, rows: int) -> Tensor:
    """What each of `joints` signals is drawn to, (TAKES, rows, joints): a swing, and poses held for a while."""
    time = torch.arange(rows, device=dice.where)[:, None] / RATE
    pace = 0.4 + 1.6 * dice.uniform(TAKES, 1, 1)
    swing = torch.zeros(TAKES, rows, joints, device=dice.where)
    for harmonic in (1.0, 2.0, 3.0):
        phase = 6.28 * dice.uniform(TAKES, 1, joints)
        swing = swing + torch.sin(6.28 * harmonic * pace * time + phase) * dice.normal(TAKES, 1, joints) / harmonic**1.5
    changes = (dice.uniform(TAKES, rows, 1) < 1.0 / (RATE * rng.uniform(0.25, 1.2))) & (
        dice.uniform(TAKES, rows, joints) < rng.uniform(0.3, 1.0)
    )
    held = torch.where(changes, torch.arange(rows, device=dice.where)[:, None], 0).cummax(1).values
    poses = dice.normal(TAKES, rows, joints).gather(1, held)
    share = (dice.uniform(TAKES, 1, 1) * 1.6 - 0.3).clamp(0.0, 1.0)
    return 0.5 * share * swing + (1.0 - share) * poses


def follow(drawn: Tensor, dice: augment.Dice) -> Tensor:
    """Springs of many kinds drawn by targets (TAKES, rows, joints): where they are in each row."""
    stiff = torch.exp(1.6 + 1.4 * dice.uniform(TAKES, 1) + 0.3 * dice.normal(TAKES, drawn.shape[2]))
    damping = 2.0 * stiff * (0.35 + 0.75 * dice.uniform(TAKES, 1))
    place, speed, out = drawn[:, 0], torch.zeros_like(drawn[:, 0]), []
    for row in drawn.unbind(1):
        speed = (speed + stiff**2 * (row - place) / RATE) / (1.0 + damping / RATE)
        place = place + speed / RATE
        out.append(place)
    return torch.stack(out, 1)


def source(rng: np.random.Generator, where: torch.device) -> augment.Source:
    """A rig and its takes."""
    parents, offsets = rig(rng)
    joints, dice = len(parents), augment.Dice(rng, where)
    rows = ROWS + 60
    signal = follow(targets(dice, rng, 2 * joints + 3, rows), dice)
    lag = rng.uniform(0.0, 6.0) * (rng.random() < 0.6)
    late = np.round([lag * depth(parents, j) for j in range(joints)] * 2 + [0, 0, 0]).astype(int).clip(max=60)
    at = torch.as_tensor(np.arange(60, rows)[:, None] - late[None]).to(where)
    signal = signal.gather(1, at.expand(TAKES, -1, -1))
    hinge, twist = dice.normal(2, 1, 1, joints, 3).unbind(0)
    amplitude = 0.5 * torch.exp(0.5 * dice.normal(TAKES, 1, joints, 1)) * float(rng.uniform(0.4, 1.2))
    hinge = hinge / hinge.norm(dim=-1, keepdim=True)
    turn = hinge * signal[..., :joints, None] + 0.2 * twist * signal[..., joints : 2 * joints, None]
    if rng.random() < 0.5:  # limbs alike swing about like axes
        turn = turn * 0.3 + 0.7 * hinge[:, :, :1] * signal[..., :joints, None]
    size = float(np.linalg.norm(offsets, axis=1).sum() / joints * 3.0)
    root = signal[..., 2 * joints :] * 0.15 * size * torch.exp(0.5 * dice.normal(TAKES, 1, 1))
    travel = size * dice.normal(TAKES, 1, 3) * (dice.uniform(TAKES, 1, 1) < 0.5)
    root = root + travel * torch.arange(ROWS, device=where)[:, None] / RATE
    return augment.Source(
        quat.exp(turn * amplitude).flatten(0, 1),
        root.flatten(0, 1),
        torch.arange(TAKES, device=where) * ROWS,
        torch.full((TAKES,), ROWS, device=where),
        torch.as_tensor(offsets, dtype=torch.float32).to(where).expand(TAKES, -1, -1),
        parents,
        RATE,
    )


def creature(rng: np.random.Generator, where: torch.device) -> augment.Source:
    """A walker, hand, chain or machine and its takes."""
    with torch.device("cpu"):  # small steps, many of them in NumPy
        rotations, root, offsets, parents = creatures.make(rng)
    return augment.Source(
        rotations.flatten(0, 1).to(where),
        root.flatten(0, 1).to(where),
        torch.arange(TAKES, device=where) * ROWS,
        torch.full((TAKES,), ROWS, device=where),
        torch.as_tensor(offsets).to(where).expand(TAKES, -1, -1),
        parents,
        RATE,
    )


def sources(count: int, seed: int, where: torch.device) -> list[augment.Source]:
    """`count` rigs with takes of their own, every third a tree of bones."""
    rng = np.random.default_rng(seed)
    return [source(rng, where) if i % 3 == 0 else creature(rng, where) for i in range(count)]
