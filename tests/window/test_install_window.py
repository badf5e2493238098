"""Before the engine is there: what the tab says, the two buttons that bring it, Cancel, Remove, and quitting on the way."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import PICTURES, PYTHON_HOME, Seat, Window
from test_never_in_the_way import quit_blender
from watch import WATCH, no_long_block

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import build

PYTHON = PYTHON_HOME / "bin" / "python3"
PREFERENCES = "bpy.context.preferences.addons['bl_ext.user_default.understudy'].preferences"


# What Blender does with a zip that is dropped on its window. (Nothing here can drag a file from another program.)
DROP = """
window, area = view()
with bpy.context.temp_override(window=window, area=area):
    bpy.ops.extensions.package_install_files('INVOKE_DEFAULT', url={zipped!r})
"""
MEET = """
from bl_ext.user_default.understudy import compat, installer
from bl_ext.user_default.understudy.jobs import manager
"""


def drop(blender: Window, zipped: Path) -> None:
    """Drop the extension's zip on a Blender that has never met it, and press OK."""
    assert not blender.ask("hasattr(bpy.types.Scene, 'understudy')")
    blender.point(700, 500)
    blender.do(DROP.format(zipped=str(zipped)))
    time.sleep(1)
    blender.keep("dropped")
    blender.key("Return")
    blender.wait("hasattr(bpy.types.Scene, 'understudy')", 120)
    blender.do(MEET)


def test_the_zip_is_dropped_on_the_window(seat: Seat, user_folder: Path, tmp_path: Path) -> None:
    """A Blender as it comes: one drop and OK, and the tab is there, says what is missing and has the two buttons for it."""
    folder = tmp_path / "window"
    folder.mkdir()
    seat.run(f"export BLENDER_USER_RESOURCES='{tmp_path / 'new user'}'")
    try:
        blender = Window(seat, folder, None, "", PICTURES / "the_zip_is_dropped")
        try:
            drop(blender, user_folder / "understudy.zip")
            blender.open_tab()
            assert not blender.ask("bpy.app.online_access")
            blender.find("understudy.install_engine", 0.4)
            blender.click("extensions.userpref_allow_online")
            blender.keep("end")
            assert "Traceback" not in blender.log()
        finally:
            blender.kill()
    finally:
        seat.run(f"export BLENDER_USER_RESOURCES='{user_folder}'")


@pytest.fixture
def damaged_package(user_folder: Path) -> Iterator[None]:
    """The extension with an engine that cannot be installed, and a pip that could."""
    folder = user_folder / "extensions" / "user_default" / "understudy" / "engine_package"
    folder.mkdir(exist_ok=True)
    package = folder / "understudy-99.0.0-py3-none-any.whl"
    package.write_bytes(b"half a wheel")
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, build.PIP]
    subprocess.run(fetch, check=True)
    yield
    package.unlink()
    for pip in folder.glob("pip-*.whl"):
        pip.unlink()


def test_begun_cancelled_and_removed(
    window: Callable[..., Window], shot_file: Path, damaged_package: None, tmp_path: Path
) -> None:
    """In a folder with a space and a letter that is not ASCII; nothing of it is left in the end."""
    blender, target = window(shot_file, Path()), tmp_path / "Künstler 1" / "engine"
    (tmp_path / "wheels").mkdir()
    blender.do("import os; os.environ.pop('UNDERSTUDY_ENGINE_PYTHON', None)")
    blender.do(WATCH)
    blender.do(f"{PREFERENCES}.engine_folder = {str(target)!r}")
    blender.do(f"{PREFERENCES}.install_python = {str(slow_python(tmp_path))!r}")
    x, y = blender.middle("understudy.install_engine", 0.4)
    blender.press(x, y + 32)
    blender.keep("what_works_without")
    blender.press(x, y + 32)
    blender.click("extensions.userpref_allow_online")
    assert blender.ask("bpy.app.online_access")
    blender.do(f"{PREFERENCES}.wheel_folder = {str(tmp_path / 'wheels')!r}")
    blender.click("understudy.install_engine", 0.4)
    blender.wait("'There is no torch among the wheels' in installer.failed")
    (tmp_path / "wheels" / "torch-2.9.0-py3-none-any.whl").touch()
    blender.click("understudy.install_engine", 0.4)
    blender.wait("installer.current is not None")
    blender.click("understudy.cancel_install", 0.85)
    blender.wait("installer.current is None", 30)
    assert target.is_dir()
    blender.keep("cancelled")
    blender.do(f"{PREFERENCES}.install_python = {str(PYTHON)!r}")
    blender.click("understudy.install_engine", 0.4)
    blender.wait("'a package came damaged; install again' in installer.failed", 120)
    blender.keep("failed")
    press_in_preferences(blender, "remove_engine")
    blender.wait("'The engine was removed' in reports()")
    assert not target.exists()
    no_long_block(blender, "install_engine.execute", "look", "remove_engine.execute", "EngineState.draw")
    blender.do(f"{PREFERENCES}.install_python = {str(slow_python(tmp_path))!r}")
    blender.click("understudy.install_engine", 0.4)
    blender.wait("installer.current is not None and installer.current._process is not None")
    quit_blender(blender, blender.ask("installer.current._process.pid"))


def slow_python(folder: Path) -> Path:
    """One that takes a minute to make an environment, as a slow disk does."""
    python = folder / "python"
    python.write_text(f'#!/bin/sh\ncase "$*" in *without-pip*) sleep 60 ;; esac\nexec "{PYTHON}" "$@"\n')
    python.chmod(0o755)
    return python


def press_in_preferences(blender: Window, operator: str) -> None:
    """As the button of the add-on's preferences does it: the question is answered with Enter."""
    blender.point(500, 500)
    blender.do("window, area = view()")
    here = "with bpy.context.temp_override(window=window, area=area):"
    blender.do(f"{here} bpy.ops.understudy.{operator}('INVOKE_DEFAULT')")
    blender.key("Return")
