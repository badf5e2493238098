"""What each ingredient of the stylist is worth: the same training, the same number of steps, one thing left out at a time
(or, where the product leaves it out, put in).

    python3 build.py bench ablation [--shots dancer turntable demo] [--steps 300] [--variants …] [--out build/bench/ablation]

The switches are here and nowhere in the product: each replaces a number or a function of engine.stylise in a process of its own.
What is left out is left out of a shot's training and of painting alike; the base that ships was trained with all of it. A run
that was stopped goes on after what is done.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from benchmarks import library, sheets, timed
from benchmarks.kept import code, kept
from benchmarks.stylise import OUR_CODE, Figures, Judge, suggested_keys
from engine import job_folder
from engine.jobs import JOBS
from engine.protocol import Stylise, TrainStyle
from engine.stylise import features, generator, hatching, head, losses, painter, palette, patches, train, waves
from engine.stylise import sheets as atlas_sheets
from engine.stylise.generator import Carried, StrokeNetwork
from engine.stylise.views import read_view

COLUMNS = {
    "PSNR": ".2f", "PSNR objects": ".2f", "PSNR revealed": ".2f", "SSIM": ".3f", "SSIM revealed": ".3f", "warping / truth": ".2f",
    "sharpness / truth": ".2f", "strokes": ".2f", "strokes revealed": ".2f", "training CPU s": ".0f",
}  # fmt: skip


# --- the switches ----------------------------------------------------------------------------------------------------


def swap(place: ModuleType | type, name: str, value: Any) -> None:
    """Put `value` in the place of what is there; it must be there."""
    if not hasattr(place, name):
        raise AttributeError(
            f"{place.__name__} has no {name} to be left out; the switch in ablation.py is out of date."
        )
    setattr(place, name, value)


def without_carried(*fields: str) -> Callable[[], None]:
    """The stroke part is lent nothing of what these trusts stand for."""

    def switch() -> None:
        forward = StrokeNetwork.forward

        def changed(self: StrokeNetwork, guides: Tensor, tone: Tensor, carried: Carried) -> Tensor:
            none = {name: torch.zeros_like(getattr(carried, name)) for name in fields}
            return forward(self, guides, tone, carried._replace(**none))

        swap(StrokeNetwork, "forward", changed)

    return switch


def without_edges() -> None:
    """The guides say nothing of borders, leaps and folds."""
    encode = features.encode

    def changed(*given: Any) -> Tensor:
        guides = encode(*given).clone()
        guides[features.EDGE] = 0
        return guides

    swap(painter, "encode", changed)


def without_light_steps() -> None:
    """The guides have render and albedo, and no steps of light."""
    light = features._light
    swap(features, "_light", lambda *given: torch.zeros_like(light(*given)))


def without_palette() -> None:
    """The guides have no first guess by rule."""
    guess = palette.Palette.guess
    swap(palette.Palette, "guess", lambda *given: torch.zeros_like(guess(*given)))


def without_hatching() -> None:
    """No wave is believed, and hatching stays where the key has it."""
    swap(hatching, "TOLD", 2.0)


def without_base() -> None:
    """Training begins with nothing learned."""
    swap(train, "_base", lambda: generator.Generator(train.GENERATOR))


def without_solving() -> None:
    """The last layer of the tone part is trained like the others, from the base's."""
    swap(head, "fit", lambda *_: None)


def without_codes() -> None:
    """The guides do not say which object it is."""
    codes = features._codes
    swap(features, "_codes", lambda ids: np.zeros_like(codes(ids)))


def without_holes() -> None:
    """All of a key's own paint is in place in training."""
    swap(patches, "_holes", lambda trust, _: trust)


def without_other_lights() -> None:
    """The tone part sees the keys in their own light alone."""
    swap(patches, "RELIT", 0.0)


def without_stress() -> None:
    """A pixel beside an edge counts as much as any other."""
    swap(losses, "STRESS", 0.0)


def without_fade() -> None:
    """What was the border of a tone in the key is carried over with the strokes."""
    swap(generator, "fade", lambda border, *_: torch.ones_like(border))


def with_small_atlas() -> None:
    """Strokes are carried over at the key's own size."""
    for place in (generator, painter, atlas_sheets, waves):
        swap(place, "SCALE", 1)
    for place in (generator, painter):
        swap(place, "double", lambda x: x)


ADVERSARY = "with an adversarial term of 0.06"
VARIANTS: dict[str, Callable[[], None]] = {
    "all": lambda: None,
    "no reprojected strokes": without_carried("trust"),
    "no borrowed strokes": without_carried("borrowed_trust"),
    "no strokes, one plain network": without_carried("trust", "borrowed_trust"),
    ADVERSARY: lambda: None,
    "hatching does not go on": without_hatching,
    "without the base": without_base,
    "no last layer solved for the keys": without_solving,
    "no palette by rule": without_palette,
    "no edges in the guides": without_edges,
    "no steps of light in the guides": without_light_steps,
    "no object codes in the guides": without_codes,
    "no holes in training": without_holes,
    "no other lights in training": without_other_lights,
    "no stress on lines": without_stress,
    "no fading of the key's tone borders": without_fade,
    "strokes at the key's own size": with_small_atlas,
}


def run_variant(name: str, folder: Path, key: int, steps: int) -> None:
    """Train and paint in this process with one thing left out; leaves times.json."""
    VARIANTS[name]()
    shot = job_folder.read_shot(folder)
    weight = 0.06 if name == ADVERSARY else 0.0
    jobs = {
        "train_style": TrainStyle(keys=[key], seconds=3600, steps=steps, adversarial=weight, device="cpu"),
        "stylise": Stylise(shot.frame_start, shot.frame_end, device="cpu"),
    }
    for kind, settings in jobs.items():
        for _ in JOBS[kind](folder, settings):
            pass
        if kind == "train_style":
            timed.report(folder / "times.json", {})


# --- the table -------------------------------------------------------------------------------------------------------


def score_variants(entry: library.Entry, names: list[str], steps: int, out: Path) -> Iterator[dict[str, Figures]]:
    """By variant, the figures on one shot, after each of them; strokes over those of the whole."""
    [key] = suggested_keys(entry, 1, out / entry.name / "suggest")
    scored = [frame for frame in entry.shot.frames if frame != key]
    views = [read_view(entry.folder, entry.shot, frame) for frame in scored]
    judge = Judge(entry, views, read_view(entry.folder, entry.shot, key))
    figures: dict[str, Figures] = {}
    made: dict[str, np.ndarray] = {}
    units: Figures = {}
    for name in names:
        print(f"{entry.name}: {name}", flush=True)
        place = out / entry.name / "".join(c if c.isalnum() else "_" for c in name)

        def make(name: str = name, place: Path = place) -> tuple[np.ndarray, Figures]:
            folder = library.stage(entry, [key], place)
            command = [sys.executable, "-m", "benchmarks.ablation", "--run", name, str(folder), str(key), str(steps)]
            subprocess.run(command, check=True)
            pictures = np.stack([_picture(job_folder.result_path(folder, frame)) for frame in scored])
            took = timed.read(folder / "times.json")["CPU s"]
            return pictures, judge.score(pictures, with_jod=False) | {"training CPU s": took}

        what = {"steps": steps, "key": key, "code": [OUR_CODE, code("benchmarks/ablation.py", "benchmarks/metrics.py")]}
        made[name], row = kept(place.with_name(f"{place.name} kept"), what, make)
        units = units or {column: row[column] for column in ("strokes", "strokes revealed")}
        figures[name] = row | {column: row[column] / unit for column, unit in units.items()}
        yield figures
    shown = {name: made[name] for name in names if name in ("all", *list(VARIANTS)[1:5])}
    sheets.worst_frames(shown, judge.truth, scored, names[0], out / f"{entry.name}.png")


def _picture(path: Path) -> np.ndarray:
    return np.array(Image.open(path).convert("RGB"))


def table(report: dict[str, dict[str, Figures]], steps: int) -> str:
    """In Markdown: the mean over the shots, as it is for the whole and as what it changes for the rest."""
    mean = sheets.mean(list(report.values()), list(COLUMNS))
    whole = next(iter(mean))
    lines = [
        f"# What each ingredient is worth: {steps} steps, one key, mean of {', '.join(report)}",
        "",
        "The first row as it is, the others as what the change does.",
        "",
        f"| | {' | '.join(COLUMNS)} |",
        "|" + "---|" * (1 + len(COLUMNS)),
    ]
    for name, row in mean.items():
        cells = [
            format(row[c], how) if name == whole else format(row[c] - mean[whole][c], "+" + how)
            for c, how in COLUMNS.items()
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def main(arguments: list[str] | None = None) -> None:
    """Every variant on every shot; what is done is written after each variant."""
    parser = argparse.ArgumentParser(prog="build.py bench ablation")
    parser.add_argument("named", nargs="*", metavar="NAME=FOLDER[:TRUTH]")
    parser.add_argument("--shots", nargs="+", choices=library.OWN, default=["dancer", "turntable", "demo"])
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument(
        "--variants", nargs="+", choices=VARIANTS, default=list(VARIANTS), help="the first is the whole"
    )
    parser.add_argument("--out", type=Path, default=Path("build/bench/ablation"))
    parser.add_argument("--run", nargs=4, metavar=("VARIANT", "FOLDER", "KEY", "STEPS"), help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.run:
        name, folder, key, steps = args.run
        return run_variant(name, Path(folder), int(key), int(steps))
    args.out.mkdir(parents=True, exist_ok=True)
    shots = [library.named_shot(entry) for entry in args.named]
    shots = shots or [library.own_shot(name, args.out.parent / "shots") for name in args.shots]
    report: dict[str, dict[str, Figures]] = {}
    for entry in shots:
        for figures in score_variants(entry, args.variants, args.steps, args.out):
            report[entry.name] = figures
            job_folder.write_json(args.out / "ablation.json", {"steps": args.steps, "shots": report})
            (args.out / "ablation.md").write_text(table(report, args.steps), encoding="utf-8")
    print(table(report, args.steps))
    return None


if __name__ == "__main__":
    main()
