"""A generator at work on a shot: painted keys in, finished frames out. Training looks over its shoulder by the same class that
paints the final frames. It knows views, keys and the generator; it writes no files and trains nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine import frames
from engine.protocol import Shot
from engine.stylise.features import encode
from engine.stylise.generator import CARRIED, Carried, Generator, make_atlas, sample
from engine.stylise.reprojection import Atlas, KeySurface, Match
from engine.stylise.surface import Surface
from engine.stylise.views import View, read_view

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


def to_picture(tensor: Tensor) -> np.ndarray:
    """(3, H, W), -1 to 1, to (H, W, 3) uint8."""
    return ((tensor.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).cpu().numpy()


def pad(x: Tensor) -> Tensor:
    """(C, H, W) with both sides made multiples of four."""
    height, width = x.shape[1:]
    return F.pad(x[None], (0, -width % 4, 0, -height % 4), mode="replicate")[0]


def carry(atlas: Tensor, xy: Tensor, trust: Tensor, borrowed_xy: Tensor, borrowed_trust: Tensor) -> Carried:
    """What the atlas lends to pictures (B, h, w): xy (B, h, w, 2), trust (B, 1, h, w)."""
    return Carried(sample(atlas, xy), sample(atlas[:3], borrowed_xy), trust, borrowed_trust)


def match_tensors(match: Match) -> tuple[Tensor, Tensor]:
    """xy (H', W', 2) and trust (1, H', W') of a match, both sides made multiples of four; what is added is not trusted."""
    xy = pad(match.xy.permute(2, 0, 1)).permute(1, 2, 0)
    trust = match.confidence[None]
    return xy, F.pad(trust, (0, -trust.shape[2] % 4, 0, -trust.shape[1] % 4))


def _mean_albedos(view: View, ids: np.ndarray) -> np.ndarray:
    """(N, 3) of objects (N,); far from every colour where the view lacks the object."""
    count = np.bincount(view.ids.ravel(), minlength=int(ids.max()) + 1)[ids]
    sums = [np.bincount(view.ids.ravel(), view.albedo[..., c].ravel(), int(ids.max()) + 1)[ids] for c in range(3)]
    return np.where(count[:, None] > 0, np.stack(sums, -1) / np.maximum(count, 1)[:, None], 9.0)


class Painter:
    """Paints frames after the keys."""

    def __init__(self, generator: Generator, keys: list[Key], device: torch.device) -> None:
        self.generator = generator
        self.keys = keys
        self.device = device
        self.known = np.unique(np.concatenate([np.unique(key.view.ids[key.painted]) for key in keys]))
        self.places = Atlas([KeySurface(key.view, key.painted, device) for key in keys])
        self._albedos = np.min([_mean_albedos(key.view, self.known) for key in keys], 0)
        self._key_guides = [self.read(key.view) for key in keys]
        height, width = keys[0].view.shape
        self.atlas = torch.zeros(CARRIED, len(keys) * height, width, device=device)
        for i in range(len(keys)):
            self.refresh(i)

    def read(self, view: View, surface: Surface | None = None) -> Tensor:
        """(C, H', W') guides of a view, on the painter's device. An object that no key shows is painted after one of the
        same colour: the other wing."""
        kin = np.full(int(view.ids.max()) + 1, -1)
        there = np.unique(view.ids)
        away = np.abs(_mean_albedos(view, there)[:, None] - self._albedos).max(-1)
        alike = np.where(away.min(1) < ALIKE, self.known[away.argmin(1)], -1)
        kin[there] = np.where(np.isin(there, self.known), there, np.where(there > 0, alike, -1))
        return pad(encode(view, surface or Surface.of(view, self.device), kin))

    @torch.no_grad()
    def refresh(self, i: int) -> None:
        """Take key i's strokes anew: they are what its paint has over the generator's present tone."""
        key, guides = self.keys[i], self._key_guides[i]
        height, width = key.view.shape
        tone = self.generator.tone(guides[None])[0, :, :height, :width]
        painted = torch.from_numpy(key.painted)[None].to(self.device)
        block = make_atlas(tone, to_tensor(key.paint).to(self.device), painted, guides[:3, :height, :width])
        self.atlas[:, i * height : (i + 1) * height] = block

    @torch.no_grad()
    def paint(self, view: View) -> np.ndarray:
        """(H, W, 3) uint8 sRGB. A key comes out as it was painted, where it was painted."""
        height, width = view.shape
        surface = Surface.of(view, self.device)
        match = self.places.match(view, surface=surface)
        borrowed = self.places.borrow(view, match, surface)
        lent = [t[None] for t in (*match_tensors(match), *match_tensors(borrowed))]
        guides = self.read(view, surface)[None]
        picture = to_picture(self.generator(guides, carry(self.atlas, *lent))[0, :, :height, :width])
        for key in self.keys:
            if key.view.frame == view.frame:
                picture[key.painted] = key.paint[key.painted]
        return picture
