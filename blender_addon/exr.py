"""Reads the multilayer OpenEXR files that Blender writes for a capture (scan lines, ZIP or none; one part or one a pass), for
Blender itself opens no multilayer file for scripts. numpy and zlib; knows neither Blender nor job folders."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MAGIC = 20000630
MULTI_PART, TILED_OR_DEEP = 0x1000, 0x200 | 0x800
LINES = {0: 1, 2: 1, 3: 16}  # by compression: rows a block. 0 none, 2 ZIPS, 3 ZIP
KINDS: dict[int, np.dtype] = {0: np.dtype("<u4"), 1: np.dtype("<f2"), 2: np.dtype("<f4")}
MAX_PIXELS = 1 << 28


class ExrError(Exception):
    """The file is damaged or of another kind; str() says so."""


@dataclass(frozen=True)
class _Part:
    """One header. channels: (name, kind) in the order of the file; lines: rows a block; blocks: where they begin."""

    channels: tuple[tuple[str, np.dtype], ...]
    width: int
    height: int
    top: int
    lines: int
    blocks: tuple[int, ...]


def read_channels(path: Path, wanted: Sequence[Sequence[str]]) -> list[np.ndarray]:
    """One (H, W) float32 for each entry of `wanted`: the first channel whose full name, with a dot before it, ends in one of
    the entry's. Raises ExrError."""
    try:
        data = path.read_bytes()
        parts, multi = _parts(data)
        places = [_find(parts, endings) for endings in wanted]
        planes: dict[tuple[int, str], np.ndarray] = {}
        for part in {id(part): part for part, _ in places}.values():
            names = [name for owner, name in places if owner is part]
            planes |= {(id(part), name): plane for name, plane in _read(data, part, names, multi).items()}
        return [planes[id(part), name] for part, name in places]
    except (OSError, ValueError, IndexError, KeyError, struct.error, zlib.error) as error:
        raise ExrError(f"{path} is damaged or no capture of Blender's.") from error


def _find(parts: list[_Part], endings: Sequence[str]) -> tuple[_Part, str]:
    for ending in endings:
        for part in parts:
            for name, _ in part.channels:
                if f".{name}".endswith(f".{ending}"):
                    return part, name
    raise KeyError(endings)


def _parts(data: bytes) -> tuple[list[_Part], bool]:
    """All headers, and whether blocks begin with the number of their part."""
    magic, flags = struct.unpack_from("<ii", data)
    if magic != MAGIC or flags & TILED_OR_DEEP:
        raise ValueError  # another kind of file
    multi, at, headers = bool(flags & MULTI_PART), 8, []
    while True:
        header, at = _header(data, at)
        if header:
            headers.append(header)
        if not (multi and header):
            break
    parts = []
    for header in headers:
        part, at = _part(data, header, at)
        parts.append(part)
    return parts, multi


def _header(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    """The attributes, and where they end."""
    found = {}
    while data[at]:
        name, at = _name(data, at)
        _, at = _name(data, at)
        size = struct.unpack_from("<i", data, at)[0]
        found[name] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found, at + 1


def _name(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(0, at)
    return data[at:end].decode("utf-8", "replace"), end + 1


def _part(data: bytes, header: dict[str, bytes], at: int) -> tuple[_Part, int]:
    left, top, right, bottom = struct.unpack("<4i", header["dataWindow"])
    width, height, lines = right - left + 1, bottom - top + 1, LINES[header["compression"][0]]
    if not 0 < width * height <= MAX_PIXELS:
        raise ValueError
    channels: list[tuple[str, np.dtype]] = []
    listed, place = header["channels"], 0
    while listed[place]:
        name, place = _name(listed, place)
        channels.append((name, KINDS[struct.unpack_from("<i", listed, place)[0]]))
        place += 16  # kind, how it is stored, and twice the sampling
    count = math.ceil(height / lines)
    blocks = struct.unpack_from(f"<{count}Q", data, at)
    return _Part(tuple(channels), width, height, top, lines, blocks), at + 8 * count


def _read(data: bytes, part: _Part, wanted: list[str], multi: bool) -> dict[str, np.ndarray]:
    """Channels of a part by name, each (H, W) float32."""
    planes = {name: np.empty((part.height, part.width), np.float32) for name in wanted}
    ends = np.cumsum([part.width * kind.itemsize for _, kind in part.channels])
    for block in part.blocks:
        y, size = struct.unpack_from("<ii", data, block + 4 * multi)
        start, y = block + 4 * multi + 8, y - part.top
        rows = min(part.lines, part.height - y)
        raw = _unpacked(data[start : start + size], rows * int(ends[-1])).reshape(rows, -1)
        for (name, kind), end in zip(part.channels, ends, strict=True):
            if name in planes:
                plane = np.ascontiguousarray(raw[:, end - part.width * kind.itemsize : end])
                planes[name][y : y + rows] = plane.view(kind)
    return planes


def _unpacked(block: bytes, size: int) -> np.ndarray:
    """(size,) uint8. What would not have become smaller is stored as it was."""
    if len(block) >= size:
        return np.frombuffer(block, np.uint8, size)
    packed = np.frombuffer(zlib.decompress(block), np.uint8)
    # Each byte is the difference to the one before, plus 128; then come all even bytes, then all odd ones.
    turned = np.cumsum(packed, dtype=np.uint8)
    turned[1::2] -= np.uint8(128)
    whole = np.empty(size, np.uint8)
    half = (size + 1) // 2
    whole[::2], whole[1::2] = turned[:half], turned[half:]
    return whole
