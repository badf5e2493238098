"""A view as the channels a network reads. Everything is scaled by fixed numbers, never by statistics of a frame, so that a patch
and a frame, and one frame and the next, are read alike. It knows views and the keys' palette, no networks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.stylise import palette
from engine.stylise.palette import Palette
from engine.stylise.surface import Surface
from engine.stylise.views import View

CODE = 8
EDGES = 4
STEPS = (0.15, 0.35, 0.55, 0.75, 0.95)  # of the light that falls on a surface
GUESS = slice(0, 3)  # the palette's paint
EDGE = slice(palette.CHANNELS + 6, palette.CHANNELS + 6 + EDGES)
RENDER = slice(palette.CHANNELS, palette.CHANNELS + 3)
ALBEDO = slice(palette.CHANNELS + 3, palette.CHANNELS + 6)
CHANNELS = palette.CHANNELS + 6 + EDGES + len(STEPS) + CODE


class Rule(NamedTuple):
    """What a painter would do by rule. kin: by id, the object in the keys after which it is painted, -1 where there is none."""

    palette: Palette
    kin: np.ndarray


def _codes(ids: np.ndarray) -> np.ndarray:
    """(N, CODE) signs of ids (N,), no two alike among 256 objects, neighbours far apart."""
    bits = ((ids * 157 + 85)[:, None] >> np.arange(CODE)) & 1
    return bits.astype(np.float32) * 2 - 1


def _light(render: Tensor, albedo: Tensor) -> Tensor:
    """(steps, H, W), -1 to 1, of (3, H, W) each, 0 to 1: how bright the render is over its albedo, cut into steps, in which a
    painter's tones are easy to tell apart."""
    shade = render.mean(0) / (albedo.mean(0) + 0.05)
    return ((shade - torch.tensor(STEPS, device=render.device)[:, None, None]) * 8).clamp(-1, 1)


def encode(view: View, surface: Surface, rule: Rule) -> Tensor:
    """(CHANNELS, H, W) float32, on the surface's device: the palette's guess, render, albedo, edges, light, code of the object,
    which one that no key shows has not: it is painted after its colours alone."""
    device, kin, ids = surface.ids.device, rule.kin, surface.ids.flatten()
    render, albedo = (torch.from_numpy(x).to(device).permute(2, 0, 1).contiguous() for x in (view.render, view.albedo))
    kind = torch.from_numpy(kin).to(device).index_select(0, ids).view(view.shape)
    guides = render.new_empty(CHANNELS, *view.shape)
    guides[: palette.CHANNELS] = rule.palette.guess(kind, render, albedo)
    for part, colours in ((RENDER, render), (ALBEDO, albedo)):
        torch.mul(colours, 2, out=guides[part]).sub_(1)
    guides[EDGE] = surface.edges
    guides[EDGE.stop : -CODE] = _light(render, albedo)
    codes = torch.from_numpy((_codes(kin) * (kin >= 0)[:, None]).T.astype(np.float32)).to(device)
    for plane, code in zip(guides[-CODE:].flatten(1), codes, strict=True):
        torch.index_select(code, 0, ids, out=plane)
    return guides


def relight(guides: Tensor, gain: Tensor, ids: Tensor, keys: Palette) -> Tensor:
    """The guides (CHANNELS, H, W) of objects ids (H, W), as the keys' palette numbers them, under light that is `gain` (H, W)
    times as bright."""
    render, albedo = ((guides[RENDER] + 1) / 2 * gain).clamp(0, 1), (guides[ALBEDO] + 1) / 2
    guess = keys.guess(ids, render, albedo)
    return torch.cat([guess, render * 2 - 1, guides[ALBEDO], guides[EDGE], _light(render, albedo), guides[-CODE:]])


def estrange(guides: Tensor, keys: Palette) -> Tensor:
    """The guides (CHANNELS, H, W) as if no key showed any of their objects."""
    render, albedo = ((guides[part] + 1) / 2 for part in (RENDER, ALBEDO))
    guess = keys.guess(torch.full(render.shape[1:], -1), render, albedo)
    return torch.cat([guess, guides[RENDER.start : -CODE], torch.zeros_like(guides[-CODE:])])
