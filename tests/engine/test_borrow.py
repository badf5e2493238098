"""What a painting does in the light, and strokes for what no key shows, on small made-up keys: what an object is painted like in
a light that only another was painted in; hatching that stays in the dark; strokes that come from the right object and tone, in
one piece, and stay on the surface."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from engine.stylise.borrow import Swatches
from engine.stylise.features import CHANNELS
from engine.stylise.generator import Carried, Generator, StrokeNetwork
from engine.stylise.painter import Key, Painter
from engine.stylise.reprojection import Match
from engine.stylise.surface import Surface
from engine.stylise.tones import Tones, shade
from engine.stylise.train import GENERATOR
from engine.stylise.views import View, stem

SIDE = 96
KIN = np.arange(3)
NOWHERE = Match(torch.zeros(SIDE, SIDE, 2), torch.zeros(SIDE, SIDE))


def view(light: np.ndarray, ids: np.ndarray, shift: int = 0) -> View:
    """A flat picture of objects (H, W) under a light (H, W), with the surface moved to the right by whole pixels."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    albedo = np.full((SIDE, SIDE, 3), 0.6, np.float32)
    return View(
        frame=1,
        render=(albedo + 0.05) * light[..., None].astype(np.float32),
        albedo=albedo,
        ids=ids,
        points=np.stack([(x - shift + 8) / SIDE, y / SIDE, 0 * x], -1).astype(np.float32),
        normal=np.broadcast_to(np.float32([0, 0, 1]), (SIDE, SIDE, 3)).copy(),
        depth=np.zeros((SIDE, SIDE), np.float32),
        sizes=np.full((3, 3), 2, np.float32),
    )


def two_halves() -> tuple[np.ndarray, np.ndarray]:
    """Object 1 above, lit on the left and dark on the right; object 2 below, lit everywhere."""
    ids = np.where(np.arange(SIDE) < SIDE // 2, 1, 2)[:, None].repeat(SIDE, 1)
    light = np.where((ids == 1) & (np.arange(SIDE) >= SIDE // 2), 0.3, 0.9)
    return light, ids


def paint(light: np.ndarray, ids: np.ndarray, hatched: bool) -> np.ndarray:
    """Half as bright in the dark; lines in the dark alone, or everywhere."""
    grey = np.where(ids == 1, 200.0, 120.0) * np.where(light < 0.6, 0.5, 1)
    lines = (np.add.outer(np.arange(SIDE), np.arange(SIDE)) % 5 < 2) & ((light < 0.6) | (not hatched))
    return np.repeat(np.where(lines, 0.6 * grey, grey)[..., None], 3, -1).astype(np.uint8)


def key(hatched: bool) -> Key:
    light, ids = two_halves()
    return Key(view(light, ids), paint(light, ids, hatched), np.ones(ids.shape, bool))


def test_light_that_one_object_shows_is_told_of_another() -> None:
    """Object 2 was painted in the light only; in the dark it becomes as much darker as object 1 did."""
    drawn = key(False)
    tones = Tones([drawn], [Surface.of(drawn.view).edges.numpy()])
    assert tones.count == 2 and 0.3 < float(tones.limits[0]) <= 0.9
    ratio = tones.ratio(np.array([1, 2]), np.float32([0.9, 0.9]), np.float32([0.3, 0.3]))
    np.testing.assert_allclose(ratio, 0.5, atol=0.06)
    np.testing.assert_allclose(tones.ratio(np.array([2]), np.float32([0.88]), np.float32([0.9])), 1, atol=0.02)


def test_a_painted_step_stays_a_step_and_hatching_is_no_tone() -> None:
    """A light that falls off evenly over one object, painted in two tones, the darker one hatched: the palette has the two
    tones, as even as they were meant, and nothing in between but at the step."""
    light = np.linspace(0.2, 1.1, SIDE)[None].repeat(SIDE, 0)
    ids = np.ones((SIDE, SIDE), np.int64)
    lines = np.add.outer(3 * np.arange(SIDE), np.arange(SIDE)) % 7 < 3
    grey = np.where(light < 0.6, np.where(lines, 20, 120), 200)
    drawn = Key(view(light, ids), np.repeat(grey[..., None], 3, -1).astype(np.uint8), np.ones(ids.shape, bool))
    edges = Surface.of(drawn.view).edges.numpy()
    bins = np.exp(Tones([drawn], [edges]).curves[1, 10:42, 0]) * 255  # what the key shows of 48, but for its rims
    step = np.flatnonzero(bins > 140)[0]
    dark = 120 - 100 * lines.mean()
    assert np.abs(bins[: step - 2] - dark).max() < 12, bins
    assert np.abs(bins[step + 1 :] - 200).max() < 8, bins


def test_hatching_follows_the_light_and_speckle_stays() -> None:
    assert Swatches([key(True)]).affinity[0, 1] < 0.1
    assert Swatches([key(False)]).affinity[0, 1] > 0.8


def test_borrowed_strokes_are_of_the_right_object_and_tone() -> None:
    drawn = key(True)
    swatches = Swatches([drawn])
    light, ids = two_halves()
    turned = view(light[:, ::-1].copy(), ids)
    tones = swatches.tones.classify(shade(turned))
    place = swatches.place(Surface.of(turned), tones, KIN, NOWHERE)
    assert (place.confidence > 0.5).float().mean() > 0.9
    here = ((place.confidence > 0.5) & (place.xy[..., 1] < SIDE)).numpy()  # below the key are lines that go on
    x, y = place.xy[here].round().long().clamp(0, SIDE - 1).numpy().T
    assert here.mean() > 0.6
    inner = (np.abs(np.arange(SIDE) - SIDE // 2) > 3)[here.nonzero()[1]]  # the light is read over 5 x 5 pixels
    assert (ids[y, x] == ids[here]).mean() > 0.98
    assert (light[y, x] == light[:, ::-1][here])[inner].mean() > 0.95


def test_where_the_light_has_moved_strokes_are_moved_in_one_piece() -> None:
    """A surface that the key shows in the light is dark now: neighbours take their lines from neighbours."""
    drawn = key(True)
    swatches = Swatches([drawn])
    light, ids = two_halves()
    turned = view(light[:, ::-1].copy(), ids)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    match = Match(torch.from_numpy(np.stack([x, y], -1)), torch.ones(SIDE, SIDE))
    tones = swatches.tones.classify(shade(turned))
    dark = (ids == 1) & (tones.numpy() == 0)
    suits = swatches.suit(match, tones, Surface.of(turned), KIN)
    assert float(suits[dark].max()) < 0.1
    place = swatches.place(Surface.of(turned), tones, KIN, match)
    step = (place.xy - match.xy).numpy()[4:42, 6:42]
    assert len(np.unique(step.reshape(-1, 2), axis=0)) <= 3


def test_an_object_around_another_takes_nothing_from_it() -> None:
    """Object 1 stands in the middle of object 2; both are lit on the left in the key, and on the right now."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    ids = np.where((abs(y - 48) < 28) & (abs(x - 48) < 40), 1, 2)
    light = np.where(x < SIDE // 2, 0.9, 0.3)
    swatches = Swatches([Key(view(light, ids), paint(light, ids, True), np.ones(ids.shape, bool))])
    turned = view(light[:, ::-1].copy(), ids)
    match = Match(torch.from_numpy(np.stack([x, y], -1)), torch.ones(SIDE, SIDE))
    place = swatches.place(Surface.of(turned), swatches.tones.classify(shade(turned)), KIN, match)
    step = (place.xy - match.xy).numpy()[24:72, 12:44]
    assert len(np.unique(step.reshape(-1, 2), axis=0)) <= 4


def test_borrowed_strokes_stay_on_the_surface() -> None:
    light, ids = np.full((SIDE, SIDE), 0.9), np.ones((SIDE, SIDE), np.int64)
    drawn = Key(view(light, ids), paint(light, ids, False), np.ones(ids.shape, bool))
    swatches = Swatches([drawn])
    still, moved = (
        swatches.place(Surface.of(v), swatches.tones.classify(shade(v)), KIN, NOWHERE).xy.numpy()
        for v in (drawn.view, view(light, ids, shift=5))
    )
    np.testing.assert_allclose(moved[8:-8, 13:-8], still[8:-8, 8:-13], atol=0.05)


def test_a_duplicate_is_painted_after_its_like_and_not_after_the_hill() -> None:
    """All are of one colour in the render; the key shows the hill and one tuft of grass, and another tuft comes into view."""
    light, ids = two_halves()
    called = tuple(map(stem, ("", "Hill", "Grass", "Grass.001", "Stone 2")))
    drawn = Key(replace(view(light, ids), names=called), paint(light, ids, False), np.ones(ids.shape, bool))
    painter = Painter(Generator(GENERATOR), [drawn], torch.device("cpu"))
    grown = np.where((ids == 1) & (np.arange(SIDE) < 20), 3, np.where(np.arange(SIDE) > 80, 4, ids))
    later = replace(view(light, grown), names=called)
    assert painter.kin(later)[3] == 2, "grass"
    assert painter.kin(later)[4] in (1, 2), "a stone like nothing in the key by name: by its colour"
    red = replace(later, albedo=np.where((grown == 3)[..., None], np.float32([0.9, 0.1, 0.1]), later.albedo))
    assert painter.kin(red)[3] == -1, "a name is nothing without the colour: every cube is called Cube"


def test_a_scrap_of_paint_is_not_spread_out() -> None:
    """Two pixels' breadth of shadow is no stuff for strokes elsewhere: nothing is lent."""
    light, ids = two_halves()
    light[:] = 0.9
    light[20:24, 20:60] = 0.3
    swatches = Swatches([Key(view(light, ids), paint(light, ids, True), np.ones(ids.shape, bool))])
    dark = view(np.full((SIDE, SIDE), 0.3), ids)
    tones = swatches.tones.classify(shade(dark))
    place = swatches.place(Surface.of(dark), tones, KIN, NOWHERE)
    x, y = place.xy.round().long().clamp(0, SIDE - 1).unbind(-1)
    from_scrap = (light[y.numpy(), x.numpy()] < 0.6) & (place.confidence.numpy() > 0.5)
    assert from_scrap.mean() < 0.02


def test_the_same_point_in_the_same_light_takes_its_paint_whole() -> None:
    """A network that has learnt nothing yet: the key's paint where the light is the same and the tone nearly so, its strokes on
    the new tone where the light has changed, and along an edge of this frame the tone, which has the line that is drawn there."""
    guides = torch.zeros(1, CHANNELS, 16, 16)
    guides[:, GENERATOR.edges[0], :, 8] = 1
    tone, direct = torch.full((1, 3, 16, 16), -0.02), torch.zeros(1, 10, 16, 16)
    direct[:, :3], direct[:, 3:6] = 0.1, -0.1
    direct[:, 6:9, 8:] = 0.4  # in the key the lower half was lighter
    ones = torch.ones(1, 1, 16, 16)
    with torch.no_grad():
        made = StrokeNetwork(GENERATOR)(guides, tone, Carried(direct, torch.zeros(1, 6, 16, 16), ones, 0 * ones))
    torch.testing.assert_close(made[..., :7, :5], torch.full((1, 3, 7, 5), 0.0))
    torch.testing.assert_close(made[..., 9:, :5], torch.full((1, 3, 7, 5), 0.08))
    torch.testing.assert_close(made[..., :7, 8], torch.full((1, 3, 7), 0.08))


def test_a_highlight_is_not_laid_out_over_the_object_again() -> None:
    """Red, darker in the dark, with a pale highlight that is too small for a tone of its own."""
    light, ids = two_halves()
    y, x = np.mgrid[:SIDE, :SIDE]
    shining = (y - 24) ** 2 + (x - 20) ** 2 < 16
    light = np.where(shining, 1.05, light)
    red = np.where(light[..., None] < 0.6, [30, 8, 6], [200, 60, 50]) + np.where((x + 2 * y) % 7 < 2, 15, 0)[..., None]
    painted = np.where(shining[..., None], [240, 140, 130], red).astype(np.uint8)
    swatches = Swatches([Key(view(light, ids), painted, np.ones(ids.shape, bool))])
    asked = view(np.full((SIDE, SIDE), 0.9), ids, shift=30)
    place = swatches.place(Surface.of(asked), swatches.tones.classify(shade(asked)), KIN, NOWHERE)
    assert swatches.tones.count == 2
    column, row = place.xy.round().int().clamp(0, SIDE - 1).numpy().reshape(-1, 2).T
    lent = (place.confidence.numpy() > 0.5).ravel() & (ids == 1).ravel()
    assert lent.mean() > 0.4
    assert shining[row, column][lent].mean() < 0.005
