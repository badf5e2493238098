"""Pictures and guides of a shot as arrays, and finished pictures back as files. PNG by Pillow, multilayer EXR by OpenEXR, in
the layouts of Blender 4.x and 5.x. It knows files and their faults, and nothing of what is done with the arrays."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image, PngImagePlugin

from engine import protocol
from engine.protocol import JobError, Shot

_PASSES = {protocol.geometry_path: protocol.GEOMETRY_PASSES, protocol.albedo_path: protocol.ALBEDO_PASSES}


def _expect(path: Path, remedy: str) -> None:
    if not path.is_file():
        raise JobError(f"{path} is missing; {remedy}.")


def _check_size(path: Path, size: tuple[int, int], shot: Shot, remedy: str) -> None:
    if size != (shot.width, shot.height):
        raise JobError(f"{path} is {size[0]} x {size[1]} and the shot {shot.width} x {shot.height} pixels; {remedy}.")


# --- pictures --------------------------------------------------------------------------------------------------------


def _read_picture(path: Path, shot: Shot, mode: str, remedy: str) -> np.ndarray:
    """(H, W, 3|4) uint8 sRGB. The size is checked in the header, before a pixel is allocated."""
    _expect(path, remedy)
    try:
        with Image.open(path, formats=("PNG",)) as image:
            _check_size(path, image.size, shot, remedy)
            return np.array(image.convert(mode))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, JobError):
            raise
        raise JobError(f"{path} is damaged or no PNG; {remedy}.") from error


def read_frame(folder: Path, shot: Shot, frame: int) -> np.ndarray:
    """The shot's own picture: (H, W, 3) uint8 sRGB. Raises JobError."""
    return _read_picture(protocol.frame_path(folder, frame), shot, "RGB", f"capture frame {frame} again")


def read_key(folder: Path, shot: Shot, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """The painted frame: (H, W, 3) uint8 sRGB and (H, W) bool, true where it is painted. Raises JobError."""
    path = protocol.key_path(folder, frame)
    rgba = _read_picture(path, shot, "RGBA", "save the painted frame again, as PNG in the shot's size")
    painted = rgba[..., 3] > 127
    if not painted.any():
        raise JobError(f"{path} is transparent all over; paint something on it.")
    return rgba[..., :3], painted


def read_metadata(path: Path) -> dict[str, str]:
    """The text chunks of a PNG; empty where there is no such file, none of them, or no PNG."""
    try:
        with Image.open(path, formats=("PNG",)) as image:
            return {key: value for key, value in image.info.items() if isinstance(value, str)}
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return {}


def write_picture(path: Path, picture: np.ndarray, metadata: dict[str, str]) -> None:
    """Write (H, W, 3|4) uint8 sRGB with text chunks, under a temporary name first. Raises OSError."""
    text = PngImagePlugin.PngInfo()
    for key, value in metadata.items():
        text.add_text(key, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        Image.fromarray(picture).save(partial, "PNG", pnginfo=text, compress_level=3)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


# --- guides ----------------------------------------------------------------------------------------------------------


def _read_layers(path: Path, shot: Shot, remedy: str) -> dict[str, np.ndarray]:
    """Every channel by its full name, (H, W). 5.x files have one part a pass, 4.x files one part for all."""
    _expect(path, remedy)
    try:
        promised = 0
        for part in OpenEXR.File(str(path), header_only=True).parts:
            low, high = part.header["dataWindow"]
            _check_size(path, (int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1), shot, remedy)
            promised += len(part.header["channels"])
        parts = OpenEXR.File(str(path), separate_channels=True).parts
        layers = {name: channel.pixels for part in parts for name, channel in part.channels.items()}
        if len(layers) < promised:  # of a file that breaks off, OpenEXR leaves out what it cannot read
            raise ValueError("channels without pixels")
        return layers
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, JobError):
            raise
        raise JobError(f"{path} is damaged or no OpenEXR file; {remedy}.") from error


def _pick_pass(layers: dict[str, np.ndarray], names: tuple[str, ...], channels: str) -> np.ndarray | None:
    """(H, W, C) float32 of the first pass name that the file has: a channel is called Layer.Pass.X or Pass.X."""
    for name in names:
        found = [next((v for k, v in layers.items() if f".{k}".endswith(f".{name}.{c}")), None) for c in channels]
        if all(plane is not None for plane in found):
            return np.stack([np.asarray(plane, np.float32) for plane in found], -1)
    return None


def read_guides(folder: Path, shot: Shot, frame: int, names: list[str]) -> dict[str, np.ndarray]:
    """The named guides of a frame, each (H, W, C) float32. Raises JobError, also for a value that is not finite."""
    remedy = f"capture frame {frame} again"
    guides = {}
    for locate, passes in _PASSES.items():
        wanted = [name for name in names if name in passes]
        if not wanted:
            continue
        path = locate(folder, frame)
        layers = _read_layers(path, shot, remedy)
        for name in wanted:
            *spellings, channels = passes[name]
            guide = _pick_pass(layers, tuple(spellings), channels)
            if guide is None:
                raise JobError(f"{path} has no pass '{spellings[-1]}' for the guide '{name}'; {remedy}.")
            if not np.isfinite(guide).all():
                raise JobError(f"The guide '{name}' in {path} holds values that are not finite; {remedy}.")
            guides[name] = guide
    return guides
