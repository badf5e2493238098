"""What operators that need the engine share: prepare a job folder, wait for the engine, bring the result into Blender.

`execute` blocks, for scripts and the command line; `invoke` runs the same job while the artist works on, and takes Esc.
Also the operators about jobs as such: Cancel, Good Enough, Show Preview, Start Engine. Knows neither pictures nor motion.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy

from .. import preview
from ..engine_process import EngineError, EngineMissing, EngineNotInstalled
from ..job_folder import check_folders
from ..jobs import Running, manager
from ..preferences import engine_python
from ..properties import job_folder
from ..protocol import Cancelled, Failed, Finished, JobError, Message, Preview
from ..steps import Step, drain
from ..words import rpt_, said
from .stepped import Pieces, SteppedOperator

POLL_SECONDS = 0.02


class OperatorError(Exception):
    """What the artist can mend; str() is one sentence that says how."""


def shot_folder(context: bpy.types.Context) -> Path:
    """The job folder of the scene's shot, absolute. Raises OperatorError for a file that has never been saved."""
    folder = job_folder(context.scene)
    if folder is None:
        raise OperatorError("Save the Blender file first: the shot's job folder lies beside it.")
    return folder


def no_shot_folder(context: bpy.types.Context) -> str:
    """For polls: why there is no job folder; empty if there is one."""
    try:
        shot_folder(context)
    except OperatorError as error:
        return str(error).rstrip(".")
    return ""


def no_engine() -> bool:
    """Whether none is installed, so that what can be done without is."""
    try:
        engine_python()
    except EngineNotInstalled:
        return True
    except EngineMissing:
        pass
    return False


def allowed(cls: type[bpy.types.Operator], why_not: str) -> bool:
    """For polls: the grey button says why it is grey."""
    if why_not:
        cls.poll_message_set(said(why_not))
    return not why_not


def make_folder(folder: Path) -> None:
    """Make a job folder that can be written to. Raises OperatorError."""
    try:
        check_folders(folder)
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable.partial"
        probe.touch()
        probe.unlink()
    except JobError as error:
        raise OperatorError(str(error)) from error
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise OperatorError(
            rpt_("The job folder {folder} cannot be written to ({why}); choose another.").format(folder=folder, why=why)
        ) from error


class JobOperator(SteppedOperator):
    """Mixin of an operator that runs one job.

    Give it `bl_options = {"UNDO"}`: the one undo step is pushed when the result is in. Between the methods the artist
    may do anything (undo, delete, rename, switch scenes), so an operator keeps names and settings, never Blender data.
    `apply` finds the scene that it started from as `context.scene`.
    """

    _ended: Finished | Failed | Cancelled | None = None
    _steps: Generator[Step, None, Finished] | None = None
    _timer: Any = None
    _job = ""
    subfolder = ""  # of the shot's folder; operators of the same subfolder exclude each other
    takes_enough = False  # whether the engine can end this job early and keep what it has
    does_without = False  # whether `steps_without_engine` does the job where no engine is installed

    def prepare(self, context: bpy.types.Context) -> Path:
        """Write the job folder and return it (usually `self.folder(context)`). Raises JobError or OperatorError."""
        raise NotImplementedError

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """Bring the result into Blender. Raises OperatorError."""
        raise NotImplementedError

    def prepare_steps(self, context: bpy.types.Context) -> Generator[Step, None, Path]:
        """`prepare` a piece at a time, for what takes longer than a moment."""
        yield from ()
        return self.prepare(context)

    def apply_steps(self, context: bpy.types.Context, folder: Path, finished: Finished) -> Generator[Step, None, None]:
        """`apply` a piece at a time. Between the pieces the scene does not change, but the context may be another."""
        yield from ()
        self.apply(context, folder, finished)

    def steps_without_engine(self) -> Generator[Step, None, Finished]:
        """Do the prepared job inside Blender, a piece at a time. Raises JobError or OperatorError."""
        raise NotImplementedError

    def folder(self, context: bpy.types.Context) -> Path:
        """Where this operator's job lies. Raises OperatorError."""
        return shot_folder(context) / self.subfolder

    # --- Blender's side: the same job, blocking or not ---

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Run the job to its end, then apply it."""
        if not drain(self._submit(context)):
            return {"CANCELLED"}
        try:
            while self._ended is None:
                if self._steps is None:
                    manager.pump()
                    time.sleep(POLL_SECONDS)
                else:
                    self._step()
        finally:
            self._give_up()
        return drain(self._end(context))

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Start the job and return; `modal` ends it."""
        if bpy.app.background:
            return self.execute(context)
        ended = self.in_pieces(context, self._hand_over(context))
        if ended == {"RUNNING_MODAL"}:
            context.window_manager.modal_handler_add(self)
        return ended

    def _hand_over(self, context: bpy.types.Context) -> Pieces:
        """Hand the job over, and wait for it in `modal`."""
        if not (yield from self._submit(context)):
            return {"CANCELLED"}
        self._timer = context.window_manager.event_timer_add(0.01 if self._steps else 0.1, window=context.window)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Look for the end; Esc gives the job up, everything else is the artist's."""
        if self.pieces is not None:
            return self.next_pieces(context, event)
        escape = event.type == "ESC" and event.value == "PRESS"
        if escape:
            self._give_up()
        elif self._steps and event.type == "TIMER":
            self._step()
        if self._ended is None:
            return {"RUNNING_MODAL"} if escape else {"PASS_THROUGH"}
        self._end_timer(context)
        return self.in_pieces(context, self._end(context))

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender takes the operator away: its window was closed or another file is being loaded."""
        self.end_ticks(context)
        self._end_timer(context)
        self._give_up()

    def _end_timer(self, context: bpy.types.Context) -> None:
        if self._timer is not None:
            context.window_manager.event_timer_remove(self._timer)
            self._timer = None

    def _give_up(self) -> None:
        """Ask the engine, or end what is done without it."""
        manager.cancel(self._job)
        if self._steps is not None:
            self._steps.close()
            self._end_local(Cancelled(""))

    def _step(self) -> None:
        """The next piece of what is done without an engine."""
        assert self._steps is not None and manager.local is not None
        try:
            manager.local.advance(*next(self._steps))
            manager.show(manager.local)
        except StopIteration as stop:
            self._end_local(stop.value)
        except (OperatorError, JobError) as error:
            self._end_local(Failed("", str(error)))
        except OSError as error:
            self._end_local(Failed("", self._cannot_write(error)))

    def _end_local(self, end: Finished | Failed | Cancelled) -> None:
        self._steps, self._ended, manager.local = None, end, None

    def _submit(self, context: bpy.types.Context) -> Generator[Step, None, bool]:
        """Prepare the job and hand it to the engine, or begin it here; False if that was refused."""
        self._ended = self._steps = None
        self._scene = context.scene.session_uid
        try:
            if manager.busy(self.folder(context)):
                raise OperatorError("A job of this kind is still running; wait for it, or cancel it first.")
            installed = self._start()
            self._folder, self._job = (yield from self.prepare_steps(context)), ""
            if installed:
                self._job = manager.submit(self._folder, self._on_message, self.bl_label, self.takes_enough)
            else:
                self._steps = self.steps_without_engine()
                manager.local = Running(self.bl_label, self._folder)
                self._step()
        except (OperatorError, JobError, EngineError) as error:
            self.report({"ERROR"}, said(str(error)))
            return False
        except OSError as error:  # a full disk, most of all: nothing was handed to the engine
            self.report({"ERROR"}, self._cannot_write(error))
            return False
        return True

    def _cannot_write(self, error: OSError) -> str:
        return rpt_("The job cannot be written ({why}); make room or choose another job folder.").format(
            why=error.strerror
        )

    def _start(self) -> bool:
        """Whether there is an engine, which is then starting. Raises EngineError where the job needs one."""
        try:
            manager.start()
        except EngineNotInstalled:
            if not self.does_without:
                raise
            return False
        return True

    def _on_message(self, message: Message, payload: bytes) -> None:
        if isinstance(message, Preview):
            preview.receive(message, payload)
        if isinstance(message, (Finished, Failed, Cancelled)):
            self._ended = message

    def _end(self, context: bpy.types.Context) -> Pieces:
        """What the end of the job means."""
        if isinstance(self._ended, Finished):
            return (yield from self._apply(context, self._ended))
        if isinstance(self._ended, Failed):
            self.report({"ERROR"}, said(self._ended.sentence))
        else:
            self.report({"WARNING"}, "Cancelled; what was finished is kept.")
        return {"CANCELLED"}

    def _apply(self, context: bpy.types.Context, finished: Finished) -> Pieces:
        scene = next((s for s in bpy.data.scenes if s.session_uid == self._scene), None)
        try:
            if scene is None:
                raise OperatorError(rpt_("The scene is gone; the result is in {folder}.").format(folder=self._folder))
            steps = self.apply_steps(bpy.context, self._folder, finished)
            while True:
                with context.temp_override(scene=scene):
                    step = next(steps, None)
                if step is None:
                    break
                yield step
        except (OperatorError, JobError) as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        for note in finished.notes:
            self.report({"INFO"}, said(note))
        return {"FINISHED"}


class UNDERSTUDY_OT_cancel_job(bpy.types.Operator):
    """Give the running job up. What is finished is kept"""

    bl_idname = "understudy.cancel_job"
    bl_label = "Cancel"
    bl_options: Any = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return allowed(cls, "" if manager.running else "No job is running")

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask; the job's own operator reports the end."""
        manager.cancel_running()
        return {"FINISHED"}


class UNDERSTUDY_OT_good_enough(bpy.types.Operator):
    """End the training now and keep what it has learned"""

    bl_idname = "understudy.good_enough"
    bl_label = "Good Enough"
    bl_options: Any = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        running = manager.running
        if running is None or not running.takes_enough:
            return allowed(cls, "No job is running that could end early")
        return allowed(cls, "The job ends as soon as it has something to keep" if running.enough else "")

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask; the job's own operator reports the end."""
        manager.end_early()
        return {"FINISHED"}


class UNDERSTUDY_OT_show_preview(bpy.types.Operator):
    """Show what the running job is painting, in an open Image Editor or beside this view. It is brought up to date every
    few seconds"""

    bl_idname = "understudy.show_preview"
    bl_label = "Show Preview"
    bl_options: Any = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return allowed(cls, "" if preview.latest.picture is not None else "No job has shown a picture yet")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make the image, and see to it that it is on the screen."""
        image = preview.image()
        shown = any(space.image == image for space in preview.editors()) or preview.show(image)
        if not shown and context.area is not None and not bpy.app.background:
            preview.open_editor(context, image)
        return {"FINISHED"}


class UNDERSTUDY_OT_start_engine(bpy.types.Operator):
    """Start the engine now, so that the first job need not wait for it"""

    bl_idname = "understudy.start_engine"
    bl_label = "Start Engine"
    bl_options: Any = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return allowed(cls, "" if manager.engine_state == "STOPPED" else "The engine is running")

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Return at once; the panel shows when it is ready."""
        try:
            manager.start()
        except EngineError as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (
    UNDERSTUDY_OT_cancel_job,
    UNDERSTUDY_OT_good_enough,
    UNDERSTUDY_OT_show_preview,
    UNDERSTUDY_OT_start_engine,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
