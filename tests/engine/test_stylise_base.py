"""A training that starts from a saved style: with what that has learned, and one sentence where there is none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from tiny_shot import write_shot

from engine import checkpoint
from engine.progress import Outcome
from engine.protocol import JobError, TrainStyle
from engine.stylise.generator import GeneratorParams
from engine.stylise.train import train_style

KEY = 4


def run(folder: Path, settings: TrainStyle) -> Outcome:
    """A training to its end."""
    job = train_style(folder, settings)
    while True:
        try:
            next(job)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return checkpoint.load(folder / "style" / "generator", GeneratorParams).weights


def test_a_training_from_a_saved_style_goes_on_from_it(tmp_path: Path) -> None:
    shot, saved = tmp_path / "shot", tmp_path / "saved"
    write_shot(shot)
    run(shot, TrainStyle(keys=[KEY], seconds=60, steps=12, device="cpu"))
    shutil.copytree(shot, saved)
    shutil.rmtree(shot / "style")
    before = json.loads((saved / "style" / "generator.json").read_text())
    outcome = run(shot, TrainStyle(keys=[KEY], seconds=60, steps=1, base=str(saved), device="cpu"))
    assert outcome.figures["steps"] == 13
    learned, fresh = weights(saved), weights(shot)
    assert all(torch.allclose(fresh[name], value, atol=0.01) for name, value in learned.items())
    assert json.loads((saved / "style" / "generator.json").read_text()) == before, "the saved style is left as it was"


def test_a_style_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    write_shot(tmp_path)
    with pytest.raises(JobError, match="There is no style in"):
        run(tmp_path, TrainStyle(keys=[KEY], seconds=60, steps=1, base=str(tmp_path / "nowhere"), device="cpu"))
    assert not (tmp_path / "style").exists()
