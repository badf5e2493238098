"""Windows about a pixel are what pooling a picture that goes on at its edges makes of it."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from engine.stylise import windows


@pytest.mark.parametrize("side", [3, 5, 9])
def test_windows_are_what_pooling_makes(side: int) -> None:
    x = torch.rand(2, 11, 14, generator=torch.Generator().manual_seed(side))
    wide = F.pad(x[None], (side // 2,) * 4, mode="replicate")
    torch.testing.assert_close(windows.mean(x, side), F.avg_pool2d(wide, side, 1)[0])
    torch.testing.assert_close(windows.most(x, side), F.max_pool2d(wide, side, 1)[0])
    torch.testing.assert_close(windows.most(x[0], side), windows.most(x, side)[0])
