"""What a painter's colours would be by rule: for each object its paint by brightness, and how it follows the object's own
colours. A first guess of every pixel, which the network is given and corrects. It knows views, paint and tones; no networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engine.stylise import windows
from engine.stylise.tones import BINS, TOP, Tones, fill, plain

if TYPE_CHECKING:
    from engine.stylise.painter import Key

CHANNELS = 4
_FIRM = 0.003  # variance of a colour that an object must show before its paint is said to follow it
_SURE = 20.0  # pixels in a bin that make its paint half known


class Palette:
    """The keys' rule, as tables on a device. Row n + 1 of n objects is for what no key shows: the mean of all."""

    def __init__(self, keys: Sequence[Key], edges: Sequence[NDArray[np.float32]], tones: Tones) -> None:
        """edges: (3, H, W) a key."""
        curves = 2 * (np.exp(tones.curves) - 0.02) - 1
        count = len(curves)
        number = np.zeros((count, BINS))
        use = [plain(edge, key) for key, edge in zip(keys, edges, strict=True)]
        ids = np.concatenate([key.view.ids[u] for key, u in zip(keys, use, strict=True)])
        paint = np.concatenate([key.paint[u] for key, u in zip(keys, use, strict=True)]) / 127.5 - 1
        render, albedo = (
            np.concatenate([getattr(key.view, name)[u] for key, u in zip(keys, use, strict=True)])
            for name in ("render", "albedo")
        )
        place = np.clip(_shade(render, albedo) / TOP * BINS - 0.5, 0, BINS - 1)
        number += np.bincount(ids * BINS + np.rint(place).astype(np.int64), minlength=number.size).reshape(number.shape)
        curves[0] = paint[ids == 0].mean(0) if (ids == 0).any() else paint.mean(0) if len(paint) else 0
        known = number / (number + _SURE)
        known[0] = min(1.0, number[0].sum() / _SURE)
        self._known = torch.from_numpy(np.pad(known, [(0, 1), (0, 0)]).astype(np.float32))
        own = np.where(ids[:, None] > 0, albedo, render)
        bins = np.where(ids > 0, np.rint(place).astype(np.int64), 0)
        middle, follow, away = _follow(ids, bins, own, paint, count + 1)
        # What is due to the colours that an object happens to show at a brightness is no work of that brightness.
        curves -= np.einsum("nij,nbj->nbi", follow[:-1], away[:-1])
        self._curves = torch.from_numpy(np.concatenate([curves, _stranger(curves, number)[None]]).astype(np.float32))
        self._middle, self._follow = (torch.from_numpy(x.astype(np.float32)) for x in (middle, follow))

    def to(self, device: torch.device | str) -> Palette:
        """Itself, with its tables there."""
        for name in ("_curves", "_known", "_middle", "_follow"):
            setattr(self, name, getattr(self, name).to(device))
        return self

    def guess(self, ids: Tensor, render: Tensor, albedo: Tensor) -> Tensor:
        """(CHANNELS, H, W): the paint, -1 to 1, of objects ids (H, W), -1 where no key shows them, under render and albedo
        (3, H, W), 0 to 1; and how far it is known, 0 to 1."""
        shape, last = ids.shape, len(self._middle) - 1
        ids = ids.flatten().int()
        ids = torch.where((ids < 0) | (ids >= last), last, ids)
        grey, own = windows.mean(
            torch.stack([render.mean(0), albedo.mean(0)]), 3
        )  # a render's grain is no change of light
        shade = grey / (own + 0.05)
        place = (shade.flatten() / TOP * BINS - 0.5).clamp(0, BINS - 1)
        low = place.int().clamp_(max=BINS - 2)
        part, cell = place - low, ids * BINS + low
        # Plane by plane: many times faster than by rows, and than a product of small matrices.
        planes = [*self._curves.unbind(-1), self._known]
        out = torch.stack([p.flatten().index_select(0, cell + i) for p in planes for i in (0, 1)])
        out = torch.lerp(out[::2], out[1::2], part)
        colours = torch.lerp(render.flatten(1), albedo.flatten(1), (ids > 0).float())
        away = colours - torch.stack([plane.index_select(0, ids) for plane in self._middle.T])
        for i, row in enumerate(self._follow.unbind(1)):
            for plane, part in zip(row.T, away, strict=True):
                out[i].addcmul_(plane.index_select(0, ids), part)
        out[:3].clamp_(-1, 1)
        return out.view(CHANNELS, *shape)


def _shade(render: NDArray[np.float32], albedo: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N,) of colours (N, 3), as engine.stylise.tones.shade."""
    shade: NDArray[np.float32] = render.mean(-1) / (albedo.mean(-1) + np.float32(0.05))
    return shade


def _stranger(curves: NDArray[np.float64], number: NDArray[np.float64]) -> NDArray[np.float64]:
    """(BINS, 3), the mean curve of all objects, each as far as it is shown."""
    share = number.sum(1)[1:, None, None] + 1e-6
    mean: NDArray[np.float64] = (curves[1:] * share).sum(0) / share.sum(0) if len(curves) > 1 else curves[0]
    return mean


def _follow(
    ids: NDArray[np.int64], bins: NDArray[np.int64], own: NDArray[np.float32], paint: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """By object the mean (count, 3) of its own colours (N, 3), the matrix (count, 3, 3) by which paint (N, 3) of one brightness
    follows them, and how far their mean at a brightness is from that in all, (count, BINS, 3): least squares, drawn to nothing
    where colours hardly vary. bins: (N,) brightness."""
    group = ids * BINS + bins
    number = np.bincount(group, minlength=count * BINS)
    known = number.reshape(count, BINS)

    def means(x: NDArray) -> NDArray[np.float64]:
        sums = np.stack([np.bincount(group, x[:, c], count * BINS) for c in range(3)], -1)
        return sums / np.maximum(number, 1)[:, None]

    colours, paints = means(own), means(paint)
    shares = known[..., None] / np.maximum(known.sum(1), 1)[:, None, None]
    middle = (colours.reshape(count, BINS, 3) * shares).sum(1)
    away, wrong = own - colours[group], paint - paints[group]
    square, cross = np.zeros((count, 3, 3)), np.zeros((count, 3, 3))
    for i, j in np.ndindex(3, 3):
        square[:, i, j] = np.bincount(ids, away[:, i] * away[:, j], count)
        cross[:, i, j] = np.bincount(ids, wrong[:, i] * away[:, j], count)
    firm = _FIRM * known.sum(1)[:, None, None] * np.eye(3) + 1e-6 * np.eye(3)
    follow = np.linalg.solve(square + firm, cross.transpose(0, 2, 1)).transpose(0, 2, 1)
    apart = colours.reshape(count, BINS, 3) - middle[:, None]
    return middle, follow, np.stack([fill(x, n > 0) for x, n in zip(apart, known, strict=True)])
