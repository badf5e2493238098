"""From the captured shot to the painted one: Paint Key, Train Style, Stylise."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty

from ..job_folder import frame_path, key_path, write_job
from ..preferences import preferences
from ..protocol import Finished, Shot, Stylise, TrainStyle
from ..sequences import show_behind_camera, show_in_sequencer
from ..shot import ShotState, look
from .job import JobOperator, OperatorError, allowed, make_folder, no_shot_folder, shot_folder


def shot_state(context: bpy.types.Context) -> ShotState:
    """How far the scene's shot has come."""
    return look(shot_folder(context))


def _not_captured(context: bpy.types.Context) -> str:
    """Why there is no capture to work on; empty if there is one."""
    why_not = no_shot_folder(context)
    return why_not or ("" if shot_state(context).shot else "Nothing is captured yet: capture the shot first")


def captured(context: bpy.types.Context) -> tuple[Shot, ShotState]:
    """The captured shot and its state. Raises OperatorError."""
    if why_not := _not_captured(context):
        raise OperatorError(why_not + ".")
    state = shot_state(context)
    assert state.shot is not None
    return state.shot, state


class UNDERSTUDY_OT_paint_key(bpy.types.Operator):
    """Open this frame for painting: a copy of the captured picture, or the key that was painted before"""

    bl_idname = "understudy.paint_key"
    bl_label = "Paint This Frame"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = _not_captured(context)
        if not why_not and not frame_path(shot_folder(context), context.scene.frame_current).is_file():
            why_not = "This frame is not captured: go to one that is, or capture the shot again"
        return allowed(cls, why_not)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy (never over a painted key), load, and show where an Image Editor is open."""
        folder, frame = shot_folder(context), context.scene.frame_current
        key = key_path(folder, frame)
        try:
            make_folder(key.parent)
            copy_new(frame_path(folder, frame), key)
        except OperatorError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        image = bpy.data.images.load(str(key), check_existing=True)
        if not image.is_dirty:
            image.reload()  # it may have been painted in another program
        editors = [
            a.spaces.active for w in context.window_manager.windows for a in w.screen.areas if a.type == "IMAGE_EDITOR"
        ]
        if editors:
            editors[0].image, editors[0].ui_mode = image, "PAINT"
        self.report({"INFO"}, f"Paint {key} here or in any other program, and save it.")
        return {"FINISHED"}


def copy_new(source: Path, target: Path) -> None:
    """Copy a file unless the target is there; whole or not at all. Raises OperatorError."""
    if target.exists():
        return
    partial = target.with_name(target.name + ".partial")
    try:
        shutil.copyfile(source, partial)
        os.replace(partial, target)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OperatorError(
            f"{target} could not be written ({error.strerror}); make room or choose another folder."
        ) from error


class UNDERSTUDY_OT_train_style(JobOperator, bpy.types.Operator):
    """Teach the engine the look of the painted frames"""

    bl_idname = "understudy.train_style"
    bl_label = "Train Style"

    resume: BoolProperty(
        name="Go On",
        description="Start from the style that was trained before, not from nothing",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = _not_captured(context)
        if not why_not and not shot_state(context).keys:
            why_not = "No frame is painted yet: go to a frame and press Paint This Frame"
        return allowed(cls, why_not)

    def prepare(self, context: bpy.types.Context) -> Path:
        """A train_style job on all painted keys of the captured range."""
        folder, settings = shot_folder(context), context.scene.understudy
        keys = captured(context)[1].keys
        for frame in keys:
            if _is_unsaved(key_path(folder, frame)):
                raise OperatorError(
                    f"Frame {frame} is painted but not saved; save it in the Image Editor (Alt S) first."
                )
        job = TrainStyle(
            keys=list(keys),
            seconds=settings.training_seconds,
            resume=self.resume,
            seed=settings.seed,
            device=preferences().device,
        )
        make_folder(folder)
        write_job(folder, job)
        return folder

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """The weights lie in the job folder; there is nothing to change in Blender."""
        self.report({"INFO"}, "The style is trained; press Stylise to paint the shot.")


def _is_unsaved(path: Path) -> bool:
    """Whether this picture is open in Blender and painted on since it was saved."""
    return any(image.is_dirty and Path(bpy.path.abspath(image.filepath)) == path for image in bpy.data.images)


class UNDERSTUDY_OT_stylise(JobOperator, bpy.types.Operator):
    """Paint every captured frame in the trained style"""

    bl_idname = "understudy.stylise"
    bl_label = "Stylise"
    bl_options: Any = {"UNDO"}

    overwrite: BoolProperty(
        name="Overwrite",
        description="Paint every frame again, also those in the result folder that are not Understudy's own. "
        "Without it, frames of another style, key or seed are painted again",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = _not_captured(context)
        if not why_not and not shot_state(context).trained:
            why_not = "No style is trained yet: paint a frame and press Train Style"
        return allowed(cls, why_not)

    def prepare(self, context: bpy.types.Context) -> Path:
        """A stylise job on the whole captured range."""
        folder, settings = shot_folder(context), context.scene.understudy
        shot, _state = captured(context)
        make_folder(folder)
        write_job(
            folder,
            Stylise(
                shot.frame_start,
                shot.frame_end,
                overwrite=self.overwrite,
                seed=settings.seed,
                device=preferences().device,
            ),
        )
        return folder

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """The finished frames in the Video Sequencer and behind the camera."""
        results = look(folder).results
        if not results:
            raise OperatorError("The engine left no finished frame; see its log and stylise again.")
        scene: Any = context.scene
        show_in_sequencer(scene, folder, results)
        show_behind_camera(scene, folder, results)
        self.report({"INFO"}, f"Stylised {len(results)} frames, see the Video Sequencer and the camera view.")


CLASSES = (UNDERSTUDY_OT_paint_key, UNDERSTUDY_OT_train_style, UNDERSTUDY_OT_stylise)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
