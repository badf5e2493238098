"""Score long extrapolation: `python -m engine bench long --data FILE`, on motion capture of at least 14 seconds a clip.

Four seconds are given, ten are played through the same job that an artist's are, and held against what truly followed:
does it freeze, run away, sink, slide? Knows no Blender.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import clips, device, job_folder, protocol, skeleton
from engine.clips import Motion, read_mocap
from engine.motion import metrics
from engine.motion import play as job
from engine.motion.windows import FPS, Poses, at_root

GIVEN, AHEAD, EVERY = 4.0, 10.0, 3.0  # seconds
LOOKS = (1, 2, 5, 10)  # seconds: the joint speed over the second before each


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `bench long`."""
    parser.add_argument("--data", type=Path, required=True, help="motion to score on (.npz)")
    parser.add_argument("--json", type=Path, help="also write the scores to this file")


def stretches(path: Path) -> list[Poses]:
    """Stretches of 14 seconds at 30 rows a second, one (B = 1) each. Raises JobError."""
    mocap, out = read_mocap(path), []
    step, rows = max(1, round(mocap.fps / FPS)), round((GIVEN + AHEAD) * FPS)
    for take in mocap.takes:
        turns, root = torch.from_numpy(take.rotations[::step]), torch.from_numpy(take.root[::step])
        for start in range(0, len(root) - rows + 1, round(EVERY * FPS)):
            part = slice(start, start + rows)
            places = at_root(root[None, part], turns.shape[1])
            out.append(Poses(turns[None, part], places, torch.from_numpy(take.offsets)[None], mocap.parents))
    if not out:
        raise protocol.JobError(f"{path.name} has no clip of {GIVEN + AHEAD:.0f} seconds.")
    return out


def play(poses: Poses, model: str) -> tuple[Tensor, Tensor]:
    """What the extrapolation job makes of the first four seconds: rotations (1, T, J, 4), locations (1, T, J, 3)."""
    rows, joints = round(GIVEN * FPS), len(poses.parents)
    none = np.zeros((rows, joints), bool)
    clip = protocol.Clip(1, rows, FPS, [f"joint.{j}" for j in range(joints)], poses.parents, [], "Y")
    motion = Motion(
        clip, poses.offsets[0].numpy(), poses.rotations[0, :rows].numpy(), poses.locations[0, :rows].numpy(),
        np.zeros((rows, 0), np.float32), none, none, np.zeros((rows, 0), bool),
        np.ones(joints, bool), np.arange(joints) == 0, np.zeros(0, bool),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        clips.write_clip(Path(folder), motion)
        for _ in job.extrapolate(Path(folder), protocol.Extrapolate(frames=round(AHEAD * FPS), model=model)):
            pass
        with np.load(Path(folder) / clips.RESULT, allow_pickle=False) as made:
            return torch.from_numpy(made["rotations"])[None], torch.from_numpy(made["locations"])[None]


def score(every: list[Poses], model: str) -> dict[str, float]:
    """Means over stretches: joint speed over the truth's in the second before each look; NPSS of global rotations over
    ten seconds; how far the lowest joint sinks below the ground, and feet slide while low, in rig sizes and rig sizes a
    second; the fastest joint over the truth's."""
    rows, found = round(GIVEN * FPS), []
    for poses in every:
        turned, places = poses.fk()
        made = skeleton.fk(*play(poses, model), poses.offsets[:, None], poses.parents)
        size = float(skeleton.reach(poses.offsets, poses.parents))
        speed, true_speed = (p.diff(dim=1).norm(dim=-1) * FPS / size for p in (made[1], places[:, rows:]))
        scores = {}
        for look in LOOKS:
            part = slice(round((look - 1) * FPS), round(look * FPS) - 1)
            scores[f"speed_{look}"] = float(speed[:, part].mean())
            scores[f"truth_{look}"] = float(true_speed[:, part].mean())
        scores["npss"] = metrics.npss(turned[:, rows:].flatten(2), metrics.align(turned[:, rows:], made[0]).flatten(2))
        ground = places[..., 1].amin()
        scores["sinks"] = float((ground - made[1][..., 1].amin(-1)).clamp_min(0.0).amax()) / size
        scores["slides"] = metrics.slide(made[1], float(ground), size, FPS)
        scores["truth_slides"] = metrics.slide(places[:, rows:], float(ground), size, FPS)
        scores["fastest"] = float(speed.amax() / true_speed.amax())
        found.append(scores)
    mean = {name: float(np.mean([x[name] for x in found])) for name in found[0]}
    over = {f"speed_{look}": mean[f"speed_{look}"] / mean[f"truth_{look}"] for look in LOOKS}
    slides = mean["slides"] / max(mean["truth_slides"], 1e-6)
    return over | {"npss": mean["npss"], "sinks": mean["sinks"], "slides": slides, "fastest": mean["fastest"]}


def main(args: argparse.Namespace) -> int:
    """Scores of the shipped extrapolation and of coasting to rest."""
    torch.set_num_threads(device.best_thread_count())
    every = stretches(args.data)
    scores = {model: score(every, name) for model, name in (("coasting", "baseline"), ("ours", "auto"))}
    print(
        f"{len(every)} stretches of {AHEAD:.0f} seconds after {GIVEN:.0f}; speed, slides and fastest over the truth's"
    )
    print(" " * 10 + "".join(f"{name:>10}" for name in scores["ours"]))
    for model, row in scores.items():
        print(f"{model:10}" + "".join(f"{x:10.3f}" for x in row.values()))
    if args.json:
        job_folder.write_json(args.json, scores)
    return 0
