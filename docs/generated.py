"""Makes the before and after of docs/generate.md again: `python docs/generated.py`, from the root. Effects that a script
simulates are learned and played on by the engine; above each sheet's line is what there was, below it what was made.

Knows the engine's jobs and the benchmarks' effects; nothing of Blender.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.effects import clip  # noqa: E402
from engine.job_folder import frame_path, write_job  # noqa: E402
from engine.jobs import run_folder  # noqa: E402
from engine.protocol import Generate, LearnSequence  # noqa: E402

PICTURES = Path(__file__).with_name("pictures")
SIDE, FRAMES, SHOWN = 128, 48, 8
GREY, LINE = (48, 48, 48), (230, 150, 60)
# Of each sheet: the effect, what is asked for, every how many frames are shown.
SHEETS = {
    "continue": ("flame", Generate("CONTINUE", count=48), 6),
    "loop": ("flame", Generate("LOOP", count=32), 4),
    "vary": ("smoke", Generate("VARY", count=48, variation=0.8, seed=3), 6),
    "between": ("flag", Generate("BETWEEN", slow=1), 1),
    "animate": ("flag", Generate("ANIMATE", count=32), 4),
}


def over_grey(picture: np.ndarray) -> Image.Image:
    """(H, W, 4) over the grey of Blender's editors."""
    image = Image.fromarray(picture, "RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, (*GREY, 255)), image).convert("RGB")


def run(folder: Path, settings: Generate | LearnSequence) -> list[Path]:
    """A job to its end; its results."""
    write_job(folder, settings)
    steps = run_folder(folder)
    while True:
        try:
            update = next(steps)
            print(f"\r{folder.name}: {update.done:4.0%} {update.text:60}", end="", flush=True)
        except StopIteration as end:
            print()
            return [folder / name for name in end.value.results]


def write_frames(folder: Path, pictures: dict[int, np.ndarray]) -> None:
    (folder / "frames").mkdir(parents=True, exist_ok=True)
    for frame, picture in pictures.items():
        Image.fromarray(picture, "RGBA").save(frame_path(folder, frame))


def sheet(before: list[np.ndarray], after: list[np.ndarray], path: Path) -> None:
    """Two rows, a line between them."""
    picture = Image.new("RGB", (SHOWN * SIDE, 2 * SIDE + 4), GREY)
    picture.paste(LINE, (0, SIDE, SHOWN * SIDE, SIDE + 4))
    for row, pictures in enumerate((before, after)):
        for i, each in enumerate(pictures[:SHOWN]):
            picture.paste(over_grey(each), (i * SIDE, row * (SIDE + 4)))
    picture.quantize(128).save(path, optimize=True)


def make(name: str, seconds: float, work: Path) -> None:
    """One sheet."""
    effect, settings, step = SHEETS[name]
    pictures = dict(enumerate(clip(effect, FRAMES, SIDE), 1))
    folder = work / f"{effect}-{name}"
    before = [pictures[frame] for frame in range(1, FRAMES + 1, step)]
    if name == "between":
        pictures = {frame: picture for frame, picture in pictures.items() if frame % 2}
        nothing = np.zeros((SIDE, SIDE, 4), np.uint8)
        before = [pictures.get(frame, nothing) for frame in range(1, SHOWN + 1)]
    if name == "animate":
        learned = work / effect
        write_frames(learned, pictures)
        run(learned, LearnSequence(seconds=seconds))
        pictures = {1: clip(effect, 1, SIDE, seed=5)[0]}
        before, settings = [pictures[1]], replace(settings, learned=str(learned / "sequence"))
    write_frames(folder, pictures)
    made = {int(path.stem): path for path in run(folder, replace(settings, seconds=seconds))}
    frames = sorted(made)[::step]
    after = [np.array(Image.open(made[frame]).convert("RGBA")) for frame in frames]
    sheet(before, after, PICTURES / f"generate_{name}.png")


def main() -> None:
    """All sheets, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(SHEETS), metavar="NAME", help=", ".join(SHEETS))
    parser.add_argument("--seconds", type=float, default=240.0, help="for learning, each")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        for name in options.names or SHEETS:
            make(name, options.seconds, Path(work))


if __name__ == "__main__":
    main()
