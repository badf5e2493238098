"""What a job tells while it runs and when it is done. It knows neither the wire nor who listens: a job is a generator
that yields Update and returns Outcome, run alike by `serve`, by `run` and by a test."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

PATIENCE = 0.25  # seconds between two words to whoever waits

Result = TypeVar("Result")


@dataclass(frozen=True)
class Update:
    """Yielded at least once a second, which is how often a job can be cancelled.

    done: part done, 0 to 1. text: what is being done, for the artist. preview: (H, W, 3|4) uint8 sRGB, top row first,
    a picture of `frame`.
    """

    done: float
    text: str
    preview: np.ndarray | None = None
    frame: int = 0


@dataclass(frozen=True)
class Outcome:
    """Returned by a finished job. results: paths relative to the job folder. notes: sentences for the artist. figures:
    by name, for logs and tests."""

    results: list[str]
    notes: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)


def wait(future: Future[Result], done: float, text: str) -> Generator[Update, bool | None, Result]:
    """What another thread makes; an update now and then until it is there."""
    while True:
        try:
            return future.result(PATIENCE)
        except Late:
            if future.done():
                raise
            yield Update(done, text)


def aside(work: Callable[[], Result], done: float, text: str) -> Generator[Update, bool | None, Result]:
    """What `work` makes, in another thread, so that whoever waits hears of it and a cancel is heard; given up, it works on for
    nobody until it is done."""
    helper = ThreadPoolExecutor(1)
    try:
        yield Update(done, text)
        return (yield from wait(helper.submit(work), done, text))
    finally:
        helper.shutdown(wait=False, cancel_futures=True)


class TimeLeft:
    """Estimates the seconds that a job still needs, from its pace since the first update: a resumed job begins late."""

    def __init__(self) -> None:
        self._first: tuple[float, float] | None = None

    def estimate(self, done: float) -> float | None:
        """Seconds left when `done` (0 to 1) is done now; None until a second and a hundredth have gone by."""
        now = time.monotonic()
        if self._first is None:
            self._first = (now, done)
        elapsed, gained = now - self._first[0], done - self._first[1]
        if elapsed < 1 or gained < 0.01:
            return None
        return elapsed * max(0.0, 1 - done) / gained
