"""Lessons for the base of the stylist: what a training relies on when it trusts them as the truth."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor

from engine.stylise.lessons import Frame, Lesson, make_lesson

SIDE = 48
SEEDS = range(20)


@cache
def lesson(seed: int, side: int = SIDE, frames: int = 1) -> Lesson:
    return make_lesson(seed, side, frames)


def from_key(picture: Tensor, xy: Tensor) -> Tensor:
    """(C, H, W) of the key at xy (T, H, W, 2) → (T, C, H, W), between pixels."""
    side = picture.shape[-1]
    grid = (xy + 0.5) / side * 2 - 1
    many = picture.expand(len(xy), *picture.shape)
    return torch.nn.functional.grid_sample(many, grid, align_corners=False, padding_mode="border")


def test_a_seed_is_a_lesson() -> None:
    """The same again, another with another seed."""
    again, other = make_lesson(3, SIDE, 1), lesson(4)
    for one, two in zip((*lesson(3).key, *lesson(3).frames), (*again.key, *again.frames), strict=True):
        assert torch.equal(one, two)
    assert torch.equal(lesson(3).xy, again.xy) and torch.equal(lesson(3).seen, again.seen)
    assert (lesson(3).key.paint - other.key.paint).abs().mean() > 0.01
    assert (lesson(3).key.render - other.key.render).abs().mean() > 0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_guides_agree_with_each_other(seed: int) -> None:
    key, frames, xy, seen = lesson(seed)
    shapes = [(3,), (3,), (), (3,), (3,), (), (3,)]
    for name, tensor, lead in zip(Frame._fields, frames, shapes, strict=True):
        assert tensor.shape == (1, *lead, SIDE, SIDE), name
        assert tensor.dtype == (torch.int64 if name == "ids" else torch.float32), name
        assert getattr(key, name).shape == tensor.shape[1:] and tensor.isfinite().all(), name
    assert xy.shape == (1, SIDE, SIDE, 2) and xy.isfinite().all()
    assert seen.shape == (1, SIDE, SIDE) and seen.dtype == torch.bool
    for picture in (frames.render, frames.albedo, frames.paint):
        assert picture.min() >= 0 and picture.max() <= 1
    empty = frames.ids == 0
    length = frames.normal.square().sum(1).sqrt()
    assert (length[empty] == 0).all() and ((length[~empty] - 1).abs() < 1e-3).all()
    assert (frames.depth[empty] == 0).all()
    assert (frames.albedo.sum(1)[empty] == 0).all()
    column = torch.arange(SIDE) / SIDE
    assert torch.equal(frames.points[0, 0][empty[0]], column.expand(SIDE, SIDE)[empty[0]])


def test_xy_leads_to_the_same_point_of_the_surface() -> None:
    """Measured by the key's own guide of rest points; but for creases, where the key's pixels do not show one surface."""
    near, far = [], []
    for seed in SEEDS:
        key, frames, xy, seen = lesson(seed)
        step = (key.points[:, :, 1:] - key.points[:, :, :-1]).square().sum(0).sqrt()
        for shift, found in ((0, near), (3, far)):
            away = (from_key(key.points, xy + shift) - frames.points).square().sum(1).sqrt()
            found.append((away / step.median().clamp(min=1e-6))[seen & (frames.ids > 0)])
    assert torch.cat(near).median() < 0.1 < 1.0 < torch.cat(far).median()


def test_what_is_seen_is_the_same_object() -> None:
    same = []
    for seed in SEEDS:
        key, frames, xy, seen = lesson(seed)
        x, y = xy[seen].round().long().clamp(0, SIDE - 1).unbind(-1)
        same.append(key.ids[y, x] == frames.ids[seen])
    assert torch.cat(same).float().mean() > 0.97  # the nearest pixel may lie beyond a border
    assert torch.cat(same).numel() > 0.3 * SIDE * SIDE * len(SEEDS)


def test_paint_sticks_to_the_surface_where_the_light_is_alike() -> None:
    """The key's paint laid over another frame is that frame's paint; laid beside its place it is not."""
    on, off, steady = [], [], []
    for seed in SEEDS:
        key, frames, xy, seen = lesson(seed)
        alike = (from_key(key.render, xy) - frames.render).abs().amax(1) < 0.02
        for shift, found in ((0.0, on), (2.0, off)):
            wrong = (from_key(key.paint, xy + shift) - frames.paint).abs().mean(1)
            found.append(wrong[seen & alike & (frames.ids > 0)])
        steady.append(on[-1].median() if on[-1].numel() else torch.zeros(()))
    assert torch.cat(on).mean() < 0.6 * torch.cat(off).mean()
    assert torch.stack(steady).median() < 0.02


def test_looks_and_scenes_vary() -> None:
    """In twenty lessons there are backgrounds and none, few objects and many, dark pictures and bright."""
    keys = [lesson(seed).key for seed in SEEDS]
    counts = {int(key.ids.unique().numel()) for key in keys}
    assert len(counts) >= 5
    assert any((key.ids == 0).any() for key in keys) and any((key.ids > 0).all() for key in keys)
    assert torch.stack([key.paint.mean() for key in keys]).std() > 0.08
    assert torch.stack([(key.paint - key.render).abs().mean() for key in keys]).median() > 0.08
