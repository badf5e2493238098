"""Frames of a path: each stretch is led over from what was played before, then plays as it was learned. In a lead every pixel is
taken from one of the two, and changes over where that is least seen; so a lead is as crisp as what it is made of. The networks
work at the clip's size; what is finer is carried along in the pictures' own. It knows arrays, no files.

However long the path, nothing fades, freezes or explodes: the networks never run on their own output for longer than one lead,
since each begins at learned frames, and each ends in learned frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.footage.tracking import Flow
from engine.generate import paths, seam
from engine.generate.clip import Clip
from engine.generate.colours import Colours
from engine.generate.networks import Meeting, Networks, enlarge, enlarge_flow, warp
from engine.generate.training import AHEAD, HISTORY, begin, both_flows
from engine.generate.trust import astray

UNSEEN = 1 / 512  # alpha, below which there is nothing
HAZE = 0.2  # alpha of it, at most
MEMORY = 12  # frames that the LSTM looks back
SEEN = 0.1  # tones by which two pixels differ, in all channels together
LEFT = 0.5  # of the difference, at most, when what differs is fetched along the flow
FOLLOWED = 0.4  # of what differs is found again, at least, where flow can follow from one stretch to another
BOTH = slice(0, 2), slice(2, 4)  # flows there and back
DOUBT = 0.25  # how many of the pixels around have to be found again for a flow to count half
MISSED = 1.0  # tones in all channels, by which the predicted motion may miss a tone and it still be corrected
TORN = 1.5  # how much rather the second stretch is taken where the first is torn
REACH = 0.06  # of the shorter side: so near to what moved, tones may come that never were there
PLACES = 16  # a side, in which what is expected is compared with what was learned
FORESEEN = 8  # frames of it
FADED = 0.85  # of the least detail that a learned frame has: things are lost
ALONE = 4.0  # how much rather the first is, while it is believed
UNKNOWN = 8.0  # how much rather the second, where the first fetches from outside the picture


@dataclass(frozen=True)
class Player:
    """What frames are made with. pictures: (T, 4, H, W) of any size; clip: the same, small."""

    pictures: Tensor
    clip: Clip
    networks: Networks
    device: torch.device

    @cached_property
    def ahead(self) -> list[Left]:
        """What is expected after the last learned frame, for as long as a lead is."""
        with torch.inference_mode():
            return list(islice(_predict(self), paths.longest_lead(len(self.clip))))

    @cached_property
    def astray(self) -> np.ndarray:
        """(H,) how far off the predictor is after the last learned frame, of engine.generate.trust; lost, where detail is."""
        leaps = paths.leaps(self.clip.latent, self.clip.apart)
        found = astray(self.networks, self.clip, leaps, len(self.ahead), self.device)
        least = min(_detail(picture[None]) for picture in self.clip.pictures)
        faded = [_detail(frame.small) < FADED * least for frame in self.ahead]
        return np.maximum(found, paths.LOST * np.maximum.accumulate(faded))

    @cached_property
    def bounds(self) -> list[tuple[Tensor, Tensor]]:
        """Least and most of each tone, (1, 4, h, w) and (1, 4, H, W): that there was at each place or beside it, and beyond
        that as much as anything changed around it, so that a flame may rise higher than it ever did."""
        return [_bounds(pictures, self.device) for pictures in (self.clip.pictures, self.pictures)]

    @cached_property
    def colours(self) -> Colours:
        """Those that the sequence has."""
        return Colours([*self.pictures, *self.clip.pictures], self.device)

    def picture(self, i: int) -> Tensor:
        """(1, 4, H, W) float32."""
        return self.pictures[i][None].float().to(self.device)

    def small(self, i: int) -> Tensor:
        """(1, 4, h, w) float32."""
        return self.clip.pictures[i][None].to(self.device)


class Left(NamedTuple):
    """A frame of a stretch that is being left. small: (1, 4, h, w). fine: (1, 4, H, W). torn: (1, 1, h, w), 0 to 1, where
    it was stretched or squeezed. unknown: (1, 1, h, w), 1 where it came in from outside the picture."""

    small: Tensor
    fine: Tensor
    torn: Tensor
    unknown: Tensor


@torch.inference_mode()
def expectations(player: Player) -> np.ndarray:
    """(T, H, D): how latent motion is expected to go on after each frame."""
    latent = torch.from_numpy(player.clip.latent).to(player.device)
    ahead = min(AHEAD, paths.longest_lead(len(latent)))
    made = [latent[:1].expand(ahead, -1)]
    for t in range(1, len(latent)):
        made.append(player.networks.latent(latent[None, max(0, t + 1 - MEMORY) : t + 1], ahead)[0])
    return torch.stack(made).cpu().numpy()


@torch.inference_mode()
def foreseen(player: Player, leaps: np.ndarray) -> np.ndarray:
    """(T, T) of engine.generate.paths.leaps, whose last row also says how far what follows each frame is from the frames that are
    expected to come, each as far as it is believed, in steps between neighbours; not at all where not even the first is."""
    if player.astray[0] >= paths.LOST:
        return leaps
    places = F.adaptive_avg_pool2d(player.clip.pictures, PLACES).to(player.device)
    step, count = places.diff(dim=0).square().mean(), len(places)
    told, weights = leaps[-1] ** 2, 1.0
    for h, (frame, wrong) in enumerate(zip(player.ahead[:FORESEEN], player.astray, strict=False), 1):
        weight = max(0.0, 1 - float(wrong))
        later = places[(torch.arange(count) + h).clamp(max=count - 1)]
        apart = (F.adaptive_avg_pool2d(frame.small, PLACES) - later).square().mean((1, 2, 3)) / step
        told, weights = told + weight * apart.double().cpu().numpy(), weights + weight
    return np.vstack([leaps[:-1], np.where(leaps[-1] < paths.FAR, np.sqrt(told / weights), paths.FAR)])


def play(player: Player, stretch: paths.Stretch) -> Iterator[Tensor]:
    """The frames of a stretch, (4, H, W) each."""
    left = len(player.clip) - 1 - stretch.leave
    longest = paths.longest_lead(len(player.clip))
    alone, lead = 0, paths.lead_of(stretch.fit, longest, left)
    if lead > left:
        alone, lead = paths.lead_out(player.astray, left, stretch.fit, longest)
    made: list[Tensor] = []
    if stretch.leave >= HISTORY - 1:
        lead = lead if stretch.last else min(lead, stretch.length)
        made = _lead(player, stretch, min(alone, lead), lead)[: stretch.length]
        yield from made
    yield from (player.picture(stretch.begin + h)[0] for h in range(len(made), stretch.length))


@torch.inference_mode()
def _lead(player: Player, stretch: paths.Stretch, alone: int, count: int) -> list[Tensor]:
    """The first `count` frames of a stretch, `alone` of them of what is left behind, but for what nobody
    knows there."""
    leaving = list(islice(_go_on(player, stretch.leave), count))
    if not leaving:
        return []
    goals = range(stretch.begin, stretch.begin + count)
    second = torch.cat([player.small(i) for i in goals])
    shares = [paths.share_of(h + 1 - alone, count - alone) if h >= alone else 0.0 for h in range(count)]
    search = Flow(*second.shape[-2:])
    crisp = torch.cat([frame.small for frame in leaving])
    flows = _followed(crisp, second, both_flows(search, crisp, second), search)
    meeting = player.networks.generator(crisp, second, flows, _column(shares, player.device))
    old, new = meeting.bring(crisp, second, crisp=True)
    rather = [
        (TORN * frame.torn if h >= alone else -ALONE) + UNKNOWN * frame.unknown for h, frame in enumerate(leaving)
    ]
    chosen = seam.choose(old, new, 2 * meeting.gate - 1 + torch.cat(rather))
    slowly, made = seam.slowly(chosen), []
    for h, frame in enumerate(leaving):
        one = Meeting(*(part[h : h + 1] for part in meeting))
        here, there = one.bring(frame.fine, player.picture(goals[h]), crisp=True)
        picture = player.colours(seam.lay(here, there, chosen[h : h + 1], slowly[h : h + 1]))[0]
        made.append(picture * (picture[3:] > UNSEEN))
    return made


def _column(values: list[float], device: torch.device) -> Tensor:
    """(L, 1, 1, 1)."""
    return torch.tensor(values, dtype=torch.float32, device=device)[:, None, None, None]


def _followed(first: Tensor, second: Tensor, flows: Tensor, search: Flow) -> Tensor:
    """What can be gone by of flows (L, 4, H, W) from one stretch (L, 4, H, W) to another and back: all, where they lead back
    from most of what differs; those that do, smoothly, where they but lead to what looks the same; else none."""
    ways = flows.permute(0, 2, 3, 1).cpu().numpy()
    sure = np.stack([[search.agrees(way[..., a], way[..., b]) for way in ways] for a, b in (BOTH, BOTH[::-1])], 1)
    apart = (first - second).abs().sum(1)
    left = (first - warp(second, flows[:, :2])).abs().sum(1)
    differs = (apart > SEEN).cpu().numpy()
    if not differs.any() or sure[:, 0][differs].mean() > FOLLOWED:
        return flows
    if left.sum() >= LEFT * apart.sum():
        return torch.zeros_like(flows)
    known = torch.from_numpy(sure).to(flows).repeat_interleave(2, 1)
    return seam.wide(flows * known) / (seam.wide(known) + DOUBT)


def _go_on(player: Player, leave: int) -> Iterator[Left]:
    """What comes after a learned frame, small and in full size. First as it was learned, then as the predictor expects."""
    for i in range(leave + 1, len(player.clip)):
        small = player.small(i)
        nowhere = torch.zeros_like(small[:, :1])
        yield Left(small, player.picture(i), nowhere, nowhere)
    yield from player.ahead


def _predict(player: Player) -> Iterator[Left]:
    """What is expected after the last frame. A prediction grows soft; so what is shown is the last frame itself, pushed on by the
    predicted motion in one go, and only its coarse tones are made those of the prediction, of colours that there were, and where
    nothing ever moved, within what there was."""
    last = len(player.clip) - 1
    past = begin(player.clip, [last], (slice(None), slice(None)), player.device)
    predictor = player.networks.predictor
    state = past[0]
    for later in past[1:]:
        state = later._replace(memory=predictor(state).memory)
    small, fine, way = player.small(last), player.picture(last), torch.zeros_like(state.flow)
    size = (fine.shape[-2], fine.shape[-1])
    while True:
        state = predictor(state)
        step = seam.soften(state.flow)
        way = step + warp(way, step)
        pushed = warp(small, way, crisp=True)
        tones = seam.only_light(seam.soften(state.frames[-1] - pushed), MISSED)
        large = warp(fine, enlarge_flow(way, size), crisp=True)
        made = _toned(pushed, tones), _toned(large, enlarge(tones, size))
        kept = [player.colours(x).clamp(*limits) for x, limits in zip(made, player.bounds, strict=True)]
        yield Left(kept[0], kept[1], _torn(way), _outside(way))


def _outside(way: Tensor) -> Tensor:
    """(B, 1, H, W), 1 where a flow fetches from beyond the picture's border by a pixel or more, else 0."""
    height, width = way.shape[-2:]
    y = torch.arange(height, device=way.device)[:, None] + way[:, 1]
    x = torch.arange(width, device=way.device)[None] + way[:, 0]
    return ((y <= -1) | (y >= height) | (x <= -1) | (x >= width)).float()[:, None]


def _bounds(pictures: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
    """(1, 4, H, W) each, of (T, 4, H, W)."""
    least, most = (found.float()[None].to(device) for found in (pictures.amin(0), pictures.amax(0)))
    reach = max(1, round(REACH * min(pictures.shape[-2:])))
    moved = F.max_pool2d((most - least).amax(1, keepdim=True), (2 * reach + 1, 1), 1, (reach, 0))
    moved = F.max_pool2d(moved, (1, 2 * reach + 1), 1, (0, reach))
    return -F.max_pool2d(-least, 3, 1, 1) - moved, F.max_pool2d(most, 3, 1, 1) + moved


def _detail(picture: Tensor) -> float:
    """How much is in a picture (1, 4, H, W) that is finer than a few pixels."""
    return float((picture - seam.soften(picture)).abs().sum())


def _toned(pushed: Tensor, tones: Tensor) -> Tensor:
    """A picture whose coarse tones are corrected, but for a haze where there was nothing."""
    made = (pushed + tones).clamp(min=0)
    return made * ((pushed[:, 3:] > UNSEEN) | (made[:, 3:] > HAZE))


def _torn(way: Tensor) -> Tensor:
    """(B, 1, H, W), 0 to 1: how far what is fetched along a flow is stretched or squeezed, not carried."""
    down, along = F.pad(way.diff(dim=2), (0, 0, 0, 1)), F.pad(way.diff(dim=3), (0, 1))
    return seam.soften((down.square() + along.square()).sum(1, keepdim=True)).sqrt().clamp(max=1)
