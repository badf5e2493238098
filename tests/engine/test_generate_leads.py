"""What a lead from one stretch to another is made of, without training: colours that there were, and flow that can be
followed."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from engine.footage.tracking import Flow
from engine.generate.colours import Colours
from engine.generate.play import _followed
from engine.generate.training import both_flows

SIDE = 64


def flame(heat: np.ndarray) -> Tensor:
    """(T, 4, H, W) of (T, H, W): from nothing over red and yellow to white, as hot as it is."""
    ramp = np.clip(np.stack([3 * heat, 3 * heat - 1, 3 * heat - 2, 4 * heat], 1), 0, 1)
    return torch.from_numpy(np.float32(ramp))


def blob(x: float, y: float, wide: float = 60.0) -> np.ndarray:
    """(H, W), 0 to 1."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return np.asarray(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / wide))


def test_a_washed_flame_gets_its_colours_back_and_a_true_one_keeps_them() -> None:
    given = flame(np.stack([blob(x, 40, 300) for x in range(20, 44)]))
    colours = Colours(given, torch.device("cpu"))
    assert torch.equal(colours(given), given)
    washed = 0.5 * given[:1] + 0.5 * given[-1:]
    palette = given.permute(0, 2, 3, 1).reshape(-1, 4)[::37]

    def strange(pictures: Tensor) -> float:
        seen = pictures.permute(0, 2, 3, 1).reshape(-1, 4)
        return float(torch.cdist(seen, palette).amin(1).max())

    assert strange(colours(washed)) < strange(washed) / 3
    bright = 2 * washed
    white = (bright.amax(1, keepdim=True) > 1).expand_as(bright)
    assert torch.equal(colours(bright)[white], bright[white])


def test_where_flow_cannot_follow_nothing_is_carried_along_it() -> None:
    """Of a thing that moved and one that only appears, the first is followed, the second is not torn out of its surroundings."""
    rng = np.random.default_rng(0)
    grain = rng.random((SIDE, SIDE)).astype(np.float32)
    moved, noise = np.roll(grain, 2, 1), rng.random((SIDE, SIDE)).astype(np.float32)
    search = Flow(SIDE, SIDE)

    def carried(one: np.ndarray, other: np.ndarray) -> float:
        a, b = (torch.from_numpy(seam_ready(x)) for x in (one, other))
        return float(_followed(a, b, both_flows(search, a, b), search).abs().mean())

    assert carried(grain, moved) > 0.5
    assert carried(grain, noise) == 0


def seam_ready(tones: np.ndarray) -> np.ndarray:
    """(1, 4, H, W) opaque, soft enough to be followed."""
    soft = cv2.GaussianBlur(tones, (0, 0), 2.0)
    soft = (soft - soft.min()) / (soft.max() - soft.min())
    return np.stack([soft, soft, soft, np.ones_like(soft)])[None]
