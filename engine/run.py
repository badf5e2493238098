"""One job folder, run by hand or by a farm: the same job as in `serve`, told on a terminal (a bar with the time left)
or in plain lines. It knows neither Blender nor what the job does."""

from __future__ import annotations

import shutil
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from engine.jobs import JOBS, Job, Steps, explain, run_folder
from engine.progress import Outcome, TimeLeft, Update
from engine.protocol import JobError

LINE_EVERY = 5.0  # seconds between plain lines
DONE, FAILED, CANCELLED = 0, 1, 130  # exit codes; the last is what a shell expects after Ctrl-C


class Cancelled(Exception):
    """Ctrl-C or SIGTERM."""


def run(folder: Path, jobs: Mapping[str, Job] = JOBS) -> int:
    """Run the job in `folder`; the exit code is 0 only when it is done."""
    stop = _catch_signals()
    steps = run_folder(folder, jobs)
    try:
        outcome = _follow(steps, stop)
    except Cancelled:
        steps.close()
        print("Cancelled; finished frames are kept.", file=sys.stderr)
        return CANCELLED
    except Exception as error:  # noqa: BLE001 the process border
        if not isinstance(error, (JobError, OSError)):
            traceback.print_exception(error)
        print(explain(error), file=sys.stderr)
        return FAILED
    _report(folder, outcome)
    return DONE


def _catch_signals() -> list[int]:
    """A list that is filled by the first signal, looked at between updates; a second one ends the process as usual."""
    caught: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        caught.append(number)
        signal.signal(number, signal.default_int_handler)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    return caught


def _follow(steps: Steps, stop: list[int]) -> Outcome:
    teller = _Bar() if sys.stderr.isatty() else _Lines()
    time_left = TimeLeft()
    try:
        while True:
            try:
                update = next(steps)
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            if stop:
                raise Cancelled
            teller.tell(update, _clock(time_left.estimate(update.done)))
    finally:
        teller.close()


class _Lines:
    """Plain lines, for logs: the first update, then one every few seconds."""

    def __init__(self) -> None:
        self._told = -LINE_EVERY

    def tell(self, update: Update, left: str) -> None:
        if time.monotonic() - self._told >= LINE_EVERY:
            self._told = time.monotonic()
            print(f"{update.done:4.0%}  {update.text}{left}", file=sys.stderr, flush=True)

    def close(self) -> None:
        pass


class _Bar:
    """One line on a terminal, written over and over."""

    def tell(self, update: Update, left: str) -> None:
        filled = round(30 * min(1.0, max(0.0, update.done)))
        line = f"[{'#' * filled:-<30}] {update.done:4.0%}  {update.text}{left}"
        width = shutil.get_terminal_size().columns - 1
        print(f"\r{line[:width]:{width}}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        print(file=sys.stderr)


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, seconds = divmod(round(seconds), 60)
    return f", {minutes}:{seconds:02d} left"


def _report(folder: Path, outcome: Outcome) -> None:
    for note in outcome.notes:
        print(note)
    for name, value in outcome.figures.items():
        print(f"{name}: {value:.6g}")
    for result in outcome.results:
        print(folder / result)
