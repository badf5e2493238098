"""Paint carried from painted keys to another frame by the anchor: the rest-pose surface point that a pixel sees. For every
pixel the place in the key that shows the same point of the same object, to a part of a pixel, and how far to trust it.

It knows views and geometry; neither networks nor files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation, distance_transform_edt
from scipy.spatial import cKDTree

from engine.stylise.views import View, edges

_APART = 1e5  # between two objects in the search tree, in pixels
_REACH = 8.0  # pixels: farther than that the key does not show the point
# Sides of the box to look at for strokes to borrow: left and right first, as bodies are.
_FLIPS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]], bool)


@dataclass(frozen=True)
class Match:
    """Where a view's surface is in the keys. xy: (H, W, 2) float32, pixels of the atlas, x first. confidence: (H, W) float32, 0
    (not in the key) to 1."""

    xy: np.ndarray
    confidence: np.ndarray


class KeySurface:
    """The surface that one key shows, ready to be searched."""

    def __init__(self, view: View, painted: np.ndarray | None = None) -> None:
        """painted: (H, W) bool, where the key counts; everywhere if None."""
        painted = np.ones(view.shape, bool) if painted is None else painted
        self.view = view
        self._extent = np.sqrt((view.slopes**2).sum(-1).max(-1))
        # One length unit an object: its median pixel, so that one reach fits a coin and a mountain.
        self._unit = np.ones(int(view.ids.max()) + 1, np.float32)
        for i in np.unique(view.ids):
            here = self._extent[(view.ids == i) & (self._extent > 0)]
            self._unit[i] = np.median(here) if here.size else 1.0
        self._pixels = np.flatnonzero(painted)
        points, ids = view.points.reshape(-1, 3)[self._pixels], view.ids.ravel()[self._pixels]
        self._tree = cKDTree(self._place(points, ids), balanced_tree=False)
        self._cells = _Cells(points, ids, view.sizes)
        self._core = _core(points, ids, len(view.sizes))
        rim = (edges(view)[..., 0] > 0) | ~painted
        self._inside = (
            distance_transform_edt(~rim).astype(np.float32) if rim.any() else np.full(view.shape, 9.0, np.float32)
        )

    def _place(self, points: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Points (N, 3) of objects (N,) in the tree's four dimensions."""
        unit = self._unit[np.minimum(ids, len(self._unit) - 1)]
        return np.concatenate([points / unit[:, None], (ids * _APART)[:, None]], 1, dtype=np.float64)

    def nearest(self, points: np.ndarray, ids: np.ndarray, reach: float = np.inf) -> np.ndarray:
        """(N,) flat index of the nearest key pixel of the same object; -1 beyond `reach` or where the key has no such object."""
        distance, found = self._tree.query(self._place(points, ids), distance_upper_bound=min(reach, _APART / 2))
        there = np.isfinite(distance)
        return np.where(there, self._pixels[np.where(there, found, 0)], -1)

    def fold(self, points: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Points (N, 3) led back into the part of their object that the key shows best, as a pattern is repeated, mirrored."""
        low, size = self._core[:, np.minimum(ids, self._core.shape[1] - 1)]
        turns = (points - low) / size
        return low + size * np.abs(turns - 2 * np.round(turns / 2))

    def locate(self, points: np.ndarray, ids: np.ndarray, footprint: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(N, 2) place in the key in pixels and (N,) confidence. footprint: (N,) edge of a pixel on the surface."""
        xy, trust = np.zeros((len(ids), 2), np.float32), np.zeros(len(ids), np.float32)
        near = self._cells.holds(points, ids)
        found = self.nearest(points[near], ids[near], _REACH)
        near, q = near[found >= 0], found[found >= 0]
        offset = points[near] - self.view.points.reshape(-1, 3)[q]
        step, rest = _solve(self.view.slopes.reshape(-1, 2, 3)[q], offset)
        coarser = self.view.footprint.ravel()[q] / np.maximum(footprint[near], 1e-9)
        sure = np.clip(2 - 2 * rest / (self._extent.ravel()[q] + 1e-9), 0, 1) * np.clip(2 - coarser / 3, 0, 1)
        trust[near] = sure * np.clip(self._inside.ravel()[q] - 1, 0, 1)
        y, x = np.divmod(q, self.view.shape[1])
        xy[near] = np.stack([x, y], -1) + step
        return xy, trust


def _core(points: np.ndarray, ids: np.ndarray, count: int) -> np.ndarray:
    """(2, count, 3): by id, corner and edges of the box that holds the middle half of its points along each axis."""
    core = np.stack([np.zeros((count, 3)), np.ones((count, 3))]).astype(np.float32)
    for i in np.unique(ids):
        low, high = np.quantile(points[ids == i], [0.25, 0.75], axis=0)
        core[:, i] = low, np.maximum(high - low, 1e-6)
    return core


def _solve(slopes: np.ndarray, offset: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) step in pixels that makes `offset` (N, 3) out of `slopes` (N, 2, 3), at most three quarters of a pixel a side,
    and the (N,) length of what is left of the offset."""
    right, down = slopes[:, 0], slopes[:, 1]
    a, b, d = (right * right).sum(-1), (right * down).sum(-1), (down * down).sum(-1)
    u, v = (right * offset).sum(-1), (down * offset).sum(-1)
    det = a * d - b * b
    safe = np.where(det > 1e-6 * a * d + 1e-30, det, np.inf)
    step = np.clip(np.stack([d * u - b * v, a * v - b * u], -1) / safe[:, None], -0.75, 0.75)
    rest = offset - step[:, :1] * right - step[:, 1:] * down
    return step.astype(np.float32), np.sqrt((rest * rest).sum(-1))


class _Cells:
    """Which coarse cells of the objects' boxes hold a point: a quick no for most points that the key does not show."""

    SIDE = 24

    def __init__(self, points: np.ndarray, ids: np.ndarray, sizes: np.ndarray) -> None:
        self._sizes = np.maximum(sizes, 1e-9)
        known = np.unique(ids)
        self._rank = np.full(
            len(sizes) + 1, len(known)
        )  # the last rank is an empty box, for objects that the key lacks
        self._rank[known] = np.arange(len(known))
        held = np.zeros((len(known) + 1, *[self.SIDE] * 3), bool)
        held[self._rank[ids], *self._cell(points, ids)] = True
        self._held = binary_dilation(held, np.ones((1, 3, 3, 3), bool))

    def _cell(self, points: np.ndarray, ids: np.ndarray) -> tuple[np.ndarray, ...]:
        share = points / self._sizes[np.minimum(ids, len(self._sizes) - 1)]
        return tuple(np.clip(share.T * self.SIDE, 0, self.SIDE - 1).astype(np.int64))

    def holds(self, points: np.ndarray, ids: np.ndarray) -> np.ndarray:
        """Indices of the points that lie in or beside such a cell."""
        return np.flatnonzero(self._held[self._rank[np.minimum(ids, len(self._rank) - 1)], *self._cell(points, ids)])


class Atlas:
    """All keys one below the other, so that a place in any of them is one (x, y)."""

    def __init__(self, keys: list[KeySurface]) -> None:
        self.keys = keys

    def _locate(
        self, view: View, where: np.ndarray, points: np.ndarray, without: int | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """(N, 2) places and (N,) confidences in the key that shows each point best, of two equals the nearer in time."""
        height, width = self.keys[0].view.shape
        ids, footprint = view.ids.ravel()[where], view.footprint.ravel()[where]
        xy, trust, score = np.zeros((len(where), 2), np.float32), np.zeros(len(where), np.float32), np.zeros(len(where))
        for i, key in enumerate(self.keys):
            if key.view.frame == without:
                continue
            place, certain = key.locate(points, ids, footprint)
            place = np.clip(place, 0, (width - 1, height - 1)) + np.array([0, i * height])
            merit = certain / (1 + 0.01 * abs(key.view.frame - view.frame))
            better = merit > score
            xy[better], trust[better], score[better] = place[better], certain[better], merit[better]
        return xy, trust

    def match(self, view: View, without: int | None = None) -> Match:
        """Where the keys show what `view` shows; `without`: the frame of a key that is left out."""
        xy, trust = self._locate(view, np.arange(view.ids.size), view.points.reshape(-1, 3), without)
        return Match(xy.reshape(*view.shape, 2), trust.reshape(view.shape))

    def borrow(self, view: View, match: Match) -> Match:
        """Strokes for what no key shows, that stay on the surface: from the same place on the other side of the object's
        box, else from the part of the object that the first key shows best, repeated."""
        xy = np.zeros((view.ids.size, 2), np.float32)
        trust = np.zeros(view.ids.size, np.float32)
        for flip in (*_FLIPS, None):
            todo = np.flatnonzero((match.confidence.ravel() < 0.5) & (trust < 0.5))
            ids, points = view.ids.ravel()[todo], view.points.reshape(-1, 3)[todo]
            other = self.keys[0].fold(points, ids) if flip is None else np.where(flip, view.sizes[ids] - points, points)
            place, certain = self._locate(view, todo, other, None)
            better = certain > trust[todo]
            xy[todo[better]], trust[todo[better]] = place[better], certain[better]
        return Match(xy.reshape(*view.shape, 2), trust.reshape(view.shape))


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
