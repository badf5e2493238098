"""Motion files ↔ arrays: a job's clip.json and clip.npz, its result, and motion-capture collections (.npz).

Everything is checked before it is allocated or believed; what is wrong is one sentence. Knows no network.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engine import job_folder, protocol
from engine.protocol import JobError

RESULT = "result/clip.npz"
MAX_BYTES = 4 << 30
KINDS = {"float32": ("f", 4), "int16": ("i", 2), "int64": ("iu", 8), "bool": ("b", 1)}


@dataclass
class Motion:
    """A clip in memory: protocol.Clip and the arrays of protocol.CLIP_ARRAYS (T frames, J joints, C channels)."""

    clip: protocol.Clip
    offsets: np.ndarray
    rotations: np.ndarray
    locations: np.ndarray
    values: np.ndarray
    rotation_keys: np.ndarray
    location_keys: np.ndarray
    value_keys: np.ndarray
    rotation_wanted: np.ndarray
    location_wanted: np.ndarray
    value_wanted: np.ndarray


class Curves(NamedTuple):
    """What moves: rotations (T, J, 4), locations (T, J, 3), values (T, C), as float32; or masks, (T, J), (T, J), (T, C)."""

    rotations: np.ndarray
    locations: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Take:
    """One clip of a motion-capture collection: rotations (T, J, 4) local, w first; root (T, 3); offsets (J, 3)."""

    name: str
    rotations: np.ndarray
    root: np.ndarray
    offsets: np.ndarray


@dataclass(frozen=True)
class Mocap:
    """A collection over one skeleton of J joints, Y up; parents come before children, the first joint is the root."""

    joints: list[str]
    parents: list[int]
    fps: float
    takes: list[Take]


def _open(path: Path) -> dict[str, tuple[np.dtype, tuple[int, ...]]]:
    """Type and shape of every array of an .npz, from its headers alone. Raises JobError."""
    headers: dict[str, tuple[np.dtype, tuple[int, ...]]] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                with archive.open(info) as member:
                    version = np.lib.format.read_magic(member)
                    read = (
                        np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
                    )
                    shape, _, dtype = read(member)
                    headers[info.filename.removesuffix(".npy")] = (dtype, shape)
    except FileNotFoundError as error:
        raise JobError(f"{path.name} is missing in {path.parent}; export the clip again.") from error
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise JobError(f"{path.name} is damaged and cannot be read; export it again.") from error
    total = sum(dtype.itemsize * int(np.prod(shape, dtype=np.float64)) for dtype, shape in headers.values())
    if total > MAX_BYTES:
        raise JobError(f"{path.name} would need {total / 2**30:.1f} GiB of memory; export fewer frames or joints.")
    return headers


def _load(path: Path, expected: dict[str, tuple[str, tuple[int, ...]]]) -> dict[str, np.ndarray]:
    """The arrays `expected` (name → type, shape), checked against its headers before it is read. Raises JobError."""
    headers = _open(path)
    for name, (kind, shape) in expected.items():
        if name not in headers:
            raise JobError(f"{path.name} lacks the array '{name}'; export it again.")
        dtype, found = headers[name]
        letters, size = KINDS[kind]
        if dtype.kind not in letters or dtype.itemsize > max(size, 8) or found != shape:
            raise JobError(
                f"{path.name}: '{name}' is {dtype} {list(found)} instead of {kind} {list(shape)}; export it again."
            )
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name].astype(kind) for name, (kind, _) in expected.items()}
    except (OSError, ValueError, zipfile.BadZipFile, EOFError) as error:
        raise JobError(f"{path.name} is damaged and cannot be read; export it again.") from error


def _unit(name: str, rotations: np.ndarray, file: str) -> np.ndarray:
    """Quaternions of unit length; those that are stay as they are to the last bit, 1 % off is refused. Raises JobError."""
    length = np.linalg.norm(rotations, axis=-1, keepdims=True)
    if rotations.size and np.abs(length - 1.0).max() > 0.01:
        raise JobError(f"{file}: '{name}' holds a quaternion that is not of unit length; export it again.")
    near = np.abs(length - 1.0) < 1e-6
    return np.where(near, rotations, rotations / np.maximum(length, 1e-6)).astype(np.float32)


def read_clip(folder: Path, name: str = "clip") -> Motion:
    """NAME.json and NAME.npz of a motion job. Raises JobError with a sentence."""
    clip = job_folder.read_clip(folder, name)
    letters = {"T": clip.frame_end - clip.frame_start + 1, "J": len(clip.joints), "C": len(clip.channels)}
    shapes = {
        name: (kind, tuple(letters[a] if a in letters else int(a) for a in axes))
        for name, (kind, axes) in protocol.CLIP_ARRAYS.items()
    }
    arrays = _load(folder / f"{name}.npz", shapes)
    file = f"{name}.npz"
    for field in ("offsets", "rotations", "locations", "values"):
        if not np.isfinite(arrays[field]).all():
            raise JobError(
                f"{file}: '{field}' holds a value that is no number; look for it in the rig and export again."
            )
    arrays["rotations"] = _unit("rotations", arrays["rotations"], file)
    return Motion(clip, **arrays)


def write_clip(folder: Path, motion: Motion) -> None:
    """clip.json and clip.npz, as the add-on would write them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_arrays(folder / "clip.npz", {name: getattr(motion, name) for name in protocol.CLIP_ARRAYS})
    job_folder.write_json(folder / "clip.json", motion.clip)


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """An .npz under a temporary name, then moved into place; not compressed, which would take longer than it saves."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, **arrays)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_result(folder: Path, frame_start: int, made: Curves, plain: Curves, filled: Curves) -> None:
    """result/clip.npz (protocol.RESULT_ARRAYS). Whatever is no number would be the engine's own fault, and must not reach
    the artist's keys. Raises JobError."""
    if not all(np.isfinite(x).all() for x in (*made, *plain)):
        raise JobError(
            "The motion came out as no numbers; choose the model 'baseline' (Plain Curves) and report the clip."
        )
    arrays = made._asdict() | {f"plain_{name}": x for name, x in plain._asdict().items()}
    masks = {f"{name[:-1]}_filled": x for name, x in filled._asdict().items()}
    result = {name: np.ascontiguousarray(x) for name, x in (arrays | masks).items()}
    write_arrays(folder / RESULT, {"frame_start": np.int64(frame_start)} | result)


def read_mocap(path: Path) -> Mocap:
    """A collection in the project's mocap format (joint_names, parents, animated, fps, clip_names and for each clip
    rotations int16 times 32767, root, offsets), reduced to its animated joints. Raises JobError."""
    headers = _open(path)
    for name in ("joint_names", "parents", "animated", "fps", "clip_names"):
        if name not in headers:
            raise JobError(f"{path.name} is no motion-capture collection: it lacks '{name}'.")
    try:
        with np.load(path, allow_pickle=False) as data:
            parents = [int(p) for p in data["parents"]]
            keep = [int(j) for j in data["animated"]]
            names = [str(n) for n in data["joint_names"]]
            new_parents, above = _reduce(parents, keep)
            takes = [_take(data, str(name), keep, above, len(names), path.name) for name in data["clip_names"]]
            return Mocap([names[j] for j in keep], new_parents, float(data["fps"]), takes)
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile, EOFError) as error:
        raise error if isinstance(error, JobError) else JobError(f"{path.name} is damaged: {error}.") from error


def _reduce(parents: list[int], keep: list[int]) -> tuple[list[int], list[list[int]]]:
    """Parents among the kept joints, and for each the original joints whose offsets add up to its own."""
    new_parents, above = [], []
    for j in keep:
        chain, parent = [j], parents[j]
        while parent >= 0 and parent not in keep:
            chain.append(parent)
            parent = parents[parent]
        new_parents.append(keep.index(parent) if parent >= 0 else -1)
        above.append(chain if parent >= 0 else [])
    return new_parents, above


def _take(data: Any, name: str, keep: list[int], above: list[list[int]], joints: int, file: str) -> Take:
    rotations = data[f"{name}/rotations"].astype(np.float32) / 32767.0
    root, raw = data[f"{name}/root"].astype(np.float32), data[f"{name}/offsets"].astype(np.float32)
    if rotations.shape != (len(root), len(keep), 4) or raw.shape != (joints, 3):
        raise JobError(f"{file}: the arrays of '{name}' do not fit its skeleton.")
    if not (np.isfinite(root).all() and np.isfinite(raw).all()):
        raise JobError(f"{file}: '{name}' holds a value that is no number.")
    offsets = np.stack([raw[chain].sum(0) if chain else np.zeros(3, np.float32) for chain in above])
    return Take(name, _unit(f"{name}/rotations", rotations, file), root, offsets)
