"""Paper: grain that a key has all over stays where it is in the picture while what is painted on it moves; strokes that are laid
on things go with them, however fine. On barrels, made up, which roll."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import torch

from engine.stylise.look import Look
from engine.stylise.painter import Key, Painter
from engine.stylise.train import _base
from engine.stylise.views import View

SIDE = 160
COLOURS = np.array([[0, 0, 0], [200, 170, 110], [110, 170, 200], [190, 110, 160]], np.float64)
ROWS = np.repeat([1, 2, 3], [40, 80, 40])[:, None].repeat(SIDE, 1)


def view(moved: float) -> View:
    """Three barrels, the middle one twice as near, that have rolled on by so much of their picture."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    turn = 2.0 * (x - moved) + ROWS
    size = np.where(ROWS == 2, 0.5, 1.0)
    points = np.stack([np.sin(turn) * size, 1.6 * y * size, np.cos(turn) * size], -1)
    albedo = np.full((SIDE, SIDE, 3), 0.6, np.float32)
    return View(
        frame=1 + round(100 * moved),
        render=albedo * 0.9,
        albedo=albedo,
        ids=ROWS,
        points=points.astype(np.float32),
        normal=np.broadcast_to(np.float32([0, 0, 1]), (SIDE, SIDE, 3)).copy(),
        depth=np.zeros((SIDE, SIDE), np.float32),
        sizes=np.full((4, 3), 1, np.float32),
    )


def paper(seed: int) -> np.ndarray:
    """(H, W) of variance one, about a pixel wide."""
    rough = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(SIDE, SIDE)), (0, 0), 0.6)
    return rough / rough.std()


def on_things(seen: View) -> np.ndarray:
    """(H, W) of variance one, strokes at rest-pose points, about as fine."""
    rng = np.random.default_rng(3)
    waves, phases = rng.normal(size=(60, 3)) * 90, rng.uniform(0, 2 * np.pi, 60)
    strokes = np.sin(seen.points @ waves.T + phases).sum(-1)
    return strokes / strokes.std()


def key(seen: View, rough: np.ndarray) -> Key:
    """Each barrel in its colour, a little darker or lighter by what is rough."""
    paint = (COLOURS[seen.ids] * (1 + 0.08 * rough)[..., None]).round().clip(0, 255).astype(np.uint8)
    return Key(seen, paint, np.ones((SIDE, SIDE), bool))


def likeness(picture: np.ndarray, rough: np.ndarray) -> float:
    """Correlation of what is fine in a picture with what is rough, away from the barrels' edges."""
    grey = picture.mean(-1) / COLOURS[ROWS].mean(-1)
    inner = cv2.erode((np.roll(ROWS, 1, 0) == ROWS).astype(np.uint8), np.ones((9, 9))) > 0
    inner[:, :24] = inner[:, -24:] = False  # there the key shows no surface
    fine = [(x - cv2.GaussianBlur(x, (0, 0), 2))[inner] for x in (grey, rough)]
    return float(np.corrcoef(*fine)[0, 1])


@pytest.fixture(scope="module")
def papered() -> Painter:
    return Painter(_base().eval(), [key(view(0), paper(1))], torch.device("cpu"))


def test_grain_stays_where_it_is_while_things_move(papered: Painter) -> None:
    assert likeness(papered.paint(view(0.1)), paper(1)) > 0.9


def test_strokes_on_things_go_with_them() -> None:
    seen = view(0)
    painter = Painter(_base().eval(), [key(seen, on_things(seen))], torch.device("cpu"))
    moved = view(0.1)
    made = painter.paint(moved)
    assert likeness(made, on_things(moved)) > 0.6
    assert abs(likeness(made, on_things(seen))) < 0.2


def test_grain_that_is_another_in_each_key_is_none_of_the_papers() -> None:
    """As film has it: of two keys neither's stays in the picture."""
    keys = [key(view(0), paper(1)), key(view(0.04), paper(2))]
    made = Painter(_base().eval(), keys, torch.device("cpu")).paint(view(0.2))
    assert max(likeness(made, paper(1)), likeness(made, paper(2))) < 0.3


def test_two_keys_on_one_paper_have_its_grain() -> None:
    keys = [key(view(0), paper(1)), key(view(0.04), paper(1))]
    made = Painter(_base().eval(), keys, torch.device("cpu")).paint(view(0.1))
    assert likeness(made, paper(1)) > 0.9


def test_a_key_on_paper_comes_out_as_it_was_painted(papered: Painter) -> None:
    np.testing.assert_array_equal(papered.paint(view(0)), key(view(0), paper(1)).paint)


def test_less_texture_is_less_grain(papered: Painter) -> None:
    pictures = []
    for texture in (1.0, 0.2):
        picture = np.empty((SIDE, SIDE, 3), np.float32)
        for _ in papered.steps(view(0.1), picture, dataclasses.replace(Look(), texture=texture)):
            pass
        pictures.append(picture[50:110, 40:120])
    strong, weak = (np.abs(np.diff(x, axis=1)).mean() for x in pictures)
    assert weak < 0.4 * strong
