"""Paint frames of a shot with a trained style. A finished frame says in its own metadata what it was painted with, so that a run
that was stopped goes on, a newer training or another look repaints, and an artist's own file is left alone. Several frames are
in work at once, each read, painted and written by a thread of its own. It knows job folders and files."""

from __future__ import annotations

import hashlib
import importlib.metadata
import threading
from collections import deque
from collections.abc import Generator as Steps
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from engine import checkpoint, device, frames, job_folder, pictures, protocol
from engine.progress import Outcome, Update, wait
from engine.protocol import JobError, Shot
from engine.stylise.asset import APART, Cast, cast, find_style
from engine.stylise.generator import Generator, GeneratorParams
from engine.stylise.look import Look, lay_on
from engine.stylise.painter import Key, Painter, read_key
from engine.stylise.train import style_path
from engine.stylise.views import read_view

SOFTWARE = "Understudy"


@dataclass(frozen=True)
class Style:
    """What is painted with. folder: of the job or of a saved style. shot: in which `keys` were painted. cast: which objects are
    which, for a saved style."""

    folder: Path
    shot: Shot
    saved: checkpoint.Checkpoint
    keys: list[int]
    cast: Cast | None

    def read_keys(self) -> list[Key]:
        """The painted frames. Raises JobError."""
        keys = [read_key(self.folder, self.shot, frame) for frame in self.keys]
        if self.cast is None:
            return keys
        return [replace(key, view=replace(key.view, frame=APART)) for key in keys]

    def words(self) -> dict[str, str]:
        """What a frame painted with it says of it."""
        weights = style_path(self.folder, "generator").with_suffix(".safetensors")
        return {
            "Understudy model": f"anchor_gan {_digest(weights)}",
            "Understudy keys": ", ".join(
                f"{frame} {_digest(job_folder.key_path(self.folder, frame))}" for frame in self.keys
            ),
        }

    def notes(self) -> list[str]:
        """Sentences for the artist about keys and objects."""
        sizes = {frame: frames.key_size(self.folder, frame) for frame in self.keys}
        other = [str(frame) for frame, size in sizes.items() if size not in (None, (self.shot.width, self.shot.height))]
        notes = [
            f"The painted frames {', '.join(other)} have another size than the shot and were resampled to "
            f"{self.shot.width} x {self.shot.height} pixels."
        ] if other else []  # fmt: skip
        if self.cast is not None and self.cast.strange:
            names = ", ".join(f"'{name}'" for name in self.cast.strange[:8])
            names += ", …" if len(self.cast.strange) > 8 else ""
            notes.append(f"The style does not know {names}, by name, and paints after the colours alone there.")
        return notes


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _find_style(folder: Path, shot: Shot, settings: protocol.Stylise) -> Style:
    """The shot's own style, or the saved one that is asked for. Raises JobError."""
    home, learned = (folder, shot) if not settings.style else find_style(folder, settings.style)
    saved = checkpoint.load(style_path(home, "generator"), GeneratorParams)
    keys = [int(frame) for frame in saved.about["keys"]]
    for frame in keys:
        if not job_folder.key_path(home, frame).is_file():
            raise JobError(
                f"The painted frame {job_folder.key_path(home, frame)} is missing; put it back or train again."
            )
    return Style(home, learned, saved, keys, cast(shot, learned) if settings.style else None)


def result_path(folder: Path, frame: int, depth: str) -> Path:
    """A finished frame of that depth."""
    return job_folder.result_path(folder, frame).with_suffix(".exr" if depth == "EXR" else ".png")


def stylise(folder: Path, settings: protocol.Stylise) -> Steps[Update, bool | None, Outcome]:
    """Paint the frames asked for into result/. Raises JobError."""
    shot = job_folder.read_shot(folder)
    yield Update(0.0, "Reading the painted frames")
    style, look = _find_style(folder, shot, settings), Look.of(settings)
    wanted = range(settings.frame_start, settings.frame_end + 1)
    words = {
        "Software": f"{SOFTWARE} {importlib.metadata.version('understudy')}",
        **style.words(),
        "Understudy look": f"{look.words()}; {settings.depth}",
        "Understudy seed": str(settings.seed),
    }
    provenance = {
        frame: words | {"Understudy frame": str(frame), "Understudy guides": frames.digest(folder, frame)}
        for frame in wanted
    }
    todo, notes = _sort_out(folder, provenance, settings)
    if todo:
        notes += style.notes()
        yield from _paint_all(folder, shot, style, settings, look, {frame: provenance[frame] for frame in todo})
    results = [f"result/{result_path(folder, frame, settings.depth).name}" for frame in wanted]
    return Outcome(results, notes, {"painted": len(todo), "kept": len(wanted) - len(todo)})


class _Stopped(Exception):
    """Nobody waits for what is being made any more."""


@dataclass(frozen=True)
class _Work:
    """What all threads that paint have in common. words: by frame, for its metadata. turn: whoever paints holds it; on the
    CPU each thread has a core, and it is nobody's."""

    folder: Path
    shot: Shot
    settings: protocol.Stylise
    look: Look
    cast: Cast | None
    painter: Painter
    words: dict[int, dict[str, str]]
    turn: AbstractContextManager[object]
    stop: threading.Event

    def go_on(self) -> None:
        """Raises _Stopped once the job is given up."""
        if self.stop.is_set():
            raise _Stopped

    def do(self, frame: int) -> np.ndarray:
        """Read, paint and write a frame; (H, W, 3|4) uint8 as it is shown."""
        self.go_on()
        view = read_view(self.folder, self.shot, frame)
        picture = np.empty((*view.shape, 3), np.float32)
        with self.turn:
            for _ in self.painter.steps(self.cast.of(view) if self.cast else view, picture, self.look):
                self.go_on()
        picture = lay_on(view, picture, self.look)
        shown = np.rint(picture * 255).astype(np.uint8)
        self.go_on()
        depth = self.settings.depth
        _write(result_path(self.folder, frame, depth), shown if depth == "8" else picture, depth, self.words[frame])
        return shown


def _paint_all(
    folder: Path, shot: Shot, style: Style, settings: protocol.Stylise, look: Look, todo: dict[int, dict[str, str]]
) -> Iterator[Update]:
    """Paint the frames of `todo`, by number, with the words that go into each."""
    chosen = device.choose(settings.device)
    device.seed_all(settings.seed)
    network = checkpoint.restore(style.saved, Generator).to(chosen).eval()
    network = network.to(device.quick_type(chosen), memory_format=torch.channels_last)  # type: ignore[call-overload]
    count, threads = device.share_out(chosen, shot.width * shot.height)
    stop = threading.Event()
    with ThreadPoolExecutor(count, initializer=device.use_threads, initargs=(threads,)) as crew:
        try:
            making = crew.submit(lambda: Painter(network, style.read_keys(), chosen, learning=False))
            painter = yield from wait(making, 0.0, "Looking at the painted frames")
            turn = nullcontext() if chosen.type == "cpu" else threading.Lock()
            work = _Work(folder, shot, settings, look, style.cast, painter, todo, turn, stop)
            numbers, coming = list(todo), deque[Future[np.ndarray]]()
            for i, frame in enumerate(numbers):
                while len(coming) <= count and i + len(coming) < len(numbers):
                    coming.append(crew.submit(work.do, numbers[i + len(coming)]))
                shown = yield from wait(coming.popleft(), i / len(todo), f"Painting frame {frame}")
                yield Update((i + 1) / len(todo), f"Frame {frame} painted", shown, frame)
        finally:
            stop.set()  # frames that are begun are not finished
            crew.shutdown(wait=False, cancel_futures=True)


def _write(path: Path, picture: np.ndarray, depth: str, words: dict[str, str]) -> None:
    """(H, W, 3|4) float32, sRGB and straight alpha, as depth 8, 16 or EXR, which is linear and multiplied by alpha."""
    if depth == "EXR":
        colours = pictures.to_linear(picture[..., :3])
        picture = np.dstack([colours * picture[..., 3:], picture[..., 3:]]) if picture.shape[2] == 4 else colours
    pictures.write_picture(path, picture, depth, words)


def _sort_out(
    folder: Path, provenance: dict[int, dict[str, str]], settings: protocol.Stylise
) -> tuple[list[int], list[str]]:
    """The frames to paint, and a note for those that are not ours to paint over."""
    todo, foreign = [], []
    for frame, words in provenance.items():
        path = result_path(folder, frame, settings.depth)
        if settings.overwrite or not path.exists():
            todo.append(frame)
            continue
        found = pictures.read_about(path)
        if not found.get("Software", "").startswith(SOFTWARE):
            foreign.append(frame)
        elif found | words != found:
            todo.append(frame)
    if not foreign:
        return todo, []
    listed = ", ".join(str(frame) for frame in foreign[:8]) + (", …" if len(foreign) > 8 else "")
    return todo, [
        f"Kept what is not Understudy's own in result/ (frames {listed}); move it away to have those frames painted."
    ]
