"""Dense curves → few keys with Bézier handles, so that what Blender evaluates stays within an error bound at every frame.

`build.py sync` copies this file byte for byte into the add-on: the engine states the bound, Blender writes the keys. All
channels of a group (a bone's rotation, its location) get keys at the same frames. Knows numpy, no file, no rig, neither
bpy nor torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Error = Callable[[np.ndarray, np.ndarray], np.ndarray]  # curves (T, C), (T, C) → how far apart they are, (T,)
Basis = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
THIRD = 1.0 / 3.0  # of the gap: how long free handles are, so that time passes evenly along the curve
SAFE = 0.998  # of the bound: Blender computes in single precision
STIFF = 1e-3  # how much a handle without frames of its own follows the curve's own slope
PASSES = 64


class Keys(NamedTuple):
    """rows (K,) ascending, values (K, C); left, right (K, C, 2): handles from their key, (frames, value). error: the
    greatest at any row, in the units of the measure."""

    rows: np.ndarray
    values: np.ndarray
    left: np.ndarray
    right: np.ndarray
    error: float


def decimate(
    curve: np.ndarray,
    fixed: np.ndarray,
    bound: float,
    error: Error,
    left: np.ndarray | None = None,
    right: np.ndarray | None = None,
) -> Keys:
    """Few keys for a curve (T, C), one row a frame, within `bound` at every row as `error` measures it.

    fixed (T,) bool: rows that are keys in any case, as the artist's own; the first and the last row always are. left,
    right (T, C, 2): handles that are given at fixed rows, NaN where one is to be found. Found handles of a key lie in one
    line and are a third of the gap long. Where given handles do not allow the bound, keys at every row keep it.
    """
    curve = np.asarray(curve, np.float64)
    kept = np.array(fixed, bool)
    kept[[0, -1]] = True
    fit = _Fit(curve, left, right)
    keys, off = _refine(fit, kept.copy(), bound * SAFE, error)
    keys, off = _prune(fit, keys, kept, bound * SAFE, error, off)
    rows = np.flatnonzero(keys)
    values, left_found, right_found = fit.handles(rows)
    return Keys(rows, values, left_found, right_found, float(off.max(initial=0.0)))


def _refine(fit: _Fit, keys: np.ndarray, bound: float, error: Error) -> tuple[np.ndarray, np.ndarray]:
    """Keys (T,) bool with one more at the worst row of each gap until all rows are within the bound; the errors (T,)."""
    for _ in range(PASSES):
        rows = np.flatnonzero(keys)
        off = error(fit.curve_through(rows), fit.curve)
        worst = _worst(off * ~keys, rows, bound)
        if not len(worst):
            return keys, off
        keys[worst] = True
    keys[:] = True
    return keys, np.zeros(len(keys))


def _worst(off: np.ndarray, rows: np.ndarray, bound: float) -> np.ndarray:
    """The worst row of each gap between `rows` in which the bound is passed."""
    gap = np.repeat(np.arange(len(rows)), np.diff(rows, append=rows[-1] + 1))
    over = np.flatnonzero(off > bound)
    order = over[np.argsort(off[over], kind="stable")]
    worst = np.full(len(rows), -1)
    worst[gap[order]] = order  # the last one written, the worst, stays
    return worst[worst >= 0]


def _prune(
    fit: _Fit, keys: np.ndarray, kept: np.ndarray, bound: float, error: Error, off: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The keys without those that are not needed: every third is taken away at a time, and comes back if it is missed."""
    for part in (0, 1, 2, 0, 1, 2):
        rows = np.flatnonzero(keys)
        tried = rows[part::3]
        tried = tried[~kept[tried]]
        fewer = keys.copy()
        fewer[tried] = False
        left = np.flatnonzero(fewer)
        now = error(fit.curve_through(left), fit.curve)
        gap = np.searchsorted(left, tried)  # the gap that each of them leaves, and its neighbours on both sides
        missed = [now[left[max(g - 2, 0)] : left[min(g + 1, len(left) - 1)] + 1].max() > bound for g in gap.tolist()]
        fewer[tried[np.array(missed, bool)]] = True
        fewer, now = _refine(fit, fewer, bound, error)
        if fewer.sum() < keys.sum():
            keys, off = fewer, now
    return keys, off


class _Fit:
    """Bézier curves through rows of a curve (T, C), their free handles found by least squares."""

    def __init__(self, curve: np.ndarray, left: np.ndarray | None, right: np.ndarray | None) -> None:
        free = np.full((*curve.shape, 2), np.nan)
        self.curve = curve
        self.left = free if left is None else np.asarray(left, np.float64)
        self.right = free if right is None else np.asarray(right, np.float64)
        self.even = bool(np.isnan(self.left).all() and np.isnan(self.right).all())
        self.slope = np.gradient(curve, axis=0) if len(curve) > 1 else np.zeros_like(curve)

    def curve_through(self, rows: np.ndarray) -> np.ndarray:
        """The curve (T, C) that Blender evaluates with keys at these rows."""
        values, left, right = self.handles(rows)
        return evaluate(Keys(rows, values, left, right, 0.0), np.arange(len(self.curve)), self.even)

    def handles(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Values (K, C), left and right handles (K, C, 2)."""
        values, length = self.curve[rows], np.diff(rows).astype(np.float64)[:, None]
        left, right = self.left[rows], self.right[rows]
        slopes = self._slopes(rows, values, length, left, right)
        beyond = length if len(length) else np.ones((1, 1))
        before, after = (THIRD * np.concatenate(pair) for pair in ((beyond[:1], length), (length, beyond[-1:])))
        for handle, way in ((left, -before), (right, after)):
            free = np.isnan(handle)
            found = np.stack([np.broadcast_to(way, slopes.shape), way * slopes], -1)
            handle[free] = found[free]
        return values, left, right

    def _slopes(
        self, rows: np.ndarray, values: np.ndarray, length: np.ndarray, left: np.ndarray, right: np.ndarray
    ) -> np.ndarray:
        """The slopes (K, C) that fit the curve best: of one system of equations, each tied to its two neighbours."""
        count, frames = len(rows), len(self.curve)
        if count < 2:
            return self.slope[rows]
        gap = np.repeat(np.arange(count - 1), np.diff(rows))
        time = np.arange(frames - 1.0)[:, None]
        if self.even:
            basis = _basis(_times(time, rows, gap, left, right, length, True))
            rest = self.curve[:-1] - _between(values, gap, basis)
            one, two = basis[1] * (THIRD * length)[gap], basis[2] * (-THIRD * length)[gap]
        else:
            known = np.isnan(right[:-1, :, 0]), np.isnan(left[1:, :, 0])
            way = np.array([THIRD, 0.0]) * length[..., None]
            first, second = _within(
                np.where(known[0][..., None], way, right[:-1]), np.where(known[1][..., None], -way, left[1:]), length
            )
            basis = _basis(_times(time, rows, gap, first, second, length, False))
            rest = self.curve[:-1] - _between(values, gap, basis)
            rest = rest - basis[1] * first[gap, :, 1] - basis[2] * second[gap, :, 1]
            one, two = basis[1] * (first[..., 0] * known[0])[gap], basis[2] * (second[..., 0] * known[1])[gap]
        return self._solve(rows, one, two, rest)

    def _solve(self, rows: np.ndarray, one: np.ndarray, two: np.ndarray, rest: np.ndarray) -> np.ndarray:
        """The slopes (K, C) of which those before and after each row, times one and two (T - 1, C | 1), come nearest to
        the rest (T - 1, C)."""
        parts = [np.add.reduceat(term, rows[:-1]) for term in (one * one, two * two, one * two, one * rest, two * rest)]
        first, last = np.zeros((1, one.shape[1])), np.zeros((1, rest.shape[1]))
        here = np.concatenate([parts[0], first]) + np.concatenate([first, parts[1]])
        own = np.concatenate([parts[3], last]) + np.concatenate([last, parts[4]])
        stiff = STIFF * (1.0 + here)
        return _tridiagonal(here + stiff, parts[2], own + stiff * self.slope[rows])


def _between(values: np.ndarray, gap: np.ndarray, basis: Basis) -> np.ndarray:
    """The curve (T, C) with flat handles."""
    return values[gap] * (basis[0] + basis[1]) + values[gap + 1] * (basis[2] + basis[3])


def _tridiagonal(diagonal: np.ndarray, beside: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve symmetric equations, one system a column: diagonal, right (K, C), beside (K - 1, C)."""
    none = np.zeros((1, beside.shape[1]))
    return _reduced(np.concatenate([none, beside]), diagonal, np.concatenate([beside, none]), right)


def _reduced(before: np.ndarray, own: np.ndarray, after: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve equations (K, C) of each unknown with the one before and the one after, by putting every second into its
    neighbours' equations: a few steps over arrays instead of one step an unknown."""
    count = len(own)
    if count == 1:
        return right / own
    gone, last = 1.0 / own[1::2], count % 2
    low, high = before[2::2] * gone[: (count - 1) // 2], after[: count - last : 2] * gone
    less_right = np.zeros_like(right[::2])
    less_own, new_before, new_after = (np.zeros_like(own[::2]) for _ in range(3))
    pairs, sooner = len(gone), len(low)
    less_own[:pairs] = high * before[1::2]
    less_right[:pairs] = high * right[1::2]
    new_after[:pairs] = -high * after[1::2]
    less_own[1:] += low * after[1::2][:sooner]
    less_right[1:] += low * right[1::2][:sooner]
    new_before[1:] = -low * before[1::2][:sooner]
    found = np.empty_like(right)
    found[::2] = _reduced(new_before, own[::2] - less_own, new_after, right[::2] - less_right)
    next_ones = np.concatenate([found[2::2], np.zeros_like(right[:1])])[:pairs]
    found[1::2] = (right[1::2] - before[1::2] * found[: 2 * pairs : 2] - after[1::2] * next_ones) * gone
    return found


# --- as Blender evaluates --------------------------------------------------------------------------------------------


def evaluate(keys: Keys, frames: np.ndarray, even: bool = False) -> np.ndarray:
    """The curves (T, C) at frames (T,) of keys with Bézier interpolation, held beyond the ends. even: all handles are a
    third of their gap long, which is quicker."""
    rows, values = keys.rows, keys.values
    if len(rows) < 2:
        return np.repeat(values, len(frames), 0)
    inside = np.clip(np.asarray(frames, np.float64), rows[0], rows[-1])
    gap = np.clip(np.searchsorted(rows, inside, side="right") - 1, 0, len(rows) - 2)
    length, first, second = np.diff(rows).astype(np.float64)[:, None], keys.right[:-1], keys.left[1:]
    if not even:
        first, second = _within(first, second, length)
    b = _basis(_times(inside[:, None], rows, gap, first, second, length, even))
    return _between(values, gap, b) + b[1] * first[gap, :, 1] + b[2] * second[gap, :, 1]


def _within(first: np.ndarray, second: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Handles of both ends of each gap (K - 1, C, 2), shortened where together they are longer than the gap."""
    both = np.abs(first[..., 0]) + np.abs(second[..., 0])
    share = np.where(both > length, length / np.maximum(both, 1e-12), 1.0)[..., None]
    return first * share, second * share


def _times(
    frames: np.ndarray,
    rows: np.ndarray,
    gap: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    length: np.ndarray,
    even: bool,
) -> np.ndarray:
    """Where along their Bézier curves the frames (T, 1) lie, 0 to 1, (T, C) or (T, 1)."""
    u = (frames - rows[gap, None]) / length[gap]
    if even:
        return u
    one, two = (first[..., 0] / length)[gap], (1.0 + second[..., 0] / length)[gap]
    low, high = np.zeros(one.shape), np.ones(one.shape)
    for _ in range(40):
        t = 0.5 * (low + high)
        b = _basis(t)
        before = b[1] * one + b[2] * two + b[3] < u
        low, high = np.where(before, t, low), np.where(before, high, t)
    return 0.5 * (low + high)


def _basis(t: np.ndarray) -> Basis:
    s = 1.0 - t
    return s * s * s, 3.0 * s * s * t, 3.0 * s * t * t, t * t * t


# --- what is measured ------------------------------------------------------------------------------------------------


def distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Locations (T, 3), in their own unit; or any values, the length of the difference of all of them."""
    gone: np.ndarray = np.sqrt(((a - b) ** 2).sum(-1))
    return gone


def degrees(mode: str) -> Error:
    """Degrees between rotations given by the channels of one of Blender's rotation modes, "QUATERNION" (w first),
    "AXIS_ANGLE" (angle first) or "XYZ" and the like. The second curve is mostly the same one, so it is kept."""
    known: list[np.ndarray] = []  # a second curve, and its quaternions

    def error(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        if not known or known[0] is not b:
            known[:] = [b, quaternions(b, mode)]
        p, q = quaternions(a, mode), known[1]
        chord = np.minimum(np.linalg.norm(p - q, axis=-1), np.linalg.norm(p + q, axis=-1))
        return np.degrees(4.0 * np.arcsin(np.minimum(0.5 * chord, 1.0)))

    return error


# An axis times a quaternion: which of its four numbers, and their signs.
AXES = {"X": ([1, 0, 3, 2], [-1, 1, -1, 1]), "Y": ([2, 3, 0, 1], [-1, 1, 1, -1]), "Z": ([3, 2, 1, 0], [-1, -1, 1, 1])}


def quaternions(channels: np.ndarray, mode: str) -> np.ndarray:
    """Channels (T, 4 | 3) of a rotation mode as unit quaternions (T, 4), w first."""
    if mode == "QUATERNION":
        unit: np.ndarray = channels / np.maximum(np.linalg.norm(channels, axis=-1, keepdims=True), 1e-12)
        return unit
    if mode == "AXIS_ANGLE":
        length = np.linalg.norm(channels[:, 1:], axis=-1, keepdims=True)
        axis = channels[:, 1:] / np.maximum(length, 1e-12)
        half = np.where(length > 1e-12, 0.5 * channels[:, :1], 0.0)  # about no axis nothing turns, as in Blender
        return np.concatenate([np.cos(half), np.sin(half) * axis], -1)
    q = np.zeros((len(channels), 4))
    q[:, 0] = 1.0
    for letter in mode:  # the first letter turns first
        half = 0.5 * channels[:, "XYZ".index(letter), None]
        order, signs = AXES[letter]
        q = np.cos(half) * q + np.sin(half) * (q[:, order] * signs)
    return q
