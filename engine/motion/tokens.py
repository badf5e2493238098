"""What the networks see: every joint of every frame is a token with the same features, whatever the rig.

All vectors are world-space, in a frame that rides with the rig's heading, over the rig's size, so that scale, rest
pose, bone axes, up axis and place in the world do not matter. Rotations appear only as differences in the world. Knows
no file.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine import quat, skeleton
from engine.motion import baseline

SECOND = 30.0  # frames of the networks' own rate
STATIC, SHAPE = 13, 7  # of the descriptors the first SHAPE tell lengths and levels, the others the rest pose
BETWEEN_FEATURES = 52 + SHAPE
BETWEEN_OUTPUTS = 10
KEEP = 0.7  # of the velocity at a key, before the network has its say: best over all gap lengths on training motion


@functools.cache
def constant(values: tuple[float, ...], like: tuple[torch.dtype, torch.device]) -> Tensor:
    """A small fixed tensor, kept: to send one to a graphics card is to wait for it."""
    with torch.inference_mode(False):
        return torch.tensor(values, dtype=like[0], device=like[1])


def _fixed(like: Tensor, *values: float) -> Tensor:
    return constant(values, (like.dtype, like.device))


@dataclass(frozen=True)
class Rig:
    """What the networks know of a rig. offsets (B, J, 3); up: "Y" or "Z" (then the rig faces -Y, as Blender's do).

    facing: vectors (B, 1, 3) that count as the main joint's forward direction, None for the usual one. rest: positions
    (B, J, 3) of a pose that counts as the rest pose, in the axes of heading(), None for the usual one.
    """

    parents: list[int]
    offsets: Tensor
    up: str = "Y"
    facing: Tensor | None = None
    rest: Tensor | None = None

    @functools.cached_property
    def main(self) -> int:
        """The joint whose heading and place everything is relative to: the first that branches, else the first."""
        children = [self.parents.count(j) for j in range(len(self.parents))]
        return next((j for j, count in enumerate(children) if count > 1), 0)

    def above(self, like: Tensor) -> tuple[Tensor, Tensor]:
        """Each joint's parent (its own index at a root) (J,), and which joints are roots (J, 1) bool."""
        tree = _tree(tuple(self.parents), like.device)
        return tree.over, tree.root

    def size(self) -> Tensor:
        """The rig's size (B, 1, 1, 1)."""
        return self._size

    def stance(self) -> Tensor:
        """Positions (B, J, 3) of the rest pose, as seen from the main joint, in the axes of heading()."""
        if self.rest is not None:
            return self.rest
        under = _tree(tuple(self.parents), self.offsets.device).under
        still = torch.zeros(len(self.offsets), 1, len(self.parents), 4, device=self.offsets.device)
        still[..., 0] = 1.0
        at = torch.einsum("bjc,jk->bkc", self.offsets, under)
        return quat.rotate(heading(still, self)[:, 0], at - at[:, self.main, None])

    @functools.cached_property
    def _size(self) -> Tensor:
        return self._ways.amax(-1).clamp_min(1e-6)[:, None, None, None]

    @functools.cached_property
    def _ways(self) -> Tensor:
        """The way from the root to each joint along the bones, (B, J)."""
        return self.offsets.norm(dim=-1) @ _tree(tuple(self.parents), self.offsets.device).under


@dataclass(frozen=True)
class _Tree:
    """What a hierarchy alone tells. over (J,), root (J, 1) as Rig.above; under (J, J): 1 where the joint of the column is
    the row's or below it; fixed (J, 5): the part of the descriptors that no bone's length changes."""

    over: Tensor
    root: Tensor
    under: Tensor
    fixed: Tensor


@functools.lru_cache(maxsize=256)
def _tree(parents: tuple[int, ...], device: torch.device) -> _Tree:
    joints, depth = len(parents), skeleton.depths(parents)
    under = np.eye(joints, dtype=np.float32)
    for j, parent in enumerate(parents):
        if parent >= 0:
            under[:, j] = np.maximum(under[:, j], under[:, parent])
    below, children = under.sum(1), [parents.count(j) for j in range(joints)]
    fixed = [
        [d / 8, d / max(max(depth), 1), min(c, 5) / 3, float(b) / joints, float(p < 0)]
        for d, c, b, p in zip(depth, children, below, parents, strict=True)
    ]
    with torch.inference_mode(False):
        return _Tree(
            torch.tensor([p if p >= 0 else j for j, p in enumerate(parents)], device=device),
            torch.tensor([p < 0 for p in parents], device=device)[:, None],
            torch.tensor(under, device=device),
            torch.tensor(fixed, device=device),
        )


def heading(turned: Tensor, rig: Rig) -> Tensor:
    """(B, T, 1, 4): turns world vectors into Y up and the main joint's facing direction into +Z."""
    half = 0.5**0.5
    upright = _fixed(turned, half, -half, 0.0, 0.0) if rig.up == "Z" else _fixed(turned, 1.0, 0.0, 0.0, 0.0)
    usual = _fixed(turned, 0.0, -1.0, 0.0) if rig.up == "Z" else _fixed(turned, 0.0, 0.0, 1.0)
    facing = usual if rig.facing is None else rig.facing
    forward = quat.rotate(upright, quat.rotate(turned[..., rig.main, :], facing))
    yaw = torch.atan2(forward[..., 0], forward[..., 2])
    turn = quat.exp(yaw[..., None] * _fixed(turned, 0.0, -1.0, 0.0))
    return quat.multiply(turn, upright.expand(turn.shape))[..., None, :]


def static(rig: Rig) -> Tensor:
    """Descriptors of each joint (B, J, STATIC): bone length, depth, children, size of the limb below, reach below, where
    it is in the rest pose, as seen from the main joint and from its parent."""
    size, ways = rig.size()[..., 0, 0], rig._ways / rig.size()[..., 0, 0]
    tree = _tree(tuple(rig.parents), rig.offsets.device)
    # From each joint (row) to each one below it (column).
    farthest = (torch.where(tree.under > 0, ways[:, None, :], ways[:, :, None]) - ways[:, :, None]).amax(2)
    length = rig.offsets.norm(dim=-1) / size
    fixed = tree.fixed.to(length.dtype).expand(len(rig.offsets), *tree.fixed.shape)
    at = rig.stance() / size[..., None]
    return torch.cat(
        [fixed, length[..., None], farthest[..., None], at * 2.0, (at - at.index_select(1, tree.over)) * 3.0], -1
    )


def into_parent(v: Tensor, turned: Tensor, rig: Rig) -> Tensor:
    """World vectors (B, T, J, 3) in the axes of each joint's parent, as locations are."""
    over, root = rig.above(v)
    return torch.where(root, v, quat.rotate(quat.conjugate(turned.index_select(-2, over)), v))


def out_of_parent(v: Tensor, turned: Tensor, rig: Rig) -> Tensor:
    """The way back."""
    over, root = rig.above(v)
    return torch.where(root, v, quat.rotate(turned.index_select(-2, over), v))


def _before(x: Tensor) -> Tensor:
    return torch.cat([x[:, :1], x[:, :-1]], 1)


def turning(turned: Tensor) -> Tensor:
    """World rotation vectors (B, T, J, 3) from each frame to the next; zero at the last."""
    step = quat.log(quat.multiply(turned[:, 1:], quat.conjugate(turned[:, :-1])))
    return torch.cat([step, torch.zeros_like(step[:, :1])], 1)


def weight(gap: baseline.Gaps, x: Tensor) -> Tensor:
    """How much the network may add, (..., T, J): 0 at keys, beyond the ends and where x (..., T, J, C) is held; in
    between as the way a steady force takes, more in longer gaps."""
    moving = (baseline.pick(x, gap.before) != baseline.pick(x, gap.after)).any(-1)
    return 4.0 * gap.u * (1.0 - gap.u) * (gap.span / SECOND).clamp(max=2.0) * moving


@dataclass(frozen=True)
class Between:
    """The input of the in-betweening network and what its output is added to. Leading dimensions (B, T, J)."""

    features: Tensor  # (…, BETWEEN_FEATURES)
    rotations: Tensor  # (…, 4) the plain interpolation
    locations: Tensor  # (…, 3)
    turned: Tensor  # (…, 4) its global rotations
    frame: Tensor  # (B, T, 1, 4) its heading
    turn_weight: Tensor  # (…) 0 at rotation keys
    move_weight: Tensor  # (…) 0 at location keys
    turn_bends: tuple[Tensor, Tensor]  # what keeps the velocity through the keys
    move_bends: tuple[Tensor, Tensor]
    rig: Rig

    def poses(self, out: Tensor) -> tuple[Tensor, Tensor]:
        """Local rotations and locations with the network's output (…, BETWEEN_OUTPUTS) added: a turn, a move, and how
        much of the velocity goes on through the keys. Exact at the keys."""
        back, keep = quat.conjugate(self.frame), out[..., 6:] + KEEP
        turn = self.turn_weight[..., None] * quat.rotate(quat.conjugate(self.turned), quat.rotate(back, out[..., :3]))
        turn = turn + keep[..., 0:1] * self.turn_bends[0] + keep[..., 1:2] * self.turn_bends[1]
        move = self.move_weight[..., None] * into_parent(
            quat.rotate(back, out[..., 3:6]) * self.rig.size(), self.turned, self.rig
        )
        move = move + keep[..., 2:3] * self.move_bends[0] + keep[..., 3:4] * self.move_bends[1]
        free = self.turn_weight[..., None] > 0
        rotations = torch.where(free, quat.multiply(self.rotations, quat.exp(turn)), self.rotations)
        return rotations, torch.where(self.move_weight[..., None] > 0, self.locations + move, self.locations)


def between(rotations: Tensor, locations: Tensor, turn_keys: Tensor, move_keys: Tensor, rig: Rig) -> Between:
    """Features for filling the gaps between keys.

    rotations (B, T, J, 4), locations (B, T, J, 3) at 30 frames a second; only what is keyed is read. turn_keys,
    move_keys: bool (B, T, J); a joint without keys keeps what it does.
    """
    gap, gap_move = baseline.gaps(turn_keys), baseline.gaps(move_keys)
    turn_weight, move_weight = weight(gap, rotations), weight(gap_move, locations)
    turn_bends = baseline.bends(rotations, gap, baseline.turn_between)
    move_bends = baseline.bends(locations, gap_move, baseline.move_between)
    rotations, locations = baseline.slerp(rotations, gap), baseline.lerp(locations, gap_move)
    turned, positions = skeleton.fk(rotations, locations, rig.offsets[:, None], rig.parents)
    frame, size = heading(turned, rig), rig.size()
    over, _ = rig.above(turned)
    step, spin = positions[:, 1:] - positions[:, :-1], turning(turned)
    step = torch.cat([step, torch.zeros_like(step[:, :1])], 1)
    vectors = [
        (positions - positions[..., rig.main, None, :]) / size,
        (positions - positions.index_select(-2, over)) / size * 3.0,
        step / size * 20.0,
        _before(step) / size * 20.0,
        spin * 10.0,
        _before(spin) * 10.0,
        quat.log(quat.multiply(turned, quat.conjugate(baseline.pick(turned, gap.before)))),
        quat.log(quat.multiply(baseline.pick(turned, gap.after), quat.conjugate(turned))),
        (positions - baseline.pick(positions, gap.before)) / size * 2.0,
        (baseline.pick(positions, gap.after) - positions) / size * 2.0,
        *(quat.rotate(turned, bend) for bend in turn_bends),
        *(out_of_parent(bend, turned, rig) / size * 2.0 for bend in move_bends),
    ]
    frames = torch.arange(rotations.shape[1], device=rotations.device)[:, None].expand(gap.before.shape)
    since, until = (frames - gap.before) / SECOND, (gap.after - frames) / SECOND
    moves = (move_weight > 0).any(1, keepdim=True)
    scalars = [
        (turn_weight == 0).float(), (move_weight == 0).float(), moves.float().expand(gap.u.shape), gap.u, turn_weight,
        since.clamp(-1, 2), until.clamp(-1, 2), 1.0 / (1.0 + SECOND * since.abs()), 1.0 / (1.0 + SECOND * until.abs()),
        (since + until).clamp(0, 3),
    ]  # fmt: skip
    features = torch.cat([
        *(quat.rotate(frame, v) for v in vectors),
        torch.stack(scalars, -1),
        static(rig)[:, None, :, :SHAPE].expand(*gap.u.shape, SHAPE),
    ], -1)  # fmt: skip
    return Between(features, rotations, locations, turned, frame, turn_weight, move_weight, turn_bends, move_bends, rig)


@dataclass(frozen=True)
class Stance:
    """A pose in motion, all that one step ahead is computed from. Last dimensions as in Poses, leading ones (B, T)."""

    rotations: Tensor
    locations: Tensor
    turned: Tensor
    positions: Tensor
    spin: Tensor  # (…, J, 3) local rotation vector since the frame before, in the joint's own axes
    shift: Tensor  # (…, J, 3) location since the frame before
    step: Tensor  # (…, J, 3) position since the frame before
    whirl: Tensor  # (…, J, 3) world rotation vector since the frame before

    def rows(self, start: int, end: int) -> Stance:
        """Some of the frames."""
        return Stance(**{name: x[:, start:end] for name, x in vars(self).items()})


@dataclass(frozen=True)
class Free:
    """Which joints are played on, 1 or 0 in (B, 1, J, 1): their rotation, their location. The others stand still."""

    turns: Tensor
    moves: Tensor


def stances(rotations: Tensor, locations: Tensor, rig: Rig) -> Stance:
    """Poses (B, T, J, ·) as stances; the first frame stands still."""
    turned, positions = skeleton.fk(rotations, locations, rig.offsets[:, None], rig.parents)
    spin = quat.log(quat.multiply(quat.conjugate(_before(rotations)), rotations))
    whirl = quat.log(quat.multiply(turned, quat.conjugate(_before(turned))))
    return Stance(
        rotations,
        locations,
        turned,
        positions,
        spin,
        locations - _before(locations),
        positions - _before(positions),
        whirl,
    )
