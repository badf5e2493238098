"""Train the glance that tells where a motion is bound for (outlook.py), the extrapolation's second network.

    python -m engine train outlook --data cmu_train.npz --more cmu_prediction_train.npz --dev cmu_dev.npz --out weights/outlook

Minutes on one core. Reads top to bottom. Deterministic by seed on one machine; started again, it goes on from its last
checkpoint.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from engine import quat
from engine.clips import read_mocap
from engine.motion import augment, bench, outlook, prediction, synthetic, tokens, training
from engine.motion import train_extrapolate as stretch
from engine.motion.outlook import KNOWN, ROWS, Outlook, OutlookParams
from engine.motion.windows import Poses

BODY = 17  # joints of the rig that a batch's size is meant for
MORE = 0.35  # share of the batches that are of --more
USUAL, VARIED, RESTED, PINNED, JUMPY = 0.8, 0.25, 0.2, 0.5, 0.25  # at 60 rows a second; on other rigs; …
ANGLES = 0.7  # weight of the Euler angles
LATE = 0.4, 1.6  # weights of the first row and of the last


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    training.add_arguments(parser)
    stretch.add_benchmark(parser)
    parser.set_defaults(steps=1300, batch=128, rigs=12, synthetic=0.06, every=100)
    parser.set_defaults(**dataclasses.asdict(OutlookParams()))


def rested(poses: Poses, rng: np.random.Generator) -> Poses:
    """The same motion of rigs that rest otherwise: in a pose of another window of the batch."""
    turned, _ = poses.fk()
    rig, row = tokens.Rig(poses.parents, poses.offsets), int(rng.integers(0, turned.shape[1]))
    other = torch.from_numpy(rng.permutation(len(turned))).to(turned.device)
    frame = tokens.heading(turned[:, row : row + 1], rig).expand(-1, 1, turned.shape[2], -1)
    rest = quat.multiply(frame, turned[:, row : row + 1])[other]
    whole = quat.multiply(turned, quat.conjugate(rest).expand_as(turned))
    over, root = rig.above(turned)
    local = quat.multiply(quat.conjugate(whole.index_select(2, over)), whole)
    offsets = quat.rotate(rest.index_select(2, over)[:, 0], poses.offsets)
    return dataclasses.replace(
        poses, rotations=torch.where(root, whole, local), offsets=torch.where(root, poses.offsets, offsets)
    )


def step_network(net: Outlook, pool: augment.Source, batch: int, rng: np.random.Generator) -> Tensor:
    """The loss of one random batch: errors as a share of those of standing still, late rows more than early ones."""
    fps = 60.0 if rng.random() < USUAL else float(rng.choice([24.0, 30.0, 30.0]))
    poses = augment.sample(pool, max(8, round(batch * BODY / len(pool.parents))), KNOWN + ROWS, rng, fps)
    poses = augment.vary_rig(poses, rng) if rng.random() < VARIED else poses
    poses = rested(poses, rng) if rng.random() < RESTED else poses
    poses = stretch.pinned(poses) if rng.random() < PINNED else poses
    rig, seen = augment.rig_of(poses, rng), poses.rotations[:, :KNOWN]
    if rng.random() < JUMPY:
        poses, seen = stretch.jumpy(poses, KNOWN, rng)
    turns = (seen != seen[:, :1]).any(-1).flatten(0, 1).any(0).to(seen.dtype)[None, None, :, None]
    made, truth = outlook.look(net, seen, poses.locations[:, :KNOWN], turns, rig, fps), poses.rotations[:, KNOWN:]
    if made.requires_grad:
        made.register_hook(lambda g: torch.nan_to_num(g).clamp(-stretch.SLOPE, stretch.SLOPE))

    def off(q: Tensor) -> Tensor:
        return quat.log(quat.multiply(quat.conjugate(truth), q)).square().sum((2, 3))

    euler = stretch.apart(truth[:, :, 1:], made[:, :, 1:]).square().sum((2, 3))
    error = (off(made) + 1e-6).sqrt().mean(0) + ANGLES * (euler + 1e-6).sqrt().mean(0)
    still = off(seen[:, -1:].expand_as(truth)).sqrt().mean(0)
    weight = torch.linspace(*LATE, ROWS, device=error.device)
    return (weight * error / ((1.0 + ANGLES) * still + 0.05)).mean()


def tests(args: argparse.Namespace) -> Callable[[Outlook], dict[str, float]]:
    """What scores the glance alone on all that was set aside, over standing still."""
    dev = bench.prediction_windows(read_mocap(args.dev)) if args.dev else None
    more = prediction.windows(args.more, args.more_apart) if args.more and args.more_apart else []
    still = bench.score_prediction(dev, bench.stand_still) if dev else {}
    still_more = prediction.score(more, bench.stand_still) if more else {}

    def score(net: Outlook) -> dict[str, float]:
        player, scores = bench.glance_player(net), dict[str, float]()
        with torch.no_grad():
            if dev:
                scores |= bench.ratios(bench.score_prediction(dev, player), still)
            if more:
                over = bench.ratios(prediction.score(more, player), still_more)
                scores |= {f"more_{name}": value for name, value in over.items()}
        return scores

    return score


def pools(args: argparse.Namespace, where: torch.device) -> tuple[list[augment.Source], Sequence[augment.Source]]:
    """What is learned from: captured motion, the benchmark's last, and motion by formula."""
    data = [augment.source(read_mocap(args.data), args.apart)]
    if args.more:
        data.append(augment.source(prediction.without(prediction.read(args.more), args.more_apart)))
    return data, synthetic.sources(args.rigs if args.synthetic else 0, 0, where)


def main(args: argparse.Namespace) -> int:
    """Train, with a checkpoint and a line of scores every `--every` steps; write the mean of the weights."""
    where = training.prepare(args)
    (data, made_up), score = pools(args, where), tests(args)
    net = Outlook(OutlookParams(args.joint, args.body, args.slots, args.layers))
    mean, optimizer = training.Average(net, 0.995), training.optimizer_for(net, args.rate, args.decay)
    parts: training.Parts = {"network": net, "mean": mean.network, "optimizer": optimizer}
    run = training.resume(args.out, parts, OutlookParams)
    pace = training.Pace(args, run)
    while not pace.stop:
        optimizer.param_groups[0]["lr"] = training.rate(pace.step, pace.done, args.rate, 40)
        rng = training.dice(args, pace.step)
        kind, pool = rng.random(), data[0]
        if made_up and kind < args.synthetic:
            pool = made_up[int(rng.integers(len(made_up)))]
        elif kind > 1.0 - MORE:
            pool = data[-1]
        loss = step_network(net, pool, args.batch, rng)
        training.descend(net, optimizer, loss)
        mean.update(net, pace.step)
        if pace.tick(loss):
            pace.record(parts, net.params, score(mean.network))
    names = [args.data.name] + ([args.more.name] if args.more else [])
    facts = {"data": " + ".join(names), "seed": args.seed, "batch": args.batch, "rate": args.rate}
    training.finish(args.out, mean, run, facts)
    return 0
