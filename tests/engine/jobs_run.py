"""Running a motion job in a folder, for the tests: as `run` does, with what it tells checked. Knows no rig."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine import clips, job_folder, protocol
from engine.jobs import run_folder
from engine.progress import Outcome


def finish(folder: Path, settings: protocol.Settings) -> Outcome:
    """The job done in a folder that holds its clips."""
    job_folder.write_job(folder, settings)
    steps = run_folder(folder)
    while True:
        try:
            update = next(steps)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome
        assert 0.0 <= update.done <= 1.0 and update.text


def run(folder: Path, motion: clips.Motion, settings: protocol.Settings) -> tuple[Outcome, dict[str, np.ndarray]]:
    """The job done on a clip, and its result."""
    clips.write_clip(folder, motion)
    outcome = finish(folder, settings)
    with np.load(folder / "result/clip.npz", allow_pickle=False) as data:
        result = dict(data)
    for name, (kind, _) in protocol.RESULT_ARRAYS.items():
        assert result[name].dtype == kind, name
    return outcome, result
