"""The job manager against a scripted engine: to its end, failing, dying, cancelled, two at once, a file loaded."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.understudy import jobs as jobs_module
from bl_ext.user_default.understudy.jobs import manager
from bl_ext.user_default.understudy.protocol import PROTOCOL_VERSION, Cancelled, Failed, Finished, Message, Progress
from shots import add_camera, write_key, write_results, write_shot, write_style

FakeEngine = Callable[..., None]


class Listener:
    """Collects the messages of one job."""

    def __init__(self, folder: Path) -> None:
        self.messages: list[Message] = []
        self.job = manager.submit(folder, lambda message, payload: self.messages.append(message))

    @property
    def end(self) -> Message | None:
        return next((m for m in self.messages if isinstance(m, (Finished, Failed, Cancelled))), None)

    def wait(self, seconds: float = 10.0) -> Message:
        pump_until(lambda: self.end is not None, seconds)
        assert self.end is not None
        return self.end


def pump_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        manager.pump()
        time.sleep(0.01)


def test_a_job_to_its_end(tmp_path: Path, fake_engine: FakeEngine) -> None:
    fake_engine(jobs=[[{"progress": [0.5, "Half", 3.0]}, {"sleep": 0.3}, {"finish": {"results": ["result/0001.png"]}}]])
    listener = Listener(tmp_path)
    assert manager.engine_state == "STARTING" and manager.running is not None
    pump_until(lambda: manager.running is not None and manager.running.text == "Half")
    assert (manager.running.done, manager.running.seconds_left) == (0.5, 3.0)
    assert listener.wait() == Finished(listener.job, ["result/0001.png"], [], {})
    assert (manager.engine_state, manager.running, manager.device) == ("READY", None, "cpu")


def test_two_jobs_queue(tmp_path: Path, fake_engine: FakeEngine) -> None:
    fake_engine(jobs=[[{"sleep": 0.2}, {"finish": {"notes": ["first"]}}], [{"finish": {"notes": ["second"]}}]])
    first, second = Listener(tmp_path / "a"), Listener(tmp_path / "b")
    assert manager.waiting == 1 and manager.busy(tmp_path / "b")
    second.wait()
    assert isinstance(first.end, Finished) and first.end.notes == ["first"]
    assert isinstance(second.end, Finished) and second.end.notes == ["second"]


def test_a_dead_engine_fails_its_jobs_and_the_next_job_starts_another(tmp_path: Path, fake_engine: FakeEngine) -> None:
    fake_engine(jobs=[[{"progress": [0.1, "Working", None]}, {"die": 3}]])
    first, second = Listener(tmp_path / "a"), Listener(tmp_path / "b")
    for listener in (first, second):
        end = listener.wait()
        assert isinstance(end, Failed) and "ended with exit code 3" in end.sentence
    assert manager.engine_state == "STOPPED"
    fake_engine(jobs=[[{"finish": {}}]])
    assert isinstance(Listener(tmp_path / "a").wait(), Finished)


def test_an_idle_engine_that_dies_is_replaced_by_the_next_job(tmp_path: Path, fake_engine: FakeEngine) -> None:
    fake_engine(jobs=[[{"finish": {}}, {"die": 1}]])
    Listener(tmp_path).wait()
    time.sleep(0.3)
    fake = Listener(tmp_path)
    assert isinstance(fake.wait(), Finished), "the job went to the dead engine"


def test_cancel_before_the_engine_is_ready_and_while_it_works(tmp_path: Path, fake_engine: FakeEngine) -> None:
    fake_engine(before=[{"deaf": 0.3}], jobs=[[{"progress": [0.1, "Working", None]}, {"sleep": 30}]])
    early, late = Listener(tmp_path / "a"), Listener(tmp_path / "b")
    manager.cancel(early.job)
    assert isinstance(early.end, Cancelled)
    pump_until(lambda: any(isinstance(m, Progress) for m in late.messages))
    manager.cancel(late.job)
    assert isinstance(late.wait(1.0), Cancelled)


def test_an_engine_that_does_not_give_up_is_ended(
    tmp_path: Path, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "CANCEL_SECONDS", 0.2)
    fake_engine(jobs=[[{"progress": [0.1, "Working", None]}, {"hang": True}]])
    listener = Listener(tmp_path)
    pump_until(lambda: bool(listener.messages))
    manager.cancel(listener.job)
    assert isinstance(listener.wait(), Cancelled)
    assert manager.engine_state == "STOPPED"


def test_an_engine_that_never_gets_ready_is_given_up(tmp_path: Path, fake_engine: FakeEngine) -> None:
    fake_engine(before=[{"hang": True}])
    listener = Listener(tmp_path)
    manager._started_at -= 1000
    end = listener.wait()
    assert isinstance(end, Failed) and "does not start" in end.sentence


def test_wrong_version_is_one_sentence_naming_both(tmp_path: Path, fake_engine: FakeEngine) -> None:
    fake_engine(ready={"protocol": 99})
    end = Listener(tmp_path).wait()
    assert isinstance(end, Failed) and "99" in end.sentence and f"version {PROTOCOL_VERSION}" in end.sentence


def test_loading_a_file_gives_the_jobs_up(saved_file: Path, fake_engine: FakeEngine) -> None:
    fake_engine(jobs=[[{"sleep": 1.0}, {"finish": {}}], [{"finish": {}}]])
    listener = Listener(saved_file.parent)
    pump_until(lambda: manager.engine_state == "READY")
    bpy.ops.wm.open_mainfile(filepath=str(saved_file))
    pump_until(lambda: manager.running is None, 0.9)
    assert not listener.messages, "a message reached what belonged to the other file"
    assert isinstance(Listener(saved_file.parent).wait(), Finished)


# --- operators -------------------------------------------------------------------------------------------------------


@pytest.fixture
def trained_shot(saved_file: Path) -> Path:
    folder = write_shot(saved_file.parent / "understudy")
    write_key(folder, 1)
    write_style(folder)
    return folder


def test_an_operator_blocks_until_its_result_is_there(trained_shot: Path, fake_engine: FakeEngine) -> None:
    fake_engine(jobs=[[{"sleep": 0.2}, {"finish": {"notes": ["Two frames were damaged."]}}]])
    write_results(trained_shot, range(1, 5))
    assert bpy.ops.understudy.stylise() == {"FINISHED"}
    assert bpy.data.scenes["Scene Stylised"].sequence_editor is not None


def test_what_fails_changes_nothing(trained_shot: Path, fake_engine: FakeEngine) -> None:
    fake_engine(jobs=[[{"fail": "Frame 3 cannot be read; capture it again."}], [{"die": 9}]])
    for sentence in ("Frame 3 cannot be read", "ended with exit code 9"):
        with pytest.raises(RuntimeError, match=sentence):
            bpy.ops.understudy.stylise()
        assert [scene.name for scene in bpy.data.scenes] == ["Scene"] and not bpy.data.images


def test_one_job_a_folder(trained_shot: Path, fake_engine: FakeEngine) -> None:
    fake_engine(jobs=[[{"sleep": 30}]])
    add_camera()
    listener = Listener(trained_shot)
    with pytest.raises(RuntimeError, match="still running"):
        bpy.ops.understudy.train_style()
    with pytest.raises(RuntimeError, match="A job is running"):
        bpy.ops.understudy.capture()
    assert bpy.ops.understudy.cancel_job() == {"FINISHED"}
    assert isinstance(listener.wait(1.0), Cancelled)


def test_start_engine_is_offered_only_while_it_is_off(fake_engine: FakeEngine) -> None:
    fake_engine()
    assert bpy.ops.understudy.start_engine() == {"FINISHED"}
    pump_until(lambda: manager.engine_state == "READY")
    with pytest.raises(RuntimeError, match="The engine is running"):
        bpy.ops.understudy.start_engine()
