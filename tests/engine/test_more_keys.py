"""More painted keys never make a shot worse: each pixel takes its paint from one key, in the light that is most like its own and
together with its neighbours; and the same number of steps with more keys paints frames as well or better."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_borrow import SIDE, two_halves, view
from tiny_shot import FRAMES, read_truth, write_shot

from engine import job_folder
from engine.protocol import Stylise, TrainStyle
from engine.stylise import train
from engine.stylise.infer import stylise
from engine.stylise.reprojection import Atlas, KeySurface
from engine.stylise.train import train_style

KEYS = (2, 5, 8)
SCORED = [frame for frame in FRAMES if frame not in KEYS]
TOLERANCE = 0.3  # dB: as many steps for more keys are fewer for each


@pytest.fixture(autouse=True)
def small_patches() -> Generator[None, None, None]:
    """Patches for a shot of 64 x 64 pixels."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "PATCH", 32)
        patch.setattr(train, "KEY_PATCHES", 4)
        yield


def keys_taken(frame: int, grain: float = 0.0) -> np.ndarray:
    """(H, W) which of two keys each pixel of a frame takes its paint from. The first is painted in frame 1, when object 1 lay in
    the dark, the second in frame 20, in even light; the frame itself is in even light but for its grain."""
    _, ids = two_halves()
    dark = np.where(ids == 1, 0.3, 0.9)
    rng = np.random.default_rng(0)
    keys = [replace(view(dark, ids), frame=1), replace(view(np.full(ids.shape, 0.9), ids, 2), frame=20)]
    here = replace(view(0.9 + grain * rng.normal(size=ids.shape), ids, 1), frame=frame)
    match = Atlas([KeySurface(key) for key in keys]).match(here)
    assert (match.confidence[2:-2, 4:-4] > 0.3).float().mean() > 0.9
    return (match.xy[..., 1] > SIDE - 0.5).numpy()


def test_a_key_in_the_same_light_is_taken_before_one_that_is_near_in_time() -> None:
    taken = keys_taken(frame=4)
    inside = (slice(8, SIDE // 2 - 8), slice(8, -8))
    assert taken[inside].all()
    assert not taken[SIDE // 2 + 8 : -8, 8:-8].any()  # where the light is the same, the nearer in time


def test_grain_of_the_render_does_not_patch_two_keys_together() -> None:
    taken = keys_taken(frame=10, grain=0.15)
    for half in (slice(8, SIDE // 2 - 8), slice(SIDE // 2 + 8, -8)):
        seams = np.diff(taken[half, 8:-8].astype(int), axis=1) != 0
        assert seams.mean() < 0.01


def _score(folder: Path, keys: tuple[int, ...]) -> float:
    """Mean PSNR of the frames that are a key in none, after as many steps for one key as for three."""
    write_shot(folder, keys)
    for _ in train_style(folder, TrainStyle(keys=list(keys), seconds=600, steps=160, device="cpu")):
        pass
    for _ in stylise(folder, Stylise(FRAMES[0], FRAMES[-1], device="cpu")):
        pass
    wrong = [
        np.array(Image.open(job_folder.result_path(folder, f))) - read_truth(folder, f).astype(float) for f in SCORED
    ]
    return float(np.mean([10 * np.log10(255**2 / (x**2).mean()) for x in wrong]))


def test_more_keys_are_never_worse(tmp_path: Path) -> None:
    scores = [_score(tmp_path / str(count), KEYS[1 : 1 + count] if count < 3 else KEYS) for count in (1, 2, 3)]
    assert scores[1] > scores[0] - TOLERANCE
    assert scores[2] > scores[1] - TOLERANCE
