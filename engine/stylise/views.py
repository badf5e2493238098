"""A frame of a shot as the stylist sees it: the render, which object and which surface point each pixel shows, and what of
geometry bears on a painting. It knows files by engine.frames alone, and no network."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from engine import frames
from engine.protocol import JobError, Shot

GUIDES = ["id", "anchor", "albedo", "normal", "depth"]


@dataclass(frozen=True)
class View:
    """One frame. render, albedo: (H, W, 3) float32, 0 to 1, sRGB. ids: (H, W) int64, 0 where no object is. points: (H, W, 3)
    float32, the rest-pose surface point in object units (background: place on the screen). normal: (H, W, 3) float32.
    depth: (H, W) float32, log distance, 0 in the background. sizes: (highest id + 1, 3) float32, edges of the objects' boxes, in
    which points run from 0 to the size. alpha: (H, W) uint8, the render's; None where it is opaque. edges: (H, W, 3) uint8, the
    guide of that name; None where it was not captured. corner: row and column of the frame at which a part of it begins.
    names: by id, what the object is called but for a number at the end; none if that is not known."""

    frame: int
    render: np.ndarray
    albedo: np.ndarray
    ids: np.ndarray
    points: np.ndarray
    normal: np.ndarray
    depth: np.ndarray
    sizes: np.ndarray
    alpha: np.ndarray | None = None
    edges: np.ndarray | None = None
    corner: tuple[int, int] = (0, 0)
    names: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.ids.shape[0], self.ids.shape[1]

    def outline(self) -> View:
        """Frame, objects and size alone, where memory is dear."""
        none = np.zeros((0, 0, 3), np.float32)
        return View(self.frame, none, none, self.ids, none, none, none[..., 0], self.sizes)

    @cached_property
    def slopes(self) -> np.ndarray:
        """(H, W, 2, 3) float32: how the point changes by one pixel to the right and down. Of the two neighbours the nearer
        counts, so that an edge is not taken for a slope."""
        slopes = np.zeros((*self.shape, 2, 3), np.float32)
        best = np.full((*self.shape, 2), np.inf, np.float32)
        for i, (here, there) in enumerate((_neighbours(1), _neighbours(0))):
            step = self.points[here] - self.points[there]
            length = np.where(self.ids[here] == self.ids[there], (step * step).sum(-1), np.inf)
            for side in (here, there):
                nearer = length < best[side][..., i]
                slopes[side][..., i, :][nearer] = step[nearer]
                best[side][..., i][nearer] = length[nearer]
        return slopes

    @cached_property
    def footprint(self) -> np.ndarray:
        """(H, W) float32: edge of the square that has the area of surface under a pixel."""
        (a, b, c), (d, e, f) = (np.moveaxis(self.slopes[..., i, :], -1, 0) for i in (0, 1))
        return np.sqrt(np.sqrt((b * f - c * e) ** 2 + (c * d - a * f) ** 2 + (a * e - b * d) ** 2))


def _neighbours(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Slices of an image: every pixel but the first along `axis`, and the one before it."""
    here, there = [slice(None)] * 2, [slice(None)] * 2
    here[axis], there[axis] = slice(1, None), slice(None, -1)
    return tuple(here), tuple(there)


def _object_sizes(shot: Shot, highest: int) -> np.ndarray:
    """(highest + 1, 3) edge lengths by id; an object that the shot does not list counts as a unit cube, the background as a
    picture one unit wide."""
    sizes = np.ones((highest + 1, 3), np.float32)
    sizes[0] = (1, shot.height / shot.width, 0)
    for ob in shot.objects:
        if 0 <= ob.id <= highest:
            sizes[ob.id] = ob.size
    return sizes


def stem(name: str) -> str:
    """A name but for the number at its end, by which an object and its duplicates are told apart: "Tree" of "Tree.002"."""
    return re.sub(r"[\s._-]*\d*$", "", name)


def _names(shot: Shot, highest: int) -> tuple[str, ...]:
    called = {ob.id: stem(ob.name) for ob in shot.objects}
    return tuple(called.get(i, "") for i in range(highest + 1))


def read_view(folder: Path, shot: Shot, frame: int) -> View:
    """The frame and its guides from a job folder. Raises JobError."""
    if missing := [name for name in GUIDES if name not in shot.guides]:
        raise JobError(f"The shot was captured without the guide '{missing[0]}'; capture it again with all guides.")
    guides = frames.read_guides(folder, shot, frame, GUIDES)
    ids = np.rint(guides["id"][..., 0]).astype(np.int64)
    if ids.min() < 0 or ids.max() >= 1 << 16:
        raise JobError(
            f"The guide 'id' of frame {frame} holds numbers that are no objects; capture frame {frame} again."
        )
    there = (ids > 0).astype(np.float32)
    sizes = _object_sizes(shot, int(ids.max()))
    render, alpha = frames.read_frame_alpha(folder, shot, frame)
    return View(
        frame=frame,
        render=_by_plane(np.divide(plane, np.float32(255)) for plane in _planes(render)),
        albedo=_by_plane(cv2.pow(plane.clip(1e-9, 1), 1 / 2.2) * there for plane in _planes(guides["albedo"])),
        ids=ids,
        points=_points(guides["anchor"], ids, sizes),
        normal=_by_plane(plane * there for plane in _planes(guides["normal"])),
        depth=np.log(guides["depth"][..., 0].clip(1e-4, 1e6)) * there,
        sizes=sizes,
        alpha=alpha,
        edges=frames.read_edges(folder, shot, frame) if "edges" in shot.guides else None,
        names=_names(shot, int(ids.max())),
    )


def _planes(picture: np.ndarray) -> np.ndarray:
    """(C, H, W) of (H, W, C)."""
    return np.moveaxis(picture, -1, 0)


def _by_plane(planes: Iterable[np.ndarray]) -> np.ndarray:
    """(H, W, C) of planes (H, W), which lie one after the other in memory: what is done with a view is done plane by plane."""
    return np.moveaxis(np.stack(list(planes)), 0, -1)


def _points(anchor: np.ndarray, ids: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 rest-pose points of an anchor guide (H, W, 3|4); in the background the place on the screen."""
    height, width = ids.shape
    column, row = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)
    places = [column, row[:, None], np.zeros(1, np.float32)]
    points = [plane * size.take(ids) for plane, size in zip(_planes(anchor)[:3], sizes.T, strict=True)]
    for plane, place in zip(points, places, strict=True):
        np.copyto(plane, place / np.float32(width), where=ids == 0)
    return _by_plane(points)
