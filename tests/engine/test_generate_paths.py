"""What stretches follow each other, and how long a prediction is shown between them, told from few pictures without training."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from benchmarks import effects
from engine.generate import fitness, paths
from engine.generate.clip import Clip, make_clip
from engine.generate.networks import NetworkParams, Networks
from engine.generate.trust import astray

SIDE = 64
TURN = 20  # frames of the rod
PARAMS = NetworkParams(fine=4, wide=4, deep=4, judge=4, latent=16, hidden=8)


def pictures_of(tones: np.ndarray) -> Tensor:
    """(T, 4, H, W) opaque, of (T, H, W)."""
    planes = np.repeat(tones[:, None], 4, 1)
    planes[:, 3] = 1
    return torch.from_numpy(np.float32(planes))


def mechanism(frames: int) -> Clip:
    """A faint rod that turns, before fine strong teeth that pass quickly."""
    y, x = np.mgrid[:SIDE, :SIDE]
    t = np.arange(frames)[:, None, None]
    teeth = 0.5 + 0.3 * np.sign(np.sin(2 * np.pi * (x / 4 + t * 0.29)))
    angle = 2 * np.pi * t / TURN
    rod = np.hypot(x - 32 - 20 * np.cos(angle), y - 32 - 20 * np.sin(angle)) < 7
    return make_clip(pictures_of(np.where(rod, 0.35, teeth)), PARAMS.latent)


def off(i: int, j: int) -> int:
    """Frames by which the rod is elsewhere."""
    apart = abs(i - j) % TURN
    return min(apart, TURN - apart)


def test_a_mechanism_leaps_to_where_its_rod_is() -> None:
    clip = mechanism(60)
    cost = paths.leaps(clip.latent, clip.apart)
    blind = paths.leaps(clip.latent)
    right, guessed = (np.mean([off(t, int(m[t, :45].argmin())) <= 1 for t in range(4, 60)]) for m in (cost, blind))
    assert right > 0.9 and guessed < 0.5
    path = paths.wander(cost, 300, 59, np.random.default_rng(0), 12, 0.5)
    assert sum(s.length for s in path) == 300 and len({s.begin for s in path}) > len(path) / 3, (
        "not the same ones again"
    )
    assert np.median([off(s.leave, s.begin - 1) for s in path]) <= 1


def test_a_prediction_is_shown_for_as_long_as_it_is_worth_it() -> None:
    """What drifts evenly is foretold by its flow, even untrained; what is new in each frame is not."""
    y, x = np.mgrid[:SIDE, :SIDE]
    there = 32 + 20 * np.sin(2 * np.pi * np.arange(40) / 40)[:, None, None]
    drifting = pictures_of(np.exp(-((x - there) ** 2 + (y - 32) ** 2) / 60))
    boiling = pictures_of(np.random.default_rng(0).uniform(0, 1, (40, SIDE, SIDE)))
    leads = []
    for pictures in (drifting, boiling):
        clip = make_clip(pictures, PARAMS.latent)
        leaps = paths.leaps(clip.latent, clip.apart)
        found = astray(Networks(PARAMS).eval(), clip, leaps, 8, torch.device("cpu"))
        assert found.shape == (8,) and (np.diff(found) >= 0).all()
        leads.append(paths.lead_out(found, 0, 2.0, 12))
    (alone, lead), (none, quick) = leads
    assert alone >= 2 and lead >= alone + 2 and none == 0 and quick < lead
    assert paths.lead_out(np.full(8, 3.0), 0, 0.0, 12) == (0, 0), "a leap that fits is made at once"


def test_what_sways_slowly_is_not_refused() -> None:
    """A flag that in 40 frames hardly comes back to where it was."""
    tones = effects.clip("flag", 40, 32).astype(np.float32) / 255
    clip = make_clip(torch.from_numpy(np.ascontiguousarray(tones.transpose(0, 3, 1, 2))), PARAMS.latent)
    fitness.check(clip, list(range(1, 41)))
