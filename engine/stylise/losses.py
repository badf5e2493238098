"""What the networks are judged by. Every loss takes (B, C, H, W) and a mask (B, 1, H, W) of the pixels that count. Knows no
network."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

EDGE = 0.3  # from which on an edge of engine.stylise.surface is one
STRESS = 3.0


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


def stress(edges: Tensor) -> Tensor:
    """(B, 1, H, W): how much a pixel counts, more on and beside edges (B, 3 or more, H, W; three of them from 0 to 1), where
    lines are drawn: few pixels with most of the error."""
    there = (edges[:, :3].amax(1, keepdim=True) > EDGE).float()
    return 1 + STRESS * F.max_pool2d(there, 3, 1, 1)


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
