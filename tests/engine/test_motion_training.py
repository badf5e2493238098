"""The networks: shipped weights beat the baselines on the dev set, a training can be repeated and taken up again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from test_clips import collection
from tiny_trainings import TRAININGS, train

from engine import quat, skeleton
from engine.clips import read_mocap
from engine.motion import augment, bench, creatures, outlook, synthetic, tokens, training, windows
from engine.motion.networks import Params, TokenLSTM


def test_shipped_inbetweening_beats_slerp_everywhere(mocap: Path) -> None:
    net, facts = training.load(training.WEIGHTS / "inbetween")
    every = bench.protocol_data(read_mocap(mocap / "cmu_dev.npz"))
    poses = windows.Poses(
        every.rotations[::2], every.locations[::2], every.offsets[::2], every.parents
    )  # half the time
    ratios = bench.inbetween_ratios(net, poses, torch.tensor(facts["position_deviation"]))
    assert max(ratios.values()) < 1.0, ratios
    assert ratios["l2q_30"] < 0.9 and ratios["l2p_30"] < 0.86, ratios
    assert "mocap.cs.cmu.edu" in facts["credit"] and facts["data"] == "cmu_train.npz"


def test_shipped_extrapolation_beats_zero_velocity_everywhere(mocap: Path) -> None:
    poses = bench.prediction_windows(read_mocap(mocap / "cmu_dev.npz"))
    ours = bench.shipped_players(training.load(training.WEIGHTS / "extrapolate")[0])["ours"]
    still = bench.score_prediction(poses, bench.stand_still)
    over = bench.ratios(bench.score_prediction(poses, ours), still)
    assert max(over.values()) < 0.82, over


def test_the_glance_does_not_see_scale_place_heading_or_the_up_axis(mocap: Path) -> None:
    poses = augment.sample(augment.source(read_mocap(mocap / "cmu_dev.npz")), 2, 10, np.random.default_rng(0))
    glance, free = outlook.shipped(torch.device("cpu")), torch.ones(1, 1, len(poses.parents), 1)
    made = outlook.look(glance, poses.rotations, poses.locations, free, tokens.Rig(poses.parents, poses.offsets), 60.0)
    turn, about = torch.tensor([0.5**0.5, 0.5**0.5, 0.0, 0.0]), quat.exp(torch.tensor([0.0, 0.0, 1.1]))

    def in_blender(q: torch.Tensor) -> torch.Tensor:
        axes = turn.expand_as(q)
        q = quat.multiply(quat.multiply(axes, q), quat.conjugate(axes))
        return torch.cat([quat.multiply(about.expand_as(q[:, :, :1]), q[:, :, :1]), q[:, :, 1:]], 2)

    places = 10.0 * quat.rotate(about, quat.rotate(turn, poses.locations))
    places[:, :, 0] += torch.tensor([30.0, -7.0, 2.0])
    rig = tokens.Rig(poses.parents, 10.0 * quat.rotate(turn, poses.offsets), "Z")
    other = outlook.look(glance, in_blender(poses.rotations), places, free, rig, 60.0)
    off = quat.log(quat.multiply(quat.conjugate(in_blender(made)), other)).norm(dim=-1)
    assert float(off.max()) < 0.02, float(off.max())


@pytest.mark.parametrize("name", TRAININGS)
def test_training_repeats_itself_and_goes_on_where_it_stopped(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = collection(tmp_path / "some.npz", frames=180)
    whole = train(name, data, tmp_path / "whole", 4)
    again = train(name, data, tmp_path / "again", 4)
    other = train(name, data, tmp_path / "other", 4, "--seed", "1")
    assert all(torch.equal(whole[key], again[key]) for key in whole)
    assert any(not torch.equal(whole[key], other[key]) for key in whole)

    steps, update = [0], training.Average.update

    def stop(self: training.Average, network: TokenLSTM, step: int) -> None:
        steps[0] += 1
        if step == 3 and steps[0] == 4:
            raise KeyboardInterrupt
        update(self, network, step)

    monkeypatch.setattr(training.Average, "update", stop)
    with pytest.raises(KeyboardInterrupt):
        train(name, data, tmp_path / "stopped", 4)
    resumed = train(name, data, tmp_path / "stopped", 4)
    assert steps[0] == 6, "only the steps after the last checkpoint are done again"
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    assert json.loads((tmp_path / "stopped.json").read_text())["about"]["steps"] == 4


def test_two_processes_train_together(tmp_path: Path) -> None:
    """torchrun's processes step down one slope, give another result than one of them would, and go on where they stopped."""
    data = collection(tmp_path / "some.npz", frames=180)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run(
        [*torchrun, str(Path(__file__).with_name("tiny_trainings.py")), str(data), str(tmp_path / "two")],
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    for name in ("inbetween", "blend"):
        whole, pieces = (load_file(tmp_path / "two" / f"{name}{part}.safetensors") for part in ("", " in pieces"))
        assert all(torch.equal(whole[key], pieces[key]) for key in whole), name
    together, alone = load_file(tmp_path / "two" / "outlook.safetensors"), train("outlook", data, tmp_path / "one", 4)
    assert any(not torch.equal(together[key], alone[key]) for key in alone)


def test_critics_and_rigs_by_formula_take_part_when_asked_for(tmp_path: Path) -> None:
    data = collection(tmp_path / "some.npz", frames=180)
    plain = train("inbetween", data, tmp_path / "plain", 4, "--synthetic", "0")
    judged = train("inbetween", data, tmp_path / "judged", 4, "--synthetic", "0", "--critics", "0.5")
    made_up = train("inbetween", data, tmp_path / "made_up", 4, "--synthetic", "1")
    for other in (judged, made_up):
        assert any(not torch.equal(plain[key], other[key]) for key in plain)
        assert all(bool(x.isfinite().all()) for x in other.values())


def test_a_split_or_rooted_rig_moves_as_before(mocap: Path) -> None:
    """Other riggers' versions of a rig end in the same orientations."""
    data = augment.source(read_mocap(mocap / "cmu_dev.npz"))
    poses = augment.sample(data, 2, 9, np.random.default_rng(1))
    turned, places = poses.fk()
    split = augment._split(poses, np.random.default_rng(3))
    assert len(split.parents) > len(poses.parents) and torch.allclose(
        split.fk()[0][:, :, -1], turned[:, :, -1], atol=1e-4
    )
    rooted = augment._rooted(poses)
    assert torch.allclose(rooted.fk()[1][:, :, 1:], places, atol=1e-3)


def test_the_network_does_not_see_scale_place_heading_or_rest_axes(mocap: Path) -> None:
    """What is the same motion to an artist is the same to the network."""
    data = augment.source(read_mocap(mocap / "cmu_dev.npz"))
    poses = augment.sample(data, 2, 41, np.random.default_rng(0))
    keys = torch.zeros(poses.rotations.shape[:3], dtype=torch.bool)
    keys[:, [*range(10), 40]] = True
    first = tokens.between(poses.rotations, poses.locations, keys, keys, tokens.Rig(poses.parents, poses.offsets))
    # Blender's axes: x, -z, y; ten times the size; elsewhere.
    turn = torch.tensor([0.5**0.5, 0.5**0.5, 0.0, 0.0])

    rotations = quat.multiply(
        quat.multiply(turn.expand_as(poses.rotations), poses.rotations), quat.conjugate(turn).expand_as(poses.rotations)
    )
    locations = 10.0 * quat.rotate(turn, poses.locations)
    locations[:, :, 0] += torch.tensor([30.0, -7.0, 2.0])
    rig = tokens.Rig(poses.parents, 10.0 * quat.rotate(turn, poses.offsets), "Z")
    second = tokens.between(rotations, locations, keys, keys, rig)
    assert torch.allclose(first.features, second.features, atol=2e-3)


def test_a_mirrored_window_is_a_motion_of_the_mirrored_rig(mocap: Path) -> None:
    data = augment.source(read_mocap(mocap / "cmu_dev.npz"))
    poses = augment.sample(data, 2, 20, np.random.default_rng(0))
    _, places = augment.mirror(poses, torch.tensor([True, False])).fk()
    _, before = poses.fk()
    assert torch.allclose(places[0], before[0] * torch.tensor([-1.0, 1.0, 1.0]), atol=1e-3)
    assert torch.equal(places[1], before[1])


def test_linear_in_bones_and_deaf_to_their_order() -> None:
    net = TokenLSTM(Params(tokens.BETWEEN_FEATURES, 7, tokens.BETWEEN_OUTPUTS, 8, 8, 2, 1, True))
    torch.nn.init.normal_(net.head.weight)
    x = torch.randn(1, 6, 4, tokens.BETWEEN_FEATURES)
    a, _ = net(x, [-1, 0, 0, 1])
    b, _ = net(x[:, :, [0, 2, 1, 3]], [-1, 0, 0, 2])
    assert torch.allclose(a[:, :, [0, 2, 1, 3]], b, atol=1e-5)


def test_windows_face_plus_x_at_the_last_past_frame(mocap: Path) -> None:
    poses = windows.protocol_windows(read_mocap(mocap / "cmu_dev.npz"), 65, 400)

    facing = quat.rotate(poses.rotations[:, 9, 0], torch.tensor([0.0, 0.0, 1.0]))
    assert float(facing[:, 2].abs().max()) < 1e-4 and float(facing[:, 0].min()) > 0.0
    assert float(poses.locations[:, :, 0, [0, 2]].mean(1).abs().max()) < 1e-3


def test_creatures_by_formula_walk_on_planted_feet() -> None:
    """Whatever their legs, one of their feet stands while the body goes on; on any device that tensors are made on by default."""
    with torch.device("meta"):
        assert synthetic.creature(np.random.default_rng(1), torch.device("meta")).rotations.device.type == "meta"
    for seed in (3, 12):
        rng = np.random.default_rng(seed)
        while not creatures.natural(body := creatures.walker(rng)):
            pass
        rotations = skeleton.local_rotations(torch.stack(body.turned, 2), body.parents)
        locations = torch.zeros(*rotations.shape[:3], 3)
        locations[:, :, 0] = body.places[0]
        offsets = torch.from_numpy(np.stack(body.offsets))
        at = skeleton.fk(rotations, locations, offsets, body.parents)[1] / skeleton.reach(offsets, body.parents)
        speed = at.diff(dim=1)[..., [0, 2]].norm(dim=-1) * creatures.RATE
        lowest = at[:, 1:, :, 1].argmin(-1, keepdim=True)
        standing, going = speed.gather(-1, lowest)[..., 0].median(), speed[:, :, 0].median()
        assert float(standing) < 0.2 * float(going), (seed, standing, going)
