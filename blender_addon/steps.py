"""Work of the main thread a piece at a time, so that Blender's window answers in between: a generator that yields how far it is.
Knows no operator and nothing of Blender."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from typing import Any, TypeVar

Step = tuple[float, str]  # how much is done, 0 to 1, and of what
Shown = TypeVar("Shown")
Result = TypeVar("Result")
PATIENCE = 0.02  # seconds that the main thread waits for the other one


def drain(steps: Generator[Any, None, Result]) -> Result:
    """All pieces one after another, for who may block: the result."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            result: Result = stop.value
            return result


def beside(worker: ThreadPoolExecutor, shown: Shown, call: Callable[[], Result]) -> Generator[Shown, None, Result]:
    """What `call`, which must not touch Blender, gives on the other thread; yields `shown` now and then until it is there."""
    future: Future[Result] = worker.submit(call)
    while True:
        try:
            return future.result(PATIENCE)
        except Late:
            if future.done():
                raise
            yield shown
