"""Rotations as arrays of quaternions, (…, 4) w first: free functions over the last dimension. Knows no Blender."""

from __future__ import annotations

import numpy as np

CONJUGATE = np.array([1, -1, -1, -1], np.float32)


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Hamilton's product."""
    aw, ax, ay, az = np.moveaxis(a, -1, 0)
    bw, bx, by, bz = np.moveaxis(b, -1, 0)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        -1,
    )


def rotate(q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Vectors (…, 3) turned."""
    axis = q[..., 1:]
    t = 2 * np.cross(axis, v)
    return v + q[..., :1] * t + np.cross(axis, t)


def log(q: np.ndarray) -> np.ndarray:
    """The rotation vector, (…, 3), the short way."""
    q = np.where(q[..., :1] < 0, -q, q)
    sine = np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    angle = 2 * np.arctan2(sine, q[..., :1])
    return q[..., 1:] * np.where(sine > 1e-7, angle / np.maximum(sine, 1e-7), 2)


def exp(v: np.ndarray) -> np.ndarray:
    """The rotation of a rotation vector."""
    half = np.linalg.norm(v, axis=-1, keepdims=True) / 2
    scale = np.where(half > 1e-7, np.sin(half) / np.maximum(2 * half, 1e-7), 0.5)
    return np.concatenate([np.cos(half), scale * v], -1).astype(v.dtype)


def between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The rotation vector from a to b, in the axes of both."""
    return log(multiply(a * CONJUGATE, b))


def normalize(q: np.ndarray) -> np.ndarray:
    """Scaled to length one."""
    unit: np.ndarray = q / np.maximum(np.linalg.norm(q, axis=-1, keepdims=True), 1e-12)
    return unit


def continuous(q: np.ndarray) -> np.ndarray:
    """Rotations (T, …, 4), each with the sign nearest to the frame before."""
    flips = np.where((q[1:] * q[:-1]).sum(-1, keepdims=True) < 0, -1, 1).astype(q.dtype)
    return np.concatenate([q[:1], q[1:] * np.cumprod(flips, 0)])
