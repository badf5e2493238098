"""Capture: the operator around capture.py. `execute` blocks; `invoke` renders frame by frame and takes Esc."""

from __future__ import annotations

from collections.abc import Generator

import bpy

from ..capture import CaptureError, CaptureParams, capture
from ..job_folder import FOOTAGE, check_folders
from ..jobs import Running, manager
from ..properties import default_folder
from ..protocol import JobError, Shot
from ..shot import look
from ..words import iface_, rpt_, said
from .job import OperatorError, allowed, make_folder, no_shot_folder, shot_folder


def _holds_footage(context: bpy.types.Context) -> bool:
    shot = look(shot_folder(context)).shot
    return shot is not None and shot.source == FOOTAGE


class UNDERSTUDY_OT_capture(bpy.types.Operator):
    """Render the frames of the scene's range, and what the engine must know about them, into the shot's job folder"""

    bl_idname = "understudy.capture"
    bl_label = "Capture"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = no_shot_folder(context)
        if context.scene.camera is None:
            why_not = "The scene has no camera: add one and make it the active camera"
        elif not why_not and _holds_footage(context):
            why_not = "The job folder holds footage: empty it, or choose another, to capture the scene"
        elif manager.running is not None:
            why_not = "A job is running: wait for it, or cancel it"
        return allowed(cls, why_not)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Render every frame, then return."""
        if not self._begin(context):
            return {"CANCELLED"}
        try:
            while (end := self._step()) is None:
                pass
            return end
        finally:
            self._close()

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Render the frames between the window's events."""
        if bpy.app.background:
            return self.execute(context)
        if not self._begin(context):
            return {"CANCELLED"}
        self._timer = context.window_manager.event_timer_add(0.01, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """The next frame, or the end by Esc. The scene is set up for the guides, so nothing else gets through."""
        if event.type == "ESC":
            self.report({"WARNING"}, "Capture cancelled.")
            self.cancel(context)
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"RUNNING_MODAL"}
        end: set[str] | None = {"CANCELLED"}  # so that an error nobody foresaw leaves no capture running
        try:
            end = self._step()
        finally:
            if end:
                self.cancel(context)
        return end or {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Also called by Blender when the window is closed or another file loaded: put the scene back."""
        context.window_manager.event_timer_remove(self._timer)
        self._close()

    def _begin(self, context: bpy.types.Context) -> bool:
        try:
            self._folder = shot_folder(context)
            check_folders(self._folder)
            self._frames: Generator[tuple[int, int], None, Shot] = capture(CaptureParams.from_context(context))
            if not context.scene.understudy.job_folder:
                make_folder(self._folder.parent)
        except (OperatorError, CaptureError, JobError) as error:
            self.report({"ERROR"}, said(str(error)))
            return False
        settings = context.scene.understudy
        if bpy.data.filepath and not settings.job_folder:
            settings.job_folder = default_folder(context.scene)  # kept when the file gets another name
        self._running = manager.local = Running(self.bl_label, self._folder, text="Rendering")
        manager.show(self._running)
        return True

    def _step(self) -> set[str] | None:
        """The next render; the operator's result when it was the last."""
        try:
            done, total = next(self._frames)
        except StopIteration as stop:
            shot: Shot = stop.value
            self.report(
                {"INFO"},
                rpt_("Captured frames {start} to {end} in {folder}.").format(
                    start=shot.frame_start, end=shot.frame_end, folder=self._folder
                ),
            )
            return {"FINISHED"}
        except CaptureError as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        self._running.advance(done / total, iface_("Render {done} of {total}").format(done=done, total=total))
        manager.show(self._running)
        return None

    def _close(self) -> None:
        self._frames.close()
        manager.local = None
        manager.show(self._running)


register, unregister = bpy.utils.register_classes_factory([UNDERSTUDY_OT_capture])
