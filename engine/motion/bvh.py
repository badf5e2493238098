"""BVH files → Mocap: every joint's channels are read in the order that the file gives for that joint. Knows no protocol."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import quat
from engine.clips import Mocap, Take
from engine.protocol import JobError

AXES = {"X": (1.0, 0.0, 0.0), "Y": (0.0, 1.0, 0.0), "Z": (0.0, 0.0, 1.0)}


@dataclass
class _Tree:
    """What the HIERARCHY says; channels: for each joint its names, in order, and where they begin in a row."""

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[list[float]] = field(default_factory=list)
    channels: list[list[str]] = field(default_factory=list)
    width: int = 0


def read(path: Path) -> Mocap:
    """One file as a collection of one take. Raises JobError."""
    try:
        head, motion = path.read_text(encoding="utf-8", errors="replace").split("MOTION", 1)
        tree, lines = _hierarchy(head), motion.split("\n", 3)
        frames, seconds = int(lines[1].split(":")[1]), float(lines[2].split(":")[1])
        rows = np.array(lines[3].split(), np.float64).reshape(frames, tree.width)
    except (OSError, ValueError, IndexError) as error:
        raise JobError(f"{path.name} is no BVH file that can be read: {error}.") from error
    if not tree.names or not np.isfinite(rows).all():
        raise JobError(f"{path.name} holds no skeleton, or a value that is no number.")
    rotations, root = _motion(tree, rows)
    offsets = np.array(tree.offsets, np.float32)
    offsets[0] = 0.0
    take = Take(path.stem, quat.continuous(rotations).float().numpy(), root.astype(np.float32), offsets)
    return Mocap(tree.names, tree.parents, 1.0 / seconds, [take])


def _hierarchy(text: str) -> _Tree:
    tree, stack = _Tree(), [-1]
    words = iter(text.split())
    for word in words:
        if word in ("ROOT", "JOINT"):
            tree.names.append(next(words))
            tree.parents.append(stack[-1])
            tree.offsets.append([0.0, 0.0, 0.0])
            tree.channels.append([])
            stack.append(len(tree.names) - 1)
        elif word == "End":
            next(words)
            stack.append(-2)  # no joint: its offset is not kept
        elif word == "}":
            stack.pop()
        elif word == "OFFSET":
            offset = [float(next(words)) for _ in range(3)]
            if stack[-1] >= 0:
                tree.offsets[stack[-1]] = offset
        elif word == "CHANNELS":
            tree.channels[stack[-1]] = [next(words) for _ in range(int(next(words)))]
            tree.width += len(tree.channels[stack[-1]])
    return tree


def _motion(tree: _Tree, rows: np.ndarray) -> tuple[Tensor, np.ndarray]:
    """Local rotations (T, J, 4) and the root's place (T, 3)."""
    root, rotations, at = np.tile(np.array(tree.offsets[0]), (len(rows), 1)), [], 0
    for joint, names in enumerate(tree.channels):
        turn = torch.zeros(len(rows), 4, dtype=torch.float64)
        turn[:, 0] = 1.0
        for name in names:
            axis = name[0].upper()
            if name[1:].lower() == "rotation":
                angle = torch.from_numpy(rows[:, at] * (math.pi / 180.0))
                turn = quat.multiply(turn, quat.exp(angle[:, None] * torch.tensor(AXES[axis], dtype=torch.float64)))
            elif joint == 0:
                root[:, "XYZ".index(axis)] = rows[:, at]
            at += 1
        rotations.append(turn)
    return torch.stack(rotations, 1), root
