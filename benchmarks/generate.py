"""Scores the generator and its rivals, in one run, on effects whose true continuation a script simulates: as JSON, as a table, as
sheets of stills and as films.

    python3 build.py bench generate [--effects flame smoke water flag boil gears] [--how continue loop vary between]
        [--rivals hold cross-fade flow patches] [--size 128] [--frames 60] [--times 10] [--seconds 120] [--quick] [--fresh]
        [--results benchmarks/results]

Ours is the engine itself: a job folder, a process of its own. An effect that is done is not done again, unless the engine or the
question has changed; so a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import effects, generate_rivals, generate_scores, generate_sheets, timed
from benchmarks.generate_scores import SOON, over_grey
from benchmarks.generate_sheets import Figures, Table
from engine import job_folder, pictures, protocol

HOW = ("continue", "loop", "vary", "between")
ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / "build" / "effects"
FPS = 24
FILM_FRAMES = 96
RIVALS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "hold": generate_rivals.hold,
    "cross-fade": generate_rivals.cross_fade,
    "flow": generate_rivals.push_on,
    "patches": generate_rivals.patches,
}


def premultiplied(clip: np.ndarray) -> np.ndarray:
    """(T, H, W, 4) float32, 0 to 1, of uint8 with straight alpha."""
    tones = clip.astype(np.float32) / 255
    tones[..., :3] *= tones[..., 3:]
    return tones


# --- ours ------------------------------------------------------------------------------------------------------------


def stage(folder: Path, clip: np.ndarray, numbers: range) -> Path:
    """A new job folder with frames/ of a clip, (T, H, W, 4) uint8."""
    shutil.rmtree(folder, ignore_errors=True)
    for number, picture in zip(numbers, clip, strict=True):
        pictures.write_picture(folder / "frames" / f"{number:04d}.png", picture, "8", {})
    return folder


def run(folder: Path, settings: protocol.Settings) -> Figures:
    """Run a job in a process of its own; what it took."""
    shutil.rmtree(folder / "result", ignore_errors=True)
    job_folder.write_job(folder, settings)
    subprocess.run([sys.executable, "-m", "benchmarks.timed", str(folder), str(folder / "times.json")], check=True)
    return timed.read(folder / "times.json")


def results(folder: Path, numbers: range) -> np.ndarray:
    """(T, H, W, 3) float32 over grey."""
    read = [pictures.read_picture(folder / "result" / f"{number:04d}.png")[0] for number in numbers]
    made = np.stack(read)
    made[..., :3] *= made[..., 3:]
    return over_grey(made)


# --- rivals ----------------------------------------------------------------------------------------------------------


def rival(name: str, method: str, tones: np.ndarray, count: int, args: argparse.Namespace) -> tuple[np.ndarray, float]:
    """(count, H, W, 3) float32 over grey, and seconds of the processor a frame; taken from an earlier run where neither the
    rivals nor the effects have changed since."""
    asked = (name, method, args.size, args.frames, count, args.seed, "CPU s")
    files = [ROOT / "benchmarks" / "generate_rivals.py", *sorted((ROOT / "benchmarks").glob("effects*.py"))]
    path = args.out / "rivals" / f"{name}-{method}-{_digest(asked, files)}.npz"
    if path.is_file() and not args.fresh:
        with np.load(path, allow_pickle=False) as kept:
            return kept["pictures"].astype(np.float32) / 255, float(kept["seconds"])
    start = time.process_time()
    made = np.rint(over_grey(RIVALS[method](tones, count)) * 255).astype(np.uint8)
    seconds = (time.process_time() - start) / count
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, pictures=made, seconds=seconds)
    partial.replace(path)
    return made.astype(np.float32) / 255, seconds


# --- the questions ---------------------------------------------------------------------------------------------------


def ask_continue(name: str, clip: np.ndarray, args: argparse.Namespace, folder: Path) -> Table:
    """Every method's continuation of the first frames against the true one."""
    length, count = args.frames, args.frames * args.times
    flat = over_grey(premultiplied(clip))
    given, truth, other = flat[:length], flat[length : length + count], flat[length + count :]
    made: dict[str, np.ndarray] = {"truth": truth}
    table: Table = {"truth": {"copied": generate_scores.copying(truth[SOON:], given)}}
    tones = premultiplied(clip[:length])
    for method in args.rivals:
        made[method], seconds = rival(name, method, tones, count, args)
        table[method] = {"CPU s a frame": seconds}
    took = run(folder, protocol.Generate("CONTINUE", count=count, device="cpu", seconds=args.seconds))
    made["ours"] = results(folder, range(length + 1, length + 1 + count))
    table["ours"] = {"s a frame": took["job s"] / count, "CPU s a frame": took["CPU s"] / count}
    later = generate_scores.Later(truth[SOON:], other[: count - SOON])
    for method_name in list(made)[1:]:
        told(name, f"scoring {method_name}")
        test = made[method_name]
        table[method_name] |= generate_scores.soon(test, truth) | later.score(test[SOON:])
        table[method_name]["copied"] = generate_scores.copying(test[SOON:], given)
    show = args.show / f"{name}_continue"
    generate_sheets.stills(made, length, show.with_suffix(".jpg"))
    generate_sheets.leads(truth, made["ours"], args.show / f"{name}_leads.jpg")
    shown = {label: np.concatenate([given[-24:], x[:FILM_FRAMES]]) for label, x in made.items() if label != "hold"}
    generate_sheets.film(shown, show.with_suffix(".mp4"), FPS)
    return table


def ask_loop(name: str, clip: np.ndarray, args: argparse.Namespace, folder: Path) -> Figures:
    """The seam of a loop as long as what was given."""
    run(folder, protocol.Generate("LOOP", count=args.frames, device="cpu", seconds=args.seconds))
    loop = results(folder, range(1, args.frames + 1))
    twice = np.concatenate([loop, loop])
    generate_sheets.film({"loop, twice": twice}, args.show / f"{name}_loop.mp4", FPS, grow=2)
    return {"loop seam": generate_scores.seam(loop)}


def ask_vary(name: str, clip: np.ndarray, args: argparse.Namespace, folder: Path) -> Figures:
    """How far two takes are apart."""
    takes = []
    for seed in (1, 2):
        run(folder, protocol.Generate("VARY", count=args.frames, seed=seed, device="cpu", seconds=args.seconds))
        takes.append(results(folder, range(1, args.frames + 1)))
    given = over_grey(premultiplied(clip[: args.frames]))
    shown = {"given": given, "seed 1": takes[0], "seed 2": takes[1]}
    generate_sheets.film(shown, args.show / f"{name}_vary.mp4", FPS)
    return {"seeds apart": generate_scores.strays(takes[0], takes[1], given)}


def ask_between(name: str, clip: np.ndarray, args: argparse.Namespace, folder: Path) -> Table:
    """Every second frame dropped and made again."""
    length = args.frames - (args.frames + 1) % 2
    tones = premultiplied(clip[:length])
    truth, given = over_grey(tones[1::2]), tones[::2]
    took = run(
        stage(folder, clip[:length:2], range(1, length + 1, 2)),
        protocol.Generate("BETWEEN", slow=1, seconds=args.seconds, device="cpu"),
    )
    made: dict[str, np.ndarray] = {}
    table: Table = {}
    for label, method in (("blend", generate_rivals.blend), ("flow", generate_rivals.flow_between)):
        start = time.monotonic()
        made[label] = over_grey(method(given))
        table[label] = {"s a frame": (time.monotonic() - start) / len(truth)}
    made["ours"] = results(folder, range(2, length, 2))
    table["ours"] = {"job s": took["job s"], "s a frame": took.get("s a frame", float("nan"))}
    sharp = generate_scores.liveliness(truth)["sharpness"]
    for label, test in made.items():
        table[label]["PSNR"] = generate_scores.psnr(test, truth)
        table[label]["JOD"] = generate_scores.jod(test, truth, FPS / 2)
        table[label]["sharpness"] = generate_scores.liveliness(test)["sharpness"] / sharp
    generate_sheets.worst(made, truth, "ours", args.show / f"{name}_between.jpg")
    return table


def ask(name: str, args: argparse.Namespace) -> dict[str, Table]:
    """All questions about one effect."""
    count = args.frames * (1 + 2 * args.times) if "continue" in args.how else args.frames
    told(name, f"{count} frames")
    clip = effects.clip(name, count, args.size, args.seed, CACHE)
    report: dict[str, Table] = {}
    if set(args.how) - {"between"}:
        folder = stage(args.out / name, clip[: args.frames], range(1, args.frames + 1))
        told(name, "learning")
        took = run(folder, protocol.LearnSequence(seconds=args.seconds, steps=args.steps, device="cpu"))
        report["loop and vary"] = {
            "ours": {
                "training s": took["job s"],
                "steps": took.get("steps", float("nan")),
                "peak MiB": took["peak MiB"],
            }
        }
        if "continue" in args.how:
            told(name, "continuing")
            report["continue"] = ask_continue(name, clip, args, folder)
        if "loop" in args.how:
            faded = over_grey(generate_rivals.cycle(premultiplied(clip[: args.frames])))
            report["loop and vary"]["cross-fade"] = {"loop seam": generate_scores.seam(faded)}
        for how, question in (("loop", ask_loop), ("vary", ask_vary)):
            if how in args.how:
                told(name, how)
                report["loop and vary"]["ours"] |= question(name, clip, args, folder)
    if "between" in args.how:
        told(name, "between")
        report["between"] = ask_between(name, clip, args, args.out / f"{name}_between")
    return report


# --- the run ---------------------------------------------------------------------------------------------------------


def told(name: str, what: str) -> None:
    """A line that says how far the run is."""
    print(f"{time.strftime('%H:%M:%S')} {name}: {what}", flush=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="build.py bench generate")
    parser.add_argument("--effects", nargs="+", choices=list(effects.EFFECTS), default=list(effects.EFFECTS))
    parser.add_argument("--how", nargs="+", choices=HOW, default=list(HOW))
    parser.add_argument("--rivals", nargs="*", choices=list(RIVALS), default=list(RIVALS), help="of continue")
    parser.add_argument("--size", type=int, default=128, help="pixels a side")
    parser.add_argument("--frames", type=int, default=60, help="that the artist has")
    parser.add_argument("--times", type=int, default=10, help="how many times as many are made")
    parser.add_argument("--seconds", type=float, default=120.0, help="of training")
    parser.add_argument("--steps", type=int, default=0, help="of training, at most")
    parser.add_argument("--seed", type=int, default=0, help="of the effects")
    parser.add_argument("--quick", action="store_true", help="small, short and half trained: to see that it works")
    parser.add_argument("--fresh", action="store_true", help="take up nothing that an earlier run has done")
    parser.add_argument(
        "--results", type=Path, help="a folder that table, figures and pictures are copied to at the end"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench" / "generate")
    args = parser.parse_args(arguments)
    if args.quick:
        args.size, args.frames, args.times, args.seconds = 32, 20, 2, 3.0
    args.show = args.out / "pictures"
    return args


def question(name: str, args: argparse.Namespace) -> str:
    """Short name of all that an effect's figures depend on."""
    files = sorted([*(ROOT / "engine" / "generate").glob("*.py"), *(ROOT / "benchmarks").glob("generate*.py")])
    files += sorted((ROOT / "benchmarks").glob("effects*.py"))
    asked = (name, args.how, args.rivals, args.size, args.frames, args.times, args.seconds, args.steps, args.seed)
    return _digest(asked, files)


def _digest(asked: object, files: list[Path]) -> str:
    digest = hashlib.sha256(repr(asked).encode())
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def notes(args: argparse.Namespace) -> list[str]:
    """How the run was done."""
    return [
        f"{args.frames} frames of {args.size} x {args.size} pixels are given, {args.frames * args.times} are made; training "
        f"{args.seconds:.0f} s{f' or {args.steps} steps' if args.steps else ''}. Everything is scored over mid grey.",
        "PSNR 8 and JOD 8: the first 8 frames against the true continuation. Sharpness 12: of the first 12, over its own. FD: "
        "Fréchet distance to the truth of what EfficientNet-Lite0 sees in the later frames, and in the differences of "
        "neighbours; 1 is the distance of a second true stretch as long. At the end: of the last quarter, over the truth's.",
        "Copied: share of patches that are nearest to one stretch of the input throughout; the truth has such places too. "
        "Seeds apart: mean difference of two takes over that of two given frames chosen at random.",
        "Between: every second frame dropped. Hold, cross-fade and patches copy frames or parts of them.",
    ]


def main(arguments: list[str] | None = None) -> None:
    """Score every effect, and write what is done after each."""
    args = parse(arguments)
    args.out.mkdir(parents=True, exist_ok=True)
    report: dict[str, dict[str, Table]] = {}
    left_out: list[str] = []
    for name in args.effects:
        done, key = args.out / f"{name}.json", question(name, args)
        kept = json.loads(done.read_text()) if done.is_file() and not args.fresh else {}
        if kept.get("question") != key:
            try:
                kept = {"question": key, "figures": ask(name, args)}
            except subprocess.CalledProcessError as error:
                told(name, f"left out, for a job failed: {error}")
                left_out.append(name)
                continue
            job_folder.write_json(done, kept)
        report[name] = kept["figures"]
        job_folder.write_json(args.out / "generate.json", {"notes": notes(args), "effects": report})
        table = generate_sheets.markdown(report, notes(args))
        (args.out / "generate.md").write_text(table, encoding="utf-8")
    if left_out:
        sys.exit(f"Left out: {', '.join(left_out)}; run it again once that is mended, what is done is kept.")
    if args.results:
        publish(args.out, args.results)
    print(table)


def publish(made: Path, target: Path) -> None:
    """Copy what is to be shown: generate.json, generate.md and generate/."""
    target.mkdir(parents=True, exist_ok=True)
    for name in ("generate.json", "generate.md"):
        shutil.copyfile(made / name, target / name)
    shutil.rmtree(target / "generate", ignore_errors=True)
    shutil.copytree(made / "pictures", target / "generate")


if __name__ == "__main__":
    main()
