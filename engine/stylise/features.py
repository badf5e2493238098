"""A view as the channels a network reads. Everything is scaled by fixed numbers, never by statistics of a frame, so that a patch
and a frame, and one frame and the next, are read alike. It knows views, no networks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.stylise.views import View, edges

CODE = 8
EDGES = 3
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


def encode(view: View, kin: np.ndarray) -> Tensor:
    """(CHANNELS, H, W) float32: render, albedo, edges, light, code of the object. kin: by id, the object in the keys after
    which it is painted; without one (-1) it has no code, and is painted after its colours alone."""
    code = (_codes(kin) * (kin >= 0)[:, None])[view.ids]
    render, albedo, edge, codes = (
        torch.from_numpy(x.transpose(2, 0, 1)) for x in (view.render, view.albedo, edges(view), code.astype(np.float32))
    )
    return torch.cat([render * 2 - 1, albedo * 2 - 1, edge, _light(render, albedo), codes])


def relight(guides: Tensor, gain: Tensor) -> Tensor:
    """The guides (CHANNELS, H, W) under light that is `gain` (H, W) times as bright."""
    render = ((guides[:3] + 1) / 2 * gain).clamp(0, 1)
    rest = [guides[3 : 6 + EDGES], _light(render, (guides[3:6] + 1) / 2), guides[6 + EDGES + len(STEPS) :]]
    return torch.cat([render * 2 - 1, *rest])
