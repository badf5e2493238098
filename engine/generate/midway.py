"""The network that makes a picture between two others: it corrects where they are fetched from, how they are laid together, and
what comes out. Trained on the one sequence that it serves, on frames between others that are there, and by making a frame out
of two that it has made itself, at the very distance it will be used at. It knows tensors and arrays, no files."""

from __future__ import annotations

from collections.abc import Sequence as Sized
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.generate.flows import DOUBT, Meeting
from engine.generate.networks import warp

REACH = 0.5  # most that the correction may add
PLANES = 2 * 4 + 4 + 2 + 1  # two pictures fetched, two flows, how sure, time
FLOW_SCALE = 8.0  # pixels that count as 1
SIDES = 8  # sides of pictures are made multiples of this


@dataclass(frozen=True)
class MidwayParams:
    """fine, wide, deep: widths at a half, a quarter and an eighth of the size. light: pictures are of light, not sRGB."""

    fine: int
    wide: int
    deep: int
    light: bool


@dataclass(frozen=True)
class Ends:
    """What a picture is made from. first, second: (B, 4, H, W) premultiplied. hints: (B, 6, H, W), flows to the first and the
    second in pixels, and how sure they are. t: (B,) its time, 0 to 1."""

    first: Tensor
    second: Tensor
    hints: Tensor
    t: Tensor

    def turned(self) -> Ends:
        """The same, seen backwards in time."""
        order = [2, 3, 0, 1, 5, 4]
        return Ends(self.second, self.first, self.hints[:, order], 1 - self.t)


def hints(meeting: Meeting) -> np.ndarray:
    """(6, H, W) float32 of a meeting, as Ends has them."""
    sure = np.stack([meeting.sure_first, meeting.sure_second])
    return np.concatenate([meeting.to_first.transpose(2, 0, 1), meeting.to_second.transpose(2, 0, 1), sure])


def _weights(ends: Ends) -> Tensor:
    """(B, 2, H, W): how much each picture counts, by its distance in time and by how sure its flow is."""
    t = ends.t[:, None, None, None]
    return torch.cat([1 - t, t], 1) * (DOUBT + ends.hints[:, 4:].clamp(0, 1))


class Midway(nn.Module):
    """A small U-Net; untrained, it gives the two pictures laid together as flow brings them."""

    def __init__(self, params: MidwayParams) -> None:
        super().__init__()
        self.light = params.light
        fine, wide, deep = params.fine, params.wide, params.deep
        self.enter = nn.Conv2d(4 * PLANES, fine, 3, padding=1)
        self.down = nn.Conv2d(fine, wide, 3, stride=2, padding=1)
        self.deeper = nn.Conv2d(wide, deep, 3, stride=2, padding=1)
        self.middle = nn.Conv2d(deep, deep, 3, padding=1)
        self.up = nn.Conv2d(deep + wide, wide, 3, padding=1)
        self.join = nn.Conv2d(wide + fine, fine, 3, padding=1)
        self.leave = nn.Conv2d(fine, 4 + 4 * 5, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def seen(self, picture: Tensor) -> Tensor:
        """A picture in tones that the eye spaces evenly."""
        if not self.light:
            return picture
        low = (picture.clamp(0, 1) + 1e-3) ** (1 / 2.4) - 1e-3 ** (1 / 2.4)
        tones = low + torch.log(picture.clamp_min(1)) / 2.4
        return torch.cat([tones[:, :3], picture[:, 3:]], 1)

    def plain(self, ends: Ends) -> Tensor:
        """(B, 4, H, W) without the network: the two pictures as flow brings them, laid together."""
        one, other = (warp(ends.first, ends.hints[:, :2]), warp(ends.second, ends.hints[:, 2:4]))
        weights = _weights(ends)
        return (one * weights[:, :1] + other * weights[:, 1:]) / weights.sum(1, keepdim=True)

    def forward(self, ends: Ends) -> Tensor:
        """(B, 4, H, W); sides are multiples of SIDES."""
        to_first, to_second, sure = ends.hints[:, :2], ends.hints[:, 2:4], ends.hints[:, 4:]
        fetched = [warp(ends.first, to_first), warp(ends.second, to_second)]
        time = (ends.t[:, None, None, None] - 0.5).expand(-1, 1, *sure.shape[-2:])
        motion = torch.cat([to_first, to_second], 1) / FLOW_SCALE
        maps = self._look(torch.cat([*(self.seen(x) for x in fetched), motion, sure, time], 1))
        turn = F.interpolate(maps[:, :4], scale_factor=2.0, mode="bilinear") * FLOW_SCALE
        rest = F.pixel_shuffle(maps[:, 4:], 2)
        one, other = warp(ends.first, to_first + turn[:, :2]), warp(ends.second, to_second + turn[:, 2:])
        weights = torch.log(_weights(ends))
        share = torch.sigmoid(weights[:, :1] - weights[:, 1:] + 4 * rest[:, :1])
        return one * share + other * (1 - share) + REACH * torch.tanh(rest[:, 1:] / REACH)

    def _look(self, planes: Tensor) -> Tensor:
        fine = F.silu(self.enter(F.pixel_unshuffle(planes, 2)))
        wide = F.silu(self.down(fine))
        deep = F.silu(self.deeper(wide))
        deep = deep + F.silu(self.middle(deep))
        wide = F.silu(self.up(torch.cat([F.interpolate(deep, scale_factor=2.0), wide], 1)))
        fine = F.silu(self.join(torch.cat([F.interpolate(wide, scale_factor=2.0), fine], 1)))
        return self.leave(fine)


# --- training --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lesson:
    """Three pictures at even distances. pictures: (3, 4, H, W) float16. early, late: hints (6, H, W) float16 to make those
    halfway from the middle one to its neighbours; near: to make the middle one out of these two. goes_on: whether what moves up
    to the middle one moves on after it, 1 for all, -1 for what goes back; weight: how much moves."""

    pictures: np.ndarray
    early: np.ndarray
    late: np.ndarray
    near: np.ndarray
    goes_on: float
    weight: float


def crops(lessons: Sized[Lesson], side: int, count: int, rng: np.random.Generator, where: torch.device) -> list[Tensor]:
    """pictures (B, 3, 4, h, w), then early, late and near (B, 6, h, w): parts of lessons at random."""
    taken = []
    for _ in range(count):
        lesson = lessons[int(rng.integers(len(lessons)))]
        height, width = lesson.pictures.shape[-2:]
        h, w = (min(side, n // SIDES * SIDES) for n in (height, width))
        y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
        fields = (lesson.pictures, lesson.early, lesson.late, lesson.near)
        taken.append([torch.from_numpy(field[..., y : y + h, x : x + w].astype(np.float32)) for field in fields])
    return [torch.stack(field).to(where) for field in zip(*taken, strict=True)]


def again(network: Midway, batch: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The middle picture made out of two that were made beside it, at the sequence's own distance, and the truth of it; in
    tones."""
    pictures, early, late, near = batch
    first, middle, second = pictures.unbind(1)
    t = torch.full((len(pictures),), 0.5, device=pictures.device)
    before, after = network(Ends(first, middle, early, t)), network(Ends(middle, second, late, t))
    return network.seen(network(Ends(before, after, near, t))), network.seen(middle)


def apart(made: Tensor, truth: Tensor) -> Tensor:
    """Mean difference, with that of what is left when both are made coarser."""
    total = torch.sqrt((made - truth) ** 2 + 1e-4).mean()
    for _ in range(2):
        made, truth = F.avg_pool2d(made, 2), F.avg_pool2d(truth, 2)
        total = total + torch.sqrt((made - truth) ** 2 + 1e-4).mean()
    return total / 3
