"""The chosen objects of a shot taken off what is behind them. An id holds for a whole pixel, while at its border the render shows
a mix of both; how much of each is told from the colours on either side. It knows arrays of tones premultiplied by alpha, no
files."""

from __future__ import annotations

import cv2
import numpy as np

BORDER = np.ones((3, 3), np.uint8)  # pixels around an id's border that may be mixed
ALIKE = 0.06  # tones between object and ground, below which a mix of them tells nothing


def surely_behind(mask: np.ndarray) -> np.ndarray:
    """(H, W) bool: where nothing of the objects, (H, W) bool, is seen, not even mixed in."""
    return cv2.dilate(mask.astype(np.uint8), BORDER) == 0


def plate(rest: np.ndarray, shown: np.ndarray, i: int) -> np.ndarray:
    """(H, W, 4) float32: the i-th of the pictures (T, H, W, 4) without what hides it; there it is taken from the picture nearest
    in time in which it is shown, (T, H, W) bool, else from around."""
    filled, known = rest[i].astype(np.float32), shown[i].copy()
    never = ~shown.any(0)
    for j in sorted(range(len(rest)), key=lambda j: abs(j - i)):
        if (known | never).all():
            break
        new = shown[j] & ~known
        filled[new] = rest[j][new]
        known |= new
    return fill(filled, known)


def fill(pictures: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(H, W, C) float32 whose unknown pixels are those around them."""
    side, filled, known = 5, pictures, known.copy()
    while not known.all() and known.any():
        weight = cv2.blur(known.astype(np.float32), (side, side))
        around = cv2.blur(filled * known[..., None], (side, side)) / np.maximum(weight, 1e-6)[..., None]
        new = (weight > 1e-4) & ~known
        filled[new] = around[new]
        known |= new
        side = 2 * side + 1
    return filled


def take_off(picture: np.ndarray, mask: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """(H, W, 4) float32: the objects alone, on nothing, of a picture (H, W, 4); laid over what is behind them, (H, W, 4), they
    give the picture again. mask: (H, W) bool, their ids."""
    picture = picture.astype(np.float32)
    whole = cv2.erode(mask.astype(np.uint8), BORDER) > 0
    inside = whole if whole.any() else mask
    if not mask.any():
        return np.zeros_like(picture)
    objects = fill(picture * inside[..., None], inside)
    apart = objects - behind
    length = (apart**2).sum(-1)
    share = ((picture - behind) * apart).sum(-1) / np.maximum(length, 1e-9)
    even = cv2.blur(mask.astype(np.float32), (3, 3))
    share = np.where(length > ALIKE**2, np.clip(share, 0, 1), even)
    share = np.where(inside, 1, np.where(surely_behind(mask), 0, share))[..., None]
    return np.clip(picture - (1 - share) * behind, 0, None)
