"""The guide "edges" from made-up renders in finer pixels, in numpy alone: each kind of edge in its channel, where it is, to a
part of a pixel; the same in bands as at once."""

from __future__ import annotations

import numpy as np
import pytest
from addon import edges

OBJECT, LEAP, FOLD = 0, 1, 2


def plain(height: int = 8, width: int = 8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One flat object that faces the camera, (H, W), ten units away."""
    normal = np.zeros((3, height, width), np.float32)
    normal[2] = 1
    return np.ones((height, width), np.float32), np.full((height, width), 10, np.float32), normal


def test_nothing_borders_on_nothing() -> None:
    assert not edges.edges(*plain()).any()
    ids, depth, normal = plain()
    assert not edges.edges(0 * ids, np.random.default_rng(0).random(depth.shape), normal).any(), "a sky has no edges"


@pytest.mark.parametrize(("column", "shares"), [(3, {1: 1.0}), (4, {1: 0.5, 2: 0.5})])
@pytest.mark.parametrize("channel", [OBJECT, LEAP, FOLD])
def test_where_an_edge_is(channel: int, column: int, shares: dict[int, float]) -> None:
    """From the fine pixel `column` on all is different: within the coarse pixel 1, or between it and the next."""
    ids, depth, normal = plain()
    if channel == OBJECT:
        ids[:, column:] = 2
    elif channel == LEAP:
        depth[:, column:] = 15
    else:
        normal[:, :, column:] = np.float32([1, 0, 0])[:, None, None]
    guide = edges.edges(ids, depth, normal)
    assert guide.shape == (4, 4, 3)
    row = np.array([shares.get(i, 0.0) for i in range(4)])
    assert np.abs(guide[..., channel] / 255 - row).max() < 0.01, guide[..., channel]
    assert not np.delete(guide, channel, 2).any(), "another object is neither a leap nor a fold"


def test_bands_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    ids, normal = rng.integers(0, 3, (50, 22)).astype(np.float32), rng.normal(size=(3, 50, 22)).astype(np.float32)
    depth = 10 + rng.random((50, 22)).astype(np.float32)
    whole = edges.edges(ids, depth, normal)
    monkeypatch.setattr(edges, "ROWS", 8)
    assert (edges.edges(ids, depth, normal) == whole).all()
