"""In-betweens, extrapolation, the removal of the keys they made, and fewer keys. The work is in motion.py, keyframes.py
and sparse.py; see slider.py for what the artist sees before there are keys."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty

from .. import outcome
from ..keyframes import delete_steps
from ..motion import Plan
from ..protocol import Extrapolate, Inbetween, JobError, Settings
from ..sparse import Keying
from ..steps import Step, drain
from ..whole import reduce_steps
from ..words import rpt_, said
from .job import OperatorError, allowed
from .motion_job import BONES, Target, frame_range, targets, why_not
from .slider import SliderOperator
from .stepped import Pieces, SteppedOperator


def learned_style(context: bpy.types.Context) -> str:
    """The folder of the motion style to be used, absolute, empty for none."""
    name = context.scene.understudy_motion.learned
    return bpy.path.abspath(name) if name else ""


class UNDERSTUDY_OT_inbetween(SliderOperator, bpy.types.Operator):
    """Make the frames between the selected keys of the selected bones (or between all their keys).

    Your own keys stay as they are. The new ones are of the type Generated: run this again and they are made anew, pose
    over one and it is yours"""

    bl_idname = "understudy.inbetween"
    bl_label = "In-Between"
    does_without = True

    frame_start: IntProperty(name="From", description="First frame; both 0: the scene's (preview) range")
    frame_end: IntProperty(name="To", description="Last frame; both 0: the scene's (preview) range")

    def wanted(self, context: bpy.types.Context) -> dict[str, Any]:
        """Frames."""
        start, end = self.frame_start, self.frame_end
        if (start, end) == (0, 0):
            start, end = frame_range(context.scene)
        return {
            "frame_start": start,
            "frame_end": end,
            "use_selected_keys": self.use_selected_keys,
            "all_joints": bool(learned_style(context)),
        }

    def job(self, context: bpy.types.Context, plan: Plan) -> Settings:
        """An inbetween job."""
        motion = context.scene.understudy_motion
        return Inbetween(
            **self.network(context),
            learned=learned_style(context),
            variation=self.variation,
            lock_feet=motion.lock_feet,
        )


class UNDERSTUDY_OT_extrapolate(SliderOperator, bpy.types.Operator):
    """Play the motion of the selected bones on after their last key (or last selected key).

    Your own keys stay as they are: where one comes later, the motion stops before it, or arrives at it if To Next Key
    is on; but where the root alone is keyed further, the rest goes along with it"""

    bl_idname = "understudy.extrapolate"
    bl_label = "Extrapolate"
    does_without = True

    frames: IntProperty(name="Frames", description="How many frames to add; 0: as the scene says", min=0, max=10_000)
    towards_target: BoolProperty(
        name="To Next Key", description="Arrive at the next key, however far it is", options={"SKIP_SAVE"}
    )

    def wanted(self, context: bpy.types.Context) -> dict[str, Any]:
        """How far."""
        start, end = frame_range(context.scene)
        frames = self.frames or context.scene.understudy.extrapolate_frames
        return {
            "frame_start": start,
            "frame_end": end,
            "use_selected_keys": self.use_selected_keys,
            "play_on": frames,
            "towards_target": self.towards_target or context.scene.understudy_motion.towards_target,
        }

    def job(self, context: bpy.types.Context, plan: Plan) -> Settings:
        """An extrapolate job."""
        return Extrapolate(
            plan.play_on + plan.towards_target,
            **self.network(context),
            variation=self.variation,
            towards_target=plan.towards_target,
            path=plan.path,
        )


class KeyOperator(SteppedOperator):
    """An operator on keys that are there, object by object, without the engine."""

    bl_options: Any = {"REGISTER", "UNDO"}
    bones: EnumProperty(name="Bones", description="Whose keys are meant", items=BONES)
    only_active: BoolProperty(name="Only Active", description="Leave other selected objects alone")
    nothing, done = "", ""  # what is said where no key went, and where some did

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, why_not(context))

    def change(self, context: bpy.types.Context, target: Target) -> Generator[Step, None, int]:
        """Do it for one object, a piece at a time: the number of keys that went. Raises JobError."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Do it, and say how many."""
        return drain(self._change_all(context))

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """The same while the window answers."""
        ended = self.in_pieces(context, self._change_all(context))
        if ended == {"RUNNING_MODAL"}:
            context.window_manager.modal_handler_add(self)
        return ended

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """The next pieces."""
        return self.next_pieces(context, event)

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender takes the operator away."""
        self.end_ticks(context)

    def _change_all(self, context: bpy.types.Context) -> Pieces:
        count = 0
        try:
            for target in targets(context, self.bones, self.only_active):
                count += yield from self.change(context, target)
        except (OperatorError, JobError) as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        if not count:
            self.report({"WARNING"}, self.nothing)
            outcome.refused(rpt_(self.nothing))
            return {"CANCELLED"}
        self.report({"INFO"}, rpt_(self.done).format(count))
        outcome.keyed(count)
        return {"FINISHED"}


class UNDERSTUDY_OT_delete_generated_keys(KeyOperator, bpy.types.Operator):
    """Delete the keys that Understudy made for the selected bones. Keys of your own stay, also those of generated keys
    that you have posed over"""

    bl_idname = "understudy.delete_generated_keys"
    bl_label = "Delete Generated Keys"
    bl_translation_context = "Understudy"
    nothing, done = "There are no generated keys here.", "Deleted {} generated keys."

    def change(self, _context: bpy.types.Context, target: Target) -> Generator[Step, None, int]:
        """Delete."""
        return delete_steps(target.ob.session_uid, target.bones)


class UNDERSTUDY_OT_reduce_keys(KeyOperator, bpy.types.Operator):
    """Make many keys few, such as those of captured motion, so that at every frame the curves stay within the bound of
    what they were. The first and the last key of every channel stay"""

    bl_idname = "understudy.reduce_keys"
    bl_label = "Reduce Keys"
    nothing = "No key can go within this bound; allow more degrees or bone lengths."
    done = "{} keys went; the rest keeps the curves within the bound."

    frame_start: IntProperty(name="From", description="First frame; both 0: the scene's (preview) range")
    frame_end: IntProperty(name="To", description="Last frame; both 0: the scene's (preview) range")
    degrees: FloatProperty(name="Degrees", description="0: as the scene says", default=0.0, min=0.0, max=45.0)
    lengths: FloatProperty(name="Bone Lengths", description="0: as the scene says", default=0.0, min=0.0, max=1.0)

    def change(self, context: bpy.types.Context, target: Target) -> Generator[Step, None, int]:
        """Reduce."""
        start, end = self.frame_start, self.frame_end
        if (start, end) == (0, 0):
            start, end = frame_range(context.scene)
        usual = context.scene.understudy_motion.keying()
        keying = Keying(False, self.degrees or usual.degrees, self.lengths or usual.lengths)
        return reduce_steps(target.ob.session_uid, target.bones, start, end, keying)


CLASSES = (
    UNDERSTUDY_OT_inbetween,
    UNDERSTUDY_OT_extrapolate,
    UNDERSTUDY_OT_delete_generated_keys,
    UNDERSTUDY_OT_reduce_keys,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
