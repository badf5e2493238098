"""Other in-betweening networks, trained on the same motion for the same time, to measure the project's against.

    python -m benchmarks.motion_peers NAME --data cmu_train.npz --dev cmu_dev.npz --out FILE --seconds 400

NAME is `fixed`, the bidirectional LSTM over the poses of one skeleton that came first in this project, or `delta`, the
Delta-Interpolator (Oreshkin 2022): a transformer whose keyed poses are attended by those of the interpolation, both
relative to the last known pose, and which says what to add to it. Neither can be used on another rig.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine import device, quat, skeleton
from engine.clips import read_mocap
from engine.motion import augment, baseline, bench, tokens, training, windows
from engine.motion.train_inbetween import Filled, accuracy, held_out
from engine.motion.windows import PAST, Poses

POSE = 9  # numbers a joint: two columns of its rotation matrix, its place


class Fixed(nn.Module):
    """Poses (B, T, C), key flags and times (B, T, 3) → what to add (B, T, 3 J + 3)."""

    def __init__(self, joints: int, width: int = 320) -> None:
        super().__init__()
        self.embed = nn.Linear(joints * POSE + 3, width)
        self.lstm = nn.LSTM(width, width, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(2 * width, 3 * joints + 3)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, poses: Tensor, times: Tensor, known: Tensor) -> Tensor:
        """known (T,): which rows are keyed."""
        h = nn.functional.gelu(self.embed(torch.cat([poses, times], -1)))
        return self.head(self.lstm(h)[0])


class Delta(nn.Module):
    """The same for the Delta-Interpolator; 4 + 4 layers of 512 channels, 8 heads."""

    def __init__(self, joints: int, width: int = 512) -> None:
        super().__init__()
        self.embed = nn.Linear(joints * POSE + 3, width)
        self.place = nn.Embedding(128, width)

        encoder = nn.TransformerEncoderLayer(width, 8, 2 * width, dropout=0.1, batch_first=True, norm_first=True)
        decoder = nn.TransformerDecoderLayer(width, 8, 2 * width, dropout=0.1, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(encoder, 4, enable_nested_tensor=False)
        self.decoder = nn.TransformerDecoder(decoder, 4)
        self.head = nn.Linear(width, 3 * joints + 3)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, poses: Tensor, times: Tensor, known: Tensor) -> Tensor:
        """known (T,): which rows are keyed."""
        count = torch.arange(poses.shape[1], device=poses.device)
        # Counted from the last pose before the gap, as everything is.
        h = self.embed(torch.cat([poses, times], -1)) + self.place(count)
        return self.head(self.decoder(h, self.encoder(h[:, known])))


NETWORKS = {"fixed": Fixed, "delta": Delta}
RATES = {"fixed": 2e-3, "delta": 2e-4}


def fill(net: nn.Module, poses: Poses, keys: Tensor) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    """Rotations, locations, and the plain interpolation that the network's word was added to."""
    gap = baseline.gaps(keys)
    rotations, locations = baseline.slerp(poses.rotations, gap), baseline.lerp(poses.locations, gap)
    plain = rotations, locations
    turned, positions = skeleton.fk(rotations, locations, poses.offsets[:, None], poses.parents)
    rig = tokens.Rig(poses.parents, poses.offsets)
    frame, size = tokens.heading(turned[:, PAST - 1 : PAST], rig), rig.size()
    own = rotations.clone()
    own[:, :, 0] = quat.multiply(frame[:, :, 0].expand_as(own[:, :, 0]), own[:, :, 0])
    columns = quat.to_matrix(own)[..., :2].flatten(-2)
    at = quat.rotate(frame, positions - positions[:, PAST - 1 : PAST, :1]) / size
    row = torch.arange(keys.shape[1], device=keys.device)
    since, until = (row - gap.before[0, :, 0]) / 30.0, (gap.after[0, :, 0] - row) / 30.0
    times = torch.stack([keys[0, :, 0].float(), since, until], -1).expand(len(own), -1, -1)
    known = torch.cat([row[:PAST], row[-1:]])
    out = net(torch.cat([columns, at], -1).flatten(2), times, known)
    weight = tokens.weight(gap, poses.rotations)[..., None]
    turn = out[..., :-3].unflatten(-1, (-1, 3)) * (gap.u[..., None] > 0)
    move = quat.rotate(quat.conjugate(frame[:, :, 0]), out[..., -3:]) * size[..., 0] * weight[:, :, 0]
    rotations = quat.multiply(rotations, quat.exp(turn * weight.clamp(max=1.0)))
    return rotations, torch.cat([locations[:, :, :1] + move[:, :, None], locations[:, :, 1:]], 2), plain


def filler(net: nn.Module) -> bench.Filler:
    """For the bench."""
    return lambda poses, keys: fill(net, poses, keys)[:2]


def batch_of(net: nn.Module, data: augment.Source, count: int, rng: np.random.Generator) -> Filled:
    """A random batch of the benchmark's own pattern, mirrored and at other speeds."""
    gap = int(rng.integers(4, 50))
    end = PAST + gap
    poses = augment.sample(data, count, end + 1, rng)
    where = poses.rotations.device
    rows = augment.upload(np.arange(PAST, end), where)
    keys = torch.ones(poses.rotations.shape[:3], dtype=torch.bool, device=where)
    keys[:, PAST:end] = False
    rotations, locations, plain = fill(net, poses, keys)
    made = skeleton.fk(rotations, locations, poses.offsets[:, None], poses.parents)
    with torch.no_grad():
        flat = skeleton.fk(*plain, poses.offsets[:, None], poses.parents)
    return Filled(*poses.fk(), *made, *flat, rows, slice(PAST, end), True, tokens.Rig(poses.parents, poses.offsets))


def main() -> None:
    """Train for so many seconds; write scores, as ratios to SLERP's."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=NETWORKS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--dev", type=Path, required=True)
    parser.add_argument("--apart", nargs="*", default=[])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=400.0)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--every", type=int, default=500)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    where = device.choose(args.device)
    torch.set_num_threads(1)
    torch.set_default_device(where)
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(0)
    mocap = read_mocap(args.data)
    data, spread = augment.source(mocap, args.apart), windows.deviation(mocap)
    tests = {"dev": read_mocap(args.dev), "apart": held_out(mocap, args.apart)}
    tests_at = {name: bench.protocol_data(m) for name, m in tests.items() if m}
    base = {name: bench.score(poses, bench.interpolation, spread) for name, poses in tests_at.items()}
    net, rate = NETWORKS[args.name](len(mocap.parents)), RATES[args.name]
    mean = training.Average(net, 0.998)
    optimizer = training.optimizer_for(net, rate, 0.02)
    began, step, done = time.monotonic(), 0, 0.0
    lines: list[dict[str, float]] = []
    while done < 1.0:
        optimizer.param_groups[0]["lr"] = training.rate(step, done, rate)
        with training.plain_lstm():
            loss = accuracy(batch_of(net, data, args.batch, np.random.default_rng([0, step])))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        mean.update(net, step)
        step, seconds = step + 1, time.monotonic() - began
        done = seconds / args.seconds
        if step % args.every and done < 1.0:
            continue
        scores = {"step": float(step), "seconds": seconds}
        for name, poses in tests_at.items():
            scored = bench.ratios(bench.score(poses, filler(mean.network), spread), base[name])
            scores |= {f"{name}_{k}" if name != "dev" else k: v for k, v in scored.items()}
        lines.append(scores)
        print(bench.line(scores), flush=True)
    facts = {"network": args.name, "parameters": sum(p.numel() for p in net.parameters()), "data": args.data.name}
    args.out.write_text(json.dumps(facts | {"batch": args.batch, "scores": lines}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
