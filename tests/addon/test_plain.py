"""Motion without the engine: the add-on's own curves are those that the engine draws with the model 'baseline'."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from addon import plain
from addon.protocol import JobError

from engine import clips, job_folder, protocol
from engine.jobs import run_folder

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "engine"))
from rigs import BIPED, PENDULUM, TAIL, keyed, waving


def by_the_engine(folder: Path) -> dict[str, np.ndarray]:
    for _ in run_folder(folder):
        pass
    return read(folder)


def read(folder: Path) -> dict[str, np.ndarray]:
    with np.load(folder / "result/clip.npz", allow_pickle=False) as data:
        return dict(data)


@pytest.mark.parametrize("rig", [BIPED, TAIL, PENDULUM])
@pytest.mark.parametrize(
    "settings",
    [
        protocol.Inbetween(model="baseline"),
        protocol.Extrapolate(40, model="baseline"),
        protocol.Extrapolate(40, model="baseline", path=15),
        protocol.Extrapolate(10, model="baseline", path=15),
    ],
)
def test_the_same_curves_as_the_engine(tmp_path: Path, rig: list[int], settings: protocol.Settings) -> None:
    motion = keyed(waving(rig, fps=24), [0, 7, 8, 30, 60])
    motion.rotation_keys[[3, 44], 1] = True  # a bone with keys of its own
    motion.location_keys[30] = False
    if isinstance(settings, protocol.Extrapolate) and settings.path:
        motion.location_keys[-settings.path :, 0] = True  # a way to go
        motion.rotation_keys[-settings.path :, 0] = settings.frames > settings.path  # and to turn
    clips.write_clip(tmp_path, motion)
    job_folder.write_job(tmp_path, settings)
    theirs = by_the_engine(tmp_path)
    (tmp_path / "result/clip.npz").unlink()
    finished, ours = plain.run(tmp_path), read(tmp_path)
    assert finished.results == ["result/clip.npz"] and "no engine is installed" in finished.notes[0]
    assert ours.keys() == theirs.keys()
    for name, x in theirs.items():
        assert ours[name].shape == x.shape and np.allclose(ours[name], x, atol=2e-6), name
    keys = motion.rotation_keys
    if isinstance(settings, protocol.Inbetween):
        assert np.array_equal(ours["rotations"][keys], motion.rotations[keys]), "exact at the keys"


@pytest.mark.parametrize("rig", [BIPED, TAIL, PENDULUM])
@pytest.mark.parametrize(
    "settings",
    [
        protocol.Loop(6),
        protocol.Loop(200, keep_root=False, repeats=2),
        protocol.Clean(0.2),
        protocol.Clean(0.0, feet=[1]),
        protocol.Clean(0.1, contacts=False),
    ],
)
def test_whole_ranges_as_the_engine_makes_them(tmp_path: Path, rig: list[int], settings: protocol.Settings) -> None:
    """Loop and Clean, on a travelling rig, of which one bone stays as it is."""
    motion = waving(rig, fps=24)
    if isinstance(settings, protocol.Clean) and settings.feet:
        settings = replace(settings, feet=[len(rig) - 1])  # whether it ever rests or not
    motion.rotation_wanted[1] = False
    motion.locations[:, 0, 0] += np.linspace(0, 2, len(motion.locations), dtype=np.float32)
    clips.write_clip(tmp_path, motion)
    job_folder.write_job(tmp_path, settings)
    theirs = by_the_engine(tmp_path)
    (tmp_path / "result/clip.npz").unlink()
    finished, ours = plain.run(tmp_path), read(tmp_path)
    assert "without the engine" in finished.notes[0]
    for name, x in theirs.items():
        assert ours[name].shape == x.shape and ours[name].dtype == x.dtype, name
        assert np.allclose(ours[name], x, atol=2e-4), name
    assert np.array_equal(ours["rotations"][:61, 1], motion.rotations[:61, 1])


def test_what_needs_the_engine_says_so(tmp_path: Path) -> None:
    clips.write_clip(tmp_path, waving(TAIL))
    job_folder.write_job(tmp_path, protocol.Extrapolate(10, towards_target=True))
    with pytest.raises(JobError, match="press Install Engine"):
        plain.run(tmp_path)


def test_nothing_to_fill_is_said(tmp_path: Path) -> None:
    clips.write_clip(tmp_path, waving(TAIL))
    job_folder.write_job(tmp_path, protocol.Inbetween())
    with pytest.raises(JobError, match="set two keys"):
        plain.run(tmp_path)
