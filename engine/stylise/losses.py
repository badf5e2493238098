"""What the networks are judged by. Every loss takes (B, C, H, W) and a mask (B, 1, H, W) of the pixels that count. Knows no
network."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of x over the pixels that count."""
    return (x * mask).sum() / (mask.sum() * x.shape[1] + 1e-6)


def reconstruction(made: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """L1, and L1 of neighbour differences, which is where a line is a line."""
    wrong = made - truth
    right = (wrong[..., :, 1:] - wrong[..., :, :-1]).abs()
    down = (wrong[..., 1:, :] - wrong[..., :-1, :]).abs()
    slope = masked_mean(right, mask[..., :, 1:]) + masked_mean(down, mask[..., 1:, :])
    return masked_mean(wrong.abs(), mask) + 0.25 * slope


def _moments(x: Tensor, mask: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    weight = F.avg_pool2d(mask, side, side // 2)
    safe = weight + 1e-3
    mean = F.avg_pool2d(x * mask, side, side // 2) / safe
    spread = F.avg_pool2d(x * x * mask, side, side // 2) / safe - mean * mean
    return mean, (spread.clamp(min=0) + 1e-3).sqrt(), weight


def texture(made: Tensor, truth: Tensor, mask: Tensor, side: int = 8) -> Tensor:
    """Means and spreads in windows of `side` pixels: the same strokes in other places are no fault."""
    mean, spread, weight = _moments(made, mask, side)
    true_mean, true_spread, _ = _moments(truth, mask, side)
    return masked_mean((mean - true_mean).abs() + 2 * (spread - true_spread).abs(), weight)


def _share(mask: Tensor, scores: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(mask, (scores.shape[-2], scores.shape[-1]))


def real(scores: Tensor, mask: Tensor) -> Tensor:
    """The discriminator's hinge loss on painted patches."""
    return masked_mean(F.relu(1 - scores), _share(mask, scores))


def made(scores: Tensor, mask: Tensor) -> Tensor:
    """The discriminator's hinge loss on generated patches."""
    return masked_mean(F.relu(1 + scores), _share(mask, scores))


def deceive(scores: Tensor, mask: Tensor) -> Tensor:
    """The generator's side of it."""
    return -masked_mean(scores, _share(mask, scores))
