"""Which learned stretch is played after which. A path is a list of stretches; where it leaves one for another, both look and move
alike, and go on as the LSTM expects. It knows latent motion, (T, D) arrays, and no pictures."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

APART = 3  # frames: a leap over fewer is none
BACK = 3  # frames before a leap that are compared
LEAD = 12  # frames in which one stretch is led over into the next, at most
QUICKEST = 3  # and at least
SHORTEST = 6  # learned frames after a leap away that are enough to lead over in
STEPS = 5  # frames of a lead for each step by which a leap does not fit
TRUST = 0.2  # squared steps by which an expectation may be wrong and still be half believed
SURE = 0.3  # of the error of what fits best: a prediction that is better is shown as it is
LOST = 0.5  # of the error of what fits best: a prediction that is worse is no longer believed (so bad is a mean of all frames)
USELESS = 1.0  # of that error, from the first frame on: what fits best is shown at once instead
LINGER = 5  # frames, at most, in which what is no longer believed is left
UNKNOWN = 1.3  # times as dear is a leap from where it was not learned how it goes on
TRIES = 8  # stretches to choose the next from
FAR = 1e4  # what a leap costs that is none


@dataclass(frozen=True)
class Stretch:
    """Consecutive learned frames that are played. leave: the learned frame that was played last before, whose own continuation is
    led over into this; -1 for none. begin: the first learned frame of it. length: how many. fit: what the leap into it costs.
    last: whether the path ends in it, however far the lead is."""

    leave: int
    begin: int
    length: int
    fit: float = FAR
    last: bool = False


def longest_lead(count: int) -> int:
    """In how many frames at most one stretch is led over into the next, in a sequence of `count`."""
    return max(3, min(LEAD, count // 4))


def lead_of(fit: float, longest: int, left: int) -> int:
    """In how many frames a leap is led over: the worse it fits, the more. left: learned frames after the one that is left, which
    are enough or nearly so, or have to be predicted."""
    lead = int(np.clip(round(STEPS * fit), min(QUICKEST, longest), longest))
    return min(lead, left) if left >= min(SHORTEST, longest) else lead


def share_of(h: int, lead: int) -> float:
    """How much of the second stretch is seen in the h-th frame of a leap, counted from 1, and how far things have moved from
    where the first has them to where the second does. All of it after the lead."""
    part = min(1.0, h / (lead + 1))
    return part * part * (3 - 2 * part)


def lead_out(astray: np.ndarray, left: int, fit: float, longest: int) -> tuple[int, int]:
    """Where how the first stretch goes on was learned for only `left` more frames, and has to be predicted from there: how many
    frames are of the first alone, and after how many all is of the second. astray: (H,), of engine.generate.trust."""
    sure, believed = int((astray < SURE).sum()), int((astray < LOST).sum())
    linger = int(np.clip(round(STEPS / 2 * fit), 0, LINGER)) if astray[0] < USELESS else 0
    lead = min(left + believed + linger, longest)
    return min(left + sure, max(0, lead - 2)), lead


def leaps(latent: np.ndarray, apart: np.ndarray | None = None, expected: np.ndarray | None = None) -> np.ndarray:
    """(T, T): how badly the frames that led to j fit in place of those that led to i, in steps between neighbours; FAR where they
    are too near in time. apart: (T, T), of engine.generate.clip, how far what is large is from its place. expected: (T, H, D),
    how each frame is expected to go on; what follows j is compared with it."""
    count = len(latent)
    squared = _backwards(_apart(latent, latent)) + _apart(*2 * [_paces(latent)])
    if expected is not None:
        squared = _with_future(squared, latent, expected)
    if apart is not None:
        squared = (squared + _backwards(apart**2)) / 2
    found = np.sqrt(squared)
    found[np.abs(np.arange(count)[:, None] - np.arange(count)[None]) < APART] = FAR
    found[:, : BACK - 1] = FAR
    return found


def _backwards(squared: np.ndarray) -> np.ndarray:
    """(T, T) means of what holds for two frames, and for those before them."""
    total, weights = np.zeros_like(squared), (1.0, 0.7, 0.4)
    for back, weight in zip(range(BACK), weights, strict=True):
        rows = np.maximum(np.arange(len(squared)) - back, 0)
        total += weight / sum(weights) * squared[np.ix_(rows, rows)]
    return total


def _paces(latent: np.ndarray) -> np.ndarray:
    """(T, BACK) steps up to each frame, so that a drawing that is held leads on to one that is."""
    steps = np.linalg.norm(np.diff(latent, axis=0, prepend=latent[:1]), axis=1)
    return np.stack([steps[np.maximum(np.arange(len(steps)) - back, 0)] for back in range(BACK)], 1)


def _with_future(squared: np.ndarray, latent: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """(T, T) squared distances of pasts, and of what follows j from what is expected after i, which counts as far as expectations
    came true so far."""
    total, count = 1.0, len(latent)
    for h in range(expected.shape[1]):
        true = latent[1 + h :]
        wrong = ((expected[: count - 1 - h, h] - true) ** 2).sum(-1).mean()
        weight = TRUST / (TRUST + float(wrong))
        rows = np.minimum(np.arange(count) + 1 + h, count - 1)
        squared = squared + weight * _apart(expected[:, h], latent[rows])
        total += weight
    return squared / total


def _apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(T, T) squared distances of (T, D) rows."""
    squared = (first**2).sum(1)[:, None] + (second**2).sum(1)[None] - 2 * first @ second.T
    return np.maximum(squared, 0).astype(np.float64)


def draw_leap(cost: np.ndarray, ahead: int, rng: np.random.Generator) -> tuple[int, int, float]:
    """A leap to learn from: the frames i and j after which the stretches go on, both with `ahead` frames left, and its cost; by
    chance among good ones."""
    last = len(cost) - ahead
    i = int(rng.integers(3, last))
    prices = cost[i, :last]
    odds = np.exp(-(prices - prices.min()) / (0.3 + 0.3 * prices.min()))
    j = int(rng.choice(last, p=odds / odds.sum()))
    return i, j, float(cost[i, j])


def wander(
    cost: np.ndarray, count: int, start: int, rng: np.random.Generator, shortest: int, stray: float
) -> list[Stretch]:
    """Stretches that make up `count` frames after the learned frame `start`: of some chosen by chance among those with good leaps
    into them, that leave `shortest` frames to play, the one with the best leaps into it and out of it. stray: 0 takes the best,
    1 readily others."""
    made: list[Stretch] = []
    last = len(cost) - shortest - min(SHORTEST, shortest)
    onward = cost[:, :last].min(1)
    visits = np.zeros(last)
    while (left := count - sum(s.length for s in made)) > 0:
        prices = cost[start, :last] * (1 + visits)
        spread = (0.4 * stray if made else 0.002) * max(float(prices.min()), 0.5) + 1e-3
        odds = np.exp(-(prices - prices.min()) / spread)
        drawn = [int(j) for j in rng.choice(last, TRIES, p=odds / odds.sum())]
        tries = [(j, _length(onward, j, shortest, rng)) for j in drawn]
        j, length = min(tries, key=lambda one: prices[one[0]] ** 2 + onward[sum(one)] ** 2)
        visits *= 0.9
        visits[max(0, j - 2) : j + 3] += 0.5
        length = min(left, length)
        made.append(Stretch(start, j + 1, length, float(cost[start, j]), length == left))
        start = j + length
    return made


def _length(onward: np.ndarray, j: int, shortest: int, rng: np.random.Generator) -> int:
    """How long to play on after j: until a frame from which a good leap leads on, not too late. onward: (T,), what the best leap
    costs from each."""
    room = max(shortest, len(onward) - 1 - j - min(SHORTEST, shortest))  # so that it is known how the last goes on
    lengths = np.arange(min(shortest, room), room + 1)
    prices = onward[j + lengths]
    odds = np.exp(-(prices - prices.min()) / (0.1 + 0.2 * prices.min()) - lengths / 24)
    return int(rng.choice(lengths, p=odds / odds.sum()))


def circle(cost: np.ndarray, count: int, shortest: int) -> list[Stretch]:
    """Stretches that make up a cycle of `count` frames, with the best joints that there are: each leads over into the next, the
    last into the first. A cycle longer than the sequence is made of several."""
    total = len(cost)
    known = np.arange(total) + shortest < total
    cost = cost * np.where(known, 1.0, UNKNOWN)[:, None]
    parts = 1
    while count / parts + shortest > total - BACK and count / (parts + 1) >= shortest:
        parts += 1
    best: tuple[float, list[Stretch]] = (np.inf, [])
    rng = np.random.default_rng(0)
    for _ in range(1 if parts == 1 else 400):
        found = _one_part(cost, count) if parts == 1 else _some_parts(cost, count, parts, shortest, rng)
        if found[0] < best[0]:
            best = found
    return best[1]


def _one_part(cost: np.ndarray, count: int) -> tuple[float, list[Stretch]]:
    ends = np.arange(BACK - 1 + count, len(cost))
    prices = cost[ends, ends - count]
    end = int(ends[np.argmin(prices)])
    return float(prices.min()), [Stretch(end, end - count + 1, count, float(prices.min()))]


def _some_parts(
    cost: np.ndarray, count: int, parts: int, shortest: int, rng: np.random.Generator
) -> tuple[float, list[Stretch]]:
    """Parts of chance lengths, each begun where that joins best to the one before."""
    spare = count - parts * shortest
    cuts = np.sort(rng.integers(0, spare + 1, parts - 1))
    lengths = np.diff(np.concatenate([[0], cuts, [spare]])) + shortest
    longest = len(cost) - BACK
    if lengths.max() > longest:
        return np.inf, []
    befores = [int(rng.integers(BACK - 1, len(cost) - lengths[0]))]
    price = 0.0
    for n, following in itertools.pairwise(lengths):
        prices = cost[befores[-1] + n, : len(cost) - following]
        befores.append(int(np.argmin(prices)))
        price += float(prices.min())
    price += float(cost[befores[-1] + lengths[-1], befores[0]])
    ends = [b + int(n) for b, n in zip(befores, lengths, strict=True)]
    made = [
        Stretch(ends[k - 1], befores[k] + 1, int(lengths[k]), float(cost[ends[k - 1], befores[k]]))
        for k in range(parts)
    ]
    return price, made
