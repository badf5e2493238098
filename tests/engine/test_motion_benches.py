"""The benchmarks' own readers and rigs: files by hand, protocols counted, rigs never trained on."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import quat, skeleton
from engine.__main__ import main
from engine.clips import read_mocap
from engine.motion import bench, bench_lafan1, bench_long, bvh, contacts, prediction, training, windows
from engine.protocol import JobError

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks import rigs

BVH = """HIERARCHY
ROOT hips
{
  OFFSET 1 2 3
  CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
  JOINT knee
  {
    OFFSET 0 -4 0
    CHANNELS 3 Xrotation Yrotation Zrotation
    End Site
    {
      OFFSET 0 -5 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 10 0 0 0 0 0 0 0
5 10 0 90 0 90 90 0 90
"""


def test_bvh_takes_each_joints_own_order(tmp_path: Path) -> None:
    (tmp_path / "some.bvh").write_text(BVH)
    mocap = bvh.read(tmp_path / "some.bvh")
    take = mocap.takes[0]
    assert mocap.joints == ["hips", "knee"] and mocap.parents == [-1, 0] and round(mocap.fps) == 30
    assert take.root.tolist() == [[0, 10, 0], [5, 10, 0]] and take.offsets.tolist() == [[0, 0, 0], [0, -4, 0]]
    up = torch.tensor([0.0, 1.0, 0.0])
    last = torch.from_numpy(take.rotations[1])
    # Z after X: up goes to z by X and stays there. X after Z: up goes to -x by Z and stays there.
    assert torch.allclose(quat.rotate(last[0], up), torch.tensor([0.0, 0.0, 1.0]), atol=1e-6)
    assert torch.allclose(quat.rotate(last[1], up), torch.tensor([-1.0, 0.0, 0.0]), atol=1e-6)


@pytest.mark.parametrize("text", ["", "MOTION\n", BVH.replace("5 10 0 90", "5 10 0"), BVH.replace("90", "nan")])
def test_a_bvh_that_cannot_be_read_is_said_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "some.bvh").write_text(text)
    with pytest.raises(JobError, match=r"some\.bvh"):
        bvh.read(tmp_path / "some.bvh")


def test_lafan1_without_data_is_skipped_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "lafan1", "--data", str(tmp_path)]) == 0
    assert "Skipped" in capsys.readouterr().out


def test_lafan1_finds_baselines_that_are_not_the_published_ones() -> None:
    scores = {
        name: {f"{kind}_{gap}": x for kind, xs in kinds.items() for gap, x in zip(windows.GAPS, xs, strict=True)}
        for name, kinds in bench_lafan1.PUBLISHED.items()
    }
    assert bench_lafan1.departures(scores) == []
    scores["SLERP"]["l2q_30"] *= 1.1
    assert len(bench_lafan1.departures(scores)) == 1


def test_published_prediction_windows(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    rows = random.normal(0.0, 0.2, (200, prediction.COLUMNS)).astype(np.float32)
    np.savez(tmp_path / "some.npz", **{"walking_1/expmap": rows, "walking_2/expmap": rows[:70]})
    found = prediction.windows(tmp_path / "some.npz")
    assert [w.action for w in found] == ["walking"] and found[0].rotations.shape == (8, 35, 38, 4)
    start = np.random.RandomState(1234567890).randint(0, 125)
    first = quat.log(found[0].rotations[0, 0, 1:]).flatten()
    assert np.allclose(first.numpy(), rows[start + 40, 6:], atol=1e-4)
    assert not quat.log(found[0].rotations[:, :, 0]).any(), "the root is left out"
    still = prediction.score(found, bench.stand_still)
    assert 0.2 * math.sqrt(2 * 111) * 0.8 < still["angle_2"] < 0.2 * math.sqrt(2 * 111) * 1.2


def test_prediction_beats_zero_velocity_on_the_published_benchmarks_clips(mocap: Path) -> None:
    every = prediction.windows(mocap / "cmu_prediction_train.npz", ["walking_49", "basketball_4"])
    net = training.load(training.WEIGHTS / "extrapolate")[0]
    ours = bench.shipped_players(net)["ours"]
    over = bench.ratios(prediction.score(every, ours), prediction.score(every, bench.stand_still))
    assert max(over.values()) < 1.0, over


def test_ten_seconds_neither_freeze_nor_run_away(mocap: Path) -> None:
    scores = bench_long.score(bench_long.stretches(mocap / "cmu_dev.npz")[1::4], "auto")
    assert min(scores[f"speed_{look}"] for look in bench_long.LOOKS) > 0.4, scores
    assert max(scores[f"speed_{look}"] for look in bench_long.LOOKS) < 2.5, scores
    assert scores["sinks"] < 0.1 and scores["fastest"] < 1.5, scores


@pytest.fixture(scope="module")
def unseen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The five rigs' files."""
    folder = tmp_path_factory.mktemp("rigs")
    rigs.make(folder, takes=2)
    return folder


@pytest.mark.parametrize("name", rigs.RIGS)
def test_rigs_never_trained_on(unseen: Path, name: str) -> None:
    """The keys are exact, and what the job makes is no worse than SLERP; of positions in the mean, for windows are few."""
    data = read_mocap(unseen / f"{name}.npz")
    poses = windows.protocol_windows(data, bench.LENGTH, 2 * bench.EVERY)
    fill = bench.job_filler()
    keys = torch.ones(poses.rotations.shape[:3], dtype=torch.bool)
    keys[:, 10:64] = False
    with torch.inference_mode():
        rotations, locations = fill(poses, keys)
    assert torch.equal(rotations[keys], poses.rotations[keys]) and torch.equal(locations[keys], poses.locations[keys])
    spread = windows.deviation(data)
    over = bench.ratios(bench.score(poses, fill, spread), bench.score(poses, bench.interpolation, spread))
    assert max(over[f"l2q_{gap}"] for gap in windows.GAPS) < 1.0, over
    assert np.mean([over[f"l2p_{gap}"] for gap in windows.GAPS]) < 1.0, over


def test_feet_step_when_feet_step(mocap: Path) -> None:
    """In gaps of a second feet slide little more than the truth's, and bodies are no farther from where they were."""
    every = bench.protocol_data(read_mocap(mocap / "cmu_dev.npz"))
    some = windows.Poses(every.rotations[::12], every.locations[::12], every.offsets[::12], every.parents)
    net, facts = training.load(training.WEIGHTS / "inbetween")
    before, after = bench.believed_filler(net), bench.job_filler()
    assert bench.naturalness(some, after)["skate"] < min(1.3, bench.naturalness(some, before)["skate"] / 1.5)
    spread = torch.tensor(facts["position_deviation"])
    assert bench.score(some, after, spread)["l2p_30"] < 1.01 * bench.score(some, before, spread)["l2p_30"]


def test_fingers_and_tails_are_no_feet(unseen: Path) -> None:
    """What ends a limb is a foot only if it rests while the body goes on."""
    found = {}
    for name in ("biped", "quadruped", "hand", "tail"):
        poses = windows.protocol_windows(read_mocap(unseen / f"{name}.npz"), 65, 160)
        size = float(skeleton.reach(poses.offsets[:1], poses.parents))
        lengths = poses.offsets[0].norm(dim=-1).tolist()
        ground = contacts.Ground(poses.parents, lengths, list(range(len(lengths))), 1, size, 30.0)
        found[name] = [len(contacts.find_feet(at, ground, [])) for at in poses.fk()[1]]
    assert set(found["biped"]) == {2} and set(found["quadruped"]) == {4}
    assert np.mean(found["hand"]) < 1.0 and np.mean(found["tail"]) < 0.5, found  # of five fingers, of one tip


def test_planted_feet_of_the_unseen_rigs_stand(unseen: Path) -> None:
    """The benchmark's own walkers do what they say: a foot that is down does not slide."""
    for name, feet in (("biped", ("l_ankle", "r_ankle")), ("quadruped", ("paw.FL", "paw.HR"))):
        data = read_mocap(unseen / f"{name}.npz")
        poses = windows.protocol_windows(data, 65, 200)
        at = poses.fk()[1][:, :, [data.joints.index(f) for f in feet]]
        speed, low = at.diff(dim=1).norm(dim=-1) * 30, at[..., 1] < at[..., 1].amin() + 0.01
        assert float(speed[low[:, 1:] & low[:, :-1]].median()) < 0.05
