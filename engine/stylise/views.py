"""A frame of a shot as the stylist sees it: the render, which object and which surface point each pixel shows, and what of
geometry bears on a painting. It knows files by engine.frames alone, and no network."""

from __future__ import annotations

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
    which points run from 0 to the size. alpha: (H, W) uint8, the render's; None where it is opaque."""

    frame: int
    render: np.ndarray
    albedo: np.ndarray
    ids: np.ndarray
    points: np.ndarray
    normal: np.ndarray
    depth: np.ndarray
    sizes: np.ndarray
    alpha: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        return self.ids.shape[0], self.ids.shape[1]

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
    points = guides["anchor"][..., :3] * np.take(sizes, ids, 0)
    row, column = np.nonzero(ids == 0)
    points[row, column] = np.stack([column, row, 0 * row], -1).astype(np.float32) / np.float32(ids.shape[1])
    albedo = cv2.pow(np.clip(guides["albedo"], 1e-9, 1), 1 / 2.2)
    return View(
        frame=frame,
        render=render.astype(np.float32) / np.float32(255),
        albedo=albedo * there[..., None],
        ids=ids,
        points=points,
        normal=guides["normal"] * there[..., None],
        depth=np.log(np.clip(guides["depth"][..., 0], 1e-4, 1e6)) * there,
        sizes=sizes,
        alpha=alpha,
    )
