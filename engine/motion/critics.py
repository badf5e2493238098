"""Critics of motion: is this how captured motion looks? A short one hears pops, tremor and dead calm, a long one rhythm.

Least-squares adversaries (LSGAN) over joint tokens, so that they know any rig. Know no key and no file.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine import quat
from engine.motion import tokens
from engine.motion.networks import kin

FEATURES = 15 + tokens.STATIC
SHORT, LONG = (1, 1), (1, 2, 4, 8)  # dilations: 5 and 31 rows are seen at once


class Critic(nn.Module):
    """seen (B, T, J, FEATURES) → how real (B, T, J): 1 captured, 0 made."""

    def __init__(self, channels: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.embed = nn.Linear(FEATURES, channels)
        self.family = nn.ModuleList(nn.Linear(4 * channels, channels) for _ in dilations)
        self.time = nn.ModuleList(nn.Conv1d(channels, channels, 3, padding=d, dilation=d) for d in dilations)
        self.head = nn.Linear(channels, 1)

    def forward(self, seen: Tensor, parents: list[int]) -> Tensor:
        """Mix over parent, children and body, then over time, once for each dilation."""
        h = self.embed(seen)
        batch, frames, joints, channels = h.shape
        for family, time in zip(self.family, self.time, strict=True):
            whole = h.mean(2, keepdim=True).expand_as(h)
            x = nn.functional.leaky_relu(family(torch.cat([h, *kin(h, parents), whole], -1)), 0.2)
            x = time(x.permute(0, 2, 3, 1).reshape(batch * joints, channels, frames))
            h = h + nn.functional.leaky_relu(x, 0.2).reshape(batch, joints, channels, frames).permute(0, 3, 1, 2)
        return self.head(h)[..., 0]


def seen(turned: Tensor, positions: Tensor, rig: tokens.Rig) -> Tensor:
    """What critics see of global rotations (B, T, J, 4) and positions (B, T, J, 3): the pose and three derivatives."""
    size, frame = rig.size(), tokens.heading(turned, rig)

    def change(x: Tensor) -> Tensor:
        return torch.cat([torch.zeros_like(x[:, :1]), x.diff(dim=1)], 1)

    step = change(positions) / size
    bend = change(step)
    vectors = [
        (positions - positions[:, :, rig.main, None]) / size * 2.0,
        step * 20.0,
        bend * 50.0,
        change(bend) * 70.0,
        tokens.turning(turned) * 10.0,
    ]
    fixed = tokens.static(rig)[:, None].expand(*positions.shape[:3], tokens.STATIC)
    return torch.cat([*(quat.rotate(frame, v) for v in vectors), fixed], -1)


def judge(critics: nn.ModuleList, real: Tensor, made: Tensor, parents: list[int], rows: Tensor) -> Tensor:
    """The critics' loss on `rows` (indices): how far they are from telling the two apart."""
    total = real.new_zeros(())
    for critic in critics:
        for motion, label in ((real, 1.0), (made, 0.0)):
            total = total + (critic(motion.detach(), parents).index_select(1, rows) - label).square().mean()
    return total


def please(critics: nn.ModuleList, made: Tensor, parents: list[int], rows: Tensor) -> Tensor:
    """The maker's loss on `rows` (indices)."""
    total = made.new_zeros(())
    for critic in critics:
        total = total + (critic(made, parents).index_select(1, rows) - 1.0).square().mean()
    return total
