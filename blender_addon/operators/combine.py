"""Two strips of the Video Sequencer put together by the engine: a cross-fade, a mask, or by the objects of a shot. The result is
a strip above both, which are left as they are."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from .. import compat
from ..footage import PICTURES, FootageParams, numbered_folder, read_frames, strip_params, unreadable
from ..job_folder import write_job
from ..jobs import manager
from ..protocol import Combine, Finished
from ..sequences import place_strip
from ..shot import look
from ..words import rpt_
from .footage import ReadingOperator, shared_folder
from .job import OperatorError, allowed, make_folder, no_shot_folder, shot_folder


def chosen_strips(context: bpy.types.Context) -> list[Any]:
    """The selected picture strips, from the lowest channel up."""
    editor = compat.sequencer_scene(context).sequence_editor
    chosen = [s for s in compat.sequencer_strips(editor) if s.select and s.type in PICTURES] if editor else []
    return sorted(chosen, key=lambda strip: strip.channel)


class UNDERSTUDY_OT_combine(ReadingOperator, bpy.types.Operator):
    """Put the two selected movie or image strips together, where they overlap in time: the lower one first, the upper one
    second"""

    bl_idname = "understudy.combine"
    bl_label = "Combine"
    bl_options: Any = {"UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = no_shot_folder(context)
        if manager.running is not None:
            why_not = "A job is running: wait for it, or cancel it"
        elif not why_not and len(chosen_strips(context)) != 2:
            why_not = "Select two movie or image strips in the Video Sequencer"
        return allowed(cls, why_not)

    def start_reading(self, context: bpy.types.Context) -> Generator[tuple[int, int], None, Any]:
        """The frames that both strips show, of those strips that are more than a folder of numbered pictures."""
        strips = chosen_strips(context)
        for strip in strips:
            if why_not := unreadable(strip):
                raise OperatorError(why_not + ".")
        spans = [compat.strip_span(strip) for strip in strips]
        start, end = max(first for first, _ in spans), min(last for _, last in spans) - 1
        if end < start:
            raise OperatorError("The two strips share no frame; move them so that they overlap in time.")
        names = [strip.name for strip in strips]
        self._name = " + ".join(names)
        self.job_at = shared_folder(context) / "combined" / re.sub(r"[^\w. +-]", "_", self._name).strip(" .")
        make_folder(self.job_at)
        scene, folders, todo = compat.sequencer_scene(context), [], []
        for strip, part in zip(strips, ("first", "second"), strict=True):
            folder = numbered_folder(strip, start, end)
            folders.append(str(folder or part))
            if folder is None:
                params = strip_params(scene, strip, self.job_at / part)
                todo.append(replace(params, frame_start=start, frame_end=end))
        self._job_settings = self._settings(context, folders, start, end)
        return _read_all(todo)

    def _settings(self, context: bpy.types.Context, folders: list[str], start: int, end: int) -> Combine:
        """The job that the scene's settings ask for. Raises OperatorError."""
        settings = context.scene.understudy
        first, second = folders
        job = Combine(first, second, start, end, settings.combine_how, feather=settings.combine_feather)
        if job.how == "MASK":
            if not settings.combine_mask:
                raise OperatorError("Choose the folder of the mask: pictures named by their frame, as 0001.png.")
            return replace(job, mask=bpy.path.abspath(settings.combine_mask))
        if job.how == "OBJECTS":
            return replace(
                job, shot=str(shot_folder(context)), objects=captured_objects(context, settings.combine_collection)
            )
        return job

    def prepare(self, context: bpy.types.Context) -> Path:
        """A combine job."""
        write_job(self.job_at, self._job_settings)
        return self.job_at

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """The result as a strip above both."""
        files = [folder / result for result in finished.results]
        if not files:
            raise OperatorError("The engine left no frame; see its log and combine again.")
        strip = place_strip(
            compat.sequencer_scene(context), self._name, files, self._job_settings.frame_start, above=True
        )
        self.report(
            {"INFO"},
            rpt_("Combined {count} frames, see the strip '{strip}' in channel {channel}.").format(
                count=len(files), strip=strip.name, channel=strip.channel
            ),
        )


def captured_objects(context: bpy.types.Context, collection: Any) -> list[int]:
    """The ids of a collection's objects in the scene's shot. Raises OperatorError."""
    shot = look(shot_folder(context)).shot
    if shot is None or collection is None:
        raise OperatorError("Choose a collection, and capture the shot that its objects are in.")
    names = {ob.name for ob in collection.all_objects}
    ids = [ob.id for ob in shot.objects if ob.name in names]
    if not ids:
        raise OperatorError(
            rpt_("No object of the collection '{collection}' was captured; choose another.").format(
                collection=collection.name
            )
        )
    return ids


def _read_all(todo: list[FootageParams]) -> Generator[tuple[int, int], None, None]:
    """Read strip after strip, counted as one."""
    total, before = sum(params.frame_end - params.frame_start + 1 for params in todo), 0
    for params in todo:
        folder = params.folder
        for done, _ in read_frames(params, lambda frame, folder=folder: folder / f"{frame:04d}.png"):
            yield before + done, total
        before += params.frame_end - params.frame_start + 1


register, unregister = bpy.utils.register_classes_factory([UNDERSTUDY_OT_combine])
