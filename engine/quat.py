"""Quaternions as free functions on torch tensors: (..., 4), w first, unit length. Knows no joint, frame or file."""

from __future__ import annotations

import torch
from torch import Tensor

EPS = 1e-8


def identity(like: Tensor) -> Tensor:
    """The identity (4,) with the dtype and device of `like`."""
    return like.new_tensor([1.0, 0.0, 0.0, 0.0])


def normalize(q: Tensor) -> Tensor:
    """To unit length."""
    return q / q.norm(dim=-1, keepdim=True).clamp_min(EPS)


def conjugate(q: Tensor) -> Tensor:
    """The inverse rotation."""
    return torch.cat([q[..., :1], -q[..., 1:]], -1)


def multiply(a: Tensor, b: Tensor) -> Tensor:
    """First b, then a: rotate(multiply(a, b), v) == rotate(a, rotate(b, v))."""
    aw, av, bw, bv = a[..., :1], a[..., 1:], b[..., :1], b[..., 1:]
    w = aw * bw - (av * bv).sum(-1, keepdim=True)
    return torch.cat([w, aw * bv + bw * av + torch.linalg.cross(*torch.broadcast_tensors(av, bv), dim=-1)], -1)


def rotate(q: Tensor, v: Tensor) -> Tensor:
    """The vectors v (..., 3) turned by q."""
    u, v = torch.broadcast_tensors(q[..., 1:], v)
    t = 2.0 * torch.linalg.cross(u, v, dim=-1)
    return v + q[..., :1] * t + torch.linalg.cross(u, t, dim=-1)


def exp(v: Tensor) -> Tensor:
    """Rotation vectors (..., 3), radians, to quaternions; smooth at zero."""
    half = 0.5 * (v.square().sum(-1, keepdim=True) + EPS**2).sqrt()
    return torch.cat([half.cos(), 0.5 * v * (half.sin() / half)], -1)


def log(q: Tensor) -> Tensor:
    """Quaternions to rotation vectors (..., 3) of at most pi radians; the sign of q does not matter."""
    q = torch.where(q[..., :1] < 0, -q, q)
    sine = (q[..., 1:].square().sum(-1, keepdim=True) + EPS**2).sqrt()
    return q[..., 1:] * (2.0 * torch.atan2(sine, q[..., :1]) / sine)


def slerp(a: Tensor, b: Tensor, u: Tensor) -> Tensor:
    """The shorter way from a (u = 0) to b (u = 1) at constant speed; u broadcasts against (...). Exact at both ends."""
    dot = (a * b).sum(-1, keepdim=True)
    b, dot, u = torch.where(dot < 0, -b, b), dot.abs().clamp(max=1.0), u[..., None]
    angle = torch.acos(dot)
    sine, near = angle.sin(), dot > 1.0 - 1e-6  # nearly equal: the chord is the arc
    wa = torch.where(near, 1.0 - u, ((1.0 - u) * angle).sin() / sine.clamp_min(EPS))
    wb = torch.where(near, u, (u * angle).sin() / sine.clamp_min(EPS))
    start = (u <= 0) | (a == b).all(-1, keepdim=True)
    return torch.where(start, a, torch.where(u >= 1, b, normalize(wa * a + wb * b)))


def continuous(q: Tensor) -> Tensor:
    """Signs chosen so that each quaternion of (..., T, J, 4) lies nearest its predecessor in T; the first row stays."""
    flips = (q[..., 1:, :, :] * q[..., :-1, :, :]).sum(-1, keepdim=True) < 0
    sign = torch.where(flips, -1.0, 1.0).to(q.dtype).cumprod(-3)
    return torch.cat([q[..., :1, :, :], q[..., 1:, :, :] * sign], -3)


def to_matrix(q: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3)."""
    w, x, y, z = q.unbind(-1)
    rows = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(rows, -1).unflatten(-1, (3, 3))
