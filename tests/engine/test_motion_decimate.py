"""Decimation: the bound truly held, as Blender evaluates (here by one frame at a time, from its definition), and few keys.

Knows no Blender; the add-on's tests put the same keys into F-curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engine import quat
from engine.clips import read_mocap
from engine.motion import decimate

DEGREES = decimate.degrees("QUATERNION")


def bezier(keys: decimate.Keys, frame: float, channel: int) -> float:
    """The F-curve's value by definition: handles shortened to fit, the place along the curve found by halving."""
    k = min(int(np.searchsorted(keys.rows, frame, side="right")) - 1, len(keys.rows) - 2)
    start, end = float(keys.rows[k]), float(keys.rows[k + 1])
    one, two = keys.right[k, channel], keys.left[k + 1, channel]
    share = min(1.0, (end - start) / (abs(one[0]) + abs(two[0])))
    x = [start, start + share * one[0], end + share * two[0], end]
    first, last = keys.values[k, channel], keys.values[k + 1, channel]
    y = [first, first + share * one[1], last + share * two[1], last]

    def at(p: list[float], t: float) -> float:
        return (1 - t) ** 3 * p[0] + 3 * t * (1 - t) ** 2 * p[1] + 3 * t**2 * (1 - t) * p[2] + t**3 * p[3]

    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if at(x, middle) < frame else (low, middle)
    return at(y, low)


def evaluated(keys: decimate.Keys, rows: int) -> np.ndarray:
    return np.array([[bezier(keys, frame, c) for c in range(keys.values.shape[1])] for frame in range(rows)])


def swinging(rows: int = 160, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth curves (rows, channels) with a corner."""
    random, time = np.random.default_rng(seed), np.arange(rows)[:, None]
    curve = sum(np.sin(time * random.uniform(0.03, 0.2, channels) + random.uniform(0, 6, channels)) for _ in range(3))
    return np.asarray(curve + 0.02 * np.abs(time - 70))


@pytest.mark.parametrize("bound", [0.3, 0.05, 0.005])
def test_the_bound_holds_at_every_frame(bound: float) -> None:
    curve = swinging()
    keys = decimate.decimate(curve, np.zeros(160, bool), bound, decimate.distance)
    error = decimate.distance(evaluated(keys, 160), curve).max()
    assert error <= bound and error == pytest.approx(keys.error, abs=1e-9)
    assert len(keys.rows) < {0.3: 20, 0.05: 35, 0.005: 75}[bound]
    assert keys.rows[0] == 0 and keys.rows[-1] == 159


def test_the_artists_keys_and_handles_stay() -> None:
    curve, fixed = swinging(), np.zeros(160, bool)
    fixed[[0, 31, 32, 90, 159]] = True
    left, right = (np.full((160, 3, 2), np.nan) for _ in range(2))
    left[90], right[90] = [-25.0, 0.4], [60.0, -0.2]  # the second is longer than what is left of its gap
    keys = decimate.decimate(curve, fixed, 0.05, decimate.distance, left, right)
    assert set(np.flatnonzero(fixed)) <= set(keys.rows.tolist())
    k = int(np.searchsorted(keys.rows, 90))
    assert np.array_equal(keys.left[k], left[90]) and np.array_equal(keys.right[k], right[90])
    assert np.array_equal(keys.values, curve[keys.rows])
    assert decimate.distance(evaluated(keys, 160), curve).max() <= 0.05


def test_handles_of_a_key_lie_in_one_line() -> None:
    keys = decimate.decimate(swinging(), np.zeros(160, bool), 0.05, decimate.distance)
    before, after = keys.left[1:-1], keys.right[1:-1]
    assert np.allclose(before[..., 1] / before[..., 0], after[..., 1] / after[..., 0])


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_hardly_any_frames(rows: int) -> None:
    curve = np.arange(rows * 2.0).reshape(rows, 2)
    keys = decimate.decimate(curve, np.zeros(rows, bool), 0.01, decimate.distance)
    assert np.allclose(decimate.evaluate(keys, np.arange(rows)), curve, atol=0.01)


def test_a_still_curve_needs_its_ends_alone() -> None:
    keys = decimate.decimate(np.full((300, 4), 0.5), np.zeros(300, bool), 0.01, decimate.distance)
    assert keys.rows.tolist() == [0, 299] and keys.error < 1e-12


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "XYZ", "ZXY", "YZX"])
def test_degrees_by_hand(mode: str) -> None:
    if mode == "QUATERNION":
        pair = [[1.0, 0.0, 0.0, 0.0], [-2 * np.cos(0.15), 0.0, -2 * np.sin(0.15), 0.0]]
    elif mode == "AXIS_ANGLE":
        pair = [[0.2, 0.0, 3.0, 0.0], [0.5, 0.0, 1.0, 0.0]]
    else:
        pair = [[0.0, 0.4, 0.0], [0.0, 0.7, 0.0]]
    a, b = (np.array([x]) for x in pair)
    assert decimate.degrees(mode)(a, b)[0] == pytest.approx(np.degrees(0.3))


def test_euler_channels_turn_in_the_order_of_their_letters() -> None:
    made = decimate.quaternions(np.array([[0.3, -0.8, 1.1]]), "ZXY")
    turns = [quat.exp(torch.tensor([v], dtype=torch.float64)) for v in ([0, 0, 1.1], [0.3, 0, 0], [0, -0.8, 0])]
    expected = quat.multiply(turns[2], quat.multiply(turns[1], turns[0]))
    assert np.allclose(made, expected.numpy(), atol=1e-7)


def test_captured_motion_needs_a_fifth_of_its_frames_at_a_degree(mocap: Path) -> None:
    take = read_mocap(mocap / "cmu_dev.npz").takes[10]
    rotations, rows, count = take.rotations[::2].astype(np.float64), len(take.rotations[::2]), 0
    for joint in range(rotations.shape[1]):
        keys = decimate.decimate(rotations[:, joint], np.zeros(rows, bool), 1.0, DEGREES)
        assert DEGREES(decimate.evaluate(keys, np.arange(rows)), rotations[:, joint]).max() <= 1.0
        count += len(keys.rows)
    assert count < 0.25 * rows * rotations.shape[1]


def test_about_no_axis_nothing_turns() -> None:
    """As in Blender: where an axis that is keyed passes through zero, on its way to its opposite."""
    axes = np.linspace([0.7, 1.0, 0.0, 0.0], [0.7, -1.0, 0.0, 0.0], 5)
    made = decimate.quaternions(axes, "AXIS_ANGLE")
    assert np.allclose(np.linalg.norm(made, axis=1), 1.0) and made[2].tolist() == [1, 0, 0, 0]
