"""Stylise without the engine: the paint of the keys carried over by the anchor, the point of the rest pose that a pixel shows.
No network: light stays as it was painted, and what no key shows gets the plain tone of what lies next to it. numpy; knows
arrays and files, neither Blender nor where pictures come from.

A key's paint lies in a pyramid of cells of its objects' surface, from a pixel's size up, each with the mean of the paint in
it; a pixel takes the finest cell that some key has for its point.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .exr import ExrError, read_channels
from .job_folder import geometry_path
from .protocol import GEOMETRY_PASSES, JobError, Shot

LEVELS = 9  # sizes of cell, each twice the one before
# What frames made here say they were made by: the engine takes them for Understudy's own, and paints over them.
SOFTWARE = "Understudy, plain anchor reprojection"
NOTE = (
    "The painting was carried over by plain reprojection, for no engine is installed; install it to have changing light and "
    "hidden surfaces painted."
)
_STEPS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5], np.uint64)


class Surface(NamedTuple):
    """What a frame shows. ids: (N,) int64, 0 the background. points: (N, 3) float32, on the object's rest shape in its own
    units. shape: height and width, N their product."""

    ids: np.ndarray
    points: np.ndarray
    shape: tuple[int, int]


def read_surface(folder: Path, shot: Shot, frame: int) -> Surface:
    """From the captured guides. Raises JobError."""
    wanted = [
        [f"{name}.{channel}" for name in GEOMETRY_PASSES[guide][:2]]
        for guide, channels in (("id", "X"), ("anchor", "RGB"))
        for channel in channels
    ]
    try:
        ids, *anchor = read_channels(geometry_path(folder, frame), wanted)
    except ExrError as error:
        raise JobError(f"{str(error).rstrip('.')}; capture frame {frame} again.") from error
    sizes = np.ones((1 + max((ob.id for ob in shot.objects), default=0), 3), np.float32)
    for ob in shot.objects:
        sizes[ob.id] = np.maximum(ob.size, 1e-6)
    owner = np.clip(np.rint(np.nan_to_num(ids)), 0, len(sizes) - 1).astype(np.int64).ravel()
    points = np.nan_to_num(np.stack(anchor, -1)).reshape(-1, 3) * sizes[owner]
    return Surface(owner, points, (ids.shape[0], ids.shape[1]))


class Key:
    """A painted frame's paint on the surface of its objects."""

    def __init__(self, frame: int, surface: Surface, paint: np.ndarray, unit: np.ndarray) -> None:
        """paint: (H, W, 4) float32, alpha 0 where the key does not count. unit: (objects,), the edge of the finest cells."""
        self.frame = frame
        counts = (paint[..., 3].ravel() > 0.5) & (surface.ids > 0)
        colours = paint[..., :3].reshape(-1, 3)[counts]
        self._levels: list[tuple[np.ndarray, np.ndarray]] = []
        for level in range(LEVELS):
            cells = _cells(surface.ids[counts], surface.points[counts], unit, level)
            found, place, number = np.unique(cells, return_inverse=True, return_counts=True)
            sums = [np.bincount(place.ravel(), colours[:, c], len(found)) for c in range(3)]
            self._levels.append((found, (np.stack(sums, -1) / number[:, None]).astype(np.float32)))

    def look_up(
        self, ids: np.ndarray, points: np.ndarray, unit: np.ndarray, level: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of points (M, 3) of objects (M,): (M,) whether the key has their cell, and the colours of those that it has."""
        found, colours = self._levels[level]
        if not len(found):
            return np.zeros(len(ids), bool), colours
        cells = _cells(ids, points, unit, level)
        place = np.minimum(np.searchsorted(found, cells), len(found) - 1)
        there = found[place] == cells
        return there, colours[place[there]]


def cell_sizes(surfaces: Sequence[Surface], objects: int) -> np.ndarray:
    """(objects + 1,) float32: how far apart neighbouring pixels lie on each object, the median over the frames that show it."""
    unit = np.ones(objects + 1, np.float32)
    apart, owner = [], []
    for surface in surfaces:
        ids, points = surface.ids.reshape(surface.shape), surface.points.reshape(*surface.shape, 3)
        same = (ids[:, 1:] == ids[:, :-1]) & (ids[:, 1:] > 0)
        apart.append(np.linalg.norm(points[:, 1:] - points[:, :-1], axis=-1)[same])
        owner.append(ids[:, 1:][same])
    steps, owners = np.concatenate(apart), np.concatenate(owner)
    for i in np.unique(owners):
        unit[i] = max(float(np.median(steps[owners == i])), 1e-6)
    return unit


def paint_frame(
    frame: int, surface: Surface, render: np.ndarray, keys: Sequence[Key], unit: np.ndarray, objects: Sequence[int] = ()
) -> np.ndarray:
    """(H, W, 3) float32, 0 to 1: the frame as the keys were painted. render: (H, W, 4) float32, seen where no key has the object,
    on the background, and on other objects than `objects` if there are any."""
    out = render[..., :3].reshape(-1, 3).copy()
    wanted = surface.ids > 0
    if objects:
        wanted &= np.isin(surface.ids, objects)
    left = np.flatnonzero(wanted)
    nearest = sorted(keys, key=lambda key: abs(key.frame - frame))
    for level in range(LEVELS):
        for key in nearest:
            there, colours = key.look_up(surface.ids[left], surface.points[left], unit, level)
            out[left[there]] = colours
            left = left[~there]
    return out.reshape(*surface.shape, 3)


def _cells(ids: np.ndarray, points: np.ndarray, unit: np.ndarray, level: int) -> np.ndarray:
    """(N,) uint64, a name for each point's cell."""
    place = np.floor(points / (unit[ids] * 2.0**level)[:, None]).astype(np.int64).astype(np.uint64)
    name = ids.astype(np.uint64) * _STEPS[3]
    for axis in range(3):
        name = (name ^ (place[:, axis] * _STEPS[axis])) * _STEPS[axis]
        name ^= name >> np.uint64(29)
    return name


def kept(path: Path) -> bool:
    """Whether a finished frame is there that is not of this module's making: the engine's, or the artist's own."""
    return path.is_file() and _words(path) != SOFTWARE


def _words(path: Path) -> str:
    """The text chunk Software of a PNG, empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(8)
            while len(head := file.read(8)) == 8:
                size, name = struct.unpack(">I4s", head)
                if name in (b"IDAT", b"IEND"):
                    break
                if name == b"tEXt" and (data := file.read(size)).startswith(b"Software\0"):
                    return data[9:].decode("latin-1")
                elif name != b"tEXt":
                    file.seek(size, os.SEEK_CUR)
                file.seek(4, os.SEEK_CUR)
    except OSError:
        pass
    return ""
