"""What training looks at: patches of the keys, whose paint is known, with parts of the paint hidden or taken from elsewhere on
the same object; and patches of frames that nobody painted. It knows views and keys; no networks, no losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.stylise.features import CODE, encode, relight
from engine.stylise.painter import Painter, match_tensors, pad, to_tensor
from engine.stylise.reprojection import Atlas, KeySurface, Match
from engine.stylise.views import View

FLAT = 0.25


class Batch(NamedTuple):
    """Patches. guides (B, C, P, P). paint (B, 3, P, P). counts (B, 1, P, P): pixels that matter. known (B, 1, 1, 1): 1 where
    the paint is known. moved (B, 1, 1, 1): 1 where the strokes come from elsewhere. lent: xy, trust, borrowed xy, borrowed
    trust, for engine.stylise.painter.carry."""

    guides: Tensor
    paint: Tensor
    counts: Tensor
    known: Tensor
    moved: Tensor
    lent: list[Tensor]

    def join(self, other: Batch) -> Batch:
        """Both, one after the other."""
        parts = [torch.cat(pair) for pair in zip(self[:-1], other[:-1], strict=True)]
        return Batch(*parts, [torch.cat(pair) for pair in zip(self.lent, other.lent, strict=True)])


@dataclass(frozen=True)
class Picture:
    """A key or an unpainted frame, with all that patches are cut from; tensors (…, H', W'), sides multiples of four."""

    guides: Tensor
    paint: Tensor
    counts: Tensor
    known: bool
    ids: np.ndarray
    xy: Tensor
    hidden: list[Tensor]  # trusts (1, H', W') to draw from
    borrowed_xy: Tensor
    borrowed_trust: Tensor
    flat: np.ndarray | None = None  # (highest id + 1,) how far the light of an object may be moved without a word
    cross: tuple[Tensor, Tensor] | None = None  # xy and trust in the other keys


def _identity(shape: tuple[int, int], row: int) -> Match:
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return Match(np.stack([x, y + row * shape[0]], -1), np.ones(shape, np.float32))


def key_picture(painter: Painter, i: int, others: list[View]) -> Picture:
    """Key i. Its own strokes are in place, hidden where one of `others` does not show the surface."""
    key = painter.keys[i]
    xy, whole = match_tensors(_identity(key.view.shape, i))
    painted = pad(torch.from_numpy(key.painted)[None].float())
    hidden = [whole * painted]
    for other in others:
        seen = Atlas([KeySurface(other)]).match(key.view)
        hidden.append(match_tensors(Match(seen.xy, seen.confidence * key.painted))[1])
    nothing = Match(np.zeros((*key.view.shape, 2), np.float32), np.zeros(key.view.shape, np.float32))
    borrowed_xy, borrowed_trust = match_tensors(painter.places.borrow(key.view, nothing))
    cross = match_tensors(painter.places.match(key.view, without=key.view.frame)) if len(painter.keys) > 1 else None
    return Picture(
        guides=pad(encode(key.view, painter.known)),
        paint=pad(to_tensor(key.paint)),
        counts=painted,
        known=True,
        ids=_pad_ids(key.view.ids),
        xy=xy,
        hidden=hidden,
        borrowed_xy=borrowed_xy,
        borrowed_trust=borrowed_trust,
        flat=_flatness(key.view),
        cross=cross,
    )


def _flatness(view: View) -> np.ndarray:
    """By id, how much its light may be scaled in training, 0 to FLAT: an object that the key shows in one even light, as a sky,
    teaches nothing about another light, and the network must not make something up."""
    amounts = np.zeros(int(view.ids.max()) + 1, np.float32)
    grey = view.render.mean(-1)
    for i in np.unique(view.ids):
        low, middle, high = np.quantile(grey[view.ids == i], [0.05, 0.5, 0.95])
        amounts[i] = np.clip(FLAT - (high - low) / (2 * middle + 0.02), 0, FLAT)
    return amounts


def frame_picture(painter: Painter, view: View) -> Picture:
    """An unpainted frame; `counts` marks the objects that some key shows."""
    match = painter.places.match(view)
    xy, trust = match_tensors(match)
    borrowed_xy, borrowed_trust = match_tensors(painter.places.borrow(view, match))
    guides = pad(encode(view, painter.known))
    known = pad(torch.from_numpy(np.isin(view.ids, painter.known))[None].float())
    ids = _pad_ids(view.ids)
    return Picture(guides, torch.zeros_like(guides[:3]), known, False, ids, xy, [trust], borrowed_xy, borrowed_trust)


def _pad_ids(ids: np.ndarray) -> np.ndarray:
    return np.pad(ids, [(0, -side % 4) for side in ids.shape], mode="edge")


def _corner(picture: Picture, side: int, rng: np.random.Generator) -> tuple[int, int]:
    """Where to cut: half of the patches lie about an object, each object as often as another."""
    height, width = picture.ids.shape
    y, x = int(rng.integers(height)), int(rng.integers(width))
    if rng.random() < 0.6:
        inside = np.flatnonzero(picture.ids.ravel() == rng.choice(np.unique(picture.ids)))
        y, x = divmod(int(rng.choice(inside)), width)
    low = np.clip([y - side // 2, x - side // 2], 0, [height - side, width - side])
    return int(low[0]) // 2 * 2, int(low[1]) // 2 * 2


def _holes(trust: Tensor, rng: np.random.Generator) -> Tensor:
    """Coarse random holes, so that the paint underneath cannot simply be copied."""
    side = trust.shape[-1]
    coarse = torch.from_numpy((rng.random((1, 1, 4, 4)) > rng.uniform(0, 0.5)).astype(np.float32))
    return trust * torch.nn.functional.interpolate(coarse, size=(side, side), mode="nearest")[0]


def _shifted(picture: Picture, y: int, x: int, side: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """xy and trust of strokes from another place of the same key, trusted where that is the same object."""
    height, width = picture.ids.shape
    y2, x2 = y, x
    for _ in range(4):  # a place that shares much with this one
        y2, x2 = _corner(picture, side, rng)
        same = picture.ids[y : y + side, x : x + side] == picture.ids[y2 : y2 + side, x2 : x2 + side]
        if same.mean() > 0.3 and abs(y2 - y) + abs(x2 - x) > 8:
            break
    xy = picture.xy[y2 : y2 + side, x2 : x2 + side]
    trust = torch.from_numpy(same.astype(np.float32))[None] * picture.hidden[0][:, y2 : y2 + side, x2 : x2 + side]
    return xy, trust


def _cut(picture: Picture, side: int, rng: np.random.Generator) -> tuple[list[Tensor], bool, bool]:
    """The tensors of a Batch of one patch; whether its paint is known; whether its strokes come from elsewhere."""
    y, x = _corner(picture, side, rng)
    rows, columns = slice(y, y + side), slice(x, x + side)
    xy, trust = picture.xy[rows, columns], picture.hidden[rng.integers(len(picture.hidden))][:, rows, columns]
    borrowed_trust, moved = picture.borrowed_trust[:, rows, columns], False
    guides = picture.guides[:, rows, columns]
    if picture.cross is not None and rng.random() < 0.5:
        xy, trust = picture.cross[0][rows, columns], picture.cross[1][:, rows, columns]
    elif picture.known:
        trust = _holes(trust, rng)
        if rng.random() < 0.5:
            (xy, trust), moved = _shifted(picture, y, x, side, rng), True
        if picture.flat is not None and rng.random() < 0.5:
            gain = 1 + rng.uniform(-1, 1) * picture.flat[picture.ids[rows, columns]]
            guides = relight(guides, torch.from_numpy(gain.astype(np.float32)))
        if rng.random() < 0.15:  # an object that no key shows has no code
            guides = torch.cat([guides[:-CODE], torch.zeros_like(guides[-CODE:])])
    parts = [guides, picture.paint[:, rows, columns], picture.counts[:, rows, columns]]
    return [*parts, xy, trust, picture.borrowed_xy[rows, columns], borrowed_trust], picture.known, moved


def draw(pictures: list[Picture], count: int, side: int, rng: np.random.Generator, device: torch.device) -> Batch:
    """`count` random patches."""
    side = min(side, *(s for p in pictures for s in p.ids.shape))
    cuts = [_cut(pictures[rng.integers(len(pictures))], side, rng) for _ in range(count)]
    guides, paint, counts, *lent = (torch.stack(column).to(device) for column in zip(*(c[0] for c in cuts), strict=True))
    flags = torch.tensor([c[1:] for c in cuts], dtype=torch.float32, device=device)[..., None, None, None]
    return Batch(guides, paint, counts, flags[:, 0], flags[:, 1], lent)


def spread_frames(frames: range, keys: list[int], count: int) -> list[int]:
    """At most `count` unpainted frames, evenly over the shot."""
    free = [frame for frame in frames if frame not in keys]
    picks = np.unique(np.linspace(0, len(free) - 1, min(count, len(free))).round().astype(int)) if free else []
    return [free[i] for i in picks]
