"""What a lead from one stretch to another is made of, without training: colours that there were, and flow that can be
followed."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from engine.footage.tracking import Flow
from engine.generate import paths, seam
from engine.generate.clip import make_clip
from engine.generate.colours import Colours
from engine.generate.networks import Networks
from engine.generate.play import Player, _followed, foreseen
from engine.generate.train import PARAMS
from engine.generate.training import both_flows
from engine.generate.trust import settled

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


def test_what_never_moved_stays_and_nothing_streaks_in_from_the_border() -> None:
    """Sparks rise out of a picture before a wall: what is expected next leaves the wall alone, and says where it
    does not know."""
    rng = np.random.default_rng(0)
    wall = rng.random((SIDE, SIDE)) * (np.arange(SIDE)[None] < SIDE // 3)
    heat = [np.maximum(0.6 * wall, sum(blob(48, (y - 3 * t) % SIDE, 12) for y in (10, 34, 58))) for t in range(24)]
    pictures = flame(np.float32(heat)).half()
    player = Player(pictures, make_clip(pictures, PARAMS.latent), Networks(PARAMS).eval(), torch.device("cpu"))
    still = pictures[0, :, :, : SIDE // 4].float()
    for frame in player.ahead:
        assert torch.allclose(frame.fine[0, :, :, : SIDE // 4], still, atol=0.02)
    unknown = player.ahead[-1].unknown[0, 0]
    assert unknown[-3:, 44:52].any() and not unknown[: SIDE // 2].any()


def test_a_scrap_of_what_is_left_does_not_hang_on() -> None:
    """Where most has changed over, a part on its own that differs, such as a lick of a flame, does so too."""
    taken = torch.zeros(4, 32, 32, dtype=torch.bool)
    taken[1:, 8:] = True
    taken[2:] = True
    taken[1:3, 20:23, 20:23] = False
    cleared = seam._without_islands(taken)
    assert cleared[1, 20:23, 20:23].all()
    assert not cleared[1, :8].any()


def test_a_prediction_that_knows_nothing_is_not_believed_however_well_it_was_learned() -> None:
    learned_by_heart = np.array([0.18, 0.34, 0.40, 0.43, 0.44, 0.44, 0.44, 0.46])
    grows = np.array([0.02, 0.09, 0.18, 0.28, 0.36, 0.44, 0.51, 0.57])
    wheel = np.full(8, 0.02)
    before = paths.lead_out(learned_by_heart, 0, 2.0, 12)
    assert paths.lead_out(settled(learned_by_heart), 0, 2.0, 12)[1] < before[1]
    assert (settled(grows) == grows).all() and (settled(wheel) == wheel).all()
    assert paths.lead_out(np.array([1.3, 1.6, 1.7]), 0, 1.0, 12) == (0, 0)


def seam_ready(tones: np.ndarray) -> np.ndarray:
    """(1, 4, H, W) opaque, soft enough to be followed."""
    soft = cv2.GaussianBlur(tones, (0, 0), 2.0)
    soft = (soft - soft.min()) / (soft.max() - soft.min())
    return np.stack([soft, soft, soft, np.ones_like(soft)])[None]


def test_of_stretches_that_join_equally_well_the_one_is_taken_that_goes_on_as_expected() -> None:
    """A blob goes round and inwards: from where it is last, it goes on the way it went, much as it did a round before."""
    turn = 2 * np.pi * np.arange(40) / 16
    wide = 22 - 0.35 * np.arange(40)
    heat = [blob(32 + r * np.cos(a), 32 + r * np.sin(a), 40) for a, r in zip(turn, wide, strict=True)]
    pictures = flame(np.float32(heat)).half()
    player = Player(pictures, make_clip(pictures, PARAMS.latent), Networks(PARAMS).eval(), torch.device("cpu"))
    leaps = np.ones((40, 40))
    leaps[-1, -3:] = paths.FAR
    told = foreseen(player, leaps)
    assert (39 - int(told[-1, :31].argmin())) % 16 in (0, 1, 15)
    assert (told[:-1] == 1).all() and (told[-1, -3:] == paths.FAR).all()


def test_what_rises_higher_than_it_ever_did_keeps_its_top() -> None:
    places = np.arange(28)
    heat = np.float32([blob(32, 54 - y, 40) for y in places])
    pictures = flame(heat[:24]).half()
    player = Player(pictures, make_clip(pictures, PARAMS.latent), Networks(PARAMS).eval(), torch.device("cpu"))
    truth, expected = flame(heat[26:27]), player.ahead[2].fine
    top = slice(0, 54 - 26)
    wrong = (expected - truth)[:, :, top].abs().mean()
    assert wrong < 0.35 * (pictures[-1:].float() - truth)[:, :, top].abs().mean()
