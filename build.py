#!/usr/bin/env python3
"""The one entry point for people and for CI: demo | test | check | bench | docs | zip | sync.

Makes the environments it needs under .envs/ (one for the engine, one for each Blender version), pinned by
pyproject.toml, and touches nothing outside this folder. Standard library only; knows neither bpy nor torch.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVS = ROOT / ".envs"
BLENDER_TESTS = ROOT / "tests" / "blender"
PYTHONS = ("3.11", "3.13")
IN_USE = "%d.%d" % sys.version_info[:2]
PIP = "pip==25.3"  # what Install Engine works with

# --- finding Python --------------------------------------------------------------------------------------------------


def find_python(version: str) -> str | None:
    """The path of a Python of this version: the running one, on PATH, from pyenv, from uv; None if there is none."""
    if version == IN_USE:
        return getattr(sys, "_base_executable", sys.executable)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which("python" + version), *sorted(pyenv.glob(version + ".*/bin/python"))]
    if uv := shutil.which("uv"):
        found = subprocess.run([uv, "python", "find", version], capture_output=True, text=True)
        candidates.append(found.stdout.strip())
    return next((str(c) for c in candidates if c and runs(str(c), version)), None)


def runs(python: str, version: str) -> bool:
    """Whether this is a working Python of that version (a pyenv shim of another version exists and fails)."""
    ask = [python, "-c", "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"]
    try:
        return subprocess.run(ask, capture_output=True, text=True, timeout=30).stdout.strip() == version
    except OSError:
        return False


def pythons() -> dict[str, str]:
    """The usable Pythons of this machine: version → path."""
    return {version: path for version in PYTHONS if (path := find_python(version))}


def restart_with_a_known_python() -> None:
    """Under another Python than 3.11 or 3.13, run again under one of them, or say how to get one."""
    if IN_USE in PYTHONS:
        return
    found = pythons()
    if not found:
        sys.exit(
            "Understudy needs Python 3.11 or 3.13; install one (for example: uv python install 3.11) and try again."
        )
    path = next(iter(found.values()))
    print(f"Python {IN_USE} cannot hold Blender's module; going on with {path}.", flush=True)
    sys.exit(subprocess.call([path, str(ROOT / "build.py"), *sys.argv[1:]]))


# --- environments ----------------------------------------------------------------------------------------------------


def project() -> dict:
    """pyproject.toml, read."""
    import tomllib  # from 3.11 on; older Pythons never get here

    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def env_python(name: str) -> Path:
    """Where the interpreter of an environment is."""
    return ENVS / name / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def engine_env(found: dict[str, str]) -> Path:
    """The engine's environment, made or brought up to date: its interpreter."""
    data = project()
    tool = data["tool"]["understudy"]
    extras = data["project"]["optional-dependencies"]
    steps = [
        [*data["project"]["dependencies"], *extras["dev"], *extras["bench"], *data["build-system"]["requires"]],
        ["--no-deps", *tool["bench-no-deps"]],
        ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)],
    ]
    return make_env("engine", next(iter(found.values())), steps, tool["engine-megabytes"])


def blender_env(version: str, found: dict[str, str]) -> Path:
    """An environment with Blender `version` as a Python module: its interpreter."""
    spec = project()["tool"]["understudy"]["blender"][version]
    return make_env(f"blender-{version}", found[spec["python"]], [spec["packages"]], spec["megabytes"])


def docs_env(found: dict[str, str]) -> Path:
    """The environment that builds the site of docs/: its interpreter."""
    return make_env("docs", next(iter(found.values())), [project()["project"]["optional-dependencies"]["docs"]], 50)


def blender_versions(found: dict[str, str]) -> tuple[list[str], list[str]]:
    """The Blender versions that the Pythons of this machine can hold, and a sentence for each that is left out."""
    held, left_out = [], []
    for version, spec in project()["tool"]["understudy"]["blender"].items():
        if spec.get("optional"):
            left_out.append(f"left out: Blender {version}; to test it: build.py test --blender {version}")
        elif spec["python"] in found:
            held.append(version)
        else:
            left_out.append(f"left out: Blender {version} needs Python {spec['python']}, which is not on this machine")
    return held, left_out


def make_env(name: str, python: str, steps: list[list[str]], megabytes: int) -> Path:
    """Make the environment unless it is there and made of exactly these packages."""
    target, stamp = env_python(name), ENVS / name / "made_of.txt"
    made_of = hashlib.sha256(repr((runs_as(python), steps, str(ROOT))).encode()).hexdigest()
    if target.exists() and stamp.exists() and stamp.read_text() == made_of:
        return target
    temporary = ENVS / f"{name}.tmp"
    shutil.rmtree(ENVS / name, ignore_errors=True)
    temporary.mkdir(parents=True, exist_ok=True)
    # pip unpacks under TMPDIR; on the same disk it shows in the progress, and nothing outside this folder is touched.
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {"TMPDIR": str(temporary)}
    try:
        subprocess.run([python, "-m", "venv", str(ENVS / name)], check=True, env=environ)
        pip = [str(target), "-m", "pip", "install", "--quiet", "--no-cache-dir", "--disable-pip-version-check"]
        with SizeBar(f"environment {name}", [ENVS / name, temporary], megabytes):
            for step in steps:
                quietly(pip + step, environ)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    stamp.write_text(made_of)
    return target


def runs_as(python: str) -> str:
    """The full version of a Python, so that an environment is made anew after an update."""
    return subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout.strip()


def quietly(command: list[str], environ: dict[str, str]) -> None:
    """Run a command whose output matters only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, env=environ)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if "WARNING" not in line]
        sys.exit(
            "\n".join(errors[-15:])
            + "\nA package could not be installed; the lines above say why. Run the command again."
        )


class SizeBar:
    """A progress bar for an installation: megabytes on disk out of an expected number, with the time left."""

    def __init__(self, title: str, folders: list[Path], megabytes: int) -> None:
        self.title, self.folders, self.megabytes = title, folders, megabytes
        self.done = threading.Event()

    def __enter__(self) -> None:
        self.started = time.monotonic()
        self.thread = threading.Thread(target=self._draw, daemon=True)
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join()
        print(f"{self.title}: {time.monotonic() - self.started:.0f} s" + " " * 50, flush=True)

    def _draw(self) -> None:
        while not self.done.wait(1 if sys.stdout.isatty() else 20):
            part = min(sum(map(size_of, self.folders)) / (self.megabytes * 1e6), 0.99)
            left = (time.monotonic() - self.started) * (1 / part - 1) if part > 0.02 else None
            bar = "#" * int(30 * part) + "." * (30 - int(30 * part))
            text = f"{self.title} [{bar}] {part:4.0%}" + (f", {left:.0f} s left" if left else "")
            print(text.ljust(90), end="\r" if sys.stdout.isatty() else "\n", flush=True)


def size_of(folder: Path) -> int:
    """Bytes below a folder that is being written."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(path, name)).st_size
            except FileNotFoundError:  # pip moved it while we looked
                continue
    return total


# --- commands --------------------------------------------------------------------------------------------------------


def run(*command: str | Path, **environ: str) -> int:
    """Run a command in the project's folder and give its exit status."""
    keep = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")}
    return subprocess.call([str(c) for c in command], cwd=ROOT, env=keep | environ)


def demo(arguments: list[str]) -> int:
    """Render, stylise, in-between and play on; everything lands in demo/out/."""
    found = pythons()
    held, _ = blender_versions(found)
    engine, blender = engine_env(found), blender_env(held[0], found)
    return run(blender, "demo/make.py", "--engine", engine, *arguments)


def sync(_: list[str]) -> int:
    """Copy the contract, and what else both halves need, into the add-on."""
    for module in ("protocol.py", "settings.py", "job_folder.py", "lock.py", "motion/decimate.py"):
        shutil.copyfile(ROOT / "engine" / module, ROOT / "blender_addon" / Path(module).name)
    return 0


def extension_tool(found: dict[str, str]) -> tuple[list[str | Path], Path]:
    """Blender's own extension builder and its list of tags, out of an installed bpy package."""
    held, _ = blender_versions(found)
    python = blender_env(held[0], found)
    package = next(python.parent.parent.glob("[Ll]ib/**/site-packages/bpy"))
    builder = next(package.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py"))
    return [python, builder], next(package.glob("*/scripts/modules/_bpy_internal/extensions/tags.py"))


def pack_engine(python: Path, target: Path | None = None) -> int:
    """The engine as a wheel, and pip's: inside the extension, Install Engine takes them from there."""
    target = target or ROOT / "blender_addon" / "engine_package"
    for left_over in (target, ROOT / "build" / "lib"):
        shutil.rmtree(left_over, ignore_errors=True)
    pip: list[str | Path] = [
        python,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-cache-dir",
    ]
    made = run(*pip, "--wheel-dir", target, ".", PIP)
    for wheel in target.glob("understudy-*.whl"):
        settle(wheel)
    return made


def zip_extension(_: list[str]) -> int:
    """Build and validate the extension, the engine's package inside, and an index to subscribe to: dist/."""
    found = pythons()
    tool, tags = extension_tool(found)
    if failed := pack_engine(engine_env(found)):
        return failed
    target = ROOT / "dist" / f"understudy-{project()['project']['version']}.zip"
    target.parent.mkdir(exist_ok=True)
    made = run(*tool, "build", "--source-dir", "blender_addon", "--output-filepath", target, "--valid-tags", tags)
    if made:
        return made
    settle(target)
    checked = run(*tool, "validate", "--valid-tags", tags, target)
    return checked or run(*tool, "server-generate", "--repo-dir", target.parent, "--html")


def settle(path: Path) -> None:
    """Order and date the files of a zip, so that the same sources give the same bytes wherever they were checked out."""
    with zipfile.ZipFile(path) as made:
        files = {name: made.read(name) for name in sorted(made.namelist())}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as settled:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            settled.writestr(entry, data, zipfile.ZIP_DEFLATED)


def docs(arguments: list[str]) -> int:
    """Build the documentation's site in build/site; a broken link fails."""
    build = ["-m", "mkdocs", "build", "--quiet", "--strict", "--config-file", "docs/mkdocs.yml"]
    return run(docs_env(pythons()), *build, *arguments)


def check(_: list[str]) -> int:
    """Format, lint, types, layer rules, the documentation, manifest. Every check runs, the first failure counts."""
    found = pythons()
    python = engine_env(found)
    tool, tags = extension_tool(found)
    results = [
        run(python, "-m", "ruff", "format", "--check", "--quiet", "."),
        run(python, "-m", "ruff", "check", "--quiet", "."),
        run(python, "-m", "mypy", "build.py", "engine", "benchmarks", "demo"),
        run(python, "-m", "mypy", "-p", "blender_addon"),
        run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_layers.py", "tests/test_docs.py"),
        docs([]),
        run(*tool, "validate", "--valid-tags", tags, "blender_addon"),
    ]
    return max(map(abs, results))


def bench(arguments: list[str]) -> int:
    """Run a benchmark: stylise, ablation, gpu, times, motion --data FOLDER, generate, capture; `bench NAME --help` tells more."""
    names = ("stylise", "ablation", "gpu", "times", "motion", "generate", "capture")
    if not arguments or arguments[0] not in names:
        sys.exit(f"Say which benchmark to run: {', '.join(names)}.")
    found = pythons()
    blender = blender_env(blender_versions(found)[0][0], found)
    python = blender if arguments[0] == "capture" else engine_env(found)
    module = f"benchmarks.{arguments[0]}"
    return run(python, "-m", module, *arguments[1:], UNDERSTUDY_BLENDER_PYTHON=str(blender))


def test(arguments: list[str]) -> int:
    """Everything: engine, add-on in plain Python, each Blender version, the real window; with --blender VERSION that version
    alone. Other arguments go to pytest."""
    parser = argparse.ArgumentParser(prog="build.py test", add_help=False)
    parser.add_argument("--blender", action="append", choices=project()["tool"]["understudy"]["blender"])
    chosen, arguments = parser.parse_known_args(arguments)
    found = pythons()
    held, left_out = blender_versions(found)
    engine = engine_env(found)
    suites = [("engine", engine, ["tests/engine", "tests/addon", "tests/test_layers.py"])]
    for version in chosen.blender or held:
        python = blender_env(version, found)
        # In processes of their own: after hundreds of tests in one, Blender 4.2 now and then dies inside itself, where it renders
        # a strip or loads a file.
        alone = {
            "strips": ["test_sequences.py"],
            "motion": sorted(p.name for p in BLENDER_TESTS.glob("test_motion*.py")),
        }
        files = {title: [f"tests/blender/{name}" for name in names] for title, names in alone.items()}
        ignored = [f"--ignore={path}" for paths in files.values() for path in paths]
        suites += [(f"Blender {version}", python, ["tests/blender", *ignored])]
        suites += [(f"Blender {version}, {title}", python, paths) for title, paths in files.items()]
    suites = suites[1:] if chosen.blender else [*suites, ("real window", engine, ["tests/window"])]
    totals, status = dict.fromkeys(("passed", "failed", "skipped"), 0), 0
    (ROOT / "build").mkdir(exist_ok=True)
    for title, python, paths in suites:
        print(f"\n=== {title} " + "=" * (100 - len(title)), flush=True)
        report = ROOT / "build" / f"{title.replace(' ', '-').replace(',', '')}.xml"
        report.unlink(missing_ok=True)
        command: list[str | Path] = [
            python,
            "-m",
            "pytest",
            "-q",
            "-rs",
            "--durations=5",
            f"--junitxml={report}",
            *paths,
            *arguments,
        ]
        code = run(*command, UNDERSTUDY_ENGINE_PYTHON=str(engine))
        count(report, totals)
        if code:
            status = code
            print(f"=== {title}: exit status {code}", flush=True)
    print("\n" + "\n".join(left_out))
    print(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped", flush=True)
    return status


def count(report: Path, totals: dict[str, int]) -> None:
    """Add a suite's figures; a suite that left no report died, which counts as a failure."""
    if not report.exists():
        totals["failed"] += 1
        return
    for suite in xml.etree.ElementTree.parse(report).getroot().iter("testsuite"):
        tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        totals["passed"] += tests - skipped - failed
        totals["failed"] += failed
        totals["skipped"] += skipped


COMMANDS = {
    "demo": demo,
    "test": test,
    "check": check,
    "bench": bench,
    "docs": docs,
    "zip": zip_extension,
    "sync": sync,
}


def main() -> int:
    """Read the command line and run one command; what follows the command goes to it."""
    lines = [f"  {name:6} {function.__doc__}" for name, function in COMMANDS.items()]
    parser = argparse.ArgumentParser(
        description="Build, test and show Understudy.",
        epilog="\n".join(lines),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="command", help="one of those below")
    arguments, rest = parser.parse_known_args()
    restart_with_a_known_python()
    if not pythons():
        sys.exit("Understudy needs Python 3.11 or 3.13 with venv; install one (for example: uv python install 3.11).")
    return COMMANDS[arguments.command](rest)


if __name__ == "__main__":
    sys.exit(main())
