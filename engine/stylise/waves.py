"""Hatching: strokes that come again and again over the rest-pose surface, or over the picture. For every tone the one or two
plane waves, in the surface's own units or in pixels, that tell where a key's strokes lie; where the tone spreads, the lines go on
as they went. A wave is taken to lie in the picture if that tells much more. It knows views, paint and tones; no networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor

from engine.stylise.generator import SCALE
from engine.stylise.hatching import Sheet, Spots, find, gather, join, tells, turn
from engine.stylise.surface import Surface
from engine.stylise.tones import Tones

if TYPE_CHECKING:
    from engine.stylise.painter import Key

HATCHED = 0.12  # part that waves tell of the strokes of an object that is hatched
SURE = 100  # pixels of an object that tell how it is hatched
SIDE = 12  # pixels of the atlas, unscaled, in a period
RIM = 2  # and beside it, where it goes on
ROOM = 1.05  # from a middle tone to black or white, as engine.stylise.generator.adapt has it
FLAT = 0.1  # of the strokes, which waves in the picture's plane must tell beyond those over the surface
SHIFTED = 0.1  # of a period, by which lines in the picture's plane may be off before they are drawn anew
RANKS = 24  # steps of darkness between which paint is told apart


@dataclass(frozen=True)
class Slot:
    """A square of the atlas for one object in one tone. place: (N,) which pixels of the keys it is painted after. steps: (N,) how
    light each is among those of its object, 0 to RANKS - 1. cells: (C, C) lightness by phase, as steps; C = SCALE SIDE. blur:
    pixels of the atlas over which it is soft. ground: (3,) the object's mean paint, -1 to 1; None if `place` tells it."""

    place: NDArray[np.int64]
    steps: NDArray[np.int64]
    cells: NDArray[np.int64]
    blur: float
    ground: NDArray[np.float64] | None


def _score(spots: Spots, waves: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How light the strokes of spots (N,) should be by their phases, and of (C, C) cells; C = SCALE SIDE."""
    angle = spots.points @ waves.T
    turns = (np.arange(SCALE * SIDE) + 0.5) * 2 * np.pi / (SCALE * SIDE)

    def columns(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([np.cos(x), np.sin(x), np.cos(2 * x), np.sin(2 * x)], -1)

    basis = np.concatenate([columns(a) for a in angle.T], 1)
    amounts = np.linalg.lstsq(basis, spots.strokes, rcond=None)[0].reshape(len(waves), 4)
    here = np.stack([columns(a) @ c for a, c in zip(angle.T, amounts, strict=True)])
    there = np.stack([columns(turns) @ c for c in amounts])
    if len(waves) == 1:
        return here[0], np.broadcast_to(there[0], (len(turns), len(turns)))
    joined = [np.add, np.minimum, np.maximum]
    best = max(joined, key=lambda f: np.corrcoef(f(*here), spots.strokes)[0, 1])
    return best(*here), best(there[0][None], there[1][:, None])


def _ranks(values: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) step of each value among those of its group."""
    order = np.lexsort((values, groups))
    count = np.bincount(groups)
    start = np.cumsum(count) - count
    out = np.empty(len(values), np.int64)
    out[order] = (np.arange(len(values)) - start[groups[order]]) * RANKS // count[groups[order]]
    return out


def _slot(own: Spots, all_: Spots, waves: NDArray[np.float64], ground: NDArray[np.float64] | None) -> Slot:
    """A square in the colours of `own`, in which lines lie as they do in `all_`."""
    score, cells = _score(all_, waves)
    lightness = (np.searchsorted(np.sort(score), cells) * RANKS // len(score)).clip(0, RANKS - 1)
    period = 2 * np.pi / np.linalg.norm(waves, axis=1).max() / np.median(all_.footprint)
    return Slot(own.place, _ranks(own.strokes, own.ids), lightness, 0.4 * SCALE * SIDE / period, ground)


def _look(slot: Slot, sums: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Strokes (3, C + rims, C + rims) of a square and the ground (3,) they lie on. sums: (9, RANKS) of its pixels' strokes
    towards black and towards white, as parts of the way there, and of their tone, by step."""
    number = np.maximum(np.bincount(slot.steps, minlength=RANKS), 1)
    ground = sums[6:].sum(1) / number.sum() if slot.ground is None else slot.ground.clip(-1, 1)
    dark, light = np.split((sums / number)[:6], 2)
    look = (dark * (ground[:, None] + ROOM) + light * (ROOM - ground[:, None]))[:, slot.cells]
    look = gaussian_filter(look, (0, slot.blur, slot.blur), mode="wrap")
    rim = (SCALE * RIM,) * 2
    return np.pad(look, [(0, 0), rim, rim], mode="wrap"), ground


class Waves:
    """All waves of the keys, and the squares of the atlas that show what they look like."""

    def __init__(
        self,
        keys: list[Key],
        surfaces: list[Surface],
        tones: list[NDArray[np.uint8]],
        rule: Tones,
        device: torch.device | str,
    ) -> None:
        rng, count = np.random.default_rng(0), rule.count
        sheets = [Sheet.of(key, surface) for key, surface in zip(keys, surfaces, strict=True)]
        self._size = keys[0].view.shape
        objects = max(int(key.view.ids.max()) for key in keys) + 1
        self._slots: list[Slot] = []
        which = np.full((objects + 1, count), -1)
        self._lines: list[NDArray[np.float64]] = []
        found: dict[int, tuple[NDArray[np.float64], bool]] = {}
        for run in [*((tone,) for tone in range(count)), *((tone, tone + 1) for tone in range(count - 1))]:
            if not any(tone in found for tone in run):
                spots = gather(keys, surfaces, sheets, tones, run)
                waves, told = find(spots, rng)
                others, told_flat = find(spots.flat(self._size), np.random.default_rng(0))
                if flat := bool(len(others)) and told_flat > told + FLAT:
                    waves = others
                found |= dict.fromkeys(run, (waves, flat)) if len(waves) else {}
        hatched = {}
        for tone, (_, flat) in found.items():
            spots = gather(keys, surfaces, sheets, tones, (tone,))
            hatched[tone] = spots.flat(self._size) if flat else spots
        join(found, hatched)
        for tone, (waves, flat) in found.items():
            spots = hatched[tone]
            if len(spots.ids) >= SURE:
                self._use(tone, spots, waves, which, rule, flat)
        edge = SIDE + 2 * RIM
        across = max(1, self._size[1] // edge)
        number = np.arange(len(self._slots))
        top = len(keys) * self._size[0]
        self.rows = -(-len(self._slots) // across) * edge
        origin = np.stack([number % across * edge, top + number // across * edge], -1).reshape(-1, 2)
        self._origin = torch.from_numpy(np.pad(origin, [(0, 1), (0, 0)]).astype(np.float32)).to(device)
        self._which = torch.from_numpy(which).to(device)
        self._vectors = torch.from_numpy(np.array(self._lines, np.float32).reshape(-1, 2, 5)).to(device)
        self._flat = bool(self._vectors[..., 3:].any())
        self._sums = [np.zeros((len(self._slots), 9, RANKS)) for _ in keys]

    def _use(
        self,
        tone: int,
        spots: Spots,
        waves: NDArray[np.float64],
        which: NDArray[np.int64],
        rule: Tones,
        flat: bool,
    ) -> None:
        """Squares for the objects that are hatched in a tone, or that no key shows in it."""
        own = {int(ob): spots.part(spots.ids == ob) for ob in np.unique(spots.ids)}
        told = {ob: tells(part, waves, part.half | True, part.half | True) for ob, part in own.items()}
        hatched = [ob for ob, part in told.items() if part > HATCHED]
        shared = spots.part(np.isin(spots.ids, hatched))
        grounds = rule.colours(tone)
        for ob in range(1, len(which) - 1):
            if ob in hatched and len(own[ob].ids) >= SURE:
                lines = waves if flat else turn(own[ob], waves)
                slot = _slot(own[ob], own[ob] if lines is not waves else shared, lines, None)
            elif len(hatched) > 1 and (ob in hatched or ob not in own or len(own[ob].ids) < 3 * SURE):
                lines, slot = waves, _slot(shared, shared, waves, grounds[ob])
            else:
                continue
            which[ob, tone] = len(self._slots)
            self._slots.append(slot)
            lines = np.pad(lines[:, :2], [(0, 0), (3, 0)]) if flat else np.pad(lines, [(0, 0), (0, 2)])
            self._lines.append(np.pad(lines, [(0, 2 - len(lines)), (0, 0)]))

    def __bool__(self) -> bool:
        return bool(self._slots)

    def refresh(self, i: int, sheets: Tensor, atlas: Tensor, top: int = 0) -> None:
        """Paint the squares anew. sheets: (CARRIED, H, W) of key i, as laid out for the atlas; atlas: with rows for them, or what
        of it is below its row `top`."""
        if not self._slots:
            return
        size, edge = self._size[0] * self._size[1], SIDE + 2 * RIM
        planes = sheets[:6].flatten(1).cpu().numpy()
        for n, slot in enumerate(self._slots):
            mine = slot.place // size == i
            strokes, tone = np.split(planes[:, slot.place[mine] - i * size], 2)
            tone = tone.clip(-1, 1)
            dark, light = strokes.clip(max=0) / (tone + ROOM), strokes.clip(min=0) / (ROOM - tone)
            for row, values in zip(self._sums[i][n], [*dark, *light, *tone], strict=True):
                row[:] = np.bincount(slot.steps[mine], values, RANKS)
            look, ground = _look(slot, np.sum([sums[n] for sums in self._sums], 0))
            x, y = (SCALE * int(v) for v in self._origin[n])
            square = atlas[:, y - top : y - top + SCALE * edge, x : x + SCALE * edge]
            square[:3] = torch.from_numpy(look).to(square)
            square[3:6] = torch.from_numpy(ground[:, None, None]).to(square)

    def holds(self, tones: Tensor, known: Tensor) -> Tensor:
        """(H, W) bool, where hatching is to be had, of tones and objects as in `place`."""
        return self._which[known, tones] >= 0

    def keep(self, suits: Tensor, xy: Tensor, surface: Surface, tones: Tensor, known: Tensor) -> Tensor:
        """How far strokes suit (H, W), but for those at xy (H, W, 2) in the keys that are of lines in the picture's plane which
        would lie elsewhere here."""
        if not self._flat:
            return suits
        slots = self._which[known, tones].flatten()
        where = torch.nonzero(slots >= 0)[:, 0]
        vectors, there = self._vectors[slots[where], :, 3:], xy.view(-1, 2)[where]
        there = torch.stack([there[:, 0], there[:, 1] % self._size[0]], -1)
        off = (vectors * (there - _picture(surface, where).T)[:, None]).sum(-1) / (2 * torch.pi)
        moved = (off - off.round()).abs().amax(-1) > SHIFTED
        suits = suits.clone()
        suits.view(-1)[where[moved]] = 0
        return suits

    def place(self, surface: Surface, tones: Tensor, known: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where hatching is to be had. known: (H, W) the object in the keys after which each pixel is painted. Returns the flat
        pixels, their places in the atlas (N, 2), and how far each is wanted (N,): lines too close to be told apart are not."""
        slots = self._which[known, tones].flatten()
        where = torch.nonzero(slots >= 0)[:, 0]
        slots = slots[where]
        vectors, points = self._vectors[slots], surface.points.flatten(1)[:, where]
        slopes = surface.slopes.flatten(2)[:, :, where]  # (2, 3, N)
        if self._flat:
            points = torch.cat([points, _picture(surface, where)])
            pixel = torch.eye(2, device=points.device)[..., None] / surface.finer
            slopes = torch.cat([slopes, pixel.expand(-1, -1, len(where))], 1)
        vectors = vectors[..., : len(points)]
        turns = (vectors * points.T[:, None]).sum(-1) / (2 * torch.pi)
        change = torch.einsum("nwc,pcn->nwp", vectors, slopes).norm(dim=-1).amax(-1) / (2 * torch.pi)
        xy = self._origin[slots] + RIM - 0.5 + SIDE * (turns - torch.floor(turns))
        return where, xy, (2 - 4 * change).clamp(0, 1)  # whole from four pixels a period on, none below two


def _picture(surface: Surface, where: Tensor) -> Tensor:
    """(2, N) where flat pixels (N,) lie in the whole picture, column and row, in pixels of the keys."""
    width = surface.ids.shape[1]
    column, row = where % width + surface.corner[1], where // width + surface.corner[0]
    return (torch.stack([column, row]) + 0.5) / surface.finer - 0.5
