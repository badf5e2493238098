"""Learn a motion style from the artist's own actions of a rig; what is learned lies beside the Blender file."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Generator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import bpy
from bpy.props import FloatProperty, StringProperty

from .. import compat, outcome
from ..curves import MotionError, split_path
from ..job_folder import check_folders, write_job
from ..motion import MotionParams, export_steps, make_plan
from ..preferences import preferences
from ..protocol import Finished, LearnMotion
from ..steps import Step
from ..words import rpt_
from .job import JobOperator, OperatorError, allowed, make_folder, shot_folder

FEWEST = 4  # bones of the rig that an action must turn


def fits(action: Any, ob: bpy.types.Object) -> bool:
    """Whether an action moves this rig: all bones that it names are there, and enough of them turn."""
    with compat.action_in_use(ob, action):
        paths = {fcurve.data_path for fcurve in compat.action_fcurves(ob)}
    bones = {owner for owner, prop in map(split_path, paths) if owner and "rotation" in prop}
    return len(bones) >= FEWEST and bones <= {bone.path_from_id() for bone in ob.pose.bones}


def fitting(ob: bpy.types.Object, pattern: str) -> list[bpy.types.Action]:
    """The actions of this file that move the rig and whose names are meant."""
    meant = [part.strip() for part in pattern.split(",") if part.strip()] or ["*"]
    named = [action for action in bpy.data.actions if any(fnmatch(action.name, part) for part in meant)]
    return [action for action in named if fits(action, ob)]


class UNDERSTUDY_OT_learn_motion(JobOperator, bpy.types.Operator):
    """Learn how this rig moves from your own actions of it. It is tested on motion held back, and used only if it is better
    there"""

    bl_idname = "understudy.learn_motion"
    bl_label = "Learn"
    bl_options: Any = {"UNDO"}
    subfolder = "learn"

    actions: StringProperty(
        name="Actions", description="Names, * for anything, commas part several; empty: as the scene says"
    )
    seconds: FloatProperty(name="Seconds", description="0: as the scene says", default=0.0, min=0.0)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        ob = context.object
        if ob is None or ob.type != "ARMATURE":
            return allowed(cls, "Select the armature whose motion is to be learned")
        return allowed(cls, "Leave Edit Mode first" if ob.mode == "EDIT" else "")

    def prepare_steps(self, context: bpy.types.Context) -> Generator[Step, None, Path]:
        """A learn_motion job with a clip of each action."""
        folder, motion = self.folder(context), context.scene.understudy_motion
        check_folders(styles_folder(context))  # now, not when it has learned
        ob: Any = context.object
        pattern = self.actions or motion.learn_from
        found = fitting(ob, pattern)
        if not found:
            raise OperatorError(
                rpt_("No action named '{pattern}' moves this rig; name others, or import some.").format(pattern=pattern)
            )
        clips = folder / "clips"
        shutil.rmtree(clips, ignore_errors=True)
        shutil.rmtree(folder / "learned", ignore_errors=True)
        make_folder(clips)
        fps, count = context.scene.render.fps / context.scene.render.fps_base, 0
        for number, action in enumerate(found):
            with compat.action_in_use(ob, action):
                start, end = round(action.frame_range[0]), round(action.frame_range[1])
                params = MotionParams(ob.session_uid, (), start, end, fps, False, whole=True, all_joints=True)
                try:
                    plan = make_plan(params)
                except MotionError as error:
                    self.report(
                        {"INFO"}, rpt_("'{action}' was left out: {error}").format(action=action.name, error=error)
                    )
                    continue
            yield from export_steps(plan, fps, clips, f"{number:03d}")
            count += 1
        if not count:
            raise OperatorError("None of these actions has motion that could be learned; choose others.")
        self._name = ob.name
        seconds = self.seconds or motion.learn_seconds
        write_job(folder, LearnMotion(seconds=seconds, seed=context.scene.understudy.seed, device=preferences().device))
        return folder

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """Keep what was accepted beside the Blender file, and let In-Between use it."""
        if not finished.results:
            self.report({"WARNING"}, "Nothing was kept, and the style in use stays; the notes say why.")
            outcome.wrote(None)
            return
        target = free_folder(styles_folder(context), self._name)
        partial = target.with_name(target.name + ".partial")
        try:
            shutil.copytree(folder / "learned", partial)
            os.replace(partial, target)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise OperatorError(
                rpt_("{target} could not be written ({why}); make room and learn again.").format(
                    target=target, why=error.strerror
                )
            ) from error
        relative = bpy.path.relpath(str(target)) if bpy.data.filepath else str(target)
        context.scene.understudy_motion.learned = relative
        outcome.wrote(target)
        self.report({"INFO"}, rpt_("In-Between now uses the style in {folder}.").format(folder=relative))


def styles_folder(context: bpy.types.Context) -> Path:
    """Where what was learned is kept: beside the job folder."""
    return shot_folder(context).parent / "motion"


def free_folder(parent: Path, name: str) -> Path:
    """A folder of this name that is not there yet."""
    safe = re.sub(r"[^\w.-]+", "_", name) or "rig"
    parent.mkdir(parents=True, exist_ok=True)
    names = [safe, *(f"{safe}-{number}" for number in range(2, 1000))]
    return next(parent / each for each in names if not (parent / each).exists())


CLASSES = (UNDERSTUDY_OT_learn_motion,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
