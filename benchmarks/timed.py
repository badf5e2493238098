"""Runs a job folder's job in a process of its own and says what it took: seconds from the first update on, processor seconds,
peak memory. So nothing of a method's figures comes from another's.

    python -m benchmarks.timed JOB_FOLDER TIMES.json
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from engine import job_folder
from engine.jobs import run_folder


def report(path: Path, times: dict[str, float]) -> None:
    """Write `times` with this process's processor seconds and peak memory."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    path.parent.mkdir(parents=True, exist_ok=True)
    here = {"CPU s": used.ru_utime + used.ru_stime, "peak MiB": used.ru_maxrss / 1024}
    job_folder.write_json(path, times | here)


def read(path: Path) -> dict[str, float]:
    """What `report` wrote."""
    return {name: float(value) for name, value in json.loads(path.read_text()).items()}


def main(folder: Path, path: Path) -> None:
    """Run the job; print a line every ten seconds."""
    steps = run_folder(folder)
    start = shown = 0.0
    figures: dict[str, float] = {}
    while True:
        try:
            update = next(steps)
        except StopIteration as end:
            figures = end.value.figures
            break
        now = time.monotonic()
        start = start or now
        if now - shown > 10:
            shown = now
            print(f"  {100 * update.done:3.0f} % {update.text}", flush=True)
    report(path, {name: float(value) for name, value in figures.items()} | {"job s": time.monotonic() - start})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
