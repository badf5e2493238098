"""Playing on rigs whose hands and feet are controls that are moved, not turned, and things of few parts. What an artist would
notice; no network has a part in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from jobs_run import run
from rigs import BIPED, waving

from engine import protocol
from engine.clips import Motion

STEP = 0.6  # seconds
BODY, FEET, ARMS = 0, (1, 2), (3, 4)


def walker(seconds: float = 4.0, turning: float = 0.0, fps: float = 24.0) -> Motion:
    """A body that goes over the ground with its feet as controls beside it, each planted while the other swings, two arms
    that are turned, and a channel that counts the way, one that beats."""
    time = np.arange(round(seconds * fps) + 1) / fps
    heading = turning * time
    ahead = np.stack([np.sin(heading), -np.cos(heading), 0.0 * heading], 1)
    aside = np.stack([np.cos(heading), np.sin(heading), 0.0 * heading], 1)
    way = np.cumsum(ahead * 1.2 / fps, 0)
    offsets = np.array([[0, 0, 1], [0.1, 0, 0], [-0.1, 0, 0], [0.2, 0, 0.5], [-0.2, 0, 0.5]], np.float32)
    rotations = np.tile([1.0, 0.0, 0.0, 0.0], (len(time), 5, 1))
    locations = np.zeros((len(time), 5, 3))
    locations[:, BODY] = way + np.stack([0 * time, 0 * time, 0.03 * np.cos(4 * np.pi * time / (2 * STEP))], 1)
    for foot, late in zip(FEET, (0.0, STEP), strict=True):
        phase = (time + late) / (2 * STEP)
        done = np.floor(phase) + np.clip(2.0 * (phase % 1.0), 0.0, 1.0)
        at = (done * 2 * STEP - late - STEP / 2) * fps
        places = way + offsets[foot, 0] * aside
        locations[:, foot] = np.stack([np.interp(at, np.arange(len(way)), x) for x in places.T], 1) - offsets[foot]
        locations[:, foot, 2] = 0.15 * np.sin(np.pi * np.clip(2.0 * (phase % 1.0), 0.0, 1.0))
    swing = 0.25 * np.sin(2 * np.pi * time / (2 * STEP))
    for arm, side in zip(ARMS, (1.0, -1.0), strict=True):
        rotations[:, arm, 0], rotations[:, arm, 1] = np.cos(side * swing), np.sin(side * swing)
    rotations[:, BODY, 0], rotations[:, BODY, 3] = np.cos(heading / 2), np.sin(heading / 2)
    for foot in FEET:
        rotations[:, foot] = rotations[:, BODY]
    values = np.stack([3.0 * time, np.sin(2 * np.pi * time / (2 * STEP))], 1)
    count = len(time)
    clip = protocol.Clip(
        1, count, fps, ["body", "foot.L", "foot.R", "arm.L", "arm.R"], [-1, -1, -1, 0, 0], ["way", "beat"], "Z"
    )
    none = np.zeros((count, 5), bool)
    return Motion(
        clip, offsets, rotations.astype(np.float32), locations.astype(np.float32), values.astype(np.float32), none, none,
        np.zeros((count, 2), bool), np.ones(5, bool), np.arange(5) < 3, np.ones(2, bool),
    )  # fmt: skip


@pytest.mark.parametrize("turning", [0.0, 0.4])
def test_the_feet_of_a_control_rig_go_along(tmp_path: Path, turning: float) -> None:
    """For ten seconds no foot is left behind or runs ahead, one always stands, arms and channels go on as they did."""
    motion = walker(turning=turning)
    outcome, made = run(tmp_path, motion, protocol.Extrapolate(frames=240))
    assert not outcome.notes
    before, after = motion.locations + motion.offsets, made["locations"] + motion.offsets
    for foot in FEET:
        reach = [np.linalg.norm((x[:, foot] - x[:, BODY])[:, :2], axis=1).max() for x in (before[24:-24], after)]
        assert reach[1] < 1.15 * reach[0], "a foot is left behind"
        assert after[-48:, foot, 2].max() > 0.1, "it is lifted to the end"
    pace = np.linalg.norm(np.diff(after[:, BODY, :2], axis=0), axis=1)
    assert 0.8 < pace.mean() * 24 / 1.2 < 1.2 and pace.max() * 24 < 1.8
    slowest = np.linalg.norm(np.diff(after[:, list(FEET)], axis=0), axis=-1).min(1)
    assert np.median(slowest) < 0.1 * pace.mean(), "one foot stands"
    assert np.ptp(made["rotations"][-48:, ARMS[0]], axis=0).max() > 0.2
    way, beat = made["values"].T
    assert np.diff(way).min() > -1e-3 and 0.7 < (way[-1] - way[0]) / 30.0 < 1.3, "what only rises goes on rising"
    assert np.ptp(beat[-48:]) > 1.5 and np.abs(beat).max() < 1.5
    assert np.abs(after[0] - before[-1]).max() < 0.15, "nothing jumps"


def ball(bounces: int) -> Motion:
    """A ball that comes down from where it is, and as often again, rolling; or once, and lies."""
    time = np.arange(61) / 24.0
    motion = walker(60 / 24)
    height = np.abs(np.cos(np.pi * time * bounces / 2.5)) if bounces > 1 else np.clip(1.0 - 2.0 * time**2, 0.0, 1.0)
    half = 1.5 * time * (bounces > 1)
    clip = protocol.Clip(1, 61, 24.0, ["ball"], [-1], [], "Z")
    at = np.stack([0.5 * time * (bounces > 1), 0 * time, height], 1)[:, None].astype(np.float32)
    none = np.zeros((61, 1), bool)
    rolled = np.stack([np.cos(half), 0 * half, np.sin(half), 0 * half], 1)[:, None].astype(np.float32)
    return Motion(
        clip, motion.offsets[:1] * 0, rolled, at, motion.values[:, :0], none, none, none[:, :0], np.ones(1, bool),
        np.ones(1, bool), np.ones(0, bool),
    )  # fmt: skip


def test_a_ball_bounces_on_and_what_is_done_once_is_not_done_again(tmp_path: Path) -> None:
    outcome, made = run(tmp_path / "on", ball(5), protocol.Extrapolate(frames=72))
    height = made["locations"][:, 0, 2]
    assert not outcome.notes
    assert height[-24:].max() > 0.8 and height.min() > -0.05 and height[-24:].min() < 0.2
    assert (made["rotations"][1:, 0] * made["rotations"][:-1, 0]).sum(-1).min() > 0.99, "it rolls on evenly"
    assert 0.3 < (made["locations"][-1, 0, 0] - made["locations"][0, 0, 0]) / 3.0 < 0.7
    outcome, made = run(tmp_path / "once", ball(1), protocol.Extrapolate(frames=72))
    assert len(outcome.notes) == 1 and np.abs(made["locations"][:, 0, 2]).max() < 1e-3


def crane() -> Motion:
    """Four parts that each turn about one axis of their own, keyed now and then."""
    keyed = {0: (0.0, 0.0, 0.0, 0.0), 40: (1.2, 0.0, 0.3, 0.0), 60: (1.2, -0.4, 0.3, 0.5), 100: (0.0, 0.3, 0.0, 0.0)}
    frames = 101
    at = np.stack([np.interp(np.arange(frames), list(keyed), x) for x in zip(*keyed.values(), strict=True)], 1)
    rotations = np.zeros((frames, 4, 4), np.float32)
    rotations[..., 0] = np.cos(at / 2)
    for joint, axis in enumerate((3, 1, 1, 1)):
        rotations[:, joint, axis] = np.sin(at[:, joint] / 2)
    keys = np.zeros((frames, 4), bool)
    keys[list(keyed)] = True
    offsets = np.array([[0, 0, 0], [0, 0, 1], [0, -2, 1], [0, -1.5, 0]], np.float32)
    clip = protocol.Clip(1, frames, 24.0, ["base", "boom", "jib", "hook"], [-1, 0, 1, 2], [], "Z")
    return Motion(
        clip, offsets, rotations, np.zeros((frames, 4, 3), np.float32), np.zeros((frames, 0), np.float32), keys,
        np.ones((frames, 4), bool),
        np.zeros((frames, 0), bool), np.ones(4, bool), np.zeros(4, bool), np.ones(0, bool),
    )  # fmt: skip


def test_hinges_stay_hinges(tmp_path: Path) -> None:
    """What is keyed about one axis alone turns about that alone, acted or not."""
    motion = crane()
    outcome, made = run(tmp_path, motion, protocol.Inbetween())
    assert not outcome.notes
    assert np.abs(made["rotations"] - made["plain_rotations"]).max() > 0.01, "it is acted"
    for joint, still in enumerate(((1, 2), (2, 3), (2, 3), (2, 3))):
        assert np.abs(made["rotations"][:, joint, still]).max() < 1e-4, joint


@pytest.mark.parametrize("model", ["auto", "baseline"])
def test_a_face_goes_on_and_no_further_than_it_went(tmp_path: Path, model: str) -> None:
    """Shape keys alone: they go on with what they do, or rest, but a lid does not close beyond closed."""
    motion, frames = walker(), 73
    time = np.arange(frames) / 24.0
    values = np.stack([0.5 - 0.5 * np.cos(9 * time), np.clip(6 * np.abs(((time + 0.2) % 1.5) - 0.75) - 3.5, 0, 1)], 1)
    clip = protocol.Clip(1, frames, 24.0, [], [], ["jaw", "lid"], "Z")
    none, empty = np.zeros((frames, 0), bool), np.zeros((frames, 0, 4), np.float32)
    face = Motion(
        clip, motion.offsets[:0], empty, empty[..., :3], values.astype(np.float32), none, none,
        np.zeros((frames, 2), bool), none[0], none[0], np.ones(2, bool),
    )  # fmt: skip
    outcome, made = run(tmp_path, face, protocol.Extrapolate(frames=96, model=model))
    assert made["values"].min() > -0.05 and made["values"].max() < 1.05
    if model == "auto":
        assert not outcome.notes and np.ptp(made["values"][-36:], axis=0).min() > 0.7, "alive"


@pytest.mark.parametrize("frames", [45, 100])
def test_playing_on_does_not_pop(tmp_path: Path, frames: int) -> None:
    """However short the clip, by which it is told whom to heed: no joint is jerked as it never was."""
    motion = waving(BIPED, frames)
    _, made = run(tmp_path, motion, protocol.Extrapolate(frames=30))
    whole = np.concatenate([motion.rotations, made["rotations"]])
    jerks = np.abs(np.diff(whole * np.sign(whole[..., :1]), n=2, axis=0)).max((1, 2))
    assert jerks[frames - 2 :].max() < 5.0 * jerks[: frames - 2].max()
