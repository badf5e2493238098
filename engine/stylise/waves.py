"""Hatching: strokes that come again and again over the rest-pose surface, or over the picture. For every tone the one or two
plane waves, in the surface's own units or in pixels, that tell where a key's strokes lie; where the tone spreads, the lines go on
as they went. A wave is believed if it is found in one half of the tone's pixels and tells of the strokes in the other, and to lie
in the picture if that tells much more. It knows views, paint and tones; no networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfftn
from scipy.ndimage import find_objects, gaussian_filter
from torch import Tensor

from engine.stylise.generator import SCALE
from engine.stylise.surface import Surface
from engine.stylise.tones import Tones, interior

if TYPE_CHECKING:
    from engine.stylise.painter import Key

FEWEST = 250  # pixels in which a wave is looked for
FINE, COARSE = 4.0, 20.0  # pixels of a key in a period
CELLS = 1 << 20  # of the space in which waves are looked for
MOST = 20_000  # pixels that tell of a wave
FAINT = 0.03  # strokes that are hardly seen, as logarithm
HATCHED = 0.12  # part that waves tell of the strokes of an object that is hatched
SURE = 100  # pixels of an object that tell how it is hatched
BLOCK = 16  # pixels of a square that belongs to one half
TOLD = 0.1  # part of the other half's variance that a wave has to tell
OWN = 600  # pixels of an object that tell which way its own lines run
TURNED = 0.05  # part of the other half that a wave of an object's own has to tell beyond the common one
APART = 0.3  # of its length: waves nearer than that are one
SIDE = 12  # pixels of the atlas, unscaled, in a period
SOFT = 8.0  # pixels over which a ground is the mean of its strokes
RIM = 2  # and beside it, where it goes on
ROOM = 1.05  # from a middle tone to black or white, as engine.stylise.generator.adapt has it
FLAT = 0.1  # of the strokes, which waves in the picture's plane must tell beyond those over the surface
SHIFTED = 0.1  # of a period, by which lines in the picture's plane may be off before they are drawn anew
RANKS = 24  # steps of darkness between which paint is told apart


@dataclass(frozen=True)
class Spots:
    """Pixels of the keys. place: (N,) which, of all keys one after the other. ids: (N,). points: (N, 3). strokes: (N,) logarithm
    of the paint's brightness over its soft ground. footprint: (N,) edge of a pixel on the surface. half: (N,) bool."""

    place: NDArray[np.int64]
    ids: NDArray[np.int64]
    points: NDArray[np.float64]
    strokes: NDArray[np.float64]
    footprint: NDArray[np.float64]
    half: NDArray[np.bool_]

    def part(self, where: NDArray[np.bool_]) -> Spots:
        """Some of them."""
        return Spots(*(getattr(self, name)[where] for name in self.__dataclass_fields__))

    def flat(self, shape: tuple[int, int]) -> Spots:
        """The same, their points where they lie in the picture (H, W), in pixels."""
        row, column = np.divmod(self.place % (shape[0] * shape[1]), shape[1])
        points = np.stack([column, row, 0 * column], -1).astype(np.float64)
        return replace(self, points=points, footprint=np.ones(len(column)))


class Sheet(NamedTuple):
    """What of a key is looked at. inside: (H, W) bool, away from edges and on objects. grey: (H, W) logarithm of the paint's
    brightness."""

    inside: NDArray[np.bool_]
    grey: NDArray[np.float32]

    @classmethod
    def of(cls, key: Key, surface: Surface) -> Sheet:
        """A key's."""
        inside = interior(surface.edges.numpy(), key.painted, 1) & (key.view.ids > 0)
        return cls(inside, np.log(key.paint.mean(-1) / 255 + 0.05).astype(np.float32))


def gather(
    keys: list[Key],
    surfaces: list[Surface],
    sheets: list[Sheet],
    tones: list[NDArray[np.uint8]],
    which: tuple[int, ...],
) -> Spots:
    """All pixels of some tones that are away from edges."""
    parts, start = [], 0
    for key, surface, (inside, grey), there in zip(keys, surfaces, sheets, tones, strict=True):
        view = key.view
        use = inside & np.logical_or.reduce([there == tone for tone in which])
        y, x = np.nonzero(use)
        strokes = _strokes(grey, view.ids, use)[use]
        half = (y // BLOCK + x // BLOCK) % 2 == 0
        points, footprint = view.points[use].astype(np.float64), surface.footprint.numpy()[use]
        parts.append((start + y * view.shape[1] + x, view.ids[use], points, strokes, footprint, half))
        start += use.size
    spots = Spots(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    count = np.bincount(spots.ids)
    return spots.part(count[spots.ids] >= 40)


def _strokes(grey: NDArray[np.float32], ids: NDArray[np.int64], use: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(H, W) what is over each object's soft ground."""
    out: NDArray[np.float64] = np.zeros(grey.shape)
    for ob, box in enumerate(find_objects(np.where(use, ids, 0)), 1):
        if box is None:
            continue
        part = (use[box] & (ids[box] == ob)).astype(np.float32)
        soft, ground = (
            cv2.GaussianBlur(x, (0, 0), SOFT, borderType=cv2.BORDER_CONSTANT) for x in (part, grey[box] * part)
        )
        ground /= np.maximum(soft, 1e-6)
        out[box] += (grey[box] - ground) * part
    return out


def _told(spots: Spots, waves: NDArray[np.float64], fit: NDArray[np.bool_], test: NDArray[np.bool_]) -> float:
    """Part of the strokes' variance in `test` that waves (W, 3) tell whose amounts are those of `fit`."""
    left = (spots.strokes - _lay(spots, waves, fit))[test]
    return float(1 - (left**2).sum() / ((spots.strokes[test] ** 2).sum() + 1e-12))


def _spectrum(spots: Spots, strokes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 3) wave vectors, strongest first."""
    foot = float(np.median(spots.footprint))
    low, high = 2 * np.pi / (COARSE * foot), 2 * np.pi / (FINE * foot)
    cell = 2 * np.pi / high / 2.2
    at = np.floor((spots.points - spots.points.min(0)) / cell).astype(np.int64)
    shape = [next_fast_len(int(1.3 * n) + 1, real=True) if n > 2 else int(n) + 1 for n in at.max(0)]
    while np.prod(shape) > CELLS:  # what is far goes round, and tells of fewer waves
        shape[int(np.argmax(shape))] = next_fast_len(int(0.8 * max(shape)), real=True)
    at = at % shape
    grid = np.zeros(shape, np.float32)
    np.add.at(grid, tuple(at.T), strokes.astype(np.float32))
    power = np.abs(rfftn(grid))
    axes = [2 * np.pi * np.fft.fftfreq(n, cell).astype(np.float32) for n in shape]
    axes[2] = np.abs(axes[2][: power.shape[2]])
    length = sum(axis**2 for axis in np.ix_(*axes))
    power[(length < low**2) | (length > high**2)] = 0
    best = np.argpartition(power.ravel(), -min(60, power.size))[-60:]
    best = best[power.ravel()[best].argsort()[::-1]]
    places = np.unravel_index(best, power.shape)
    return np.stack([axis[at] for axis, at in zip(axes, places, strict=True)], -1).astype(np.float64)


def _refine(spots: Spots, strokes: NDArray[np.float64], wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """The wave near by that is strongest."""

    def strength(k: NDArray[np.float64]) -> float:
        return float(abs((np.exp(1j * (spots.points @ k)) * strokes).sum()))

    step = np.pi / (np.ptp(spots.points, axis=0).max() + 1e-6) / 2
    best = strength(wave)
    for _ in range(40):
        tries = [wave + step * sign * axis for axis in np.eye(3) for sign in (-1, 1)]
        found = [strength(k) for k in tries]
        if max(found) > best:
            best, wave = max(found), tries[int(np.argmax(found))]
        elif (step := step / 2) < 0.01:
            break
    return wave


def find(spots: Spots, rng: np.random.Generator) -> tuple[NDArray[np.float64], float]:
    """(W, 3) up to two waves that tell of the strokes, and what part."""
    if len(spots.ids) < FEWEST or spots.strokes.std() < FAINT or np.median(spots.footprint) == 0:
        return np.zeros((0, 3)), 0.0
    if len(spots.ids) > MOST:
        pick = np.zeros(len(spots.ids), bool)
        pick[rng.choice(len(pick), MOST, replace=False)] = True
        spots = spots.part(pick)
    waves = np.zeros((0, 3))
    told = 0.0
    while len(waves) < 2:
        found = [_try(spots, waves, spots.half)]
        if found[0][0] < told + TOLD / 5:
            break
        found.append(_try(spots, waves, ~spots.half))
        gain = (found[0][0] + found[1][0]) / 2
        if gain < told + TOLD:
            break
        told, best = gain, max(found, key=lambda f: f[0])[1]
        left = spots.strokes - _lay(spots, waves, spots.half | True)
        waves = np.vstack([waves, _refine(spots, left, best)])
    return waves, told


def _try(spots: Spots, waves: NDArray[np.float64], half: NDArray[np.bool_]) -> tuple[float, NDArray[np.float64]]:
    """One wave more (3,), found in a half, and how much of the other half all tell together."""
    part, left = spots.part(half), (spots.strokes - _lay(spots, waves, half))[half]
    fresh = [v for v in _spectrum(part, left) if all(_apart(v, w) for w in waves)]
    if not fresh:
        return -1.0, np.zeros(3)
    wave = _refine(part, left, fresh[0])
    return _told(spots, np.vstack([waves, wave]), half, ~half), wave


def _apart(a: NDArray[np.float64], b: NDArray[np.float64]) -> bool:
    """Whether two waves are two; a wave and its opposite are one."""
    return min(np.linalg.norm(a - b), np.linalg.norm(a + b)) > APART * np.linalg.norm(b)


def _lay(spots: Spots, waves: NDArray[np.float64], fit: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N,) strokes that waves (W, 3) make, whose amounts are those of `fit`."""
    if not len(waves):
        return np.zeros(len(spots.ids))
    angle = spots.points @ waves.T
    columns = np.concatenate([np.cos(angle), np.sin(angle)], 1)
    return columns @ np.linalg.lstsq(columns[fit], spots.strokes[fit], rcond=None)[0]


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


def _turned(spots: Spots, waves: NDArray[np.float64]) -> NDArray[np.float64]:
    """The waves as they run on one object, if they run there otherwise than on all; else the same."""
    if len(spots.ids) < OWN:
        return waves
    halves = (spots.half, ~spots.half)
    gains = []
    for half in halves:
        turned = np.stack([_refine(spots.part(half), spots.strokes[half], wave) for wave in waves])
        gains.append(_told(spots, turned, half, ~half) - _told(spots, waves, half, ~half))
    if min(gains) < TURNED:
        return waves
    return np.stack([_refine(spots, spots.strokes, wave) for wave in waves])


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
        for tone, (waves, flat) in found.items():
            spots = gather(keys, surfaces, sheets, tones, (tone,))
            spots = spots.flat(self._size) if flat else spots
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
        told = {ob: _told(part, waves, part.half | True, part.half | True) for ob, part in own.items()}
        hatched = [ob for ob, part in told.items() if part > HATCHED]
        shared = spots.part(np.isin(spots.ids, hatched))
        grounds = rule.colours(tone)
        for ob in range(1, len(which) - 1):
            if ob in hatched and len(own[ob].ids) >= SURE:
                lines = waves if flat else _turned(own[ob], waves)
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
