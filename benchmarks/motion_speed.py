"""How long the in-between job takes and how much memory, from a clip folder to its result, engine warm.

    python -m benchmarks.motion_speed --out FILE

A tree of bones that swings, keyed every 20 frames. Each case runs in a process of its own, so that its peak of memory is
its own. With `--blender .envs/blender-4.2/bin/python` also from keys to keys in that Blender (motion_blender.py). Knows no
Blender itself.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from engine import clips, device, protocol
from engine.motion import bench, windows

CASES = {
    "200 frames x 60 bones": (200, 60),
    "200 frames x 200 bones": (200, 200),
    "2,000 frames x 60 bones": (2000, 60),
}
SPACING, RUNS = 20, 3
OURS = "ours"
PEERS = (OURS, "ours, as the job has it", "fixed", "delta")


def clip(frames: int, bones: int) -> clips.Motion:
    """A trunk with limbs of five bones, each swinging at a pace of its own."""
    random, time_ = np.random.default_rng(0), np.arange(frames)[:, None] / 30.0
    parents = [-1, *(0 if j % 5 == 1 else j - 1 for j in range(1, bones))]
    axis = random.normal(size=(bones, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    angle = 0.4 * np.sin(2 * np.pi * random.uniform(0.4, 1.2, bones) * time_ + random.uniform(0, 6, bones))
    rotations = np.concatenate([np.cos(angle / 2)[..., None], np.sin(angle / 2)[..., None] * axis], -1)
    keys = np.zeros((frames, bones), bool)
    keys[::SPACING] = keys[-1] = True
    root = np.zeros((frames, bones, 3))
    root[:, 0] = time_ * [0.0, -1.0, 0.0]
    return clips.Motion(
        protocol.Clip(1, frames, 30.0, [f"bone.{j:03d}" for j in range(bones)], parents, []),
        random.normal(0.0, 0.3, (bones, 3)).astype(np.float32), rotations.astype(np.float32), root.astype(np.float32),
        np.zeros((frames, 0), np.float32), keys, keys & (np.arange(bones) == 0), np.zeros((frames, 0), bool),
        np.ones(bones, bool), np.arange(bones) == 0, np.zeros(0, bool),
    )  # fmt: skip


def measure(frames: int, bones: int) -> dict[str, float]:
    """Seconds of the best warm run, of the processor in it, and the process's peak of memory in MB."""
    from engine.motion import infer

    torch.set_num_threads(device.best_thread_count())
    seconds: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        clips.write_clip(Path(folder), clip(frames, bones))
        for _ in range(RUNS + 1):
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in infer.inbetween(Path(folder), protocol.Inbetween()):
                pass
            seconds.append((time.perf_counter() - wall, time.process_time() - cpu))
    best = min(seconds[1:])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": round(best[0], 3), "processor": round(best[1], 3), "memory": round(memory)}


def peer(name: str) -> dict[str, float]:
    """A network on 100 frames of 17 joints, the most that all take: seconds of the best run and of the processor, millions of
    parameters, and MB of memory at its peak beyond what Python and PyTorch have taken before. A peer's weights are random,
    which is all the same to them."""
    from benchmarks import motion_peers
    from engine.motion import training

    torch.set_num_threads(device.best_thread_count())
    moving = clip(100, 17)
    rotations, locations = torch.from_numpy(moving.rotations)[None], torch.from_numpy(moving.locations)[None]
    poses = windows.Poses(rotations, locations, torch.from_numpy(moving.offsets)[None], moving.clip.parents)
    keys = torch.ones(1, 100, 17, dtype=torch.bool)
    keys[:, windows.PAST : 99] = False
    before, times = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, []
    if name in motion_peers.NETWORKS:
        net: torch.nn.Module = motion_peers.NETWORKS[name](17).eval()
        fill = motion_peers.filler(net)
    else:
        net = ours = training.load(training.WEIGHTS / "inbetween")[0]
        fill = bench.network_filler(ours) if name == OURS else bench.job_filler()
    with torch.inference_mode():
        for _ in range(RUNS + 1):
            wall, cpu = time.perf_counter(), time.process_time()
            fill(poses, keys)
            times.append((time.perf_counter() - wall, time.process_time() - cpu))
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    size = sum(p.numel() for p in net.parameters()) / 1e6
    wall, cpu = (min(kind) for kind in zip(*times[1:], strict=True))
    took = {"seconds": round(wall, 4), "processor": round(cpu, 4)}
    return took | {"parameters": round(size, 2), "memory": round(memory)}


def alone(*what: str) -> dict[str, float]:
    """What this module measures in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.motion_speed", *what]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, float] = json.loads(out.splitlines()[-1])
    print(f"{' '.join(what):26} {found}", flush=True)
    return found


def main() -> None:
    """Run every case; write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--blender", type=Path, help="a Blender module's Python: time it from keys to keys as well")
    parser.add_argument(
        "--only-peers", action="store_true", help="leave the whole jobs out, and keep what --out has of them"
    )
    parser.add_argument("--case", nargs=2, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case or args.peer:
        print(json.dumps(measure(*args.case) if args.case else peer(args.peer)))
        return
    table: dict[str, dict[str, float]] = {}
    if args.only_peers and args.out and args.out.exists():
        table = json.loads(args.out.read_text(encoding="utf-8"))
    table |= {name: alone("--peer", name) for name in PEERS}
    table |= {"threads": {"count": float(device.best_thread_count())}}
    cases = {} if args.only_peers else CASES
    for name, (frames, bones) in cases.items():
        table[name] = alone("--case", str(frames), str(bones))
        if args.blender:
            command = [str(args.blender), "-m", "benchmarks.motion_blender", str(frames), str(bones)]
            environment = os.environ | {"UNDERSTUDY_ENGINE_PYTHON": sys.executable}
            out = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
            table[f"{name}, keys to keys in Blender"] = json.loads(out.splitlines()[-1])
            print(f"{name:26} {table[f'{name}, keys to keys in Blender']}", flush=True)
    if args.out:
        args.out.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
