"""Some parts of an OpenEXR file of several, as a file in memory: Blender 5 writes a part a pass, and what nobody asked for
need not be unpacked. It knows the file's layout, not its pixels."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

_MULTI_PART, _OTHERS = 0x1000, 0x200 | 0x800  # flags: several parts; tiles or deep pixels


def keep(path: Path, wanted: list[int]) -> bytes | None:
    """The file with the parts of these numbers alone; None where it has one part or is of another kind, and is to be read
    whole. Raises OSError, and ValueError for a damaged one."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            return _keep(data, wanted)
        except (struct.error, IndexError, OverflowError) as error:  # a place that is not in the file
            raise ValueError("the file breaks off") from error


def _keep(data: mmap.mmap, wanted: list[int]) -> bytes | None:
    flags = struct.unpack_from("<i", data, 4)[0]
    if not flags & _MULTI_PART or flags & _OTHERS:
        return None
    headers: list[tuple[int, int, int]] = []
    at = 8
    while data[at]:
        start = at
        count, at = _header(data, at)
        headers.append((start, at, count))
    table, room = at + 1, len(data)
    pieces = [data[:8]]
    chunks: list[list[bytes]] = []
    for number, (start, end, count) in enumerate(headers):
        if number in wanted:
            pieces.append(data[start:end])
            chunks.append([])
            for place in struct.unpack_from(f"<{count}Q", data, table):
                chunks[-1].append(_chunk(data, place))
                room -= len(chunks[-1][-1])
                if room < 0:
                    raise ValueError("chunks that lie in each other")
        table += 8 * count
    return b"".join(_join([*pieces, b"\0"], chunks))


def _header(data: mmap.mmap, at: int) -> tuple[int, int]:
    """How many chunks of pixels a part has, and where its header ends."""
    count = -1
    while data[at]:
        name = data.find(b"\0", at)
        kind = data.find(b"\0", name + 1)
        value = kind + 5
        if name < 0 or kind < 0:
            raise ValueError("a header without an end")
        if data[at:name] == b"chunkCount":
            count = struct.unpack_from("<i", data, value)[0]
        size = struct.unpack_from("<i", data, kind + 1)[0]
        if size < 0:
            raise ValueError("a header that leads back")
        at = value + size
    if not 0 <= count < 1 << 20:
        raise ValueError("a part without chunks")
    return count, at + 1


def _chunk(data: mmap.mmap, place: int) -> bytes:
    """From its row on: what comes before is the number of its part."""
    size = struct.unpack_from("<i", data, place + 8)[0]
    if size < 0 or place + 12 + size > len(data):
        raise ValueError("the file breaks off")
    return data[place + 4 : place + 12 + size]


def _join(head: list[bytes], chunks: list[list[bytes]]) -> list[bytes]:
    """Headers, tables of where chunks begin, chunks: all of a file."""
    at = sum(map(len, head)) + 8 * sum(map(len, chunks))
    tables, rest = [], []
    for number, part in enumerate(chunks):
        places = []
        for chunk in part:
            places.append(at)
            rest += [struct.pack("<i", number), chunk]
            at += 4 + len(chunk)
        tables.append(struct.pack(f"<{len(places)}Q", *places))
    return [*head, *tables, *rest]
