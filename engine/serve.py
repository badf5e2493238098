"""stdin → jobs → stdout: the engine as Blender's neighbour. It owns stdout, runs the jobs one after another, looks for
Cancel between their updates, and ends when Blender does. It knows neither Blender nor what a job does."""

from __future__ import annotations

import contextlib
import gc
import importlib.metadata
import logging
import math
import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from engine import protocol
from engine.jobs import JOBS, MODELS, Job, Steps, explain, run_folder
from engine.progress import Outcome, TimeLeft, Update
from engine.protocol import Cancel, Enough, Message, ProtocolError, Submit

GRACE = 1.2  # seconds that a job has to leave its files tidy once Blender is gone
PROGRESS_EVERY = 0.1  # seconds, at most so often: what comes sooner is out of date before anyone has looked
PREVIEW_SIDE = 1024  # pixels; a preview is to be looked at, the frames themselves go by file

log = logging.getLogger("engine")


class BlenderGone(Exception):
    """Nobody reads or writes the other end any more."""


class Stopped(Exception):
    """The running job was cancelled."""


def serve(jobs: Mapping[str, Job] = JOBS) -> None:
    """Serve until stdin closes, then end the process."""
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    stdin, stdout = _take_pipes()
    server = Server(stdout, jobs)
    threading.Thread(target=_read, args=(stdin, server.inbox), daemon=True).start()
    with contextlib.suppress(BlenderGone):
        server.send(_greeting())
        server.run()
    logging.shutdown()
    os._exit(0)  # at once: tearing down torch takes longer than Blender's death should be felt


def _take_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """stdin and stdout for the protocol alone: a library's print goes to the log, a child process reads nothing."""
    stdin, stdout = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return stdin, stdout


def _read(stdin: IO[bytes], inbox: queue.Queue[Message | ProtocolError | None]) -> None:
    """Put all that comes into the inbox, None at the end; then see to it that the process ends, also in a long step."""
    decoder = protocol.Decoder()
    with contextlib.suppress(OSError):
        while data := stdin.read(1 << 16):
            for item in decoder.feed(data):
                inbox.put(item if isinstance(item, ProtocolError) else item[0])
    for error in decoder.close():
        inbox.put(error)
    inbox.put(None)
    _leave_soon()


def _leave_soon() -> None:
    timer = threading.Timer(GRACE, os._exit, (0,))
    timer.daemon = True
    timer.start()


def _greeting() -> protocol.Ready:
    """Ready, once torch is there. Its import makes many objects and no garbage; not looking for any saves a sixth."""
    gc.disable()
    from engine import device

    gc.freeze()
    gc.enable()
    version = importlib.metadata.version("understudy")
    return protocol.Ready(protocol.PROTOCOL_VERSION, version, device.describe(), os.getpid(), MODELS)


class Server:
    """The jobs that wait, the one that runs, and the way back. Everything but reading happens on the main thread."""

    def __init__(self, stdout: IO[bytes], jobs: Mapping[str, Job]) -> None:
        self.inbox: queue.Queue[Message | ProtocolError | None] = queue.Queue()
        self._stdout = stdout
        self._jobs = jobs
        self._waiting: dict[str, Path] = {}
        self._running: str | None = None
        self._stop = False  # the running job's cancel flag
        self._enough = False  # what it has is good enough

    def run(self) -> None:
        """Take messages and do jobs until Blender is gone (raises BlenderGone)."""
        while True:
            self._take(self.inbox.get())
            while self._waiting:
                self._running = next(iter(self._waiting))
                self._do(self._running, self._waiting.pop(self._running))
                self._running, self._stop, self._enough = None, False, False
                self._take_all()

    def send(self, message: Message, payload: bytes = b"") -> None:
        """Write one message. Raises BlenderGone."""
        try:
            self._stdout.write(protocol.encode(message, payload))
            self._stdout.flush()
        except OSError as error:
            _leave_soon()
            raise BlenderGone from error

    def _take_all(self) -> None:
        while not self.inbox.empty():
            self._take(self.inbox.get())

    def _take(self, item: Message | ProtocolError | None) -> None:
        """Act on one message; whatever makes no sense is refused and changes nothing."""
        match item:
            case None:
                raise BlenderGone
            case ProtocolError():
                self._refuse(str(item))
            case Submit(job) if job == self._running or job in self._waiting:
                self._refuse(f"A job named '{job}' is here already; wait for it or cancel it.")
            case Submit(job, folder):
                self._waiting[job] = Path(folder)
            case Cancel(job) if job == self._running:
                self._stop = True
            case Enough(job) if job == self._running:
                self._enough = True
            case Cancel(job) if job in self._waiting:
                del self._waiting[job]
                self.send(protocol.Cancelled(job))
            case Cancel(job):
                self._refuse(f"There is no job '{job}' to cancel.")
            case Enough(job):
                self._refuse(f"The job '{job}' is not running, so it has nothing that could be enough.")
            case _:
                self._refuse(f"An engine takes Submit, Cancel and Enough, not {type(item).__name__}.")

    def _refuse(self, sentence: str) -> None:
        log.warning("refused: %s", sentence)
        self.send(protocol.Refused(sentence))

    def _do(self, job: str, folder: Path) -> None:
        """Run one job to its one last message: Finished, Failed or Cancelled."""
        log.info("job %s in %s", job, folder)
        steps = run_folder(folder, self._jobs)
        try:
            outcome = self._follow(job, steps)
            figures = {name: float(value) for name, value in outcome.figures.items() if math.isfinite(value)}
            self.send(protocol.Finished(job, outcome.results, outcome.notes, figures))
        except BlenderGone:
            _close(steps)
            raise
        except Stopped:
            _close(steps)
            self.send(protocol.Cancelled(job))
        except Exception as error:  # the process border: whatever a job does, the engine serves on
            log.info("job %s failed", job, exc_info=error)
            self.send(protocol.Failed(job, explain(error)))

    def _follow(self, job: str, steps: Steps) -> Outcome:
        """Step through a job and tell how it goes. Raises Stopped, BlenderGone and what the job raises."""
        self.send(protocol.Progress(job, 0.0, "Starting", None))
        time_left, told, begun = TimeLeft(), 0.0, False
        while True:
            try:
                update = steps.send(self._enough if begun else None)
                begun = True
            except StopIteration as end:
                outcome: Outcome = end.value
                return outcome
            self._take_all()
            if self._stop:
                raise Stopped
            done = float(min(1.0, max(0.0, update.done)))
            left = time_left.estimate(done)
            if time.monotonic() - told >= PROGRESS_EVERY:
                self.send(protocol.Progress(job, done, update.text, left))
                told = time.monotonic()
            if update.preview is not None:
                self._send_preview(job, update)

    def _send_preview(self, job: str, update: Update) -> None:
        assert update.preview is not None
        stride = -(-max(update.preview.shape[:2]) // PREVIEW_SIDE)
        picture = np.ascontiguousarray(update.preview[::stride, ::stride])
        height, width, channels = picture.shape
        self.send(protocol.Preview(job, update.frame, width, height, channels), picture.tobytes())


def _close(steps: Steps) -> None:
    try:
        steps.close()
    except Exception as error:  # the process border again: a job that tidies up badly is given up all the same
        log.info("a job could not be given up tidily", exc_info=error)
