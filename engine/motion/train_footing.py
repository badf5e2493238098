"""Train the network that tells when feet rest in a gap (footing.py), on what the in-between job makes of captured motion.

    python -m engine train footing --data cmu_train.npz --apart 08_ 10_ 14_ --out weights/footing

Every take counts alike, however long: walks are short and dances long. Takes of --apart are scored and not learned from.
Deterministic by seed on one machine; started again, it makes its batches anew and goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import dataclasses

import numpy as np
import torch
from torch import Tensor, nn

from engine import skeleton
from engine.clips import Mocap, read_mocap
from engine.motion import augment, baseline, blend, footing, ranks, tokens, training
from engine.motion.windows import PAST, Poses

PAIRS = 6  # of windows in a batch, each pair of one take
OTHERWISE = 0.35  # of the batches have keys otherwise than the benchmark: here and there, or before and after
OFF = 0.5  # weight of how far feet are off beside the cross entropy
Item = tuple[Tensor, Tensor, Tensor, Tensor]  # features (B, T, F, C), rest (B, T, F), off (B, T, F, 2), free (B, T, F)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    training.add_run(parser)
    parser.add_argument("--batches", type=int, default=260, help="how many batches are made; all are kept in memory")
    parser.set_defaults(steps=800, rate=4e-3, every=100)


def rows_keyed(rng: np.random.Generator) -> np.ndarray:
    """Which rows of a batch are keyed, (T,) bool."""
    gap = int(rng.integers(6, 50))
    if rng.random() > OTHERWISE:
        return np.array([True] * PAST + [False] * gap + [True])
    if rng.random() < 0.5:
        return np.array([True] * int(rng.integers(1, 14)) + [False] * gap + [True] * int(rng.integers(1, 11)))
    rows = np.zeros(int(rng.integers(30, 60)), bool)
    rows[np.cumsum(rng.integers(4, 25, 16)).clip(max=len(rows) - 1)] = True
    rows[0] = True
    return rows


@torch.no_grad()
def item(takes: list[augment.Source], actor: blend.Actor, rng: np.random.Generator) -> Item:
    """A batch: feet as the job places them before they are held, when they truly rest, how much higher and farther on they
    truly are."""
    rows = rows_keyed(rng)
    found = [augment.sample(takes[int(rng.integers(len(takes)))], 2, len(rows), rng) for _ in range(PAIRS)]
    turns, moves = torch.cat([p.rotations for p in found]), torch.cat([p.locations for p in found])
    poses = Poses(turns, moves, torch.cat([p.offsets for p in found]), found[0].parents)
    keys = augment.upload(rows, poses.rotations.device)[None, :, None].expand(poses.rotations.shape[:3])
    rig = tokens.Rig(poses.parents, poses.offsets)
    made = blend.fill(actor, poses.rotations, poses.locations, keys, keys, rig)
    at, size = (
        skeleton.fk(*made, poses.offsets[:, None], poses.parents)[1],
        skeleton.reach(poses.offsets, poses.parents),
    )
    truth = poses.fk()[1]
    rest = torch.stack([skeleton.contacts(x, 1, float(s), tokens.SECOND) for x, s in zip(truth, size, strict=True)])
    tips = [j for j in range(len(poses.parents)) if j not in poses.parents]
    feet = sorted(sorted(tips, key=lambda j: -float(rest[..., j].float().mean()))[:2])
    seen = footing.features(at[:, :, feet], at.mean(2), at[..., 1].amin(2), keys[..., feet], size, 1)
    way = footing.way_on(at[:, :, feet], baseline.gaps(keys[..., feet]), 1)
    way = way / (way.norm(dim=-1, keepdim=True) + footing.FEW * size[:, None, None, None])
    off = (truth - at)[:, :, feet] / (footing.LIFT * size[:, None, None, None])
    told = torch.stack([off[..., 1], (off * way).sum(-1)], -1)
    return seen, rest[..., feet].float(), told, ~keys[..., feet]


def items(
    mocap: Mocap, names: tuple[str, ...], inside: bool, count: int, rng: np.random.Generator, where: torch.device
) -> list[Item]:
    """`count` batches of the takes whose names begin with one of `names`, or (not inside) of all others."""
    takes = [t for t in mocap.takes if t.name.startswith(names) == inside and len(t.root) > 160]
    sources = [augment.source(dataclasses.replace(mocap, takes=[t])) for t in takes]
    actor = blend.Actor(training.load(training.WEIGHTS / "inbetween")[0].to(where), blend.shipped(where))
    return [item(sources, actor, rng) for _ in range(count)] if takes else []


@torch.no_grad()
def score(net: footing.Footing, every: list[Item]) -> dict[str, float]:
    """Cross entropy, the share of frames told rightly, and the mean error of how far feet are off over that of none."""
    found = torch.cat([net(seen)[free] for seen, _, _, free in every])
    truth = torch.cat([rest[free] for _, rest, _, free in every])
    off = torch.cat([way[free] for _, _, way, free in every])
    entropy = nn.functional.binary_cross_entropy_with_logits(found[:, 0], truth)
    right = ((found[:, 0] > 0) == (truth > 0.5)).float().mean()
    missed = (found[:, 1:] - off).abs().mean() / off.abs().mean()
    return {name: round(float(x), 4) for name, x in (("cross_entropy", entropy), ("right", right), ("off", missed))}


def main(args: argparse.Namespace) -> int:
    """Train, with a checkpoint and a line of scores every `--every` steps; write the mean of the weights."""
    where = training.prepare(args)
    rng, mocap, names = np.random.default_rng([args.seed, ranks.own()]), read_mocap(args.data), tuple(args.apart)
    every = items(mocap, names, False, -(-args.batches // ranks.count()), rng, where)
    apart = items(mocap, names, True, 30, rng, where) if names else []
    torch.manual_seed(args.seed)  # anew: what is loaded above for the first time has drawn from it
    net = footing.Footing(footing.FootingParams())
    mean, optimizer = training.Average(net, 0.98), training.optimizer_for(net, args.rate, 0.1)
    parts: training.Parts = {"network": net, "mean": mean.network, "optimizer": optimizer}

    def draw() -> tuple[Tensor, Item]:
        item_ = every[int(rng.integers(len(every)))]
        return nn.functional.dropout(item_[0], 0.1) * 0.9, item_

    run = training.resume(args.out, parts, footing.FootingParams)
    for _ in range(run.step):
        draw()  # again, so that it goes on with what it would have had
    pace = training.Pace(args, run)
    while not pace.stop:
        optimizer.param_groups[0]["lr"] = training.rate(pace.step, pace.done, args.rate, 30)
        seen, (_, rest, off, free) = draw()
        with training.plain_lstm():
            told = net(seen)[free]
            loss = nn.functional.binary_cross_entropy_with_logits(told[:, 0], rest[free])
            loss = loss + OFF * nn.functional.smooth_l1_loss(told[:, 1:], off[free], beta=0.5)
        training.descend(net, optimizer, loss, 1.0)
        mean.update(net, pace.step)
        if pace.tick(loss):
            pace.record(parts, net.params, score(mean.network, apart) if apart else {})
    facts = {"data": args.data.name, "scored on": args.apart}
    facts |= {name: getattr(args, name) for name in ("batches", "rate", "seed")}
    training.finish(args.out, mean, run, facts, torch.float32)
    return 0
