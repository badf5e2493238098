"""Makes the before and after of the tools' pages again: `python docs/before_after.py [NAME …]`, from the root. For the motion
tools a rig that moves by formula goes through the engine's jobs, and each picture shows one angle of it over the frames; for
Combine two pictures of the demo; for Footage a ball and a wall by formula, filmed and painted.

Knows the engine's jobs and matplotlib; nothing of Blender.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "engine")]

from rigs import BIPED, QUADRUPED, keyed, waving  # noqa: E402
from tiny_footage import FRAMES, write_footage  # noqa: E402

from engine import clips, job_folder  # noqa: E402
from engine.jobs import run_folder  # noqa: E402
from engine.motion import decimate  # noqa: E402
from engine.protocol import (  # noqa: E402
    Clean,
    Combine,
    Extrapolate,
    Inbetween,
    LearnMotion,
    Loop,
    Settings,
    Stylise,
    TrackFootage,
    TrainStyle,
)

PICTURES = Path(__file__).with_name("pictures")
JOINT = 4
LEARN_SECONDS = 300.0
GREY, BLUE, ORANGE = "#8a8f98", "#5b8fd9", "#e6963c"


def angle(rotations: np.ndarray) -> np.ndarray:
    """Degrees about the joint's chief axis, of (T, 4)."""
    turns = rotations[:, 1:] * np.sign(rotations[:, :1])
    return np.degrees(2 * np.arcsin(np.clip(turns[:, np.abs(turns).mean(0).argmax()], -1, 1)))


def finish(folder: Path, settings: Settings) -> None:
    """A job to its end."""
    job_folder.write_job(folder, settings)
    for _ in run_folder(folder):
        pass


def run(motion: clips.Motion, settings: Settings) -> dict[str, np.ndarray]:
    """A job on a clip, to its end; its result's arrays."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips.write_clip(folder, motion)
        finish(folder, settings)
        with np.load(folder / "result" / "clip.npz", allow_pickle=False) as data:
            return dict(data)


def picture(name: str, before: Any, after: Any) -> None:
    """Two plots side by side, each drawn by a function."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 2.4), sharex=True, sharey=True, dpi=100, layout="constrained")
    for ax, title, draw in zip(axes, ("before", "after"), (before, after), strict=True):
        draw(ax)
        ax.set_title(title, fontsize=9, loc="left")
        ax.tick_params(labelsize=7)
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_xlabel("frame", fontsize=8)
    axes[0].set_ylabel("degrees", fontsize=8)
    figure.savefig(PICTURES / f"{name}.png", facecolor="white")
    plt.close(figure)


def loop() -> None:
    """The cycle twice: it jumps, it goes round."""
    motion = waving(BIPED, frames=48, fps=24)
    made = angle(run(motion, Loop(8))["rotations"][:, JOINT])
    given = angle(motion.rotations[:, JOINT])
    rows = np.arange(1, 49)

    def twice(x: np.ndarray) -> Any:
        return lambda ax: (ax.plot(rows, x, BLUE), ax.plot(rows + 47, x, ORANGE), ax.axvline(48, color=GREY, lw=0.6))

    picture("loop", twice(given), twice(made))


def clean() -> None:
    """Jitter on every joint, and what is left of it."""
    motion = waving(BIPED, frames=72, fps=24)
    dice = np.random.default_rng(2)
    motion.rotations[..., 1:] += (0.015 * dice.normal(size=motion.rotations[..., 1:].shape)).astype(np.float32)
    motion.rotations[:] /= np.linalg.norm(motion.rotations, axis=-1, keepdims=True)
    made = angle(run(motion, Clean(0.15))["rotations"][:, JOINT])
    given, rows = angle(motion.rotations[:, JOINT]), np.arange(1, 73)
    picture("clean", lambda ax: ax.plot(rows, given, BLUE), lambda ax: ax.plot(rows, made, ORANGE))


def reduce_keys() -> None:
    """A key on every frame, and the few that keep the curve within a degree."""
    motion = waving(BIPED, frames=72, fps=24)
    curve, rows = angle(motion.rotations[:, JOINT]), np.arange(1, 73)
    ends = np.zeros(72, bool)
    ends[[0, -1]] = True
    nothing = np.full((72, 1, 2), np.nan)
    keys = decimate.decimate(curve[:, None].astype(float), ends, 1.0, decimate.distance, nothing, nothing)

    def keyed(at: np.ndarray, colour: str) -> Any:
        return lambda ax: (
            ax.plot(rows, curve, color=GREY, lw=0.8),
            ax.plot(rows[at], curve[at], "D", ms=3, color=colour),
        )

    picture("reduce_keys", keyed(np.arange(72), BLUE), keyed(keys.rows, ORANGE))


def play_on() -> None:
    """What there was; then how it goes on, and where it would coast to rest without the engine."""
    motion = waving(BIPED, frames=72, fps=24)
    made = run(motion, Extrapolate(48))
    given, rows, later = angle(motion.rotations[:, JOINT]), np.arange(1, 73), np.arange(73, 121)
    acted, plain = (angle(made[name][:, JOINT]) for name in ("rotations", "plain_rotations"))

    def after(ax: Any) -> None:
        ax.plot(rows, given, BLUE)
        ax.plot(later, plain, ":", color=GREY, label="plain curves")
        ax.plot(later, acted, ORANGE, label="played on")
        ax.legend(fontsize=7, frameon=False)

    picture("play_on", lambda ax: ax.plot(rows, given, BLUE), after)


def combine() -> None:
    """The lower strip, the upper one, the mask, and what comes of them: pictures of docs/contact_sheet.png."""
    sheet, side = Image.open(PICTURES.with_name("contact_sheet.png")).convert("RGB"), 240
    crops = {"lower": (52, 155, 562, 665), "upper": (1140, 155, 1650, 665)}
    pictures = [sheet.crop(box).resize((side, side)) for box in crops.values()]
    across = np.tile(np.linspace(0, 2, side) > 1, (side, 1)).astype(np.uint8) * 255
    pictures.append(Image.fromarray(across).convert("RGB"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part, each in zip(("lower", "upper", "mask"), pictures, strict=True):
            (folder / part).mkdir()
            each.convert("RGBA").save(folder / part / "0001.png")
        finish(folder, Combine("lower", "upper", 1, 1, "MASK", "mask", feather=24.0))
        pictures.append(Image.open(folder / "result" / "0001.png").convert("RGB"))
    save_rows("combine", pictures)


def save_rows(name: str, *rows: list[Image.Image]) -> None:
    """Pictures of one size beside each other, rows of them below each other."""
    width, height = rows[0][0].size
    sheet = Image.new("RGB", (len(rows[0]) * (width + 8) - 8, len(rows) * (height + 8) - 8), "white")
    for y, row in enumerate(rows):
        for x, each in enumerate(row):
            sheet.paste(each, (x * (width + 8), y * (height + 8)))
    sheet.quantize(128).save(PICTURES / f"{name}.png", optimize=True)


def footage() -> None:
    """Frames as filmed; below them as painted from two keys, which are framed."""
    shown, keys, size = (2, 5, 8, 11), (2, 11), (240, 180)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_footage(folder, keys=keys)
        for settings in (TrackFootage(), TrainStyle(list(keys), seconds=60.0), Stylise(FRAMES[0], FRAMES[-1])):
            finish(folder, settings)
        paths = (job_folder.frame_path, job_folder.result_path)
        rows = [[Image.open(path(folder, frame)).convert("RGB").resize(size) for frame in shown] for path in paths]
    for key in keys:
        frame = ImageDraw.Draw(rows[1][shown.index(key)])
        frame.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=ORANGE, width=4)
    save_rows("footage", *rows)


def part(motion: clips.Motion, rows: slice) -> clips.Motion:
    """Some frames of a motion."""
    frames = len(motion.rotations[rows])
    arrays = {
        field.name: value[rows]
        for field in fields(motion)
        if isinstance(value := getattr(motion, field.name), np.ndarray) and len(value) == len(motion.rotations)
    }
    return replace(motion, clip=replace(motion.clip, frame_start=1, frame_end=frames), **arrays)


def learn() -> None:
    """An in-between of motion that was held back, by the shipped network and by what it learned from the rig's own: how many
    degrees it is off, the joints' mean."""
    motion = waving(QUADRUPED, frames=400)
    held, frames = part(motion, slice(300, 400)), np.arange(1, 101)
    rows = [row for row in range(100) if row % 30 < 8]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips.write_clip(folder / "clips", part(motion, slice(300)))
        finish(folder, LearnMotion(seconds=LEARN_SECONDS))
        styles = ("", str(folder / "learned"))
        shipped, own = (run(keyed(held, rows), Inbetween(learned=style))["rotations"] for style in styles)

    def off(made: np.ndarray, colour: str) -> Any:
        dots = np.abs((made * held.rotations).sum(-1)).clip(0, 1)
        degrees = np.degrees(2 * np.arccos(dots)).mean(-1)
        print(f"{degrees.mean():.2f} degrees")
        return lambda ax: (
            ax.fill_between(frames, degrees, color=colour, lw=0),
            ax.plot(frames[rows], 0 * frames[rows], "D", ms=2, color=GREY, clip_on=False),
        )

    picture("learn", off(shipped, BLUE), off(own, ORANGE))


if __name__ == "__main__":
    makers = {make.__name__: make for make in (loop, clean, reduce_keys, play_on, combine, footage, learn)}
    for name in sys.argv[1:] or makers:
        makers[name]()
