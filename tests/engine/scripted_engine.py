"""The real `serve` and `run` with one job of the tests' own, which does what `steps.json` in its job folder says. Run
as `python scripted_engine.py serve` or `… run FOLDER`.

Steps: {"update": [done, text]}, {"preview": side}, {"loop": count} (so many updates of 50 ms), {"sleep": seconds} (one
long step), {"spin": seconds} (one in Python), {"refuse": sentence} (JobError), {"raise": name of an exception},
{"full": true} (write to a full disk), {"noise": true} (print, write to fd 1, a child that reads stdin).
"""

from __future__ import annotations

import builtins
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from engine.jobs import Steps
from engine.progress import Outcome, Update
from engine.protocol import JobError
from engine.run import run
from engine.serve import serve


def scripted(folder: Path, settings: Any) -> Steps:
    """Do the steps; leave "began", then "tidy" however it ends."""
    (folder / "began").touch()
    try:
        for step in json.loads((folder / "steps.json").read_text()):
            ((kind, value),) = step.items()
            if kind == "loop":
                for i in range(value):
                    time.sleep(0.05)
                    yield Update(i / value, f"step {i}")
            elif kind == "update":
                yield Update(*value)
            elif kind == "preview":
                yield Update(0.5, "look", np.arange(value * value * 3, dtype=np.uint8).reshape(value, value, 3), 7)
            else:
                do(kind, value)
        return Outcome(["result/clip.npz"], ["A note."], {"score": np.float32(0.5), "perfect": float("inf")})
    finally:
        (folder / "tidy").touch()


def do(kind: str, value: Any) -> None:
    """A step that yields nothing."""
    if kind == "sleep":
        time.sleep(value)
    elif kind == "spin":
        end = time.monotonic() + value
        while time.monotonic() < end:
            pass
    elif kind == "refuse":
        raise JobError(value)
    elif kind == "raise":
        raise getattr(builtins, value)("the inner words")
    elif kind == "full":
        with open("/dev/full", "w") as file:
            file.write("x")
    elif kind == "noise":
        print("a print")
        os.write(1, b"UNDY raw bytes of a library")
        subprocess.run(["cat"], timeout=5, check=True)
    else:
        raise ValueError(kind)


if __name__ == "__main__":
    jobs = {"inbetween": scripted}
    if sys.argv[1] == "serve":
        serve(jobs)
    else:
        sys.exit(run(Path(sys.argv[2]), jobs))
