"""What the untrained stroke part makes of a key's strokes on a plain surface whose light has hardly changed, and what of the
key's outlines gets among them."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.stylise.features import CHANNELS, EDGE, RENDER
from engine.stylise.generator import CARRIED, Carried, GeneratorParams, StrokeNetwork, double, lay_out
from engine.stylise.reprojection import inside

SIDE = 24
RED, WHITE, SPECKLE = 0.1, 0.9, 0.15


def lit(tone_now: Tensor, tone_then: Tensor, strokes: Tensor) -> Tensor:
    """(H, W) painted: the key's tone and strokes (H, W) under a light that is .04 of 2 brighter than it was."""
    network = StrokeNetwork(GeneratorParams(CHANNELS, [EDGE.start, EDGE.stop], fine=8, wide=8, deep=8, strokes=8))
    guides = torch.zeros(1, CHANNELS, SIDE, SIDE)
    guides[:, RENDER] = 0.04
    direct = torch.zeros(1, CARRIED, SIDE, SIDE)
    direct[:, :3], direct[:, 3:6] = strokes, tone_then
    whole, nothing = torch.ones(1, 1, SIDE, SIDE), torch.zeros(1, 6, SIDE, SIDE)
    tone = tone_now.expand(1, 3, SIDE, SIDE)
    with torch.no_grad():
        made: Tensor = network(guides, tone, Carried(direct, nothing, whole, nothing[:, :1]))
    return made[0, 0]


def disc(x: int) -> Tensor:
    """(H, W) a highlight in column x."""
    at = torch.arange(SIDE)
    return torch.where((at[:, None] - 12) ** 2 + (at - x) ** 2 < 16, WHITE, RED)


def test_a_highlight_goes_with_the_light_and_does_not_stay_on_the_surface() -> None:
    """Not even what the tone part had missed of it in the key."""
    painted = lit(disc(17), disc(7), 0.2 * (disc(7) > 0.5))
    assert (painted - disc(17)).abs().max() < 0.12


def test_strokes_and_paint_of_the_same_point_stay_where_the_tone_does() -> None:
    """The tone part may be a little off: then the key is right."""
    speckle = SPECKLE * (torch.arange(SIDE) % 4 == 0).float().expand(SIDE, SIDE)
    painted = lit(torch.full((SIDE, SIDE), RED - 0.06), torch.full((SIDE, SIDE), RED), speckle)
    assert (painted - RED - speckle).abs().max() < 0.02


def test_an_outline_of_the_key_leaves_no_trace_beside_it() -> None:
    """A dark line along a border, four pixels wide: from two pixels off the border on strokes are lent, and there are none."""
    at = torch.arange(SIDE).expand(SIDE, SIDE)
    paint = torch.where((at >= 10) & (at < 14), -0.8, 0.4).expand(3, SIDE, SIDE)
    tone, painted = torch.full((3, SIDE, SIDE), 0.4), torch.ones(1, SIDE, SIDE, dtype=torch.bool)
    lent = inside((at == 11) | (at == 12))
    strokes = double(lay_out(tone, paint, painted, tone, lent[None]))[:3]
    there = lent.repeat_interleave(2, 0).repeat_interleave(2, 1) > 0
    assert strokes[:, there].abs().max() < 0.02
