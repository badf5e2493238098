"""Figures for pictures that were made to go on after a given sequence. Pictures are (T, H, W, 3) float32, 0 to 1, over grey.
Knows no methods and no effects."""

from __future__ import annotations

import numpy as np

from benchmarks import features
from benchmarks.jod import jod
from benchmarks.metrics import psnr as psnr_of_bytes

Figures = dict[str, float]
SOON = 8  # frames that are held against the truth one by one
LEAD = 12  # frames in which what was given is left behind
EVERY = 3  # of the later frames, one in so many is looked at by the classifier
HELD = 0.1  # of the largest change, below which there is none
PATCH = 8  # parts of a picture's side, in which copies are looked for


def over_grey(pictures: np.ndarray) -> np.ndarray:
    """(T, H, W, 3) float32 of (T, H, W, 4) premultiplied: over mid grey, so that wrong alpha shows."""
    return np.asarray(np.clip(pictures[..., :3] + 0.5 * (1 - pictures[..., 3:]), 0, 1), np.float32)


def psnr(test: np.ndarray, truth: np.ndarray) -> float:
    """Mean over frames, in dB."""
    return psnr_of_bytes(test * 255, truth * 255)


def soon(test: np.ndarray, truth: np.ndarray, fps: float = 24.0) -> Figures:
    """The first frames, against the true continuation; and how crisp they are, over its own."""
    a, b = test[:SOON], truth[:SOON]
    crisp = [liveliness(x[:LEAD])["sharpness"] for x in (test, truth)]
    return {"PSNR 8": psnr(a, b), "JOD 8": jod(a, b, fps), "sharpness 12": crisp[0] / crisp[1]}


# --- later: alike in kind --------------------------------------------------------------------------------------------


class Later:
    """What comes after the first frames, held against a truth by its features; a second truth is the unit."""

    def __init__(self, truth: np.ndarray, other: np.ndarray) -> None:
        self._stills = features.Yardstick(*(self._see(x) for x in (truth, other)))
        self._moves = features.Yardstick(*(self._see_moves(x) for x in (truth, other)))
        self._liveliness = liveliness(truth)

    @staticmethod
    def _see(pictures: np.ndarray) -> np.ndarray:
        return features.features(pictures[::EVERY])

    @staticmethod
    def _see_moves(pictures: np.ndarray) -> np.ndarray:
        return features.features(
            np.concatenate([features.changes(pictures[i : i + 2]) for i in range(0, len(pictures) - 1, EVERY)])
        )

    def score(self, test: np.ndarray) -> Figures:
        """Distances, and signs of collapse: the end of the roll-out over the truth."""
        ending = liveliness(test[-len(test) // 4 :])
        ratios = {f"{name} at the end": value / self._liveliness[name] for name, value in ending.items()}
        stills, moves = self._stills(self._see(test)), self._moves(self._see_moves(test))
        return {"FD frames": stills, "FD changes": moves, **ratios}


def liveliness(pictures: np.ndarray) -> Figures:
    """spread: how much a pixel varies in time. sharpness: mean absolute Laplacian. motion: mean difference of neighbours."""
    x = pictures[:, 1:-1, 1:-1]
    around = pictures[:, :-2, 1:-1] + pictures[:, 2:, 1:-1] + pictures[:, 1:-1, :-2] + pictures[:, 1:-1, 2:]
    return {
        "spread": float(pictures.std(0).mean()),
        "sharpness": float(np.abs(4 * x - around).mean()),
        "motion": float(np.abs(np.diff(pictures, axis=0)).mean()),
    }


# --- copies ----------------------------------------------------------------------------------------------------------


def _parts(pictures: np.ndarray) -> np.ndarray:
    """(T, PATCH * PATCH, values) parts of each picture, at half the size."""
    small = (pictures[:, ::2, ::2] + pictures[:, 1::2, ::2] + pictures[:, ::2, 1::2] + pictures[:, 1::2, 1::2]) / 4
    count, height, width, channels = small.shape
    h, w = height // PATCH, width // PATCH
    cut = small[:, : h * PATCH, : w * PATCH].reshape(count, PATCH, h, PATCH, w, channels)
    return cut.transpose(0, 1, 3, 2, 4, 5).reshape(count, PATCH * PATCH, -1)


def copying(test: np.ndarray, given: np.ndarray) -> float:
    """Share of patches (two parts high, two wide, two frames long) whose eight pieces all have the nearest of the given pieces,
    at that place, in one and the same frame of what was given, or the next one. Parts that never change do not count."""
    ours, theirs = _parts(test), _parts(given)
    nearest = np.empty(ours.shape[:2], int)
    lively = theirs.std(0).mean(-1) > 0.01
    for p in range(ours.shape[1]):
        a, b = ours[:, p], theirs[:, p]
        nearest[:, p] = ((b * b).sum(1) - 2 * a @ b.T).argmin(1)
    grid, alive = nearest.reshape(-1, PATCH, PATCH), lively.reshape(PATCH, PATCH)
    corners = [(slice(i, PATCH - 1 + i), slice(j, PATCH - 1 + j)) for i in (0, 1) for j in (0, 1)]
    here = np.stack([grid[:-1, y, x] for y, x in corners])
    there = np.stack([grid[1:, y, x] for y, x in corners])
    counts = np.all([alive[y, x] for y, x in corners], 0)
    alike = (here == here[:1]).all(0) & (there == there[:1]).all(0) & (np.abs(there[0] - here[0]) <= 1)
    return float(alike[:, counts].mean()) if counts.any() else float("nan")


def seam(loop: np.ndarray) -> float:
    """Difference across the joint over the median between neighbours; a drawing that is held counts as no neighbour."""
    inside = np.abs(np.diff(loop, axis=0)).mean((1, 2, 3))
    moving = inside[inside > HELD * inside.max()]
    return float(np.abs(loop[0] - loop[-1]).mean() / max(float(np.median(moving)) if len(moving) else 0.0, 1e-6))


def strays(take: np.ndarray, other: np.ndarray, given: np.ndarray) -> float:
    """How different two takes are: their mean difference over that of two frames of the given chosen at random."""
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, len(given), (2, 200))
    usual = np.abs(given[pairs[0]] - given[pairs[1]]).mean()
    return float(np.abs(take - other).mean() / max(float(usual), 1e-6))
