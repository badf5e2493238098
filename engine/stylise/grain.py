"""Grain: what of a key's paint belongs to the paper and not to the things on it, as a canvas' weave. It stays where it is in the
picture while everything moves. Strokes on a surface look coarser where it is near and finer, or narrower, where it is far or
turned; grain looks alike on all that the key shows, near or far, and that is how it is told apart. It is taken off the keys
before anything else looks at them, and laid on finished frames. It knows views and paint; no networks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from engine.stylise.surface import Surface

if TYPE_CHECKING:
    from engine.stylise.painter import Key

WIDTHS = (3.0, 1.5, 1.0)  # pixels over which what lies under the grain is smooth, the coarsest grain first
CLEAR = 2  # pixels from an edge on, beside which a line may lie
SIDE = 16  # pixels of a square that is compared with the others
FULL = 0.6  # of its pixels that must be away from edges
LAGS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0))  # pixels down and right at which grain is compared with itself
FEWEST = 30  # squares
DIFFER = 3.0  # variance of what squares tell over that of chance, up to which they are alike; strokes have 5 or more
COVERED = 0.85  # of the squares that must have grain at all
UNEVEN = 2.5  # times as strong in the strongest tenth as in the weakest
SMOOTH = 0.8  # of itself a pixel on: too soft for grain
FAINT = 0.006  # of white, from which on grain is worth while
SPIKED = 4.0  # kurtosis of grain, whose values lie about as a Gaussian's do
TURNED = 0.4  # logarithm of a pixel's edge on the surface, in which squares must differ for the test to tell anything
BEHIND = 0.1  # or part of them that lie on no surface at all
ODD = 4.0  # standard deviations from which on it is a stroke
BESIDE = 5  # pixels, within which that is looked at
STEEP = 3.5  # times as much as grain the ground may change, or it is a border of tones
SAME = 0.3  # correlation of two keys' grain that is one
LEVELS = 16  # of brightness


@dataclass(frozen=True)
class Grain:
    """pattern: (H, W, 3) float32, of variance one. amount: (256, 3) float32, how strong it is by the paint's brightness."""

    pattern: NDArray[np.float32]
    amount: NDArray[np.float32]

    def lay(self, picture: NDArray[np.float32], strength: float) -> None:
        """Lay it on a picture (H, W, 3), 0 to 1, in place; on one of another size as large as on the paper."""
        pattern, shape = self.pattern, picture.shape[:2]
        if pattern.shape[:2] != shape:
            pattern = cv2.resize(pattern, shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
        picture += strength * self.amount[_level(picture, 256)] * pattern
        np.clip(picture, 0, 1, out=picture)


def _level(picture: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """(H, W) brightness of (H, W, 3), 0 to 1, as a whole number below `count`."""
    return (picture.mean(-1) * count).astype(np.int64).clip(0, count - 1)


def take_off(keys: list[Key], surfaces: list[Surface]) -> tuple[list[Key], Grain | None]:
    """The keys without the grain that they have in common, and the grain; as they are and None if there is none."""
    clear = [_clear(key, surface) for key, surface in zip(keys, surfaces, strict=True)]
    for width in WIDTHS:
        rough = [_rough(key.paint, where, width) for key, where in zip(keys, clear, strict=True)]
        if all(_stays(*parts) for parts in zip(rough, clear, keys, surfaces, strict=True)):
            break
    else:
        return keys, None
    grounds = [_unit(key.paint) - x for x, key in zip(rough, keys, strict=True)]
    strong = _strengths(grounds, rough, clear)
    shares = [x / strong[_level(ground, 256)] for x, ground in zip(rough, grounds, strict=True)]
    usual = [
        where & (np.abs(x).max(-1) < ODD) & ~_border(ground, strong)
        for x, where, ground in zip(shares, clear, grounds, strict=True)
    ]
    if not all(_alike(shares[0], x, usual[0] & where) for x, where in zip(shares[1:], usual[1:], strict=True)):
        return keys, None
    count = np.sum(usual, 0)
    whole = np.sum([x * where[..., None] for x, where in zip(shares, usual, strict=True)], 0)
    pattern = _filled(whole / np.maximum(count, 1)[..., None], count > 0)
    return [_without(*parts) for parts in zip(keys, grounds, usual, strict=True)], Grain(pattern, strong)


def _without(key: Key, ground: NDArray[np.float32], where: NDArray[np.bool_]) -> Key:
    """The key painted as its ground where that is all there is to know."""
    smooth = np.rint(ground.clip(0, 1) * 255).astype(np.uint8)
    return replace(key, paint=np.where(where[..., None], smooth, key.paint))


def _unit(paint: NDArray[np.uint8]) -> NDArray[np.float32]:
    return paint.astype(np.float32) / np.float32(255)


def _clear(key: Key, surface: Surface) -> NDArray[np.bool_]:
    """(H, W) painted and away from every edge."""
    edges = surface.edges[:3].amax(0).cpu().numpy() > 0.3
    closed = cv2.dilate((edges | ~key.painted).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=CLEAR)
    return closed == 0


def _rough(paint: NDArray[np.uint8], clear: NDArray[np.bool_], width: float) -> NDArray[np.float32]:
    """(H, W, 3) what the paint has over its mean nearby, both of clear pixels; elsewhere 0."""
    there = clear.astype(np.float32)
    soft, ground = (cv2.GaussianBlur(x, (0, 0), width) for x in (there, _unit(paint) * there[..., None]))
    rough = (_unit(paint) - ground / np.maximum(soft, 1e-3)[..., None]) * there[..., None]
    return rough.astype(np.float32, copy=False)


def _squares(x: NDArray) -> NDArray[np.float32]:
    """(N,) sums of (H, W) in squares."""
    rows, columns = x.shape[0] // SIDE, x.shape[1] // SIDE
    cut = x[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE)
    sums: NDArray[np.float32] = cut.sum((1, 3), dtype=np.float32).ravel()
    return sums


def _stays(rough: NDArray[np.float32], clear: NDArray[np.bool_], key: Key, surface: Surface) -> bool:
    """Whether what is rough in a key looks alike on all that it shows."""
    grey, count = rough.mean(-1), _squares(clear)
    chosen = count >= FULL * SIDE**2
    if chosen.sum() < FEWEST:
        return False
    power, fourth = _squares(grey**2)[chosen], _squares(grey**4)[chosen]
    number = count[chosen]
    spread = np.sqrt(power / number)
    grained = spread > 0.3 * np.median(spread)
    low, middle, high = np.quantile(spread, [0.1, 0.5, 0.9])
    spiked = np.median(fourth * number / np.maximum(power, 1e-12) ** 2)
    if grained.mean() < COVERED or middle < FAINT or high > UNEVEN * low or spiked > SPIKED:
        return False
    told = np.stack([_itself(grey, clear, lag)[chosen] for lag in LAGS], -1) / (power / number)[:, None].clip(1e-12)
    told, number = told[grained], number[grained]
    mean = np.average(told, axis=0, weights=number)
    differ = (number[:, None] * (told - mean) ** 2).mean()
    return bool(mean[:2].max() < SMOOTH and differ < DIFFER and _tells(key, surface, chosen, count))


def _itself(grey: NDArray[np.float32], clear: NDArray[np.bool_], lag: tuple[int, int]) -> NDArray[np.float32]:
    """(N,) the mean product of pixels and those `lag` before them, in squares."""
    down, right = lag
    pairs = np.zeros((2, *grey.shape), np.float32)
    here, there = (slice(down, None), slice(right, None)), (slice(grey.shape[0] - down), slice(grey.shape[1] - right))
    np.multiply(grey[here], grey[there], out=pairs[0][here])
    np.logical_and(clear[here], clear[there], out=pairs[1][here], casting="unsafe")
    mean = _squares(pairs[0]) / np.maximum(_squares(pairs[1]), 1)
    return mean.astype(np.float32, copy=False)


def _tells(key: Key, surface: Surface, chosen: NDArray[np.bool_], count: NDArray[np.float32]) -> bool:
    """Whether strokes on these surfaces could not look alike everywhere, as they lie near and far or turn away."""
    if np.average(_squares(key.view.ids == 0)[chosen], weights=count[chosen]) > BEHIND * SIDE**2:
        return True
    extent = surface.slopes.square().sum(1).sqrt().cpu().numpy()
    logs = np.stack([np.log(_squares(x)[chosen] / SIDE**2 + 1e-6) for x in extent])
    return bool((np.quantile(logs, 0.9, axis=1) - np.quantile(logs, 0.1, axis=1)).max() > TURNED)


def _strengths(
    grounds: list[NDArray[np.float32]], rough: list[NDArray[np.float32]], clear: list[NDArray[np.bool_]]
) -> NDArray[np.float32]:
    """(256, 3) standard deviation by brightness of the ground; in the dark beyond what is known as much less as it is darker."""
    level = np.concatenate([_level(x, LEVELS)[where] for x, where in zip(grounds, clear, strict=True)])
    parts = np.concatenate([x[where] for x, where in zip(rough, clear, strict=True)])
    number = np.bincount(level, minlength=LEVELS)
    there = np.flatnonzero(number >= np.minimum(SIDE**2, number.max()))
    at = (there + 0.5) / LEVELS * 256
    middle = np.stack([np.median(np.abs(parts[level == i]), 0) for i in there])  # borders of tones are no grain
    grid = np.arange(256) + 0.5
    strong = np.stack([np.interp(grid, at, column) for column in 1.48 * middle.T], -1)
    return (strong * np.minimum(1, grid / at[0])[:, None] + 1e-4).astype(np.float32)


def _alike(first: NDArray[np.float32], other: NDArray[np.float32], where: NDArray[np.bool_]) -> bool:
    """Whether two keys have one grain."""
    a, b = first[where].ravel(), other[where].ravel()
    return bool((a * b).sum() > SAME * np.sqrt((a**2).sum() * (b**2).sum()))


def _border(ground: NDArray[np.float32], strong: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(H, W) where the ground itself changes by more than its grain: what is rough there is the border of a tone."""
    grey, near = ground.mean(-1), np.ones((BESIDE, BESIDE), np.uint8)
    change = cv2.dilate(grey, near) - cv2.erode(grey, near)
    border: NDArray[np.bool_] = change > STEEP * strong[_level(ground, 256)].mean(-1)
    return border


def _filled(pattern: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The pattern (H, W, 3) with grain from beside where none is known: under lines and at edges."""
    out, open_ = np.where(known[..., None], pattern, 0).astype(np.float32), ~known
    for away in (7, 11, 17, 29, 47, 79):
        for step in ((0, away), (0, -away), (away, 0), (-away, 0)):
            there = np.roll(known, step, (0, 1)) & open_
            out[there] = np.roll(pattern, step, (0, 1))[there]
            open_ &= ~there
    return out
