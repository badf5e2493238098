"""Strokes for what no key shows, or shows in another light: for every object and tone a swatch, woven from pieces of the keys'
paint of that object in that tone, each piece laid where it suits those beside it. A swatch repeats over the surface by the
rest-pose point, so that its strokes stay on the surface; where the light changes, another swatch takes over, as hatching does.
It knows views, paint and tones; no networks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.ndimage import binary_dilation, distance_transform_edt, find_objects, gaussian_filter
from torch import Tensor

from engine.device import spare_cores
from engine.stylise.reprojection import Match
from engine.stylise.rows import rows
from engine.stylise.surface import Surface
from engine.stylise.tones import Tones, fit_sum, interior, shade
from engine.stylise.waves import Waves

if TYPE_CHECKING:
    from engine.stylise.painter import Key

FEWEST = 12  # pixels that make a swatch
SURE = 60  # pixels that tell how strong strokes are
BROAD = (
    7.0  # pixels about its middle that a patch must hold to be woven: out of less come scraps, and plain tone is better
)
SHIFTS = 6  # that a tone of an object may be moved by, each for as large a region as it suits
SEARCHED = 100_000  # pixels of an object in which a shift is looked for at every one
WORTH = 40  # pixels that a shift must serve
PIECES = 120  # of paint to choose from
SWEEPS = 3
_PLANES = ((1, 2), (0, 2), (0, 1))  # the axes in which a surface runs that faces along x, y, z


@dataclass(frozen=True)
class Patch:
    """One object in one tone, in the key that shows it best. key: its place in the list. mask: (H, W) its pixels.
    slopes: (H, W, 2, 2) change of the surface point, in the plane it runs in, by pixel (first axis: right, down).
    axis: (H, W) which plane that is. paint: (H, W, 3). merit: how good a source it is."""

    key: int
    mask: NDArray[np.bool_]
    slopes: NDArray[np.float32]
    axis: NDArray[np.int64]
    paint: NDArray[np.uint8]
    radius: float
    merit: float


class Pieces(NamedTuple):
    """Squares of paint, cut upright in the surface's plane. place: (N, 2) their middle in the key, in pixels. turn: (N, 2, 2)
    from swatch to pixels. colours: (N, P, P, 3). valid: (N, P, P). sums: (N, 5 P P), squared length, three colours and 1 of
    what is valid, from which all squared differences are one product. unit: edge of a swatch's pixel on the surface."""

    place: NDArray[np.float32]
    turn: NDArray[np.float32]
    colours: NDArray[np.float32]
    valid: NDArray[np.bool_]
    sums: NDArray[np.float32]
    unit: float


def facing(slopes: Tensor) -> Tensor:
    """(…) along which axis a surface with slopes (2, 3, …) faces most."""
    right, down = slopes
    x, y, z = (right[i] * down[j] - right[j] * down[i] for i, j in _PLANES)
    x, y, z = x.abs(), y.abs(), z.abs()
    return torch.where((x >= y) & (x >= z), 0, torch.where(y >= z, 1, 2))


class Swatches:
    """The swatches of all objects and tones, as one table."""

    def __init__(
        self, keys: list[Key], device: torch.device | str = "cpu", surfaces: list[Surface] | None = None
    ) -> None:
        """surfaces: the keys', on the processor, if they are at hand."""
        surfaces = surfaces or [Surface.of(key.view) for key in keys]
        edges = [surface.edges.numpy() for surface in surfaces]
        self.tones = Tones(keys, edges)
        shades = [shade(key.view) for key in keys]
        tones = [self.tones.classify(bright).numpy().astype(np.uint8) for bright in shades]
        self._key_tones = torch.from_numpy(np.concatenate(tones)).to(device)
        self._objects = max(int(key.view.ids.max()) for key in keys) + 1
        inside = [
            interior(edge, key.painted, 1) & self.tones.usual(key.view.ids, bright.numpy())
            for edge, key, bright in zip(edges, keys, shades, strict=True)
        ]
        patches: dict[tuple[int, int], Patch] = {}
        energy, count = np.zeros((self._objects, self.tones.count, 2)), np.zeros((self._objects, self.tones.count))
        for i, key in enumerate(keys):
            for where, patch in _patches(i, key, surfaces[i], tones[i], inside[i]):
                energy[where] += patch.mask.sum() * _energy(patch)
                count[where] += patch.mask.sum()
                if where not in patches or patches[where].merit < patch.merit:
                    patches[where] = patch
        self.affinity = _affinity(energy, count).astype(np.float32)
        self._affinity = torch.from_numpy(self.affinity).to(device)
        broad = {where: patches[where] for where in sorted(patches) if patches[where].radius >= BROAD}
        weaving = partial(weave, height=keys[0].view.shape[0])
        with ThreadPoolExecutor(spare_cores()) as crew:  # nothing takes longer before the first frame
            waves = crew.submit(Waves, keys, surfaces, tones, self.tones, device)
            shifts = crew.map(partial(_shifts, count=self.tones.count), keys, tones, inside)
            woven = dict(zip(broad, crew.map(weaving, broad.values()), strict=True))
            self.waves = waves.result()
            self._shifts = torch.from_numpy(np.concatenate(list(shifts), 1)).to(device)
        self._fill(broad, woven, device)

    def _fill(
        self,
        patches: dict[tuple[int, int], Patch],
        woven: dict[tuple[int, int], Swatch | None],
        device: torch.device | str,
    ) -> None:
        """Lay out what was woven as a table."""
        which = np.full((self._objects + 1, self.tones.count), -1)
        swatches = [swatch for swatch in woven.values() if swatch]
        number = {where: i for i, where in enumerate(where for where, swatch in woven.items() if swatch)}
        for where in np.ndindex(self._objects, self.tones.count):
            source = self._source(where, patches)
            which[where] = -1 if source is None else number.get(source, -1)
        start = np.cumsum([0, *(swatch.side**2 for swatch in swatches)])
        there = np.where(which < 0, len(swatches), which)
        unit, side = (np.array([*(getattr(s, name) for s in swatches), 1]) for name in ("unit", "side"))
        kinds = np.stack([unit[there], side[there], start[there], which >= 0], -1).reshape(-1, 4)
        self._kinds = torch.from_numpy(kinds.astype(np.float32)).to(device)
        table = np.concatenate([np.zeros((6, 0), np.float32), *(swatch.table for swatch in swatches)], 1)
        self._table = torch.from_numpy(np.ascontiguousarray(np.pad(table, [(0, 0), (0, 1)]).T)).to(device)

    def _source(self, where: tuple[int, int], patches: dict[tuple[int, int], Patch]) -> tuple[int, int] | None:
        """Whose paint stands for an object in a tone: its own, or its own in another tone that is painted with like strokes;
        None where plain tone is better."""
        if where in patches:
            return where
        own = [other for other in patches if other[0] == where[0] and self.affinity[where[1], other[1]] > 0.5]
        return max(own, key=lambda other: (self.affinity[where[1], other[1]], patches[other].merit), default=None)

    def place(self, surface: Surface, tones: Tensor, kin: NDArray[np.int64], match: Match) -> Match:
        """For every pixel a place whose strokes suit its tone (H, W): near by where the keys show it in another tone, else in a
        swatch. kin: by id, the object in the keys after which it is painted, -1 where there is none. match: what the keys show
        of the same points."""
        woven = self._in_swatch(surface, tones, kin)
        *shift, there = rows(self._shifts.flatten(0, 2), tones * len(self._key_tones.flatten()) + self._pixel(match))
        moved = (there > 0) & (match.confidence > 0.3)
        planes = zip(match.xy.unbind(-1), shift, woven.xy.unbind(-1), strict=True)
        xy = torch.stack([torch.where(moved, place + by, other) for place, by, other in planes]).movedim(0, -1)
        confidence = torch.where(moved, match.confidence, woven.confidence)
        if self.waves:
            where, there, wanted = self.waves.place(surface, tones, self._shown_as(kin, surface.ids))
            xy.view(-1, 2)[where] = there
            confidence.view(-1)[where] = wanted
        return Match(xy, confidence)

    def _pixel(self, match: Match) -> Tensor:
        """(H, W), the nearest pixel in the atlas."""
        height, width = self._key_tones.shape
        x, y = match.xy.round().unbind(-1)
        return (y.clamp(0, height - 1) * width + x.clamp(0, width - 1)).int()

    def _in_swatch(self, surface: Surface, tones: Tensor, kin: NDArray[np.int64]) -> Match:
        known = np.where((kin >= 0) & (kin < self._objects), kin, self._objects) * self.tones.count
        kind = _rows(torch.from_numpy(known).to(tones.device), surface.ids) + tones
        unit, side, start, there = rows(self._kinds, kind)
        axis = facing(surface.slopes)
        x, y, z = surface.points
        u, v = torch.where(axis == 0, y, x) / unit, torch.where(axis == 2, y, z) / unit
        column, row = torch.floor(u), torch.floor(v)
        shift = 17 * axis
        slot = start + _wrap(row + shift, side) * side + _wrap(column + shift, side)
        a, b, *turn = rows(self._table, slot.int())
        u, v = u - column - 0.5, v - row - 0.5
        xy = torch.stack([a + turn[0] * u + turn[1] * v, b + turn[2] * u + turn[3] * v]).movedim(0, -1)
        return Match(xy, there)

    def suit(self, match: Match, tones: Tensor, surface: Surface, kin: NDArray[np.int64]) -> Tensor:
        """(H, W), 0 to 1: how far strokes found in the keys suit the tone (H, W) that they are to lie in. Where that tone is
        hatched, none of another tone do, nor, if it is in the picture's plane, of another place there: lines that go on are
        truer. kin: as in `place`."""
        there = _rows(self._key_tones.flatten(), self._pixel(match))
        suits = _rows(self._affinity.flatten(), tones * len(self._affinity) + there)
        if not self.waves:
            return suits
        known = self._shown_as(kin, surface.ids)
        hatched = self.waves.holds(tones, known)
        suits = torch.where(hatched & (there != tones), torch.zeros_like(suits), suits)
        return self.waves.keep(suits, match.xy, surface, tones, known)

    def _shown_as(self, kin: NDArray[np.int64], ids: Tensor) -> Tensor:
        """(H, W) the object in the keys after which each pixel is painted."""
        known = np.where((kin >= 0) & (kin < self._objects), kin, self._objects)
        return _rows(torch.from_numpy(known).to(ids.device), ids)


def _rows(table: Tensor, which: Tensor) -> Tensor:
    """(H, W, …) of a table (N, …) by (H, W)."""
    return table.index_select(0, which.flatten()).view(*which.shape, *table.shape[1:])


def _wrap(x: Tensor, side: Tensor) -> Tensor:
    """Whole numbers x as the rest by side, as floats: several times faster than between integers."""
    return x - torch.floor(x / side) * side


def _seams(albedo: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(H, W) where one colour ends and another begins."""
    out = np.zeros(albedo.shape[:2], bool)
    right = np.abs(np.diff(albedo, axis=1)).max(-1) > 0.06
    down = np.abs(np.diff(albedo, axis=0)).max(-1) > 0.06
    for part, side in ((out[:, 1:], right), (out[:, :-1], right), (out[1:], down), (out[:-1], down)):
        part |= side
    return binary_dilation(out)


def _patches(
    i: int, key: Key, surface: Surface, tones: NDArray[np.uint8], inside: NDArray[np.bool_]
) -> list[tuple[tuple[int, int], Patch]]:
    """Every object in every tone, of key i. inside: (H, W) whose paint may be taken."""
    plain = ~_seams(key.view.albedo)
    axis = facing(surface.slopes).numpy()
    slopes = surface.slopes.permute(2, 3, 0, 1).numpy()
    slopes = np.take_along_axis(slopes, np.array(_PLANES)[axis][:, :, None], -1)
    out, ids = [], np.where(inside, key.view.ids, 0)
    boxes = find_objects(ids)
    for ob, tone in _kinds(ids, tones, ids > 0):
        box = boxes[ob - 1]
        part = (ids[box] == ob) & (tones[box] == tone)
        if (part & plain[box]).sum() > 0.4 * part.sum():
            part &= plain[box]
        if (count := part.sum()) >= FEWEST:
            radius = float(distance_transform_edt(np.pad(part[_box(part)], 1)).max())
            mask = np.zeros(ids.shape, bool)
            mask[box] = part
            merit = radius * min(count, 2000) ** 0.5
            out.append(((ob, tone), Patch(i, mask, slopes, axis, key.paint, radius, merit)))
    return out


def _energy(patch: Patch) -> NDArray[np.float64]:
    """(2,) mean square of what its strokes are over a soft ground, and of that as parts of the ground."""
    box = _box(patch.mask)
    mask = patch.mask[box].astype(np.float32)
    soft = np.maximum(gaussian_filter(mask, 3), 1e-3)
    paint = np.stack([patch.paint[box][..., c] / 255 * mask for c in range(3)])
    ground = np.stack([gaussian_filter(channel, 3) for channel in paint]) / soft
    strokes = (paint - ground)[:, mask > 0]
    return np.array([(strokes**2).mean(), ((strokes / (ground[:, mask > 0] + 0.1)) ** 2).mean()])


def _affinity(energy: NDArray[np.float64], count: NDArray[np.float64]) -> NDArray[np.float64]:
    """(tones, tones), 0 to 1: whether strokes of one tone may stay where another is, as speckle may and hatching may not: told
    by how strong strokes are in one tone and in the other, on the same objects. energy: (objects, tones, 2); paint may be
    fainter in the dark, or not, so that of its two measures the more alike counts."""
    strength = 0.5 * np.log(energy / np.maximum(count, 1)[..., None] + 1e-5)
    _, tones = fit_sum(strength, np.sqrt(count) * (count >= SURE))
    gap = np.abs(tones[:, None] - tones[None]).min(-1)
    return np.exp(-(np.maximum(gap - 0.25, 0) ** 2) / 0.09)


def _shifts(key: Key, tones: NDArray[np.uint8], inside: NDArray[np.bool_], count: int) -> NDArray[np.int16]:
    """(count, H, W, 3): for every pixel of a key, by the tone that it is to be in, how far right and down its object shows that
    tone, and 1; zeros where no shift leads there. A few shifts serve an object, so that its strokes move together."""
    out = np.zeros((count, *tones.shape, 3), np.int16)
    ids = np.where(inside, key.view.ids, 0)
    boxes = find_objects(ids)
    for ob, tone in _kinds(ids, tones, ids > 0):
        box = boxes[ob - 1]
        whole = ids[box] == ob
        source = whole & (tones[box] == tone)
        if source.sum() >= WORTH:
            out[tone, *box][whole] = _cover(whole & ~source, source)[whole]
    return out


def _cover(wanted: NDArray[np.bool_], source: NDArray[np.bool_]) -> NDArray[np.int16]:
    """(H, W, 3): greedily the shift that leads most of what is wanted into the source, near ones first."""
    out = np.zeros((*wanted.shape, 3), np.int16)
    if not wanted.any():
        return out
    thin = max(1, round((wanted.size / SEARCHED) ** 0.5))  # of a large object every so manieth pixel tells
    first, last = (  # what lies about them is empty, and costs time
        tuple(slice(side.start, side.stop, thin) for side in _box(mask)) for mask in (wanted, source)
    )
    sides = [[len(range(side.start, side.stop, thin)) for side in box] for box in (first, last)]
    size = [next_fast_len(a + b - 1, real=True) for a, b in zip(*sides, strict=True)]
    there = rfft2(source[last].astype(np.float32), size)
    steps = [
        (np.arange(a + b - 1) - a + 1) * thin + to.start - at.start
        for a, b, at, to in zip(*sides, first, last, strict=True)
    ]
    near = 1 / (1 + np.hypot(steps[0][:, None], steps[1]) / 40)
    open_ = wanted.copy()
    for _ in range(SHIFTS):
        served = irfft2(there * rfft2(open_[first][::-1, ::-1].astype(np.float32), size), size)
        served = served[: near.shape[0], : near.shape[1]]
        best = np.unravel_index((served * near).argmax(), near.shape)
        if served[best] * thin**2 < WORTH:
            break
        step = steps[0][best[0]], steps[1][best[1]]
        row, column = np.nonzero(open_)
        to = row + step[0], column + step[1]
        fits = (to[0] >= 0) & (to[0] < open_.shape[0]) & (to[1] >= 0) & (to[1] < open_.shape[1])
        fits[fits] = source[to[0][fits], to[1][fits]]
        out[row[fits], column[fits]] = step[1], step[0], 1
        open_[row[fits], column[fits]] = False
    return out


def _box(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The rows and columns in which a mask (H, W) is true somewhere."""
    rows, columns = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _kinds(ids: NDArray[np.int64], tones: NDArray[np.uint8], where: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The pairs of object and tone that there are."""
    count = int(tones.max()) + 1
    return [divmod(int(code), count) for code in np.flatnonzero(np.bincount((ids * count + tones)[where]))]


class Swatch(NamedTuple):
    """table: (6, side²): place in the atlas, in pixels, and the matrix (2, 2) from swatch to pixels. unit: a pixel's edge."""

    table: NDArray[np.float32]
    side: int
    unit: float


def _cut(patch: Patch, rng: np.random.Generator) -> Pieces | None:
    """Pieces at random, rather from the middle of a patch; none where it is seen from the side only."""
    box = _box(patch.mask)
    y, x = np.nonzero(patch.mask[box])
    y, x = y + box[0].start, x + box[1].start
    along = patch.slopes[y, x].transpose(0, 2, 1)
    area = np.abs(np.linalg.det(along))
    flat = area > (along**2).sum((1, 2)) / 10
    if flat.sum() < FEWEST / 2:
        return None
    y, x, along, area = y[flat], x[flat], along[flat], area[flat]
    unit = float(np.sqrt(np.median(area)))
    half = int(np.clip(0.8 * patch.radius, 3, 16))
    depth = distance_transform_edt(np.pad(patch.mask[box], 1))[y - box[0].start + 1, x - box[1].start + 1]
    chance = np.exp(2 * np.minimum(depth / half, 1))
    pick = rng.choice(len(y), min(PIECES, len(y)), replace=False, p=chance / chance.sum())
    place, turn = np.stack([x, y], -1)[pick].astype(np.float32), np.linalg.inv(along[pick]) * unit
    down, right = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    at = np.einsum("nij,hwj->nhwi", turn, np.stack([right, down], -1)) + place[:, None, None]
    column, row = np.moveaxis(np.rint(at).astype(np.int64), -1, 0)
    height, width = patch.mask.shape
    valid = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    column, row = column.clip(0, width - 1), row.clip(0, height - 1)
    valid &= patch.mask[row, column] & (patch.axis[row, column] == patch.axis[y[pick], x[pick]][:, None, None])
    colours = patch.paint[row, column].astype(np.float32)
    sums = np.concatenate([(colours**2).sum(-1, keepdims=True), colours, np.ones_like(colours[..., :1])], -1)
    sums = np.ascontiguousarray(np.moveaxis(sums * valid[..., None], -1, 1)).reshape(len(pick), -1)
    return Pieces(place, turn.astype(np.float32), colours, valid, sums, unit)


def weave(patch: Patch, height: int) -> Swatch | None:
    """A swatch that repeats without a seam. height: of a key, which lie one below the other in the atlas."""
    rng = np.random.default_rng(0)
    pieces = _cut(patch, rng)
    if pieces is None:
        return None
    size = pieces.valid.shape[1]
    step = size // 2
    side = max(24, 3 * size) // step * step
    laid, which = np.zeros((side, side, 3), np.float32), np.full((side, side), -1)
    offset = np.zeros((side, side, 2), np.float32)
    for sweep in range(SWEEPS):
        for corner in np.ndindex(side // step, side // step):
            rows, columns = ((np.arange(size) - step + at * step + sweep * step // SWEEPS) % side for at in corner)
            _lay(pieces, laid, which, offset, np.ix_(rows, columns), rng)
    if (which < 0).all():
        return None
    away = distance_transform_edt(np.tile(which < 0, (3, 3)), return_distances=False, return_indices=True)
    row, column = (axis[side : 2 * side, side : 2 * side] % side for axis in away)
    which, offset = which[row, column], offset[row, column]
    turn = pieces.turn[which]
    place = np.einsum("hwij,hwj->hwi", turn, offset) + pieces.place[which] + np.array([0, patch.key * height])
    table = np.concatenate([place, turn.reshape(side, side, 4)], -1).astype(np.float32)
    return Swatch(np.ascontiguousarray(table.reshape(-1, 6).T), side, pieces.unit)


def _lay(
    pieces: Pieces,
    laid: NDArray[np.float32],
    which: NDArray[np.int64],
    offset: NDArray[np.float32],
    window: tuple[NDArray[np.intp], ...],
    rng: np.random.Generator,
) -> None:
    """Fill what is open in the window with the piece that suits what lies there already."""
    open_ = which[window] < 0
    if not open_.any():
        return
    taken, there, none = ~open_[None], np.moveaxis(laid[window], -1, 0), np.zeros((4, *open_.shape))
    factors = np.concatenate([taken, -2 * there * taken, (there**2).sum(0, keepdims=True) * taken])
    columns_of = [factors, np.concatenate([none, taken]), np.concatenate([none, open_[None]])]
    apart, both, fills = (pieces.sums @ np.stack(columns_of, -1).reshape(-1, 3).astype(np.float32)).T
    apart = np.maximum(apart, 0) / np.maximum(both, 1)
    best = int((np.sqrt(apart) + 60 * (1 - fills / open_.sum()) + 2 * rng.random(len(fills))).argmin())
    put = pieces.valid[best] & open_
    rows, columns = np.nonzero(put)
    place = window[0][rows, 0], window[1][0, columns]
    laid[place], which[place] = pieces.colours[best][put], best
    offset[place] = np.stack([columns, rows], -1) - pieces.valid.shape[1] // 2
