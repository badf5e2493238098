"""ColorVideoVDP's score of a sequence against its truth, in just-objectionable differences (JOD, 10 is no difference).

The cvvdp package asks for torchvision, whose published builds do not load beside the CPU build of torch that is pinned
here. All that the metric needs of it is one Gaussian blur, so that is given to it from here. Knows no shots, no jobs.
"""

from __future__ import annotations

import sys
import types

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F


class GaussianBlur(nn.Module):
    """Gaussian blur of (…, C, H, W), edges reflected, as torchvision.transforms.GaussianBlur with one fixed sigma."""

    def __init__(self, kernel_size: int, sigma: float) -> None:
        super().__init__()
        offsets = torch.arange(kernel_size, dtype=torch.float32) - (kernel_size - 1) / 2
        weights = torch.exp(-0.5 * (offsets / sigma) ** 2)
        self.weights = weights / weights.sum()

    def forward(self, image: Tensor) -> Tensor:
        size, channels = self.weights.numel(), image.shape[-3]
        kernel = self.weights.to(image).expand(channels, 1, 1, size)
        flat = F.pad(image.flatten(0, -4), [size // 2] * 4, mode="reflect")
        flat = F.conv2d(F.conv2d(flat, kernel, groups=channels), kernel.transpose(2, 3), groups=channels)
        return flat.reshape(image.shape)


def _lend_blur() -> None:
    """Let pycvvdp import torchvision's two names; MLP belongs to variants of the metric that are not used here."""
    vision, transforms, ops = (types.ModuleType(f"torchvision{part}") for part in ("", ".transforms", ".ops"))
    transforms.GaussianBlur, ops.MLP = GaussianBlur, nn.Sequential  # type: ignore[attr-defined]
    sys.modules |= {"torchvision": vision, "torchvision.transforms": transforms, "torchvision.ops": ops}


def jod(test: np.ndarray, truth: np.ndarray, fps: float) -> float:
    """JOD of `test` against `truth`, both (T, H, W, 3) sRGB in 0 … 1, at `fps` frames a second on a 1080p screen."""
    if "torchvision" not in sys.modules:
        _lend_blur()
    import pycvvdp

    metric = pycvvdp.cvvdp(display_name="standard_fhd", device=torch.device("cpu"), quiet=True)
    score, _ = metric.predict(
        test.astype(np.float32), truth.astype(np.float32), dim_order="FHWC", frames_per_second=fps
    )
    return float(score)
