"""Scores of the stylist on shots whose every frame has a painted truth: unstyled, nearest-anchor reprojection and ours, in one
run, as JSON and as a sheet of pictures of the worst frames.

    python3 build.py bench stylise [NAME=FOLDER[:TRUTH] …] [--out build/bench] [--keys 24] [--seconds 120] [--steps 0]

FOLDER is a job folder; TRUTH holds NNNN.png (FOLDER/truth/painted if not named). Without any, the benchmark's own shots are
rendered and painted first, and the demo's is added where `build.py demo` has left it. A key is copied from the truth. It
works on a copy of the folder's layout made of links, so that the shot itself stays as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import metrics, painting
from benchmarks.jod import jod
from engine import frames, job_folder, protocol
from engine.jobs import JOBS
from engine.stylise.painter import read_key
from engine.stylise.reprojection import Atlas, KeySurface, reproject_nearest
from engine.stylise.views import read_view

OWN = (("turntable", "gouache"), ("dancer", "hatching"))  # shots.py's scene, painting.py's look
DEMO = Path("demo/out")
METHODS = ("unstyled", "reprojection", "ours")


def own_shots(folder: Path) -> list[str]:
    """Render and paint the benchmark's own shots below `folder`, unless they are there: NAME=FOLDER:TRUTH of each."""
    entries = [f"demo={DEMO / 'shot'}:{DEMO / 'painted'}"] if (DEMO / "scores.json").exists() else []
    for name, look in OWN:
        shot = folder / name
        if not (shot / "shot.json").exists():
            print(f"rendering {name}", flush=True)
            blender = os.environ["UNDERSTUDY_BLENDER_PYTHON"]
            subprocess.run([blender, "benchmarks/shots.py", name, str(shot)], check=True, stdout=subprocess.DEVNULL)
        painting.paint(shot, look)
        entries.append(f"{name}={shot}:{shot / 'truth' / look}")
    return entries


def stage(shot: Path, truth: Path, keys: list[int], work: Path) -> None:
    """A job folder in `work` that shares frames and guides with `shot` and has truth's pictures as keys."""
    shutil.rmtree(work, ignore_errors=True)
    (work / "keys").mkdir(parents=True)
    for name in ("frames", "guides", "shot.json"):
        (work / name).symlink_to((shot / name).resolve())
    for frame in keys:
        shutil.copyfile(truth / f"{frame:04d}.png", job_folder.key_path(work, frame))


def run(folder: Path, settings: protocol.Settings) -> float:
    """Run a job to its end with a line of progress; returns seconds."""
    kind = next(kind for kind, cls in protocol.SETTINGS.items() if isinstance(settings, cls))
    start = shown = time.monotonic()
    for update in JOBS[kind](folder, settings):
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"  {100 * update.done:3.0f} % {update.text}", flush=True)
    return time.monotonic() - start


def make(work: Path, keys: list[int], seconds: float, steps: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Every method's frames but the keys', (T, H, W, 3) uint8, and ours' times in seconds."""
    shot = job_folder.read_shot(work)
    scored = [frame for frame in shot.frames if frame not in keys]
    cpu = time.process_time()
    training = run(work, protocol.TrainStyle(keys=keys, seconds=seconds, steps=steps))
    cpu = time.process_time() - cpu
    painting = run(work, protocol.Stylise(shot.frame_start, shot.frame_end)) / len(shot.frames)
    painted = [read_key(work, shot, frame) for frame in keys]
    surfaces = [KeySurface(key.view, key.painted) for key in painted]
    views = [read_view(work, shot, frame) for frame in scored]
    sequences = {
        "unstyled": np.stack([frames.read_frame(work, shot, frame) for frame in scored]),
        "reprojection": np.stack([reproject_nearest(v, surfaces, [key.paint for key in painted]) for v in views]),
        "ours": np.stack(
            [np.array(Image.open(job_folder.result_path(work, frame)).convert("RGB")) for frame in scored]
        ),
        "seen": np.stack([Atlas(surfaces).match(view).confidence > 0.5 for view in views]),
        "ids": np.stack([view.ids for view in views]),
        "flow": np.stack([-frames.read_guides(work, shot, f, ["vector"])["vector"][..., 2:] * (1, -1) for f in scored]),
    }
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return sequences, {"training s": training, "training CPU s": cpu, "s a frame": painting, "peak MiB": peak}


def score(
    test: np.ndarray, truth: np.ndarray, made: dict[str, np.ndarray], scored: list[int], fps: float
) -> dict[str, float]:
    """All figures of one method."""
    steady, shaken = (metrics.warping_error(x, made["flow"], made["ids"], scored) for x in (truth, test))
    return {
        "PSNR": metrics.psnr(test, truth),
        "PSNR objects": metrics.psnr(test, truth, made["ids"] > 0),
        "PSNR revealed": metrics.psnr(test, truth, ~made["seen"]),
        "SSIM": metrics.ssim(test, truth),
        "JOD": jod(test / 255, truth / 255, fps),
        "warping / truth": shaken / steady,
        "sharpness / truth": metrics.sharpness_ratio(test, truth),
        "strokes": 1000 * metrics.patch_distance(test, truth),
        "strokes revealed": 1000 * metrics.patch_distance(test, truth, ~made["seen"]),
    }


def sheet(made: dict[str, np.ndarray], truth: np.ndarray, scored: list[int], path: Path) -> None:
    """Truth, reprojection and ours side by side: our three worst frames, the median and the best."""
    order = np.argsort([metrics.psnr(made["ours"][i : i + 1], truth[i : i + 1]) for i in range(len(truth))])
    rows = []
    for i in (*order[:3], order[len(order) // 2], order[-1]):
        row = Image.fromarray(np.concatenate([truth[i], made["reprojection"][i], made["ours"][i]], 1))
        ImageDraw.Draw(row).text((4, 4), f"{scored[i]}: truth | reprojection | ours", fill=(255, 0, 255))
        rows.append(np.array(row))
    Image.fromarray(np.concatenate(rows)).save(path)


def main(arguments: list[str] | None = None) -> None:
    """Score every shot named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("shots", nargs="*", metavar="NAME=FOLDER[:TRUTH]")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    parser.add_argument("--keys", type=int, nargs="+", default=[])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--steps", type=int, default=0)
    args = parser.parse_args(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    report = {}
    for entry in args.shots or own_shots(args.out / "shots"):
        name, _, place = entry.partition("=")
        folder, _, truth_folder = place.partition(":")
        source, truth_path = Path(folder), Path(truth_folder or f"{folder}/truth/painted")
        shot = job_folder.read_shot(source)
        keys = args.keys or [(shot.frame_start + shot.frame_end) // 2]
        print(f"{name}: keys {keys}", flush=True)
        stage(source, truth_path, keys, args.out / name)
        made, times = make(args.out / name, keys, args.seconds, args.steps)
        scored = [frame for frame in shot.frames if frame not in keys]
        truth = np.stack([np.array(Image.open(truth_path / f"{frame:04d}.png").convert("RGB")) for frame in scored])
        figures = {method: score(made[method], truth, made, scored, shot.fps) for method in METHODS}
        report[name] = {"keys": keys, **figures, "times": times}
        sheet(made, truth, scored, args.out / f"{name}.png")
        print_table(figures, times)
        job_folder.write_json(args.out / "stylise.json", report)


def print_table(figures: dict[str, dict[str, float]], times: dict[str, float]) -> None:
    """One line a method."""
    print("               " + "  ".join(figures["ours"]))
    for method, row in figures.items():
        print(f"  {method:<12} " + "  ".join(f"{value:{len(name)}.3f}" for name, value in row.items()))
    print("  " + json.dumps({name: round(value, 3) for name, value in times.items()}), flush=True)


if __name__ == "__main__":
    main()
