"""Score on LaFAN1 itself: `python -m engine bench lafan1 --data FOLDER`, FOLDER holding the user's own copy of its BVH files.

The published zero velocity and interpolation baselines must come out first: else the figures mean nothing. Without
the data it says so and is content. Knows no Blender.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from engine import device, job_folder
from engine.clips import Mocap
from engine.motion import bench, bvh, windows

TESTED = "subject5"
FORWARD = (0.0, 1.0, 0.0)  # the hips' axis that the benchmark takes for the way they face
# n = 5, 15, 30, 45 as published (Harvey 2020), and how far off one may be.
PUBLISHED = {
    "zero velocity": {"l2q": (0.56, 1.10, 1.51, 1.81), "l2p": (1.523, 3.694, 6.600, 9.329)},
    "SLERP": {"l2q": (0.22, 0.62, 0.98, 1.25), "l2p": (0.373, 1.249, 2.316, 3.447)},
}
TOLERANCE = 0.03


def read(folder: Path) -> tuple[Mocap, Mocap]:
    """The benchmark's training and test clips. Raises JobError."""
    parts: list[Mocap] = []
    for tested in (False, True):
        files = [bvh.read(p) for p in sorted(folder.glob("*.bvh")) if p.stem.endswith(TESTED) == tested]
        parts.append(replace(files[0], takes=[take for file in files for take in file.takes]))
    return parts[0], parts[1]


def departures(scores: dict[str, dict[str, float]]) -> list[str]:
    """Where the baselines are not the published ones, as sentences."""
    return [
        f"{name} {kind} at {gap}: {scores[name][f'{kind}_{gap}']:.3f}, published {value}"
        for name, kinds in PUBLISHED.items()
        for kind, values in kinds.items()
        for gap, value in zip(windows.GAPS, values, strict=True)
        if abs(scores[name][f"{kind}_{gap}"] / value - 1.0) > TOLERANCE
    ]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `bench lafan1`."""
    parser.add_argument("--data", type=Path, required=True, help="folder with LaFAN1's BVH files")
    parser.add_argument("--json", type=Path, help="also write the scores to this file")


def main(args: argparse.Namespace) -> int:
    """The network and the baselines; 1 where the baselines are not the published ones."""
    if not any(args.data.glob(f"*{TESTED}.bvh")):
        print(f"Skipped: {args.data} holds no BVH file of LaFAN1's {TESTED}; fetch the data set and give its folder.")
        return 0
    torch.set_num_threads(device.best_thread_count())
    train, test = read(args.data)
    spread = windows.deviation(train, FORWARD)
    poses = windows.protocol_windows(test, bench.LENGTH, bench.EVERY, FORWARD)
    fillers = {
        "zero velocity": bench.zero_velocity,
        "SLERP": bench.interpolation,
        "ours": bench.job_filler(),
    }
    scores = {name: bench.score(poses, fill, spread) for name, fill in fillers.items()}
    for name, row in scores.items():
        print(f"{name:14} {bench.line(row)}")
    print(f"{'ours / SLERP':14} {bench.line(bench.ratios(scores['ours'], scores['SLERP']))}")
    if args.json:
        job_folder.write_json(args.json, scores)
    wrong = departures(scores)
    for sentence in wrong:
        print("Not the published baseline:", sentence)
    return 1 if wrong else 0
