"""What a benchmark has made already and keeps: a run that was stopped goes on after it, and one run can be split over several
processes that share a folder. It knows files, no methods."""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
Made = tuple[np.ndarray, dict[str, float]]


@functools.cache
def code(*names: str) -> str:
    """Short name of these files, of a folder the sources in it: changes when they do."""
    parts = hashlib.sha256()
    for name in names:
        place = ROOT / name
        for path in sorted(place.glob("*.py")) if place.is_dir() else [place]:
            parts.update(path.name.encode() + path.read_bytes())
    return parts.hexdigest()[:12]


def kept(path: Path, what: dict[str, Any], make: Callable[[], Made]) -> Made:
    """The pictures (T, H, W, 3) uint8 and figures that `make` makes: from `path`.npz and `path`.json if these were made by the
    same `what` (plain JSON), else made now and kept."""
    pictures, facts = path.with_name(path.name + ".npz"), path.with_name(path.name + ".json")
    if pictures.is_file() and facts.is_file():
        found = json.loads(facts.read_text(encoding="utf-8"))
        if found["what"] == json.loads(json.dumps(what)):
            print(f"  {path.name}: kept", flush=True)
            with np.load(pictures, allow_pickle=False) as file:
                return file["made"], found["figures"]
    made, figures = make()
    path.parent.mkdir(parents=True, exist_ok=True)
    facts.unlink(missing_ok=True)  # the pair never tells of different runs
    partial = path.with_name(path.name + ".partial.npz")
    np.savez_compressed(partial, made=made)
    os.replace(partial, pictures)
    write(facts, {"what": what, "figures": figures})
    return made, figures


def write(path: Path, facts: dict[str, Any]) -> None:
    """JSON, moved into place whole."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(facts, indent=1), encoding="utf-8")
    os.replace(partial, path)


def gather(paths: dict[str, Path], what: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By name, the "result" that `write` left in those of the files that there are and that were made by the same `what`."""
    found = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items() if path.is_file()}
    wanted = json.loads(json.dumps(what))
    return {name: facts["result"] for name, facts in found.items() if facts["what"] == wanted}
