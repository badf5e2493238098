"""What a painted key gives without any learning: paint carried over to the nearest rest-pose point of the same object. It also
says what a key shows of a frame, so that newly revealed surface can be scored apart. It shares views with the engine, and
nothing of how the engine carries paint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from engine.stylise.views import View

_NEAR = 1.5  # pixels from the nearest point of a key, up to which the key shows the surface


@dataclass(frozen=True)
class Painted:
    """A key. paint: (H, W, 3) uint8 sRGB."""

    view: View
    paint: np.ndarray


def _extent(view: View) -> np.ndarray:
    """(H * W,) longest side of a pixel on the surface."""
    return np.sqrt((view.slopes**2).sum(-1).max(-1)).ravel()


def _nearest(view: View, key: View) -> tuple[np.ndarray, np.ndarray]:
    """(H * W,) flat index of the key's pixel with the nearest rest-pose point of the same object, -1 where the key lacks the
    object, and the distance in pixels of the coarser of the two views."""
    points, ids = view.points.reshape(-1, 3), view.ids.ravel()
    there, key_ids = key.points.reshape(-1, 3), key.ids.ravel()
    here_extent, key_extent = _extent(view), _extent(key)
    found, away = np.full(ids.size, -1), np.full(ids.size, np.inf)
    for i in np.intersect1d(ids, key_ids):
        mine, theirs = np.flatnonzero(ids == i), np.flatnonzero(key_ids == i)
        distance, index = cKDTree(there[theirs]).query(points[mine])
        found[mine] = theirs[index]
        away[mine] = distance / (np.maximum(here_extent[mine], key_extent[theirs[index]]) + 1e-9)
    return found, away


def nearest_anchor(view: View, keys: list[Painted]) -> np.ndarray:
    """(H, W, 3) uint8: each pixel takes the paint of the nearest rest-pose point of its object, in the key where that is
    nearest; the render where no key has the object."""
    out = np.rint(view.render * 255).astype(np.uint8).reshape(-1, 3)
    best = np.full(len(out), np.inf)
    for key in keys:
        found, away = _nearest(view, key.view)
        better = (found >= 0) & (away < best)
        out[better] = key.paint.reshape(-1, 3)[found[better]]
        best[better] = away[better]
    return out.reshape(*view.shape, 3)


def seen(view: View, keys: list[View]) -> np.ndarray:
    """(H, W) bool: surface that one of the keys shows; the background counts as seen."""
    shown = view.ids.ravel() == 0
    for key in keys:
        shown |= _nearest(view, key)[1] < _NEAR
    return shown.reshape(view.shape)
