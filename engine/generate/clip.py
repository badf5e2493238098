"""A sequence as the networks see it: small enough to learn from, with the flow between neighbours and its latent motion. It knows
arrays, no files."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.footage.tracking import Flow

LONGEST = 128  # pixels of the longer side at which motion is learned; what is finer is carried by it
COARSE = 8  # places a side, in which what is large is compared
SMALL = 24  # pixels of the pictures that latent motion is found in


@dataclass(frozen=True)
class Clip:
    """pictures: (T, 4, H, W) float32, sides multiples of 8. flows: (T, 2, H, W) float32, from each picture to the one before.
    latent: (T, D) float32; a step of 1 is as far as neighbours are apart."""

    pictures: Tensor
    flows: Tensor
    latent: np.ndarray

    def __len__(self) -> int:
        return len(self.pictures)

    @cached_property
    def apart(self) -> np.ndarray:
        """(T, T): how far two pictures are apart in what is large, above all where they are farthest, in steps between
        neighbours. Fine parts that pass quickly, as the teeth of a wheel do, hide in `latent` that a rod is elsewhere."""
        coarse = F.adaptive_avg_pool2d(self.pictures, COARSE)
        found = [(coarse - one).square().sum(1).square().mean((1, 2)) ** 0.25 for one in coarse]
        all_pairs = torch.stack(found).double().numpy()
        return np.asarray(all_pairs / max(float(np.sqrt((np.diagonal(all_pairs, 1) ** 2).mean())), 1e-9))


def learning_size(height: int, width: int) -> tuple[int, int]:
    """The size at which pictures of that size are learned."""
    shrink = min(1.0, LONGEST / max(height, width))
    return tuple(max(16, 8 * round(side * shrink / 8)) for side in (height, width))  # type: ignore[return-value]


def small(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """(4, H, W) float32 at another size, each pixel the mean of those that it stands for."""
    if picture.shape[-2:] == size:
        return picture.float()
    array = cv2.resize(picture.float().numpy().transpose(1, 2, 0), size[::-1], interpolation=cv2.INTER_AREA)
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))


def visible(picture: Tensor) -> np.ndarray:
    """(H, W, 3) uint8 of (4, H, W): what optical flow is found in, alpha being seen too."""
    shown = (0.7 * picture[:3] + 0.3 * picture[3:]).detach().cpu().numpy().transpose(1, 2, 0)
    return np.rint(np.clip(shown, 0, 1) * 255).astype(np.uint8)


def find_flow(search: Flow, first: Tensor, second: Tensor) -> Tensor:
    """(2, H, W) float32: where the second (4, H, W) shows what the first does."""
    found = search(visible(first), visible(second))
    return torch.from_numpy(np.ascontiguousarray(found.transpose(2, 0, 1)))


def make_clip(pictures: Tensor, coordinates: int) -> Clip:
    """The clip of (T, 4, H, W) pictures of any size."""
    size = learning_size(pictures.shape[-2], pictures.shape[-1])
    seen = torch.stack([small(picture, size) for picture in pictures])
    search = Flow(*size)
    flows = [find_flow(search, new, old) for old, new in itertools.pairwise(seen)]
    tiny = np.stack([small(picture, (SMALL, SMALL)).numpy() for picture in seen])
    return Clip(seen, torch.stack([flows[0], *flows]), latent_motion(tiny, coordinates))


def latent_motion(pictures: np.ndarray, coordinates: int) -> np.ndarray:
    """(T, coordinates) principal coordinates of (T, ...) small pictures; those that there are not stay 0."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float64)
    u, s, _ = np.linalg.svd(flat - flat.mean(0), full_matrices=False)
    found = (u * s)[:, :coordinates]
    step = np.sqrt((np.diff(found, axis=0) ** 2).sum(1).mean())
    latent = np.zeros((len(pictures), coordinates), np.float32)
    latent[:, : found.shape[1]] = found / max(step, 1e-9)
    return latent
