"""Quaternions against hand-computed values."""

from __future__ import annotations

import math

import torch

from engine import quat

X90 = torch.tensor([math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0])
Z90 = torch.tensor([math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)])


def random(count: int) -> torch.Tensor:
    return quat.normalize(torch.randn(count, 4, generator=torch.Generator().manual_seed(0)))


def test_rotate_turns_right_handed() -> None:
    assert torch.allclose(quat.rotate(Z90, torch.tensor([1.0, 0.0, 0.0])), torch.tensor([0.0, 1.0, 0.0]), atol=1e-6)


def test_multiply_applies_the_second_first() -> None:
    v = torch.tensor([0.0, 1.0, 0.0])  # X90 takes it to z, Z90 leaves z
    assert torch.allclose(quat.rotate(quat.multiply(Z90, X90), v), torch.tensor([0.0, 0.0, 1.0]), atol=1e-6)


def test_matrix_and_rotate_agree() -> None:
    q, v = random(20), torch.randn(20, 3, generator=torch.Generator().manual_seed(1))
    assert torch.allclose((quat.to_matrix(q) @ v[..., None])[..., 0], quat.rotate(q, v), atol=1e-5)


def test_log_and_exp_are_inverse_also_at_zero_and_half_turns() -> None:
    v = torch.tensor([[0.0, 0.0, 0.0], [1e-5, 0.0, 0.0], [0.3, -0.4, 1.2], [0.0, math.pi - 1e-3, 0.0]])
    assert torch.allclose(quat.log(quat.exp(v)), v, atol=1e-5)
    assert torch.allclose(quat.log(-quat.exp(v)), v, atol=1e-5), "the sign of a quaternion does not matter"


def test_gradients_at_rest_are_finite() -> None:
    v = torch.zeros(3, requires_grad=True)
    quat.log(quat.exp(v)).sum().backward()
    assert v.grad is not None and bool(v.grad.isfinite().all())


def test_slerp_is_exact_at_the_ends_and_even_between() -> None:
    a, b = random(2)
    assert torch.equal(quat.slerp(a, b, torch.tensor(0.0)), a)
    assert torch.equal(quat.slerp(a, b, torch.tensor(1.0)).abs(), b.abs())
    third = quat.slerp(quat.identity(Z90), Z90, torch.tensor(1 / 3))
    assert torch.allclose(quat.log(third), torch.tensor([0.0, 0.0, math.pi / 6]), atol=1e-6)
    assert torch.equal(quat.slerp(a, a, torch.tensor(0.37)), a), "a hold stays to the last bit"


def test_slerp_takes_the_shorter_way() -> None:
    assert torch.allclose(quat.slerp(Z90, -Z90, torch.tensor(0.5)).abs(), Z90, atol=1e-6)


def test_continuous_undoes_sign_flips() -> None:
    q = quat.exp(torch.linspace(0, 3, 9)[:, None, None] * torch.tensor([0.0, 0.0, 1.0]))
    flipped = q * torch.tensor([1, -1, -1, 1, -1, 1, 1, -1, 1.0])[:, None, None]
    assert torch.allclose(quat.continuous(flipped), q)
