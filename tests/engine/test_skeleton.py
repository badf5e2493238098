"""Forward kinematics and rig measures against hand-computed poses."""

from __future__ import annotations

import math

import torch

from engine import quat, skeleton

Z90 = torch.tensor([math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)])
ONE = torch.tensor([1.0, 0.0, 0.0, 0.0])


def test_a_bent_arm() -> None:
    rotations = torch.stack([Z90, Z90, ONE])  # shoulder and elbow bent by 90 degrees
    offsets = torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    locations = torch.tensor([[5.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.5, 0.0]])
    turned, positions = skeleton.fk(rotations, locations, offsets, [-1, 0, 1])
    assert torch.allclose(positions, torch.tensor([[5.0, 0, 0], [5.0, 2.0, 0], [4.0, 1.5, 0]]), atol=1e-6)
    assert torch.allclose(quat.log(turned[2]).norm(), torch.tensor(math.pi), atol=1e-3)


def test_joints_in_any_order_of_levels() -> None:
    parents = [-1, 0, 1, 0, 3, 4, 1]
    rotations = quat.normalize(torch.randn(5, 7, 4, generator=torch.Generator().manual_seed(0)))
    offsets = torch.randn(7, 3, generator=torch.Generator().manual_seed(1))
    turned, positions = skeleton.fk(rotations, torch.zeros(5, 7, 3), offsets, parents)
    for joint, parent in enumerate(parents[1:], 1):
        expected = positions[:, parent] + quat.rotate(turned[:, parent], offsets[joint])
        assert torch.allclose(positions[:, joint], expected, atol=1e-5)
    back = skeleton.local_rotations(turned, parents)
    assert torch.allclose((back * rotations).sum(-1).abs(), torch.ones(5, 7), atol=1e-5)


def test_reach_is_the_longest_chain() -> None:
    offsets = torch.tensor([[9.0, 0, 0], [1.0, 0, 0], [0, 2.0, 0], [0, 0, 2.5]])
    assert float(skeleton.reach(offsets, [-1, 0, 1, 0])) == 3.0


def test_a_part_of_a_rig_moves_as_the_whole() -> None:
    parents = [-1, 0, 1, 2, 1]
    rotations = quat.normalize(torch.randn(4, 5, 4, generator=torch.Generator().manual_seed(0)))
    rotations[:, 1] = ONE  # the bone that is merged away does not turn
    offsets = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    turned, positions = skeleton.fk(rotations, torch.zeros(4, 5, 3), offsets, parents)
    q, p, o, above = skeleton.subset(turned, positions, offsets, parents, [0, 2, 3, 4])
    assert above == [-1, 0, 1, 0]
    again, places = skeleton.fk(q, p, o, above)
    assert torch.allclose(places, positions[:, [0, 2, 3, 4]], atol=1e-5)
    assert torch.allclose((again * turned[:, [0, 2, 3, 4]]).sum(-1).abs(), torch.ones(4, 4), atol=1e-5)


def test_a_standing_foot_is_in_contact_and_a_swinging_one_is_not() -> None:
    positions = torch.zeros(20, 2, 3)
    positions[:, 1, 0] = torch.arange(20) * 0.1
    contact = skeleton.contacts(positions, up=1, scale=1.0, fps=30.0)
    assert contact[:, 0].all() and not contact[:, 1].any()
