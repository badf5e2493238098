"""Make more of a sequence: continue, loop, vary, animate. The sequence is learned first where that has not been done. A finished
frame says in its own metadata what it was made of, so that a run that was stopped goes on and an artist's own file is left alone.
It knows job folders and files."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Generator as Steps
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from torch import Tensor

from engine import checkpoint, device, protocol
from engine.generate import animate, fitness, paths
from engine.generate.networks import NetworkParams, Networks
from engine.generate.play import Player, expectations, foreseen, play
from engine.generate.sequence import Sequence, as_preview, read_sequence, write_frame
from engine.generate.train import NETWORK, learn, look
from engine.pictures import read_about
from engine.progress import Outcome, Update

SOFTWARE = "Understudy"
LEARNING = 0.8  # part of the progress that learning takes


def generate(folder: Path, settings: protocol.Generate) -> Steps[Update, bool | None, Outcome]:
    """Make the frames asked for in result/. Raises JobError."""
    sequence = yield from read_sequence(folder, settings.objects)
    if settings.how == "ANIMATE":
        return (yield from _animate(folder, settings, sequence))
    home = folder / (settings.learned or "sequence")
    clip = yield from look(sequence)
    begun = 0.0
    if not settings.learned and not _fits(home, sequence):
        asked = protocol.LearnSequence(
            settings.seconds, objects=settings.objects, seed=settings.seed, device=settings.device
        )
        yield from _first(learn(home, sequence, clip, asked))
        begun = LEARNING
    chosen = device.choose(settings.device)
    networks = checkpoint.restore(checkpoint.load(home / NETWORK, NetworkParams), Networks).to(chosen).eval()
    player = Player(sequence.pictures, clip, networks, chosen)
    expected = expectations(player) if _fits(home, sequence) else None
    job = _Job(folder, settings, sequence, _about(home / NETWORK, sequence, settings), begun)
    return (yield from job.run(_frames(player, _plan(player, expected, settings), job), fitness.notes(clip)))


def _animate(folder: Path, settings: protocol.Generate, sequence: Sequence) -> Steps[Update, bool | None, Outcome]:
    """The first picture, moved as the learned sequence."""
    home = folder / settings.learned
    motion = animate.load(home)
    job = _Job(folder, settings, sequence, _about(home / animate.MOTION, sequence, settings), 0.0)
    made = animate.animate(sequence.pictures[0].float(), motion, settings.count, settings.seed, settings.variation)
    more = [f"Only frame {sequence.numbers[0]} was animated; the others were not used."] if len(sequence) > 1 else []
    return (yield from job.run(enumerate(made, job.first), more))


def _fits(home: Path, sequence: Sequence) -> bool:
    """Whether what was learned in `home` was learned from these very pictures."""
    if not checkpoint.exists(home / NETWORK):
        return False
    return checkpoint.load(home / NETWORK, NetworkParams).about.get("frames") == sequence.digest


def _first(steps: Steps[Update, bool | None, object]) -> Steps[Update, bool | None, None]:
    """The learning, as the first part of the job."""
    answer = None
    while True:
        try:
            update = steps.send(answer)
        except StopIteration:
            return
        answer = yield Update(LEARNING * update.done, update.text, update.preview, update.frame)


def _plan(player: Player, expected: np.ndarray | None, settings: protocol.Generate) -> list[paths.Stretch]:
    clip = player.clip
    cost, shortest = paths.leaps(clip.latent, clip.apart, expected), paths.longest_lead(len(clip))
    rng = np.random.default_rng(settings.seed)
    if settings.how == "LOOP":
        return paths.circle(cost, settings.count, shortest)
    cost = foreseen(player, cost)
    start = len(clip) - 1
    if settings.how == "VARY":
        start = int(rng.integers(paths.BACK, len(clip)))
    return paths.wander(cost, settings.count, start, rng, shortest, settings.variation)


def _frames(player: Player, plan: list[paths.Stretch], job: _Job) -> Iterator[tuple[int, Tensor | None]]:
    """Numbers and pictures of all frames; None for a picture that nobody needs."""
    number = job.first
    for stretch in plan:
        numbers = range(number, number + stretch.length)
        wanted = any(job.is_wanted(n) for n in numbers)
        yield from zip(numbers, play(player, stretch) if wanted else [None] * stretch.length, strict=True)
        number += stretch.length


def _about(learned: Path, sequence: Sequence, settings: protocol.Generate) -> dict[str, str]:
    weights = hashlib.sha256(learned.with_name(f"{learned.name}.safetensors").read_bytes()).hexdigest()[:12]
    how = f"{settings.how} {settings.count} frames, variation {settings.variation:g}, seed {settings.seed}"
    return {
        "Software": f"{SOFTWARE} {importlib.metadata.version('understudy')}",
        "Understudy generate": how + (f", objects {sorted(settings.objects)}" if settings.objects else ""),
        "Understudy sources": sequence.digest,
        "Understudy model": f"fusion_gan {weights}",
    }


@dataclass
class _Job:
    """What is asked for, and what has come of it."""

    folder: Path
    settings: protocol.Generate
    sequence: Sequence
    about: dict[str, str]
    begun: float
    results: list[str] = field(default_factory=list)
    foreign: list[int] = field(default_factory=list)
    made: int = 0

    @property
    def first(self) -> int:
        """Number of the first frame."""
        numbers = self.sequence.numbers
        return numbers[-1] + 1 if self.settings.how == "CONTINUE" else numbers[0]

    def path(self, number: int) -> Path:
        """Where a frame is written."""
        return self.folder / "result" / f"{number:04d}{'.exr' if self.settings.depth == 'EXR' else '.png'}"

    def words(self, number: int) -> dict[str, str]:
        """What a frame says of itself."""
        return {**self.about, "Understudy frame": str(number)}

    def is_foreign(self, number: int) -> bool:
        """Whether there is a file that Understudy has not written and may not overwrite."""
        path = self.path(number)
        if self.settings.overwrite or not path.exists():
            return False
        return not read_about(path).get("Software", "").startswith(SOFTWARE)

    def is_wanted(self, number: int) -> bool:
        """Whether a frame is to be made."""
        found = read_about(self.path(number)) if self.path(number).exists() else {}
        if self.settings.overwrite or not self.path(number).exists():
            return True
        return not self.is_foreign(number) and found | self.words(number) != found

    def run(self, frames: Iterable[tuple[int, Tensor | None]], notes: list[str]) -> Steps[Update, bool | None, Outcome]:
        """Finish all frames, or until what there is is enough."""
        for number, picture in frames:
            if (yield from self._finish(number, picture)):
                break
        if self.foreign:
            listed = ", ".join(str(n) for n in self.foreign[:8])
            kept = f"Kept what is not Understudy's own in result/ (frames {listed}); move it away to have those frames made."
            notes = [*notes, kept]
        return Outcome(self.results, notes, {"made": self.made, "kept": len(self.results) - self.made})

    def _finish(self, number: int, picture: Tensor | None) -> Steps[Update, bool | None, bool]:
        """Write a frame where it is wanted. Whether what there is is enough."""
        path, preview = self.path(number), None
        if self.is_foreign(number):
            self.foreign.append(number)
        elif picture is not None and self.is_wanted(number):
            i = len(self.sequence) - 1
            if self.settings.how != "CONTINUE":
                i = min(i, number - self.first)
            write_frame(path, picture, self.sequence, i, self.settings.depth, self.words(number))
            preview = as_preview(picture, self.sequence.linear)
            self.made += 1
        self.results.append(f"result/{path.name}")
        done = self.begun + (1 - self.begun) * len(self.results) / self.settings.count
        return bool((yield Update(done, f"Frame {number} made", preview, number)))
