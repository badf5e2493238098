"""The kinds of job and the models that each offers. A job is a generator function of a job folder and its settings; its
module is imported at its first use, so that an engine is ready before any of them is. It knows nothing of how they work."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from engine import protocol
from engine.progress import Outcome, Update

Steps = Generator[Update, None, Outcome]
Job = Callable[[Path, Any], Steps]


def train_style(folder: Path, settings: protocol.TrainStyle) -> Steps:
    """Train a network on the painted keys; writes style/."""
    from engine.stylise.train import train_style as job

    return job(folder, settings)


def stylise(folder: Path, settings: protocol.Stylise) -> Steps:
    """Paint frames with the weights in style/; writes result/."""
    from engine.stylise.infer import stylise as job

    return job(folder, settings)


def inbetween(folder: Path, settings: protocol.Inbetween) -> Steps:
    """Fill the frames between the keys of clip.npz; writes result/clip.npz."""
    from engine.motion.infer import inbetween as job

    return job(folder, settings)


def extrapolate(folder: Path, settings: protocol.Extrapolate) -> Steps:
    """Play on after the last frame of clip.npz; writes result/clip.npz."""
    from engine.motion.infer import extrapolate as job

    return job(folder, settings)


JOBS: dict[str, Job] = {
    "train_style": train_style,
    "stylise": stylise,
    "inbetween": inbetween,
    "extrapolate": extrapolate,
}
MODELS: dict[str, list[str]] = {
    "train_style": ["anchor_gan"],
    "stylise": ["anchor_gan"],
    "inbetween": ["lstm", "baseline"],
    "extrapolate": ["lstm", "baseline"],
}
