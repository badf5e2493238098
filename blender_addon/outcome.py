"""What came of the operators that a script calls: an operator itself can return no more than {'FINISHED'}.

Operators and the job manager tell it, `heard` listens. Knows no operator and nothing of Blender.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .protocol import Finished


@dataclass
class Outcome:
    """folder: where the result lies. frames: numbers of the pictures that were made there. notes: what was said, in order.
    refusal: why nothing came of it, where that is no error. keys: how many were made, or went. figures: by name."""

    folder: Path | None = None
    frames: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    refusal: str = ""
    keys: int = 0
    figures: dict[str, float] = field(default_factory=dict)


_listening: list[Outcome] = []


@contextmanager
def heard() -> Iterator[Outcome]:
    """An outcome that hears all that operators tell from now on."""
    outcome = Outcome()
    _listening.append(outcome)
    try:
        yield outcome
    finally:
        _listening.remove(outcome)


def finished(folder: Path, message: Finished) -> None:
    """The job in a folder is done."""
    wrote(folder)
    for outcome in _listening:
        outcome.figures |= message.figures
    for text in message.notes:
        note(text)


def wrote(folder: Path | None) -> None:
    """What came of it lies there, or nowhere."""
    for outcome in _listening:
        outcome.folder = folder


def made(frames: list[int]) -> None:
    """Pictures of these frames were made."""
    for outcome in _listening:
        outcome.frames = frames


def note(text: str) -> None:
    """The artist was told so."""
    for outcome in _listening:
        if text not in outcome.notes:
            outcome.notes.append(text)


def refused(text: str) -> None:
    """There was nothing to do."""
    for outcome in _listening:
        outcome.refusal = text


def keyed(count: int) -> None:
    """So many keys were made, or went."""
    for outcome in _listening:
        outcome.keys += count
