"""Train how far the in-betweening network is believed (blend.py), on captured motion, on the same at other speeds and on other
rigs, and on rigs and motion by formula that the network was not trained on. The network itself stays as it is.

    python -m engine train blend --data cmu_train.npz --out weights/blend

Deterministic by seed on one machine; started again, it makes its batches anew and goes on from its last checkpoint.
Half of what is scored is what it must not spoil; what it must help is scored against SLERP, and more so where it is worse.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import skeleton
from engine.clips import read_mocap
from engine.motion import augment, blend, metrics, ranks, synthetic, tokens, training
from engine.motion.windows import Poses

BATCH, LONGEST = 8, 75  # windows of one rig, rows
MADE_UP, HURRIED = 0.56, 0.06  # of the batches: by formula, captured motion at 1.4 to 2.5 times its speed
WEIGHTS = (1.0, 0.8, 0.25)  # of rotations, positions, spectra
BLUR = 0.25  # of a feature's deviation: noise, so that what was never seen is not taken for what was
SAFE = 0.94  # of SLERP's error, from which on it counts more


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    training.add_run(parser)
    parser.add_argument("--network", type=Path, default=training.WEIGHTS / "inbetween", help="weights, without suffix")
    parser.add_argument("--batches", type=int, default=500, help="how many batches are made; all are kept in memory")
    parser.add_argument("--rigs", type=int, default=160, help="how many rigs by formula")
    parser.add_argument("--worse", type=float, default=2.0, help="how much more an error counts near SLERP's and above")
    parser.set_defaults(steps=2400, every=200)


@dataclass(frozen=True)
class Lesson:
    """A batch: what a blend is made of, the truth, the positions' deviations, rows to fill (T,) bool; the errors (3,) to be
    measured by; whether it is motion that the network knows; how much more an error near SLERP's counts."""

    parts: blend.Parts
    truth: Tensor
    places: Tensor
    spread: Tensor
    rows: Tensor
    scale: Tensor
    known: bool
    worse: float

    def errors(self, shares: Tensor) -> Tensor:
        """(3,): of global rotations and of positions in deviations, as norms over all joints, means over rows and windows; of
        the power spectra of rotations: L2Q, L2P, NPSS."""
        rig = self.parts.between.rig
        made, at = skeleton.fk(*self.parts.poses(shares), rig.offsets[:, None], rig.parents)
        truth, made = self.truth[:, self.rows], metrics.align(self.truth, made)[:, self.rows]
        move = (at - self.places)[:, self.rows] / self.spread
        of = [v.square().sum((2, 3)).add(1e-8).sqrt().mean() for v in (made - truth, move)]
        return torch.stack([*of, spectral(truth.flatten(2), made.flatten(2))])

    def loss(self, shares: Tensor) -> Tensor:
        """How bad shares are: of the plain interpolation's error, of motion that the network knows, of the network's own."""
        weights = tokens.constant(WEIGHTS, (shares.dtype, shares.device))
        of = self.errors(shares) / self.scale
        return (weights * (2.0 * of if self.known else of + self.worse * (of - SAFE).relu())).sum()


def spectral(truth: Tensor, made: Tensor) -> Tensor:
    """NPSS of sequences (B, T, D), with slopes."""
    true, own = (torch.fft.fft(x, dim=1).real.square() for x in (truth, made))
    total = true.sum(1)
    far = (own / own.sum(1, keepdim=True).clamp_min(1e-6) - true / total[:, None].clamp_min(1e-6)).cumsum(1)
    return (far.abs().sum(1) * total).sum() / total.sum().clamp_min(1e-6)


def deviation(places: Tensor) -> Tensor:
    """The standard deviation (J, 3) of positions (B, T, J, 3) about each window's mean place, as L2P counts them."""
    spread = (places - places[:, :, :1].mean(1, keepdim=True) * places.new_tensor([1.0, 0.0, 1.0])).std((0, 1))
    return spread.clamp_min(0.1 * float(spread.mean()) + 1e-6)


def lesson(
    net: training.TokenLSTM, poses: Poses, plan: augment.Plan, rng: np.random.Generator, known: bool, worse: float
) -> Lesson:
    """A batch of poses with keys as the plan has them."""
    rig = augment.rig_of(poses, rng) if rng.random() < 0.5 else tokens.Rig(poses.parents, poses.offsets)
    with torch.no_grad():
        parts = blend.parts(net, poses.rotations, poses.locations, *augment.keys(plan, poses, rng), rig)
        truth, places = poses.fk()
        free = (parts.between.turn_weight > 0) | (parts.between.move_weight > 0)
        made = Lesson(parts, truth, places, deviation(places), free.any(2).any(0), torch.ones(3), known, worse)
        shares = torch.tensor(blend.ALL if known else (0.0,) * blend.SHARES)
        scale = made.errors(shares) + torch.tensor([0.02, 0.04, 0.0005])
    return replace(made, scale=scale)


def lessons(
    net: training.TokenLSTM, args: argparse.Namespace, where: torch.device, rng: np.random.Generator
) -> list[Lesson]:
    """All batches; several processes share them out."""
    captured = augment.source(read_mocap(args.data), args.apart)
    made_up = synthetic.sources(args.rigs, args.seed + 1, where)
    out: list[Lesson] = []
    while len(out) < args.batches / ranks.count():
        plan, kind = augment.plan(rng), rng.random()
        if plan.frames > LONGEST:
            continue
        if kind < MADE_UP:
            fps = tokens.SECOND / math.exp(rng.uniform(0.0, 0.9))
            poses = augment.sample(made_up[int(rng.integers(len(made_up)))], BATCH, plan.frames, rng, fps)
        else:
            hurried = kind < MADE_UP + HURRIED
            fps = tokens.SECOND / (rng.uniform(1.4, 2.5) if hurried else 1.0)
            poses = augment.sample(captured, BATCH, plan.frames, rng, fps)
            poses = augment.vary_rig(poses, rng) if hurried or rng.random() < 0.5 else poses
        out.append(lesson(net, poses, plan, rng, kind >= MADE_UP + HURRIED, args.worse))
    return out


def blurred(features: Tensor, net: blend.Blend) -> Tensor:
    """Features (B, T, J, ·) off by the same for all rows of a window."""
    return features + BLUR * net.deviation * torch.randn(len(features), 1, 1, features.shape[-1])


def begun(every: list[Lesson]) -> blend.Blend:
    """A blend that knows what its features are like."""
    net = blend.Blend(blend.BlendParams())
    seen = torch.cat([x.parts.features[:, x.rows].flatten(0, 2)[::17] for x in every])
    net.mean.copy_(seen.mean(0))
    net.deviation.copy_(seen.std(0).clamp_min(0.05))
    ranks.alike(net)
    return net


def main(args: argparse.Namespace) -> int:
    """Train, with a checkpoint and a line every `--every` steps; write the mean of the weights."""
    where = training.prepare(args)
    rng = np.random.default_rng([args.seed, ranks.own()])
    every = lessons(training.load(args.network)[0].to(where), args, where, rng)
    net = begun(every)
    mean, optimizer = training.Average(net, 0.995), training.optimizer_for(net, args.rate, 0.05)
    parts: training.Parts = {"network": net, "mean": mean.network, "optimizer": optimizer}

    def draw() -> list[tuple[Tensor, Lesson]]:
        picked = [every[int(i)] for i in rng.integers(len(every), size=2)]
        return [(blurred(x.parts.features, net), x) for x in picked]

    run = training.resume(args.out, parts, blend.BlendParams)
    for _ in range(run.step):
        draw()  # again, so that it goes on with what it would have had
    pace = training.Pace(args, run)
    while not pace.stop:
        optimizer.param_groups[0]["lr"] = training.rate(pace.step, pace.done, args.rate)
        loss = torch.stack([x.loss(net(seen)) for seen, x in draw()]).mean()
        training.descend(net, optimizer, loss, 1.0)
        mean.update(net, pace.step)
        if pace.tick(loss):
            pace.record(parts, net.params, {})
    facts = {"data": args.data.name, "network": args.network.name} | {
        name: getattr(args, name) for name in ("batches", "rigs", "rate", "worse", "seed")
    }
    training.finish(args.out, mean, run, facts, torch.float32)
    return 0
