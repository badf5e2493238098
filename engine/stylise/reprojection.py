"""Paint carried from painted keys to another frame by the anchor: the rest-pose surface point that a pixel sees. For every
pixel the place in the key that shows the same point of the same object, to a part of a pixel, and how far to trust it.

The key's pixels lie in a table by the cell of space that their point is in, in cells of several sizes. A point's own cell gives
a pixel to begin with; from there it walks over the key by the slopes of the key's own surface. It knows views and geometry;
neither networks nor files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.stylise import windows
from engine.stylise.rows import rows
from engine.stylise.surface import Surface
from engine.stylise.tones import shade
from engine.stylise.views import View

_UNKNOWN, _NOWHERE = -1, -2
_WALKS = 3  # at most, from where a table of cells says
_THIN = 4  # of so many pixels in a row, and of so many rows, one is searched for
_TOGETHER = (
    4.0  # pixels of the key, for each of the view, that neighbours may lie apart: more is another part of the object
)
_STRIDE = 24.0  # pixels that one walk may go
_COARSEST = 5  # sizes of cell in which a pixel is kept, each twice the one before
_PROBES = (0, 1, 2, 3)  # sizes of cell to look in, above the point's own


@dataclass(frozen=True)
class Match:
    """Where a view's surface is in the keys. xy: (H, W, 2) float32, pixels of the atlas, x first. confidence: (H, W) float32, 0
    (not in the key) to 1."""

    xy: Tensor
    confidence: Tensor


class KeySurface:
    """The surface that one key shows, ready to be searched."""

    def __init__(
        self,
        view: View,
        painted: np.ndarray | None = None,
        device: torch.device | str = "cpu",
        surface: Surface | None = None,
    ) -> None:
        """painted: (H, W) bool, where the key counts; everywhere if None. surface: the view's, if it is at hand."""
        self.view = view
        self.painted = np.ones(view.shape, bool) if painted is None else painted
        surface = surface or Surface.of(view, device)
        mask = torch.from_numpy(self.painted).to(device)
        points, ids = surface.points.flatten(1), surface.ids.flatten()
        slopes = surface.slopes.flatten(2)
        extent = slopes.square().sum(1).amax(0).sqrt()
        usable = mask.flatten() & (extent > 0)
        owner = torch.where(usable, ids, -1)  # a pixel that does not count is nobody's
        deep = inside((surface.edges[0] > 0) | ~mask).flatten()
        judge = [extent, surface.footprint.flatten(), deep]
        planes = [*points, owner.float(), *slopes.flatten(0, 1), *_inverse(slopes), *judge]
        self._pixels = torch.stack(planes, 1)  # a row tells all of a pixel: of all that is slow here, reading is
        self._places = self._pixels[:, :4].contiguous()
        self._cells = _Cells(points, ids, extent, usable)
        self.light = shade(view, device).flatten()

    def see(self, surface: Surface) -> tuple[Tensor, Tensor, Tensor]:
        """Where the key shows a surface: (H, W) columns, rows and confidences. Every fourth pixel of every fourth row is
        searched for, and the others begin where these lead."""
        thin = tuple(x[..., ::_THIN, ::_THIN] for x in (surface.points, surface.ids, surface.footprint))
        points, ids, footprint = thin[0].flatten(1), thin[1].flatten(), thin[2].flatten()
        coarse = self._settle(points, ids, footprint, self._find(points, ids, footprint))
        begin = self._spread(coarse, surface)
        points, ids, footprint = surface.points.flatten(1), surface.ids.flatten(), surface.footprint.flatten()
        open_ = torch.nonzero(begin == _UNKNOWN)[:, 0]
        if len(open_):
            some = points.index_select(1, open_), ids.index_select(0, open_), footprint.index_select(0, open_)
            begin.index_copy_(0, open_, self._find(*some))
        x, y, trust = (plane.view(surface.ids.shape) for plane in self._settle(points, ids, footprint, begin))
        return x, y, trust

    def _spread(self, coarse: tuple[Tensor, Tensor, Tensor], surface: Surface) -> Tensor:
        """(H W,) int32, the pixels of the key to begin with: between those of the neighbours that were found (columns, rows and
        confidences of every fourth pixel) where these lie together, else the nearest; _UNKNOWN on another object,
        _NOWHERE where no neighbour was found."""
        shape, ids = surface.ids.shape, surface.ids[::_THIN, ::_THIN]
        height, width = self.view.shape
        x, y, trust = (plane.view(ids.shape) for plane in coarse)
        found = trust > 0
        about = windows.most(found.float(), 3) > 0
        same = _grown(torch.where(found, ids, -1), shape) == surface.ids
        column, row = (_between(plane, shape) for plane in (x, y))
        pixel = row.round_().clamp_(0, height - 1).mul_(width).add_(column.round_().clamp_(0, width - 1)).int()
        pixel = torch.where(same, pixel, _UNKNOWN)
        return torch.where(_grown(about, shape), pixel, _NOWHERE).flatten()

    def _settle(self, points: Tensor, ids: Tensor, footprint: Tensor, begin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Column, row and confidence, (N,) each, of points (3, N) of objects (N,). begin: (N,) pixels near them, negative where
        there is none. footprint: (N,) edge of a pixel on the surface."""
        there, pixel = begin >= 0, begin.clamp(min=0)
        (*found, away, right, down) = self._judge(pixel, points, footprint)
        go = torch.nonzero(((right.abs() > 0.5) | (down.abs() > 0.5)) & there)[:, 0]
        if len(go):
            points, footprint = points.index_select(1, go), footprint.index_select(0, go)
            start, ids, *gap = _take([pixel, ids, away, right, down], go)
            better = self._judge(self._walk(start, points, ids, gap), points, footprint)
            for old, new in zip(found, better[:3], strict=True):
                old.index_copy_(0, go, new)
        return found[0], found[1], found[2].mul_(there)

    def _judge(self, pixel: Tensor, points: Tensor, footprint: Tensor) -> list[Tensor]:
        """What pixels (N,) of the right objects say of points (3, N): the points' columns and rows, confidences, and as `_gap`
        the way to them."""
        row = rows(self._pixels, pixel)
        offset, right, down = _gap(row, points)
        u, v = right.clamp(-0.75, 0.75), down.clamp(-0.75, 0.75)
        extent, area, inside = row[_JUDGE]
        away = _length(list(offset))
        rest = _length(list(offset.addcmul_(row[_RIGHT], u, value=-1).addcmul_(row[_DOWN], v, value=-1))).sqrt_()
        sure = rest.div_(extent).mul_(-2).add_(2).clamp_(0, 1)
        sure *= (2 - area / footprint.clamp(min=1e-9) / 3).clamp_(0, 1)
        line = torch.div(pixel, self.view.shape[1], rounding_mode="floor")
        column = pixel - line * self.view.shape[1]
        return [u.add_(column), v.add_(line), sure.mul_(inside), away, right, down]

    def _find(self, points: Tensor, ids: Tensor, footprint: Tensor) -> Tensor:
        """(N,) a pixel near each point (3, N), of the same object; negative where there is none."""
        probes = torch.tensor(_PROBES, dtype=torch.int32, device=ids.device)
        pixels = self._cells.look(points, ids, _size(footprint) + probes[:, None])
        x, y, z, owner = rows(self._places, pixels.clamp(min=0))
        away = _length([a - b for a, b in zip(points, (x, y, z), strict=True)])
        away = torch.where((pixels >= 0) & (owner == ids), away, torch.inf)
        best, gap = torch.full_like(ids, -1), torch.full_like(footprint, torch.inf)
        for pixel, far in zip(pixels, away, strict=True):
            best, gap = torch.where(far < gap, pixel, best), torch.minimum(gap, far)
        return best

    def _walk(self, start: Tensor, points: Tensor, ids: Tensor, gap: list[Tensor]) -> Tensor:
        """(N,) pixels nearer to points (3, N) of objects (N,) than pixels `start` (N,) are, or these. gap: from them, as `_gap`
        of `_judge`. Who comes no nearer stays."""
        height, width = self.view.shape
        found, who, pixel = start.clone(), None, start
        for last in range(_WALKS - 1, -1, -1):
            away, right, down = gap
            row = torch.div(pixel, width, rounding_mode="floor")
            right, down = (part.clamp_(-_STRIDE, _STRIDE).round_().int() for part in (right, down))
            column = right.add_(pixel - row * width).clamp_(0, width - 1)
            pixel = down.add_(row).clamp_(0, height - 1).mul_(width).add_(column)
            there = rows(self._pixels, pixel)
            offset, right, down = _gap(there, points)
            left = _length(list(offset))
            on = torch.nonzero((left < away) & (there[_OWNER] == ids))[:, 0]
            pixel = pixel.index_select(0, on)
            who = on if who is None else who.index_select(0, on)
            found.index_copy_(0, who, pixel)
            if not last or not len(on):
                break
            points = points.index_select(1, on)
            ids, *gap = _take([ids, left, right, down], on)
        return found


# What a row of a key's pixels tells: its point and object; how the point changes by a pixel; what of that makes a step in
# pixels again; and what it is to be judged by: the longer of its edges on the surface, its footprint, how far inside it is.
_POINT, _OWNER, _RIGHT, _DOWN, _INVERSE, _JUDGE = (
    slice(0, 3),
    3,
    slice(4, 7),
    slice(7, 10),
    slice(10, 13),
    slice(13, 16),
)


def _take(planes: list[Tensor], where: Tensor) -> list[Tensor]:
    """Entries of several tensors (P,)."""
    return [plane.index_select(0, where) for plane in planes]


def _gap(row: Tensor, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """From pixels, as rows of a key (16, N), to points (3, N): on the surface (3, N), and in pixels right and down (N,)."""
    offset = points - row[_POINT]
    along, across = _dot(row[_RIGHT], offset), _dot(row[_DOWN], offset)
    a, b, d = row[_INVERSE]
    return offset, (a * along).addcmul_(b, across), (b * along).addcmul_(d, across)


def _dot(one: Tensor | list[Tensor], other: Tensor | list[Tensor]) -> Tensor:
    """(N,) of three planes each."""
    (a, b, c), (x, y, z) = one, other
    return (a * x).addcmul_(b, y).addcmul_(c, z)


def _length(offset: list[Tensor]) -> Tensor:
    """The squared length."""
    return _dot(offset, offset)


def _size(edge: Tensor) -> Tensor:
    """(N,) int32, the power of two next above the edges (N,) float32, and one more: read from the bits of the number."""
    return (edge.view(torch.int32) >> 23) - 125


def _inverse(slopes: Tensor) -> list[Tensor]:
    """Three times (P,), a symmetrical matrix (2, 2): multiplied by how far an offset on the surface goes along slopes (2, 3, P)
    it gives the step in pixels; zero where the surface is seen from the side."""
    right, down = slopes
    a, b, d = (right * right).sum(0), (right * down).sum(0), (down * down).sum(0)
    det = a * d - b * b
    safe = torch.where(det > 1e-6 * a * d + 1e-30, det, torch.inf)
    return [d / safe, -b / safe, a / safe]


def inside(rim: Tensor) -> Tensor:
    """(H, W), how far paint may be lent: 1 for what lies two pixels or more inside the rim (H, W) bool, 0 on it and beside it,
    between at its corners."""
    wide = F.pad(rim[None].float(), (1, 1, 1, 1))[0]
    middle = wide[1:-1, 1:-1]
    cross = torch.stack([middle, wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]]).amax(0)
    corner = torch.stack([wide[:-2, :-2], wide[:-2, 2:], wide[2:, :-2], wide[2:, 2:]]).amax(0)
    return (1 - cross) * (1 - corner * (2 - 2**0.5))


def _grown(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """(H, W) of every _THIN-th of them."""
    return x.repeat_interleave(_THIN, 0).repeat_interleave(_THIN, 1)[: shape[0], : shape[1]]


def _between(x: Tensor, shape: tuple[int, ...]) -> Tensor:
    """(H, W) of every _THIN-th of them, the others in a line between their neighbours, unless these lie far apart."""
    for axis in (0, 1):
        step = torch.diff(x, dim=axis, append=x.narrow(axis, -1, 1))
        step = torch.where(step.abs() < _TOGETHER * _THIN, step / _THIN, 0)
        line = [torch.add(x, step, alpha=i) for i in range(_THIN)]
        x = torch.stack(line, axis + 1).flatten(axis, axis + 1).narrow(axis, 0, shape[axis])
    return x


class _Cells:
    """A table of pixels by the cell of space that their points lie in. What finds its place taken is left out: it is found by its
    neighbours."""

    def __init__(self, points: Tensor, ids: Tensor, extent: Tensor, usable: Tensor) -> None:
        """points (3, P), ids (P,), extent (P,): the longer of a pixel's edges on the surface."""
        pixels = torch.nonzero(usable)[:, 0].int()
        points, ids = points[:, usable], ids[usable]
        size = _size(extent[usable])
        self._mask = (1 << max(10, int(4 * len(pixels) - 1).bit_length())) - 1
        self._table = torch.full((self._mask + 1,), -1, dtype=torch.int32, device=points.device)
        for coarser in reversed(range(_COARSEST)):
            self._table[self._slot(points, ids, size + coarser)] = pixels

    def _slot(self, points: Tensor, ids: Tensor, size: Tensor) -> Tensor:
        """(…, N) place in the table of the cells of edge 2**size (…, N) that hold the points (3, N)."""
        scale = ((127 - size) << 23).view(torch.float32)
        x, y, z = (torch.floor(axis * scale).int() for axis in points)
        mixed = x * 73856093 ^ y * 19349663 ^ z * 83492791 ^ (ids * 64 + size) * 40503787
        return (mixed ^ mixed >> 15) & self._mask

    def look(self, points: Tensor, ids: Tensor, size: Tensor) -> Tensor:
        """(…, N) the pixel kept for the cell of edge 2**size (…, N) in which each point (3, N) of objects (N,) lies; -1: none. By
        chance it may be one of another cell."""
        return self._table.index_select(0, self._slot(points, ids, size).flatten()).view(size.shape)


def _alike(light: Tensor, other: Tensor) -> Tensor:
    """(H, W), how much two brightnesses are one light, 1 for the same; never 0, as paint of another light is paint still."""
    return 0.3 + 0.7 * (1.5 - 5 * (light - other).abs()).clamp(0, 1)


def _about(x: Tensor) -> Tensor:
    """(H, W), the mean of the nine by nine pixels about each."""
    return windows.mean(x, 9)


class Atlas:
    """All keys one below the other, so that a place in any of them is one (x, y)."""

    def __init__(self, keys: list[KeySurface]) -> None:
        self.keys = keys

    def _see(self, view: View, surface: Surface, without: int | None) -> tuple[Tensor, Tensor]:
        """(H, W, 2) places and (H, W) confidences, each in one key: which shows the pixel and those about it best, in a light
        like theirs, of two equals the nearer in time."""
        height, width = self.keys[0].view.shape
        x, y, trust, score = surface.points.new_zeros(4, *surface.ids.shape)
        light = shade(view, x.device) if len(self.keys) > 1 else x
        for i, key in enumerate(self.keys):
            if key.view.frame == without:
                continue
            column, row, certain = key.see(surface)
            column, row, merit = column.clamp_(0, width - 1), row.clamp_(0, height - 1), certain
            if len(self.keys) > 1:
                pixel = (row.round() * width + column.round()).int()
                there = key.light.index_select(0, pixel.flatten()).view(light.shape)
                merit = certain * _alike(light, there) / (1 + 0.01 * abs(key.view.frame - view.frame))
                merit = merit * _about(merit)  # neighbours have a say, so that pixel by pixel no patchwork comes out
            better = merit > score
            x = torch.where(better, column, x)
            y = torch.where(better, row + i * height, y)
            trust, score = torch.where(better, certain, trust), torch.maximum(score, merit)
        return torch.stack([x, y]).movedim(0, -1), trust

    def match(self, view: View, without: int | None = None, surface: Surface | None = None) -> Match:
        """Where the keys show what `view` shows; `without`: the frame of a key that is left out."""
        surface = surface or Surface.of(view)
        xy, trust = self._see(view, surface, without)
        return Match(xy, trust)
