"""Train the in-betweening network: a bidirectional LSTM over joint tokens that adds to the plain interpolation.

    python -m engine train inbetween --data cmu_train.npz --dev cmu_dev.npz --out weights/inbetween

Reads top to bottom. Deterministic by seed on one machine; started again, it goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine import skeleton
from engine.clips import Mocap, read_mocap
from engine.motion import augment, bench, critics, metrics, prediction, synthetic, tokens, training, windows
from engine.motion.networks import Params, TokenLSTM

TOKENS = 36 * 17  # a window of the benchmark's mean length; batches hold about as many tokens whatever their windows

MORE = 0.25  # of the batches of captured motion are of the second file, where there is one


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `train inbetween`."""
    training.add_arguments(parser)
    parser.add_argument("--more", type=Path, help="the CMU prediction benchmark's clips (.npz), learned from too")
    parser.add_argument("--more-apart", nargs="*", default=[], help="clips of --more not to learn from, exact names")
    parser.add_argument("--begin", type=Path, help="weights to begin with, without suffix; sizes are theirs")
    parser.add_argument("--contact", type=float, default=0.1, help="weight of the speed of feet that truly rest")
    parser.add_argument("--natural", type=float, default=0.01, help="weight of the jerk's distance from the truth's")
    parser.add_argument("--critics", type=float, default=0.0, help="weight of the adversaries; 0 leaves them out")
    parser.set_defaults(steps=3000, batch=32, body=256, every=250, slots=8)


@dataclass(frozen=True)
class Filled:
    """A batch: the true and the made motion, global rotations (B, T, J, 4), positions (B, T, J, 3); the plain
    interpolation; rows (R,) to fill, and the span that they lie in; dense: captured motion lies
    before it, whose tremor goes on."""

    truth: Tensor
    places: Tensor
    made: Tensor
    positions: Tensor
    plain: Tensor
    plain_at: Tensor
    rows: Tensor
    span: slice
    dense: bool
    rig: tokens.Rig


def loss_of(made: Tensor, truth: Tensor, positions: Tensor, places: Tensor, size: Tensor) -> Tensor:
    """What is scored: the norm over all joints of global quaternions and positions (B, T, J, ·), mean over frames."""
    joints = truth.shape[2]
    turn = (metrics.align(truth, made) - truth).square().sum((2, 3)) / joints
    move = ((positions - places) / size).square().sum((2, 3)) / joints
    return (turn + 1e-6).sqrt().mean() + 3.0 * (move + 1e-6).sqrt().mean()


def accuracy(x: Filled) -> Tensor:
    """The loss of what was filled, as a share of the plain interpolation's: long gaps must not drown the short ones."""
    truth, places, size = x.truth.index_select(1, x.rows), x.places.index_select(1, x.rows), x.rig.size()

    def of(turned: Tensor, at: Tensor) -> Tensor:
        return loss_of(turned.index_select(1, x.rows), truth, at.index_select(1, x.rows), places, size)

    with torch.no_grad():
        scale = of(x.plain, x.plain_at)
    return of(x.made, x.positions) / (scale + 0.02)


def sliding(x: Filled) -> Tensor:
    """How fast the joints move that truly rest on the ground, in rig sizes a second."""
    with torch.no_grad():
        steps, size = x.places.diff(dim=1) * tokens.SECOND / x.rig.size(), x.rig.size()[..., 0]
        height = x.places[:, 1:, :, 1]
        low = height - height.amin((1, 2), keepdim=True) < 0.08 * size
        rest = ((steps.norm(dim=-1) < 0.15) & low).float()
    speed = (x.positions.diff(dim=1) * tokens.SECOND / x.rig.size())[..., [0, 2]].square().sum(-1).add(1e-6).sqrt()
    return (speed * rest).sum() / (rest.sum() + 1.0)


def liveliness(x: Filled) -> Tensor:
    """How far the mean jerk of each window's joints is from the truth's, as the distance of logarithms."""

    def of(positions: Tensor) -> Tensor:
        jerk = (positions / x.rig.size()).diff(n=3, dim=1).square().sum(-1).add(1e-12).sqrt()
        return (jerk.mean(1) + 1e-4).log()

    return (of(x.positions[:, x.span]) - of(x.places[:, x.span])).abs().mean()


def fill(net: TokenLSTM, data: augment.Source, batch: int, rng: np.random.Generator) -> Filled:
    """A random batch and what the network makes of it."""
    plan = augment.plan(rng)
    count = max(2, round(batch * TOKENS / (plan.frames * len(data.parents))))
    poses = augment.vary_rig(augment.sample(data, count, plan.frames, rng), rng)
    rig, parents = augment.rig_of(poses, rng), poses.parents
    between = tokens.between(poses.rotations, poses.locations, *augment.keys(plan, poses, rng), rig)
    out, _ = net(between.features, parents)
    rotations, locations = between.poses(out)
    made, positions = skeleton.fk(rotations, locations, poses.offsets[:, None], parents)
    truth, places = poses.fk()
    with torch.no_grad():
        plain, plain_at = skeleton.fk(between.rotations, between.locations, poses.offsets[:, None], parents)
    free = np.flatnonzero(~plan.rows)
    rows = augment.upload(free, truth.device)
    return Filled(
        truth, places, made, positions, plain, plain_at, rows, slice(free.min(), free.max() + 1), plan.dense, rig
    )


def step_network(x: Filled, args: argparse.Namespace, judges: nn.ModuleList, real: bool) -> Tensor:
    """The loss of one batch; real: of captured motion, which has feet and is natural."""
    loss = accuracy(x)
    if real:
        loss = loss + args.contact * sliding(x)
    if real and x.dense and len(x.rows) > 4:
        loss = loss + args.natural * liveliness(x)
        if args.critics:
            loss = loss + args.critics * critics.please(
                judges, critics.seen(x.made, x.positions, x.rig), x.rig.parents, x.rows
            )
    return loss


def step_critics(x: Filled, judges: nn.ModuleList) -> Tensor:
    """The critics' loss of the same batch."""
    with torch.no_grad():
        real, made = critics.seen(x.truth, x.places, x.rig), critics.seen(x.made, x.positions, x.rig)
    return critics.judge(judges, real, made, x.rig.parents, x.rows)


def held_out(mocap: Mocap, apart: list[str]) -> Mocap | None:
    """The takes of `apart` alone."""
    return (
        dataclasses.replace(mocap, takes=[t for t in mocap.takes if t.name.startswith(tuple(apart))]) if apart else None
    )


def main(args: argparse.Namespace, make: Callable[[Params], TokenLSTM] = TokenLSTM) -> int:
    """Train what `make` makes, with a checkpoint and a line of scores every `--every` steps."""
    where = training.prepare(args)
    mocap = read_mocap(args.data)
    data, spread = [augment.source(mocap, args.apart)], windows.deviation(mocap)
    if args.more:
        data.append(augment.source(prediction.without(prediction.read(args.more), args.more_apart)))
    made_up = synthetic.sources(args.rigs if args.synthetic else 0, args.seed, where)
    tests = {"": read_mocap(args.dev) if args.dev else None, "apart_": held_out(mocap, args.apart)}
    tests_at = {name: bench.protocol_data(m) for name, m in tests.items() if m}
    # Told apart by their rest pose as well, joints came out no nearer here: .869 for .868.
    sizes = args.joint, args.body, args.slots, args.layers
    net = make(Params(tokens.BETWEEN_FEATURES, 0, tokens.BETWEEN_OUTPUTS, *sizes, both_ways=True))
    if args.begin:
        net = training.load(args.begin)[0].to(where).train().requires_grad_(True)
    training.set_dropout(net, args.dropout)
    judges = nn.ModuleList(critics.Critic(64, d) for d in (critics.SHORT, critics.LONG))
    mean = training.Average(net, 0.998)
    optimizer = training.optimizer_for(net, args.rate, args.decay)
    rival = training.optimizer_for(judges, args.rate, 0.0)
    parts: training.Parts = {"network": net, "mean": mean.network, "optimizer": optimizer}
    if args.critics:
        parts |= {"critics": judges, "rival": rival}
    run = training.resume(args.out, parts)
    pace = training.Pace(args, run)
    while not pace.stop:
        optimizer.param_groups[0]["lr"] = training.rate(pace.step, pace.done, args.rate)
        rng = training.dice(args, pace.step)
        real = not made_up or rng.random() >= args.synthetic
        pool = data[-1 if rng.random() < MORE else 0] if real else made_up[int(rng.integers(len(made_up)))]
        with training.plain_lstm():
            batch = fill(net, pool, args.batch, rng)
            loss = step_network(batch, args, judges, real)
        training.descend(net, optimizer, loss, 1.0)
        mean.update(net, pace.step)
        if args.critics:
            training.descend(judges, rival, step_critics(batch, judges) if real and batch.dense else None, math.inf)
        if pace.tick(loss):
            scores = {
                name + k: v
                for name, poses in tests_at.items()
                for k, v in bench.inbetween_ratios(mean.network, poses, spread).items()
            }
            pace.record(parts, net.params, scores)
    facts = {"data": args.data.name, "seed": args.seed, "batch": args.batch, "rate": args.rate}
    training.finish(args.out, mean, run, facts | {"position_deviation": spread.tolist()})
    return 0
