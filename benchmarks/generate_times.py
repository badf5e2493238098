"""How long learning and playing take at several sizes, on whatever machine it runs: as JSON.

    python3 -m benchmarks.generate_times [--sizes 128 256 512] [--frames 60] [--seconds 60] [--count 120] [--device auto]
        [--out times.json]

The sequence is water that fills the picture, which costs most. Processor time is told beside the time by the clock, since on a
machine that has other work only the first means something.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from benchmarks import effects
from engine import checkpoint, device, protocol
from engine.generate import paths
from engine.generate.clip import make_clip
from engine.generate.networks import NetworkParams, Networks
from engine.generate.play import Player, expectations, play
from engine.generate.sequence import Sequence
from engine.generate.train import NETWORK, PARAMS, learn

Result = TypeVar("Result")
Figures = dict[str, float]


def clocks(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """What comes of it, seconds by the clock, seconds of the processor."""
    start, busy = time.monotonic(), time.process_time()
    made = work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return made, time.monotonic() - start, time.process_time() - busy


def finish(steps: Generator[Any, Any, Result]) -> Result:
    """Run a job's steps to their end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            made: Result = end.value
            return made


def water(size: int, count: int) -> Sequence:
    """A sequence of that size."""
    tones = effects.clip("water", count, size).astype(np.float32) / 255
    pictures = torch.from_numpy(np.ascontiguousarray(tones.transpose(0, 3, 1, 2))).half()
    return Sequence(list(range(1, count + 1)), pictures, False, "8", True, f"water {size}")


def measure(size: int, args: argparse.Namespace) -> Figures:
    """Figures of one size."""
    sequence = water(size, args.frames)
    clip, looking, _ = clocks(lambda: make_clip(sequence.pictures, PARAMS.latent))
    asked = protocol.LearnSequence(seconds=args.seconds, device=args.device)
    with tempfile.TemporaryDirectory() as name:
        trained, learning, busy = clocks(lambda: finish(learn(Path(name), sequence, clip, asked)))
        chosen = device.choose(args.device)
        saved = checkpoint.load(Path(name) / NETWORK, NetworkParams)
        player = Player(sequence.pictures, clip, checkpoint.restore(saved, Networks).to(chosen).eval(), chosen)
        count, playing, playing_busy = clocks(lambda: play_on(player, args.count))
    return {
        "looking s": looking,
        "training s": learning,
        "training CPU s": busy,
        "steps": float(trained.step),
        "s a frame": playing / count,
        "CPU s a frame": playing_busy / count,
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def play_on(player: Player, count: int) -> int:
    """As many frames after the last one, as the job makes them; pictures come back to the processor."""
    cost = paths.leaps(player.clip.latent, player.clip.apart, expectations(player))
    last, lead = len(player.clip) - 1, paths.longest_lead(len(player.clip))
    plan = paths.wander(cost, count, last, np.random.default_rng(0), lead, 0.5)
    for stretch in plan:
        for picture in play(player, stretch):
            picture.cpu()
    return count


def main() -> None:
    """Measure every size, and write what is done after each."""
    parser = argparse.ArgumentParser(prog="benchmarks.generate_times")
    parser.add_argument("--sizes", type=int, nargs="+", default=[128, 256, 512])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=60.0, help="of training at each size")
    parser.add_argument("--count", type=int, default=120, help="frames that are played")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=Path("times.json"))
    args = parser.parse_args()
    chosen = device.choose(args.device)
    named = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else f"{os.cpu_count()} processor cores"
    report: dict[str, Any] = {"device": named, "threads": torch.get_num_threads(), "frames": args.frames, "sizes": {}}
    for size in args.sizes:
        report["sizes"][str(size)] = measure(size, args)
        print(size, json.dumps(report["sizes"][str(size)]), flush=True)
        args.out.write_text(json.dumps(report, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
