"""Footage of the Video Sequencer: read frame by frame, then tracked by the engine, so that it is painted like a capture.

`execute` blocks; `invoke` reads between the window's events, then the engine works while the artist does; both take Esc.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, StringProperty

from .. import compat
from ..footage import (
    FootageError,
    FootageParams,
    file_params,
    footage_folder,
    read_footage,
    strip_params,
    unreadable,
)
from ..job_folder import FOOTAGE, write_job
from ..jobs import Running, manager
from ..protocol import Finished, TrackFootage
from ..sequences import stored
from ..shot import look
from ..words import iface_, rpt_, said
from .job import JobOperator, OperatorError, allowed, make_folder, no_shot_folder, shot_folder

TURN_SECONDS = 0.05  # so long frames are read before the window has its turn


def active_strip(context: bpy.types.Context) -> Any:
    """The Video Sequencer's active strip, if there is one."""
    editor = compat.sequencer_scene(context).sequence_editor
    return editor.active_strip if editor else None


class ReadingOperator(JobOperator):
    """Mixin of a job operator that first reads strips: frame by frame, in Blender, before the engine has its turn."""

    _reading: Generator[tuple[int, int], None, Any] | None = None

    def start_reading(self, context: bpy.types.Context) -> Generator[tuple[int, int], None, Any]:
        """Set `job_at` to the job folder, and return what reads, yielding (done, total). Raises OperatorError or
        FootageError."""
        raise NotImplementedError

    def folder(self, context: bpy.types.Context) -> Path:
        """The folder that `start_reading` has named."""
        return self.job_at

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Read every frame, then run the job, then return."""
        if not self._begin(context):
            return {"CANCELLED"}
        try:
            while (end := self._step()) is None:
                pass
        finally:
            self._close()
        return JobOperator.execute(self, context) if end == {"FINISHED"} else end

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Read between the window's events, then let the engine work."""
        if bpy.app.background:
            return self.execute(context)
        if not self._begin(context):
            return {"CANCELLED"}
        self._timer = context.window_manager.event_timer_add(0.01, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """The next frame, or what the engine has to say; Esc gives either up."""
        if self._reading is None:
            return JobOperator.modal(self, context, event)
        if event.type == "ESC":
            self.report({"WARNING"}, "Cancelled; the strip is not read to its end.")
            self.cancel(context)
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"RUNNING_MODAL"}
        end: set[str] | None = {"CANCELLED"}  # so that an error nobody foresaw leaves no reading behind
        until = time.monotonic() + TURN_SECONDS
        try:
            while (end := self._step()) is None and time.monotonic() < until:
                pass
        finally:
            if end == {"CANCELLED"}:
                self.cancel(context)
        if end is None:
            return {"RUNNING_MODAL"}
        if end == {"CANCELLED"}:
            return end
        self._close()
        self._end_timer(context)
        return self.in_pieces(context, self._hand_over(context))

    def cancel(self, context: bpy.types.Context) -> None:
        """Also called by Blender when the window is closed or another file loaded."""
        if self._reading is None:
            JobOperator.cancel(self, context)
            return
        self._end_timer(context)
        self._close()

    def _begin(self, context: bpy.types.Context) -> bool:
        try:
            self._reading = self.start_reading(context)
        except (OperatorError, FootageError) as error:
            self.report({"ERROR"}, said(str(error)))
            return False
        self._running = manager.local = Running(self.bl_label, self.job_at, text="Reading")
        manager.show(self._running)
        return True

    def _step(self) -> set[str] | None:
        """The next frame; the end of the reading when it was the last."""
        assert self._reading is not None
        try:
            done, total = next(self._reading)
        except StopIteration:
            return {"FINISHED"}
        except FootageError as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        except OSError as error:
            self.report(
                {"ERROR"},
                rpt_("The frames cannot be written ({why}); make room, or choose a folder.").format(why=error.strerror),
            )
            return {"CANCELLED"}
        self._running.advance(done / total, iface_("Frame {done} of {total}").format(done=done, total=total))
        manager.show(self._running)
        return None

    def _close(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None
            manager.local = None
            manager.show(self._running)


class UNDERSTUDY_OT_use_footage(ReadingOperator, bpy.types.Operator):
    """Paint over the active movie or image strip: its frames become the shot that Paint This Frame, Train Style and Stylise
    work on"""

    bl_idname = "understudy.use_footage"
    bl_label = "Use Footage"
    bl_options: Any = {"UNDO"}

    filepath: StringProperty(
        name="File",
        description="A movie or picture to use instead of the active strip",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"} | compat.RELATIVE_PATH,
    )
    overwrite: BoolProperty(
        name="Read Again",
        description="Read the frames anew where this strip was used before; painted keys and results are kept",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = no_shot_folder(context)
        if manager.running is not None:
            why_not = "A job is running: wait for it, or cancel it"
        return allowed(cls, why_not)

    def start_reading(self, context: bpy.types.Context) -> Generator[tuple[int, int], None, Any]:
        """The strip's frames, unless they lie there already."""
        params = self._params(context)
        self.job_at = params.folder
        make_folder(params.folder)
        if self.overwrite or look(params.folder).shot is None:
            return read_footage(params)
        if not _holds(params):
            raise OperatorError(
                rpt_(
                    "{folder} holds footage of other frames; rename the strip, or use Read Again to replace them."
                ).format(folder=params.folder)
            )
        nothing: list[tuple[int, int]] = []
        return (pair for pair in nothing)

    def _params(self, context: bpy.types.Context) -> FootageParams:
        """What is to be read. Raises OperatorError or FootageError."""
        scene, shared = compat.sequencer_scene(context), shared_folder(context)
        if self.filepath:
            return file_params(scene, self.filepath, footage_folder(shared, Path(self.filepath).stem))
        strip = active_strip(context)
        if why_not := unreadable(strip):
            raise OperatorError(why_not + ".")
        return strip_params(scene, strip, footage_folder(shared, strip.name))

    def prepare(self, context: bpy.types.Context) -> Path:
        """A track_footage job."""
        write_job(self.job_at, TrackFootage(still=context.scene.understudy.footage_still))
        return self.job_at

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """The footage is now the scene's shot."""
        scene: Any = compat.sequencer_scene(context)
        scene.understudy.job_folder = stored(folder)
        if context.window and context.window.scene != scene:
            context.window.scene = scene  # the steps of a shot follow the window's scene
        self.report(
            {"INFO"},
            rpt_("The footage is in {folder}; go to a frame and press Paint This Frame.").format(folder=folder),
        )


def shared_folder(context: bpy.types.Context) -> Path:
    """Where folders of strips lie: in that of the scene's own shot, also when the scene already works on footage. Raises
    OperatorError."""
    folder = shot_folder(context)
    return folder.parents[1] if folder.parent.name == "footage" else folder


def _holds(params: FootageParams) -> bool:
    """Whether the folder holds these very frames already."""
    shot = look(params.folder).shot
    wanted = (FOOTAGE, params.frame_start, params.frame_end, params.width, params.height)
    return shot is not None and wanted == (shot.source, shot.frame_start, shot.frame_end, shot.width, shot.height)


register, unregister = bpy.utils.register_classes_factory([UNDERSTUDY_OT_use_footage])
