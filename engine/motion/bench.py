"""Score the motion models on any file of motion capture: `python -m engine bench motion --data FILE`.

In-betweening by the LaFAN1 protocol, extrapolation by the CMU prediction protocol's horizons. Knows no Blender.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import device, job_folder, quat, skeleton
from engine.clips import Mocap, read_mocap
from engine.motion import baseline, blend, contacts, footing, grain, metrics, outlook, tokens, training, unroll, windows
from engine.motion.networks import TokenLSTM
from engine.motion.windows import GAPS, PAST, Poses

Filler = Callable[[Poses, Tensor], tuple[Tensor, Tensor]]
LENGTH, EVERY, CHUNK = 65, 40, 64


def zero_velocity(poses: Poses, keys: Tensor) -> tuple[Tensor, Tensor]:
    """The last pose before the gap, held."""
    return poses.rotations[:, [PAST - 1]].expand_as(poses.rotations), poses.locations[:, [PAST - 1]].expand_as(
        poses.locations
    )


def interpolation(poses: Poses, keys: Tensor) -> tuple[Tensor, Tensor]:
    """SLERP of local rotations, straight lines for the root."""
    gap = baseline.gaps(keys)
    return baseline.slerp(poses.rotations, gap), baseline.lerp(poses.locations, gap)


def network_filler(net: TokenLSTM) -> Filler:
    """The network over the plain interpolation; it sees the keyed rows only."""

    def fill(poses: Poses, keys: Tensor) -> tuple[Tensor, Tensor]:
        moves = keys.clone()
        moves[..., 1:] = True
        between = tokens.between(
            poses.rotations, poses.locations, keys, moves, tokens.Rig(poses.parents, poses.offsets)
        )
        return between.poses(net(between.features, poses.parents)[0])

    return fill


def believed_filler(net: TokenLSTM) -> Filler:
    """The network as far as it is believed, as the in-between job has it."""
    actor = blend.Actor(net, blend.shipped(next(net.parameters()).device))

    def fill(poses: Poses, keys: Tensor) -> tuple[Tensor, Tensor]:
        moves = keys.clone()
        moves[..., 1:] = True
        rig = tokens.Rig(poses.parents, poses.offsets)
        return blend.fill(actor, poses.rotations, poses.locations, keys, moves, rig)

    return fill


def job_filler() -> Filler:
    """What the in-between job does with the shipped network, all of it."""
    return finished(believed_filler(training.load(training.WEIGHTS / "inbetween")[0]))


def finished(fill: Filler) -> Filler:
    """The same with the capture's tremor carried on, and feet that step and are held where they come to rest, as the
    in-between job does unless told not to; Y up."""

    def finish(poses: Poses, keys: Tensor) -> tuple[Tensor, Tensor]:
        rotations, locations = fill(poses, keys)
        made = [
            _with_feet(q, p, offset, poses.parents, given, seed)
            for seed, (q, p, offset, given) in enumerate(zip(rotations, locations, poses.offsets, keys, strict=True))
        ]
        return torch.stack([q for q, _ in made]), torch.stack([p for _, p in made])

    return finish


def _with_feet(
    rotations: Tensor, locations: Tensor, offset: Tensor, parents: list[int], keys: Tensor, seed: int
) -> tuple[Tensor, Tensor]:
    """Of one window, (T, J, ·)."""
    size = float(skeleton.reach(offset[None], parents))
    ground = contacts.Ground(parents, offset.norm(dim=-1).tolist(), list(range(len(parents))), 1, size, windows.FPS)
    feet = contacts.low_ends(skeleton.fk(rotations, locations, offset, parents)[1], ground)
    rotations, locations = footing.step(rotations, locations, offset, ground, feet, keys[:, feet])
    rotations = grain.carry_on(rotations, keys, seed)
    at = skeleton.fk(rotations, locations, offset, parents)[1]
    for foot in contacts.find_feet(at, ground, []):
        rest = contacts.find_contacts(at, ground, [foot])[:, 0]
        move = contacts.offsets(at[:, foot], rest, keys[:, foot], ground)
        rotations, locations = contacts.hold(rotations, locations, offset, ground, foot, move)
    return rotations, locations


@torch.no_grad()
def score(poses: Poses, fill: Filler, spread: Tensor) -> dict[str, float]:
    """L2Q, L2P and NPSS of a filler on protocol windows, names as l2q_30."""
    truth, places = poses.fk()
    truth = quat.continuous(truth)
    out: dict[str, float] = {}
    for gap in GAPS:
        end, parts = PAST + gap, []
        for i in range(0, len(truth), CHUNK):
            part = Poses(
                poses.rotations[i : i + CHUNK, : end + 1],
                poses.locations[i : i + CHUNK, : end + 1],
                poses.offsets[i : i + CHUNK],
                poses.parents,
            )
            keys = torch.ones(part.rotations.shape[:3], dtype=torch.bool)
            keys[:, PAST:end] = False
            rotations, locations = fill(part, keys)
            parts.append(skeleton.fk(rotations, locations, part.offsets[:, None], part.parents))
        made = metrics.align(truth[:, : end + 1], torch.cat([p[0] for p in parts]))[:, PAST:end]
        at = torch.cat([p[1] for p in parts])[:, PAST:end]
        out[f"l2q_{gap}"] = metrics.l2q(truth[:, PAST:end], made)
        out[f"l2p_{gap}"] = metrics.l2p(places[:, PAST:end], at, spread)
        out[f"npss_{gap}"] = metrics.npss(truth[:, PAST:end].flatten(2), made.flatten(2))
    return out


def ratios(scores: dict[str, float], base: dict[str, float]) -> dict[str, float]:
    """Scores over the baseline's: below 1 is better."""
    return {name: round(value / base[name], 4) for name, value in scores.items()}


def line(scores: dict[str, float]) -> str:
    """Scores by name in one line."""
    return " ".join(f"{name} {value:.3f}" for name, value in scores.items())


def inbetween_ratios(net: TokenLSTM, poses: Poses, spread: Tensor) -> dict[str, float]:
    """The network's scores over SLERP's."""
    return ratios(score(poses, network_filler(net), spread), score(poses, interpolation, spread))


def protocol_data(mocap: Mocap) -> Poses:
    """The LaFAN1 protocol's test windows."""
    return windows.protocol_windows(mocap, LENGTH, EVERY)


OBSERVED, PLAYED = 10, 25  # rows at 60 frames a second


def prediction_windows(mocap: Mocap) -> Poses:
    """The CMU prediction protocol's windows at 60 frames a second: 8 of each clip, 10 rows seen, 25 to predict."""
    step = max(1, round(mocap.fps / 60.0))
    random, rotations, roots, offsets = np.random.RandomState(1234567890), [], [], []
    for take in mocap.takes:
        turns, root = take.rotations[::step], take.root[::step]
        if len(root) <= 75:
            continue
        for start in random.randint(0, len(root) - 75, 8):
            rows = slice(start + 40, start + 40 + OBSERVED + PLAYED)
            rotations.append(turns[rows])
            roots.append(root[rows])
            offsets.append(take.offsets)
    q, p = torch.as_tensor(np.stack(rotations)), torch.as_tensor(np.stack(roots))
    return Poses(q, windows.at_root(p, q.shape[2]), torch.as_tensor(np.stack(offsets)), mocap.parents)


Player = Callable[[Poses], Tensor]


def stand_still(seen: Poses) -> Tensor:
    """Zero velocity: the last pose, 25 times."""
    return seen.rotations[:, -1:].expand(-1, PLAYED, -1, -1)


def _turns(seen: Poses) -> Tensor:
    """Which joints turn at all, 1 or 0 in (1, 1, J, 1)."""
    return (seen.rotations != seen.rotations[:, :1]).any(-1).flatten(0, 1).any(0).float()[None, None, :, None]


def network_player(pair: unroll.Pair, fps: float = 60.0) -> Player:
    """The networks, all rows at once; a root that never moves is left where it is."""

    def play(seen: Poses) -> Tensor:
        turns = _turns(seen)
        moves = seen.locations.abs().amax((0, 1, 3)).gt(0).float()[None, None, :, None]
        rig = tokens.Rig(seen.parents, seen.offsets)
        free = tokens.Free(turns, moves)
        return unroll.ahead_of(pair, seen.rotations, seen.locations, free, rig, PLAYED, fps)[0]

    return play


def glance_player(glance: outlook.Outlook, fps: float = 60.0) -> Player:
    """The glance at the pose alone."""

    def play(seen: Poses) -> Tensor:
        rig = tokens.Rig(seen.parents, seen.offsets)
        return outlook.look(glance, seen.rotations, seen.locations, _turns(seen), rig, fps)

    return play


def shipped_players(net: TokenLSTM) -> dict[str, Player]:
    """What playing on is scored beside: the baselines, each network alone, both as the job has them."""
    pair = unroll.shipped(net)
    assert pair.glance
    return {
        "zero velocity": stand_still,
        "damped velocity": coast,
        "LSTM alone": network_player(unroll.Pair(net)),
        "glance alone": glance_player(pair.glance),
        "ours": network_player(pair),
    }


@torch.no_grad()
def score_prediction(poses: Poses, play: Player) -> dict[str, float]:
    """Mean angle error and L2Q (local rotations, root left out) at the protocol's rows, names as angle_25."""
    seen = Poses(poses.rotations[:, :OBSERVED], poses.locations[:, :OBSERVED], poses.offsets, poses.parents)
    truth, made = poses.rotations[:, OBSERVED:, 1:], play(seen)[:, :, 1:]
    error = metrics.angle_error(truth, made)
    turned = (truth - metrics.align(truth, made)).flatten(2).norm(dim=-1).mean(0)
    scores = {f"angle_{h}": float(error[h - 1]) for h in metrics.HORIZONS}
    return scores | {f"l2q_{h}": float(turned[h - 1]) for h in metrics.HORIZONS}


def extrapolate_ratios(net: TokenLSTM, poses: Poses) -> dict[str, float]:
    """The LSTM's prediction scores over those of standing still."""
    return ratios(score_prediction(poses, network_player(unroll.Pair(net))), score_prediction(poses, stand_still))


@torch.no_grad()
def naturalness(poses: Poses, fill: Filler) -> dict[str, float]:
    """Within gaps of 30 frames, over the truth's (1 is best): jerk, the speed of the joints that truly rest (skate), and
    that of joints near the ground by the motion's own account (slide)."""
    end, gap = PAST + 31, slice(PAST, PAST + 30)
    part = Poses(poses.rotations[:, :end], poses.locations[:, :end], poses.offsets, poses.parents)
    keys = torch.ones(part.rotations.shape[:3], dtype=torch.bool)
    keys[:, gap] = False
    truth, size = part.fk()[1][:, gap], float(skeleton.reach(poses.offsets, poses.parents).mean())
    made = skeleton.fk(*fill(part, keys), part.offsets[:, None], part.parents)[1][:, gap]
    rest = skeleton.contacts(truth, up=1, scale=size, fps=windows.FPS)
    low = float(truth[..., 1].amin())
    return {
        "jerk": metrics.jerk(made, windows.FPS) / metrics.jerk(truth, windows.FPS),
        "skate": metrics.skate(made, rest, windows.FPS) / max(metrics.skate(truth, rest, windows.FPS), 1e-9),
        "slide": metrics.slide(made, low, size, windows.FPS) / max(metrics.slide(truth, low, size, windows.FPS), 1e-9),
    }


# --- the whole table -------------------------------------------------------------------------------------------------


def smooth(poses: Poses, keys: Tensor) -> tuple[Tensor, Tensor]:
    """The analytic baseline that the artist gets: velocity kept through the keys."""
    gap = baseline.gaps(keys)
    return baseline.smooth_rotations(poses.rotations, gap), baseline.smooth(poses.locations, gap)


def coast(seen: Poses) -> Tensor:
    """Damped velocity: the last row's, dying away."""
    free = torch.ones(len(seen.parents))
    return torch.stack([baseline.coast_rotations(q, free, PLAYED, 60.0) for q in seen.rotations])


def table(mocap: Mocap, spread: Tensor | None) -> dict[str, dict[str, dict[str, float]]]:
    """All models on a collection. spread: standard deviations (J, 3) of the training positions, else the file's own."""
    poses, prediction = protocol_data(mocap), prediction_windows(mocap)
    if spread is None or len(spread) != len(mocap.parents):
        spread = windows.deviation(mocap)
    between, ahead = (training.load(training.WEIGHTS / name)[0] for name in ("inbetween", "extrapolate"))
    fillers = {
        "zero velocity": zero_velocity,
        "SLERP": interpolation,
        "smooth": smooth,
        "network alone": network_filler(between),
        "ours": job_filler(),
    }
    return {
        "inbetween": {name: score(poses, fill, spread) for name, fill in fillers.items()},
        "over truth": {name: naturalness(poses, fill) for name, fill in fillers.items()},
        "extrapolate": {name: score_prediction(prediction, play) for name, play in shipped_players(ahead).items()},
    }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `bench motion`."""
    parser.add_argument(
        "--data", type=Path, required=True, help="motion to score on (.npz), or a folder with cmu_dev.npz"
    )
    parser.add_argument("--json", type=Path, help="also write the scores to this file")


def main(args: argparse.Namespace) -> int:
    """Score the shipped networks and the baselines; print scores, and ratios to SLERP and to zero velocity."""
    torch.set_num_threads(device.best_thread_count())
    spread = torch.tensor(training.load(training.WEIGHTS / "inbetween")[1]["position_deviation"])
    path = args.data / "cmu_dev.npz" if args.data.is_dir() else args.data
    scores = table(read_mocap(path), spread)
    for kind, base in (("inbetween", "SLERP"), ("extrapolate", "zero velocity")):
        names = list(scores[kind][base])
        print(f"\n{kind:28}" + "".join(f"{name:>10}" for name in names))
        for model, row in scores[kind].items():
            print(f"{model:28}" + "".join(f"{row[name]:10.4f}" for name in names))
        print(
            f"{'ours / ' + base:28}"
            + "".join(f"{x:10.3f}" for x in ratios(scores[kind]["ours"], scores[kind][base]).values())
        )
    for model, row in scores["over truth"].items():
        print(f"{model:28} over the truth's, n = 30: {line(row)}")
    if args.json:
        job_folder.write_json(args.json, scores)
    return 0
