"""Scores for motion: L2P, L2Q and NPSS of the LaFAN1 protocol (Harvey 2020), the mean angle error of the CMU prediction
protocol (Martinez 2017), foot skate and jerk. Pure functions of arrays; knows no model."""

from __future__ import annotations

import torch
from torch import Tensor

from engine import quat

# The CMU prediction benchmark's rows at 60 frames a second (published as 80 … 1000 ms).
HORIZONS = (2, 4, 8, 10, 14, 25)


def l2p(truth: Tensor, made: Tensor, deviation: Tensor) -> float:
    """Positions (N, T, J, 3): L2 norm over a frame, in standard deviations (J, 3); mean over frames."""
    return float(((truth - made) / deviation).flatten(2).norm(dim=-1).mean())


def l2q(truth: Tensor, made: Tensor) -> float:
    """Global quaternions (N, T, J, 4): L2 norm over a frame, signs aligned joint by joint; mean over frames."""
    return float((truth - align(truth, made)).flatten(2).norm(dim=-1).mean())


def align(truth: Tensor, made: Tensor) -> Tensor:
    """`made` with the sign that lies nearer to `truth`."""
    return torch.where((truth * made).sum(-1, keepdim=True) < 0, -made, made)


def npss(truth: Tensor, made: Tensor) -> float:
    """Normalised power spectrum similarity of sequences (N, T, D) (Gopalakrishnan 2019, as in LaFAN1's code)."""
    power_truth = torch.fft.fft(truth.double(), dim=1).real.square()
    power_made = torch.fft.fft(made.double(), dim=1).real.square()
    total = power_truth.sum(1)  # (N, D)
    spread = power_truth / total.clamp_min(1e-12)[:, None]
    spread_made = power_made / power_made.sum(1).clamp_min(1e-12)[:, None]
    distance = (spread_made.cumsum(1) - spread.cumsum(1)).abs().sum(1)
    return float((distance * total).sum() / total.sum().clamp_min(1e-12))


def euler(q: Tensor) -> Tensor:
    """Euler angles (..., 3) as the prediction benchmark takes them from matrices (Martinez 2017: rotmat2euler)."""
    m = quat.to_matrix(q)
    second = -torch.asin(m[..., 0, 2].clamp(-1.0, 1.0))
    cosine = second.cos()
    first = torch.atan2(m[..., 1, 2] / cosine, m[..., 2, 2] / cosine)
    third = torch.atan2(m[..., 0, 1] / cosine, m[..., 0, 0] / cosine)
    return torch.stack([first, second, third], -1)


def angle_error(truth: Tensor, made: Tensor) -> Tensor:
    """Mean angle error of each frame, (T,): local rotations (N, T, J, 4) without the root, L2 over all Euler angles."""
    return (euler(truth) - euler(made)).flatten(2).norm(dim=-1).mean(0)


def skate(positions: Tensor, contact: Tensor, fps: float) -> float:
    """Mean horizontal speed (units a second; Y up) of joints (..., T, J, 3) while `contact` (..., T, J) holds them."""
    speed = positions[..., [0, 2]].diff(dim=-3).norm(dim=-1) * fps
    resting = contact[..., 1:, :] & contact[..., :-1, :]
    return float((speed * resting).sum() / resting.sum().clamp_min(1))


def jerk(positions: Tensor, fps: float) -> float:
    """Mean length of the third derivative of joint positions (..., T, J, 3)."""
    return float(positions.diff(n=3, dim=-3).norm(dim=-1).mean()) * fps**3


def slide(positions: Tensor, ground: float, size: float, fps: float) -> float:
    """How much what is low slides, whatever the truth does (Zhang 2018): the mean of horizontal speed, in rig sizes a
    second, times 2 - 2^(height / 0.02 sizes) over joints (..., T, J, 3) within 0.02 sizes of their own lowest place
    there or the ground, whichever is higher; Y up."""
    low = positions[..., 1].amin(-2, keepdim=True).clamp_min(ground)
    height = ((positions[..., 1] - low) / (0.02 * size)).clamp_min(0.0)[..., 1:, :]
    near = (low - ground < 0.1 * size) & (height < 1.0)
    speed = positions[..., [0, 2]].diff(dim=-3).norm(dim=-1) * fps / size
    return float((speed * (2.0 - 2.0**height) * near).sum() / near.sum().clamp_min(1))
