"""Clip folders and mocap collections: what is written comes back, and each damage is one sentence."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from rigs import BIPED, keyed, waving

from engine import clips, protocol
from engine.protocol import JobError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    clips.write_clip(tmp_path, keyed(waving(BIPED), [0, 60]))
    return tmp_path


def spoil(folder: Path, name: str, array: np.ndarray | None) -> None:
    """Replace (or with None drop) one array of clip.npz."""
    with np.load(folder / "clip.npz", allow_pickle=False) as data:
        arrays = {key: data[key] for key in data.files if key != name}
    np.savez(folder / "clip.npz", **(arrays if array is None else arrays | {name: array}))


def test_a_clip_comes_back_as_it_was(folder: Path) -> None:
    read, made = clips.read_clip(folder), keyed(waving(BIPED), [0, 60])
    assert read.clip == made.clip
    for name in protocol.CLIP_ARRAYS:
        if name != "rotations":
            assert np.array_equal(getattr(read, name), getattr(made, name))
    assert np.allclose(read.rotations, made.rotations, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "array", "sentence"),
    [
        ("rotations", None, "lacks the array 'rotations'"),
        ("offsets", np.zeros((3, 3), np.float32), "'offsets' is float32"),
        ("offsets", np.zeros((16, 3), "S4"), "'offsets'"),
        ("locations", np.full((61, 16, 3), np.nan, np.float32), "'locations' holds a value that is no number"),
        ("rotations", np.full((61, 16, 4), 0.9, np.float32), "not of unit length"),
    ],
)
def test_a_wrong_array_is_a_sentence(folder: Path, name: str, array: np.ndarray | None, sentence: str) -> None:
    spoil(folder, name, array)
    with pytest.raises(JobError, match=sentence):
        clips.read_clip(folder)


def test_quaternions_that_are_nearly_unit_are_made_so(folder: Path) -> None:
    spoil(folder, "rotations", waving(BIPED).rotations * np.float32(1.004))
    assert np.allclose(np.linalg.norm(clips.read_clip(folder).rotations, axis=-1), 1.0, atol=1e-6)


def test_a_missing_or_damaged_file_is_a_sentence(folder: Path) -> None:
    whole = (folder / "clip.npz").read_bytes()
    (folder / "clip.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(JobError, match="damaged"):
        clips.read_clip(folder)
    (folder / "clip.npz").write_bytes(whole[:200] + b"\0" * 50 + whole[250:])
    with pytest.raises(JobError, match="damaged"):
        clips.read_clip(folder)
    (folder / "clip.npz").unlink()
    with pytest.raises(JobError, match="missing"):
        clips.read_clip(folder)


def test_a_header_that_promises_too_much_allocates_nothing(folder: Path) -> None:
    header = str({"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)}).encode().ljust(117) + b"\n"
    with zipfile.ZipFile(folder / "clip.npz", "w") as archive:
        archive.writestr("rotations.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(JobError, match="GiB"):
        clips.read_clip(folder)


def test_an_object_array_is_refused(folder: Path) -> None:
    spoil(folder, "offsets", np.array([object()], dtype=object))
    with pytest.raises(JobError, match="'offsets'"):
        clips.read_clip(folder)


def test_parents_after_children_are_refused(folder: Path) -> None:
    facts = json.loads((folder / "clip.json").read_text())
    facts["parents"][1] = 5
    (folder / "clip.json").write_text(json.dumps(facts))
    with pytest.raises(JobError, match="parents first"):
        clips.read_clip(folder)


def collection(path: Path, frames: int = 100) -> Path:
    """A collection of two takes over four joints, of which the second is still."""
    rng = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {
        "joint_names": np.array(["hip", "pad", "leg", "foot"]),
        "parents": np.array([-1, 0, 1, 2]),
        "animated": np.array([0, 2, 3]),
        "fps": np.array(60),
        "clip_names": np.array(["a", "b"]),
    }
    for name in "ab":
        q = np.cumsum(rng.normal(size=(frames, 3, 4)) * 0.02, 0) + np.eye(4)[0]
        arrays[f"{name}/rotations"] = np.round(q / np.linalg.norm(q, axis=-1, keepdims=True) * 32767).astype(np.int16)
        arrays[f"{name}/root"] = np.cumsum(rng.normal(size=(frames, 3)), 0).astype(np.float32)
        arrays[f"{name}/offsets"] = np.array([[0, 0, 0], [1, 0, 0], [0, -3, 0], [0, -4, 0]], np.float32)
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def test_a_collection_is_reduced_to_what_moves(tmp_path: Path) -> None:
    mocap = clips.read_mocap(collection(tmp_path / "some.npz"))
    assert mocap.joints == ["hip", "leg", "foot"] and mocap.parents == [-1, 0, 1] and mocap.fps == 60
    assert mocap.takes[1].offsets.tolist() == [[0, 0, 0], [1, -3, 0], [0, -4, 0]]
    assert np.allclose(np.linalg.norm(mocap.takes[0].rotations, axis=-1), 1, atol=1e-6)


def test_what_is_no_collection_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(JobError, match="no motion-capture collection"):
        clips.read_mocap(folder / "clip.npz")
