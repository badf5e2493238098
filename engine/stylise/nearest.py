"""The plain baseline that the stylist is measured against: nearest-anchor reprojection of a painted key, no network. It knows
views and keys, and searches with SciPy's tree, so that it owes nothing to what it is compared with."""

from __future__ import annotations

import functools

import numpy as np
from scipy.spatial import cKDTree

from engine.stylise.reprojection import KeySurface
from engine.stylise.views import View

_APART = 1e5  # between two objects in the tree, in pixels


@functools.lru_cache(maxsize=8)
def _tree(key: KeySurface) -> tuple[cKDTree, np.ndarray, np.ndarray]:
    """The search tree of a key, the flat indices of the pixels in it, and by id one length unit: the object's median pixel."""
    view = key.view
    extent = np.sqrt((view.slopes**2).sum(-1).max(-1))
    unit = np.ones(int(view.ids.max()) + 1, np.float32)
    for i in np.unique(view.ids):
        here = extent[(view.ids == i) & (extent > 0)]
        unit[i] = np.median(here) if here.size else 1.0
    pixels = np.flatnonzero(key.painted)
    place = _place(view.points.reshape(-1, 3)[pixels], view.ids.ravel()[pixels], unit)
    return cKDTree(place, balanced_tree=False), pixels, unit


def _place(points: np.ndarray, ids: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Points (N, 3) of objects (N,) in the tree's four dimensions."""
    scaled = points / unit[np.minimum(ids, len(unit) - 1)][:, None]
    return np.concatenate([scaled, (ids * _APART)[:, None]], 1, dtype=np.float64)


def reproject_nearest(view: View, keys: list[KeySurface], paints: list[np.ndarray]) -> np.ndarray:
    """Each pixel takes the paint of the nearest anchor of the same object in the key nearest in time. paints: (H, W, 3) a key.
    Returns (H, W, 3) uint8; the view's own render where no key has the object."""
    out = (view.render * 255).astype(np.uint8).reshape(-1, 3)
    open_ = np.ones(len(out), bool)
    for key, paint in sorted(zip(keys, paints, strict=True), key=lambda pair: abs(pair[0].view.frame - view.frame)):
        todo = np.flatnonzero(open_)
        tree, pixels, unit = _tree(key)
        place = _place(view.points.reshape(-1, 3)[todo], view.ids.ravel()[todo], unit)
        distance, found = tree.query(place, distance_upper_bound=_APART / 2)
        hit = np.isfinite(distance)
        out[todo[hit]] = paint.reshape(-1, 3)[pixels[found[hit]]]
        open_[todo[hit]] = False
    return out.reshape(*view.shape, 3)
