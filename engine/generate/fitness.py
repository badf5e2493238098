"""A quick test, before any training, of whether a sequence can be learned at all: each sentence says what is the matter and what
to do. It knows clips, no files."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from torch.nn import functional as F

from engine.generate.clip import Clip
from engine.protocol import JobError

FEWEST = 12  # frames
FEW = 24
STILL = 1 / 1000  # tones, between the two frames that are farthest apart
CUT = 3.0  # times the largest change elsewhere
SEEN = 0.04  # tones: a change that is no cut, however calm the rest
GROWTH = 2.2  # distances over long lags by those over short ones
BLOCKS = 8
RIGID = 0.5  # of the difference of two frames, left when one is moved onto the other


def check_count(count: int) -> None:
    """Raises JobError where there are too few frames."""
    if count < FEWEST:
        raise JobError(
            f"{count} frames are too few to learn motion from; give at least {FEWEST}, better {FEW} or more."
        )


def check(clip: Clip, numbers: list[int]) -> None:
    """Raises JobError where the sequence has gaps, stands still, has a cut, or never comes back to what it showed."""
    for before, after in itertools.pairwise(numbers):
        if after != before + 1:
            raise JobError(
                f"Frame {before + 1} is missing; fill the gaps with Between first, or give frames without any."
            )
    coarse = F.adaptive_avg_pool2d(clip.pictures, BLOCKS).flatten(1).numpy()
    if (clip.pictures.amax(0) - clip.pictures.amin(0)).max() < STILL:
        raise JobError("All frames look the same, so there is no motion to learn; give a sequence that moves.")
    if (cut := _find_cut(clip)) is not None:
        raise JobError(
            f"There is a cut between frames {numbers[cut]} and {numbers[cut + 1]}; give the frames before it or after it."
        )
    if _drifts(coarse) or _travels(clip):
        raise JobError(
            "The sequence goes on to what it never showed before, as one of a travelling camera or of something that grows "
            "or ends does, and cannot be continued; give a part of it that stays in one place."
        )


def notes(clip: Clip) -> list[str]:
    """Sentences about what can be served, but not well."""
    if len(clip) < FEW:
        return [f"{len(clip)} frames are few: what is made of them will repeat itself; {FEW} or more are better."]
    return []


def changes(clip: Clip) -> np.ndarray:
    """(T - 1,) mean difference of neighbours."""
    return torch.diff(clip.pictures, dim=0).abs().mean((1, 2, 3)).numpy()


def _find_cut(clip: Clip) -> int | None:
    """The frame before a cut: a change that is far larger than any other, and of which no part is taken back (as a flash is)."""
    found = changes(clip)
    at = int(found.argmax())
    others = np.delete(found, range(max(0, at - 1), min(len(found), at + 2)))
    return at if found[at] > max(SEEN, CUT * float(others.max())) else None


def _travels(clip: Clip) -> bool:
    """Whether the whole picture moves on as one, unchanged but for what comes in at its border."""
    flows = clip.flows.flatten(2)
    steps = flows.median(2).values  # (T, 2)
    together = (flows - steps[..., None]).norm(dim=1) < 0.3 * steps.norm(dim=1)[:, None] + 0.25
    side = min(clip.pictures.shape[-2:])
    if together.float().mean(1).median() < 0.8 or steps.sum(0).norm() < 0.6 * side:
        return False
    sums, kept = steps.cumsum(0), []
    for t in range(len(clip)):
        later = (sums - sums[t]).norm(dim=1)[t:] > 0.25 * side
        if later.any():
            kept.append(_unlike_when_moved(clip, t, t + int(later.int().argmax()), sums))
    return float(np.median(kept)) < RIGID


def _unlike_when_moved(clip: Clip, t: int, later: int, sums: torch.Tensor) -> float:
    """What is left of the difference of two frames when the first is moved as the picture did."""
    x, y = (round(float(d)) for d in sums[later] - sums[t])
    old, new = clip.pictures[t], clip.pictures[later]
    moved = torch.roll(old, (-y, -x), (1, 2))
    inside = torch.zeros_like(old[0])
    height, width = inside.shape
    inside[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)] = 1
    left, whole = (((new - one).abs().mean(0) * inside).sum() for one in (moved, old))
    return float(left / (whole + 1e-6))


def _drifts(coarse: np.ndarray) -> bool:
    """Whether (T, D) frames go on and on away from where they were: those a long time apart are farther from each other than
    those a shorter time apart, and nothing of the last part is like the first."""
    count = len(coarse)
    apart = np.sqrt(((coarse[:, None] - coarse[None]) ** 2).mean(-1))
    lag = np.abs(np.arange(count)[:, None] - np.arange(count)[None])
    short = apart[(lag >= 0.2 * count) & (lag < 0.35 * count)].mean()
    long = apart[lag >= 0.7 * count].mean()
    near = apart[lag == 1].mean()
    part = count // 3
    again = apart[-part:, :part].min(1).mean()
    return bool(long > GROWTH * short and again > 3 * near)
