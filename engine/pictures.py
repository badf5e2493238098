"""Pictures of any depth as arrays and back: PNG of 8 and 16 bits, EXR. What a file says of itself (its metadata) goes along. It
knows single files, neither shots nor job folders.

A picture is (H, W, 4) float32. PNG: sRGB, 0 to 1, alpha straight. EXR: linear, colours already multiplied by alpha.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
from PIL import Image

from engine.protocol import MAX_SIDE, JobError

DEPTHS = ("8", "16", "EXR")  # in order of what they can hold


def find_picture(folder: Path, frame: int) -> Path | None:
    """The file of a frame, NNNN.exr or NNNN.png."""
    paths = (folder / f"{frame:04d}{suffix}" for suffix in (".exr", ".png"))
    return next((path for path in paths if path.is_file()), None)


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height, by the file's head alone. Raises JobError."""
    try:
        if path.suffix == ".exr":
            low, high = OpenEXR.File(str(path), header_only=True).parts[0].header["dataWindow"]
            return int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1
        with Image.open(path, formats=("PNG",)) as image:
            return image.size
    except (OSError, SyntaxError, ValueError, KeyError, RuntimeError, Image.DecompressionBombError) as error:
        raise _damaged(path) from error


def read_picture(path: Path) -> tuple[np.ndarray, str]:
    """The picture and its depth, one of DEPTHS. Raises JobError."""
    if max(picture_size(path)) > MAX_SIDE:
        raise JobError(f"{path} is larger than {MAX_SIDE} pixels; make it smaller.")
    if path.suffix == ".exr":
        return _read_exr(path), "EXR"
    # Pillow brings 16 bits down to 8; cv2 keeps them, but is told of no colour space, which is as it should be.
    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise _damaged(path)
    depth = "16" if pixels.dtype == np.uint16 else "8"
    picture = pixels.astype(np.float32) / (65535 if depth == "16" else 255)
    if picture.ndim == 2:
        picture = np.repeat(picture[..., None], 3, -1)
    picture[..., :3] = picture[..., 2::-1]  # cv2 reads blue first
    return _with_alpha(picture), depth


def _read_exr(path: Path) -> np.ndarray:
    try:
        channels = OpenEXR.File(str(path), separate_channels=True).parts[0].channels
        named = {name.rpartition(".")[2]: channel.pixels for name, channel in channels.items()}
        names = "RGB" if "R" in named else "YYY"
        planes = [np.asarray(named[name], np.float32) for name in names + ("A" if "A" in named else "")]
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    picture = np.stack(planes, -1)
    if not np.isfinite(picture).all():
        raise JobError(f"{path} holds values that are not finite; render it again.")
    return _with_alpha(picture)


def _with_alpha(picture: np.ndarray) -> np.ndarray:
    """(H, W, 4) of (H, W, 3|4)."""
    return picture if picture.shape[2] == 4 else np.dstack([picture, np.ones(picture.shape[:2], np.float32)])


def _damaged(path: Path) -> JobError:
    return JobError(f"{path} is damaged or no {'OpenEXR file' if path.suffix == '.exr' else 'PNG'}; make it again.")


def read_about(path: Path) -> dict[str, str]:
    """What the file says of itself; empty where there is no such file, nothing in it, or it cannot be read."""
    try:
        if path.suffix == ".exr":
            header = OpenEXR.File(str(path), header_only=True).parts[0].header
            return {str(key): value for key, value in header.items() if isinstance(value, str)}
        with Image.open(path, formats=("PNG",)) as image:
            return {str(key): value for key, value in image.info.items() if isinstance(value, str)}
    except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError):
        return {}


def write_picture(path: Path, picture: np.ndarray, depth: str, about: Mapping[str, str]) -> None:
    """Write a picture, (H, W, 3|4) float or for 8 bits uint8, alpha left out where it is 1 all over; under a temporary name
    first. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    most = 255 if picture.dtype == np.uint8 else 1
    shown = picture if picture.shape[2] == 4 and (picture[..., 3] < most).any() else picture[..., :3]
    try:
        if depth == "EXR":
            header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **about}
            half = np.ascontiguousarray(shown, np.float16)
            OpenEXR.File(header, {"RGBA" if shown.shape[2] == 4 else "RGB": half}).write(str(partial))
        else:
            partial.write_bytes(_png(shown, depth, about))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _png(picture: np.ndarray, depth: str, about: Mapping[str, str]) -> bytes:
    """The bytes of a PNG. Rows as differences to the left, packed by run lengths: a third of the time that the usual search takes
    for paintings, and no larger."""
    pixels = picture
    if pixels.dtype != np.uint8:
        most, kind = (65535, ">u2") if depth == "16" else (255, "u1")
        pixels = np.rint(np.clip(picture, 0, 1) * most).astype(kind)
    height, width, channels = pixels.shape
    rows, step = np.ascontiguousarray(pixels).reshape(height, -1).view(np.uint8), channels * pixels.itemsize
    filtered = np.empty((height, 1 + rows.shape[1]), np.uint8)
    filtered[:, 0] = 1
    filtered[:, 1 : 1 + step] = rows[:, :step]
    np.subtract(rows[:, step:], rows[:, :-step], out=filtered[:, 1 + step :])
    packer = zlib.compressobj(1, zlib.DEFLATED, 15, 8, zlib.Z_RLE)
    head = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, 2 if channels == 3 else 6, 0, 0, 0)
    words = [
        _chunk(b"iTXt", key.encode("latin-1", "replace") + bytes(5) + text.encode()) for key, text in about.items()
    ]
    data = _chunk(b"IDAT", packer.compress(filtered.data) + packer.flush())
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + b"".join(words) + data + _chunk(b"IEND", b"")


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def to_linear(srgb: np.ndarray) -> np.ndarray:
    """sRGB values, 0 to 1, as light."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((np.maximum(srgb, 0) + 0.055) / 1.055) ** 2.4).astype(np.float32)
