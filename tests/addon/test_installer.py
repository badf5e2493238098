"""The engine's installer: a real environment with a real torch, and what goes wrong on artists' machines."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from addon import installer
from addon.installer import Installation, InstallError, Plan, Step

ROOT = Path(__file__).resolve().parents[2]

DISK_MB = 24


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The engine's wheel, as `build.py zip` makes it."""
    sys.path.insert(0, str(ROOT))
    import build

    folder = tmp_path_factory.mktemp("package")
    assert build.pack_engine(Path(sys.executable), folder) == 0
    return next(folder.glob("understudy-*.whl"))


@pytest.fixture
def plan(package: Path, tmp_path: Path) -> Plan:
    """With a target whose name is not plain."""
    return Plan(sys.executable, tmp_path / "Häuser und Öl" / "engine", package, "CPU")


def follow(installation: Installation, until: str = "", seconds: float = 500) -> list[Step]:
    """All steps to the end, or to the first that says `until`."""
    steps: list[Step] = []
    deadline = time.monotonic() + seconds
    while not (steps and steps[-1].ended) and not (until and any(until in step.text for step in steps)):
        assert time.monotonic() < deadline, steps
        steps += installation.poll()
        time.sleep(0.05)
    return steps


def start(plan: Plan) -> Installation:
    installation = Installation(plan)
    installation.start()
    return installation


def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without a network: an index that nobody serves, and no local wheels."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)


# --- the whole of it -------------------------------------------------------------------------------------------------


def test_cancelled_gone_on_with_and_working(plan: Plan) -> None:
    """One environment, so that torch is fetched once: stopped in its middle, gone on with, used, brought to the next version,
    removed."""
    first = start(plan)
    follow(first, until="Processing understudy")
    asked = time.monotonic()
    first.cancel()
    end = follow(first)[-1]
    assert time.monotonic() - asked < 5 and end.sentence == "Cancelled; what was fetched is kept."
    assert installer.read_state(plan.target)["state"] == "incomplete"

    steps = follow(start(plan))
    assert not steps[-1].sentence and steps[-1].text == "cpu"
    assert [step.done for step in steps] == sorted(step.done for step in steps), "progress goes back"
    assert sum(step.text != before.text for before, step in itertools.pairwise(steps)) > 5, "it says little"
    state = installer.read_state(plan.target)
    assert state == {"state": "complete", "version": installer.package_version(plan.package), "backend": "CPU"}
    engine = [str(installer.interpreter(plan.target)), "-I", "-m", "engine", "--help"]
    assert "serve" in subprocess.run(engine, capture_output=True, text=True, cwd=plan.target).stdout

    newer = of_version(plan.package, "99.0.0")
    updated = follow(start(replace(plan, package=newer)))
    assert not updated[-1].sentence and installer.read_state(plan.target)["version"] == "99.0.0"
    assert not [step.text for step in updated if re.search("(Downloading|Processing) torch", step.text)], (
        "fetched again"
    )
    ask = [str(installer.interpreter(plan.target)), "-I", "-m", "pip", "show", "understudy"]
    assert "Version: 99.0.0" in subprocess.run(ask, capture_output=True, text=True).stdout

    installer.remove(plan.target)
    assert not plan.target.exists()
    while list(plan.target.parent.iterdir()):  # deleted beside the interface
        time.sleep(0.05)


def of_version(package: Path, version: str) -> Path:
    """The wheel as a later release would have it."""
    before, made = installer.package_version(package), package.with_name(f"understudy-{version}-py3-none-any.whl")
    with zipfile.ZipFile(package) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if ".dist-info/" in name:
                data = data.replace(before.encode(), version.encode())
            new.writestr(name.replace(f"understudy-{before}.", f"understudy-{version}."), data)
    return made


# --- what goes wrong -------------------------------------------------------------------------------------------------


def test_without_a_network(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    no_index(monkeypatch)
    sentence = follow(start(plan))[-1].sentence
    assert "could not be reached" in sentence and "folder of wheels" in sentence


def test_a_folder_of_wheels_without_torch(plan: Plan, tmp_path: Path) -> None:
    assert "no torch among the wheels" in follow(start(replace(plan, wheels=tmp_path)))[-1].sentence


def test_a_damaged_wheel(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "torch-2.13.0-py3-none-any.whl").write_bytes(b"PK nothing")
    sentence = follow(start(replace(plan, wheels=tmp_path)))[-1].sentence
    assert "no build of" in sentence or "damaged" in sentence
    assert installer.read_state(plan.target)["state"] == "incomplete"


def test_a_full_disk(plan: Plan, small_disk: Path) -> None:
    sentence = follow(start(replace(plan, target=small_disk / "engine")))[-1].sentence
    assert re.search(r"needs 1500 MB and .* has \d+ MB left; free some space", sentence)


def test_a_disk_that_fills_up_on_the_way(plan: Plan, small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(installer.BACKENDS, "CPU", ("", 0))
    sentence = follow(start(replace(plan, target=small_disk / "engine")))[-1].sentence
    assert "the disk is full; free some space" in sentence


def test_a_folder_that_is_a_file(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a letter")
    assert "cannot be written to" in follow(start(replace(plan, target=tmp_path / "taken" / "engine")))[-1].sentence


def test_a_disk_that_may_only_be_read(plan: Plan, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    sentence = follow(start(replace(plan, target=small_disk / "engine")))[-1].sentence
    assert "cannot be written to" in sentence and "choose another in the preferences" in sentence


def test_a_graphics_card_and_a_python_are_found_beside_the_interface(plan: Plan) -> None:
    """Nothing is named: starting takes no time, and what was found is asked for room on the disk."""
    begun = time.monotonic()
    installation = start(replace(plan, python="", backend="AUTO"))
    assert time.monotonic() - begun < 0.1
    follow(installation, until="Making the environment")
    installation.cancel()
    assert follow(installation)[-1].sentence == "Cancelled; what was fetched is kept."
    assert installer.read_state(plan.target)["backend"] in installer.BACKENDS


@pytest.fixture(scope="session")
def wheels(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the engine needs, as `pip download` of its package fetches it."""
    folder = tmp_path_factory.mktemp("wheels of the engine")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:"]
    subprocess.run(
        [*pip, "--extra-index-url", installer.BACKENDS["CPU"][0], "--dest", str(folder), str(package)], check=True
    )
    return folder


def test_from_a_folder_of_wheels_without_a_network(plan: Plan, wheels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To its end, then repaired from the same folder."""
    no_index(monkeypatch)
    offline = replace(plan, wheels=wheels)
    end = follow(start(offline))[-1]
    assert not end.sentence and end.text == "cpu"
    (plan.target / "of the artist.txt").touch()
    repairing = start(replace(offline, repair=True))
    follow(repairing, until="Making the environment")
    assert not (plan.target / "of the artist.txt").exists(), "nothing of the old one is left"
    repairing.cancel()
    follow(repairing)
    assert installer.read_state(plan.target)["state"] == "incomplete"


def test_a_python_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match=r"no Python from 3\.11"):
        installer.find_python(str(tmp_path))


def test_blender_as_sys_executable_is_not_taken_for_a_python() -> None:
    assert "blender" not in installer.find_python(blenders_own="/usr/bin/blender").name


def test_what_others_made_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("kept")
    with pytest.raises(InstallError, match="was not made by Understudy"):
        installer.remove(tmp_path)
    assert (tmp_path / "precious.txt").exists()


# --- which torch, with which Python ----------------------------------------------------------------------------------


def put(folder: Path, name: str, script: str = "exit 1") -> str:
    """A program of this machine, as a shell script."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("platform", "programs", "backend", "index"),
    [
        ("linux", {}, "CPU", "/whl/cpu"),
        ("linux", {"nvidia-smi": "echo 580.65.06"}, "CUDA", "/whl/cu130"),
        ("win32", {"nvidia-smi": "echo 610.2"}, "CUDA", "/whl/cu130"),
        ("linux", {"nvidia-smi": "echo 535.183.01"}, "CUDA12", "/whl/cu126"),
        ("linux", {"nvidia-smi": "echo 'NVIDIA-SMI has failed'; exit 9"}, "CPU", "/whl/cpu"),
        ("linux", {"rocminfo": ""}, "ROCM", "/whl/rocm7.2"),
        ("linux", {"xpu-smi": ""}, "XPU", "/whl/xpu"),
        ("darwin", {"rocminfo": ""}, "MPS", ""),
    ],
)
def test_the_torch_for_this_machine(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, programs: dict, backend: str, index: str
) -> None:
    """By what the makers' own programs say, and from the index that has it."""
    (tmp_path / "bin").mkdir()
    for name, script in programs.items():
        put(tmp_path / "bin", name, script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(installer, "_quiet", dict)  # Windows' own flags are only there
    with monkeypatch.context() as machine:
        machine.setattr(sys, "platform", platform)
        machine.setattr(Path, "is_dir", lambda self: False)  # no /opt/rocm of this machine's
        assert installer.find_backend() == backend
    *_, fetch, _verify = [command for _, _, command in installer.commands(replace(plan, backend=backend))]
    given = fetch[fetch.index("--extra-index-url") + 1] if index else ""
    assert given.endswith(index) and ("--extra-index-url" in fetch) == bool(index)


def test_a_python_that_cannot_make_environments_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that can is taken where there is one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstallError, match=r"No Python from 3\.11 to 3\.14 was found"):
        installer.find_python(blenders_own="/usr/bin/blender")
    bare = put(tmp_path, "python3", "echo 3 13; exit 1")
    old = put(tmp_path, "python", "echo 3 9; echo yes")
    for named in ("", bare):
        with pytest.raises(InstallError, match="python3 cannot make environments; install another"):
            installer.find_python(named, blenders_own="/usr/bin/blender")
    with pytest.raises(InstallError, match=r"is no Python from 3\.11"):
        installer.find_python(old)
    able = put(tmp_path, "python3.12", "echo 3 12; echo yes")
    assert installer.find_python(blenders_own=bare) == Path(able)


def cut_down(folder: Path, *without: str) -> Path:
    """This Python once more, without some of its modules."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    program, library = folder / "bin" / version, folder / "lib" / version
    program.parent.mkdir(parents=True)
    library.mkdir(parents=True)
    shutil.copy(os.path.realpath(sys.executable), program)
    for entry in (Path(sys.base_prefix) / "lib" / version).iterdir():
        if entry.name not in without:
            (library / entry.name).symlink_to(entry)
    return program


def test_a_machine_with_no_other_python_than_a_cut_down_one(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Debian's, which lacks ensurepip, it will do; without venv the sentence says what is to be installed, and nothing is
    left behind."""
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    as_debians = cut_down(tmp_path / "debian", "ensurepip")
    assert installer.find_python(blenders_own=str(as_debians)) == as_debians
    installation = start(replace(plan, python=str(as_debians)))
    follow(installation, until="Fetching torch")
    installation.cancel()
    assert follow(installation)[-1].sentence == "Cancelled; what was fetched is kept."
    none = cut_down(tmp_path / "tiny", "ensurepip", "venv")
    with pytest.raises(
        InstallError, match=r"cannot make environments; install another Python from python\.org or your"
    ):
        installer.find_python(blenders_own=str(none))
    untouched = replace(plan, python=str(none), target=tmp_path / "untouched" / "engine")
    assert "install another Python from python.org" in follow(start(untouched))[-1].sentence
    assert not untouched.target.parent.exists()


# --- two Blenders share one engine -----------------------------------------------------------------------------------


def test_two_blenders_do_not_install_into_one_another(plan: Plan) -> None:
    first = start(plan)
    follow(first, until="Making the environment")
    assert "Another Blender is installing the engine" in follow(start(plan))[-1].sentence
    assert not first.last.ended, "the first goes on"
    first.cancel()
    assert follow(first)[-1].text == "Cancelled"
    with installer.alone(plan.target):
        assert "Another Blender is installing the engine" in follow(start(plan))[-1].sentence
    assert sorted(path.name for path in plan.target.parent.iterdir()) == ["engine"], "the lock is gone"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("/usr/bin/python3: No module named venv", "name another Python"),
        ("ERROR: Could not install packages: [Errno 13] Permission denied: '/opt'", "cannot be written to"),
        ("ERROR: No matching distribution found for torch==2.13.0", "no build of torch==2.13.0 fits"),
        ("ERROR: Wheel 'understudy' located at /tmp/understudy.whl is invalid.", "came damaged"),
        ("ERROR: something new", "something new"),
    ],
)
def test_every_failure_is_one_sentence(plan: Plan, said: str, words: str) -> None:
    sentence = installer.explain(["Collecting torch", said], plan)
    assert words in sentence and sentence.endswith(".") and "\n" not in sentence
