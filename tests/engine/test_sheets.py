"""What is read of the keys by rows, or only where it counts, is what reading it all in the plain way gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.stylise import sheets
from engine.stylise.generator import CARRIED
from engine.stylise.rows import rows
from engine.stylise.sheets import Sheets


@pytest.mark.parametrize("shape", [(0,), (7,), (3, 5)])
def test_rows_are_the_tables(shape: tuple[int, ...]) -> None:
    table = torch.rand(11, 6)
    which = torch.randint(0, 11, shape, dtype=torch.int32)
    torch.testing.assert_close(rows(table, which), table[which.long()].movedim(-1, 0))


@pytest.mark.parametrize("part", [0.0, 0.3, 1.0])
def test_strokes_are_borrowed_where_they_are_wanted(part: float) -> None:
    random = torch.Generator().manual_seed(1)
    atlas = Sheets.of(torch.rand(CARRIED, 40, 60, generator=random))
    xy = torch.rand(18, 29, 2, generator=random) * 20
    wanted = torch.rand(18, 29, generator=random) < part
    torch.testing.assert_close(atlas.borrowed(xy, wanted), atlas.direct(xy)[:, :6] * wanted, rtol=0, atol=1e-6)


def test_a_large_atlas_in_16_bits_reads_as_the_small_one(monkeypatch: pytest.MonkeyPatch) -> None:
    random = torch.Generator().manual_seed(2)
    atlas = torch.rand(CARRIED, 40, 60, generator=random) * 6 - 3
    xy = torch.rand(18, 29, 2, generator=random) * 20
    whole = Sheets.of(atlas)
    monkeypatch.setattr(sheets, "LARGE", 1)
    short = Sheets(40, 60)
    short.write(0, atlas[:, :26])
    short.write(26, atlas[:, 26:])
    assert 2 * sum(sheet.nbytes for sheet in vars(short).values() if isinstance(sheet, np.ndarray)) == 40 * 60 * 40
    torch.testing.assert_close(short.direct(xy), whole.direct(xy), rtol=0, atol=1e-3)  # an 8 bit step is 8e-3
