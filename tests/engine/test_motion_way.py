"""Playing on along a way that the artist has keyed for the root. What an artist would notice; uses the shipped weights."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from jobs_run import run
from rigs import BIPED, PENDULUM, TAIL, waving
from test_motion_tools import walking

from engine import quat, skeleton
from engine.clips import Motion
from engine.protocol import Extrapolate

MOVING = ("rotations", "locations", "values", "rotation_keys", "location_keys", "value_keys")


def along(motion: Motion, path: np.ndarray) -> Motion:
    """The clip with a way for its root after it, and nothing else given there."""
    held = {n: np.concatenate([getattr(motion, n), np.repeat(getattr(motion, n)[-1:], len(path), 0)]) for n in MOVING}
    clip = dataclasses.replace(motion.clip, frame_end=motion.clip.frame_end + len(path))
    motion = dataclasses.replace(motion, clip=clip, **held)
    motion.locations[-len(path) :, 0] = path
    for mask in (motion.rotation_keys, motion.location_keys, motion.value_keys):
        mask[-len(path) :] = False
    motion.location_keys[-len(path) :, 0] = True
    return motion


@pytest.mark.parametrize("rig", [BIPED, TAIL, PENDULUM])
@pytest.mark.parametrize("model", ["auto", "baseline"])
def test_it_goes_the_way_that_the_root_is_given(tmp_path: Path, rig: list[int], model: str) -> None:
    motion = waving(rig)
    time = np.arange(1, 41)[:, None] / 30.0
    path = motion.locations[-1, 0] + np.concatenate([np.sin(time), np.cos(time) - 1.0, 0.0 * time], 1).astype(
        np.float32
    )
    _, made = run(tmp_path, along(motion, path), Extrapolate(frames=60, path=40, model=model, variation=0.5))
    assert made["frame_start"] == 62 and len(made["rotations"]) == 60
    for name in ("locations", "plain_locations"):
        assert np.array_equal(made[name][:40, 0], path), name
    steps = np.linalg.norm(np.diff(made["locations"][:, 0], axis=0), axis=-1)
    assert steps[39:].max() < 0.2, "it goes on from the way's end"
    assert model == "baseline" or rig == PENDULUM or np.ptp(made["rotations"], axis=0).max() > 0.05, "alive"


def sliding(x: dict[str, np.ndarray], motion: Motion) -> float:
    """How fast the lower foot goes over the ground, as the mean over the frames, over how fast the root does."""
    parts = torch.from_numpy(x["rotations"]), torch.from_numpy(x["locations"])
    at = skeleton.fk(*parts, torch.from_numpy(motion.offsets), motion.clip.parents)[1]
    speed = at.diff(dim=0)[..., [0, 2]].norm(dim=-1)
    lowest = at[1:, :, 1].argmin(-1, keepdim=True)
    return float(speed.gather(-1, lowest).mean() / speed[:, 0].mean())


def test_a_walk_turns_along_its_way_and_keeps_its_pace(tmp_path: Path, mocap: Path) -> None:
    """A quarter of a circle at half the walk's pace and at one and a half times: feet slide little, the body faces along."""
    motion = walking(mocap, 10)
    steps = np.diff(motion.locations[-30:, 0], axis=0)
    ahead = steps.sum(0) * [1.0, 0.0, 1.0]
    speed, heading = np.linalg.norm(ahead) / len(steps), np.arctan2(ahead[0], ahead[2])
    for hurry in (0.7, 1.4):
        angle = heading + np.linspace(0.0, np.pi / 2, 75)
        way = np.cumsum(np.stack([np.sin(angle), 0.0 * angle, np.cos(angle)], 1) * speed * hurry, 0)
        path = (motion.locations[-1, 0] + way).astype(np.float32)
        _, made = run(tmp_path / str(hurry), along(motion, path), Extrapolate(frames=75, path=75))
        facing = quat.rotate(torch.from_numpy(made["rotations"][:, 0]), torch.tensor([0.0, 0.0, 1.0])).numpy()
        before = quat.rotate(torch.from_numpy(motion.rotations[-30:, 0]), torch.tensor([0.0, 0.0, 1.0])).numpy()
        turned = [np.arctan2(x[..., 0].mean(), x[..., 2].mean()) for x in (before, facing[-15:])]
        assert 60 < np.degrees(turned[1] - turned[0]) % 360 < 110, (hurry, np.degrees(turned))
        assert sliding(made, motion) < 1.5 * sliding(vars(motion), motion), hurry
