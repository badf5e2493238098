"""Where hatching is told in painted keys: pixels of a tone, what their strokes are over a soft ground, and the one or two plane
waves that tell how they lie. A wave is believed if it is found in one half of the tone's pixels and tells of the strokes in the
other. It knows keys, surfaces and numbers; no tone's colours, no atlas and no networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfftn
from scipy.ndimage import find_objects

from engine.stylise.surface import Surface
from engine.stylise.tones import interior

if TYPE_CHECKING:
    from engine.stylise.painter import Key

FEWEST = 250  # pixels in which a wave is looked for
FINE, COARSE = 4.0, 20.0  # pixels of a key in a period
CELLS = 1 << 20  # of the space in which waves are looked for
MOST = 20_000  # pixels that tell of a wave
FAINT = 0.03  # strokes that are hardly seen, as logarithm
BLOCK = 16  # pixels of a square that belongs to one half
TOLD = 0.1  # part of the other half's variance that a wave has to tell
OWN = 600  # pixels of an object that tell which way its own lines run
TURNED = 0.05  # part of the other half that a wave of an object's own has to tell beyond the common one
TRIES, NEAR = 5, 0.05  # of a spectrum's strongest waves that are looked at closely, and their distance, of their length
ENOUGH = 1500  # pixels that tell which of them is the strongest
ALIKE = 0.15  # of its length: waves of two tones nearer than that are one
APART = 0.3  # of its length: waves nearer than that are one
SOFT = 8.0  # pixels over which a ground is the mean of its strokes


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


def tells(spots: Spots, waves: NDArray[np.float64], fit: NDArray[np.bool_], test: NDArray[np.bool_]) -> float:
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


def _refine(
    points: NDArray[np.float64], strokes: NDArray[np.float64], wave: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The wave near by that is strongest."""

    def strength(k: NDArray[np.float64]) -> float:
        return float(abs((np.exp(1j * (points @ k)) * strokes).sum()))

    step = np.pi / (np.ptp(points, axis=0).max() + 1e-6) / 2
    best = strength(wave)
    for _ in range(40):
        tries = [wave + step * sign * axis for axis in np.eye(3) for sign in (-1, 1)]
        found = [strength(k) for k in tries]
        if max(found) > best:
            best, wave = max(found), tries[int(np.argmax(found))]
        elif (step := step / 2) < 0.01:
            break
    return wave


def _strongest(spots: Spots, strokes: NDArray[np.float64], waves: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of the waves near waves (W, 3) the strongest. A spectrum's own order is that of whole steps, between which a sharp one
    lies."""
    few = slice(None, None, -(-len(strokes) // ENOUGH))
    thin, some = spots.points[few], strokes[few]
    strength = np.abs(some @ np.exp(1j * (thin @ waves.T)))
    tries: list[NDArray[np.float64]] = []
    for wave in waves[strength.argsort()[::-1]]:
        if len(tries) < TRIES and all(_apart(wave, other, NEAR) for other in tries):
            tries.append(wave)
    tries = [_refine(thin, some, wave) for wave in tries]
    best = max(tries, key=lambda wave: abs((np.exp(1j * (spots.points @ wave)) * strokes).sum()))
    return _refine(spots.points, strokes, best)


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
        near = [best, *(v for v in _spectrum(spots, left) if not _apart(v, best))]
        waves = np.vstack([waves, _strongest(spots, left, np.stack(near))])
    if len(waves) == 2:  # each anew, now that the other is known
        for one, other in ((0, 1), (1, 0)):
            left = spots.strokes - _lay(spots, waves[[other]], spots.half | True)
            waves[one] = _refine(spots.points, left, waves[one])
    return waves, told


def _try(spots: Spots, waves: NDArray[np.float64], half: NDArray[np.bool_]) -> tuple[float, NDArray[np.float64]]:
    """One wave more (3,), found in a half, and how much of the other half all tell together."""
    part, left = spots.part(half), (spots.strokes - _lay(spots, waves, half))[half]
    fresh = [v for v in _spectrum(part, left) if all(_apart(v, w) for w in waves)]
    if not fresh:
        return -1.0, np.zeros(3)
    wave = _strongest(part, left, np.stack(fresh))
    return tells(spots, np.vstack([waves, wave]), half, ~half), wave


def join(found: dict[int, tuple[NDArray[np.float64], bool]], hatched: dict[int, Spots]) -> None:
    """Where waves of a tone and of the next darker are nearly one, both made the one that is strongest in both: lines run on
    from tone to tone, and the more pixels tell of them, the farther off they still lie right."""
    for tone, (waves, flat) in found.items():
        darker, flat_too = found.get(tone - 1, (waves, flat))
        if darker is waves or flat != flat_too:
            continue
        pairs = [(i, j) for i, j in np.ndindex(len(waves), len(darker)) if not _apart(waves[i], darker[j], ALIKE)]
        for i, j in pairs:
            parts = [(hatched[tone], waves, i), (hatched[tone - 1], darker, j)]
            left = [s.strokes - _lay(s, np.delete(w, n, 0), s.half | True) for s, w, n in parts]
            points = np.concatenate([s.points for s, *_ in parts])
            tries = [_refine(points, np.concatenate(left), w[n]) for _, w, n in parts]
            waves[i] = darker[j] = max(tries, key=lambda k: abs(np.concatenate(left) @ np.exp(1j * (points @ k))))


def _apart(a: NDArray[np.float64], b: NDArray[np.float64], by: float = APART) -> bool:
    """Whether two waves are two; a wave and its opposite are one."""
    return min(np.linalg.norm(a - b), np.linalg.norm(a + b)) > by * np.linalg.norm(b)


def _lay(spots: Spots, waves: NDArray[np.float64], fit: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(N,) strokes that waves (W, 3) make, whose amounts are those of `fit`."""
    if not len(waves):
        return np.zeros(len(spots.ids))
    angle = spots.points @ waves.T
    columns = np.concatenate([np.cos(angle), np.sin(angle)], 1)
    return columns @ np.linalg.lstsq(columns[fit], spots.strokes[fit], rcond=None)[0]


def turn(spots: Spots, waves: NDArray[np.float64]) -> NDArray[np.float64]:
    """The waves as they run on one object, if they run there otherwise than on all; else the same."""
    if len(spots.ids) < OWN:
        return waves
    halves = (spots.half, ~spots.half)
    gains = []
    for half in halves:
        turned = np.stack([_refine(spots.points[half], spots.strokes[half], wave) for wave in waves])
        gains.append(tells(spots, turned, half, ~half) - tells(spots, waves, half, ~half))
    if min(gains) < TURNED:
        return waves
    return np.stack([_refine(spots.points, spots.strokes, wave) for wave in waves])
