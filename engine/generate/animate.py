"""A still picture that moves as a learned sequence does: its motion alone is kept beside the networks, as fields that are laid
on the picture. What streams is carried along the flow, in two layers that take turns so that nothing is drawn out for long;
what sways is displaced and comes back; and light plays on both. It knows arrays and the files of learned motion, no networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine import checkpoint
from engine.footage.tracking import Flow
from engine.generate import paths
from engine.generate.clip import Clip, find_flow
from engine.generate.networks import enlarge, enlarge_flow, warp
from engine.protocol import JobError

MOTION = "motion"
BLOCKS = 8  # patches a side, in which light is told
# Of the picture's side: what moves farther than so from its usual place streams, else it sways. The first where the picture is
# filled, which would tear at its borders; the second for what stands free.
FARTHEST = (0.065, 0.11)
STRETCH = 0.1  # of the picture's side: the farthest that a layer is carried either way
TURNS = (4, 16)  # frames, the fewest and the most for which a layer is carried
DARK = 0.1  # light, below which its changes are not followed


@dataclass(frozen=True)
class MotionParams:
    """count: frames. height, width: of the fields. latent: coordinates of latent motion. blocks: of light.
    streams: whether the motion carries things along; else they sway about a place."""

    count: int
    height: int
    width: int
    latent: int
    blocks: int
    streams: bool


@dataclass(frozen=True)
class Motion:
    """flows: (T, 2, h, w), from each frame to the one before. sways: the same, to where things are on average, whose own mean
    is 0. light: (T, 1, BLOCKS, BLOCKS) over its mean, or what displacing leaves of it. latent: (T, D). box: top, bottom, left,
    right of what moves, 0 to 1."""

    flows: Tensor
    sways: Tensor
    light: Tensor
    latent: Tensor
    box: Tensor
    streams: bool


def motion_of(clip: Clip) -> Motion:
    """The motion of a clip, with fields of half its size."""
    count, middle = len(clip), _most_usual(clip.latent)
    size = (clip.pictures.shape[-2] // 2, clip.pictures.shape[-1] // 2)
    search = Flow(*clip.pictures.shape[-2:])
    usual = clip.pictures[middle]
    ways = torch.stack([find_flow(search, picture, usual) for picture in clip.pictures])
    if not _holds(clip):  # what flow finds from frame to frame trembles
        ways = (torch.cat([ways[:1], ways[:-1]]) + 2 * ways + torch.cat([ways[1:], ways[-1:]])) / 4
    displaced = warp(usual.expand(count, -1, -1, -1), ways)
    lively = (clip.pictures.amax(0) - clip.pictures.amin(0)).amax(0) > 0.1
    far = ways.square().sum(1)[:, lively].mean().sqrt() / min(clip.pictures.shape[-2:])
    streams = bool(far > FARTHEST[bool(clip.pictures[:, 3].min() < 0.5)])
    light = _light(clip.pictures)
    return Motion(
        flows=enlarge_flow(clip.flows, size),
        sways=enlarge_flow(ways - ways.mean(0), size),
        light=light / light.mean(0) if streams else light / _light(displaced),
        latent=torch.from_numpy(clip.latent),
        box=_box(clip),
        streams=streams,
    )


def _holds(clip: Clip) -> bool:
    """Whether drawings are held for some frames, as those on twos are."""
    changes = torch.diff(clip.pictures, dim=0).abs().mean((1, 2, 3))
    return bool((changes < 0.2 * changes.mean()).float().mean() > 0.2)


def _light(pictures: Tensor) -> Tensor:
    """(T, 1, BLOCKS, BLOCKS)."""
    return F.adaptive_avg_pool2d(pictures[:, :3].mean(1, keepdim=True), BLOCKS) + DARK


def _most_usual(latent: np.ndarray) -> int:
    """The frame that is nearest to all others."""
    return int(((latent[:, None] - latent[None]) ** 2).sum(-1).mean(1).argmin())


def _box(clip: Clip) -> Tensor:
    """What moves, in parts of the picture."""
    lively = torch.diff(clip.pictures, dim=0).abs().mean((0, 1))
    return _bounds(lively > 0.1 * lively.max())


def _bounds(mask: Tensor) -> Tensor:
    rows, columns = (torch.nonzero(mask.any(axis)).flatten() for axis in (1, 0))
    if not len(rows):
        return torch.tensor([0.0, 1.0, 0.0, 1.0])
    height, width = mask.shape
    return torch.tensor(
        [rows[0] / height, (rows[-1] + 1) / height, columns[0] / width, (columns[-1] + 1) / width]
    ).float()


# --- files -----------------------------------------------------------------------------------------------------------


def save(home: Path, motion: Motion, about: dict[str, object]) -> None:
    """Write the motion beside the networks."""
    count, _, height, width = motion.flows.shape
    params = MotionParams(count, height, width, motion.latent.shape[1], BLOCKS, motion.streams)
    weights = {name: part.half() for name, part in vars(motion).items() if isinstance(part, Tensor)}
    checkpoint.save(home / MOTION, checkpoint.Checkpoint(weights, params, about))


def load(home: Path) -> Motion:
    """What `save` wrote. Raises JobError."""
    saved = checkpoint.load(home / MOTION, MotionParams)
    p = saved.params
    field = (p.count, 2, p.height, p.width)
    wanted = {
        "flows": field,
        "sways": field,
        "light": (p.count, 1, p.blocks, p.blocks),
        "latent": (p.count, p.latent),
        "box": (4,),
    }
    if {name: tuple(tensor.shape) for name, tensor in saved.weights.items()} != wanted:
        raise JobError(f"The learned motion in {home} is damaged or of another version; learn the sequence again.")
    return Motion(**{name: tensor.float() for name, tensor in saved.weights.items()}, streams=p.streams)


# --- playing ---------------------------------------------------------------------------------------------------------


def animate(picture: Tensor, motion: Motion, count: int, seed: int, variation: float) -> Iterator[Tensor]:
    """`count` frames (4, H, W) of a picture (4, H, W), the first of them the picture as it is."""
    rng = np.random.default_rng(seed)
    shortest = paths.longest_lead(len(motion.latent))
    cost = paths.leaps(motion.latent.numpy())
    start = int(rng.integers(paths.BACK, len(motion.latent)))
    plan = paths.wander(cost, count, start, rng, shortest, variation)
    fields = _Fields(motion, picture)
    mover = _Stream(picture, fields) if motion.streams else _Sway(picture, fields)
    shown = 0
    for stretch in plan:
        for h in range(stretch.length):
            share = min(1.0, (h + 1) / (shortest + 1))
            old = min(stretch.leave + 1 + h, len(motion.latent) - 1)
            rise = min(1.0, shown / shortest)
            yield mover.frame(old, stretch.begin + h, share, rise)
            shown += 1


class _Fields:
    """The motion's fields as they lie on a picture: what moved there is laid over what is seen here."""

    def __init__(self, motion: Motion, picture: Tensor) -> None:
        self.motion = motion
        self.size = (picture.shape[-2], picture.shape[-1])
        seen = picture[3] > 0.05
        here = _bounds(seen) if not bool((picture[3] > 0.95).all()) else torch.tensor([0.0, 1.0, 0.0, 1.0])
        there = motion.box
        height, width = self.size
        y = (torch.arange(height)[:, None] + 0.5) / height
        x = (torch.arange(width)[None] + 0.5) / width
        rows = there[0] + (y - here[0]) / (here[1] - here[0]) * (there[1] - there[0])
        columns = there[2] + (x - here[2]) / (here[3] - here[2]) * (there[3] - there[2])
        self._grid = torch.stack(torch.broadcast_tensors(2 * columns - 1, 2 * rows - 1), -1)[None]
        scale_y = height * (here[1] - here[0]) / (motion.flows.shape[-2] * (there[1] - there[0]))
        scale_x = width * (here[3] - here[2]) / (motion.flows.shape[-1] * (there[3] - there[2]))
        self._scale = torch.stack([scale_x, scale_y])[:, None, None]

    def lay(self, maps: Tensor) -> Tensor:
        """(1, C, H, W) of (C, h, w)."""
        return F.grid_sample(maps[None], self._grid, padding_mode="border", align_corners=False)

    def flow(self, flows: Tensor) -> Tensor:
        """(1, 2, H, W), in pixels of the picture, of (2, h, w)."""
        return self.lay(flows) * self._scale

    def light(self, old: int, new: int, share: float) -> Tensor:
        """(1, 1, H, W) by which colours are multiplied."""
        light = torch.lerp(self.motion.light[old], self.motion.light[new], share)
        return self.lay(enlarge(light[None], (32, 32))[0]).clamp(0.6, 1.5)


def _lit(picture: Tensor, light: Tensor) -> Tensor:
    return torch.cat([picture[:, :3] * light, picture[:, 3:]], 1)


class _Sway:
    """What is displaced and comes back."""

    def __init__(self, picture: Tensor, fields: _Fields) -> None:
        self._picture, self._fields = picture[None].float(), fields

    def frame(self, old: int, new: int, share: float, rise: float) -> Tensor:
        """(4, H, W)."""
        sways = self._fields.motion.sways
        flow = self._fields.flow(torch.lerp(sways[old], sways[new], share)) * rise
        light = 1 + (self._fields.light(old, new, share) - 1) * rise
        return _lit(warp(self._picture, flow), light)[0]


class _Stream:
    """What is carried along: two layers take turns, the one unseen while it begins anew."""

    def __init__(self, picture: Tensor, fields: _Fields) -> None:
        self._picture, self._fields = picture[None].float(), fields
        self._mean = fields.flow(fields.motion.flows.mean(0))
        fast = torch.quantile(
            self._mean.square().sum(1).sqrt().flatten()[:: max(1, self._mean[0, 0].numel() // 65536)], 0.95
        )
        fits = 2 * STRETCH * min(picture.shape[-2:]) / max(float(fast), 1e-3)
        self._turn = 2 * int(min(max(fits / 2, TURNS[0] / 2), TURNS[1] / 2))
        self._ways = [torch.zeros_like(self._mean), -self._mean * self._turn / 2]
        self._ages = [self._turn // 2, 0]

    def frame(self, old: int, new: int, share: float, rise: float) -> Tensor:
        """(4, H, W)."""
        flows = self._fields.motion.flows
        flow = self._fields.flow(torch.lerp(flows[old], flows[new], share))
        mixed = torch.zeros_like(self._picture)
        for k in (0, 1):
            weight = 1 - abs(2 * self._ages[k] / self._turn - 1)
            mixed += weight * warp(self._picture, self._ways[k])
            self._ways[k] = warp(self._ways[k], flow) + flow
            self._ages[k] += 1
            if self._ages[k] >= self._turn:
                self._ages[k], self._ways[k] = 0, -self._mean * (self._turn / 2)
        light = 1 + (self._fields.light(old, new, share) - 1) * rise
        return _lit(mixed, light)[0]
