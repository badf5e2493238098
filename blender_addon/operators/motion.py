"""In-betweens, extrapolation, and the removal of the keys they made. The work is in motion.py and keyframes.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from ..curves import fcurves_of, split_path
from ..job_folder import write_job
from ..keyframes import apply_result, delete_generated_keys
from ..motion import MotionParams, export_clip
from ..preferences import preferences
from ..properties import job_folder
from ..protocol import Extrapolate, Finished, Inbetween, JobError
from ..sparse import Keying
from .job import JobOperator, OperatorError, allowed, make_folder

BONES = (
    ("SELECTED", "Selected", "The selected bones; outside Pose Mode the object, or its bones if only they have keys"),
    ("ALL", "All", "Every bone of the armature; an object that is none, or has no keyed bone, as a whole"),
)


def why_not(context: bpy.types.Context) -> str:
    """What is missing before keys can be made, '' for nothing."""
    ob = context.object
    if ob is None:
        return "Select an armature, or another object with keys"
    if ob.mode == "EDIT":
        return "Leave Edit Mode first"
    if ob.animation_data is None or ob.animation_data.action is None:
        return f"'{ob.name}' has no keys yet: key at least two poses"
    return ""


def asked_bones(context: bpy.types.Context, which: str) -> tuple[str, ...] | None:
    """Names of the bones that are meant, () for all, None for the object as a whole. Raises OperatorError."""
    ob: Any = context.object
    if ob.mode != "POSE":
        of_bone = {split_path(path)[0] != "" for path, _ in fcurves_of(ob)}
        return () if True in of_bone and (which == "ALL" or False not in of_bone) else None
    if which == "ALL":
        return ()
    bones = tuple(bone.name for bone in context.selected_pose_bones_from_active_object)
    if not bones:
        raise OperatorError("No bone is selected; select those that should move, or press A for all.")
    return bones


class MotionOperator(JobOperator):
    """What both jobs share: which bones and keys, which model, and keys as the result."""

    subfolder = "motion"
    bl_options: Any = {"UNDO"}

    bones: EnumProperty(name="Bones", description="Where keys are made", items=BONES)
    use_selected_keys: BoolProperty(
        name="Selected Keys",
        description="Keep to the keys that are selected in the Dope Sheet; if none are, take all",
        default=True,
    )
    model: StringProperty(name="Model", description="auto, baseline or a network; empty: as the scene says")
    seed: IntProperty(name="Seed", description="-1: as the scene says", default=-1, min=-1)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, why_not(context))

    def folder(self, context: bpy.types.Context) -> Path:
        """Where the job lies: of a file never saved among Blender's temporary files, for keys come back into Blender."""
        return (job_folder(context.scene) or Path(bpy.app.tempdir) / "understudy") / self.subfolder

    def params(self, context: bpy.types.Context, start: int, end: int, play_on: int = 0) -> MotionParams:
        """What is wanted, from the context and the operator's own settings."""
        scene, render = context.scene, context.scene.render
        if (start, end) == (0, 0):
            start, end = scene.frame_start, scene.frame_end
            if scene.use_preview_range:
                start, end = scene.frame_preview_start, scene.frame_preview_end
        bones = asked_bones(context, self.bones)
        fps = render.fps / render.fps_base
        return MotionParams(context.object.session_uid, bones, start, end, fps, self.use_selected_keys, play_on)

    def settings(self, context: bpy.types.Context) -> dict[str, Any]:
        """The fields that both jobs have in job.json."""
        scene = context.scene.understudy
        return {
            "model": self.model or scene.motion_model or "auto",
            "seed": scene.seed if self.seed < 0 else self.seed,
            "device": preferences().device,
        }

    def export(self, context: bpy.types.Context, params: MotionParams) -> tuple[Path, int]:
        """Write the clip; say what the artist should know. The folder, and the frames to play on."""
        folder = self.folder(context)
        make_folder(folder)
        plan = export_clip(params, folder)
        for ob in context.objects_in_mode if context.mode == "POSE" else context.selected_objects:
            if ob != context.object and ob.animation_data and ob.animation_data.action:
                self.report({"INFO"}, f"'{ob.name}' gets no keys: make it the active object and run this again.")
        for note in plan.rig.notes:
            self.report({"INFO"}, note)
        self._params = params
        return folder, plan.play_on

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """The result as keys."""
        count = apply_result(self._params, folder, Keying(every_frame=True))
        if not count:
            raise OperatorError("No key was made: the artist's keys leave no room any more; undo, or select others.")
        self.report({"INFO"}, f"Made {count} keys; Delete Generated Keys takes them away again.")


class UNDERSTUDY_OT_inbetween(MotionOperator, bpy.types.Operator):
    """Make the frames between the selected keys of the selected bones (or between all their keys).

    Your own keys stay as they are. The new ones are of the type Generated: run this again and they are made anew, pose
    over one and it is yours"""

    bl_idname = "understudy.inbetween"
    bl_label = "In-Between"

    frame_start: IntProperty(name="From", description="First frame; both 0: the scene's (preview) range")
    frame_end: IntProperty(name="To", description="Last frame; both 0: the scene's (preview) range")

    def prepare(self, context: bpy.types.Context) -> Path:
        """An inbetween job."""
        folder, _ = self.export(context, self.params(context, self.frame_start, self.frame_end))
        write_job(folder, Inbetween(**self.settings(context)))
        return folder


class UNDERSTUDY_OT_extrapolate(MotionOperator, bpy.types.Operator):
    """Play the motion of the selected bones on after their last key (or last selected key).

    Your own keys stay as they are: where one comes later, the motion stops before it"""

    bl_idname = "understudy.extrapolate"
    bl_label = "Extrapolate"

    frames: IntProperty(name="Frames", description="How many frames to add; 0: as the scene says", min=0, max=10_000)

    def prepare(self, context: bpy.types.Context) -> Path:
        """An extrapolate job."""
        frames = self.frames or context.scene.understudy.extrapolate_frames
        folder, play_on = self.export(context, self.params(context, 0, 0, frames))
        write_job(folder, Extrapolate(play_on, **self.settings(context)))
        return folder


class UNDERSTUDY_OT_delete_generated_keys(bpy.types.Operator):
    """Delete the keys that Understudy made for the selected bones. Keys of your own stay, also those of generated keys
    that you have posed over"""

    bl_idname = "understudy.delete_generated_keys"
    bl_label = "Delete Generated Keys"
    bl_options: Any = {"REGISTER", "UNDO"}

    bones: EnumProperty(name="Bones", description="Whose keys are deleted", items=BONES)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, why_not(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Delete, and say how many."""
        try:
            count = delete_generated_keys(context.object.session_uid, asked_bones(context, self.bones))
        except (OperatorError, JobError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if not count:
            self.report({"WARNING"}, "There are no generated keys here.")
            return {"CANCELLED"}
        self.report({"INFO"}, f"Deleted {count} generated keys.")
        return {"FINISHED"}


CLASSES = (UNDERSTUDY_OT_inbetween, UNDERSTUDY_OT_extrapolate, UNDERSTUDY_OT_delete_generated_keys)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
