"""The add-on's end of the wire against a scripted engine: how an engine can behave, and what the artist is told."""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from addon.engine_process import (
    MAX_LOG,
    MAX_WAITING,
    EngineDied,
    EngineMismatch,
    EngineMissing,
    EngineProcess,
    engine_command,
)
from addon.protocol import Cancel, Cancelled, Failed, Finished, Message, Preview, Progress, Ready, Refused, Submit

FAKE = str(Path(__file__).with_name("fake_engine.py"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., EngineProcess]]:
    """Start a fake engine with this script."""
    engines = []

    def begin(**script: Any) -> EngineProcess:
        path = tmp_path / f"script{len(engines)}.json"
        path.write_text(json.dumps(script))
        engine = EngineProcess([sys.executable, "-I", FAKE, str(path)], tmp_path / "log" / "engine.log")
        engines.append(engine)
        engine.start()
        return engine

    yield begin
    for engine in engines:
        engine.close()


def drain(engine: EngineProcess, *last: type, seconds: float = 10) -> list[tuple[Message, bytes]]:
    """Poll as Blender's timer does until a message of a kind in `last` has come; no poll may take long."""
    messages: list[tuple[Message, bytes]] = []
    deadline = time.monotonic() + seconds
    while not any(isinstance(message, last) for message, _ in messages):
        assert time.monotonic() < deadline, messages
        before = time.monotonic()
        messages += engine.poll()
        assert time.monotonic() - before < 0.1
        time.sleep(0.01)
    return messages


def death(engine: EngineProcess, seconds: float = 10) -> str:
    """Poll until the engine is reported dead; the sentence."""
    with pytest.raises(EngineDied) as caught:
        drain(engine, seconds=seconds)
    return str(caught.value)


def test_a_job_from_submit_to_finished(start: Callable[..., EngineProcess], tmp_path: Path) -> None:
    steps = [
        {"progress": [0.5, "half", 1.5]},
        {"preview": [7, 4, 2, 3]},
        {"write": ["result/x", "done"]},
        {"finish": {"results": ["result/x"]}},
    ]
    engine = start(jobs=[steps])
    assert engine.wait_ready(10).engine_version == "0.0.fake"
    engine.send(Submit("a", str(tmp_path)))
    progress, preview, finished = drain(engine, Finished)
    assert progress == (Progress("a", 0.5, "half", 1.5), b"")
    assert preview == (Preview("a", 7, 4, 2, 3), bytes(24))
    assert finished[0] == Finished("a", ["result/x"], [], {})
    assert (tmp_path / "result" / "x").read_text() == "done"


def test_start_returns_at_once_and_ready_comes_by_poll(start: Callable[..., EngineProcess]) -> None:
    before = time.monotonic()
    engine = start(before=[{"deaf": 1.0}])
    assert time.monotonic() - before < 0.5
    assert engine.poll() == [] and engine.ready is None and engine.alive
    ready = drain(engine, Ready)[-1][0]
    assert engine.ready == ready == engine.wait_ready(0)


def test_cancel(start: Callable[..., EngineProcess]) -> None:
    engine = start(jobs=[[{"progress": [0.0, "…", None]}, {"sleep": 30}, {"finish": {}}]])
    engine.wait_ready(10)
    engine.send(Submit("a", "/"))
    drain(engine, Progress)
    engine.send(Cancel("a"))
    assert drain(engine, Cancelled, Finished)[-1][0] == Cancelled("a")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_engine_is_noticed_within_a_second_and_another_can_be_started(
    start: Callable[..., EngineProcess], number: int
) -> None:
    engine = start(
        jobs=[[{"log": "loading the last straw\n    indented"}, {"progress": [0, "", None]}, {"hang": True}]]
    )
    pid = engine.wait_ready(10).pid
    engine.send(Submit("a", "/"))
    drain(engine, Progress)
    os.kill(pid, number)
    sentence = death(engine, seconds=1)
    assert f"signal {int(number)}" in sentence and "loading the last straw" in sentence and "\n" not in sentence
    assert not engine.alive
    assert engine.poll() == []  # told once
    engine.send(Submit("b", "/"))  # harmless
    fresh = start()
    fresh.wait_ready(10)
    fresh.send(Submit("c", "/"))
    assert drain(fresh, Finished)


def test_what_came_before_the_death_is_handed_out_first(start: Callable[..., EngineProcess]) -> None:
    engine = start(jobs=[[{"finish": {}}, {"die": 3}]])
    engine.wait_ready(10)
    engine.send(Submit("a", "/"))
    time.sleep(0.5)
    assert [type(message) for message, _ in engine.poll()] == [Finished]
    assert "exit code 3" in death(engine, seconds=1)


def test_last_words_are_those_of_this_engine(start: Callable[..., EngineProcess]) -> None:
    talkative = start(before=[{"log": "words of another"}, {"die": 1}])
    assert "words of another" in death(talkative)
    assert "no word in its log" in death(start(before=[{"die": 1}]))


@pytest.mark.parametrize("kind", ["damaged", "truncated", "oversized", "raw"])
def test_bytes_that_are_no_message_cost_nothing(start: Callable[..., EngineProcess], kind: str) -> None:
    step = {kind: "\x00garbage\xff" * 9 if kind == "raw" else True}
    engine = start(jobs=[[step, {"progress": [0.5, "half", None]}, {"finish": {}}]])
    engine.wait_ready(10)
    engine.send(Submit("a", "/"))
    messages = [message for message, _ in drain(engine, Finished)]
    assert [type(message) for message in messages] == [Refused, Progress, Finished]


def test_another_protocol_is_one_sentence_with_both_versions(start: Callable[..., EngineProcess]) -> None:
    engine = start(ready={"protocol": 99, "engine_version": "7.1"})
    with pytest.raises(
        EngineMismatch, match=r"^The engine speaks protocol version 99 \(engine 7\.1\) .* version 2; .*\.$"
    ):
        engine.wait_ready(10)
    assert not engine.alive


def test_a_greeting_of_the_future_is_a_mismatch_too(start: Callable[..., EngineProcess]) -> None:
    """A later protocol may have other fields in Ready, so that it does not decode."""
    header = b'{"type": "Ready", "protocol": 2, "colour": "red"}'
    data = b"UNDY" + struct.pack("<III", len(header), 0, zlib.crc32(header)) + header
    engine = start(ready=None, before=[{"raw": data.decode("latin-1")}])
    with pytest.raises(EngineMismatch, match="unknown version"):
        engine.wait_ready(10)


def test_an_engine_that_never_gets_ready(start: Callable[..., EngineProcess]) -> None:
    engine = start(ready=None)
    with pytest.raises(EngineDied, match="not ready after 1 s"):
        engine.wait_ready(1)
    assert not engine.alive


def test_a_missing_interpreter(tmp_path: Path) -> None:
    engine = EngineProcess(engine_command(tmp_path / "no" / "python"), tmp_path / "engine.log")
    with pytest.raises(EngineMissing, match="preferences"):
        engine.start()
    assert not engine.alive
    engine.close()


def test_an_interpreter_without_the_engine(tmp_path: Path) -> None:
    """-I keeps the current folder out: only an installed engine counts."""
    engine = EngineProcess([sys.executable, "-I", "-S", "-m", "engine", "serve"], tmp_path / "engine.log")
    engine.start()
    assert "No module named engine" in death(engine)


def test_the_environment_is_free_of_pythons_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    monkeypatch.setenv("UNDERSTUDY_KEPT", "yes")
    show = "import os, sys; sys.exit(repr(sorted(n for n in os.environ if n.startswith(('PYTHON', 'UNDERSTUDY_K')))))"
    engine = EngineProcess([sys.executable, "-c", show], tmp_path / "engine.log")
    engine.start()
    assert "\"['UNDERSTUDY_KEPT']\"" in death(engine)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")
def test_ctrl_c_in_blenders_terminal_is_not_the_engines(start: Callable[..., EngineProcess]) -> None:
    pid = start().wait_ready(10).pid
    assert os.getpgid(pid) == pid != os.getpgid(0)


def test_close_ends_it_politely_or_by_force(start: Callable[..., EngineProcess]) -> None:
    polite = start()
    polite.wait_ready(10)
    before = time.monotonic()
    polite.close()
    assert not polite.alive and time.monotonic() - before < 1
    stubborn = EngineProcess([sys.executable, "-c", "import time; time.sleep(60)"], Path(polite._log))
    stubborn.start()
    stubborn.close()
    assert not stubborn.alive
    polite.close()  # again, harmless


def test_a_long_log_is_put_aside(tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    for words in ("old words", "new words"):
        log.write_bytes(b"." * (MAX_LOG + 1))
        engine = EngineProcess([sys.executable, "-c", f"import sys; sys.exit({words!r})"], log)
        engine.start()
        assert words in death(engine)
        assert log.read_text().strip() == words
        assert (tmp_path / "engine.log.old").stat().st_size == MAX_LOG + 1


def test_pictures_do_not_pile_up_while_blender_is_busy(start: Callable[..., EngineProcess]) -> None:
    steps: list[dict[str, Any]] = [{"preview": [1, 64, 64, 3]}, {"progress": [0.5, "", None]}] * (2 * MAX_WAITING)
    engine = start(jobs=[[*steps, {"fail": "End."}]])
    engine.wait_ready(10)
    engine.send(Submit("a", "/"))
    deadline = time.monotonic() + 10
    while not any(m == (Failed("a", "End."), b"") for m in list(engine._inbox.queue)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    kinds = [type(message) for message, _ in drain(engine, Failed)]
    assert kinds.count(Progress) == 2 * MAX_WAITING
    assert kinds.count(Preview) <= MAX_WAITING
