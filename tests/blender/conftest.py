"""Blender as a module, with the extension built and installed as an artist would have it, in folders of its own.

Installs at configure time, so that test modules may import `bl_ext.user_default.understudy`. Leaves by os._exit when
all is reported: some Blender versions hang at exit.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
USER = Path(tempfile.mkdtemp(prefix="understudy-test-"))
atexit.register(shutil.rmtree, USER, ignore_errors=True)

os.environ["BLENDER_USER_RESOURCES"] = str(USER)  # before bpy is imported: nothing of this user's Blender is touched
os.environ.setdefault("UNDERSTUDY_ENGINE_PYTHON", str(ROOT / ".envs" / "engine" / "bin" / "python"))
os.environ.setdefault("OMP_NUM_THREADS", "1")

import bpy  # noqa: E402


def build_extension(target: Path) -> None:
    """The zip, made by Blender's own builder."""
    builder = Path(bpy.utils.system_resource("SCRIPTS"), "addons_core", "bl_pkg", "cli", "blender_ext.py")
    source = str(ROOT / "blender_addon")
    command = [sys.executable, str(builder), "build", "--source-dir", source, "--output-filepath", str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def pytest_configure() -> None:
    """Build, install and enable the extension."""
    target = USER / "understudy.zip"
    build_extension(target)
    bpy.ops.preferences.addon_enable(module="bl_pkg")
    bpy.ops.extensions.package_install_files(filepath=str(target), repo="user_default", enable_on_install=True)
    assert hasattr(bpy.types.Scene, "understudy"), "the extension did not register; its traceback is above"


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember how it went; the reports are written after this."""
    session.config.stash[STATUS] = int(exitstatus)


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave without Blender's own exit."""
    if STATUS in config.stash:
        shutil.rmtree(USER, ignore_errors=True)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[STATUS])


STATUS = pytest.StashKey[int]()


@pytest.fixture(autouse=True)
def empty_file() -> Iterator[None]:
    """Every test begins in an empty file with the preferences as installed."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    yield


@pytest.fixture
def saved_file(tmp_path: Path) -> Path:
    """The empty file, saved: its folder is where `//understudy/` goes."""
    path = tmp_path / "shot.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


@pytest.fixture
def fake_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """`fake_engine(jobs=[[step, …], …])`: the engine from now on is tests/addon/fake_engine.py with this script."""
    from bl_ext.user_default.understudy.jobs import manager

    def use(**script: Any) -> None:
        manager.close()
        written = tmp_path / "script.json"
        written.write_text(json.dumps(script))
        python = tmp_path / "python"
        engine = ROOT / "tests" / "addon" / "fake_engine.py"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{engine}" "{written}"\n')
        python.chmod(0o755)
        monkeypatch.setenv("UNDERSTUDY_ENGINE_PYTHON", str(python))

    yield use
    manager.close()
