"""The guide "edges": where lines would be drawn, finer than a pixel, from a render of EDGE_SCALE times the size. numpy; knows
files and arrays, not Blender."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .exr import read_channels
from .protocol import EDGE_PASSES, EDGE_SCALE

ROWS = 256  # of the guide at a time, so that memory stays bounded
LEAPS = 8.0  # an eighth of the distance is a whole leap


def read_fine(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ids (H, W), depth (H, W), normal (3, H, W) float32, as rendered. Raises ExrError."""
    wanted = [
        [f"{name}.{channel}" for name in names] for *names, channels in EDGE_PASSES.values() for channel in channels
    ]
    ids, depth, *normal = (np.nan_to_num(plane) for plane in read_channels(path, wanted))
    return np.rint(ids), depth, np.stack(normal)


def edges(ids: np.ndarray, depth: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """(h, w, 3) uint8, the guide, from what `read_fine` gives, H and W being EDGE_SCALE times h and w."""
    height, width = (side // EDGE_SCALE for side in ids.shape)
    guide = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, ROWS):
        bottom = min(height, top + ROWS)
        first, last = max(0, EDGE_SCALE * top - 1), min(len(ids), EDGE_SCALE * bottom + 1)
        found = _edges(ids[first:last], depth[first:last], normal[:, first:last])
        found = found[:, EDGE_SCALE * top - first :][:, : EDGE_SCALE * (bottom - top), : EDGE_SCALE * width]
        shares = found.reshape(3, bottom - top, EDGE_SCALE, width, EDGE_SCALE).mean((2, 4))
        guide[top:bottom] = np.rint(shares * 255).astype(np.uint8).transpose(1, 2, 0)
    return guide


def _edges(ids: np.ndarray, depth: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """(3, H, W) float32, 0 to 1: how much a pixel differs from its four neighbours in object, in the logarithm of the distance
    within one object, and in direction within one."""
    out = np.zeros((3, *ids.shape), np.float32)
    distance = np.log(depth.clip(1e-4, 1e6))
    for axis in (0, 1):
        ahead, back = [slice(None)] * 2, [slice(None)] * 2
        ahead[axis], back[axis] = slice(1, None), slice(None, -1)
        here, there = tuple(ahead), tuple(back)
        same = (ids[here] == ids[there]) & (ids[here] > 0)
        leap = (LEAPS * np.abs(distance[here] - distance[there])).clip(0, 1) * same
        turn = (1 - (normal[:, *here] * normal[:, *there]).sum(0)).clip(0, 1) * same
        for plane, found in zip(out, (ids[here] != ids[there], leap, turn), strict=True):
            for side in (here, there):
                np.maximum(plane[side], found, out=plane[side])
    return out
