"""Makes, updates, repairs and removes the engine's environment: finds a Python, makes a virtual environment outside the
extension's own folder, puts the right torch and the engine into it. Can be stopped at any moment and goes on where it
stopped. Knows processes and files, nothing of bpy; its one thread only runs commands and fills a queue."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from .lock import lock

PYTHONS = ((3, 11), (3, 12), (3, 13), (3, 14))  # that torch has builds for
STATE_FILE = "understudy.json"
PACKAGES = Path(__file__).with_name("engine_package")  # the wheels that the extension brings: the engine's and pip's
FULL = 32  # megabytes: with less than that left, it is the disk
RECORD_LINES = 200  # of pip's words that are kept for the sentence about a failure

# By backend: where pip finds its torch beside the default index, and megabytes that the environment takes.
BACKENDS: dict[str, tuple[str, int]] = {
    "CPU": ("https://download.pytorch.org/whl/cpu", 1500),
    "CUDA": ("https://download.pytorch.org/whl/cu130", 7000),
    "CUDA12": ("https://download.pytorch.org/whl/cu126", 7000),
    "ROCM": ("https://download.pytorch.org/whl/rocm7.2", 18000),
    "XPU": ("https://download.pytorch.org/whl/xpu", 7000),
    "MPS": ("", 1500),
}

# What pip and venv say, and what the artist reads. The first that is found in the record counts.
REASONS = (
    (r"No space left on device|not enough space|Errno 28", "the disk is full; free some space and install again"),
    (r"Permission ?[Dd]enied|Errno 13|Access is denied|Read-only file system",
     "the folder {target} cannot be written to; choose another in the preferences"),
    (r"No module named venv", "{python} cannot make environments; name another Python"),
    (r"hash(es)? (do|does) not match|BadZipFile|is not a valid wheel|has an invalid wheel|[Ww]heel .* is invalid",
     "a package came damaged; install again, which fetches it anew"),
    (r"name resolution|NewConnectionError|Max retries|ConnectTimeout|ReadTimeout|Connection (refused|reset)|ProxyError",
     "the package index could not be reached; check the network connection and install again, or give a folder of wheels"),
    (r"No matching distribution found for (\S+)", "no build of {0} fits this Python and machine; name another Python"),
    (r"requires a different Python", "{python} has the wrong version; name a Python from 3.11 to 3.14"),
)  # fmt: skip


class InstallError(Exception):
    """The engine cannot be installed; str() is one sentence that says what to do."""


@dataclass(frozen=True)
class Plan:
    """What is to be made. python: what makes it, empty to find one. package: the engine's own wheel. backend: of BACKENDS, or
    AUTO for this machine's. wheels: a folder of wheels to do without a network, or None. repair: what is there goes first."""

    python: str
    target: Path
    package: Path
    backend: str
    wheels: Path | None = None
    repair: bool = False


@dataclass(frozen=True)
class Step:
    """How far it is. done: 0 to 1. Once `ended`, `sentence` says why it failed, and is empty if it did not."""

    done: float
    text: str
    ended: bool = False
    sentence: str = ""


def interpreter(target: Path) -> Path:
    """The Python of an environment."""
    return target / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def read_state(target: Path) -> dict[str, str]:
    """What the installer noted about an environment: state (incomplete, complete), version, backend; empty if nothing."""
    try:
        data = json.loads((target / STATE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in data.items()} if isinstance(data, dict) else {}


def package() -> Path | None:
    """The wheel of the engine that belongs to this extension; None in a copy that came without."""
    return max(PACKAGES.glob("understudy-*.whl"), default=None)


def package_version(package: Path) -> str:
    """The version in a wheel's name."""
    return package.name.split("-")[1]


# --- what this machine has -------------------------------------------------------------------------------------------


def fits(python: str | Path) -> bool | None:
    """Whether a Python of a version that torch has builds for can make environments; None if it is no such Python at all."""
    ask = [str(python), "-I", "-c", "import sys; print(*sys.version_info[:2]); import venv; print('yes')"]
    try:
        found = subprocess.run(ask, capture_output=True, text=True, timeout=20, **_quiet())
        major, minor, *able = found.stdout.split()
        return bool(able) if (int(major), int(minor)) in PYTHONS else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def find_python(named: str = "", blenders_own: str = sys.executable) -> Path:
    """The Python to make the environment with: the one named, Blender's own, else one that is installed.
    Raises InstallError."""
    unable = ""
    for candidate in [named] if named else _candidates(blenders_own):
        if able := fits(candidate):
            return Path(candidate)
        if able is False:  # cut down to what some program needs
            unable = unable or candidate
    if unable:
        raise InstallError(
            f"{unable} cannot make environments; install another Python from python.org or your system's packages, "
            "or name one in the preferences."
        )
    if named:
        raise InstallError(f"{named} is no Python from 3.11 to 3.14; name another.")
    raise InstallError(
        "No Python from 3.11 to 3.14 was found; install one from python.org or your system's packages, or name one in the "
        "preferences."
    )


def _candidates(blenders_own: str) -> Iterator[str]:
    if "python" in Path(blenders_own).name.lower():  # in some builds this is Blender itself
        yield blenders_own
    for minor in (13, 12, 11, 14):
        if path := shutil.which(f"python3.{minor}"):
            yield path
    for name in ("python3", "python", "py"):
        if path := shutil.which(name):
            yield path


def find_backend() -> str:
    """The backend for the graphics card of this machine, CPU where there is none that torch knows."""
    if sys.platform == "darwin":
        return "MPS"
    if driver := _nvidia_driver():
        return "CUDA" if driver >= 580 else "CUDA12"
    if sys.platform == "linux" and (shutil.which("rocminfo") or Path("/opt/rocm").is_dir()):
        return "ROCM"
    return "XPU" if shutil.which("xpu-smi") else "CPU"


def _nvidia_driver() -> int:
    """The major version of the NVIDIA driver, 0 where there is none."""
    ask = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(ask, capture_output=True, text=True, timeout=20, **_quiet())
        return int(found.stdout.split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0


def _quiet() -> dict[str, Any]:
    """No console window on Windows, a process group of its own elsewhere."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def settle(plan: Plan) -> Plan:
    """The plan with what there is on this machine. Asks other programs, so it takes a while. Raises InstallError."""
    backend = find_backend() if plan.backend == "AUTO" else plan.backend
    return replace(plan, python=str(find_python(plan.python)), backend=backend)


# --- one Blender at a time -------------------------------------------------------------------------------------------


@contextlib.contextmanager
def alone(target: Path) -> Iterator[IO[str]]:
    """Hold the lock of an environment, which all Blenders of a user share. What is started with the file holds it too, and the
    system drops it with the last of them, so none is left behind. Raises InstallError."""
    file = target.with_name(f"{target.name}.lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        held = open(file, "a", encoding="ascii")  # noqa: SIM115 closed below
    except OSError as error:
        raise _unwritable(target, error) from error
    with held:
        if not lock(held):
            raise InstallError("Another Blender is installing the engine; wait until it is done, then try again.")
        yield held
        with contextlib.suppress(OSError):  # Windows deletes no open file; an empty one does no harm
            file.unlink()


def _unwritable(target: Path, error: OSError) -> InstallError:
    return InstallError(
        f"The folder {target} cannot be written to ({error.strerror}); choose another in the preferences."
    )


# --- making it -------------------------------------------------------------------------------------------------------


def check(plan: Plan) -> None:
    """Before any time is spent: a folder that can be written to, room on its disk, the wheels. Raises InstallError."""
    try:
        plan.target.mkdir(parents=True, exist_ok=True)
        probe = plan.target / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise _unwritable(plan.target, error) from error
    needed = BACKENDS[plan.backend][1] << 20
    if plan.wheels and not any(plan.wheels.glob("torch-*.whl")):
        raise InstallError(f"There is no torch among the wheels in {plan.wheels}; choose the folder that has it.")
    if read_state(plan.target).get("state") != "complete" and (free := shutil.disk_usage(plan.target).free) < needed:
        raise InstallError(
            f"The engine needs {needed >> 20} MB and {plan.target} has {free >> 20} MB left; "
            "free some space or choose another folder."
        )


def commands(plan: Plan) -> Iterator[tuple[float, str, list[str]]]:
    """Each command with the part that is done after it and what it does, in order; the next is asked for when one is done."""
    python = [str(interpreter(plan.target)), "-I"]
    venv = [
        str(plan.python),
        "-I",
        "-m",
        "venv",
        "--without-pip",
    ]  # Debian's Python, and so its Blender, has no pip to give
    yield 0.04, "Making the environment", [*venv, str(plan.target)]
    brought = max(plan.package.parent.glob("pip-*.whl"), default=None)
    if brought is None:
        raise InstallError(f"There is no pip beside {plan.package.name}; install the extension again from its zip.")
    quiet = ["--no-input", "--disable-pip-version-check", "--no-index"]
    yield 0.08, "Putting pip in", [*python, str(brought / "pip"), "install", *quiet, "--upgrade", str(brought)]
    pip = [*python, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--upgrade"]
    if plan.wheels:
        pip += ["--no-index", "--find-links", str(plan.wheels)]
    else:
        pip += ["--retries", "2", "--timeout", "20"]
        if index := BACKENDS[plan.backend][0]:
            pip += ["--extra-index-url", index]
    yield 0.95, "Fetching torch and the engine", [*pip, "--progress-bar", "raw", str(plan.package)]
    verify = "import engine.device; print(engine.device.describe())"
    yield 1.0, "Trying the engine", [*python, "-c", verify]


class Installation:
    """One run of the installer, on a thread of its own."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._steps: queue.Queue[Step] = queue.Queue()
        self._record: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._held: dict[str, Any] = {}  # what every command takes over of the lock
        self._cancelled = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.last = Step(0.0, "Starting")

    def start(self) -> None:
        """Begin; what does not fit the plan comes as the end of the steps."""
        self._thread.start()

    def poll(self) -> list[Step]:
        """What happened since the last call; never waits."""
        steps = []
        while not self._steps.empty():
            self.last = self._steps.get()
            steps.append(self.last)
        return steps

    def cancel(self) -> None:
        """Give it up; what was fetched is kept for the next try."""
        self._cancelled = True
        if self._process is not None and self._process.poll() is None:
            _end(self._process)

    def wait(self, seconds: float) -> bool:
        """Whether it ended within so many seconds."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _note(self, state: str) -> None:
        version = package_version(self._plan.package)
        data = {"state": state, "version": version, "backend": self._plan.backend}
        partial = self._plan.target / (STATE_FILE + ".partial")
        partial.write_text(json.dumps(data), encoding="utf-8")
        os.replace(partial, self._plan.target / STATE_FILE)

    def _run(self) -> None:
        try:
            self._plan = settle(self._plan)
            with alone(self._plan.target) as held:
                self._held = {} if sys.platform == "win32" else {"pass_fds": (held.fileno(),)}
                end = self._make()
        except InstallError as error:
            end = Step(self.last.done, "Failed", True, str(error))
        except OSError as error:
            end = Step(self.last.done, "Failed", True, explain([str(error)], self._plan))
        self._steps.put(end)

    def _make(self) -> Step:
        """All commands in their order; how it ended. Raises InstallError and OSError."""
        begun = 0.0
        if self._plan.repair:
            remove(self._plan.target)
        check(self._plan)
        self._note("incomplete")
        for done, text, command in commands(self._plan):
            self._steps.put(Step(begun, text))
            code = self._call(command, begun, done, text)
            if self._cancelled:
                return Step(begun, "Cancelled", True, "Cancelled; what was fetched is kept.")
            if code:
                raise InstallError(explain(self._record, self._plan))
            begun = done
        self._note("complete")
        return Step(1.0, self._record[-1] if self._record else "", True)

    def _call(self, command: Sequence[str], begun: float, done: float, text: str) -> int:
        """Run one command to its end; pip's progress becomes steps."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")} | {"PYTHONUTF8": "1"}
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            encoding="utf-8", errors="replace", env=environ, cwd=self._plan.target, **_quiet(), **self._held,
        ) as self._process:  # fmt: skip
            if self._cancelled:  # between two commands
                _end(self._process)
            assert self._process.stdout is not None
            far = shown = begun
            for line in self._process.stdout:
                if match := re.match(r"Progress (\d+) of (\d+)", line):
                    share = int(match[1]) / max(1, int(match[2]))
                    shown = max(shown, far + 0.2 * share * (done - far))
                    self._steps.put(Step(shown, text))
                    continue
                far += 0.02 * (done - far)
                shown = max(shown, far)
                if line.strip():
                    self._record = [*self._record[-RECORD_LINES:], line.strip()]
                    self._steps.put(Step(shown, _short(line) or text))
        return self._process.returncode


def _short(line: str) -> str:
    """What pip does, without its paths: 'Downloading torch-2.13.0…'."""
    match = re.match(
        r"\s*(Collecting|Downloading|Using cached|Processing|Installing collected packages)[ :]+(\S+)", line
    )
    return f"{match[1].replace(' collected packages', '')} {Path(match[2]).name[:48]}" if match else ""


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGTERM)


def explain(record: Sequence[str], plan: Plan) -> str:
    """Why it failed, as one sentence that says what to do."""
    text = "\n".join(record)
    with contextlib.suppress(OSError):  # venv hides what pip says
        text += "\nNo space left on device" * (shutil.disk_usage(plan.target).free < FULL << 20)
    for pattern, reason in REASONS:
        if match := re.search(pattern, text):
            words = reason.format(*match.groups(), target=plan.target, python=plan.python)
            return f"The engine was not installed: {words}."
    said = next((line for line in reversed(record) if "ERROR" in line or "Error" in line), record[-1] if record else "")
    return f"The engine was not installed ({said[:160].rstrip('.')}); install again, or choose Repair."


def remove(target: Path) -> None:
    """Take an environment that the installer made out of the way at once, and delete it on a thread of its own, for it is
    large. Raises InstallError."""
    if not target.exists():
        return
    if not read_state(target):
        raise InstallError(f"{target} was not made by Understudy; delete it yourself if you want it gone.")
    gone = target.with_name(f"{target.name}.gone-{os.getpid()}-{time.monotonic_ns()}")
    try:
        os.replace(target, gone)
    except OSError as error:
        raise InstallError(
            f"{target} could not be deleted ({error.strerror}); close other Blenders that use the engine and try again."
        ) from error
    for left in target.parent.glob(f"{target.name}.gone-*"):  # also of a Blender that was ended meanwhile
        threading.Thread(target=shutil.rmtree, args=(left,), kwargs={"ignore_errors": True}).start()


current: Installation | None = None  # the one that runs
failed = ""  # why the last one did not come to its end
