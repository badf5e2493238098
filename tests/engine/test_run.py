"""`python -m engine run JOB_FOLDER` as someone at a terminal and as a farm meet it."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import job_folder, protocol

SCRIPTED = [sys.executable, str(Path(__file__).with_name("scripted_engine.py")), "run"]
PRODUCT = [sys.executable, "-I", "-m", "engine"]


@pytest.fixture
def make_job(tmp_path: Path) -> Callable[..., Path]:
    """A valid job folder whose scripted job does these steps."""

    def make(*steps: dict[str, Any]) -> Path:
        job_folder.write_json(tmp_path / "clip.json", protocol.Clip(1, 10, 24.0, ["root"], [-1]))
        job_folder.write_job(tmp_path, protocol.Inbetween())
        (tmp_path / "steps.json").write_text(json.dumps(steps))
        return tmp_path

    return make


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*command, str(folder)], capture_output=True, text=True, timeout=60)


def begin(folder: Path) -> subprocess.Popen[str]:
    """Start a job and wait until it works."""
    (folder / "began").unlink(missing_ok=True)
    process = subprocess.Popen([*SCRIPTED, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not (folder / "began").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.01)
    return process


def test_done_is_exit_code_0_and_plain_lines_where_there_is_no_terminal(make_job: Callable[..., Path]) -> None:
    folder = make_job({"update": [0.25, "Thinking"]}, {"loop": 5})
    done = run(SCRIPTED, folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["A note.", "score: 0.5", "perfect: inf", str(folder / "result/clip.npz")]
    assert done.stderr == " 25%  Thinking\n"


def test_a_terminal_gets_a_bar_with_the_time_left(make_job: Callable[..., Path]) -> None:
    folder = make_job({"loop": 60})
    master, slave = pty.openpty()
    with subprocess.Popen([*SCRIPTED, str(folder)], stdout=subprocess.DEVNULL, stderr=slave) as process:
        os.close(slave)
        shown = b""
        while True:
            try:
                shown += os.read(master, 4096)
            except OSError:  # Linux says so when the other end is closed
                break
        assert process.wait(10) == 0
    os.close(master)
    bars = shown.decode().split("\r")
    assert any(re.match(r"\[#+-+\]  \d\d%  step \d+, 0:0[0-9] left", bar) for bar in bars), bars[-5:]
    assert all(len(bar.rstrip("\n")) < 80 for bar in bars)


def test_a_sentence_and_no_traceback_for_what_can_be_mended(make_job: Callable[..., Path], tmp_path: Path) -> None:
    wrong = run([*PRODUCT, "run"], tmp_path / "nowhere")
    assert wrong.returncode == 1
    assert wrong.stderr == f"There is no job folder {tmp_path / 'nowhere'}.\n"
    refused = run(SCRIPTED, make_job({"refuse": "Paint a frame first."}))
    assert (refused.returncode, refused.stderr) == (1, "Paint a frame first.\n")


@pytest.mark.parametrize("name", ["result", "style", "keys", ".."])
def test_a_file_where_a_folder_must_be_is_one_sentence(tmp_path: Path, name: str) -> None:
    """Within the job folder or above it; the file is left as it is, and once it is away the same job is done."""
    folder = tmp_path / "shots" / "job"
    folder.mkdir(parents=True)
    clip = protocol.Clip(1, 10, 24.0, ["root"], [-1])
    job_folder.write_json(folder / "clip.json", clip)
    job_folder.write_job(folder, protocol.Inbetween())
    (folder / "steps.json").write_text("[]")
    taken = folder / name
    if name == "..":  # the folder of all shots
        taken = tmp_path / "shots"
        taken.rename(tmp_path / "aside")
    taken.write_text("of the artist")
    failed = run([*PRODUCT, "run"], folder)
    assert failed.returncode == 1 and taken.read_text() == "of the artist"
    assert failed.stderr == f"{taken} is no folder but must be one; move that file away or rename it, then try again.\n"
    taken.unlink()
    if name == "..":
        (tmp_path / "aside").rename(taken)
    assert run(SCRIPTED, folder).returncode == 0


def test_a_file_that_cannot_be_used_is_one_sentence(make_job: Callable[..., Path]) -> None:
    folder = make_job()
    (folder / ".lock").mkdir()
    failed = run([*PRODUCT, "run"], folder)
    assert failed.returncode == 1 and len(failed.stderr.splitlines()) == 1
    assert f"The file {folder / '.lock'} could not be used" in failed.stderr


def test_a_sentence_after_the_traceback_for_what_nobody_foresaw(make_job: Callable[..., Path]) -> None:
    failed = run(SCRIPTED, make_job({"raise": "KeyError"}))
    assert failed.returncode == 1 and "Traceback" in failed.stderr
    assert "KeyError: 'the inner words'" in failed.stderr.splitlines()[-1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_cancels_cleanly(make_job: Callable[..., Path], number: int) -> None:
    folder = make_job({"loop": 1000})
    process = begin(folder)
    process.send_signal(number)
    _, words = process.communicate(timeout=2)
    assert process.returncode == 130
    assert words.splitlines()[-1] == "Cancelled; finished frames are kept." and "Traceback" not in words
    assert (folder / "tidy").exists()


def test_a_folder_is_one_process_at_a_time_and_a_dead_one_does_not_count(make_job: Callable[..., Path]) -> None:
    folder = make_job({"loop": 1000})
    first = begin(folder)
    second = run(SCRIPTED, folder)
    assert second.returncode == 1
    assert f"Another process ({first.pid}) is running the job" in second.stderr and "Traceback" not in second.stderr
    first.kill()
    first.communicate()
    make_job({"loop": 1})
    assert run(SCRIPTED, folder).returncode == 0


def test_the_command_line_names_what_there_is() -> None:
    shown = subprocess.run([*PRODUCT, "--help"], capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0 and all(word in shown.stdout for word in ("run", "serve", "train", "bench"))
    wrong = subprocess.run([*PRODUCT, "train", "nothing"], capture_output=True, text=True, timeout=60)
    assert wrong.returncode == 2 and "inbetween" in wrong.stderr
