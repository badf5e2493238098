"""The engine as a process: start it, greet it, send to it, take what it sent, notice its death, close it. It knows
nothing of bpy, of jobs or of what the messages mean; its one thread only fills a queue, so that no poll ever waits."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .protocol import PROTOCOL_VERSION, Decoder, Message, Preview, ProtocolError, Ready, Refused, encode

MAX_LOG = 5 << 20  # bytes; a longer log is put aside at the next start
MAX_WAITING = 256  # messages; while Blender is too busy to take them, pictures beyond these are dropped
CLOSING = 2.0  # seconds for the engine to leave by itself


class EngineError(Exception):
    """The engine cannot be used; str() is one sentence for the artist."""


class EngineMissing(EngineError):
    """There is nothing to start: the interpreter is not there or cannot be run."""


class EngineNotInstalled(EngineMissing):
    """Nobody has named or installed one, or the installation is not finished."""


class EngineDied(EngineError):
    """The process ended, or never became ready."""


class EngineMismatch(EngineError):
    """The engine and the extension are of different versions."""


def engine_command(python: Path) -> list[str]:
    """How the engine of this interpreter is started: -I keeps Blender's folders and the user's variables out of it."""
    return [str(python), "-I", "-m", "engine", "serve"]


class EngineProcess:
    """One engine from start to end; after the end make another one. `log` takes its stderr."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.ready: Ready | None = None
        self._command = list(command)
        self._log = log
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._inbox: queue.Queue[tuple[Message, bytes] | ProtocolError | None] = queue.Queue()

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process and return at once. Raises EngineMissing."""
        try:
            with _open_log(self._log) as log:
                self._log_start = log.tell()
                self._process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    cwd=self._log.parent,
                    env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
                    **_own_group(),
                )
        except OSError as error:
            raise EngineMissing(
                f"The engine cannot be started ({error.strerror or error}: {error.filename or self._command[0]}); "
                "check the engine's Python in the add-on's preferences."
            ) from error
        threading.Thread(target=_read, args=(self._process, self._inbox), daemon=True).start()

    def poll(self) -> list[tuple[Message, bytes]]:
        """What came since the last call; never waits. Bytes that are no message come as Refused. Raises EngineDied once
        the process is gone and all that it sent is handed out, and EngineMismatch, having closed the engine."""
        messages: list[tuple[Message, bytes]] = []
        while not self._inbox.empty():
            item = self._inbox.get()
            if item is None:
                if messages:
                    self._inbox.put(None)  # raise at the next call
                    break
                raise EngineDied(self._obituary())
            messages.append(self._checked(item))
        return messages

    def send(self, message: Message) -> None:
        """Send a message. An engine that has just died takes none; poll() tells of it."""
        if self._process is None or self._process.stdin is None:
            raise EngineDied("The engine is not running; start the job again.")
        data = encode(message)
        with contextlib.suppress(OSError, ValueError):  # broken, or closed by close()
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def wait_ready(self, seconds: float) -> Ready:
        """Block until the engine is ready. Raises EngineError, EngineDied when it takes longer than `seconds`."""
        deadline = time.monotonic() + seconds
        while self.ready is None:
            if time.monotonic() > deadline:
                self.close()
                raise EngineDied(f"The engine was not ready after {seconds:.0f} s; its log is {self._log}.")
            self.poll()
            time.sleep(0.01)
        return self.ready

    def close(self) -> None:
        """End the process: politely by closing its stdin, by force after two seconds."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(CLOSING)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _checked(self, item: tuple[Message, bytes] | ProtocolError) -> tuple[Message, bytes]:
        if isinstance(item, ProtocolError):
            if self.ready is None and str(item).startswith("Ready "):  # a greeting of fields that we do not know
                self._mismatch("an unknown version")
            return Refused(str(item)), b""
        message = item[0]
        if isinstance(message, Ready):
            if message.protocol != PROTOCOL_VERSION:
                self._mismatch(f"version {message.protocol} (engine {message.engine_version})")
            self.ready = message
        return item

    def _mismatch(self, theirs: str) -> None:
        self.close()
        raise EngineMismatch(
            f"The engine speaks protocol {theirs} and this extension speaks version {PROTOCOL_VERSION}; "
            "install the engine that came with the extension."
        )

    def _obituary(self) -> str:
        """One sentence: how the process ended, and the last line of its log that says something."""
        assert self._process is not None
        code = self._process.returncode
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        line = _last_line(self._log, self._log_start)
        quote = f'its last words were "{line}"' if line else "it left no word in its log"
        return f"The engine {how}, {quote}; run the job again to start a fresh one (log: {self._log})."


def _open_log(path: Path) -> Any:
    """The log, open for appending; one that has grown too long is put aside first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > MAX_LOG:
        os.replace(path, path.with_name(path.name + ".old"))
    return open(path, "ab")


def _own_group() -> dict[str, Any]:
    """A process group of its own, so that Ctrl-C in Blender's terminal is Blender's alone; no window on Windows."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _read(process: subprocess.Popen[bytes], inbox: queue.Queue[tuple[Message, bytes] | ProtocolError | None]) -> None:
    """Decode stdout into the inbox, then None when the process is gone."""
    assert process.stdout is not None
    decoder = Decoder()
    with process.stdout as stdout:
        while data := stdout.read1(1 << 16):  # type: ignore[attr-defined]
            for item in decoder.feed(data):
                if isinstance(item, ProtocolError) or not isinstance(item[0], Preview) or inbox.qsize() < MAX_WAITING:
                    inbox.put(item)
    for error in decoder.close():
        inbox.put(error)
    try:
        process.wait(CLOSING)
    except subprocess.TimeoutExpired:  # it closed its stdout but lives on: of no use to anyone
        process.kill()
        process.wait()
    inbox.put(None)


def _last_line(log: Path, start: int) -> str:
    """The last line of a log after byte `start` that is no indented part of a traceback; empty if there is none."""
    try:
        with open(log, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(start, size - 8192))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    return next((line[:200] for line in reversed(lines) if line.strip() and not line[0].isspace()), "")
