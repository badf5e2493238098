"""Makes the before and after of the tools' pages again: `python docs/before_after.py`, from the root. For the motion tools a rig
that moves by formula goes through the engine's jobs, and each picture shows one angle of it over the frames; for Combine two
pictures of the demo.

Knows the engine's jobs and matplotlib; nothing of Blender.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "engine")]

from rigs import BIPED, waving  # noqa: E402

from engine import clips, job_folder  # noqa: E402
from engine.jobs import run_folder  # noqa: E402
from engine.motion import decimate  # noqa: E402
from engine.protocol import Clean, Combine, Extrapolate, Loop, Settings  # noqa: E402

PICTURES = Path(__file__).with_name("pictures")
JOINT = 4
GREY, BLUE, ORANGE = "#8a8f98", "#5b8fd9", "#e6963c"


def angle(rotations: np.ndarray) -> np.ndarray:
    """Degrees about the joint's chief axis, of (T, 4)."""
    turns = rotations[:, 1:] * np.sign(rotations[:, :1])
    return np.degrees(2 * np.arcsin(np.clip(turns[:, np.abs(turns).mean(0).argmax()], -1, 1)))


def run(motion: clips.Motion, settings: Settings) -> dict[str, np.ndarray]:
    """A job to its end; its result's arrays."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips.write_clip(folder, motion)
        job_folder.write_job(folder, settings)
        for _ in run_folder(folder):
            pass
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
        job_folder.write_job(folder, Combine("lower", "upper", 1, 1, "MASK", "mask", feather=24.0))
        for _ in run_folder(folder):
            pass
        pictures.append(Image.open(folder / "result" / "0001.png").convert("RGB"))
    row = Image.new("RGB", (4 * side + 3 * 8, side), "white")
    for i, each in enumerate(pictures):
        row.paste(each, (i * (side + 8), 0))
    row.quantize(128).save(PICTURES / "combine.png", optimize=True)


if __name__ == "__main__":
    for make in (loop, clean, reduce_keys, play_on, combine):
        make()
