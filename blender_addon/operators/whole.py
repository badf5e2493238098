"""Loop and Clean: motion of a whole range made anew, in a copy of the action; the action itself is kept."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
from bpy.props import FloatProperty, IntProperty

from ..curves import find_object
from ..motion import Plan
from ..protocol import Clean, Finished, Loop, Settings
from ..steps import Step
from ..takes import Take
from ..whole import copy_actions, make_cyclic, refuse_tweaking, whole_steps
from ..words import rpt_
from .motion_job import MotionOperator, frame_range, targets


class WholeOperator(MotionOperator):
    """A job on every frame of a range. Its result goes into copies of the actions."""

    does_without = True
    word = ""  # what the copy is called, after the action's name
    frame_start: IntProperty(name="From", description="First frame; both 0: the scene's (preview) range")
    frame_end: IntProperty(name="To", description="Last frame; both 0: the scene's (preview) range")

    def wanted(self, context: bpy.types.Context) -> dict[str, Any]:
        """Every frame of the range."""
        start, end = self.frame_start, self.frame_end
        if (start, end) == (0, 0):
            start, end = frame_range(context.scene)
        return {"frame_start": start, "frame_end": end, "use_selected_keys": False, "whole": True}

    def prepare_steps(self, context: bpy.types.Context) -> Generator[Step, None, Path]:
        """The jobs, unless their results could not be put into new actions."""
        for ob, _ in targets(context, self.bones, self.only_active):
            refuse_tweaking(ob)
        return (yield from super().prepare_steps(context))

    def apply_steps(self, context: bpy.types.Context, folder: Path, finished: Finished) -> Generator[Step, None, None]:
        """The results as keys of new actions."""
        yield from self.each(lambda take: self._write(context, take))

    def _write(self, context: bpy.types.Context, take: Take) -> Generator[Step, None, int]:
        ob = find_object(take.params.object_uid)
        old, name = copy_actions(ob, self.word)
        count = yield from whole_steps(take, context.scene.understudy_motion.keying(), self.word == "loop")
        self.finish(context, take)
        self.report(
            {"INFO"},
            rpt_("'{name}' has {count} keys; the action '{old}' is kept as it was.").format(
                name=name, count=count, old=old
            ),
        )
        return count

    def finish(self, context: bpy.types.Context, take: Take) -> None:
        """What is left to do for one object."""


class UNDERSTUDY_OT_loop(WholeOperator, bpy.types.Operator):
    """Make the motion of the range a cycle: its end meets its beginning in pose and velocity. The result is a new action,
    the present one is kept"""

    bl_idname = "understudy.loop"
    bl_label = "Loop"
    word = "loop"

    blend: IntProperty(name="Blend", description="Frames that may change; 0: as the scene says", min=0, max=250)
    repeats: IntProperty(name="More Cycles", description="-1: as the scene says", default=-1, min=-1, max=100)

    def job(self, context: bpy.types.Context, plan: Plan) -> Settings:
        """A loop job."""
        motion, repeats = context.scene.understudy_motion, self._repeats(context)
        return Loop(
            blend=self.blend or motion.loop_blend,
            keep_root=motion.loop_keep_root,
            repeats=repeats,
            variation=motion.variation if repeats else 0.0,
            seed=self.network(context)["seed"],
        )

    def finish(self, context: bpy.types.Context, take: Take) -> None:
        """The Cycles modifier, if it is asked for."""
        motion = context.scene.understudy_motion
        if motion.loop_modifier:
            make_cyclic(take.params, motion.loop_keep_root, take.first, take.first + take.count - 1)

    def _repeats(self, context: bpy.types.Context) -> int:
        return context.scene.understudy_motion.loop_repeats if self.repeats < 0 else self.repeats


class UNDERSTUDY_OT_clean(WholeOperator, bpy.types.Operator):
    """Take jitter out of captured motion, hold the feet where they stand, and make its keys few. The result is a new
    action, the present one is kept"""

    bl_idname = "understudy.clean"
    bl_label = "Clean"
    bl_translation_context = "Understudy"
    word = "clean"

    smooth: FloatProperty(name="Jitter Below", description="Seconds; below 0: as the scene says", default=-1.0, max=2.0)

    def job(self, context: bpy.types.Context, plan: Plan) -> Settings:
        """A clean job."""
        motion = context.scene.understudy_motion
        smooth = motion.clean_smooth if self.smooth < 0 else self.smooth
        return Clean(smooth=smooth, contacts=motion.clean_contacts)


CLASSES = (UNDERSTUDY_OT_loop, UNDERSTUDY_OT_clean)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
