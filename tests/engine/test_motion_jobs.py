"""The motion jobs on clip folders, as Blender hands them over: keys are met, other bones left alone, any rig goes
through, what the network cannot help is said. Uses the shipped weights; knows no motion capture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from jobs_run import run
from rigs import ARM, BIPED, PENDULUM, QUADRUPED, TAIL, keyed, waving

from engine import clips, protocol
from engine.motion import baseline, play
from engine.protocol import JobError


@pytest.mark.parametrize("rig", [BIPED, QUADRUPED, TAIL, ARM])
@pytest.mark.parametrize("fps", [24.0, 60.0])
def test_any_rig_meets_its_keys_exactly(tmp_path: Path, rig: list[int], fps: float) -> None:
    motion = keyed(waving(rig, fps=fps), [0, 17, 18, 40, 60])
    outcome, made = run(tmp_path, motion, protocol.Inbetween())
    assert outcome.results == ["result/clip.npz"] and outcome.notes == []
    assert np.array_equal(made["rotations"][motion.rotation_keys], motion.rotations[motion.rotation_keys])
    assert np.array_equal(made["locations"][motion.location_keys], motion.locations[motion.location_keys])
    assert np.array_equal(made["values"][motion.value_keys], motion.values[motion.value_keys])
    assert np.array_equal(made["rotation_filled"], ~motion.rotation_keys)
    assert np.allclose(np.linalg.norm(made["rotations"], axis=-1), 1.0, atol=1e-5)


def test_the_network_changes_what_the_curves_would_do(tmp_path: Path) -> None:
    motion = keyed(waving(BIPED), [0, 20, 40, 60])
    _, acted = run(tmp_path / "a", motion, protocol.Inbetween())
    _, plain = run(tmp_path / "b", motion, protocol.Inbetween(model="baseline"))
    difference = np.abs(acted["rotations"] - plain["rotations"])
    for name in ("rotations", "locations", "values"):
        assert np.array_equal(acted[f"plain_{name}"], plain[name]), "where the slider begins"
    assert 1e-3 < difference.max() < 0.5
    assert difference[[0, 20, 40, 60]].max() == 0.0


def test_bones_have_keys_of_their_own(tmp_path: Path) -> None:
    motion = keyed(waving(BIPED), [0, 30, 60])
    motion.rotation_keys[[10, 44], 3] = True
    motion.rotation_keys[30, 5] = False
    motion.rotation_keys[[0, 60], 7] = False  # one key left: nothing lies between
    _, made = run(tmp_path, motion, protocol.Inbetween())
    assert np.array_equal(made["rotations"][motion.rotation_keys], motion.rotations[motion.rotation_keys])
    assert made["rotation_filled"][30, 5] and not made["rotation_filled"][10, 3]
    assert not made["rotation_filled"][:, 7].any()
    assert np.array_equal(made["rotations"][:, 7], motion.rotations[:, 7])


def test_bones_that_are_not_wanted_stay(tmp_path: Path) -> None:
    motion = keyed(waving(BIPED), [0, 30, 60])
    motion.rotation_wanted[8:] = False
    motion.location_wanted[:] = False
    _, made = run(tmp_path, motion, protocol.Inbetween())
    assert not made["rotation_filled"][:, 8:].any() and not made["location_filled"].any()
    assert np.array_equal(made["rotations"][:, 8:], motion.rotations[:, 8:])
    assert np.array_equal(made["locations"], motion.locations)


def test_a_hold_stays_a_hold(tmp_path: Path) -> None:
    motion = keyed(waving(BIPED), [0, 20, 40, 60])
    motion.rotations[40], motion.locations[40] = motion.rotations[20], motion.locations[20]
    _, made = run(tmp_path, motion, protocol.Inbetween())
    assert np.array_equal(
        made["rotations"][20:41], np.broadcast_to(motion.rotations[20], made["rotations"][20:41].shape)
    )
    assert np.array_equal(made["locations"][20:41, 0], np.broadcast_to(motion.locations[20, 0], (21, 3)))


def test_no_jump_at_the_keys_nor_between(tmp_path: Path) -> None:
    motion = keyed(waving(BIPED, frames=401), list(range(0, 401, 16)))
    _, made = run(tmp_path, motion, protocol.Inbetween())
    own, true = (np.abs(np.diff(x, axis=0)).max(-1).mean(1) for x in (made["rotations"], motion.rotations))
    assert own.max() < 2.0 * true.max()


def test_a_gap_longer_than_the_network_knows(tmp_path: Path) -> None:
    motion = keyed(waving(BIPED, frames=301), [0, 300])
    outcome, made = run(tmp_path, motion, protocol.Inbetween())
    assert np.array_equal(made["rotations"][[0, 300]], motion.rotations[[0, 300]])
    assert np.abs(np.diff(made["rotations"], axis=0)).max() < 0.1 and outcome.notes == []


def test_a_bone_with_keys_far_apart_among_others_is_said(tmp_path: Path) -> None:
    motion = keyed(waving(BIPED, frames=121), list(range(0, 121, 20)))
    motion.rotation_keys[20:101, 4] = False
    outcome, made = run(tmp_path / "acted", motion, protocol.Inbetween())
    _, plain = run(tmp_path / "plain", motion, protocol.Inbetween(model="baseline"))
    assert len(outcome.notes) == 1 and "more than 2 seconds between their own keys" in outcome.notes[0]
    assert np.allclose(made["rotations"][:, 4], plain["rotations"][:, 4], atol=1e-5)
    assert np.abs(made["rotations"][:, 5] - plain["rotations"][:, 5]).max() > 1e-3


def test_a_rig_the_network_cannot_help(tmp_path: Path) -> None:
    motion = keyed(waving(PENDULUM), [0, 30, 60])
    outcome, made = run(tmp_path, motion, protocol.Inbetween())
    assert len(outcome.notes) == 1 and "4 bones" in outcome.notes[0]
    expected = baseline.smooth_rotations(
        torch.from_numpy(motion.rotations), baseline.gaps(torch.from_numpy(motion.rotation_keys))
    )
    assert np.array_equal(made["rotations"], expected.numpy())


def test_the_same_seed_gives_the_same_motion(tmp_path: Path) -> None:
    motion = keyed(waving(QUADRUPED), [0, 25, 60])
    first, second = (run(tmp_path / name, motion, protocol.Inbetween(seed=3))[1] for name in "ab")
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_nothing_to_fill_is_said(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="set two keys"):
        run(tmp_path, keyed(waving(BIPED), [30]), protocol.Inbetween())


@pytest.mark.parametrize("rig", [BIPED, QUADRUPED, TAIL])
@pytest.mark.parametrize("fps", [24.0, 60.0])
def test_three_hundred_frames_on_stay_alive(tmp_path: Path, rig: list[int], fps: float) -> None:
    motion = waving(rig, fps=fps, frames=60)
    outcome, made = run(tmp_path, motion, protocol.Extrapolate(frames=300))
    assert outcome.notes == [] and made["frame_start"] == 61 and len(made["rotations"]) == 300
    before = np.abs(np.diff(motion.rotations, axis=0)).max(-1).mean()
    after = np.abs(np.diff(made["rotations"], axis=0)).max(-1).mean(1)
    assert 0.25 * before < after[-60:].mean() < 3.0 * before
    assert after.max() < 6.0 * before
    joint = np.abs(made["rotations"][0] - motion.rotations[-1]).max()
    assert joint < 0.2, "the first frame must go on from the last"


def test_playing_on_leaves_the_rest_alone(tmp_path: Path) -> None:
    motion = waving(BIPED)
    motion.rotations[:, 6] = motion.rotations[0, 6]  # a still bone
    motion.rotation_wanted[9] = False
    _, made = run(tmp_path, motion, protocol.Extrapolate(frames=40))
    for joint in (6, 9):
        assert not made["rotation_filled"][:, joint].any()
        assert np.array_equal(made["rotations"][:, joint], np.broadcast_to(motion.rotations[-1, joint], (40, 4)))
    assert made["rotation_filled"][:, 0].all()


def test_playing_on_with_too_little_says_so_and_coasts(tmp_path: Path) -> None:
    """A door that opens once; what swings again and again goes on doing so."""
    door, swing = waving(PENDULUM), waving(PENDULUM)
    angle = 0.5 * (np.arange(61) / 60.0) ** 2
    door.rotations[:, 1] = np.stack([np.cos(angle), np.sin(angle), 0 * angle, 0 * angle], 1)
    door.rotations[:, 0], door.locations[:] = (1, 0, 0, 0), 0
    steps = {}
    for name, motion in (("door", door), ("swing", swing)):
        outcome, made = run(tmp_path / name, motion, protocol.Extrapolate(frames=60))
        steps[name] = np.abs(np.diff(made["rotations"], axis=0)).max((1, 2))
        assert len(outcome.notes) == (name == "door") and all("coasts to rest" in note for note in outcome.notes)
    assert steps["door"][0] > 1e-4 and steps["door"][-1] < 1e-4
    assert steps["swing"][-10:].max() > 1e-3


def test_a_job_can_be_given_up(tmp_path: Path) -> None:
    clips.write_clip(tmp_path, waving(BIPED))
    steps = play.extrapolate(tmp_path, protocol.Extrapolate(frames=300))
    next(steps)
    steps.close()
    assert not (tmp_path / "result").exists()
