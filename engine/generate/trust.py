"""How long a prediction is worth showing: played on from learned frames whose continuation was learned too, it is held against
the learned stretch that would be led over into there instead. It knows clips and the predictor, no paths and no files."""

from __future__ import annotations

import numpy as np
import torch

from engine.generate.clip import Clip
from engine.generate.networks import Networks
from engine.generate.training import HISTORY, begin, unroll

TRIES = 8  # places where it is tried
PERIODIC = 0.3  # of the error of what fits best: less is known all the time
SETTLED = 1.25  # times what it was in the middle, an error no longer grows
NOTHING = 0.75  # of the error of what fits best is that of a soft picture that knows nothing


@torch.inference_mode()
def astray(networks: Networks, clip: Clip, leaps: np.ndarray, ahead: int, device: torch.device) -> np.ndarray:
    """(ahead,): the squared error of a prediction, frame by frame, over that of the learned stretch that fits best there. leaps:
    (T, T), how badly the stretch after j fits in place of the one after i."""
    last = len(clip) - 1 - ahead
    at = sorted({round(t) for t in np.linspace(HISTORY - 1, last, TRIES)})
    made = unroll(networks, begin(clip, at, (slice(None), slice(None)), device), ahead)
    others = [int(leaps[t, :last].argmin()) for t in at]
    found = []
    for h, predicted in enumerate(made, 1):
        truth, other = (clip.pictures[[t + h for t in places]].to(device) for places in (at, others))
        wrong = (predicted.clamp(0, 1) - truth).square().mean()
        found.append(float(wrong / ((other - truth).square().mean() + 1e-9)))
    return settled(np.maximum.accumulate(found))


def settled(found: np.ndarray) -> np.ndarray:
    """(ahead,) errors, such as they would be of frames that were not learned: one that no longer grows is that of a prediction
    that knows nothing any more, however small learning has made it. What never was far off, as a wheel's turn, is left as it
    is."""
    middle, last = found[len(found) // 2], found[-1]
    if middle < PERIODIC or last > SETTLED * middle:
        return found
    return found * max(1.0, NOTHING / last)
