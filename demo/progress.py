"""A progress bar with the time left, for people; plain lines now and then where the output is no terminal. Standard library
only; does not know what is being waited for."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

WIDTH = 28
LINE_SECONDS = 10.0  # between two plain lines


def clock(seconds: float) -> str:
    """A duration as people say it: 48 s, 2:05 min."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02d} min"


class Bar:
    """One step's bar, in a `with`: it ends in a line with the time that the step took."""

    def __init__(self, title: str, out: TextIO) -> None:
        self.title, self.out = title, out
        self.started = self.drawn = time.monotonic()
        self.done = 0.0

    def __enter__(self) -> Bar:
        if self.out.isatty():
            self.show(0.0)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        took = clock(time.monotonic() - self.started)
        self._write(f"{self.title:24} {'stopped after' if kind else 'done in'} {took}", last=True)

    def show(self, done: float, seconds_left: float | None = None) -> None:
        """So much is done, 0 to 1. seconds_left: where somebody knows better than the pace so far."""
        self.done, now = done, time.monotonic()
        if seconds_left is None and done > 0.02:
            seconds_left = (now - self.started) * (1 - done) / done
        if now - self.drawn < (0.1 if self.out.isatty() else LINE_SECONDS):
            return
        full = int(WIDTH * done)
        left = f", {clock(seconds_left)} left" if seconds_left is not None else ""
        self._write(f"{self.title:24} [{'#' * full}{'.' * (WIDTH - full)}] {done:4.0%}{left}")
        self.drawn = now

    def _write(self, line: str, last: bool = False) -> None:
        if self.out.isatty():
            self.out.write(f"\r{line:<90}" + ("\n" if last else ""))
        else:
            self.out.write(line + "\n")
        self.out.flush()


def run_with_bar(title: str, command: Sequence[str | Path], total: int, out: TextIO, log: Path, folder: Path) -> None:
    """Run a program that prints a line beginning with `frame` for each of `total` things it has done; what else it says
    goes to the log. Raises CalledProcessError."""
    with Bar(title, out) as bar, log.open("a", encoding="utf-8") as note:
        words = [str(word) for word in command]
        with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=note, text=True) as process:
            assert process.stdout is not None
            for done, _line in enumerate(_told(process.stdout, note), 1):
                bar.show(min(1.0, done / total))
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)


def _told(lines: Iterable[str], note: TextIO) -> Iterable[str]:
    for line in lines:
        if line.startswith("frame "):
            yield line
        else:
            note.write(line)
