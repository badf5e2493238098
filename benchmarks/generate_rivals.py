"""What a sequence can be made longer with, without learning: holding its last frame, a cross-faded loop, flow, and patches of
its own put together anew. They know arrays (T, H, W, 4), premultiplied, 0 to 1; neither effects nor scores."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.footage.tracking import Flow, sample
from engine.generate.flows import as_seen

FADE = 8  # frames of a cross-fade


def hold(given: np.ndarray, count: int) -> np.ndarray:
    """The last frame, `count` times."""
    return np.repeat(given[-1:], count, 0)


def cycle(given: np.ndarray) -> np.ndarray:
    """A loop of what is given, FADE frames shorter: its end is faded over into its beginning."""
    fade = min(FADE, len(given) // 3)
    body = given[: len(given) - fade].copy()
    share = (np.arange(1, fade + 1, dtype=np.float32) / (fade + 1))[:, None, None, None]
    body[:fade] = given[len(given) - fade :] * (1 - share) + given[:fade] * share
    return body


def cross_fade(given: np.ndarray, count: int) -> np.ndarray:
    """That loop played on: out of the last frame, which is held for as long as the fade takes."""
    body, fade = cycle(given), min(FADE, len(given) // 3)
    made = body[np.arange(count) % len(body)]
    share = (np.arange(1, fade + 1, dtype=np.float32) / (fade + 1))[:count, None, None, None]
    made[:fade] = given[-1] * (1 - share) + given[:fade][:count] * share
    return made


def push_on(given: np.ndarray, count: int) -> np.ndarray:
    """The last frame pushed on by the last motion, which is itself carried along; always fetched from that frame, so that
    nothing is sampled twice."""
    flow = Flow(*given.shape[1:3])
    motion = flow(as_seen(given[-1]), as_seen(given[-2]))  # from the last frame back to the one before
    origin, made = flow.grid.copy(), []
    for _ in range(count):
        origin = sample(origin, flow.grid + motion)
        motion = sample(motion, flow.grid + motion)
        made.append(sample(given[-1], origin))
    return np.stack(made)


def blend(given: np.ndarray) -> np.ndarray:
    """The frames between those given, each the mean of its neighbours."""
    return (given[:-1] + given[1:]) / 2


def flow_between(given: np.ndarray) -> np.ndarray:
    """The frames between those given, by optical flow both ways: each neighbour brought halfway, and their mean."""
    flow, made = Flow(*given.shape[1:3]), []
    seen = [as_seen(picture) for picture in given]
    for i in range(len(given) - 1):
        onward, back = flow(seen[i], seen[i + 1]), flow(seen[i + 1], seen[i])
        first = sample(given[i], flow.grid + 0.25 * (back - onward))
        made.append((first + sample(given[i + 1], flow.grid + 0.25 * (onward - back))) / 2)
    return np.stack(made)


# --- patches over space and time ------------------------------------------------------------------------------------

COARSE, FINE = 16, 32  # sides at which patches are searched for everywhere, and near by
ROUNDS = 3
REACH = 5  # pixels and frames that a patch spans at the coarse side
NOISE = 0.12
CHUNK = 8192


def patches(given: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Nearest neighbours of patches over space and time, coarse to fine, after VGPNN (Haim et al. 2022): begun with the clip
    shuffled by noise, every patch is replaced by the nearest of the input's, overlapping ones are averaged, and so on, then
    finer. What was found at the FINE side is fetched from the input at full size."""
    rng = np.random.default_rng(seed)
    size = given.shape[1]
    coarse = _small(given, min(COARSE, size))
    ahead = _begin(len(given), count, rng)
    start = coarse[ahead] + NOISE * coarse.std() * rng.normal(size=(count, *coarse.shape[1:])).astype(np.float32)
    past = coarse[-REACH:]
    field = _search(np.concatenate([past, start]), coarse, rounds=ROUNDS)
    found = field[len(past) :]
    factor = max(1, size // found.shape[1])
    return _fetch(given, found, factor)


def _small(pictures: np.ndarray, side: int) -> np.ndarray:
    return np.stack([cv2.resize(p, (side, side), interpolation=cv2.INTER_AREA) for p in pictures]).astype(np.float32)


def _begin(length: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """(count,) frames to begin with: stretches of the input, forwards, from places at random."""
    order: list[int] = []
    while len(order) < count:
        start = int(rng.integers(0, max(1, length // 2)))
        order += range(start, min(length, start + max(8, length // 2)))
    return np.array(order[:count])


def _unfold(video: Tensor, reach: int) -> Tensor:
    """(T * H * W, C * 3 * reach * reach) patches of (T, H, W, C): three frames, each reach x reach, around every pixel."""
    frames, height, width, channels = video.shape
    planes = F.pad(video.permute(0, 3, 1, 2), [reach // 2] * 4, mode="replicate")
    flat = F.unfold(planes, reach).reshape(frames, channels * reach * reach, height * width)
    before, after = torch.cat([flat[:1], flat[:-1]]), torch.cat([flat[1:], flat[-1:]])
    return torch.cat([before, flat, after], 1).permute(0, 2, 1).reshape(frames * height * width, -1)


def _search(video: np.ndarray, source: np.ndarray, rounds: int) -> np.ndarray:
    """(T, H, W, 3) int: for each pixel of a video the frame, row and column of the input that it is like, after `rounds` of
    replacing patches. The past comes first in `video` and is drawn to itself."""
    keys = _unfold(torch.from_numpy(source), REACH)
    mean = keys.mean(0)
    _, _, axes = torch.pca_lowrank(keys - mean, q=min(24, *keys.shape), center=False)
    low = (keys - mean) @ axes
    norm = (low * low).sum(1)
    shape, now = video.shape[:3], torch.from_numpy(video)
    values = torch.from_numpy(source).reshape(-1, source.shape[-1])
    for _ in range(rounds):
        queries = (_unfold(now, REACH) - mean) @ axes
        index = torch.cat([(norm - 2 * part @ low.T).argmin(1) for part in queries.split(CHUNK)])
        now = values[index].reshape(*shape, -1)
        now = 0.5 * now + 0.5 * _soften(now)
    t, rest = np.divmod(index.numpy(), source.shape[1] * source.shape[2])
    return np.stack([t, *np.divmod(rest, source.shape[2])], -1).reshape(*shape, 3)


def _soften(video: Tensor) -> Tensor:
    planes = F.pad(video.permute(0, 3, 1, 2), [1] * 4, mode="replicate")
    return F.avg_pool2d(planes, 3, 1).permute(0, 2, 3, 1)


def _fetch(given: np.ndarray, field: np.ndarray, factor: int) -> np.ndarray:
    """(T, H, W, C) out of the input at full size: each pixel is the mean of what the patches over it say, which lie on the grid
    of `field` and span three of its cells, the nearest most."""
    count, rows, columns = field.shape[:3]
    size = rows * factor
    y, x = np.mgrid[:size, :size]
    weight = np.zeros((size, size, 1), np.float32)
    made = np.zeros((count, size, size, given.shape[-1]), np.float32)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            r, c = np.clip(y // factor + dy, 0, rows - 1), np.clip(x // factor + dx, 0, columns - 1)
            away = ((y + 0.5) / factor - r - 0.5) ** 2 + ((x + 0.5) / factor - c - 0.5) ** 2
            part = np.exp(-4 * away)[..., None].astype(np.float32)
            weight += part
            for k in range(count):
                t, sy, sx = np.moveaxis(field[k, r, c], -1, 0)
                at_y = np.clip(y + (sy - r) * factor, 0, size - 1)
                at_x = np.clip(x + (sx - c) * factor, 0, size - 1)
                made[k] += part * given[t, at_y, at_x]
    return made / weight
