"""A view as the channels a network reads. Everything is scaled by fixed numbers, never by statistics of a frame, so that a patch
and a frame, and one frame and the next, are read alike. It knows views, no networks."""

from __future__ import annotations

import numpy as np
import torch

from engine.stylise.views import View, edges

CODE = 8
EDGES = 3
STEPS = np.array([0.15, 0.35, 0.55, 0.75, 0.95], np.float32)  # of the light that falls on a surface
CHANNELS = 3 + 3 + EDGES + len(STEPS) + CODE


def _codes(ids: np.ndarray) -> np.ndarray:
    """(N, CODE) of ids (N,): signs that hardly repeat, so that any number of objects fits the same channels."""
    mixed = (ids.astype(np.uint64)[:, None] + 1) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (mixed >> (np.arange(CODE, dtype=np.uint64) + np.uint64(40))) & np.uint64(1)
    return bits.astype(np.float32) * 2 - 1


def _light(view: View) -> np.ndarray:
    """(H, W, steps), -1 to 1: how bright the render is over its albedo, cut into steps, in which a painter's tones are easy to
    tell apart."""
    shade = view.render.mean(-1) / (view.albedo.mean(-1) + 0.05)
    return np.clip((shade[..., None] - STEPS) * 8, -1, 1)


def encode(view: View, known: np.ndarray) -> torch.Tensor:
    """(CHANNELS, H, W) float32: render, albedo, edges, light, code of the object. known: ids that some key shows; the others get no
    code, and are painted after their colours alone."""
    every = np.arange(int(view.ids.max()) + 1)
    code = (_codes(every) * np.isin(every, known)[:, None])[view.ids]
    stack = np.concatenate([view.render * 2 - 1, view.albedo * 2 - 1, edges(view), _light(view), code], -1, dtype=np.float32)
    return torch.from_numpy(np.ascontiguousarray(stack.transpose(2, 0, 1)))
