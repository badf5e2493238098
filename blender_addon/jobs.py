"""The one job manager: starts the engine, hands it jobs, passes its messages on, tells the panel how things stand.

A persistent timer drains the engine's messages on Blender's main thread; `execute` in scripts drains them itself. The
manager holds folders, names and callbacks, never anything of a Blender file, so it outlives the loading of one. It does
not know what a job is about.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import bpy

from . import __package__ as base_package
from . import outcome
from .engine_process import EngineDied, EngineError, EngineProcess, engine_command
from .preferences import engine_python, preferences
from .protocol import Cancel, Cancelled, Enough, Failed, Finished, Message, Progress, Ready, Submit

OnMessage = Callable[[Message, bytes], None]
BUSY_SECONDS = 0.1  # how often messages are looked for while a job runs
IDLE_SECONDS = 0.5  # and while the engine only waits: its death must be noticed within a second
CANCEL_SECONDS = 10.0  # an engine that has not given a job up by then hangs, and is ended


@dataclass
class Running:
    """What the panel shows of one job. done: 0 to 1. seconds_left: None while unknown. takes_enough: it can be ended early
    and is then finished. takes_escape: Esc gives it up."""

    label: str
    folder: Path
    done: float = 0.0
    text: str = ""
    seconds_left: float | None = None
    cancelled: bool = False
    takes_enough: bool = False
    takes_escape: bool = True
    enough: bool = False
    started_at: float = field(default_factory=time.monotonic)

    def advance(self, done: float, text: str) -> None:
        """So much is done; the time left follows from the time it took."""
        self.done, self.text = done, text
        self.seconds_left = (time.monotonic() - self.started_at) * (1 - done) / done if done else None


@dataclass
class _Job(Running):
    on_message: OnMessage = field(default=lambda message, payload: None)
    cancelled_at: float = 0.0


class Manager:
    """All jobs of this Blender. `local` is work inside Blender itself (a capture), shown like a job."""

    def __init__(self) -> None:
        self.models: dict[str, list[str]] = {}
        self.device = ""
        self.local: Running | None = None
        self.watch: Callable[[Running], None] = lambda running: None
        self._engine: EngineProcess | None = None
        self._ready = False
        self._started_at = 0.0
        self._jobs: dict[str, _Job] = {}

    # --- how things stand ---

    @property
    def engine_state(self) -> str:
        """'STOPPED', 'STARTING' or 'READY'."""
        return "STOPPED" if self._engine is None else "READY" if self._ready else "STARTING"

    @property
    def running(self) -> Running | None:
        """The job the panel shows: a capture, or the first in the engine's queue."""
        return self.local or next(iter(self._jobs.values()), None)

    @property
    def waiting(self) -> int:
        """How many jobs wait behind the first."""
        return max(0, len(self._jobs) - 1)

    def busy(self, folder: Path) -> bool:
        """Whether a job works in this folder: nobody else may write there."""
        return any(job.folder == folder for job in (self.local, *self._jobs.values()) if job)

    # --- jobs ---

    def start(self) -> None:
        """See to it that an engine runs, or is starting. Raises EngineError."""
        self.pump()
        if self._engine is not None:
            return
        log = Path(bpy.utils.extension_path_user(base_package, create=True)) / "engine.log"
        engine = EngineProcess(engine_command(engine_python()), log)
        engine.start()
        self._engine, self._ready, self._started_at = engine, False, time.monotonic()
        if not bpy.app.timers.is_registered(_tick):
            bpy.app.timers.register(_tick, persistent=True)
        _redraw()

    def submit(self, folder: Path, on_message: OnMessage, label: str = "", takes_enough: bool = False) -> str:
        """Queue the job in `folder`; returns its name. Raises EngineError.

        `on_message` gets every message about the job, on the main thread, the last is Finished, Failed or Cancelled.
        """
        self.start()
        job = uuid.uuid4().hex
        state = _Job(label or folder.name, folder, text="Waiting for the engine", takes_enough=takes_enough)
        state.on_message = on_message
        self._jobs[job] = state
        if self._ready:
            self._send(Submit(job, str(folder)))
        return job

    def cancel(self, job: str) -> None:
        """Give a job up; its Cancelled follows. A job that is over is left alone."""
        state = self._jobs.get(job)
        if state is None or state.cancelled:
            return
        state.cancelled, state.cancelled_at, state.text = True, time.monotonic(), "Cancelling"
        if self._ready:
            self._send(Cancel(job))
        else:
            self._deliver(job, Cancelled(job))

    def cancel_running(self) -> None:
        """What the panel's Cancel does; a capture takes Esc alone."""
        if self._jobs:
            self.cancel(next(iter(self._jobs)))

    def end_early(self) -> None:
        """What the panel's Good Enough does: the running job keeps what it has and is finished."""
        job, state = next(iter(self._jobs.items()), ("", None))
        if state is not None and state.takes_enough and self._ready and not (state.enough or state.cancelled):
            state.enough, state.text = True, "Finishing"
            self._send(Enough(job))
            self.show(state)

    def forget(self) -> None:
        """Another file is about to be loaded: give every job up and let no result reach the new file."""
        self.local = None
        for job, state in list(self._jobs.items()):
            state.on_message = lambda message, payload: None
            self.cancel(job)

    def close(self) -> None:
        """End the engine."""
        self._end_engine("The engine was ended.")

    # --- the engine's messages ---

    def pump(self) -> None:
        """Pass on what the engine has said since the last time. Never blocks."""
        if self._engine is None:
            return
        try:
            for message, payload in self._engine.poll():
                self._receive(message, payload)
            self._check_patience()
        except EngineError as error:
            self._end_engine(str(error))

    def show(self, running: Running) -> None:
        """`running` has changed: draw the panel anew and tell who watches."""
        self.watch(running)
        _redraw()

    def _receive(self, message: Message, payload: bytes) -> None:
        if isinstance(message, Ready):
            self._ready, self.models, self.device = True, message.models, message.device
            for job, state in self._jobs.items():
                self._send(Submit(job, str(state.folder)))
            _redraw()
            return
        job = getattr(message, "job", "")
        if job in self._jobs:
            self._deliver(job, message, payload)

    def _deliver(self, job: str, message: Message, payload: bytes = b"") -> None:
        state = self._jobs[job]
        if isinstance(message, Progress) and not state.cancelled:
            state.done, state.seconds_left = message.done, message.seconds_left
            state.text = "Finishing" if state.enough else message.text
        elif isinstance(message, (Finished, Failed, Cancelled)):
            del self._jobs[job]
        if isinstance(message, Finished):
            outcome.finished(state.folder, message)
        self.show(state)
        state.on_message(message, payload)

    def _send(self, message: Message) -> None:
        assert self._engine is not None
        self._engine.send(message)  # to an engine that has just died it is lost, and the next poll() says so

    def _check_patience(self) -> None:
        now = time.monotonic()
        if not self._ready and now - self._started_at > preferences().start_seconds:
            raise EngineDied("The engine does not start; see its log, or wait longer (Understudy's preferences).")
        if any(state.cancelled and now - state.cancelled_at > CANCEL_SECONDS for state in self._jobs.values()):
            raise EngineDied("The engine did not answer and was ended; the next job starts a new one.")

    def _end_engine(self, sentence: str) -> None:
        engine, self._engine, self._ready = self._engine, None, False
        if engine is not None:
            engine.close()
        for job, state in list(self._jobs.items()):
            self._deliver(job, Cancelled(job) if state.cancelled else Failed(job, sentence))
        _redraw()

    @property
    def interval(self) -> float | None:
        """Seconds until the timer looks again; None without an engine."""
        return None if self._engine is None else BUSY_SECONDS if self._jobs else IDLE_SECONDS


manager = Manager()


def _tick() -> float | None:
    manager.pump()
    return manager.interval


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "SEQUENCE_EDITOR", "IMAGE_EDITOR"}:
                area.tag_redraw()


@bpy.app.handlers.persistent
def _load_pre(_path: str) -> None:
    manager.forget()


def register() -> None:
    bpy.app.handlers.load_pre.append(_load_pre)


def unregister() -> None:
    bpy.app.handlers.load_pre.remove(_load_pre)
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)
    manager.forget()  # Blender quits, and the operators that wait for jobs are gone
    manager.close()
