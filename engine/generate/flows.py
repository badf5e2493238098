"""How pixels move from one picture to another, and from a picture between them to both: exact motion vectors of a captured shot
where there are any, else optical flow both ways. It knows arrays; neither networks nor files."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.footage.tracking import Flow, grid, sample
from engine.generate.sequence import to_tones

DOUBT = 1.5  # weight of any pixel; one whose two flows agree has 1 more
BOW_BLUR = 2.0  # pixels
BACKDROP = 0.5  # tone behind what is transparent, for flow
TURNED_PIXELS = 1 << 18  # up to which flow is also taken of the pictures turned over


@dataclass(frozen=True)
class Moves:
    """Between two pictures. onward: (H, W, 2) float32, pixels, x right, y down, where each pixel of the first lies in the
    second, as an offset. back: the same from the second to the first. sure, sure_back: (H, W) float32, 0 to 1, whether a pixel of
    the first, of the second, has been found in the other."""

    onward: np.ndarray
    back: np.ndarray
    sure: np.ndarray
    sure_back: np.ndarray


@dataclass(frozen=True)
class Meeting:
    """At a time between two pictures. to_first, to_second: (H, W, 2) float32, from there to the two. sure_first, sure_second:
    (H, W) float32, how far what is found there can be believed."""

    to_first: np.ndarray
    to_second: np.ndarray
    sure_first: np.ndarray
    sure_second: np.ndarray


def as_seen(colours: np.ndarray, linear: bool = False) -> np.ndarray:
    """(H, W, 3) uint8 for optical flow, of (H, W, 4) colours premultiplied by alpha, sRGB or light: over grey, so that alpha
    shows."""
    tones = to_tones(colours, True, True) if linear else colours
    seen = tones[..., :3] + BACKDROP * (1 - tones[..., 3:])
    return np.rint(np.clip(seen, 0, 1) * 255).astype(np.uint8)


class BothWays:
    """Optical flow between pictures of one size, there and back."""

    def __init__(self, height: int, width: int) -> None:
        self._upright, self._lying = Flow(height, width), Flow(width, height)
        for flow in (self._upright, self._lying):
            flow.look_closely()
        self._turns = 4 if height * width <= TURNED_PIXELS else 1

    def _flow(self, here: np.ndarray, there: np.ndarray) -> np.ndarray:
        """The median of what is found in the pictures as they are, mirrored both ways and lying on their side: the search goes
        from left to right and downwards, and what it finds leans that way."""
        found = self._upright(here, there)
        if self._turns == 1:
            return found
        mirrored = self._upright(_flat(here[:, ::-1]), _flat(there[:, ::-1]))[:, ::-1] * np.array([-1, 1], np.float32)
        upside = self._upright(_flat(here[::-1]), _flat(there[::-1]))[::-1] * np.array([1, -1], np.float32)
        lying = self._lying(_flat(here.swapaxes(0, 1)), _flat(there.swapaxes(0, 1))).swapaxes(0, 1)[..., ::-1]
        return np.asarray(np.median([found, mirrored, upside, lying], 0), np.float32)

    def __call__(self, first: np.ndarray, second: np.ndarray) -> Moves:
        """By optical flow between pictures of `as_seen`."""
        return self.weigh(self._flow(first, second), self._flow(second, first))

    def weigh(self, onward: np.ndarray, back: np.ndarray) -> Moves:
        """Moves of two flows, each believed where the other leads back."""
        sure, sure_back = self._upright.agrees(onward, back), self._upright.agrees(back, onward)
        return Moves(onward, back, sure.astype(np.float32), sure_back.astype(np.float32))


def _flat(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture)


def splat(values: np.ndarray, flow: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`values` (H, W, C) laid down where `flow` (H, W, 2) carries them, their mean by `weight` (H, W), and the weight that
    arrived, (H, W)."""
    height, width, channels = values.shape
    at = grid(height, width) + flow
    left, top = np.floor(at[..., 0]), np.floor(at[..., 1])
    total, arrived = np.zeros((channels, height * width)), np.zeros(height * width)
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = (left + dx).astype(int), (top + dy).astype(int)
            part = weight * (1 - np.abs(at[..., 0] - x)) * (1 - np.abs(at[..., 1] - y))
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            index, part = (y * width + x)[inside], part[inside]
            arrived += np.bincount(index, part, height * width)
            for c in range(channels):
                total[c] += np.bincount(index, part * values[..., c][inside], height * width)
    mean = (total / np.maximum(arrived, 1e-9)).T.reshape(values.shape)
    return mean.astype(np.float32), arrived.reshape(height, width).astype(np.float32)


def bow(before: Moves, after: Moves) -> np.ndarray:
    """(H, W, 2) float32: by how much the motion changes at a picture, pixels a step and step, out of the moves that lead to it
    and those that lead on; 0 where either is not sure."""
    sure = before.sure_back * after.sure
    return np.asarray(cv2.GaussianBlur((before.back + after.onward) * sure[..., None], (0, 0), BOW_BLUR), np.float32)


def meet(moves: Moves, t: float, before: Moves | None = None, after: Moves | None = None) -> Meeting:
    """What a picture at time t, 0 the first to 1 the second, is fetched from: both flows are carried along to that time; where
    none arrives, as at newly seen surface, its surroundings tell. before, after: the moves that lead to the first and on from the
    second, as long; with them what moves goes in a bow."""
    first, weight = splat(moves.onward, t * moves.onward, 0.05 + moves.sure)
    second, other = splat(-moves.back, (1 - t) * moves.back, 0.05 + moves.sure_back)
    weight, other = (1 - t) * weight, t * other
    total = weight + other
    motion = (first * weight[..., None] + second * other[..., None]) / np.maximum(total, 1e-6)[..., None]
    motion = _close(motion, total > 1e-3)
    to_first, to_second, here = -t * motion, (1 - t) * motion, grid(*total.shape)
    bows = [sample(bow(before, moves), here + to_first)] if before else []
    bows += [sample(bow(moves, after), here + to_second)] if after else []
    if bows:
        aside = np.mean(bows, axis=0) * (t * (1 - t) / 2)
        to_first, to_second = to_first + aside, to_second + aside
    return Meeting(to_first, to_second, sample(moves.sure, here + to_first), sample(moves.sure_back, here + to_second))


def _close(motion: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(H, W, 2) motion whose holes are filled from around."""
    side = 5
    while not known.all() and known.any():
        weight = cv2.blur(known.astype(np.float32), (side, side))
        around = cv2.blur(motion * known[..., None], (side, side)) / np.maximum(weight, 1e-6)[..., None]
        motion = np.where(known[..., None], motion, around)
        known = known | (weight > 1e-4)
        side = 2 * side + 1
    return motion.astype(np.float32)
