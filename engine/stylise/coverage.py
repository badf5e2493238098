"""Which frame to paint next: the one that shows most of what the shot shows and no painted key does. Surface counts by cells of
the rest pose, a third for being seen by a key at all, a third for being seen in that light, so that a frame in a light that no
key has counts too. The last third is each object's shaded and lit part, as large as a frame shows them in the mean: hidden
surface is painted as the key paints its object in that light, and a wall whose shadow no key shows cannot be. Leaves
suggest.json and coverage/NNNN.png, where the surface that no key shows is tinted.

It knows views and files; no networks.
"""

from __future__ import annotations

import functools
from collections.abc import Generator as Steps
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from engine import frames, job_folder, pictures, protocol
from engine.progress import Outcome, Update
from engine.protocol import Shot
from engine.stylise.views import View, read_view

LOOKED_AT = 60  # frames, evenly over the shot, besides the keys
PIXELS = 80_000  # a frame, evenly over it
PICTURES = 12  # frames, evenly over those looked at, besides the suggested
CELL = 6.0  # pixels along the edge of a cell of level 0, at an object's median distance; twice the size each level more
LEVELS = 6  # what is far or seen at a flat angle is told apart by larger cells only
LIGHTS = np.array([0.25, 0.45, 0.6, 0.73, 0.86])  # borders of the classes of light: render over albedo
KINDS = len(LIGHTS) + 1
SHADED = 0.52  # light below which a part of an object counts as shaded
EDGE = 0.05  # so near to a border both classes count as seen
NOTICED = 0.0005  # of a frame, from which on an object that no key shows is worth a word
HIDDEN, UNLIT = np.array([255, 0, 160]), np.array([255, 190, 0])  # tints: surface, and light on it, that no key shows
SEEN = ("render", "albedo", "ids", "points")
SOFTWARE = "Understudy coverage"


@dataclass(frozen=True)
class Sight:
    """What a frame shows, thinned out. ids: (h, w) int64. points: (h, w, 3) float32. shade: (h, w) float32, light that falls
    there. extent: (h, w) float32, longest side of a pixel of these on the surface. painted: (h, w) bool, what would count as a
    key."""

    frame: int
    step: int
    ids: np.ndarray
    points: np.ndarray
    shade: np.ndarray
    extent: np.ndarray
    painted: np.ndarray

    @cached_property
    def pixels(self) -> np.ndarray:
        """(N,) flat indices of what shows a surface; the background does not."""
        return np.flatnonzero(self.ids)

    @property
    def light(self) -> np.ndarray:
        """(N,) of those pixels."""
        return self.shade.ravel()[self.pixels]


@dataclass
class Suggestion:
    """frames: best first. covered: by frame looked at, the share of its surface that the keys cover, 0 to 1. totals: share of
    the whole shot with the present keys, then with each suggested frame besides."""

    frames: list[int]
    covered: dict[int, float]
    totals: list[float]


def see(view: View, painted: np.ndarray | None = None) -> Sight:
    """The view, thinned out. painted: (H, W) bool, the part of a key that counts; all if None."""
    step = int(np.ceil(np.sqrt(view.ids.size / PIXELS)))
    planes = {name: plane[::step, ::step].copy() for name, plane in vars(view).items() if name in SEEN}
    thin = replace(view, **planes)  # and the view itself is let go
    shade = thin.render.mean(-1) / (thin.albedo.mean(-1) + 0.05)
    extent = np.sqrt((thin.slopes**2).sum(-1).max(-1))
    counts = np.ones(thin.shape, bool) if painted is None else painted[::step, ::step].copy()
    return Sight(view.frame, step, thin.ids, thin.points, shade, extent, counts)


class Surface:
    """The cells of all that was seen, numbered, and which of them every frame shows. A cell in a light is the number of the
    cell times the classes of light plus the class."""

    def __init__(self, sights: list[Sight]) -> None:
        self.sights = sights
        self._edges = _cell_edges(sights)
        self._levels = [self._level(sight) for sight in sights]
        names = [self._names(sight, level) for sight, level in zip(sights, self._levels, strict=True)]
        self._known, cells = np.unique(np.concatenate(names), return_inverse=True)
        self.size = len(self._known)
        bounds = np.cumsum([len(name) for name in names])[:-1]
        self.cells = np.split(cells.astype(np.int64), bounds)  # (N,) of each sight's pixels
        self.lit = [
            cell * KINDS + np.digitize(sight.light, LIGHTS) for cell, sight in zip(self.cells, sights, strict=True)
        ]
        # How many pixels of the shot show a cell, and a cell in a light.
        self.weight = np.bincount(cells, minlength=self.size).astype(float)
        self.lit_weight = np.bincount(np.concatenate(self.lit), minlength=self.size * KINDS).astype(float)
        # (parts,) pixels that a frame shows, in the mean, of each object's shaded and lit part. Their roots are their weights, or
        # a shadow would count for nothing beside its wall.
        self.usual = np.mean([self._parts(sight, np.ones(sight.ids.shape, bool)) for sight in sights], 0)
        self.parts = [self._parts(sight, sight.painted) for sight in sights]

    def _level(self, sight: Sight) -> np.ndarray:
        """(N,) of the sight's pixels, 0 to LEVELS - 1."""
        extent = sight.extent.ravel()[sight.pixels] * CELL / self._edges[sight.ids.ravel()[sight.pixels]]
        return np.clip(np.rint(np.log2(np.maximum(extent, 1e-9))), 0, LEVELS - 1).astype(np.int64)

    def _names(self, sight: Sight, level: np.ndarray) -> np.ndarray:
        """(N,) int64, one number for each cell of each object and level that the sight's pixels show."""
        ids = sight.ids.ravel()[sight.pixels]
        edge = self._edges[ids] * 2.0**level
        place = np.floor(sight.points.reshape(-1, 3)[sight.pixels] / edge[:, None]).astype(np.int64)
        x, y, z = np.moveaxis(np.clip(place + (1 << 13), 0, (1 << 14) - 1), -1, 0)
        return ((((ids * LEVELS + level) << 14 | x) << 14) | y) << 14 | z

    def _parts(self, sight: Sight, counted: np.ndarray) -> np.ndarray:
        """(parts,) pixels of the shaded and the lit part of every object, of those counted, (h, w) bool."""
        parts = 2 * sight.ids.ravel()[sight.pixels] + (sight.light >= SHADED)
        return np.bincount(parts[counted.ravel()[sight.pixels]], minlength=2 * len(self._edges)).astype(float)

    @functools.cache  # noqa: B019 as many as there are sights
    def shown(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """What sight i shows: cells, and cells in a light; near a border of two classes of light, in both. Who sees the small
        cells sees the larger ones that they are part of; half the detail is let pass."""
        sight = self.sights[i]
        painted = sight.painted.ravel()[sight.pixels]
        low, high = np.digitize(sight.light - EDGE, LIGHTS), np.digitize(sight.light + EDGE, LIGHTS)
        cells, lit = [], []
        for level in range(LEVELS):
            fine = painted & (self._levels[i] <= level + 1)
            names = self._names(sight, np.full(len(fine), level))[fine]
            found = np.minimum(np.searchsorted(self._known, names), self.size - 1)
            there = self._known[found] == names
            cells.append(found[there])
            lit += [found[there] * KINDS + kind[fine][there] for kind in (low, high)]
        return np.unique(np.concatenate(cells)), np.unique(np.concatenate(lit))


def _cell_edges(sights: list[Sight]) -> np.ndarray:
    """(highest id + 1,) edge of an object's cells of level 0: CELL of its median pixels, over every frame that shows it."""
    ids = np.concatenate([sight.ids.ravel()[sight.pixels] for sight in sights])
    extent = np.concatenate([sight.extent.ravel()[sight.pixels] for sight in sights])
    edges = np.ones(int(ids.max(initial=0)) + 1)
    for i in np.unique(ids):
        seen = extent[(ids == i) & (extent > 0)]
        edges[i] = CELL * np.median(seen) if seen.size else 1.0
    return edges


class Covered:
    """What some keys show of a Surface."""

    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        self.cells = np.zeros(surface.size, bool)
        self.lit = np.zeros(surface.size * KINDS, bool)
        self.parts = np.zeros(len(surface.usual))

    def add(self, i: int) -> None:
        """Sight i is painted."""
        cells, lit = self.surface.shown(i)
        self.cells[cells] = self.lit[lit] = True
        self.parts += self.surface.parts[i]

    def gain(self, i: int) -> float:
        """How much more of the shot would be covered with sight i, as a share of it."""
        cells, lit = self.surface.shown(i)
        fresh = self.surface.weight[cells[~self.cells[cells]]].sum()
        fresh += self.surface.lit_weight[lit[~self.lit[lit]]].sum()
        parts = self._known_parts(self.parts + self.surface.parts[i]) - self._known_parts(self.parts)
        return float(fresh / max(self.surface.weight.sum(), 1) + parts) / 3

    def total(self) -> float:
        """Share of all that the shot shows, 0 to 1; 1 of nothing."""
        everything = self.surface.weight.sum()
        held = self.surface.weight @ self.cells + self.surface.lit_weight @ self.lit
        return float(held / everything + self._known_parts(self.parts)) / 3 if everything else 1.0

    def _known_parts(self, parts: np.ndarray) -> float:
        """How much (parts,) pixels tell of the shaded and lit parts of all objects, 0 to 1."""
        usual = self.surface.usual
        told = np.minimum(parts / np.maximum(usual, 1e-9), 1)
        return float(np.sqrt(usual) @ told / max(np.sqrt(usual).sum(), 1e-9))

    def pixels(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """(N,) bool for sight i's pixels: surface seen by a key, and seen in this light."""
        return self.cells[self.surface.cells[i]], self.lit[self.surface.lit[i]]

    def share(self, i: int) -> float:
        """Share of what sight i shows, 0 to 1; 1 of nothing."""
        seen, lit = self.pixels(i)
        return float((seen.mean() + lit.mean()) / 2) if len(seen) else 1.0


def suggest(surface: Surface, covered: Covered, candidates: list[int], count: int) -> Suggestion:
    """The `count` candidates (indices of sights) that together add most to what is covered, each the best one after those
    before it; fewer where nothing is left to add. Changes `covered`."""
    shares = {sight.frame: covered.share(i) for i, sight in enumerate(surface.sights)}
    chosen: list[int] = []
    totals = [covered.total()]
    while candidates and len(chosen) < count:
        gains = [covered.gain(i) for i in candidates]
        if max(gains) <= 0:
            break
        best = candidates.pop(int(np.argmax(gains)))
        covered.add(best)
        chosen.append(surface.sights[best].frame)
        totals.append(covered.total())
    return Suggestion(chosen, shares, totals)


# --- the job ---------------------------------------------------------------------------------------------------------


def suggest_key(folder: Path, settings: protocol.SuggestKey) -> Steps[Update, bool | None, Outcome]:
    """Suggest frames to paint; leaves suggest.json and coverage/. Raises JobError."""
    shot = job_folder.read_shot(folder)
    keys = sorted(set(settings.keys))
    numbers = sorted({*_spread(list(shot.frames), LOOKED_AT), *keys})
    sights = []
    for i, frame in enumerate(numbers):
        yield Update(0.9 * i / len(numbers), f"Looking at frame {frame}")
        sights.append(see(read_view(folder, shot, frame), _painted(folder, shot, frame) if frame in keys else None))
    yield Update(0.9, "Comparing the frames")
    surface = Surface(sights)
    covered = Covered(surface)
    for frame in keys:
        covered.add(numbers.index(frame))
    tints = [covered.pixels(i) for i in range(len(numbers))]
    found = suggest(surface, covered, [i for i, frame in enumerate(numbers) if frame not in keys], settings.count)
    drawn = sorted({*_spread(numbers, PICTURES), *found.frames})
    for frame in drawn:
        yield Update(0.95, f"Drawing what frame {frame} shows")
        _draw(folder, shot, sights[numbers.index(frame)], *tints[numbers.index(frame)])
    _clear(folder, drawn)
    job_folder.write_json(
        folder / "suggest.json",
        {
            "frames": found.frames,
            "covered": {frame: round(share, 4) for frame, share in found.covered.items()},
            "total": round(found.totals[0], 4),
            "totals": [round(total, 4) for total in found.totals],
        },
    )
    results = ["suggest.json", *(f"coverage/{frame:04d}.png" for frame in drawn)]
    figures = {"coverage": found.totals[0], "coverage with suggested": found.totals[-1]}
    return Outcome(results, [_advice(found), *_missing(shot, sights, keys)], figures)


def _spread(numbers: list[int], count: int) -> list[int]:
    """At most `count` of them, evenly."""
    return [numbers[int(i)] for i in np.unique(np.linspace(0, len(numbers) - 1, min(count, len(numbers))).round())]


def _painted(folder: Path, shot: Shot, frame: int) -> np.ndarray | None:
    """(H, W) bool, what of a key is painted; None, all of it, for one that is yet to be painted."""
    return frames.read_key(folder, shot, frame)[1] if job_folder.key_path(folder, frame).is_file() else None


def _draw(folder: Path, shot: Shot, sight: Sight, seen: np.ndarray, lit: np.ndarray) -> None:
    """coverage/NNNN.png: the render, tinted where no key shows the surface, and fainter where none shows it in this light."""
    tint = np.zeros((*sight.ids.shape, 4), np.float32)
    flat = tint.reshape(-1, 4)
    flat[sight.pixels[seen & ~lit]] = (*UNLIT, 0.35)
    flat[sight.pixels[~seen]] = (*HIDDEN, 0.55)
    tint = tint.repeat(sight.step, 0).repeat(sight.step, 1)[: shot.height, : shot.width]
    picture = frames.read_frame(folder, shot, sight.frame)
    mixed = picture + (tint[..., :3] - picture) * tint[..., 3:]
    path = folder / "coverage" / f"{sight.frame:04d}.png"
    pictures.write_picture(path, np.rint(mixed).astype(np.uint8), "8", {"Software": SOFTWARE})


def _clear(folder: Path, keep: list[int]) -> None:
    """Take away pictures of an earlier run that would now be out of date, and none that is not ours."""
    for path in (folder / "coverage").glob("*.png"):
        ours = pictures.read_about(path).get("Software") == SOFTWARE
        if ours and path.stem not in {f"{frame:04d}" for frame in keep}:
            path.unlink()


def _advice(found: Suggestion) -> str:
    before, after = (f"{int(100 * total)} %" for total in (found.totals[0], found.totals[-1]))
    if not found.frames:
        return f"The keys cover {before} of what the shot shows, and no other frame would add to it."
    more = f", then {', '.join(str(frame) for frame in found.frames[1:])}" if found.frames[1:] else ""
    return f"Paint frame {found.frames[0]} next{more}: {before} of what the shot shows is covered, {after} after that."


def _missing(shot: Shot, sights: list[Sight], keys: list[int]) -> list[str]:
    """A sentence for each object that the shot shows and no key does, with the frame that shows most of it."""
    count = 1 + max((ob.id for ob in shot.objects), default=0)
    seen = np.stack([np.bincount(sight.ids.ravel().clip(max=count), minlength=count + 1) for sight in sights])
    known = np.isin(np.arange(count), np.concatenate([s.ids[s.painted] for s in sights if s.frame in keys] or [[]]))
    return [
        f"'{ob.name}' is in no key; frame {sights[int(seen[:, ob.id].argmax())].frame} shows it best."
        for ob in shot.objects
        if keys and not known[ob.id] and seen[:, ob.id].max() >= max(4, NOTICED * sights[0].ids.size)
    ]
