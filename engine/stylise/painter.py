"""A generator at work on a shot: painted keys in, finished frames out. Training looks over its shoulder by the same class that
paints the final frames. It knows views, keys and the generator; it writes no files and trains nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine import frames
from engine.device import give_back
from engine.protocol import Shot
from engine.stylise import grain, tiles
from engine.stylise.borrow import Swatches
from engine.stylise.features import EDGE, RENDER, Rule, encode
from engine.stylise.generator import BORDER, CARRIED, FIRM, SCALE, Carried, Generator, double, lay_out, sample
from engine.stylise.look import Look
from engine.stylise.palette import Palette
from engine.stylise.reprojection import Atlas, KeySurface, Match, inside
from engine.stylise.sheets import Sheets
from engine.stylise.surface import Surface
from engine.stylise.tones import shade
from engine.stylise.views import View, read_view

AS_PAINTED = Look()
BEYOND = 8  # pixels that a key is made wider by, on each side
STRIP, AROUND = 128, 4  # rows of a key that are laid out at once, and pixels beside a part that bear on it
ALIKE = 0.03  # albedos that differ less are the same material


@dataclass(frozen=True)
class Key:
    """A painted frame. paint: (H, W, 3) uint8 sRGB. painted: (H, W) bool, where it counts."""

    view: View
    paint: np.ndarray
    painted: np.ndarray


def read_key(folder: Path, shot: Shot, frame: int) -> Key:
    """From a job folder. Raises JobError."""
    paint, painted = frames.read_key(folder, shot, frame)
    return Key(read_view(folder, shot, frame), paint, painted)


def to_tensor(picture: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 to (3, H, W), -1 to 1."""
    return torch.from_numpy(picture.copy()).permute(2, 0, 1).float() / 127.5 - 1


def pad(x: Tensor) -> Tensor:
    """(C, H, W) with both sides made multiples of four."""
    height, width = x.shape[1:]
    if not (height % 4 or width % 4):
        return x
    return F.pad(x[None], (0, -width % 4, 0, -height % 4), mode="replicate")[0]


Part = tuple[slice, slice]


def _beyond(shape: tuple[int, int], part: Part, cut: Callable[[Part], Tensor]) -> Tensor:
    """(C, h, w), a part of what (H, W) `cut` gives parts of, where it goes on beyond its edges as it is there."""
    sides, pads = [], []
    for side, length in zip(part, shape, strict=True):
        first, last = side.start - BEYOND, side.stop - BEYOND
        sides.append(slice(max(0, first), min(length, last)))
        pads.append((max(0, -first), max(0, last - length)))
    return F.pad(cut((sides[0], sides[1]))[None], (*pads[1], *pads[0]), mode="replicate")[0]


def carry(atlas: Tensor, xy: Tensor, trust: Tensor, borrowed_xy: Tensor, borrowed_trust: Tensor) -> Carried:
    """What the atlas lends to pictures (B, h, w): xy (B, h, w, 2), trust (B, 1, h, w)."""
    direct, borrowed = (  # strokes are fine, and tones are not
        torch.cat([sample(atlas[:3], place), sample(atlas[3:last], place, "bilinear")], 1)
        for place, last in ((xy, CARRIED), (borrowed_xy, 6))
    )
    return Carried(direct, borrowed, trust, borrowed_trust)


def match_tensors(match: Match) -> tuple[Tensor, Tensor]:
    """xy (H', W', 2) and trust (1, H', W') of a match, both sides made multiples of four; what is added is not trusted."""
    xy = pad(match.xy.permute(2, 0, 1)).permute(1, 2, 0)
    trust = match.confidence[None]
    return xy, F.pad(trust, (0, -trust.shape[2] % 4, 0, -trust.shape[1] % 4))


def _mean_albedos(view: View, ids: np.ndarray) -> np.ndarray:
    """(N, 3) of objects (N,); far from every colour where the view lacks the object."""
    wanted = np.zeros(max(int(ids.max()), int(view.ids.max())) + 1, bool)
    wanted[ids] = True
    where = np.flatnonzero(wanted.take(view.ids))
    of, count = view.ids.ravel()[where], len(wanted)
    number = np.bincount(of, minlength=count)[ids]
    sums = [np.bincount(of, view.albedo[..., c].ravel()[where], count)[ids] for c in range(3)]
    return np.where(number[:, None] > 0, np.stack(sums, -1) / np.maximum(number, 1)[:, None], 9.0)


class Painter:
    """Paints frames after the keys."""

    def __init__(self, generator: Generator, keys: list[Key], device: torch.device, learning: bool = True) -> None:
        """learning: whether the generator will change, and `refresh` be asked for; what only that needs is half a gigabyte for a
        key of 1920 x 1080."""
        self.generator = generator
        self.keys = list(keys)
        self._paints = [key.paint for key in keys]
        self.device = device
        self.known = np.unique(np.concatenate([np.unique(key.view.ids[key.painted]) for key in keys]))
        self._albedos = np.min([_mean_albedos(key.view, self.known) for key in keys], 0)
        names = [next((key.view.names[i] for key in keys if i < len(key.view.names)), "") for i in self.known]
        self._names = np.array(names)
        self._key_guides: list[Tensor] = []
        self._look_at_keys(learning)
        give_back()
        height, width = keys[0].view.shape
        self._top = SCALE * len(keys) * height  # of the squares of hatching
        shape = self._top + SCALE * self.swatches.waves.rows, SCALE * width
        self._sheets = Sheets(*shape) if not learning and Sheets.fit(device, *shape) else None
        # Once sheets are there, all that is wanted of the atlas is room to draw the squares.
        self._first = self._top if self._sheets else 0
        self.atlas = torch.zeros(CARRIED, shape[0] - self._first, shape[1], device=device)
        for i in range(len(keys)):
            self.refresh(i)
        if not learning:
            self._settle()

    def _look_at_keys(self, learning: bool) -> None:
        """What is found on the keys once and for all; their surfaces, which are large, are not kept."""
        device = self.device
        surfaces = [Surface.of(key.view, device) for key in self.keys]
        self.keys, self.grain = grain.take_off(self.keys, surfaces)
        keys = self.keys
        self.swatches = Swatches(keys, device, surfaces if device.type == "cpu" else None)
        edges = [surface.edges[:3].cpu().numpy() for surface in surfaces]
        self.palette = Palette(keys, edges, self.swatches.tones).to(device)
        del edges
        give_back()
        places = []
        for key in keys:
            surface = surfaces.pop(0)
            places.append(KeySurface(key.view, key.painted, device, surface))
            if learning:
                self._key_guides.append(self.read(key.view, surface))
        self.places = Atlas(places)

    def read(self, view: View, surface: Surface | None = None, kin: np.ndarray | None = None) -> Tensor:
        """(C, H', W') guides of a view, on the painter's device. An object that no key shows is painted after one of the
        same colour, if there are several after one of the same name: the other wing."""
        kin = self.kin(view) if kin is None else kin
        return pad(encode(view, surface or Surface.of(view, self.device), Rule(self.palette, kin)))

    def kin(self, view: View) -> np.ndarray:
        """By id, the object in the keys after which it is painted; -1 where there is none."""
        there = np.flatnonzero(np.bincount(view.ids.ravel()))
        kin = np.full(int(there[-1]) + 1, -1)
        kin[there] = np.where(np.isin(there, self.known), there, -1)
        strange = there[(kin[there] < 0) & (there > 0)]
        if len(strange):
            away = np.abs(_mean_albedos(view, strange)[:, None] - self._albedos).max(-1)
            names = np.array([view.names[i] if i < len(view.names) else "" for i in strange])
            # Of several that are as bright, one that is called the same: the next tuft of grass, not the hill.
            called = (names[:, None] == self._names) & (self._names != "")
            best = np.where(called & (away < ALIKE), away - ALIKE, away).argmin(1)
            kin[strange] = np.where(away.min(1) < ALIKE, self.known[best], -1)
        return kin

    def lend(
        self,
        view: View,
        surface: Surface,
        match: Match | None = None,
        kin: np.ndarray | None = None,
        light: float = 1.0,
    ) -> tuple[Match, Match]:
        """Where the keys' strokes are to be had: of the same point, as far as they suit the light if that is followed (by the
        part `light`), and of another."""
        match = match or self.places.match(view, surface=surface)
        tones = self.swatches.tones.classify(shade(view, self.device))
        kin = self.kin(view) if kin is None else kin
        suits = self.swatches.suit(match, tones, surface, kin)
        trusted = Match(match.xy, match.confidence * (1 - light * (1 - suits)))
        return trusted, self.swatches.place(surface, tones, kin, match)

    @torch.no_grad()
    def refresh(self, i: int) -> None:
        """Take key i's strokes anew: they are what its paint has over the generator's present tone."""
        key, kin = self.keys[i], self.kin(self.keys[i].view)
        height, width = key.view.shape
        cut = partial(self._cut_guides, i, kin)
        # Beyond its edges a network sees nothing: no part of the key may be the worse for it.
        padded = height + -height % 4, width + -width % 4
        wide = padded[0] + 2 * BEYOND, padded[1] + 2 * BEYOND
        tone = torch.empty(3, *wide, device=self.device)
        for tile in tiles.split(wide, tiles.most(self.device) // 4):  # all else is in memory besides
            guides = _beyond(padded, tile.outer, cut)
            tone[:, *tile.inner] = self.generator.tone(guides[None])[0][:, *tile.within]
        sheets = self._lay_out(key, tone[:, BEYOND : height + BEYOND, BEYOND : width + BEYOND], cut)
        for first in range(0, height, STRIP):
            self._write(SCALE * (i * height + first), sheets, first)
        self.swatches.waves.refresh(i, sheets, self.atlas, self._first)
        if self._key_guides:
            self._sheets = None

    def _cut_guides(self, i: int, kin: np.ndarray, part: Part) -> Tensor:
        """(C, h, w), a part of key i's guides (C, H', W')."""
        if self._key_guides:
            return self._key_guides[i][:, *part]
        view = self.keys[i].view
        sides = zip(part, view.shape, strict=True)
        rows, columns = (slice(max(0, side.start - AROUND), min(length, side.stop + AROUND)) for side, length in sides)
        guides = self.read(tiles.crop(view, (rows, columns)), kin=kin)
        down, right = (side.start - wide.start for side, wide in zip(part, (rows, columns), strict=True))
        return guides[:, down:, right:][:, : part[0].stop - part[0].start, : part[1].stop - part[1].start]

    def _lay_out(self, key: Key, tone: Tensor, cut: Callable[[Part], Tensor]) -> Tensor:
        """(CARRIED, H, W) of a key, by strips of rows, so that what is needed in between takes no room."""
        sheets = tone.new_empty(CARRIED, *key.view.shape)
        for first in range(0, len(key.paint), STRIP):
            start, stop = max(0, first - AROUND), min(first + STRIP + AROUND, len(key.paint))
            paint, painted = to_tensor(key.paint[start:stop]), torch.from_numpy(key.painted[None, start:stop])
            paint, painted = paint.to(self.device), painted.to(self.device)
            part = cut((slice(start, stop), slice(0, sheets.shape[2])))
            lent = inside((part[EDGE.start] > 0) | ~painted[0])[None]
            strip = lay_out(tone[:, start:stop], paint, painted, part[RENDER], lent)
            sheets[:, first : first + STRIP] = strip[:, first - start : first - start + STRIP]
        return sheets

    def _write(self, row: int, sheets: Tensor, first: int) -> None:
        """Into the atlas, from `row` on, what sheets (CARRIED, H, W) have from row `first` on, at twice the size."""
        start, stop = max(0, first - AROUND), min(first + STRIP + AROUND, sheets.shape[1])
        count = SCALE * (min(first + STRIP, sheets.shape[1]) - first)
        planes = [double(plane[None])[:, SCALE * (first - start) :][:, :count] for plane in sheets[:, start:stop]]
        strip = torch.cat(planes)
        if self._sheets is not None and self._first:
            self._sheets.write(row, strip)
        else:
            self.atlas[:, row : row + count] = strip

    def _settle(self) -> None:
        """Nothing will be learned any more: what is known of the keys is given back, but for their paint."""
        for i, (key, surface) in enumerate(zip(self.keys, self.places.keys, strict=True)):
            surface.view = key.view.outline()
            self.keys[i] = replace(key, view=surface.view)
        if self._sheets:
            self._sheets.write(self._top, self.atlas)
            self.atlas = self.atlas.new_empty(0)
        give_back()

    @torch.inference_mode()
    def make(self, view: View, kin: np.ndarray, look: Look, scale: float = 1.0) -> Tensor:
        """(3, H, W), -1 to 1: a view, or a tile of one whose kin is `kin`. scale: how many times finer it is than the keys; what
        is coarse in them for that alone is trusted."""
        height, width = view.shape
        surface = Surface.of(view, self.device)
        surface = replace(surface, footprint=surface.footprint * scale, finer=scale)
        match, borrowed = self.lend(view, surface, kin=kin, light=look.light)
        carried = self._carry(match, borrowed)
        guides = self.read(view, surface, kin)[None]
        with torch.autocast(self.device.type, torch.float16, enabled=self.device.type == "cuda"):
            tone = self.generator.tone(guides)
            if look.light < 1:
                tone, carried = keep_light(guides, tone, carried, look.light)
            made = self.generator.strokes(guides, tone, carried)
        if look.texture != 1:
            made = tone + look.texture * (made - tone)
        return made[0, :, :height, :width].float()

    def _carry(self, match: Match, borrowed: Match) -> Carried:
        """As `carry`, of one picture."""
        (xy, trust), (borrowed_xy, borrowed_trust) = match_tensors(match), match_tensors(borrowed)
        if self._sheets is None and not Sheets.fit(self.device, *self.atlas.shape[1:]):
            return carry(self.atlas, xy[None], trust[None], borrowed_xy[None], borrowed_trust[None])
        sheets = self._sheets = self._sheets or Sheets.of(self.atlas)
        direct = sheets.direct(xy)
        wanted = (borrowed_trust[0] > 0) & (
            (trust[0] < 1) | (direct[0, BORDER] > FIRM)
        )  # elsewhere it counts for nothing
        return Carried(direct, sheets.borrowed(borrowed_xy, wanted), trust[None], borrowed_trust[None])

    def steps(self, view: View, picture: np.ndarray, look: Look = AS_PAINTED) -> Iterator[None]:
        """Paint a view into `picture` (H, W, 3) float32, 0 to 1, piece by piece."""
        kin, scale = self.kin(view), max(1.0, (view.ids.size / self.keys[0].view.ids.size) ** 0.5)
        for tile in tiles.split(view.shape, tiles.most(self.device)):
            made = self.make(tiles.crop(view, tile.outer), kin, look, scale)[:, *tile.within]
            picture[tile.inner] = made.add(1).div(2).clamp(0, 1).permute(1, 2, 0).cpu().numpy()
            yield
        if self.grain:
            self.grain.lay(picture, look.texture)
        for key, paint in zip(self.keys, self._paints, strict=True):
            if key.view.frame == view.frame and look.texture == 1:
                picture[key.painted] = paint[key.painted] / np.float32(255)

    def paint(self, view: View) -> np.ndarray:
        """(H, W, 3) uint8 sRGB. A key comes out as it was painted, where it was painted."""
        picture = np.empty((*view.shape, 3), np.float32)
        for _ in self.steps(view, picture):
            pass
        return np.rint(picture * 255).astype(np.uint8)


def keep_light(guides: Tensor, tone: Tensor, carried: Carried, light: float) -> tuple[Tensor, Carried]:
    """Tone and what is carried for a light that changes only by the part `light`: where the key shows the surface, it keeps the
    tone it had there, and the strokes are told so."""
    kept = (1 - light) * carried.trust
    key_tone, key_render = carried.direct[:, 3:6], carried.direct[:, 6:9]
    render = key_render + kept * (guides[:, RENDER] - key_render)
    direct = torch.cat([carried.direct[:, :6], render, carried.direct[:, 9:]], 1)
    return tone + kept * (key_tone - tone), carried._replace(direct=direct)
