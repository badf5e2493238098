"""The generator: a frame's guides, and the key's paint carried over, to the painted frame. Two parts. The tone part paints from
the guides alone, so it knows light, palette and ink but no stroke. What the key has over its own tone are its strokes;
carried over by the anchor they are added to the new tone, so that light moves under strokes that stay. The stroke part decides
how much of them fits where the light has changed, and fills what no key shows. No normalisation: a patch and a frame come out
alike. It knows tensors, neither files nor training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.stylise import windows
from engine.stylise.features import EDGE, GUESS, RENDER

CARRIED = 10  # channels of an atlas: strokes 3, tone 3, render 3, border of a tone 1
BORDER = 9  # which of them is that
FIRM = 0.25  # border up to which strokes stay whatever the light does
RAISED = 8  # channels that come up from half to full size
SCALE = 2  # an atlas is twice the size of its keys: what is carried over by parts of a pixel stays sharp
CRISP = 0.5  # sharpening of the strokes
BEYOND = 1.2  # a tone may go as far, where black is -1 and white 1
_BITS = {torch.float32: torch.float32, torch.bfloat16: torch.int16}  # as OpenCV turns them


@dataclass(frozen=True)
class GeneratorParams:
    """guides: channels of engine.stylise.features. edges: slice of them that the stroke part reads, (first, last). fine, wide,
    deep: widths at full, half and quarter size. strokes: width of the stroke part. Multiples of eight are the fastest."""

    guides: int
    edges: list[int]
    fine: int
    wide: int
    deep: int
    strokes: int


class Carried(NamedTuple):
    """What the keys lend a picture. direct: (B, CARRIED, H, W) atlas where the key shows the same point; borrowed: (B, 6, H, W)
    strokes for the rest, and the tone they lay on; trust, borrowed_trust: (B, 1, H, W), 0 to 1."""

    direct: Tensor
    borrowed: Tensor
    trust: Tensor
    borrowed_trust: Tensor


def _bend(x: Tensor) -> Tensor:
    return F.leaky_relu_(x, 0.1)  # in place: nobody else holds what a layer has just made


def together(x: Tensor) -> Tensor:
    """(B, C, H, W) with all channels of a pixel side by side in memory: convolutions take half the time so, while what is done
    with a few channels is faster plane by plane."""
    bits = _BITS.get(x.dtype)
    if x.device.type != "cpu" or bits is None or x.requires_grad or not x[0].is_contiguous():
        return x.contiguous(memory_format=torch.channels_last)
    count, channels, height, width = x.shape
    turned = torch.empty(count, height * width, channels, dtype=x.dtype)
    for planes, pixels in zip(x.view(count, channels, -1).view(bits).numpy(), turned.view(bits).numpy(), strict=True):
        cv2.transpose(planes, pixels)  # a fifth of the time that torch takes
    return turned.view(count, height, width, channels).permute(0, 3, 1, 2)


def _double(x: Tensor) -> Tensor:
    """Twice the size, without the grid that shuffled channels leave on what was not trained on."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class ToneNetwork(nn.Module):
    """Guides (B, C, H, W) to tone (B, 3, H, W), about -1 to 1: the palette's guess and what is to be said against it. H and W are
    multiples of four."""

    def __init__(self, params: GeneratorParams) -> None:
        super().__init__()
        self.enter = nn.Conv2d(params.guides, params.wide, 2, stride=2)
        self.medium = nn.Conv2d(params.wide, params.wide, 3, padding=1)
        self.down = nn.Conv2d(params.wide, params.deep, 3, stride=2, padding=1)
        self.deep_in = nn.Conv2d(params.deep, params.deep, 3, padding=1)
        self.deep_out = nn.Conv2d(params.deep, params.deep, 3, padding=1)
        self.up = nn.Conv2d(params.deep, params.wide, 1)
        self.leave = nn.Conv2d(params.wide, RAISED, 3, padding=1)
        self.fine = nn.Conv2d(RAISED + EDGE.stop, params.fine, 3, padding=1)
        self.finer = nn.Conv2d(params.fine, params.fine, 3, padding=1)
        self.colour = nn.Conv2d(params.fine, 3, 3, padding=1)
        for weight in (self.deep_out.weight, *self.colour.parameters()):
            nn.init.zeros_(weight)

    def forward(self, guides: Tensor) -> Tensor:
        said = self.colour(self.look(together(guides.to(self.enter.weight.dtype)))).contiguous().float()
        return (guides[:, GUESS] + said).clamp(-BEYOND, BEYOND)

    def look(self, guides: Tensor) -> Tensor:
        """What colours are mixed from, (B, fine, H, W)."""
        half = _bend(self.medium(_bend(self.enter(guides))))
        quarter = _bend(self.down(half))
        quarter = _bend(quarter + self.deep_out(_bend(self.deep_in(quarter))))
        half = half + _double(self.up(quarter))
        full = _double(_bend(self.leave(half)))
        fine = _bend(self.fine(torch.cat([full, guides[:, : EDGE.stop]], 1)))
        return _bend(fine + self.finer(fine))


class StrokeNetwork(nn.Module):
    """Tone, guides and what the keys lend to the finished picture (B, 3, H, W). At the start it adds all strokes it trusts."""

    def __init__(self, params: GeneratorParams) -> None:
        super().__init__()
        first, last = params.edges
        self.edges = slice(first, last)
        self.enter = nn.Conv2d(18 + last - first, params.strokes, 2, stride=2)
        self.medium = nn.Conv2d(params.strokes, params.strokes, 3, padding=1)
        self.middle = nn.Conv2d(params.strokes, params.strokes, 3, padding=1)
        self.amounts = nn.Conv2d(params.strokes, 2, 3, padding=1)
        self.leave = nn.Conv2d(params.strokes, RAISED, 3, padding=1)
        self.colour = nn.Conv2d(RAISED + 9, 3, 3, padding=1)
        for weight in (*self.amounts.parameters(), *self.colour.parameters()):
            nn.init.zeros_(weight)

    def forward(self, guides: Tensor, tone: Tensor, carried: Carried) -> Tensor:
        strokes, key_tone, key_render, border = carried.direct.split([3, 3, 3, 1], 1)
        turned = guides[:, RENDER] - key_render  # how the light has changed
        apart = (tone - key_tone).abs().mean(1, keepdim=True)  # and what the tone makes of it
        trust = carried.trust * fade(border, turned, apart)
        lent = carried.borrowed_trust * (1 - trust)
        borrowed, ground = carried.borrowed.split([3, 3], 1)
        whole, near = unturned(turned) * (1 - leapt(apart)) * trust, settle(tone, ground) * lent
        inner = away_from(guides[:, self.edges])  # lines are drawn where an edge is now, not where one was
        tone = tone + inner * (whole * (key_tone - tone) + near * (ground - tone))
        borrowed = adapt(borrowed, ground, tone) * lent
        change = torch.cat([turned * carried.trust, (tone - key_tone) * carried.trust], 1)
        parts = [tone, strokes * trust, borrowed, trust, carried.borrowed_trust, border, change, guides[:, self.edges]]
        kind = self.enter.weight.dtype
        x = _bend(self.medium(_bend(self.enter(together(torch.cat(parts, 1).to(kind))))))
        x = _bend(x + self.middle(x))
        amounts = 2 * torch.sigmoid(_double(self.amounts(x).contiguous().float()))
        strokes, borrowed = amounts[:, :1] * trust * strokes, amounts[:, 1:] * borrowed
        full = _double(_bend(self.leave(x)))
        colour = self.colour(torch.cat([full, together(torch.cat([tone, strokes, borrowed], 1).to(kind))], 1))
        return tone + strokes + borrowed + colour.contiguous().float()


def fade(border: Tensor, turned: Tensor, apart: Tensor) -> Tensor:
    """(B, 1, H, W), 0 to 1: at a border of the key's tones its strokes are that border, and stay behind when the light moves or
    the tone is another; so does a highlight, of which little light makes much."""
    moved = (turned.abs().mean(1, keepdim=True) * 8 - 0.3).clamp(0, 1)
    moved = torch.maximum(moved, leapt(apart))
    left = moved * (1.6 * (border - FIRM)).clamp(0, 1)
    return (1 - left) * (1 - unturned(turned) * (5 * apart - 0.75).clamp(0, 1))


def leapt(apart: Tensor) -> Tensor:
    """(B, 1, H, W), 0 to 1: whether tones that are so far apart (B, 1, H, W) are two tones of the painter's."""
    return (5 * apart - 0.5).clamp(0, 1)


def unturned(turned: Tensor) -> Tensor:
    """(B, 1, H, W), 0 to 1: whether the light is as it was in the key; then the same point has the same paint, not strokes on a
    tone anew."""
    return (1.5 - 8 * turned.abs().mean(1, keepdim=True)).clamp(0, 1)


def away_from(edges: Tensor) -> Tensor:
    """(B, 1, H, W), 1 two pixels off every edge (B, 4, H, W), 0 on it."""
    sharp = (edges[:, :3].amax(1, keepdim=True) * 4 - 0.8).clamp(0, 1)
    return 1 - windows.most(sharp, 5)


def settle(tone: Tensor, ground: Tensor) -> Tensor:
    """(B, 1, H, W), 0 to 1: how far strokes that lay on nearly this tone bring their own ground along, as one paint."""
    return (1 - (tone - ground).abs().mean(1, keepdim=True) / 0.5).clamp(0, 1)


def adapt(strokes: Tensor, ground: Tensor, tone: Tensor) -> Tensor:
    """Strokes (B, 3, H, W) from a ground to another tone: as dark ones go as far towards black as they did, light ones towards
    white."""
    tone, ground = tone.clamp(-1, 1), ground.clamp(-1, 1)
    darker, lighter = (tone + 1.05) / (ground + 1.05), (1.05 - tone) / (1.05 - ground)
    return strokes.clamp(max=0) * darker.clamp(0, 2) + strokes.clamp(min=0) * lighter.clamp(0, 2)


class Generator(nn.Module):
    """Both parts."""

    def __init__(self, params: GeneratorParams) -> None:
        super().__init__()
        self.params = params
        self.tone = ToneNetwork(params)
        self.strokes = StrokeNetwork(params)

    def forward(self, guides: Tensor, carried: Carried) -> Tensor:
        return self.strokes(guides, self.tone(guides), carried)


def double(x: Tensor) -> Tensor:
    """(C, H, W) at twice the size, by Lanczos' window of three pixels."""
    at = torch.arange(-3, 4, dtype=torch.float32)[None] - torch.tensor([[-0.25], [0.25]])
    taps = torch.sinc(at) * torch.sinc(at / 3) * (at.abs() < 3)
    taps = taps / taps.sum(1, keepdim=True)
    x = F.pad(x[None], (3, 3, 3, 3), mode="replicate")[0]
    for axis in (1, 2):
        length = x.shape[axis] - 6
        fine = x.new_zeros(*x.shape[:axis], length, 2, *x.shape[axis + 1 :])
        for side, row in zip(fine.unbind(axis + 1), taps.tolist(), strict=True):
            for i, tap in enumerate(row):
                if tap:
                    side.add_(x.narrow(axis, i, length), alpha=tap)
        x = fine.flatten(axis, axis + 1)
    return x


def make_atlas(tone: Tensor, paint: Tensor, painted: Tensor, render: Tensor) -> Tensor:
    """(CARRIED, SCALE H, SCALE W) of one key from its tone, paint, render (3, H, W each, -1 to 1) and mask (1, H, W)."""
    return double(lay_out(tone, paint, painted, render))


def lay_out(tone: Tensor, paint: Tensor, painted: Tensor, render: Tensor, lent: Tensor | None = None) -> Tensor:
    """(CARRIED, H, W), what `make_atlas` then makes finer. lent: (1, H, W), 0 to 1, as far as strokes are lent at all; there the
    others, as an outline's, are not to shine through when they are sharpened and resampled."""
    strokes = (paint - tone) * painted
    if lent is not None:
        around = windows.mean(strokes * lent, 3) / windows.mean(lent, 3).clamp(min=0.1)
        strokes = around + lent * (strokes - around)
    strokes = strokes + CRISP * (strokes - windows.mean(strokes, 3))  # what resampling will take off
    high, low = windows.most(tone, 5), -windows.most(-tone, 5)
    return torch.cat([strokes, tone, render, (high - low).mean(0, keepdim=True)])


def sample(atlas: Tensor, xy: Tensor, mode: str = "bicubic") -> Tensor:
    """(B, C, h, w) of an atlas (C, SCALE H, SCALE W) at the keys' pixels xy (B, h, w, 2)."""
    size = torch.tensor([atlas.shape[2], atlas.shape[1]], dtype=xy.dtype, device=xy.device) / SCALE
    grid = (xy + 0.5) / size * 2 - 1
    many = atlas[None].expand(len(xy), -1, -1, -1)
    return F.grid_sample(many, grid, mode=mode, padding_mode="border", align_corners=False)


def soften(atlas: Tensor, right: float, down: float) -> Tensor:
    """The atlas as soft as carrying it over by a part of a pixel, at most half of one, leaves it: there and back again, for
    patches that training takes from their own place."""
    for axis, by in ((1, down), (2, right)):
        taps = np.convolve(_cubic(np.arange(-3, 4) - SCALE * by), _cubic(np.arange(-3, 4) + SCALE * by))
        length, soft = atlas.shape[axis], torch.zeros_like(atlas)
        wide = F.pad(atlas[None], (6, 6, 0, 0) if axis == 2 else (0, 0, 6, 6), mode="replicate")[0]
        for i, tap in enumerate(taps.tolist()):
            if abs(tap) > 1e-6:
                soft.add_(wide.narrow(axis, i, length), alpha=tap)
        atlas = soft
    return atlas


def _cubic(away: np.ndarray) -> np.ndarray:
    """What a pixel at such distances counts in bicubic sampling, as torch does it."""
    d = np.abs(away)
    near, far = 1.25 * d**3 - 2.25 * d**2 + 1, -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)
    return np.where(d <= 1, near, np.where(d < 2, far, 0))
