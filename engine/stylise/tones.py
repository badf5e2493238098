"""How a painter's colours follow the light: what each object's paint is at each brightness, how all objects' paint changes
together, and at which brightness it changes at once. From it follows what an object would be painted like in a light that no
key shows it in, and which parts of a picture are in the same tone. It knows views and paint; no networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter1d
from torch import Tensor

from engine.stylise import windows
from engine.stylise.views import View

if TYPE_CHECKING:
    from engine.stylise.painter import Key

BINS = 48
TOP = 1.2  # brightness that fills the last bin
MOST_TONES = 4
EXPLAINED = 0.93  # of the change with light that the tones have to tell
STROKE = 12  # pixels of a stroke, which are painted alike and tell as much as one
FLAT = 0.05  # draws the slope of a piece to none
ODD = 0.2  # from its mean in a tone: a colour of another kind
FEW = 6  # pixels in a bin from which on it counts
HUE = 0.02  # variance among objects, of logarithms of colours, at which half of a common change of hue is believed


def shade(view: View, device: torch.device | str = "cpu") -> Tensor:
    """(H, W) how bright the render is over its albedo, over 5 x 5 pixels, so that a render's grain is no change of light."""
    third = np.full(3, 1 / 3, np.float32)
    grey = torch.from_numpy(np.stack([view.render @ third, view.albedo @ third])).to(device)
    render, albedo = windows.mean(grey, 5)
    return render / (albedo + 0.05)


def interior(edges: NDArray[np.float32], painted: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    """(H, W) the painted pixels that are more than `by` away from every edge (3, H, W) of engine.stylise.surface."""
    return painted & ~binary_dilation(edges.max(0) > 0.3, iterations=by)


def plain(edges: NDArray[np.float32], key: Key) -> NDArray[np.bool_]:
    """(H, W) the painted pixels away from every edge (3, H, W); of an object too thin for that, those that there are."""
    count = int(key.view.ids.max()) + 1
    use = interior(edges, key.painted, 2)
    for by in (1, 0):
        few = np.bincount(key.view.ids[use], minlength=count) < 2 * FEW
        use |= few[key.view.ids] & (interior(edges, key.painted, by) if by else key.painted)
    return use


def fit_sum(
    values: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rows (N, C) and columns (B, C) whose sums are nearest to values (N, B, C), weighted by (N, B)."""
    rows, columns = np.zeros(values[:, 0].shape), np.zeros(values[0].shape)
    w = weight[..., None]
    for _ in range(30):
        rows = ((values - columns) * w).sum(1) / (w.sum(1) + 1e-9)
        columns = ((values - rows[:, None]) * w).sum(0) / (w.sum(0) + 1e-9)
    return rows, columns


def _common(paint: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """(BINS, 3) how the paint (N, BINS, 3) of all objects changes with the light, weighted by (N, BINS): in brightness as their
    mean, and in hue as far as they agree. What turns one blue and another red in the shade says nothing of a third."""
    rows, change = fit_sum(paint, weight)
    grey = change.mean(-1, keepdims=True)
    hue, share = change - grey, weight.sum(0)[:, None] + 1e-9
    hue -= (hue * share).sum(0) / share.sum()
    apart = paint - rows[:, None] - change
    apart -= apart.mean(-1, keepdims=True)
    variance = ((apart**2).mean(-1) * weight).sum(0)[:, None] / share
    return grey + hue * HUE / (HUE + variance)


def _bin(shades: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.clip((shades / TOP * BINS).astype(np.int64), 0, BINS - 1)


def fill(values: NDArray[np.float64], there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(BINS, 3) with the bins that are not there interpolated, and constant beyond the last."""
    if not there.any():
        return np.zeros_like(values)
    at = np.arange(BINS)
    return np.stack([np.interp(at, at[there], column[there]) for column in values.T], -1)


def _firm(paint: NDArray[np.float64], number: NDArray[np.float64], spread: float) -> NDArray[np.float64]:
    """(BINS, 3) an object's mean paint by brightness as few straight pieces with leaps between them, so that a step of the
    painter's stays one and strokes do not pass for tones: least squares, each piece to be worth its parameters by Schwarz'
    criterion. number: (BINS,) pixels that are told of. spread: variance of paint of one brightness."""
    there = np.flatnonzero(number)
    if len(there) < 2:
        return paint
    x, y, w = there / BINS, paint[there], number[there] / STROKE / max(spread, 1e-4)
    # Running sums: of weight, x, x², the three colours, x times them, and their squares.
    terms = np.column_stack([np.ones_like(x), x, x * x, y, x[:, None] * y, (y**2).sum(1)]) * w[:, None]
    sums = np.pad(np.cumsum(terms, 0), [(1, 0), (0, 0)])
    part = sums[None] - sums[:, None]  # (first, last, terms)
    n, sx, sxx = np.moveaxis(part[..., :3], -1, 0)
    sy, sxy, syy = part[..., 3:6], part[..., 6:9], part[..., 9]
    middle = sx / (n + 1e-12)
    slope = (sxy - middle[..., None] * sy) / (sxx - middle * sx + FLAT)[..., None]
    level = sy / (n + 1e-12)[..., None]
    cost = syy - (level * sy).sum(-1) - (slope * (sxy - middle[..., None] * sy)).sum(-1)
    cost = np.maximum(cost, 0) + 6 * np.log(number.sum() / STROKE + 2)
    cost[np.tril_indices(len(there) + 1)] = np.inf
    best, begin = np.zeros(len(there) + 1), np.zeros(len(there) + 1, int)
    for last in range(1, len(there) + 1):
        begin[last] = (best[:last] + cost[:last, last]).argmin()
        best[last] = best[begin[last]] + cost[begin[last], last]
    out, last = paint.copy(), len(there)
    while last:
        first = begin[last]
        piece = slice(first, last)
        line = level[first, last] + slope[first, last] * (x[piece] - middle[first, last])[:, None]
        out[there[piece]] = line.clip(y[piece].min(0), y[piece].max(0))
        last = first
    return out


class Tones:
    """The keys' colours by object and light. curves: (objects, BINS, 3) logarithm of the paint + 0.02, 0 to 1. limits:
    brightnesses at which a tone ends."""

    def __init__(self, keys: list[Key], edges: list[NDArray[np.float32]]) -> None:
        """edges: (3, H, W) a key."""
        count = max(int(key.view.ids.max()) for key in keys) + 1
        sums, squares, number = np.zeros((count, BINS, 3)), np.zeros(count), np.zeros((count, BINS))
        for key, edge in zip(keys, edges, strict=True):
            use = plain(edge, key) & (key.view.ids > 0)
            where = key.view.ids[use], _bin(shade(key.view).numpy()[use])
            np.add.at(number, where, 1)
            np.add.at(sums, where, key.paint[use] / 255)
            squares += np.bincount(where[0], ((key.paint[use] / 255) ** 2).mean(-1), count)
        self._number = number
        mean = sums / np.maximum(number, 1)[..., None]
        spread = (squares - (number * (mean**2).mean(-1)).sum(1)) / np.maximum(number.sum(1), 1)
        paint = np.log(mean + 0.02)
        weight = np.sqrt(number) * (number >= number.max(1, keepdims=True).clip(1, FEW))
        change = _common(paint, weight)
        change = gaussian_filter1d(fill(change, weight.sum(0) > 0), 0.7, axis=0, mode="nearest")
        self.limits = torch.tensor(_steps(paint.mean(-1), weight), dtype=torch.float32)
        paint = np.log(np.stack([_firm(m, n, s) for m, n, s in zip(mean, number, spread, strict=True)]) + 0.02)
        # An object's own paint where a key shows it in that light; beyond, it changes as all do.
        self.curves = np.stack([fill(p - change, w > 0) + change for p, w in zip(paint, weight, strict=True)])

    @property
    def count(self) -> int:
        """How many tones there are."""
        return len(self.limits) + 1

    def classify(self, shades: Tensor) -> Tensor:
        """(H, W) int64 tone of each pixel, 0 the darkest, of shades (H, W)."""
        tones = torch.zeros_like(shades, dtype=torch.int64)
        for limit in self.limits.tolist():
            tones += shades >= limit
        return tones

    def colours(self, tone: int) -> NDArray[np.float64]:
        """(objects, 3) mean paint in a tone, -1 to 1."""
        inside = self.classify((torch.arange(BINS) + 0.5) * TOP / BINS).numpy() == tone
        colours: NDArray[np.float64] = 2 * (np.exp(self.curves[:, inside].mean(1)) - 0.02) - 1
        return colours

    def usual(self, ids: NDArray[np.int64], shades: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(H, W) where objects ids (H, W) under shades (H, W) are painted about as they mostly are in that tone; a highlight is
        not, and no stroke to be laid elsewhere."""
        colours, odd = np.exp(self.curves) - 0.02, np.zeros(self.curves.shape[:2], bool)
        tones = self.classify((torch.arange(BINS) + 0.5) * TOP / BINS).numpy()
        for inside in (tones == tone for tone in range(self.count)):
            number = self._number[:, inside, None]
            mean = (colours[:, inside] * number).sum(1) / np.maximum(number.sum(1), 1)
            odd[:, inside] = np.abs(colours[:, inside] - mean[:, None]).mean(-1) > ODD
        usual: NDArray[np.bool_] = ~odd[ids, _bin(shades)]
        return usual

    def ratio(
        self, ids: NDArray[np.int64], before: NDArray[np.float32], after: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """(…, 3) by how much the paint of objects `ids` changes when their brightness does."""
        ids = np.minimum(ids, len(self.curves) - 1)
        return np.exp(self.curves[ids, _bin(after)] - self.curves[ids, _bin(before)]).astype(np.float32)


def _steps(paint: NDArray[np.float64], weight: NDArray[np.float64]) -> list[float]:
    """Bounds between the fewest tones that tell enough of how paint (objects, BINS) changes: least squares, by
    dynamic programming."""
    sums = np.cumsum(np.pad(np.stack([weight, weight * paint, weight * paint**2]), ((0, 0), (0, 0), (1, 0))), -1)
    w, x, square = sums[:, :, None] - sums[..., None]  # (objects, first, last)
    cost = np.maximum(square - x**2 / (w + 1e-9), 0).sum(0)
    cost[np.tril_indices(BINS + 1)] = np.inf
    best, starts = cost[0].copy(), [[0] for _ in range(BINS + 1)]
    for _ in range(MOST_TONES - 1):
        if best[BINS] <= (1 - EXPLAINED) * cost[0, BINS] + 1e-9:
            break
        before = (best[:, None] + cost).argmin(0)
        starts = [[*starts[first], int(first)] for first in before]
        best = (best[:, None] + cost).min(0)
    return [first * TOP / BINS for first in starts[BINS][1:]]
