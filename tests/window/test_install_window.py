"""Before the engine is there: what the tab says, the two buttons that bring it, Cancel, Remove, and quitting on the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import PYTHON_HOME, Window
from test_never_in_the_way import quit_blender
from watch import WATCH, no_long_block

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import build

PYTHON = PYTHON_HOME / "bin" / "python3"
PREFERENCES = "bpy.context.preferences.addons['bl_ext.user_default.understudy'].preferences"


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
