"""The benchmark's ablation: each of its switches still fits the product and changes what it names. It trains on the small
shot for a few steps, so it says nothing of what an ingredient is worth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_shot import FRAMES, write_shot

from benchmarks import ablation
from engine import job_folder, protocol
from engine.stylise import train

KEY = 4


def painted(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """(H, W, 3) uint8: a frame as this variant paints it."""
    write_shot(folder)
    monkeypatch.setattr(ablation, "swap", monkeypatch.setattr)
    monkeypatch.setattr(train, "PATCH", 32)
    monkeypatch.setattr(train, "KEY_PATCHES", 4)
    monkeypatch.setattr(ablation, "Stylise", lambda *_, **also: protocol.Stylise(FRAMES[-1], FRAMES[-1], **also))
    ablation.run_variant(name, folder, KEY, 6)
    return np.array(Image.open(job_folder.result_path(folder, FRAMES[-1])))


@pytest.mark.parametrize("name", list(ablation.VARIANTS)[1:])
def test_a_variant_trains_and_paints_otherwise(
    name: str, whole: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not np.array_equal(painted(tmp_path, name, monkeypatch), whole)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    """What the product paints after as few steps."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        return painted(tmp_path_factory.mktemp("whole"), "all", monkeypatch)
