"""A real Blender with its window on a virtual screen: started, asked, clicked and photographed from plain Python.

Blender runs in Debian's chroot (../shared/tools/real-blender): 4.3, or 5.2 with UNDERSTUDY_WINDOW=sid. The engine's own
Python is bind-mounted into it for as long as the tests run, and so are the folders in UNDERSTUDY_WINDOW_MOUNTS (what pip
needs here to install the engine). Everything is skipped, saying so, where that script or root is missing.

Pictures of the screen are kept in build/window/SUITE/TEST: one before every button that is pressed, one at the end.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
REAL_BLENDER = ROOT.parent / "shared" / "tools" / "real-blender"
SUITE = os.environ.get("UNDERSTUDY_WINDOW", "trixie")  # Blender 4.3; "sid": 5.2
CHROOT = Path(os.environ.get("REAL_BLENDER_ROOT", "/var/tmp/real-blender")) / SUITE
ENGINE_PYTHON = Path(os.environ.get("UNDERSTUDY_ENGINE_PYTHON", ROOT / ".envs" / "engine" / "bin" / "python"))
PYTHON_HOME = Path(os.path.realpath(ENGINE_PYTHON)).parents[1]
REMOTE = Path(__file__).with_name("remote.py")
SCREEN = "1600x1000x24"
PICTURES = ROOT / "build" / "window" / SUITE
ANSWER = 0.07  # seconds from one question of `wait` to the next
PATIENCE = 4  # times the seconds of a wait, for what the engine, another process, is waited for on a busy machine
ROUNDS = 12  # of a search for a button: a busy machine draws late


def pytest_addoption(parser: pytest.Parser) -> None:
    """--panel-picture FILE keeps the picture that test_picture takes."""
    parser.addoption("--panel-picture", metavar="FILE", help="keep the picture of the panel here")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say where the pictures are."""
    if PICTURES.exists():
        terminalreporter.write_line(f"{len(list(PICTURES.rglob('*.jpg')))} pictures of the window: {PICTURES}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip, saying why, where there is no real Blender."""
    why = ""
    if not REAL_BLENDER.exists():
        why = f"no real Blender: {REAL_BLENDER} is not there"
    elif os.geteuid() != 0:
        why = "no real Blender: its chroot needs root"
    for item in items if why else ():
        item.add_marker(pytest.mark.skip(reason=why))


class Seat:
    """A shell inside the chroot with a screen of its own. What it starts ends with it."""

    def __init__(self, folder: Path) -> None:
        shared = [str(PYTHON_HOME), *os.environ.get("UNDERSTUDY_WINDOW_MOUNTS", "").split()]
        mounts = 'for f in $1; do mkdir -p "$0$f" && mount --bind "$f" "$0$f" || exit; done; shift; exec "$@"'
        command = ["unshare", "-m", "sh", "-c", mounts, CHROOT, " ".join(shared), REAL_BLENDER, SUITE, "--shell"]
        subprocess.run([REAL_BLENDER, SUITE, "--shell", "true"], cwd=ROOT, check=True)  # builds it, the first time
        self._log = open(folder / "seat.log", "wb")  # noqa: SIM115 closed in close()
        self._shell = subprocess.Popen(
            [*map(str, command), f"xvfb-run -a -s '-screen 0 {SCREEN} +extension GLX' sh"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def run(self, command: str) -> str:
        """Run a command line inside and return what it prints; AssertionError if it fails."""
        assert self._shell.stdin is not None and self._shell.stdout is not None
        self._shell.stdin.write(f"{{ {command}\n}} </dev/null; echo; echo DONE $?\n")
        self._shell.stdin.flush()
        lines = list(itertools.takewhile(lambda line: not line.startswith("DONE "), self._keep_last()))
        assert self._last == "DONE 0\n", f"{command}: {self._last}{''.join(lines)}"
        return "".join(lines).strip()

    def _keep_last(self) -> Iterator[str]:
        assert self._shell.stdout is not None
        self._last = ""
        for line in self._shell.stdout:
            self._last = line
            yield line

    def close(self) -> None:
        """End the shell, and with it the screen."""
        assert self._shell.stdin is not None
        self._shell.stdin.close()
        self._shell.wait(20)
        self._log.close()


@pytest.fixture(scope="session")
def seat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seat]:
    """One screen for all tests."""
    seat = Seat(tmp_path_factory.mktemp("seat"))
    yield seat
    seat.close()


@pytest.fixture(scope="session")
def user_folder(seat: Seat, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blender's user folder with the extension built and installed the way an artist does it."""
    folder = tmp_path_factory.mktemp("user")
    seat.run(f"export BLENDER_USER_RESOURCES='{folder}' OMP_NUM_THREADS=1 UNDERSTUDY_ENGINE_PYTHON='{ENGINE_PYTHON}'")
    zipped = folder / "understudy.zip"
    extension = "blender --background --command extension"
    seat.run(f"{extension} build --source-dir '{ROOT / 'blender_addon'}' --output-filepath '{zipped}' >&2")
    seat.run(f"{extension} install-file --repo user_default --enable '{zipped}' >&2")
    return folder


class Window:
    """Blender with a window: `do` runs Python in it, `ask` evaluates, `click` presses a button of the panel."""

    _rows: dict[str, list[int]] = {}  # where a button was found last, in any window

    def __init__(
        self, seat: Seat, folder: Path, file: Path | None, engine: Path | str, pictures: Path | None = None
    ) -> None:
        self._seat, self._folder, self._pictures = seat, folder, pictures
        self._numbers = itertools.count()
        self.clicks = self.keys = 0  # that an artist would have needed
        named = f"'{file}'" if file else ""
        start = f"UNDERSTUDY_ENGINE_PYTHON='{engine}' exec blender --window-geometry 0 0 1600 1000 {named}"
        start += f" --python '{REMOTE}' -- '{folder}'"
        self.pid = int(seat.run(f"{start} >'{folder / 'blender.log'}' 2>&1 & echo $!"))
        self.wait("True", 60)

    def ask(self, expression: str, seconds: float = 300.0) -> Any:
        """The value of a Python expression, by JSON; `seconds` without an answer, and Blender hangs."""
        number = next(self._numbers)
        question, answer = self._folder / f"{number}.py", self._folder / f"{number}.json"
        question.with_suffix(".partial").write_text(expression)
        question.with_suffix(".partial").rename(question)
        deadline = time.monotonic() + seconds
        while not answer.exists():
            assert time.monotonic() < deadline, f"Blender does not answer: {self.log()}"
            time.sleep(0.02)
        value, error = json.loads(answer.read_text())
        assert not error, error
        return value

    def do(self, statements: str) -> None:
        """Run statements in Blender, from a timer as it were an add-on."""
        self.ask(f"exec({statements!r}, globals())")

    def wait(self, expression: str, seconds: float = 20.0) -> None:
        """Until the expression is true. The seconds are those of a machine with nothing else to do: as many questions as such a
        Blender answers in them, so that a busy one is given the time that it needs."""
        asked, begun = 0, time.monotonic()
        while not self.ask(expression):
            asked += 1
            patient = asked < seconds / ANSWER or time.monotonic() - begun < PATIENCE * seconds
            assert patient, f"not within {seconds} s: {expression}\n{self.log()}"
            time.sleep(0.05)

    def log(self) -> str:
        """The end of what Blender printed."""
        return (self._folder / "blender.log").read_text()[-3000:]

    def reports(self) -> str:
        """All that operators have told the artist so far."""
        return self.ask("reports()")

    def key(self, *keys: str) -> None:
        """Press keys, where the mouse is."""
        self.keys += len(keys)
        self._seat.run(f"xdotool key {' '.join(keys)}")

    def point(self, x: int, y: int) -> None:
        """Move the mouse; y runs down. Twice, for Blender acts on the way."""
        self._seat.run(f"xdotool mousemove {x} {y + 1} mousemove {x} {y}")

    def press(self, x: int, y: int) -> None:
        """Click with the left button."""
        self.point(x, y)
        self.clicks += 1
        self._seat.run("xdotool click 1")
        self.ask("None")

    def drag(self, x: int, y: int, to_x: int, to_y: int) -> None:
        """A stroke with the left button."""
        self.clicks += 1
        way = [(x + (to_x - x) * i // 8, y + (to_y - y) * i // 8) for i in range(9)]
        moves = " sleep 0.1 ".join(f"mousemove {a} {b}" for a, b in way[1:])
        self._seat.run(f"xdotool mousemove {x} {y} sleep 0.2 mousedown 1 {moves} sleep 0.2 mouseup 1")
        self.ask("None")

    def open_tab(self) -> None:
        """Click down the sidebar's tabs until ours is open."""
        self.do("view()[1].spaces.active.show_region_ui = True")
        x, top, width, height = self.ask("sidebar()")
        for y in range(top + 40, top + height, 40):
            if self.ask("category()") == "Understudy":
                return
            self.press(x + width - 10, y)
        raise AssertionError("the sidebar has no tab Understudy")

    def find(self, command: str, part: float = 0.6) -> tuple[int, int]:
        """Where the button is that runs `command`, as Blender itself tells it: by Ctrl C over the button.

        `part` of the sidebar's width from its left is looked at.
        """
        left, top, width, height = self.ask("sidebar()")
        x = left + round(width * part)
        self.point(400, 700)  # away from a message that would go on holding the button under it
        known = self._rows.setdefault(command, [])
        rounds = ([*known, *range(top + 20 + 5 * i % 16, top + height, 16)] for i in range(ROUNDS))
        for y in itertools.chain.from_iterable(rounds):
            self.point(x, y)
            if command in self.ask("command_under_mouse()") and self._settled(command):
                known[:] = [y, *(row for row in known[:3] if row != y)]
                return x, y
        self.picture(self._folder / "missing.png")
        raise AssertionError(f"no button of the panel runs {command}, see {self._folder / 'missing.png'}")

    def middle(self, command: str, part: float = 0.6) -> tuple[int, int]:
        """As `find`, half-way down the button, whose rows are 20 pixels: for what lies a known way above or below it."""
        x, y = self.find(command, part)
        ends = []
        for step in (-2, 2):
            at = y
            while abs(at - y) < 24 and self._is_at(command, x, at + step):
                at += step
            ends.append(at)
        return x, sum(ends) // 2

    def _is_at(self, command: str, x: int, y: int) -> bool:
        self.point(x, y)
        time.sleep(0.1)
        return command in self.ask("command_under_mouse()")

    def _settled(self, command: str) -> bool:
        """Whether the button is still the same when the screen has been drawn again."""
        time.sleep(0.2)
        return command in self.ask("command_under_mouse()")

    def click(self, command: str, part: float = 0.6) -> None:
        """Click the button that runs `command`; `part` as in `find`."""
        self.find(command, part)
        self.keep(command.rpartition(".")[2])
        self.clicks += 1
        self._seat.run("xdotool click 1")
        self.ask("None")

    def picture(self, path: Path, crop: tuple[int, int, int, int] | None = None) -> None:
        """A picture of the screen, or of (x, y, width, height) of it."""
        part = "-crop {2}x{3}+{0}+{1} +repage".format(*crop) if crop else ""
        self.do("bpy.ops.wm.redraw_timer(type='DRAW_WIN_SWAP', iterations=2)")
        self._seat.run(f"import -window root {part} '{path}'")

    def keep(self, name: str) -> None:
        """A picture of the screen as it is, with the others of this test."""
        if self._pictures is not None:
            self._pictures.mkdir(parents=True, exist_ok=True)
            number = len(list(self._pictures.iterdir())) + 1
            self._seat.run(f"import -window root -quality 80 '{self._pictures / f'{number:02d}_{name}.jpg'}'")

    def kill(self) -> None:
        """kill -9, from outside: the shell inside may be waiting."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


@pytest.fixture
def window(
    seat: Seat, user_folder: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Window]]:
    """`window(FILE, ENGINE)` starts a Blender, our tab open; it is ended after the test."""
    opened: list[Window] = []
    pictures = PICTURES / re.sub(r"\W+", "_", request.node.name).strip("_")
    shutil.rmtree(pictures, ignore_errors=True)

    def start(file: Path | None = None, engine: Path = ENGINE_PYTHON) -> Window:
        folder = tmp_path / f"window{len(opened)}"
        folder.mkdir()
        opened.append(Window(seat, folder, file, engine, pictures))
        opened[-1].open_tab()
        return opened[-1]

    try:
        yield start
        for blender in opened[-1:]:
            blender.keep("end")
    finally:
        for blender in opened:
            blender.kill()


@pytest.fixture
def fake_engine(tmp_path: Path) -> Callable[..., Path]:
    """`fake_engine(jobs=[[step, …], …])`: an interpreter that is tests/addon/fake_engine.py with this script."""

    def make(**script: Any) -> Path:
        written, python = tmp_path / "script.json", tmp_path / "python"
        written.write_text(json.dumps(script))
        engine = ROOT / "tests" / "addon" / "fake_engine.py"
        python.write_text(f'#!/bin/sh\nexec "{ENGINE_PYTHON}" "{engine}" "{written}"\n')
        python.chmod(0o755)
        return python

    return make


@pytest.fixture
def shot_file(seat: Seat, user_folder: Path, tmp_path: Path) -> Path:
    """A saved file: Blender's cube and camera, 4 frames of 32 x 32 in one sample of Cycles."""
    path = tmp_path / "shot.blend"
    seat.run(f"blender --background --python '{ROOT / 'tests' / 'window' / 'scene.py'}' -- '{path}' >&2")
    return path
