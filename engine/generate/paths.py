"""Which learned stretch is played after which. A path is a list of steps, each the index of a learned frame; where it leaves one
stretch for another, the two look and move alike. It knows latent motion, (T, D) arrays, and no pictures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

APART = 3  # frames: a leap over fewer is none
BACK = 3  # frames before a leap that are compared


@dataclass(frozen=True)
class Stretch:
    """Consecutive learned frames that are played. leave: the learned frame that was played last before, whose own continuation is
    led over into this; -1 for none. begin: the first learned frame of it. length: how many."""

    leave: int
    begin: int
    length: int


def latents(pictures: np.ndarray, most: int = 16) -> np.ndarray:
    """(T, D) principal coordinates of (T, ...) small pictures; a step of 1 is as large as between neighbours."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float64)
    u, s, _ = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    coordinates = (u * s)[:, :most]
    step = np.sqrt((np.diff(coordinates, axis=0) ** 2).sum(1).mean())
    return (coordinates / max(step, 1e-9)).astype(np.float32)


def leaps(z: np.ndarray) -> np.ndarray:
    """(T, T): how badly the frames that led to j fit in place of those that led to i, in steps between neighbours; infinite where
    they are too near in time."""
    count = len(z)
    apart = np.zeros((count, count))
    weights = 0.0
    for back, weight in zip(range(BACK), (1.0, 0.7, 0.4), strict=True):
        rows = np.maximum(np.arange(count) - back, 0)
        apart += weight * ((z[rows][:, None] - z[rows][None]) ** 2).sum(-1)
        weights += weight
    found = np.sqrt(apart / weights)
    near = np.abs(np.arange(count)[:, None] - np.arange(count)[None]) < APART
    found[near] = np.inf
    found[:BACK] = found[:, :BACK] = np.inf
    return found


def wander(
    cost: np.ndarray, count: int, start: int, rng: np.random.Generator, shortest: int, stray: float
) -> list[Stretch]:
    """Stretches that make up `count` frames after the learned frame `start`, each chosen by chance among the best leaps that leave
    `shortest` frames to play. stray: 0 takes the best, 1 readily others."""
    made: list[Stretch] = []
    visits = np.zeros(len(cost))
    while (left := count - sum(s.length for s in made)) > 0:
        lands = np.arange(len(cost) - shortest)  # the stretch begins after j
        prices = cost[start, : len(cost) - shortest] * (1 + visits[: len(cost) - shortest])
        spread = (0.05 + 0.5 * stray) * max(float(prices.min()), 0.5)
        odds = np.exp(-(prices - prices.min()) / spread)
        j = int(rng.choice(lands, p=odds / odds.sum()))
        visits[max(0, j - 2) : j + 3] += 0.3
        room = len(cost) - 1 - j
        ends = np.arange(min(shortest, room), room + 1)
        onward = np.array([np.partition(cost[j + n, : len(cost) - shortest], 2)[:3].mean() for n in ends])
        odds = np.exp(-(onward - onward.min()) / (0.3 + onward.min()) / 0.3) * np.exp(-ends / 24)
        length = min(left, int(rng.choice(ends, p=odds / odds.sum())))
        made.append(Stretch(start, j + 1, length))
        start = j + length
    return made


def circle(cost: np.ndarray, count: int, shortest: int) -> list[Stretch]:
    """Stretches that make up a cycle of `count` frames, with the best joints there are: the last leads over into the first."""
    total = len(cost)
    if count + shortest <= total - BACK:
        ends = np.arange(BACK + count, total)
        prices = cost[ends, ends - count]
        end = int(ends[np.argmin(prices)])
        return [Stretch(end, end - count + 1, count)]
    half = max(shortest, count // 2)
    if half >= count:
        half = count
    best, found = np.inf, []
    for first in range(BACK, total - shortest):
        for length in range(shortest, min(total - first, count - shortest + 1)):
            rest = count - length
            starts = np.arange(BACK, total - rest)
            if not len(starts):
                continue
            prices = cost[first + length - 1, starts] + cost[starts + rest, first - 1 if first > BACK else BACK]
            k = int(np.argmin(prices))
            if prices[k] < best:
                best = float(prices[k])
                found = [Stretch(-1, first, length), Stretch(first + length - 1, int(starts[k]) + 1, rest)]
    return found
