"""The worst that can happen to a job while it runs: the engine killed in its middle, the disk full. Tried with the engine's own
process, the real jobs and the add-on's end of the wire. Nothing under its final name may be damaged, nothing finished lost."""

from __future__ import annotations

import dataclasses
import importlib
import os
import shutil
import signal
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rigs import QUADRUPED, keyed, waving
from tiny_shot import FRAMES, write_shot

from engine import checkpoint, clips, job_folder, pictures, protocol
from engine.stylise.discriminator import DiscriminatorParams
from engine.stylise.generator import GeneratorParams
from engine.stylise.train import style_path, train_style

KEY = 4
LAST = 4 * len(FRAMES)  # of the long shot
TRAIN = protocol.TrainStyle(keys=[KEY], seconds=600, steps=3, device="cpu")
PAINT = protocol.Stylise(FRAMES[0], LAST, device="cpu")
BETWEEN = protocol.Inbetween(device="cpu")
ROWS = 801  # frames of the long clip
ON = protocol.Extrapolate(frames=1200, device="cpu")
DISK_MB, ROOM_KB = (
    12,
    40,
)  # of the small disk, and what is left on it: for a few small frames, not for weights or a long clip

# The add-on's modules that need no bpy, without the package's own __init__, which needs it.
_package = types.ModuleType("addon_side")
_package.__path__ = [str(Path(__file__).resolve().parents[2] / "blender_addon")]
sys.modules["addon_side"] = _package
addon: Any = importlib.import_module("addon_side.engine_process")
wire: Any = importlib.import_module("addon_side.protocol")


class Blender:
    """What the add-on does about engines: start one when a job is sent and none is there."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.engine: Any = None

    def submit(self, folder: Path, settings: protocol.Settings) -> Any:
        """Send this job to a living engine; returns it."""
        job_folder.write_job(folder, settings)
        if self.engine is None or not self.engine.alive:
            self.engine = addon.EngineProcess(addon.engine_command(Path(sys.executable)), self.log)
            self.engine.start()
            self.engine.wait_ready(60)
        self.engine.send(wire.Submit("job", str(folder)))
        return self.engine

    def wait(self, wanted: Callable[[Any], bool], seconds: float = 60) -> Any:
        """Poll as Blender's timer does; the first message that is wanted. An end of the job that is not wanted is an error."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for message, _ in self.engine.poll():
                if wanted(message):
                    return message
                assert not isinstance(message, (wire.Finished, wire.Failed, wire.Refused)), message
            time.sleep(0.005)
        raise AssertionError(f"not within {seconds} s; the log: {self.log.read_text()[-2000:]}")

    def finish(self, folder: Path, settings: protocol.Settings) -> Any:
        """The job done to its end; Finished."""
        self.submit(folder, settings)
        return self.wait(lambda message: isinstance(message, wire.Finished))

    def kill_in_the_middle(self, folder: Path, settings: protocol.Settings) -> None:
        """SIGKILL once the job has done a part of its work; EngineDied must come within a second."""
        engine = self.submit(folder, settings)
        self.wait(lambda message: isinstance(message, wire.Progress) and 0 < message.done < 1)
        before = time.monotonic()
        os.kill(engine.ready.pid, signal.SIGKILL)
        with pytest.raises(addon.EngineDied, match=r"ended by signal 9.*run the job again"):
            self.wait(lambda message: False, seconds=5)
        assert time.monotonic() - before < 1


@pytest.fixture(scope="module")
def blender(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blender]:
    """The add-on's side for all tests: the engine that stood in for a killed one serves the next test too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        side = Blender(tmp_path_factory.mktemp("log") / "engine.log")
        yield side
        if side.engine is not None:
            side.engine.close()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shot with a style, long enough to be killed in the middle of; tests take a copy."""
    folder = tmp_path_factory.mktemp("shot")
    shot = write_shot(folder)
    for frame in range(FRAMES[-1] + 1, LAST + 1):
        for locate in (job_folder.geometry_path, job_folder.albedo_path, job_folder.frame_path):
            shutil.copyfile(locate(folder, (frame - 1) % len(FRAMES) + 1), locate(folder, frame))
    job_folder.write_json(folder / "shot.json", dataclasses.replace(shot, frame_end=LAST))
    for _ in train_style(folder, TRAIN):
        pass
    return folder


@pytest.fixture
def shot(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "shot"))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Three animals in one armature, and many frames."""
    parents = [p if p < 0 else p + herd * len(QUADRUPED) for herd in range(3) for p in QUADRUPED]
    folder = tmp_path / "clip"
    folder.mkdir()
    clips.write_clip(folder, keyed(waving(parents, frames=ROWS), list(range(0, ROWS, 20))))
    return folder


def fill(disk: Path) -> Path:
    """A file that leaves ROOM_KB free."""
    stat = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(bytes(stat.f_bavail * stat.f_frsize - (ROOM_KB << 10)))
    assert 0 < os.statvfs(disk).f_bavail * stat.f_frsize <= ROOM_KB << 10
    return filler


def painted(folder: Path) -> dict[int, int]:
    """The finished frames and when each was written; every one must be whole, with its words."""
    found = {}
    for path in sorted((folder / "result").glob("*.png")):
        with Image.open(path) as image:
            image.load()
        assert pictures.read_about(path)["Understudy frame"] == str(int(path.stem))
        found[int(path.stem)] = path.stat().st_mtime_ns
    return found


def load_style(folder: Path) -> None:
    checkpoint.load(style_path(folder, "generator"), GeneratorParams)
    checkpoint.load(style_path(folder, "discriminator"), DiscriminatorParams)


def load_motion(folder: Path, rows: int) -> None:
    with np.load(folder / "result/clip.npz", allow_pickle=False) as data:
        assert all(len(data[name]) == rows for name in protocol.RESULT_ARRAYS if name != "frame_start")


def final_names(folder: Path) -> set[str]:
    """Every file but those under a name that says it is half-written."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file() and p.suffix != ".partial"}


# --- the engine killed -----------------------------------------------------------------------------------------------


def test_killed_while_training(blender: Blender, shot: Path) -> None:
    """The style that was there is still whole, and can be gone on with."""
    again = dataclasses.replace(TRAIN, resume=True)
    blender.kill_in_the_middle(shot, dataclasses.replace(again, steps=100_000))
    load_style(shot)
    assert blender.finish(shot, again).figures["steps"] == 2 * TRAIN.steps
    load_style(shot)


def test_killed_while_painting(blender: Blender, shot: Path) -> None:
    blender.kill_in_the_middle(shot, PAINT)
    before = painted(shot)
    assert 0 < len(before) < LAST
    figures = blender.finish(shot, PAINT).figures
    after = painted(shot)
    assert figures == {"painted": LAST - len(before), "kept": len(before)}
    assert sorted(after) == list(range(1, LAST + 1)) and before.items() <= after.items()


@pytest.mark.parametrize(("settings", "rows"), [(BETWEEN, ROWS), (ON, ON.frames)], ids=["inbetween", "extrapolate"])
def test_killed_while_moving(blender: Blender, clip: Path, settings: protocol.Settings, rows: int) -> None:
    blender.kill_in_the_middle(clip, settings)
    assert final_names(clip) <= {"clip.json", "clip.npz", "job.json", ".lock"}
    blender.finish(clip, settings)
    load_motion(clip, rows)


# --- the disk full ---------------------------------------------------------------------------------------------------


def fails_for_room(blender: Blender, folder: Path, settings: protocol.Settings) -> None:
    """The job fails with the one sentence, and leaves nothing half-written."""
    blender.submit(folder, settings)
    sentence = blender.wait(lambda message: isinstance(message, wire.Failed)).sentence
    assert sentence == "The disk is full; free some space and run the job again, finished frames are kept."
    assert not list(folder.rglob("*.partial"))


def test_painting_onto_a_full_disk(blender: Blender, trained: Path, small_disk: Path) -> None:
    folder = Path(shutil.copytree(trained, small_disk / "shot"))
    job_folder.write_job(folder, PAINT)
    filler = fill(small_disk)
    fails_for_room(blender, folder, PAINT)
    before = painted(folder)
    assert 0 < len(before) < LAST
    filler.unlink()
    assert blender.finish(folder, PAINT).figures["kept"] == len(before)
    after = painted(folder)
    assert len(after) == LAST and before.items() <= after.items()


def test_training_onto_a_full_disk(blender: Blender, trained: Path, small_disk: Path) -> None:
    """The style that was there stays whole."""
    folder = Path(shutil.copytree(trained, small_disk / "shot"))
    other = dataclasses.replace(TRAIN, seed=1)
    before = {path: path.read_bytes() for path in (folder / "style").iterdir()}
    filler = fill(small_disk)
    fails_for_room(blender, folder, other)
    assert {path: path.read_bytes() for path in (folder / "style").iterdir()} == before
    filler.unlink()
    blender.finish(folder, other)
    load_style(folder)
    assert all(path.read_bytes() != data for path, data in before.items() if path.suffix == ".safetensors")


def test_moving_onto_a_full_disk(blender: Blender, clip: Path, small_disk: Path) -> None:
    folder = Path(shutil.copytree(clip, small_disk / "clip"))
    filler = fill(small_disk)
    fails_for_room(blender, folder, BETWEEN)
    assert not (folder / "result" / "clip.npz").exists()
    filler.unlink()
    blender.finish(folder, BETWEEN)
    load_motion(folder, ROWS)
