"""Train the extrapolation network: a bidirectional LSTM over joint tokens that bends a coasting motion into what comes next.

    python -m engine train extrapolate --data cmu_train.npz --dev cmu_dev.npz --out weights/extrapolate

It plays a stretch at once, and is trained on stretches that follow stretches of its own. Reads top to bottom.
Deterministic by seed on one machine; started again, it goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import quat, skeleton
from engine.clips import Mocap, read_mocap
from engine.motion import ahead, augment, bench, metrics, prediction, synthetic, tokens, training, unroll
from engine.motion.networks import Params, TokenLSTM
from engine.motion.tokens import Rig
from engine.motion.train_inbetween import held_out
from engine.motion.windows import Poses

CONTEXT, ROWS = 10, 25  # of the benchmark, at 60 rows a second
TOKENS = (CONTEXT + ROWS) * 17
VARIED, JUMPY, ANGLES = 0.5, 0.5, 0.7  # shares of the batches on other rigs, that jump; weight of the Euler angles
SLOPE = 0.05  # at most, of the loss by a number of a rotation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `train extrapolate`."""
    training.add_arguments(parser)
    add_benchmark(parser)
    parser.add_argument("--begin", type=Path, help="weights to begin with, without suffix; sizes are theirs")
    parser.set_defaults(steps=3000, batch=32, body=256, every=250)


def add_benchmark(parser: argparse.ArgumentParser) -> None:
    """The options that have the prediction benchmark's clips learned from."""
    parser.add_argument(
        "--more", type=Path, help="the CMU prediction benchmark's training clips (.npz), learned from too"
    )
    parser.add_argument("--more-apart", nargs="*", default=[], help="clips of --more not to learn from, exact names")


@dataclass(frozen=True)
class Plan:
    """One batch: rows known, rows to play, rows a second, whether it plays a second stretch after its own first."""

    known: int
    rows: int
    fps: float
    again: bool


def plan(rng: np.random.Generator) -> Plan:
    """Three quarters the benchmark's own pattern, the rest as an artist's clip has it."""
    if rng.random() < 0.75:
        return Plan(CONTEXT, ROWS, 60.0, False)
    fps = float(rng.choice([24.0, 30.0, 30.0, 60.0]))
    return Plan(int(rng.integers(3, 30)), int(rng.integers(6, 25)), fps, bool(rng.random() < 0.4))


def jumpy(poses: Poses, known: int, rng: np.random.Generator) -> tuple[Poses, Tensor]:
    """The poses with a few joints that jump for good within the known rows, as raw capture has them; and the known
    rotations (B, known, J, 4), in which others are off for a row or two."""
    dice = augment.Dice(rng, poses.rotations.device)
    batch, frames, joints = poses.rotations.shape[:3]
    rows = torch.arange(frames, device=dice.where)[None, :, None]

    def jumps(share: float) -> tuple[Tensor, Tensor]:
        size = torch.exp(1.2 * dice.normal(batch, 1, joints, 1) - 1.6) * dice.normal(batch, 1, joints, 3)
        at = known - 1 - (dice.uniform(batch, 1, joints).square() * (known - 2)).long()
        return size * (dice.uniform(batch, 1, joints, 1) < share), at

    lasting, since = jumps(0.02)
    brief, at = jumps(0.02)
    stay = 1 + (dice.uniform(batch, 1, joints) < 0.3).long()
    turns = quat.multiply(poses.rotations, quat.exp(lasting * (rows >= since)[..., None]))
    seen = quat.multiply(turns, quat.exp(brief * ((rows >= at) & (rows < at + stay))[..., None]))
    return replace(poses, rotations=turns), seen[:, :known]


def angles(q: Tensor) -> Tensor:
    """Euler angles as metrics.euler has them, with slopes that stay finite where two axes fall together."""
    m = quat.to_matrix(q)
    second = -torch.asin(m[..., 0, 2].clamp(-0.9995, 0.9995))
    first = torch.atan2(m[..., 1, 2], m[..., 2, 2] + 1e-6)
    third = torch.atan2(m[..., 0, 1], m[..., 0, 0] + 1e-6)
    return torch.stack([first, second, third], -1)


def apart(true_q: Tensor, q: Tensor) -> Tensor:
    """How far the Euler angles (B, T, J, 3) are, round the circle."""
    off = angles(true_q) - angles(q)
    return torch.remainder(off + math.pi, 2.0 * math.pi) - math.pi


def error(rotations: Tensor, locations: Tensor, truth: Poses, first: int) -> Tensor:
    """For each row (T,): the norms over all joints of the local turns that part it from the truth's rows from `first`
    on, of global rotations, of positions and of Euler angles, by which the benchmark goes; batch mean."""
    if rotations.requires_grad:
        rotations.register_hook(lambda g: torch.nan_to_num(g).clamp(-SLOPE, SLOPE))
    true_q, true_p = truth.rotations[:, first:], truth.locations[:, first:]
    rows = min(rotations.shape[1], true_q.shape[1])
    q, p, true_q, true_p = rotations[:, :rows], locations[:, :rows], true_q[:, :rows], true_p[:, :rows]
    turned, places = skeleton.fk(q, p, truth.offsets[:, None], truth.parents)
    true_turned, true_places = skeleton.fk(true_q, true_p, truth.offsets[:, None], truth.parents)
    size = Rig(truth.parents, truth.offsets).size()
    local = quat.log(quat.multiply(quat.conjugate(true_q[:, :, 1:]), q[:, :, 1:])).square().sum((2, 3))
    whole = (metrics.align(true_turned, turned) - true_turned).square().sum((2, 3))
    at = ((places - true_places) / size).square().sum((2, 3))
    euler = apart(true_q[:, :, 1:], q[:, :, 1:]).square().sum((2, 3))
    norms = [(x + 1e-6).sqrt().mean(0) for x in (local, euler, whole, at)]
    return norms[0] + ANGLES * norms[1] + 0.5 * norms[2] + norms[3]


def pinned(poses: Poses) -> Poses:
    """The roots held still, as the benchmark has them."""
    first = torch.zeros(poses.rotations.shape[2], 1, device=poses.rotations.device)
    first[:1] = 1.0
    still = torch.zeros_like(poses.rotations)
    still[..., 0] = 1.0
    return Poses(torch.where(first > 0, still, poses.rotations), poses.locations * 0.0, poses.offsets, poses.parents)


def step_network(net: TokenLSTM, data: augment.Source, batch: int, rng: np.random.Generator) -> Tensor:
    """The loss of one random batch: errors as a share of those of standing still."""
    p = plan(rng)
    frames = p.known + p.rows * (2 if p.again else 1)
    count = max(2, round(batch * TOKENS / (frames * len(data.parents))))
    poses = augment.sample(data, count, frames, rng, p.fps)
    poses = augment.vary_rig(poses, rng) if rng.random() < VARIED else poses
    if rng.random() < (0.6 if p.fps == 60.0 else 0.1):
        poses = pinned(poses)
    rig, seen = augment.rig_of(poses, rng), poses.rotations[:, : p.known]
    if rng.random() < JUMPY:
        poses, seen = jumpy(poses, p.known, rng)
    moves = (poses.locations.abs().amax((0, 1, 3)) > 0).float()[None, None, :, None]
    turns = (poses.rotations[..., 1:].abs().amax((0, 1, 3)) > 0).float()[None, None, :, None]
    free = tokens.Free(turns, moves)
    rotations, locations = seen, poses.locations[:, : p.known]
    losses: list[Tensor] = []
    for _ in range(2 if p.again else 1):
        first = rotations.shape[1]
        view = ahead.ahead(rotations[:, -p.known :], locations[:, -p.known :], free, rig, p.rows, p.fps)
        made, at = view.poses(net(view.features, rig.parents)[0])
        with torch.no_grad():
            seen_q, seen_p = seen[:, p.known - 1 : p.known], poses.locations[:, p.known - 1 : p.known]
            still = error(seen_q.expand_as(made), seen_p.expand_as(at), poses, first)
        losses.append((error(made, at, poses, first) / (still + 0.05 * len(data.parents) ** 0.5 / 4)).mean())
        rotations, locations = torch.cat([rotations, made], 1), torch.cat([locations, at], 1)
    return torch.stack(losses).mean()


def tests(args: argparse.Namespace, mocap: Mocap) -> Callable[[TokenLSTM], dict[str, float]]:
    """What scores a network on all that was set aside, over standing still."""
    found = {"": read_mocap(args.dev) if args.dev else None, "apart_": held_out(mocap, args.apart)}
    at = {name: bench.prediction_windows(m) for name, m in found.items() if m}
    published = prediction.windows(args.more, args.more_apart) if args.more and args.more_apart else []
    still = prediction.score(published, bench.stand_still) if published else {}

    def score(net: TokenLSTM) -> dict[str, float]:
        scores = {name + k: v for name, m in at.items() for k, v in bench.extrapolate_ratios(net, m).items()}
        if published:
            own = prediction.score(published, bench.network_player(unroll.Pair(net)))
            scores |= {f"more_{k}": v for k, v in bench.ratios(own, still).items()}
        return scores

    return score


def main(args: argparse.Namespace) -> int:
    """Train, with a checkpoint and a line of scores every `--every` steps."""
    where = training.prepare(args)
    mocap = read_mocap(args.data)
    data = [augment.source(mocap, args.apart)]
    if args.more:
        data.append(augment.source(prediction.without(prediction.read(args.more), args.more_apart)))
    made_up = synthetic.sources(args.rigs if args.synthetic else 0, args.seed, where)
    score = tests(args, mocap)
    sizes = args.joint, args.body, args.slots, args.layers
    net = TokenLSTM(Params(ahead.FEATURES, tokens.STATIC, ahead.OUTPUTS, *sizes, both_ways=True))
    if args.begin:
        net = training.load(args.begin)[0].to(where).train().requires_grad_(True)
    training.set_dropout(net, args.dropout)
    mean = training.Average(net, 0.998)
    optimizer = training.optimizer_for(net, args.rate, args.decay)
    parts: training.Parts = {"network": net, "mean": mean.network, "optimizer": optimizer}
    run = training.resume(args.out, parts)
    pace = training.Pace(args, run)
    while not pace.stop:
        optimizer.param_groups[0]["lr"] = training.rate(pace.step, pace.done, args.rate)
        rng = training.dice(args, pace.step)
        kind = rng.random()
        if made_up and kind < args.synthetic:
            pool = made_up[int(rng.integers(len(made_up)))]
        else:
            pool = data[-1] if kind > 0.5 else data[0]
        with training.plain_lstm():
            loss = step_network(net, pool, args.batch, rng)
        training.descend(net, optimizer, loss)
        mean.update(net, pace.step)
        if pace.tick(loss):
            pace.record(parts, net.params, score(mean.network))
    names = [args.data.name] + ([args.more.name] if args.more else [])
    facts = {"data": " + ".join(names), "seed": args.seed, "batch": args.batch, "rate": args.rate}
    training.finish(args.out, mean, run, facts)
    return 0
