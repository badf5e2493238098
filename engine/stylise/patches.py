"""What training looks at: patches of the keys, whose paint is known, with parts of the paint hidden or taken from elsewhere on
the same object; and patches of frames that nobody painted. It knows views and keys; no networks, no losses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.stylise.borrow import Swatches
from engine.stylise.features import ALBEDO, RENDER, estrange, relight
from engine.stylise.painter import Painter, match_tensors, pad, to_tensor
from engine.stylise.palette import Palette
from engine.stylise.reprojection import Atlas, KeySurface, Match
from engine.stylise.surface import Surface
from engine.stylise.tones import shade
from engine.stylise.views import View

FLAT = 0.1  # change of light that an evenly lit object may be indifferent to
RELIT = 0.2  # part of the patches that are shown in another light


class Lent(NamedTuple):
    """Where patches borrow paint, the arguments of engine.stylise.painter.carry. xy, borrowed_xy: (B, P, P, 2); trust,
    borrowed_trust: (B, 1, P, P)."""

    xy: Tensor
    trust: Tensor
    borrowed_xy: Tensor
    borrowed_trust: Tensor


class Batch(NamedTuple):
    """Patches. guides (B, C, P, P). paint (B, 3, P, P). counts (B, 1, P, P): pixels that matter. known (B, 1, 1, 1): 1 where
    the paint is known. moved (B, 1, 1, 1): 1 where the strokes come from elsewhere."""

    guides: Tensor
    paint: Tensor
    counts: Tensor
    known: Tensor
    moved: Tensor

    def join(self, other: Batch) -> Batch:
        """Both, one after the other."""
        return Batch._make(torch.cat(pair) for pair in zip(self, other, strict=True))


@dataclass(frozen=True)
class Picture:
    """A key or an unpainted frame, with all that patches are cut from. Sides H', W' are multiples of four."""

    guides: Tensor  # (C, H', W')
    paint: Tensor  # (3, H', W')
    counts: Tensor  # (1, H', W')
    ids: np.ndarray  # (H', W')
    spots: list[np.ndarray]  # flat indices of each object's pixels
    xy: Tensor  # (H', W', 2)
    trusts: list[Tensor]  # (1, H', W') each, to draw from
    borrowed_xy: Tensor
    borrowed_trust: Tensor
    tones: np.ndarray  # (H', W')
    swatches: Swatches
    palette: Palette
    known: bool = False
    flat: np.ndarray | None = None  # by id, how far the light of an object may be changed without a word
    cross: tuple[Tensor, Tensor] | None = None  # xy and trust in the other keys


def _on_cpu(match: Match) -> tuple[Tensor, Tensor]:
    xy, trust = match_tensors(match)
    return xy.cpu(), trust.cpu()


def frame_picture(painter: Painter, view: View) -> Picture:
    """An unpainted frame; `counts` marks the objects that some key shows."""
    surface = Surface.of(view, painter.device)
    match, borrowed = painter.lend(view, surface)
    xy, trust = _on_cpu(match)
    borrowed_xy, borrowed_trust = _on_cpu(borrowed)
    ids = np.pad(view.ids, [(0, -side % 4) for side in view.shape], mode="edge")
    guides = painter.read(view, surface).cpu()
    return Picture(
        guides=guides,
        paint=torch.zeros_like(guides[:3]),
        counts=torch.from_numpy(np.isin(ids, painter.known))[None].float(),
        ids=ids,
        spots=[np.flatnonzero(ids == i) for i in np.unique(ids)],
        xy=xy,
        trusts=[trust],
        borrowed_xy=borrowed_xy,
        borrowed_trust=borrowed_trust,
        tones=np.pad(
            painter.swatches.tones.classify(shade(view)).numpy(), [(0, -side % 4) for side in view.shape], mode="edge"
        ),
        swatches=painter.swatches,
        palette=painter.palette,
    )


def key_picture(painter: Painter, i: int, others: list[View]) -> Picture:
    """Key i. Its own strokes are in place, hidden where one of `others` does not show the surface."""
    key, shape = painter.keys[i], painter.keys[i].view.shape
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    place = torch.from_numpy(np.stack([x, y + i * shape[0]], -1))
    own = torch.from_numpy(key.painted.astype(np.float32))
    in_place = Match(place, own)
    xy, trust = match_tensors(in_place)
    surface = Surface.of(key.view, painter.device)
    seen = [
        Atlas([KeySurface(other, device=painter.device)]).match(key.view, surface=surface).confidence.cpu() * own
        for other in others
    ]
    nothing = Match(place.to(painter.device), torch.zeros_like(own, device=painter.device))
    borrowed_xy, borrowed_trust = _on_cpu(painter.lend(key.view, surface, nothing)[1])
    cross = None
    if len(painter.keys) > 1:
        others_ = painter.places.match(key.view, key.view.frame, surface)
        cross = _on_cpu(painter.lend(key.view, surface, others_)[0])
    return replace(
        frame_picture(painter, key.view),
        paint=pad(to_tensor(key.paint)),
        counts=match_tensors(in_place)[1],
        xy=xy,
        trusts=[trust, *(match_tensors(Match(in_place.xy, visible))[1] for visible in seen)],
        borrowed_xy=borrowed_xy,
        borrowed_trust=borrowed_trust,
        known=True,
        flat=_flatness(key.view),
        cross=cross,
    )


def _flatness(view: View) -> np.ndarray:
    """By id, how much its light may be scaled in training, 0 to FLAT: an object that the key shows in one even light, as a
    sky, teaches nothing about another light, and the network must not make something up."""
    amounts = np.zeros(int(view.ids.max()) + 1, np.float32)
    grey = view.render.mean(-1)
    for i in np.unique(view.ids):
        low, middle, high = np.quantile(grey[view.ids == i], [0.05, 0.5, 0.95])
        amounts[i] = np.clip(FLAT - (high - low) / (2 * middle + 0.02), 0, FLAT)
    return amounts


def _corner(picture: Picture, side: int, rng: np.random.Generator) -> tuple[int, int]:
    """Where to cut: most patches lie about an object, each object as often as another."""
    height, width = picture.ids.shape
    y, x = int(rng.integers(height)), int(rng.integers(width))
    if rng.random() < 0.6:
        y, x = divmod(int(rng.choice(picture.spots[rng.integers(len(picture.spots))])), width)
    low = np.clip([y - side // 2, x - side // 2], 0, [height - side, width - side])
    return int(low[0]) // 2 * 2, int(low[1]) // 2 * 2


def _holes(trust: Tensor, rng: np.random.Generator) -> Tensor:
    """Coarse random holes, so that the paint underneath cannot simply be copied."""
    coarse = torch.from_numpy((rng.random((1, 1, 4, 4)) > rng.uniform(0, 0.5)).astype(np.float32))
    return trust * F.interpolate(coarse, size=trust.shape[1:], mode="nearest")[0]


def _shifted(picture: Picture, y: int, x: int, side: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """xy and trust of strokes from another place of the same key, trusted where that is the same object."""
    for _ in range(4):  # a place that shares much with this one
        y2, x2 = _corner(picture, side, rng)
        same = picture.ids[y : y + side, x : x + side] == picture.ids[y2 : y2 + side, x2 : x2 + side]
        if same.mean() > 0.3 and abs(y2 - y) + abs(x2 - x) > 8:
            break
    rows, columns = slice(y2, y2 + side), slice(x2, x2 + side)
    suits = picture.swatches.affinity[picture.tones[y : y + side, x : x + side], picture.tones[rows, columns]]
    return picture.xy[rows, columns], torch.from_numpy(same * suits)[None] * picture.trusts[0][:, rows, columns]


def _relit(picture: Picture, guides: Tensor, ids: np.ndarray, rng: np.random.Generator) -> Tensor:
    """A key's guides (C, P, P), sometimes under another light that is not to matter, sometimes as an object no key shows."""
    if picture.flat is not None and rng.random() < 0.5:
        gain = 1 + rng.uniform(-1, 1) * picture.flat[ids]
        guides = relight(guides, torch.from_numpy(gain.astype(np.float32)), torch.from_numpy(ids), picture.palette)
    if rng.random() < 0.15:
        guides = estrange(guides, picture.palette)
    return guides


def _shade(guides: Tensor) -> np.ndarray:
    render, albedo = ((part.mean(0).numpy() + 1) / 2 for part in (guides[RENDER], guides[ALBEDO]))
    return render / (albedo + 0.05)


def _in_another_light(
    picture: Picture, guides: Tensor, paint: Tensor, ids: np.ndarray, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Guides (C, P, P) and paint (3, P, P) under a light that perhaps no key shows, all over or up to a line: the paint changes
    as the keys' paint does with the light."""
    gain = np.full(ids.shape, np.exp(rng.uniform(np.log(0.3), np.log(1.7))), np.float32)
    if rng.random() < 0.5:
        down, right = np.mgrid[: ids.shape[0], : ids.shape[1]] - rng.uniform(0, ids.shape[0], (2, 1, 1))
        angle = rng.uniform(0, 2 * np.pi)
        gain[np.cos(angle) * right + np.sin(angle) * down > 0] = 1
    lit = relight(guides, torch.from_numpy(gain), torch.from_numpy(ids), picture.palette)
    before, after = _shade(guides), _shade(lit)
    slack = 1e-3 if picture.flat is None else picture.flat[ids] + 1e-3
    change = np.log((after + 1e-3) / (before + 1e-3))
    change *= np.clip(np.abs(change) / slack - 1, 0, 1)  # a little more or less light is no matter
    after = before * np.exp(change)
    ratio = picture.swatches.tones.ratio(ids, before, after)
    ratio[ids == 0] = 1
    return lit, ((paint + 1) * torch.from_numpy(ratio).permute(2, 0, 1) - 1).clamp(max=1)


def _cut(picture: Picture, side: int, rng: np.random.Generator, far: bool = False) -> tuple[Batch, Lent]:
    """One patch, without the leading dimension."""
    y, x = _corner(picture, side, rng)
    rows, columns = slice(y, y + side), slice(x, x + side)
    guides, paint, moved = picture.guides[:, rows, columns], picture.paint[:, rows, columns], False
    xy, trust = picture.xy[rows, columns], picture.trusts[rng.integers(len(picture.trusts))][:, rows, columns]
    if picture.cross is not None and rng.random() < 0.5:
        xy, trust = picture.cross[0][rows, columns], picture.cross[1][:, rows, columns]
    elif picture.known:
        moved = bool(rng.random() < 0.5)
        xy, trust = _shifted(picture, y, x, side, rng) if moved else (xy, _holes(trust, rng))
        guides = _relit(picture, guides, picture.ids[rows, columns], rng)
    if far and picture.known and rng.random() < RELIT:
        guides, paint = _in_another_light(
            picture, picture.guides[:, rows, columns], paint, picture.ids[rows, columns], rng
        )
    flags = (torch.full((1, 1, 1), float(flag)) for flag in (picture.known, moved))
    batch = Batch(guides, paint, picture.counts[:, rows, columns], *flags)
    return batch, Lent(xy, trust, picture.borrowed_xy[rows, columns], picture.borrowed_trust[:, rows, columns])


def draw(
    pictures: list[Picture], count: int, side: int, rng: np.random.Generator, device: torch.device, far: bool = False
) -> tuple[Batch, Lent]:
    """`count` random patches."""
    side = min(side, *(s for p in pictures for s in p.ids.shape))
    batches, lents = zip(
        *(_cut(pictures[rng.integers(len(pictures))], side, rng, far) for _ in range(count)), strict=True
    )
    return (
        Batch._make(torch.stack(column).to(device) for column in zip(*batches, strict=True)),
        Lent._make(torch.stack(column).to(device) for column in zip(*lents, strict=True)),
    )


def spread_frames(frames: range, keys: list[int], count: int) -> list[int]:
    """At most `count` unpainted frames, evenly over the shot."""
    free = [frame for frame in frames if frame not in keys]
    if not free:
        return []
    return sorted({free[int(i)] for i in np.linspace(0, len(free) - 1, min(count, len(free))).round()})
