"""What learning from three clips of a new style is worth: `python -m benchmarks.motion_learn --data FOLDER --out FILE`.

FOLDER holds cmu_dev.npz, of which nothing was trained on; the made-up rigs are the benchmark's own. Each set of three clips is
learned by the job itself and tested on the stretches that it holds back, against what the job does without learning (network
and blend) and against the plain curves. Knows no Blender.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import rigs
from engine import clips, job_folder, protocol
from engine.clips import Mocap, Motion, read_mocap
from engine.motion import learn
from engine.progress import Outcome

# Of the dev set, by what is performed; of the made-up rigs the first three takes.
SETS = {
    "basketball": ("06_02", "06_10", "06_14"),
    "swordplay": ("02_07", "02_08", "02_09"),
    "punch, scoop, wash": ("02_05", "02_06", "02_10"),
}
RIGS = ("quadruped", "hand")


def motion_of(mocap: Mocap, index: int) -> Motion:
    """A take as the add-on writes an Action, every frame of it keyed."""
    take = mocap.takes[index]
    rows, joints = take.rotations.shape[:2]
    clip = protocol.Clip(1, rows, mocap.fps, [f"joint.{j}" for j in range(joints)], mocap.parents, [], "Y")
    keys, none = np.ones((rows, joints), bool), np.zeros((rows, 0), bool)
    locations = np.zeros((rows, joints, 3), np.float32)
    locations[:, 0] = take.root
    return Motion(
        clip, take.offsets, take.rotations, locations, np.zeros((rows, 0), np.float32), keys, keys, none,
        np.ones(joints, bool), np.arange(joints) == 0, np.zeros(0, bool),
    )  # fmt: skip


def learned(motions: list[Motion], seconds: float) -> dict[str, float]:
    """The job's own figures, its time by the clock and by the processor, whether it kept what it learned."""
    began, spent = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for index, motion in enumerate(motions):
            clips.write_clip(folder / "clips", motion)
            for suffix in (".json", ".npz"):
                (folder / "clips" / f"clip{suffix}").rename(folder / "clips" / f"take {index}{suffix}")
        job = learn.learn_motion(folder, protocol.LearnMotion(seconds=seconds))
        outcome = Outcome([])
        try:
            while True:
                next(job)
        except StopIteration as stop:
            outcome = stop.value
    figures = {"seconds": time.monotonic() - began, "processor": time.process_time() - spent}
    return {**outcome.figures, **figures, "kept": float(bool(outcome.results))}


def main() -> None:
    """Learn each set, add the table to a file of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with cmu_dev.npz")
    parser.add_argument("--seconds", type=float, default=120.0, help="of learning")
    parser.add_argument("--only", nargs="*", help="of the sets these")
    parser.add_argument(
        "--processor", action="store_true", help="seconds of the processor's, on a machine that others use"
    )
    parser.add_argument("--out", type=Path, required=True, help="figures (.json) to add the table to")
    args = parser.parse_args()
    if args.processor:
        learn.CLOCK = time.process_time
    mocap = read_mocap(args.data / "cmu_dev.npz")
    names = [take.name for take in mocap.takes]
    sets = {label: (mocap, [names.index(n) for n in wanted]) for label, wanted in SETS.items()}
    with tempfile.TemporaryDirectory() as folder:
        made = {path.stem: path for path in rigs.make(Path(folder))}
        sets |= {name: (read_mocap(made[name]), [0, 1, 2]) for name in RIGS}
    table = {}
    for label, (source, indices) in sets.items():
        if args.only and label not in args.only:
            continue
        table[label] = learned([motion_of(source, i) for i in indices], args.seconds)
        print(label, {k: round(v, 3) for k, v in table[label].items()}, flush=True)
    figures = json.loads(args.out.read_text()) if args.out.exists() else {}
    figures["learned from three clips"] = table
    job_folder.write_json(args.out, figures)


if __name__ == "__main__":
    main()
