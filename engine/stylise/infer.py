"""Paint frames of a shot with a trained style. A finished frame says in its own metadata what it was painted with, so that a run
that was stopped goes on, a newer training repaints, and an artist's own file is left alone. It knows job folders and files."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Generator as Steps
from pathlib import Path

from engine import checkpoint, device, frames, job_folder, protocol
from engine.progress import Outcome, Update
from engine.protocol import JobError
from engine.stylise.generator import Generator, GeneratorParams
from engine.stylise.painter import Painter, read_key
from engine.stylise.train import style_path
from engine.stylise.views import read_view

SOFTWARE = "Understudy"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _provenance(folder: Path, keys: list[int], seed: int) -> dict[str, str]:
    """What a frame painted now says of itself; the frame's own number is added to it."""
    weights = style_path(folder, "generator").with_suffix(".safetensors")
    return {
        "Software": f"{SOFTWARE} {importlib.metadata.version('understudy')}",
        "Understudy model": f"anchor_gan {_digest(weights)}",
        "Understudy keys": ", ".join(f"{frame} {_digest(job_folder.key_path(folder, frame))}" for frame in keys),
        "Understudy seed": str(seed),
    }


def stylise(folder: Path, settings: protocol.Stylise) -> Steps[Update, bool | None, Outcome]:
    """Paint the frames asked for into result/. Raises JobError."""
    shot = job_folder.read_shot(folder)
    saved = checkpoint.load(style_path(folder, "generator"), GeneratorParams)
    yield Update(0.0, "Reading the painted frames")
    painted = [int(frame) for frame in saved.about["keys"]]
    for frame in painted:
        if not job_folder.key_path(folder, frame).is_file():
            raise JobError(
                f"The painted frame {job_folder.key_path(folder, frame)} is missing; put it back or train again."
            )
    provenance = _provenance(folder, painted, settings.seed)
    wanted = range(settings.frame_start, settings.frame_end + 1)
    todo, notes = _sort_out(folder, wanted, provenance, settings.overwrite)
    if todo:
        chosen = device.choose(settings.device)
        device.seed_all(settings.seed)
        keys = [read_key(folder, shot, frame) for frame in painted]
        painter = Painter(checkpoint.restore(saved, Generator).to(chosen).eval(), keys, chosen)
    for i, frame in enumerate(todo):
        picture = painter.paint(read_view(folder, shot, frame))
        frames.write_picture(
            job_folder.result_path(folder, frame), picture, provenance | {"Understudy frame": str(frame)}
        )
        yield Update((i + 1) / len(todo), f"Frame {frame} painted", picture, frame)
    results = [f"result/{job_folder.result_path(folder, frame).name}" for frame in wanted]
    return Outcome(results, notes, {"painted": len(todo), "kept": len(wanted) - len(todo)})


def _sort_out(folder: Path, wanted: range, provenance: dict[str, str], overwrite: bool) -> tuple[list[int], list[str]]:
    """The frames to paint, and a note for those that are not ours to paint over."""
    todo, foreign = [], []
    for frame in wanted:
        path = job_folder.result_path(folder, frame)
        if overwrite or not path.exists():
            todo.append(frame)
            continue
        found = frames.read_metadata(path)
        if not found.get("Software", "").startswith(SOFTWARE):
            foreign.append(frame)
        elif found | provenance | {"Understudy frame": str(frame)} != found:
            todo.append(frame)
    if not foreign:
        return todo, []
    listed = ", ".join(str(frame) for frame in foreign[:8]) + (", …" if len(foreign) > 8 else "")
    return todo, [
        f"Kept what is not Understudy's own in result/ (frames {listed}); move it away to have those frames painted."
    ]
