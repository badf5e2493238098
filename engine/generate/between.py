"""Frames between frames: missing ones of a sequence are filled in, and motion is slowed down. A finished frame says in its own
metadata what it was made of, so that a run that was stopped goes on and an artist's own file is left alone. It knows job
folders and files, and holds a few pictures at a time, however long the sequence is."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Generator as Steps
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from engine import frames, job_folder, protocol
from engine.footage.tracking import is_cut
from engine.generate import halfway
from engine.generate.flows import BothWays, Moves, as_seen, meet
from engine.generate.source import Source, open_source
from engine.pictures import read_about
from engine.progress import Outcome, Update

SOFTWARE = "Understudy"
DIRECT = 3  # frames between two that are made from these two; of more, the middle one first
VECTOR_FRAMES = 2  # frames apart up to which motion vectors are believed to lead on
LEARNING = 0.6  # part of the progress that learning takes


@dataclass(frozen=True)
class Stretch:
    """Two neighbours of the sequence, and what is wanted from the first up to the second: result's frame and time, 0 to 1."""

    first: int
    second: int
    wanted: list[tuple[int, float]]


def between(folder: Path, settings: protocol.Generate) -> Steps[Update, bool | None, Outcome]:
    """Make result/, from the first frame's number on: `slow` frames for every one of the range. Raises JobError."""
    source = yield from open_source(folder, settings.objects)
    plan = _plan(source.numbers, settings.slow)
    notes = [] if settings.depth in ("16", "EXR") or not source.linear else [
        "The sequence is EXR and the result has 8 bits; choose EXR to keep its light."
    ]  # fmt: skip
    cuts = yield from _find_cuts(source)
    notes += [f"Between frames {a} and {b} there is a cut; nothing is made across it." for a, b in cuts[:8]]
    maker = yield from _scaled(halfway.learn(folder / "sequence", source, cuts, settings), LEARNING)
    notes += maker.notes
    making = _Making(folder, source, settings, maker, set(cuts))
    total, done = sum(len(stretch.wanted) for stretch in plan), 0
    for stretch in plan:
        for frame, picture in making.stretch(stretch):
            done += 1
            shown = None if picture is None else np.ascontiguousarray(as_seen(picture, source.linear))
            update = Update(LEARNING + (1 - LEARNING) * done / total, f"Frame {frame} made", shown, frame)
            if (yield update):
                return making.outcome(notes)
    return making.outcome(notes)


def _scaled(
    steps: Steps[Update, bool | None, halfway.Maker], share: float
) -> Steps[Update, bool | None, halfway.Maker]:
    answer = None
    while True:
        try:
            update = steps.send(answer)
        except StopIteration as end:
            maker: halfway.Maker = end.value
            return maker
        answer = yield Update(share * update.done, update.text, update.preview, update.frame)


def _plan(numbers: list[int], slow: int) -> list[Stretch]:
    """Result's frame first + j shows the time first + j / slow."""
    start, plan = numbers[0], []
    for a, b in pairwise(numbers):
        steps = (b - a) * slow
        plan.append(Stretch(a, b, [(start + (a - start) * slow + j, j / steps) for j in range(steps)]))
    plan.append(Stretch(numbers[-1], numbers[-1], [(start + (numbers[-1] - start) * slow, 0.0)]))
    return plan


def _find_cuts(source: Source) -> Steps[Update, bool | None, list[tuple[int, int]]]:
    cuts = []
    for i, (a, b) in enumerate(pairwise(source.numbers)):
        if is_cut(*(as_seen(source.colours(number), source.linear) for number in (a, b))):
            cuts.append((a, b))
        yield Update(0.05 * i / len(source.numbers), f"Looking for cuts, frame {b}")
    return cuts


class _Making:
    """Writes the frames."""

    def __init__(
        self,
        folder: Path,
        source: Source,
        settings: protocol.Generate,
        maker: halfway.Maker,
        cuts: set[tuple[int, int]],
    ) -> None:
        self.folder, self.source, self.settings, self.maker, self.cuts = folder, source, settings, maker, cuts
        self.flow = BothWays(source.size[1], source.size[0])
        self.moves: dict[tuple[int, int], Moves] = {}
        self.results: list[str] = []
        self.foreign: list[int] = []
        self.made = self.exact = 0

    def stretch(self, stretch: Stretch) -> Iterator[tuple[int, np.ndarray | None]]:
        """Each result frame, with its colours where it was made now."""
        about = self._about(stretch)
        todo = []
        for frame, t in stretch.wanted:
            path = self._path(frame)
            words = {**about, "Understudy frame": str(frame)}
            found = read_about(path) if path.exists() else {}
            self.results.append(f"result/{path.name}")
            if path.exists() and not self.settings.overwrite and not found.get("Software", "").startswith(SOFTWARE):
                self.foreign.append(frame)
            elif self.settings.overwrite or not found or found | words != found:
                todo.append((frame, t))
                continue
            yield frame, None
        for frame, colours in self._pictures(stretch, todo):
            self._write(frame, colours, stretch, {**about, "Understudy frame": str(frame)})
            self.made += 1
            yield frame, colours

    def _path(self, frame: int) -> Path:
        return self.folder / "result" / f"{frame:04d}{'.exr' if self.settings.depth == 'EXR' else '.png'}"

    def _write(self, frame: int, colours: np.ndarray, stretch: Stretch, about: dict[str, str]) -> None:
        """One that was given stays as it is; objects that were chosen are laid over what is around them in that very frame."""
        source, depth, path = self.source, self.settings.depth, self._path(frame)
        given = (frame, 0.0) in stretch.wanted and (source.alone is None or frame == stretch.first)
        if not (given and source.copy(path, stretch.first, depth, about)):
            source.write(path, colours, frame, depth, about)

    def _pictures(self, stretch: Stretch, todo: list[tuple[int, float]]) -> Iterator[tuple[int, np.ndarray]]:
        """What each frame shows, not in order."""
        if not todo:
            return
        first = self.source.colours(stretch.first)
        for frame, t in todo:
            if t == 0.0:
                yield frame, first
        inner = [(frame, t) for frame, t in todo if t > 0]
        if not inner:
            return
        second = self.source.colours(stretch.second)
        if (stretch.first, stretch.second) in self.cuts:
            yield from ((frame, first if t < 0.5 else second) for frame, t in inner)
            return
        exact = self._vectors(stretch)
        if exact is not None:
            self.exact += len(inner)
            yield from ((frame, self.maker(first, second, meet(exact, t), t)) for frame, t in inner)
            return
        # Halving depends on all that the stretch asks for, so that a run that goes on makes the same frames.
        inside = [(frame, t) for frame, t in stretch.wanted if t > 0]
        wanted = {frame for frame, _ in inner}
        yield from self._halve(first, second, inside, wanted, *self._around(stretch))

    def _around(self, stretch: Stretch) -> tuple[Moves, Moves | None, Moves | None]:
        """The moves from the first frame to the second, and those before and after, where they are as long and no cut lies
        there."""
        numbers, apart = self.source.numbers, stretch.second - stretch.first
        i = numbers.index(stretch.first)
        pairs: list[tuple[int, int] | None] = [(stretch.first, stretch.second), None, None]
        if i > 0 and stretch.first - numbers[i - 1] == apart:
            pairs[1] = (numbers[i - 1], stretch.first)
        if i + 2 < len(numbers) and numbers[i + 2] - stretch.second == apart:
            pairs[2] = (stretch.second, numbers[i + 2])
        found = [None if pair is None or pair in self.cuts else self._moves(*pair) for pair in pairs]
        self.moves = {pair: self.moves[pair] for pair in pairs if pair in self.moves}
        assert found[0] is not None
        return found[0], found[1], found[2]

    def _moves(self, first: int, second: int) -> Moves:
        if (first, second) not in self.moves:
            self.moves[first, second] = self._follow(self.source.colours(first), self.source.colours(second))
        return self.moves[first, second]

    def _follow(self, first: np.ndarray, second: np.ndarray) -> Moves:
        return self.flow(*(as_seen(picture, self.source.linear) for picture in (first, second)))

    def _halve(
        self,
        first: np.ndarray,
        second: np.ndarray,
        inside: list[tuple[int, float]],
        wanted: set[int],
        moves: Moves | None = None,
        before: Moves | None = None,
        after: Moves | None = None,
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Frames between two pictures; where they are many, from the middle out."""
        if not any(frame in wanted for frame, _ in inside):
            return
        moves = moves or self._follow(first, second)
        if len(inside) <= DIRECT:
            for frame, t in inside:
                if frame in wanted:
                    yield frame, self.maker(first, second, meet(moves, t, before, after), t)
            return
        middle, at = inside[len(inside) // 2]
        picture = self.maker(first, second, meet(moves, at, before, after), at)
        if middle in wanted:
            yield middle, picture
        early = [(frame, t / at) for frame, t in inside if t < at]
        late = [(frame, (t - at) / (1 - at)) for frame, t in inside if t > at]
        yield from self._halve(first, picture, early, wanted)
        yield from self._halve(picture, second, late, wanted)

    def _vectors(self, stretch: Stretch) -> Moves | None:
        """The captured motion from the first frame to the second, None where there is none."""
        apart = stretch.second - stretch.first
        shot = self.source.shot
        files = [job_folder.geometry_path(self.folder, number) for number in (stretch.first, stretch.second)]
        if shot is None or apart > VECTOR_FRAMES or not all(path.is_file() for path in files):
            return None
        here, there = (
            frames.read_guides(self.folder, shot, number, ["vector"])["vector"]
            for number in (stretch.first, stretch.second)
        )
        onward = np.dstack([-here[..., 2], here[..., 3]]) * apart
        back = np.dstack([there[..., 0], -there[..., 1]]) * apart
        return self.flow.weigh(onward.astype(np.float32), back.astype(np.float32))

    def _about(self, stretch: Stretch) -> dict[str, str]:
        how = f"BETWEEN, {self.settings.slow} times slower, seed {self.settings.seed}"
        return {
            "Software": f"{SOFTWARE} {importlib.metadata.version('understudy')}",
            "Understudy generate": how + (f", objects {list(self.source.objects)}" if self.source.objects else ""),
            "Understudy sources": self.source.digest(stretch.first, stretch.second),
            "Understudy model": self.maker.name,
        }

    def outcome(self, notes: list[str]) -> Outcome:
        """What has been done."""
        listed = ", ".join(str(frame) for frame in self.foreign[:8])
        if self.foreign:
            notes = [*notes, f"Kept what is not Understudy's own in result/ (frames {listed}); move it away first."]
        figures = {"made": self.made, "kept": len(self.results) - self.made, "by vectors": self.exact}
        return Outcome(sorted(self.results), notes, figures | self.maker.figures)
