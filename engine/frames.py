"""Pictures and guides of a shot as arrays. PNG by Pillow, multilayer EXR by OpenEXR, in the layouts of Blender 4.x and 5.x; what
is finished is written by engine.pictures. It knows files and their faults, and nothing of what is done with the arrays."""

from __future__ import annotations

import hashlib
import io
import struct
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image

from engine import exr_parts, job_folder, protocol
from engine.protocol import JobError, Shot

_PASSES = {job_folder.geometry_path: protocol.GEOMETRY_PASSES, job_folder.albedo_path: protocol.ALBEDO_PASSES}


def _expect(path: Path, remedy: str) -> None:
    if not path.is_file():
        raise JobError(f"{path} is missing; {remedy}.")


def _check_size(path: Path, size: tuple[int, int], shot: Shot, remedy: str) -> None:
    if size != (shot.width, shot.height):
        raise JobError(f"{path} is {size[0]} x {size[1]} and the shot {shot.width} x {shot.height} pixels; {remedy}.")


# --- pictures --------------------------------------------------------------------------------------------------------


def _read_picture(path: Path, shot: Shot, mode: str, remedy: str, any_size: bool = False) -> np.ndarray:
    """(H, W, 3|4) uint8 sRGB. mode: Pillow's, RGB or RGBA; "" for RGB if the picture has no alpha, else RGBA. The size is checked
    in the header, before a pixel is allocated; with `any_size` the picture may have another than the shot's if the sides are
    in proportion, and is resampled."""
    _expect(path, remedy)
    try:
        with Image.open(path, formats=("PNG",)) as image:
            if not (any_size and _in_proportion(image.size, shot)):
                _check_size(path, image.size, shot, remedy)
            read = image.convert(
                mode or ("RGB" if image.mode == "RGB" and "transparency" not in image.info else "RGBA")
            )
            if read.size != (shot.width, shot.height):
                read = read.resize((shot.width, shot.height), Image.Resampling.LANCZOS)
            return np.array(read)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        if isinstance(error, JobError):
            raise
        raise JobError(f"{path} is damaged or no PNG; {remedy}.") from error


def read_frame(folder: Path, shot: Shot, frame: int) -> np.ndarray:
    """The shot's own picture: (H, W, 3) uint8 sRGB. Raises JobError."""
    return _read_picture(job_folder.frame_path(folder, frame), shot, "RGB", f"capture frame {frame} again")


def read_frame_alpha(folder: Path, shot: Shot, frame: int) -> tuple[np.ndarray, np.ndarray | None]:
    """The shot's own picture, (H, W, 3) uint8 sRGB, and its alpha, (H, W) uint8; None where it is opaque. Raises JobError."""
    read = _read_picture(job_folder.frame_path(folder, frame), shot, "", f"capture frame {frame} again")
    alpha = read[..., 3] if read.shape[2] == 4 else None
    return read[..., :3], None if alpha is None or (alpha == 255).all() else alpha


def read_edges(folder: Path, shot: Shot, frame: int) -> np.ndarray:
    """The guide "edges": (H, W, 3) uint8. Raises JobError."""
    return _read_picture(job_folder.edges_path(folder, frame), shot, "RGB", f"capture frame {frame} again")


def _in_proportion(size: tuple[int, int], shot: Shot) -> bool:
    """Whether a picture of this size shows the same when made the shot's size: to a pixel of its shorter side."""
    width, height = size
    sane = min(size) > 0 and max(size) <= protocol.MAX_SIDE
    return sane and abs(width * shot.height - height * shot.width) <= max(shot.width, shot.height, width, height)


def key_size(folder: Path, frame: int) -> tuple[int, int] | None:
    """Width and height of a painted frame, from its header; None where there is no picture."""
    try:
        with Image.open(job_folder.key_path(folder, frame), formats=("PNG",)) as image:
            return image.size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def read_key(folder: Path, shot: Shot, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """The painted frame: (H, W, 3) uint8 sRGB and (H, W) bool, true where it is painted. One of another size than the shot's
    is resampled. Raises JobError, also for one of other proportions."""
    path = job_folder.key_path(folder, frame)
    remedy = "save the painted frame again, as PNG in the shot's size"
    rgba = _read_picture(path, shot, "RGBA", remedy, any_size=True)
    painted = rgba[..., 3] > 127
    if not painted.any():
        raise JobError(f"{path} is transparent all over; paint something on it.")
    return rgba[..., :3], painted


def digest(folder: Path, frame: int) -> str:
    """Short name of what was captured of a frame: changes when the frame is captured anew and looks different. Of an EXR file
    the head is enough, which tells how long every block of pixels is."""
    parts = hashlib.sha256()
    pictures = (job_folder.frame_path, job_folder.edges_path, *_PASSES)
    for path in (locate(folder, frame) for locate in pictures):
        if path.is_file():
            with path.open("rb") as file:
                parts.update(file.read(1 << 16) + str(path.stat().st_size).encode())
    return parts.hexdigest()[:12]


# --- guides ----------------------------------------------------------------------------------------------------------


def _read_layers(path: Path, shot: Shot, endings: tuple[str, ...], remedy: str) -> dict[str, np.ndarray]:
    """Every channel whose full name, with a dot before it, ends so, and those that lie in one part with it, (H, W). 5.x files
    have one part a pass, 4.x files one part for all."""
    _expect(path, remedy)
    try:
        promised, wanted = 0, []
        for number, part in enumerate(OpenEXR.File(str(path), header_only=True).parts):
            low, high = part.header["dataWindow"]
            _check_size(path, (int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1), shot, remedy)
            if any(f".{channel.name}".endswith(endings) for channel in part.header["channels"]):
                wanted.append(number)
                promised += len(part.header["channels"])
        some = exr_parts.keep(path, wanted) if wanted else None
        layers: dict[str, np.ndarray] = {}
        for part in OpenEXR.File(io.BytesIO(some) if some else str(path), separate_channels=True).parts:
            layers |= {name: channel.pixels for name, channel in part.channels.items()}
        if len(layers) < promised:  # of a file that breaks off, OpenEXR leaves out what it cannot read
            raise ValueError("channels without pixels")
        return layers
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, struct.error) as error:
        if isinstance(error, JobError):
            raise
        raise JobError(f"{path} is damaged or no OpenEXR file; {remedy}.") from error


def _stack_pass(layers: dict[str, np.ndarray], name: str, channels: str) -> np.ndarray | None:
    """(H, W, C) float32 of the pass, plane by plane in memory; None where the file lacks it: its channels are called Layer.Pass.X
    or Pass.X."""
    found = [next((v for k, v in layers.items() if f".{k}".endswith(f".{name}.{c}")), None) for c in channels]
    planes = [np.asarray(plane, np.float32) for plane in found if plane is not None]
    return np.moveaxis(np.stack(planes), 0, -1) if len(planes) == len(channels) else None


def read_passes(path: Path, shot: Shot, passes: dict[str, tuple[str, str, str]], remedy: str) -> dict[str, np.ndarray]:
    """The passes of a multilayer EXR, each (H, W, C) float32. passes: our name → (name in 4.x, name in 5.x, channels).
    Raises JobError that ends in `remedy`, also for a value that is not finite."""
    endings = tuple(
        f".{name}.{channel}" for old, new, channels in passes.values() for name in (old, new) for channel in channels
    )
    layers = _read_layers(path, shot, endings, remedy)
    read = {}
    for ours, (old, new, channels) in passes.items():
        found = next((p for name in (old, new) if (p := _stack_pass(layers, name, channels)) is not None), None)
        if found is None:
            raise JobError(f"{path} has no pass '{new}' for the guide '{ours}'; {remedy}.")
        if not np.isfinite(found).all():
            raise JobError(f"The guide '{ours}' in {path} holds values that are not finite; {remedy}.")
        read[ours] = found
    return read


def read_guides(folder: Path, shot: Shot, frame: int, names: list[str]) -> dict[str, np.ndarray]:
    """The named guides of a frame, each (H, W, C) float32. Raises JobError, also for a value that is not finite."""
    guides: dict[str, np.ndarray] = {}
    for locate, passes in _PASSES.items():
        if wanted := {name: passes[name] for name in names if name in passes}:
            guides |= read_passes(locate(folder, frame), shot, wanted, f"capture frame {frame} again")
    return guides
