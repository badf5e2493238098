"""Large frames in pieces, so that memory stays bounded: overlapping tiles, each painted with so much of its surroundings that no
seam shows. It knows how far a painter looks around a pixel, and nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import torch

from engine.stylise.views import View

HALO = 36  # pixels around a tile that bear on what is painted in it
PIXELS = {"cpu": 520_000, "cuda": 2_500_000}  # of a tile without its halo; other devices count as cuda


def most(device: torch.device) -> int:
    """Pixels of a tile on that device."""
    return PIXELS["cpu" if device.type == "cpu" else "cuda"]


@dataclass(frozen=True)
class Tile:
    """A piece of a frame, in pixels. outer: rows and columns that are read. inner: rows and columns of it that count, where
    (0, 0) is the frame's corner."""

    outer: tuple[slice, slice]
    inner: tuple[slice, slice]

    @property
    def within(self) -> tuple[slice, slice]:
        """The inner part, counted from the corner of the outer."""
        return tuple(slice(i.start - o.start, i.stop - o.start) for i, o in zip(self.inner, self.outer, strict=True))  # type: ignore[return-value]


def split(shape: tuple[int, int], most: int) -> list[Tile]:
    """Tiles of at most about `most` pixels that cover (H, W), each side cut into equal parts; one if the frame is small. Corners
    lie at multiples of four, as the networks halve a picture twice."""
    height, width = shape
    count = ceil(height * width / most)
    down = max(1, round((count * height / width) ** 0.5)) if count > 1 else 1
    across = ceil(count / down)
    rows, columns = _cuts(height, down), _cuts(width, across)
    return [Tile((_wider(row, height), _wider(column, width)), (row, column)) for row in rows for column in columns]


def _cuts(length: int, count: int) -> list[slice]:
    part = ceil(length / count / 4) * 4
    return [slice(start, min(start + part, length)) for start in range(0, length, part)]


def _wider(part: slice, length: int) -> slice:
    return slice(max(0, part.start - HALO), min(length, part.stop + HALO))


def crop(view: View, part: tuple[slice, slice]) -> View:
    """The view of a part of the frame."""
    arrays = {name: getattr(view, name)[part] for name in ("render", "albedo", "ids", "points", "normal", "depth")}
    rest: dict[str, Any] = {
        name: None if (whole := getattr(view, name)) is None else whole[part] for name in ("alpha", "edges")
    }
    return replace(view, **arrays, **rest, corner=(view.corner[0] + part[0].start, view.corner[1] + part[1].start))
