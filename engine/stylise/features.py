"""A view as the channels a network reads. Everything is scaled by fixed numbers, never by statistics of a frame, so that a patch
and a frame, and one frame and the next, are read alike. It knows views, no networks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.stylise.surface import Surface
from engine.stylise.views import View

CODE = 8
EDGES = 4
STEPS = (0.15, 0.35, 0.55, 0.75, 0.95)  # of the light that falls on a surface
CHANNELS = 3 + 3 + EDGES + len(STEPS) + CODE


def _codes(ids: np.ndarray) -> np.ndarray:
    """(N, CODE) signs of ids (N,), no two alike among 256 objects, neighbours far apart."""
    bits = ((ids * 157 + 85)[:, None] >> np.arange(CODE)) & 1
    return bits.astype(np.float32) * 2 - 1


def _light(render: Tensor, albedo: Tensor) -> Tensor:
    """(steps, H, W), -1 to 1, of (3, H, W) each, 0 to 1: how bright the render is over its albedo, cut into steps, in which a
    painter's tones are easy to tell apart."""
    shade = render.mean(0) / (albedo.mean(0) + 0.05)
    return ((shade - torch.tensor(STEPS, device=render.device)[:, None, None]) * 8).clamp(-1, 1)


def encode(view: View, surface: Surface, kin: np.ndarray) -> Tensor:
    """(CHANNELS, H, W) float32, on the surface's device: render, albedo, edges, light, code of the object. kin: by id, the
    object in the keys after which it is painted; without one (-1) it has no code, and is painted after its colours alone."""
    device = surface.ids.device
    render, albedo = (torch.from_numpy(x).to(device).permute(2, 0, 1).contiguous() for x in (view.render, view.albedo))
    codes = torch.from_numpy((_codes(kin) * (kin >= 0)[:, None]).T.astype(np.float32)).to(device)
    code = codes.index_select(1, surface.ids.flatten()).view(CODE, *view.shape)
    return torch.cat([render * 2 - 1, albedo * 2 - 1, surface.edges, _light(render, albedo), code])


def relight(guides: Tensor, gain: Tensor) -> Tensor:
    """The guides (CHANNELS, H, W) under light that is `gain` (H, W) times as bright."""
    render = ((guides[:3] + 1) / 2 * gain).clamp(0, 1)
    rest = [guides[3 : 6 + EDGES], _light(render, (guides[3:6] + 1) / 2), guides[6 + EDGES + len(STEPS) :]]
    return torch.cat([render * 2 - 1, *rest])
