"""From the painted keys to the painted shot: Train Style, Stylise."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty

from .. import history, outcome, plain_paint, plain_stylise
from ..job_folder import FOOTAGE, key_path, read_job, write_job
from ..preferences import preferences
from ..protocol import Finished, Shot, Stylise, TrainStyle
from ..sequences import show_behind_camera, show_in_sequencer
from ..shot import ShotState, look, result_files
from ..styles import StyleError, find, keep_earlier
from ..words import rpt_
from .job import JobOperator, OperatorError, allowed, make_folder, no_engine, shot_folder
from .keys import captured_shot, not_captured, save_painting


def shot_state(context: bpy.types.Context) -> ShotState:
    """How far the scene's shot has come."""
    return look(shot_folder(context))


def saved_style(settings: Any, use: str) -> str:
    """The folder of the saved style that the scene uses in this way, empty if it uses none. Raises OperatorError."""
    if not settings.style or settings.style_use != use:
        return ""
    try:
        return str(find(settings.style))
    except StyleError as error:
        raise OperatorError(str(error)) from error


class UNDERSTUDY_OT_train_style(JobOperator, bpy.types.Operator):
    """Teach the engine the look of the painted frames"""

    bl_idname = "understudy.train_style"
    bl_label = "Train Style"
    takes_enough = True

    resume: BoolProperty(
        name="Go On",
        description="Start from the style that was trained before, not from nothing",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = not_captured(context)
        if not why_not and not shot_state(context).keys:
            why_not = "No frame is painted yet: go to a frame and press Paint This Frame"
        return allowed(cls, why_not)

    def prepare(self, context: bpy.types.Context) -> Path:
        """A train_style job on all painted keys of the captured range."""
        folder, settings = shot_folder(context), context.scene.understudy
        shot, keys = captured_shot(context), look(folder).keys
        for frame in keys:
            if save_painting(key_path(folder, frame)):
                self.report({"INFO"}, rpt_("The painting of frame {frame} was saved.").format(frame=frame))
        job = TrainStyle(
            keys=list(keys),
            seconds=settings.training_seconds,
            resume=self.resume,
            base="" if self.resume else saved_style(settings, "BASE"),
            preview_frame=context.scene.frame_current if context.scene.frame_current in shot.frames else 0,
            seed=settings.seed,
            device=preferences().device,
        )
        make_folder(folder)
        if look(folder).trained and not self.resume:
            keep_earlier(folder)
        write_job(folder, job)
        return folder

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """The weights lie in the job folder; there is nothing to change in Blender."""
        self.report({"INFO"}, "The style is trained; press Stylise to paint the shot.")


def asked_objects(context: bpy.types.Context, shot: Shot) -> list[int]:
    """Ids of the objects to paint, empty for all. Raises OperatorError where none of those asked for is in the shot."""
    settings = context.scene.understudy
    if settings.painted_objects == "ALL":
        return []
    if settings.painted_objects == "SELECTED":
        where, names = rpt_("that is selected"), {ob.name for ob in context.selected_objects}
    elif settings.painted_collection is None:
        raise OperatorError("Choose the collection whose objects are to be painted, or paint all objects.")
    else:
        collection = settings.painted_collection
        where, names = (
            rpt_("in the collection '{collection}'").format(collection=collection.name),
            {ob.name for ob in collection.all_objects},
        )
    ids = [ob.id for ob in shot.objects if ob.name in names]
    if not ids:
        raise OperatorError(
            rpt_("No object {where} was captured: choose others, or capture the shot again.").format(where=where)
        )
    return ids


class UNDERSTUDY_OT_stylise(JobOperator, bpy.types.Operator):
    """Paint every captured frame in the trained style"""

    bl_idname = "understudy.stylise"
    bl_label = "Stylise"
    bl_options: Any = {"UNDO"}
    does_without = True

    overwrite: BoolProperty(
        name="Overwrite",
        description="Paint every frame again, also those in the result folder that are not Understudy's own. "
        "Without it, frames of another style, key or seed are painted again",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = not_captured(context)
        settings: Any = context.scene.understudy
        own = not settings.style or settings.style_use != "PAINT"
        if not why_not and own and not (no_engine() or shot_state(context).trained):
            why_not = "No style is trained yet: paint a frame and press Train Style"
        elif not why_not and no_engine() and not shot_state(context).keys:
            why_not = "No frame is painted yet: go to a frame and press Paint This Frame"
        return allowed(cls, why_not)

    def prepare(self, context: bpy.types.Context) -> Path:
        """A stylise job on the whole captured range."""
        folder, settings = shot_folder(context), context.scene.understudy
        shot = captured_shot(context)
        if no_engine():  # then it paints from the keys themselves
            self._save_paintings(folder)
        job = Stylise(
            shot.frame_start,
            shot.frame_end,
            overwrite=self.overwrite,
            style=saved_style(settings, "PAINT"),
            strength=settings.strength,
            light=settings.light,
            texture=settings.texture,
            objects=asked_objects(context, shot),
            keep_background=settings.keep_background,
            keep_alpha=settings.keep_alpha,
            depth=settings.depth,
            seed=settings.seed,
            device=preferences().device,
        )
        make_folder(folder)
        write_job(folder, job)
        return folder

    def _remember(self, context: bpy.types.Context, folder: Path, results: tuple[int, ...], finished: Finished) -> None:
        """In the history. A full disk is no reason to lose the result."""
        settings = {name: getattr(context.scene.understudy, name) for name in history.SETTINGS}
        plain = plain_paint.NOTE in finished.notes
        try:
            history.record(folder, settings, look(folder).keys, result_files(folder, results), plain)
        except (OSError, RuntimeError) as error:
            why = getattr(error, "strerror", None) or str(error).strip()
            self.report({"WARNING"}, rpt_("The history could not be written ({why}).").format(why=why))

    def _save_paintings(self, folder: Path) -> None:
        for frame in look(folder).keys:
            save_painting(key_path(folder, frame))

    def steps_without_engine(self) -> Generator[tuple[float, str], None, Finished]:
        """By plain reprojection of the painted frames. Raises OperatorError where a saved style is to be used."""
        settings = read_job(self._folder).settings
        if isinstance(settings, Stylise) and settings.style:
            raise OperatorError("A saved style needs the engine: press Install Engine in the Understudy panel.")
        finished = yield from plain_stylise.stylise(self._folder)
        outcome.finished(self._folder, finished)
        return finished

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """The finished frames in the Video Sequencer and behind the camera."""
        results = look(folder).results
        if not results:
            raise OperatorError("The engine left no finished frame; see its log and stylise again.")
        self._remember(context, folder, results, finished)
        scene: Any = context.scene
        show_in_sequencer(scene, folder, results)
        if captured_shot(context).source != FOOTAGE:
            show_behind_camera(scene, folder, results)
        self.report(
            {"INFO"},
            rpt_("Stylised {count} frames, see the Video Sequencer and the camera view.").format(count=len(results)),
        )


CLASSES = (UNDERSTUDY_OT_train_style, UNDERSTUDY_OT_stylise)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
