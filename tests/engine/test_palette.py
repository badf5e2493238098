"""The palette: what it guesses of a made-up painting, colours and lights that one key shows together apart."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from engine.stylise.painter import Key
from engine.stylise.palette import Palette
from engine.stylise.surface import Surface
from engine.stylise.tones import Tones
from engine.stylise.views import View

SIDE = 96
BROWN, CREAM = np.float32([0.4, 0.3, 0.25]), np.float32([0.8, 0.78, 0.6])
BLUE, WHITE = np.array([20.0, 120.0, 160.0]), np.array([250.0, 235.0, 215.0])


def bird(light: np.ndarray) -> View:
    """One object, brown on the left and cream on the right, under a light (H, W)."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    albedo = np.where((x < SIDE // 2)[..., None], BROWN, CREAM)
    return View(
        frame=1,
        render=((albedo + 0.05) * light[..., None]).astype(np.float32),
        albedo=albedo,
        ids=np.ones((SIDE, SIDE), np.int64),
        points=np.stack([x / SIDE, y / SIDE, 0 * x], -1),
        normal=np.broadcast_to(np.float32([0, 0, 1]), (SIDE, SIDE, 3)).copy(),
        depth=np.zeros((SIDE, SIDE), np.float32),
        sizes=np.full((2, 3), 2, np.float32),
    )


def paint(light: np.ndarray) -> np.ndarray:
    """Blue where it is brown, white where it is cream, as bright as the light."""
    colours = np.where((np.arange(SIDE) < SIDE // 2)[None, :, None], BLUE, WHITE)
    return (colours * light[..., None]).astype(np.uint8)


def test_a_colour_that_the_key_shows_in_another_light_keeps_its_paint() -> None:
    """The key shows brown in bright light and cream in dim light, and both between. What is cream is white in bright light too,
    and what is brown blue in dim light."""
    rise = np.linspace(0, 1, SIDE)[:, None]
    left = np.arange(SIDE)[None] < SIDE // 2
    seen, other = np.where(left, 0.55 + 0.4 * rise, 0.3 + 0.4 * rise), np.where(left, 0.4, 0.85) + 0 * rise
    key = Key(bird(seen), paint(seen), np.ones((SIDE, SIDE), bool))
    edges = [Surface.of(key.view).edges[:3].numpy()]
    palette, view = Palette([key], edges, Tones([key], edges)), bird(other)
    ids = torch.from_numpy(view.ids)
    render, albedo = (torch.from_numpy(x).permute(2, 0, 1) for x in (view.render, view.albedo))
    guess = (palette.guess(ids, render, albedo)[:3].permute(1, 2, 0).numpy() + 1) * 127.5
    wrong = np.abs(guess - paint(other)).max(-1)
    assert wrong[8:-8, 8:40].max() < 30, "brown in dim light"
    assert wrong[8:-8, 56:88].max() < 65, "cream in bright light, not blue"


def test_a_shadow_that_no_key_shows_keeps_the_objects_hue_where_others_disagree() -> None:
    """Two balls stand half in the shadow, one turns blue there and one grey; an olive wall is lit all over. In the shadow
    the wall is darker, and olive still."""
    ids = np.repeat(np.arange(1, 4), SIDE // 3)[None].repeat(SIDE, 0)
    lit = (np.arange(SIDE) < SIDE // 2)[:, None] | (ids == 3)
    light = np.where(lit, 0.8, 0.25).astype(np.float32)
    view = dataclasses.replace(bird(light), ids=ids, sizes=np.full((4, 3), 2, np.float32))
    bright = np.array([[200, 180, 180], [190, 200, 180], [150, 150, 60]])[ids - 1]
    dark = np.array([[20, 20, 180], [60, 60, 60], [0, 0, 0]])[ids - 1]
    key = Key(view, np.where(lit[..., None], bright, dark).astype(np.uint8), np.ones((SIDE, SIDE), bool))
    edges = [np.zeros((3, SIDE, SIDE), np.float32)]
    tones = Tones([key], edges)
    three, shaded = np.full(1, 3), np.full(1, 0.25, np.float32)
    red, green, blue = tones.ratio(three, np.full(1, 0.8, np.float32), shaded)[0] * [150, 150, 60]
    assert max(red, green) < 110, "darker"
    assert min(red, green) > 1.6 * blue, "olive"
