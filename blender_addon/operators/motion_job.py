"""What the motion operators share: which objects and bones are meant, a job for each of them, and their takes.

A job's result is read the moment it is there; how it becomes keys is the operator's own. Knows no network.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import bpy
from bpy.props import BoolProperty, EnumProperty, IntProperty, StringProperty

from .. import outcome, plain
from ..curves import MotionError, animated, fcurves_of, split_path
from ..engine_process import EngineError
from ..job_folder import write_job
from ..jobs import manager
from ..keyframes import key_steps
from ..motion import READING, MotionParams, Plan, export_steps, make_plan
from ..preferences import preferences
from ..properties import job_folder
from ..protocol import Failed, Finished, JobError, Message, Settings
from ..steps import Step, beside
from ..takes import Take, read_take
from ..words import rpt_, said
from .job import JobOperator, OperatorError, allowed, make_folder

BONES = (
    ("SELECTED", "Selected", "The selected bones; outside Pose Mode the object, or its bones if only they have keys"),
    ("ALL", "All", "Every bone of the armature; an object that is none, or has no keyed bone, as a whole"),
)


class Target(NamedTuple):
    """An object that is meant. bones: names, () for all of them; None for the object as a whole."""

    ob: bpy.types.Object
    bones: tuple[str, ...] | None


def meant(context: bpy.types.Context) -> list[bpy.types.Object]:
    """The active object; with it all that are in Pose Mode, or, if it is selected, all that are selected."""
    active = context.object
    if active is None or active.mode == "POSE":
        return list(context.objects_in_mode) if active else []
    others = context.selected_objects if active.select_get() else []
    return [active, *(ob for ob in others if ob != active)]


def why_not(context: bpy.types.Context) -> str:
    """What is missing before keys can be made, '' for nothing."""
    ob = context.object
    if ob is None:
        return "Select an armature, or another object with keys"
    if ob.mode == "EDIT":
        return "Leave Edit Mode first"
    if not any(animated(ob) for ob in meant(context)):
        return rpt_("'{ob}' has no keys yet: key at least two poses").format(ob=ob.name)
    return ""


def targets(context: bpy.types.Context, which: str, only_active: bool = False) -> list[Target]:
    """What is meant, object by object; objects without keys are not. Raises OperatorError."""
    objects = [ob for ob in meant(context) if animated(ob) and (not only_active or ob == context.object)]
    found = [Target(ob, _bones(ob, which)) for ob in objects]
    if context.mode == "POSE" and which != "ALL":
        found = [target for target in found if target.bones]
        if not found:
            raise OperatorError("No bone is selected; select those that should move, or press A for all.")
    return found


def _bones(ob: Any, which: str) -> tuple[str, ...] | None:
    if ob.mode != "POSE":
        of_bone = {split_path(path)[0] != "" for path, _ in fcurves_of(ob)}
        return () if True in of_bone and (which == "ALL" or False not in of_bone) else None
    if which == "ALL":
        return ()
    selected = bpy.context.selected_pose_bones or ()
    return tuple(bone.name for bone in selected if bone.id_data == ob)


def frame_range(scene: Any) -> tuple[int, int]:
    """The scene's range, or its preview range while that is on."""
    if scene.use_preview_range:
        return scene.frame_preview_start, scene.frame_preview_end
    return scene.frame_start, scene.frame_end


class MotionOperator(JobOperator):
    """One job for each of the objects that are meant, one after another, and keys as the result.

    An operator says by `wanted` what it wants of the objects and by `job` what of the engine.
    """

    subfolder = "motion"
    bl_options: Any = {"REGISTER", "UNDO"}

    bones: EnumProperty(name="Bones", description="Where keys are made", items=BONES)
    only_active: BoolProperty(name="Only Active", description="Leave other selected objects alone")
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

    def wanted(self, context: bpy.types.Context) -> dict[str, Any]:
        """The fields of MotionParams that say what is wanted, the same for all objects."""
        raise NotImplementedError

    def job(self, context: bpy.types.Context, plan: Plan) -> Settings:
        """The job's settings for one object."""
        raise NotImplementedError

    def folder(self, context: bpy.types.Context) -> Path:
        """Where the job lies: of a file never saved among Blender's temporary files, for keys come back into Blender."""
        return (job_folder(context.scene) or Path(bpy.app.tempdir) / "understudy") / self.subfolder

    def network(self, context: bpy.types.Context) -> dict[str, Any]:
        """The fields that the jobs of networks have in common."""
        scene = context.scene.understudy
        return {
            "model": self.model or scene.motion_model or "auto",
            "seed": scene.seed if self.seed < 0 else self.seed,
            "device": preferences().device,
        }

    # --- a job for each object ---

    def prepare_steps(self, context: bpy.types.Context) -> Generator[Step, None, Path]:
        """Write the clips and jobs of all objects; an object of which nothing can be made is only told of, unless it is
        the only one."""
        self._takes: list[Take] = []
        self._jobs: list[tuple[MotionParams, Path]] = []
        self._said: list[str] = []  # by the engine
        notes: list[str] = []
        refusals: list[MotionError] = []
        render = context.scene.render
        for ob, bones in targets(context, self.bones, self.only_active):
            place = self.folder(context) / str(len(self._jobs) + 1) if self._jobs else self.folder(context)
            params = MotionParams(ob.session_uid, bones, fps=render.fps / render.fps_base, **self.wanted(context))
            make_folder(place)
            try:
                plan = make_plan(params)
            except MotionError as error:
                refusals.append(error)
                continue
            yield 0.0, READING
            yield from export_steps(plan, params.fps, place)
            write_job(place, self.job(context, plan))
            notes += plan.rig.notes
            self._jobs.append((params, place))
        if not self._jobs:
            raise refusals[0]
        for note in (*notes, *map(str, refusals)):
            self.report({"INFO"}, said(note))
            outcome.note(note)
        return self._jobs[0][1]

    def steps_without_engine(self) -> Generator[Step, None, Finished]:
        """All jobs by plain curves, on the other thread."""
        with ThreadPoolExecutor(1) as worker:
            for done, (params, folder) in enumerate(self._jobs):
                end = yield from beside(worker, (done / len(self._jobs), ""), partial(plain.run, folder))
                self._takes.append(self.take(params, folder))
        outcome.finished(folder, end)
        return end

    def _on_message(self, message: Message, payload: bytes) -> None:
        """A job that is finished has its result read and the next one submitted."""
        if not isinstance(message, Finished):
            super()._on_message(message, payload)
            return
        done = len(self._takes)
        self._said += message.notes
        try:
            self._takes.append(self.take(*self._jobs[done]))
            if done + 1 < len(self._jobs):
                self._job = manager.submit(self._jobs[done + 1][1], self._on_message, self.bl_label)
                return
        except (JobError, EngineError) as error:
            super()._on_message(Failed(message.job, str(error)), b"")
            return
        notes = list(dict.fromkeys(self._said))
        super()._on_message(Finished(message.job, message.results, notes, message.figures), payload)

    def take(self, params: MotionParams, folder: Path) -> Take:
        """A finished job's result. Raises JobError."""
        return read_take(params, folder)

    def apply_steps(self, context: bpy.types.Context, folder: Path, finished: Finished) -> Generator[Step, None, None]:
        """The results as keys."""
        yield from self.key(context, 1.0)

    def each(self, change: Callable[[Take], Generator[Step, None, int]]) -> Generator[Step, None, int]:
        """Change the object of every take, a piece at a time: the sum of what that gives. Raises JobError if none could be
        changed; if only some could not, it is told, for what was changed must become an undo step."""
        counts, errors = [], []
        for take in self._takes:
            try:
                counts.append((yield from change(take)))
            except JobError as error:
                errors.append(error)
        if not counts:
            raise errors[0]
        for error in errors:
            self.report({"WARNING"}, said(str(error)))
            outcome.note(str(error))
        outcome.keyed(sum(counts))
        return sum(counts)

    def key(self, context: bpy.types.Context, amount: float) -> Generator[Step, None, None]:
        """Key all takes, and say how many keys that made. Raises JobError."""
        keying = context.scene.understudy_motion.keying()
        count = yield from self.each(lambda take: key_steps(take, amount, keying))
        if count:
            self.report(
                {"INFO"}, rpt_("Made {count} keys; Delete Generated Keys takes them away again.").format(count=count)
            )
        else:
            self.report({"INFO"}, "No key was needed: your keys' own curves are within the bound of what was made.")
