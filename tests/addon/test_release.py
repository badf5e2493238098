"""What is released: zips that are the same wherever they are made, and one version in all places that name it."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import build  # noqa: E402


def pack(path: Path, names: list[str], year: int, mode: int) -> bytes:
    """A zip as another machine may make it, settled."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as made:
        for name in names:
            entry = zipfile.ZipInfo(name, (year, 5, 6, 7, 8, 10))
            entry.external_attr = mode << 16
            made.writestr(entry, f"the text of {name}" * 50)
    os.utime(path, (time.time(), year))
    build.settle(path)
    return path.read_bytes()


def test_order_dates_and_permissions_are_no_part_of_a_zip(tmp_path: Path) -> None:
    names = ["__init__.py", "ui.py", "engine_package/understudy-0.1.0-py3-none-any.whl"]
    assert pack(tmp_path / "a.zip", names, 2024, 0o600) == pack(tmp_path / "b.zip", names[::-1], 2031, 0o777)


def test_two_checkouts_give_the_same_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real thing, engine and all but its weights, from two copies of the tree that differ in place, dates and permissions."""
    tool, made = build.extension_tool(build.pythons()), []  # with the environments of this checkout
    monkeypatch.setattr(build, "extension_tool", lambda found: tool)
    monkeypatch.setattr(build, "engine_env", lambda found: Path(sys.executable))
    source, unwanted = ROOT, shutil.ignore_patterns("__pycache__", "engine_package", "*.safetensors")  # which take long
    for number, mode in enumerate((0o644, 0o600)):
        copy = tmp_path / f"copy {number}"
        for folder in ("blender_addon", "engine"):
            shutil.copytree(source / folder, copy / folder, ignore=unwanted, copy_function=shutil.copyfile)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copyfile(source / name, copy / name)
        source = copy
        for path in copy.rglob("*.*"):
            os.chmod(path, mode)
            os.utime(path, (1.0e9, 1.0e9 + 1.0e7 * number))
        monkeypatch.setattr(build, "ROOT", copy)
        assert build.zip_extension([]) == 0
        (zipped,) = (copy / "dist").glob("*.zip")
        assert (copy / "dist" / "index.json").is_file()
        made.append(zipped.read_bytes())
    assert made[0] == made[1]


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    manifest = tomllib.loads((ROOT / "blender_addon" / "blender_manifest.toml").read_text())["version"]
    (newest, *_) = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert project == manifest == newest
    named = re.findall(r"understudy-([\d.]+)\.zip", "".join(p.read_text() for p in (ROOT / "docs").glob("*.md")))
    assert named and set(named) == {project}
