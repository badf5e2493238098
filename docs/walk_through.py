"""A new user's way by mouse and keyboard in a real window, from the zip to a stylised demo shot and to an in-between that is
accepted on a rig, with the clicks, keys and seconds of every step: `python -m pytest -s docs/walk_through.py`.

Not one of the tests, for it fetches torch and trains. UNDERSTUDY_WINDOW=sid takes Blender 5.2 in place of 4.3; pip's own
settings (PIP_INDEX_URL, …) count; UNDERSTUDY_WALK_ENGINE names an engine's Python, so that installing is left out; with
UNDERSTUDY_WALK_BARE=1 no Python is on PATH but the system's own, which may lack pip and venv. A picture of each step is kept in
build/walk_through.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "window"), str(ROOT)]

from conftest import *  # noqa: E402, F403 the fixtures
from conftest import PYTHON_HOME, SUITE, Seat, Window  # noqa: E402
from test_install_window import drop  # noqa: E402
from test_stylise_window import BRUSH  # noqa: E402 Debian leaves Blender's brushes out

pytestmark = pytest.mark.timeout(3600)
ENGINE = os.environ.get("UNDERSTUDY_WALK_ENGINE", "")
PICTURES = ROOT / "build" / "walk_through" / SUITE
# What the demo's own script does before the user comes in: the two scenes of the demo, twelve frames of the shot at half its
# size, the rig's in Pose Mode.
DEMO = """
import sys
sys.path.insert(0, {root!r})
import bpy
from demo import leap, scene
shot, rehearsal = scene.build(128), leap.build(128)
shot.frame_start, shot.frame_end = 13, 24
for name, file in (("Shot", "shot.blend"), ("Leap", "leap.blend")):
    bpy.context.window.scene = bpy.data.scenes[name]
    if name == "Leap":
        bpy.context.view_layer.objects.active = bpy.data.objects["Pip leaping"]
        bpy.ops.object.mode_set(mode="POSE")
        bpy.ops.pose.select_all(action="SELECT")
    bpy.ops.wm.save_as_mainfile(filepath={folder!r} + "/" + file, copy=True)
    if name == "Leap":
        bpy.ops.object.mode_set(mode="OBJECT")
"""


class Walk:
    """What each step has taken, printed as a table."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, int, float]] = []

    def step(self, blender: Window, name: str) -> Step:
        return Step(self, blender, name)

    def show(self, title: str) -> None:
        """Print and forget the steps."""
        print(f"\n{title}\n{'step':52} clicks  keys  seconds")
        for name, clicks, keys, seconds in self.rows:
            print(f"{name:52} {clicks:6d} {keys:5d} {seconds:8.0f}")
        clicks, keys, seconds = (sum(row[i] for row in self.rows) for i in (1, 2, 3))
        print(f"{'together':52} {clicks:6.0f} {keys:5.0f} {seconds:8.0f}", flush=True)
        self.rows.clear()


class Step:
    """One step: what is pressed in it is counted. Its seconds are those that Blender and the engine take, begun by `go`: the
    mouse here looks for its buttons blindly."""

    def __init__(self, walk: Walk, blender: Window, name: str) -> None:
        self.walk, self.blender, self.name = walk, blender, name
        self.clicks, self.keys, self.begun = blender.clicks, blender.keys, time.monotonic()

    def __enter__(self) -> Step:
        return self

    def go(self) -> None:
        """The last button is pressed; the waiting begins."""
        self.begun = time.monotonic()

    def __exit__(self, *_: object) -> None:
        blender = self.blender
        seconds = time.monotonic() - self.begun
        self.walk.rows.append((self.name, blender.clicks - self.clicks, blender.keys - self.keys, seconds))
        PICTURES.mkdir(parents=True, exist_ok=True)
        blender.picture(PICTURES / f"{self.name.lower().replace(' ', '_')}.png")


@pytest.fixture(scope="module")
def zipped(seat: Seat, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip of `build.py zip`, for a Blender that has never been used."""
    subprocess.run([sys.executable, str(ROOT / "build.py"), "zip"], check=True, cwd=ROOT)
    folder = tmp_path_factory.mktemp("fresh")
    path = "$PATH" if os.environ.get("UNDERSTUDY_WALK_BARE") else f"'{PYTHON_HOME / 'bin'}':$PATH"
    seat.run(f"export BLENDER_USER_RESOURCES='{folder}' PATH={path}")
    return max((ROOT / "dist").glob("understudy-*.zip"))


@pytest.fixture
def installed(seat: Seat, zipped: Path) -> None:
    """The extension, as the first test has left it but for what Blender only keeps when it is quit."""
    seat.run(f"blender --background --command extension install-file --repo user_default --enable '{zipped}' >&2")


@pytest.fixture(scope="module")
def demo_files(seat: Seat, zipped: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    (folder / "make.py").write_text(DEMO.format(root=str(ROOT), folder=str(folder)))
    seat.run(f"blender --background --python-exit-code 3 --python '{folder / 'make.py'}' >&2")
    return folder


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    yield Walk()


def start(seat: Seat, folder: Path, file: Path) -> Window:
    folder.mkdir(exist_ok=True)
    return Window(seat, folder, file, ENGINE)


def open_tab(walk: Walk, blender: Window) -> None:
    """A human sees the tab; the mouse here tries them all."""
    with walk.step(blender, "Open the tab") as step:
        blender.point(700, 500)
        blender.key("n")
        before = blender.clicks
        blender.open_tab()
        blender.clicks = before + 1
        step.go()


def test_install_and_stylise(seat: Seat, zipped: Path, demo_files: Path, walk: Walk, tmp_path: Path) -> None:
    blender = start(seat, tmp_path / "w", demo_files / "shot.blend")
    try:
        with walk.step(blender, "Drop the zip and press OK") as step:
            step.go()
            drop(blender, zipped)
        open_tab(walk, blender)
        if not ENGINE:
            install(walk, blender)
        stylise(walk, blender)
    finally:
        walk.show(f"From the zip to a stylised shot ({SUITE})")
        blender.kill()


def install(walk: Walk, blender: Window) -> None:
    with walk.step(blender, "Install the engine") as step:
        if not blender.ask("bpy.app.online_access"):
            blender.click("extensions.userpref_allow_online")
        blender.click("understudy.install_engine", 0.4)
        step.go()
        blender.wait("installer.current is not None or installer.failed", 60)
        assert not blender.ask("installer.failed"), blender.ask("installer.failed")
        blender.wait("installer.current is None", 1500)
        assert not blender.ask("installer.failed"), blender.ask("installer.failed")
        blender.wait("manager.engine_state == 'READY'", 90)


def stylise(walk: Walk, blender: Window) -> None:
    with walk.step(blender, "Capture") as step:
        blender.click("understudy.capture")
        step.go()
        blender.wait("done() >= 0")
        blender.wait("done() < 0", 900)
        assert "Captured frames" in blender.reports()
    with walk.step(blender, "Paint a frame") as step:
        blender.click("understudy.paint_key", 0.4)
        blender.wait("any(a.ui_type == 'IMAGE_EDITOR' for a in view()[0].screen.areas)")
        blender.do(BRUSH)
        x, y = blender.ask("middle_of('IMAGE_EDITOR')")
        step.go()
        blender.drag(x - 40, y, x + 40, y + 10)
        blender.wait("any(image.is_dirty for image in bpy.data.images)")
    with walk.step(blender, "Train the style") as step:
        blender.click("understudy.train_style", 0.3)
        step.go()
        blender.wait("done() >= 0", 60)
        blender.wait("done() < 0", 600)
        assert "The style is trained" in blender.reports()
    with walk.step(blender, "Stylise") as step:
        blender.click("understudy.stylise")
        step.go()
        blender.wait("'Shot Stylised' in bpy.data.scenes", 900)
    with walk.step(blender, "See the strip") as step:
        blender.click("understudy.show_result", 0.2)
        step.go()
        blender.wait("any(a.type == 'SEQUENCE_EDITOR' for a in view()[0].screen.areas)")
        time.sleep(2)  # Blender reads the strip's pictures


def test_inbetween(seat: Seat, installed: None, demo_files: Path, walk: Walk, tmp_path: Path) -> None:
    blender = start(seat, tmp_path / "w", demo_files / "leap.blend")
    try:
        open_tab(walk, blender)
        with walk.step(blender, "In-Between") as step:
            blender.click("understudy.inbetween", 0.4)
            step.go()
            blender.wait("any('understudy' in f.__module__ for f in bpy.app.handlers.frame_change_post)", 120)
        with walk.step(blender, "Look at it and accept") as step:
            blender.point(600, 500)
            blender.key("Return")
            step.go()
            made = "any(k.type == 'GENERATED' for c in curves('Pip leaping') for k in c.keyframe_points)"
            blender.wait(f"manager.running is None and {made}", 60)
    finally:
        walk.show(f"An in-between on a rig ({SUITE})")
        blender.kill()
