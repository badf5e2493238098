"""Job folders as capture, painting, training and stylising leave them, made without Blender. Knows no assertion."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from engine.job_folder import frame_path, key_path, result_path, write_json
from engine.protocol import Shot


def write_picture(path: Path, side: int = 32) -> None:
    """A grey PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head, rows = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0), (b"\0" + b"\x80" * 3 * side) * side
    path.parent.mkdir(parents=True, exist_ok=True)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def write_trained_shot(
    folder: Path, frames: int = 4, side: int = 32, keys: tuple[int, ...] = (1,), results: int = 4
) -> Path:
    """A job folder as capture, painting, training and stylising leave it, as far as the panel looks at it."""
    for frame in range(1, frames + 1):
        write_picture(frame_path(folder, frame), side)
    for frame in keys:
        write_picture(key_path(folder, frame), side)
    for frame in range(1, results + 1):
        write_picture(result_path(folder, frame), side)
    write_json(folder / "shot.json", Shot(1, frames, side, side, 24.0, [], []))
    (folder / "style").mkdir()
    (folder / "style" / "generator.safetensors").write_bytes(b"weights")
    return folder
