"""Figures for a painted sequence against its truth. Sequences are (T, H, W, 3) uint8 sRGB. Knows no methods and no shots."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates
from skimage.metrics import structural_similarity


def psnr(test: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> float:
    """Mean over frames of the PSNR in dB, on the pixels of `where` (T, H, W) if given; frames without any are left out."""
    values = []
    for i in range(len(test)):
        error = (test[i].astype(np.float64) - truth[i]) ** 2
        error = error if where is None else error[where[i]]
        if error.size:
            values.append(10 * np.log10(255**2 / max(error.mean(), 1e-4)))
    return float(np.mean(values)) if values else float("nan")


def ssim(test: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> float:
    """Mean over frames of the structural similarity, on the pixels of `where` (T, H, W) if given; frames without any are left
    out."""
    values = []
    for i, (a, b) in enumerate(zip(test, truth, strict=True)):
        mean, alike = structural_similarity(a, b, channel_axis=-1, full=True)
        if where is None or where[i].any():
            values.append(mean if where is None else alike[where[i]].mean())
    return float(np.mean(values)) if values else float("nan")


def _laplacian(frames: np.ndarray) -> float:
    x = frames.astype(np.float32)
    inner = 4 * x[:, 1:-1, 1:-1] - x[:, 2:, 1:-1] - x[:, :-2, 1:-1] - x[:, 1:-1, 2:] - x[:, 1:-1, :-2]
    return float(np.abs(inner).mean())


def sharpness_ratio(test: np.ndarray, truth: np.ndarray) -> float:
    """Mean absolute Laplacian over the truth's: below 1 strokes are lost, above 1 there are too many."""
    return _laplacian(test) / _laplacian(truth)


def warping_error(frames: np.ndarray, flows: np.ndarray, ids: np.ndarray, numbers: list[int]) -> float:
    """Lai 2018: frame t+1 warped to t by the exact flow, mean squared difference (0 to 1) over pixels whose object
    is still there.

    flows: (T, H, W, 2) pixels, x first, y down, from t to t+1. ids: (T, H, W). numbers: the frames'; pairs that are not
    neighbours are left out.
    """
    height, width = ids.shape[1:]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    errors = []
    for t in (t for t in range(len(frames) - 1) if numbers[t + 1] == numbers[t] + 1):
        to = [y + flows[t, ..., 1], x + flows[t, ..., 0]]
        inside = (to[0] >= 0) & (to[0] <= height - 1) & (to[1] >= 0) & (to[1] <= width - 1)
        same = inside & (map_coordinates(ids[t + 1], to, order=0, mode="nearest") == ids[t])
        warped = np.stack(
            [map_coordinates(frames[t + 1, ..., c] / 255, to, order=1, mode="nearest") for c in range(3)], -1
        )
        if same.any():
            errors.append(((warped - frames[t] / 255) ** 2)[same].mean())
    return float(np.mean(errors)) if errors else float("nan")


def patch_distance(test: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None, seed: int = 0) -> float:
    """Sliced Wasserstein distance of 7x7 patches (their own mean taken off): do the strokes look alike, wherever they lie?"""
    rng = np.random.default_rng(seed)
    height, width = truth.shape[1:3]
    centres = np.ones(truth.shape[:3], bool) if where is None else where.copy()
    centres[:, :3] = centres[:, height - 3 :] = centres[:, :, :3] = centres[:, :, width - 3 :] = False
    t, y, x = np.nonzero(centres)
    if not len(t):
        return float("nan")
    pick = rng.choice(len(t), min(20_000, len(t)), replace=False)
    oy, ox = np.mgrid[-3:4, -3:4].reshape(2, -1)
    index = (t[pick, None], y[pick, None] + oy, x[pick, None] + ox)
    directions = rng.normal(size=(49 * 3, 64))
    directions /= np.linalg.norm(directions, axis=0)
    slices = []
    for frames in (test, truth):
        patches = frames[index].astype(np.float32) / 255
        patches = (patches - patches.mean(1, keepdims=True)).reshape(len(pick), -1)
        slices.append(np.sort(patches @ directions, axis=0))
    return float(np.abs(slices[0] - slices[1]).mean())
