"""Paint carried from painted keys to another frame by the anchor: the rest-pose surface point that a pixel sees. For every
pixel the place in the key that shows the same point of the same object, to a part of a pixel, and how far to trust it.

It knows views and geometry; neither networks nor files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from engine.stylise.views import View, edges

_APART = 1e5  # between two objects in the search tree, in pixels
_REACH = 8.0  # pixels: farther than that the key does not show the point


@dataclass(frozen=True)
class Match:
    """Where a view's surface is in a key. xy: (H, W, 2) float32, pixels of the key, x first. confidence: (H, W) float32, 0
    (not in the key) to 1."""

    xy: np.ndarray
    confidence: np.ndarray


def _slopes(view: View) -> np.ndarray:
    """(H, W, 2, 3): how the point changes by one pixel to the right and down. Of the two neighbours the nearer counts, so that
    an edge is not taken for a slope."""
    slopes = np.zeros((*view.shape, 2, 3), np.float32)
    best = np.full((*view.shape, 2), np.inf, np.float32)
    for i, axis in enumerate((1, 0)):
        a, b = [slice(None)] * 2, [slice(None)] * 2
        a[axis], b[axis] = slice(1, None), slice(None, -1)
        step = view.points[tuple(a)] - view.points[tuple(b)]
        length = np.where(view.ids[tuple(a)] == view.ids[tuple(b)], np.linalg.norm(step, axis=-1), np.inf)
        for side in (tuple(a), tuple(b)):
            nearer = length < best[side][..., i]
            slopes[side][..., i, :][nearer] = step[nearer]
            best[side][..., i][nearer] = length[nearer]
    return slopes


def _footprint(slopes: np.ndarray) -> np.ndarray:
    """(H, W): edge of the square that has the area of surface under a pixel."""
    return np.sqrt(np.linalg.norm(np.cross(slopes[..., 0, :], slopes[..., 1, :]), axis=-1))


class KeySurface:
    """The surface that one key shows, ready to be searched."""

    def __init__(self, view: View, painted: np.ndarray | None = None) -> None:
        """painted: (H, W) bool, where the key counts; everywhere if None."""
        painted = np.ones(view.shape, bool) if painted is None else painted
        self.view = view
        self._slopes = _slopes(view)
        self._footprint = _footprint(self._slopes)
        extent = np.linalg.norm(self._slopes, axis=-1).max(-1)
        # One length unit an object: its median pixel, so that one reach fits a coin and a mountain.
        self._unit = np.ones(int(view.ids.max()) + 1, np.float32)
        for i in np.unique(view.ids):
            here = extent[(view.ids == i) & (extent > 0)]
            self._unit[i] = np.median(here) if here.size else 1.0
        self._ids = np.unique(view.ids[painted])
        self._pixels = np.flatnonzero(painted)
        self._tree = cKDTree(self._place(view.points.reshape(-1, 3)[self._pixels], view.ids.ravel()[self._pixels]))
        rim = (edges(view)[..., 0] > 0) | ~painted
        self._inside = distance_transform_edt(~rim).astype(np.float32) if rim.any() else np.full(view.shape, 9.0, np.float32)

    def _place(self, points: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Points (N, 3) of objects (N,) in the tree's four dimensions."""
        unit = self._unit[np.minimum(ids, len(self._unit) - 1)]
        return np.concatenate([points / unit[:, None], (ids * _APART)[:, None]], 1, dtype=np.float64)

    def nearest(self, points: np.ndarray, ids: np.ndarray, reach: float = np.inf) -> np.ndarray:
        """(N,) flat index of the nearest key pixel of the same object; -1 beyond `reach` or where the key has no such object."""
        distance, found = self._tree.query(self._place(points, ids), distance_upper_bound=min(reach, _APART / 2))
        there = np.isfinite(distance)
        return np.where(there, self._pixels[np.where(there, found, 0)], -1)

    def locate(self, points: np.ndarray, ids: np.ndarray, footprint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, 2) place in the key in pixels and (N,) confidence. footprint: (N,) edge of a pixel on the surface."""
        found = self.nearest(points, ids, _REACH)
        q = np.maximum(found, 0)
        slopes = self._slopes.reshape(-1, 2, 3)[q]
        offset = points - self.view.points.reshape(-1, 3)[q]
        step = _solve(slopes, offset)
        rest = np.linalg.norm(offset - np.einsum("ni,nij->nj", step, slopes), axis=-1)
        extent = np.linalg.norm(slopes, axis=-1).max(-1) + 1e-9
        coarser = self._footprint.ravel()[q] / np.maximum(footprint, 1e-9)
        trust = np.clip(2 - 2 * rest / extent, 0, 1) * np.clip(2 - coarser / 3, 0, 1)
        trust *= np.clip(self._inside.ravel()[q] - 1, 0, 1) * (found >= 0)
        y, x = np.divmod(q, self.view.shape[1])
        return (np.stack([x, y], -1) + step).astype(np.float32), trust.astype(np.float32)

    def match(self, view: View) -> Match:
        """Every pixel of `view`."""
        points, ids = view.points.reshape(-1, 3), view.ids.ravel()
        xy, trust = self.locate(points, ids, _footprint(_slopes(view)).ravel())
        return Match(xy.reshape(*view.shape, 2), trust.reshape(view.shape))


def _solve(slopes: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """(N, 2) step in pixels that makes `offset` (N, 3) out of `slopes` (N, 2, 3), at most three quarters of a pixel a side."""
    gram = np.einsum("nik,njk->nij", slopes, slopes)
    right = np.einsum("nik,nk->ni", slopes, offset)
    a, b, d = gram[:, 0, 0], gram[:, 0, 1], gram[:, 1, 1]
    det = a * d - b * b
    safe = np.where(det > 1e-6 * a * d + 1e-30, det, np.inf)
    step = np.stack([d * right[:, 0] - b * right[:, 1], a * right[:, 1] - b * right[:, 0]], -1) / safe[:, None]
    return np.clip(step, -0.75, 0.75)


def reproject_nearest(view: View, keys: list[KeySurface], paints: list[np.ndarray]) -> np.ndarray:
    """The plain baseline, no network: each pixel takes the paint of the nearest anchor of the same object in the key nearest in
    time. paints: (H, W, 3) a key. Returns (H, W, 3); the view's own render where no key has the object."""
    out = (view.render * 255).astype(np.uint8).reshape(-1, 3)
    open_ = np.ones(len(out), bool)
    for key, paint in sorted(zip(keys, paints, strict=True), key=lambda pair: abs(pair[0].view.frame - view.frame)):
        todo = np.flatnonzero(open_)
        found = key.nearest(view.points.reshape(-1, 3)[todo], view.ids.ravel()[todo])
        hit = found >= 0
        out[todo[hit]] = paint.reshape(-1, 3)[found[hit]]
        open_[todo[hit]] = False
    return out.reshape(*view.shape, 3)
