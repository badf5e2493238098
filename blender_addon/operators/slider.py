"""The acting slider: a result shown on the rig and as ghosts, from the plain interpolation through the acted one to more
of it, with other takes a key away, until the artist accepts it as keys or lets it go.

Until then not one key is written and every channel is put back, so that letting it go leaves the file as it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import bpy
from bpy.props import FloatProperty

from .. import compat
from ..curves import animated, find_object, key_points
from ..engine_process import EngineError
from ..ghosts import Body, Ghosts, body_of
from ..job_folder import read_job, write_job
from ..jobs import manager
from ..motion import READING, Plan, make_plan
from ..protocol import Finished, JobError
from ..steps import Step, drain
from ..takes import Look, Take
from ..words import n_, rpt_, said
from .job import OperatorError, allowed
from .motion_job import MotionOperator
from .stepped import Pieces

MOST = 1.5
WIDTH = 400  # pixels that the mouse goes for an amount of one
SCRUB = 24  # pixels at the top of the animation editors where frames are scrubbed
TIME_EDITORS = ("DOPESHEET_EDITOR", "GRAPH_EDITOR", "NLA_EDITOR", "SEQUENCE_EDITOR")
NAVIGATION = {"MIDDLEMOUSE", "LEFT_ARROW", "RIGHT_ARROW", "UP_ARROW", "DOWN_ARROW", "SPACE", "HOME", "TIMER"}
NAVIGATION |= {"TRACKPADPAN", "TRACKPADZOOM", "MOUSEROTATE", "WINDOW_DEACTIVATE"}
DIGITS = {
    name: str(i)
    for i, name in enumerate(["ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE"])
}
DIGITS |= {f"NUMPAD_{i}": str(i) for i in range(10)} | {"PERIOD": ".", "NUMPAD_PERIOD": ".", "COMMA": "."}


class Slider:
    """What is shown: takes, by how much of them, with or without ghosts."""

    def __init__(self, context: bpy.types.Context, takes: list[Take], plans: list[Plan], amount: float) -> None:
        scene: Any = context.scene
        self.amount, self.typed, self.take_number = amount, "", 0
        self.scene = scene.session_uid
        self.busy = False
        self._takes = takes
        self._step = scene.understudy_motion.ghost_step
        self._area: Any = context.area
        self._look = Look(takes, plans, scene)
        selected = {bone.name for bone in context.selected_pose_bones or ()}
        self._bodies: list[Body] = [
            body_of(plan, take, selected) for plan, take in zip(self._look.plans, takes, strict=True)
        ]
        self._ghosts = Ghosts()
        self._ghosts.visible = self._step > 0
        bpy.app.handlers.frame_change_post.append(self._on_frame)
        self.show(scene)

    def use(self, takes: list[Take], scene: Any) -> None:
        """Show other takes of the same."""
        self._takes, self.busy = takes, False
        self.show(scene)

    def show(self, scene: Any) -> None:
        """Pose the rig, draw the ghosts, write the header anew."""
        self._look.show(scene, self._takes, self.amount)
        if self._ghosts.visible:
            pairs = list(zip(self._bodies, self._takes, strict=True))
            self._ghosts.update(pairs, self.amount, scene.frame_current, self._step or 5)
        self._write()

    def _on_frame(self, scene: bpy.types.Scene, _depsgraph: object = None) -> None:
        if scene.session_uid == self.scene:
            self.show(scene)

    def _write(self) -> None:
        shown = f"{self.typed}|" if self.typed else f"{self.amount:.2f}"
        what = {0.0: n_("plain"), 1.0: n_("acted")}.get(self.amount, n_("beyond") if self.amount > 1 else "")
        take = rpt_("take {number}").format(number=self.take_number + 1)
        take = rpt_("the next take is on its way") if self.busy else take
        text = rpt_("Acting {amount} {what}   |   {take}").format(amount=shown, what=rpt_(what), take=take)
        keys = rpt_("Mouse or digits: amount   Shift: finer   Ctrl: steps   V, Wheel: other takes   G: ghosts")
        end = rpt_("Enter, LMB: accept   Esc, RMB: discard")
        if self._area is not None:
            self._area.header_text_set(text)
            self._area.tag_redraw()
        bpy.context.workspace.status_text_set(f"{text}   |   {keys}   {end}")

    def close(self, scene: bpy.types.Scene | None) -> None:
        """Put all back as it was: channels, frame (in this scene; None: not the frame), handlers, header."""
        if self._on_frame in bpy.app.handlers.frame_change_post:
            bpy.app.handlers.frame_change_post.remove(self._on_frame)
        self._ghosts.free()
        self._look.restore(scene)
        if self._area is not None:
            self._area.header_text_set(None)
            self._area.tag_redraw()
        bpy.context.workspace.status_text_set(None)

    # --- events ---

    def event(self, context: bpy.types.Context, event: bpy.types.Event) -> str:
        """What an event means: "ACCEPT", "DISCARD", "NEXT", "PREVIOUS" (take), "PASS" (Blender's own), "" for all else."""
        if event.type == "MOUSEMOVE":
            return self._drag(context, event)
        if event.type == "LEFTMOUSE" and _over_time(context, event):
            return "PASS"
        if event.type in NAVIGATION or event.type.startswith("NDOF"):
            return "PASS"
        if event.value != "PRESS":
            return ""
        if event.type == "G":
            self._ghosts.visible = not self._ghosts.visible
        elif event.type in ("BACK_SPACE", *DIGITS):
            self._type(event.type)
        else:
            return MEANINGS.get(event.type, "")
        self.show(context.scene)
        return ""

    def _drag(self, context: bpy.types.Context, event: bpy.types.Event) -> str:
        step = (event.mouse_x - event.mouse_prev_x) / (WIDTH * context.preferences.system.ui_scale)
        if self.typed or not step or _over_time(context, event):
            return "PASS" if _over_time(context, event) else ""
        self._exact = min(MOST, max(0.0, getattr(self, "_exact", self.amount) + step * (0.1 if event.shift else 1.0)))
        self.amount = round(self._exact, 1) if event.ctrl else self._exact
        self.show(context.scene)
        return ""

    def _type(self, key: str) -> None:
        self.typed = self.typed[:-1] if key == "BACK_SPACE" else self.typed + DIGITS[key]
        with contextlib.suppress(ValueError):
            self.amount = self._exact = min(MOST, max(0.0, float(self.typed)))


MEANINGS = {"RET": "ACCEPT", "NUMPAD_ENTER": "ACCEPT", "LEFTMOUSE": "ACCEPT", "ESC": "DISCARD", "RIGHTMOUSE": "DISCARD"}
MEANINGS |= {"V": "NEXT", "WHEELDOWNMOUSE": "NEXT", "WHEELUPMOUSE": "PREVIOUS"}


def _over_time(context: bpy.types.Context, event: bpy.types.Event) -> bool:
    """Whether the mouse is where an animation editor scrubs through the frames."""
    high = SCRUB * context.preferences.system.ui_scale
    for area in context.screen.areas if context.screen else ():
        for region in area.regions if area.type in TIME_EDITORS else ():
            top, right = region.y + region.height, region.x + region.width
            across = region.type == "WINDOW" and region.x <= event.mouse_x < right
            if across and top - high <= event.mouse_y < top:
                return True
    return False


class SliderOperator(MotionOperator):
    """A motion operator that ends in the slider where there is somebody to move it."""

    amount: FloatProperty(
        name="Amount",
        translation_context="Understudy",
        description="0: the plain interpolation, 1: as acted, up to 1.5: more of it",
        default=1.0,
        min=0.0,
        max=MOST,
        subtype="FACTOR",
    )

    variation: FloatProperty(
        name="Variation", description="How far another seed may stray", default=0.0, min=0.0, max=1.0, subtype="FACTOR"
    )
    _slider: Slider | None = None
    _asked = False  # whether somebody is there

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Run the job, then open the slider."""
        self._asked, self._slider = True, None
        return super().invoke(context, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Run the job, then key so much of it as `amount` says."""
        self._asked = False
        return super().execute(context)

    def apply_steps(self, context: bpy.types.Context, folder: Any, finished: Finished) -> Generator[Step, None, None]:
        """The results as keys."""
        yield from self.key(context, self.amount)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """First the job's events, then the slider's."""
        if self._slider is None:
            return super().modal(context, event)
        if event.type == "TIMER":
            self._arrive(context)
            return {"PASS_THROUGH"}
        meaning = self._slider.event(context, event)
        if meaning in ("ACCEPT", "DISCARD"):
            return self._close(context, meaning == "ACCEPT")
        if meaning in ("NEXT", "PREVIOUS"):
            self._vary(context, 1 if meaning == "NEXT" else -1)
        return {"PASS_THROUGH"} if meaning == "PASS" else {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender takes the operator away: what it shows goes with it."""
        if self._slider is not None:
            self._slider.close(None)
        super().cancel(context)

    def _end(self, context: bpy.types.Context) -> Pieces:
        if not (self._asked and isinstance(self._ended, Finished)):
            return (yield from super()._end(context))
        for note in self._ended.notes:
            self.report({"INFO"}, said(note))
        return (yield from self.open(context, self.amount))

    def open(self, context: bpy.types.Context, amount: float) -> Pieces:
        """Open the slider on the takes."""
        try:
            if context.scene.session_uid != self._scene:
                raise OperatorError("The scene is no longer shown; go back to it and run this again.")
            plans: list[Plan] = []
            for take in self._takes:
                plans.append(make_plan(take.params))
                yield len(plans) / len(self._takes), READING
            self._slider = Slider(context, self._takes, plans, amount)
        except (OperatorError, JobError) as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        self._seen = {0: self._takes}
        self._base = read_job(self._jobs[0][1]).settings.seed if self._jobs else 0
        self._timer = context.window_manager.event_timer_add(0.1, window=context.window)
        context.window.cursor_modal_set("MOVE_X")
        return {"RUNNING_MODAL"}

    def _close(self, context: bpy.types.Context, accept: bool) -> set[str]:
        assert self._slider is not None
        self._end_timer(context)
        context.window.cursor_modal_restore()
        if self._slider.busy:
            manager.cancel(self._job)
        slider, self._slider = self._slider, None
        slider.close(context.scene)
        if not accept:
            self.report({"INFO"}, "Discarded; everything is as it was.")
            return {"CANCELLED"}
        self.amount = slider.amount
        if slider.take_number:  # so that the same comes of it once more
            self.seed, self.variation = self._base + slider.take_number, context.scene.understudy_motion.variation
        return self.in_pieces(context, self._accept(context))

    def _accept(self, context: bpy.types.Context) -> Pieces:
        try:
            yield from self.key(context, self.amount)
        except JobError as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"}

    def key(self, context: bpy.types.Context, amount: float) -> Generator[Step, None, None]:
        """Key the takes; they can be taken up again by Act Amount."""
        yield from super().key(context, amount)
        last.remember(self._takes, amount)

    # --- other takes ---

    def _vary(self, context: bpy.types.Context, step: int) -> None:
        """Show the next or the one before; a take that was not seen yet is asked of the engine."""
        assert self._slider is not None
        number = self._slider.take_number + step
        if self._slider.busy or number < 0 or not self._jobs:
            return
        self._slider.take_number = number
        if number in self._seen:
            self._takes = self._seen[number]
            self._slider.use(self._takes, context.scene)
            return
        try:
            for _, folder in self._jobs:
                variation = context.scene.understudy_motion.variation
                write_job(folder, replace(read_job(folder).settings, seed=self._base + number, variation=variation))
                (folder / "result" / "clip.npz").unlink(missing_ok=True)
            self._takes, self._said, self._ended, self._slider.busy = [], [], None, True
            self._job = manager.submit(self._jobs[0][1], self._on_message, self.bl_label)
            self._slider.show(context.scene)
        except (JobError, EngineError, OSError) as error:
            self._back(str(error))

    def _arrive(self, context: bpy.types.Context) -> None:
        """Show the take that was asked for, if it is there."""
        if self._slider is None or not self._slider.busy or self._ended is None:
            return
        if isinstance(self._ended, Finished):
            self._seen[self._slider.take_number] = self._takes
            self._slider.use(self._takes, context.scene)
        else:
            self._back(getattr(self._ended, "sentence", "The take was cancelled."))
            self._slider.use(self._takes, context.scene)

    def _back(self, why: str) -> None:
        """No other take: the first one is shown again."""
        assert self._slider is not None
        self.report({"WARNING"}, said(why))
        self._slider.take_number, self._slider.busy = 0, False
        self._takes = self._seen[0]


class Last:
    """The takes that were keyed last, as long as their keys are as they were made."""

    def __init__(self) -> None:
        self.takes: list[Take] = []
        self.amount = 1.0
        self._keys: bytes = b""

    def remember(self, takes: list[Take], amount: float) -> None:
        """These have just been keyed."""
        self.takes, self.amount = list(takes), amount
        self._keys = self._present()

    def again(self) -> list[Take]:
        """The takes. Raises OperatorError if their keys are no longer as they were made."""
        if self._present() != self._keys:
            raise OperatorError("The keys have changed since; press In-Between again.")
        return list(self.takes)

    def _present(self) -> bytes:
        parts = []
        for take in self.takes:
            try:
                ob = find_object(take.params.object_uid)
            except JobError:
                return b"gone"
            for _, owner in animated(ob):
                parts += [key_points(fcurve).tobytes() for fcurve in compat.action_fcurves(owner)]
        return b"|".join(parts)


last = Last()


class UNDERSTUDY_OT_act_amount(SliderOperator, bpy.types.Operator):
    """Open the slider on the last result again, as long as its keys are as they were made"""

    bl_idname = "understudy.act_amount"
    bl_label = "Act Amount"

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return allowed(cls, "" if last.takes else "Nothing was made yet: press In-Between first")

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """The slider, at the amount that was accepted."""
        self._asked, self._slider, self._jobs, self._job = True, None, [], ""
        self._scene = context.scene.session_uid
        if not self._take_up():
            return {"CANCELLED"}
        context.window_manager.modal_handler_add(self)
        return self.in_pieces(context, self.open(context, last.amount))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Key the last result by another amount."""
        if not self._take_up():
            return {"CANCELLED"}
        drain(self.key(context, self.amount))
        return {"FINISHED"}

    def _take_up(self) -> bool:
        try:
            self._takes = last.again()
        except OperatorError as error:
            self.report({"ERROR"}, said(str(error)))
            return False
        return True


CLASSES = (UNDERSTUDY_OT_act_amount,)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
