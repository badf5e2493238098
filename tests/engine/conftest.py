"""Options and fixtures of the engine's tests: where the motion capture lies. Knows no Blender."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

DEFAULT = Path(__file__).parents[3] / "shared/data/mocap"


def pytest_addoption(parser: pytest.Parser) -> None:
    """--mocap FOLDER, else UNDERSTUDY_MOCAP, else beside the checkout."""
    parser.addoption("--mocap", type=Path, default=Path(os.environ.get("UNDERSTUDY_MOCAP", DEFAULT)))


@pytest.fixture(scope="session")
def mocap(request: pytest.FixtureRequest) -> Path:
    """The folder with cmu_dev.npz and cmu_train.npz."""
    folder: Path = request.config.getoption("--mocap")
    if not (folder / "cmu_dev.npz").is_file():
        pytest.skip(f"no motion capture in {folder}; give --mocap FOLDER or UNDERSTUDY_MOCAP")
    torch.set_num_threads(1)
    return folder
