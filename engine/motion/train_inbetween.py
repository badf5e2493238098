"""Train the in-betweening network: a bidirectional LSTM over joint tokens that adds to the plain interpolation.

    python -m engine train inbetween --data cmu_train.npz --dev cmu_dev.npz --out weights/inbetween

Reads top to bottom. Deterministic by seed on one machine; started again, it goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from torch import Tensor

from engine import device, skeleton
from engine.clips import read_mocap
from engine.motion import augment, bench, metrics, tokens, training, windows
from engine.motion.networks import Params, TokenLSTM

TOKENS = 36 * 17  # a window of the benchmark's mean length; batches hold about as many tokens whatever their windows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `train inbetween`."""
    training.add_arguments(parser)
    parser.set_defaults(steps=3000, batch=32, body=256, every=250)


def loss_of(made: Tensor, truth: Tensor, positions: Tensor, places: Tensor, size: Tensor) -> Tensor:
    """What is scored: the norm over all joints of global quaternions and positions (B, T, J, ·), mean over frames."""
    joints = truth.shape[2]
    turn = (metrics.align(truth, made) - truth).square().sum((2, 3)) / joints
    move = ((positions - places) / size).square().sum((2, 3)) / joints
    return (turn + 1e-6).sqrt().mean() + 3.0 * (move + 1e-6).sqrt().mean()


def step_network(net: TokenLSTM, data: augment.Source, batch: int, rng: np.random.Generator) -> Tensor:
    """The loss of one random batch."""
    plan = augment.plan(rng)
    count = max(2, round(batch * TOKENS / (plan.frames * len(data.parents))))
    poses = augment.vary_rig(augment.sample(data, count, plan.frames, rng), rng)
    rig = tokens.Rig(poses.parents, poses.offsets)
    between = tokens.between(poses.rotations, poses.locations, *augment.keys(plan, poses, rng), rig)
    out, _ = net(between.features, poses.parents)
    rotations, locations = between.poses(out)
    made, positions = skeleton.fk(rotations, locations, poses.offsets[:, None], poses.parents)
    free = torch.as_tensor(~plan.rows)
    truth, places = poses.fk()
    with torch.no_grad():  # long gaps must not drown the short ones
        plain, plain_at = skeleton.fk(between.rotations, between.locations, poses.offsets[:, None], poses.parents)
        scale = loss_of(plain[:, free], truth[:, free], plain_at[:, free], places[:, free], rig.size())
    loss = loss_of(made[:, free], truth[:, free], positions[:, free], places[:, free], rig.size())
    return loss / (scale + 0.02)


def main(args: argparse.Namespace) -> int:
    """Train, with a checkpoint and a line of scores every `--every` steps."""
    torch.set_num_threads(args.threads)
    torch.set_default_device(device.choose(args.device))
    torch.manual_seed(args.seed)
    mocap = read_mocap(args.data)
    data, spread = augment.source(mocap), windows.deviation(mocap)
    dev = bench.protocol_data(read_mocap(args.dev)) if args.dev else None
    net = TokenLSTM(
        Params(tokens.BETWEEN_FEATURES, tokens.BETWEEN_OUTPUTS, args.joint, args.body, 8, 2, both_ways=True)
    )
    mean = training.Average(net, 0.997)
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.02)
    run = training.resume(args.out, net, mean, optimizer)
    began, losses = time.monotonic() - run.seconds, []
    for step in range(run.step, args.steps):
        optimizer.param_groups[0]["lr"] = training.rate(step, args.steps, args.rate)
        # A generator of its own for every step: a run that was stopped goes on with the batches it would have had.
        with training.plain_lstm():
            loss = step_network(net, data, args.batch, np.random.default_rng([args.seed, step]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        mean.update(net, step)
        losses.append(float(loss.detach()))
        if (step + 1) % args.every and step + 1 < args.steps:
            continue
        run.step, run.seconds = step + 1, time.monotonic() - began
        if dev:
            run.scores = bench.inbetween_ratios(mean.network, dev, spread)
        training.save_run(args.out, net, mean, optimizer, run)
        print(f"step {run.step}, {run.seconds:.0f} s, loss {np.mean(losses):.4f}  {bench.line(run.scores)}", flush=True)
        losses = []
    facts = {"data": args.data.name, "seed": args.seed, "batch": args.batch, "rate": args.rate}
    training.finish(args.out, mean, run, facts | {"position_deviation": spread.tolist()})
    return 0
