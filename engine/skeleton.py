"""Forward kinematics, rig measures and foot contacts for any hierarchy. Knows no file and no network.

Convention (protocol.CLIP_ARRAYS): at rest every rotation is the identity and every axis is the armature's.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import torch
from torch import Tensor

from engine import quat


def depths(parents: Sequence[int]) -> list[int]:
    """Joints between each joint and its root; parents come before children."""
    out: list[int] = []
    for parent in parents:
        out.append(0 if parent < 0 else out[parent] + 1)
    return out


def tips(parents: Sequence[int]) -> int:
    """How many joints have none below: the ends of a rig's limbs."""
    return len(set(range(len(parents))) - set(parents))


def fk(rotations: Tensor, locations: Tensor, offsets: Tensor, parents: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Global rotations (..., J, 4) and positions (..., J, 3).

    rotations: (..., J, 4) local, locations: (..., J, 3), offsets: broadcasts against locations.
    """
    levels, back = _levels(tuple(parents), rotations.device)
    turned: list[Tensor] = []  # a level of the hierarchy at a time: few large steps instead of one a joint
    placed: list[Tensor] = []
    arm = offsets + locations
    for joints, above in levels:
        local, reach = rotations.index_select(-2, joints), arm.index_select(-2, joints)
        if turned:
            turn = turned[-1].index_select(-2, above)
            turned.append(quat.multiply(turn, local))
            placed.append(placed[-1].index_select(-2, above) + quat.rotate(turn, reach))
        else:
            turned.append(local)
            placed.append(reach)
    return torch.cat(turned, -2).index_select(-2, back), torch.cat(placed, -2).index_select(-2, back)


@functools.lru_cache(maxsize=256)
def _levels(parents: tuple[int, ...], device: torch.device) -> tuple[list[tuple[Tensor, Tensor]], Tensor]:
    """For each level of the hierarchy its joints and their parents' places in the level above; then where each joint
    comes out. Kept, for to send an index to a graphics card is to wait for it."""
    depth = depths(parents)
    levels: list[list[int]] = [[j for j, d in enumerate(depth) if d == level] for level in range(max(depth) + 1)]
    pairs: list[tuple[list[int], list[int]]] = [(levels[0], [])]
    pairs += [(now, [over.index(parents[j]) for j in now]) for over, now in itertools.pairwise(levels)]
    order = [j for joints in levels for j in joints]
    with torch.inference_mode(False):
        kept = [(torch.tensor(a, device=device), torch.tensor(b, device=device)) for a, b in pairs]
        return kept, torch.tensor(order, device=device).argsort()


def local_rotations(turned: Tensor, parents: Sequence[int]) -> Tensor:
    """Local from global rotations (..., J, 4)."""
    above = [max(p, 0) for p in parents]
    local = quat.multiply(quat.conjugate(turned[..., above, :]), turned)
    root = torch.tensor([p < 0 for p in parents], device=turned.device)[:, None]
    return torch.where(root, turned, local)


def reach(offsets: Tensor, parents: Sequence[int]) -> Tensor:
    """The longest way from a root to a tip along the bones, (...) for offsets (..., J, 3): the rig's size."""
    lengths = offsets.norm(dim=-1)
    sums: list[Tensor] = []
    for j, parent in enumerate(parents):
        sums.append(torch.zeros_like(lengths[..., 0]) if parent < 0 else sums[parent] + lengths[..., j])
    return torch.stack(sums, -1).amax(-1)


def subset(
    turned: Tensor, positions: Tensor, offsets: Tensor, parents: Sequence[int], keep: Sequence[int]
) -> tuple[Tensor, Tensor, Tensor, list[int]]:
    """A rig of the joints `keep` (ascending) that moves as the whole: local rotations, locations, offsets, parents.

    Dropped joints are merged into the bones below them; a kept joint without kept ancestor becomes a root.
    turned, positions: global (..., T, J, 4 | 3); offsets (..., J, 3).
    """
    new_parents: list[int] = []
    merged: list[Tensor] = []
    for j in keep:
        offset, parent = offsets[..., j, :], parents[j]
        while parent >= 0 and parent not in keep:
            offset, parent = offset + offsets[..., parent, :], parents[parent]
        new_parents.append(list(keep).index(parent) if parent >= 0 else -1)
        merged.append(offset if parent >= 0 else torch.zeros_like(offset))
    kept = list(keep)
    rotations = local_rotations(turned[..., kept, :], new_parents)
    root = torch.tensor([p < 0 for p in new_parents], device=turned.device)[:, None]
    locations = torch.where(root, positions[..., kept, :], torch.zeros_like(positions[..., kept, :]))
    return rotations, locations, torch.stack(merged, -2), new_parents


def contacts(positions: Tensor, up: int, scale: float, fps: float) -> Tensor:
    """Which joints rest on the ground, (..., T, J) bool: below 0.15 rig sizes a second, within 0.08 of the lowest."""
    steps = positions.diff(dim=-3).norm(dim=-1) * fps / scale
    speed = torch.cat([steps[..., :1, :], steps], -2)
    height = positions[..., up]
    ground = height.amin(dim=(-2, -1), keepdim=True)
    return (speed < 0.15) & (height - ground < 0.08 * scale)
