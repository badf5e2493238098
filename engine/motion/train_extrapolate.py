"""Train the extrapolation network: a forward LSTM over joint tokens that plays a motion on, one frame after another.

    python -m engine train extrapolate --data cmu_train.npz --dev cmu_dev.npz --out weights/extrapolate

It is trained on its own unrolled output. Reads top to bottom. Deterministic by seed on one machine; started again, it
goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
from torch import Tensor

from engine import device
from engine.clips import read_mocap
from engine.motion import augment, bench, metrics, tokens, training
from engine.motion.networks import Params, TokenLSTM
from engine.motion.unroll import unroll

CONTEXT = (4, 24)  # frames seen before the network plays on
AHEAD = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `train extrapolate`."""
    training.add_arguments(parser)
    parser.set_defaults(steps=1500, batch=24, body=128, every=100)


def error(made: tokens.Stance, truth: tokens.Stance, size: Tensor) -> Tensor:
    """For each frame (T,): the norms over all joints of local and global rotations and of positions, batch mean."""
    local = (metrics.align(truth.rotations, made.rotations) - truth.rotations).square().sum((2, 3))
    turned = (metrics.align(truth.turned, made.turned) - truth.turned).square().sum((2, 3))
    places = ((made.positions - truth.positions) / size).square().sum((2, 3))
    return (local + 1e-6).sqrt().mean(0) + 0.5 * (turned + 1e-6).sqrt().mean(0) + (places + 1e-6).sqrt().mean(0)


def liveliness(made: tokens.Stance, truth: tokens.Stance) -> Tensor:
    """How far each joint's mean speed is from the true one: the mean of many futures is slow, a motion must not be."""
    made_speed, speed = (x.spin.square().sum(-1).add(1e-8).sqrt().mean(1) for x in (made, truth))
    return ((made_speed - speed).abs().mean(1) / (speed.mean(1) + 0.01)).mean()


def step_network(net: TokenLSTM, data: augment.Source, batch: int, rng: np.random.Generator) -> Tensor:
    """The loss of one random batch: errors as a share of those of standing still."""
    context = int(rng.integers(*CONTEXT))
    poses = augment.vary_rig(augment.sample(data, batch, context + AHEAD, rng), rng)
    rig = tokens.Rig(poses.parents, poses.offsets)
    truth = tokens.stances(poses.rotations, poses.locations, rig)
    moves = (poses.locations.abs().amax((1, 3), keepdim=True) > 0).float()
    free = tokens.Free(torch.ones_like(moves), moves)
    made = unroll(net, truth.rows(0, context), free, rig, AHEAD)
    future = truth.rows(context, context + AHEAD)
    with torch.no_grad():
        still = error(truth.rows(context - 1, context), future, rig.size())
    return (error(made, future, rig.size()) / (still + 0.1)).mean() + 0.03 * liveliness(made, future)


def main(args: argparse.Namespace) -> int:
    """Train, with a checkpoint and a line of scores every `--every` steps."""
    torch.set_num_threads(args.threads)
    torch.set_default_device(device.choose(args.device))
    torch.manual_seed(args.seed)
    data = augment.source(read_mocap(args.data))
    dev = bench.prediction_windows(read_mocap(args.dev)) if args.dev else None
    params = Params(
        tokens.AHEAD_FEATURES, tokens.AHEAD_OUTPUTS, args.joint, args.body, slots=8, layers=2, both_ways=False
    )
    net = TokenLSTM(params)
    mean = training.Average(net, 0.995)
    optimizer = torch.optim.AdamW(net.parameters(), lr=args.rate, betas=(0.9, 0.98), weight_decay=0.02)
    run = training.resume(args.out, net, mean, optimizer)
    began, losses = time.monotonic() - run.seconds, []
    for step in range(run.step, args.steps):
        optimizer.param_groups[0]["lr"] = training.rate(step, args.steps, args.rate, warm=20)
        with training.plain_lstm():
            loss = step_network(net, data, args.batch, np.random.default_rng([args.seed, step]))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimizer.step()
        mean.update(net, step)
        losses.append(float(loss.detach()))
        if (step + 1) % args.every and step + 1 < args.steps:
            continue
        run.step, run.seconds = step + 1, time.monotonic() - began
        if dev:
            run.scores = bench.extrapolate_ratios(mean.network, dev)
        training.save_run(args.out, net, mean, optimizer, run)
        print(f"step {run.step}, {run.seconds:.0f} s, loss {np.mean(losses):.4f}  {bench.line(run.scores)}", flush=True)
        losses = []
    training.finish(
        args.out, mean, run, {"data": args.data.name, "seed": args.seed, "batch": args.batch, "rate": args.rate}
    )
    return 0
