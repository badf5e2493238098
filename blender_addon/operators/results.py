"""The finished frames, shown again where the artist wants them, the way back from there, and earlier runs taken up again."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, IntProperty

from .. import compat, history, preview
from ..jobs import manager
from ..properties import SHOT
from ..sequences import show_behind_camera, show_in_compositor, show_in_material, show_in_sequencer
from ..words import rpt_, tip_
from .job import allowed, no_shot_folder, shot_folder
from .stepped import Operator
from .stylise import shot_state

NODES = (
    ("COMPOSITOR", "Compositor", "As an image node in this scene's compositing tree", "NODE_COMPOSITING", 2),
    ("MATERIAL", "Material", "As an image texture in the active object's material", "NODE_MATERIAL", 3),
)
PLACES = (
    ("SEQUENCER", "Video Sequencer", "As an image strip in a scene of its own, and go there", "SEQUENCE", 0),
    ("CAMERA", "Camera View", "Before the camera, in step with the timeline", "CAMERA_DATA", 1),
    *NODES,
)


class PlaceOperator(Operator):
    """Mixin of an operator that shows frames in the `place` it is asked for."""

    place: str

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The tooltip says where."""
        return tip_(next(text for name, _label, text, *_ in PLACES if name == properties.place))

    def show_in_nodes(self, context: bpy.types.Context, folder: Path, frames: tuple[int, ...]) -> set[str]:
        """In the compositor or the active object's material."""
        scene: Any = context.scene
        if self.place == "COMPOSITOR":
            show_in_compositor(scene, folder, frames)
            return {"FINISHED"}
        material = getattr(context.object, "active_material", None)
        if material is None:
            self.report({"ERROR"}, "The active object has no material; give it one that is to show the frames.")
            return {"CANCELLED"}
        show_in_material(material, folder, frames)
        return {"FINISHED"}


class UNDERSTUDY_OT_show_result(PlaceOperator, bpy.types.Operator):
    """Show the finished frames"""

    bl_idname = "understudy.show_result"
    bl_label = "Show Result"
    bl_options: Any = {"UNDO"}

    place: EnumProperty(name="Place", description="Where the frames are shown", items=PLACES)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = no_shot_folder(context)
        if not why_not and not shot_state(context).results:
            why_not = "No frame is stylised yet: press Stylise first"
        return allowed(cls, why_not)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it or bring it up to date."""
        folder, results = shot_folder(context), shot_state(context).results
        scene: Any = context.scene
        if self.place == "SEQUENCER":
            edit = show_in_sequencer(scene, folder, results)
            edit.frame_current = min(max(scene.frame_current, results[0]), results[-1])  # a frame that there is
            if not bpy.app.background and context.screen is not None:
                preview.open_sequencer(context)
            compat.show_sequencer_scene(context, edit)
        elif self.place == "CAMERA":
            show_behind_camera(scene, folder, results)
        else:
            return self.show_in_nodes(context, folder, results)
        return {"FINISHED"}


class UNDERSTUDY_OT_back_to_shot(bpy.types.Operator):
    """Show the scene again whose result this is"""

    bl_idname = "understudy.back_to_shot"
    bl_label = "Back to the Shot"
    bl_options: Any = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, "" if context.scene.get(SHOT) else "This scene is no result")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Go there."""
        scene: Any = context.scene
        context.window.scene = scene[SHOT]
        return {"FINISHED"}


class UNDERSTUDY_OT_use_again(bpy.types.Operator):
    """Bring back the look of an earlier run and the style that it was painted with; press Stylise to paint with them. The style
    in use now is kept as the earlier one"""

    bl_idname = "understudy.use_again"
    bl_label = "Use Again"
    bl_options: Any = {"UNDO"}

    number: IntProperty(name="Number", description="Of the run in the history; 0: the last one", min=0)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = no_shot_folder(context)
        if not why_not and manager.busy(shot_folder(context)):
            why_not = "A job is running in this shot: wait for it, or cancel it"
        elif not why_not and not history.entries(shot_folder(context)):
            why_not = "No frame is stylised yet: press Stylise first"
        return allowed(cls, why_not)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Set the scene's look; swap the style where another one is in use."""
        folder, settings = shot_folder(context), context.scene.understudy
        entry = next((e for e in history.entries(folder) if self.number in (0, e.number)), None)
        if entry is None:
            self.report({"ERROR"}, rpt_("There is no run {number} in the history.").format(number=self.number))
            return {"CANCELLED"}
        try:
            back = history.bring_back(folder, entry)
        except OSError as error:
            self.report({"ERROR"}, rpt_("The style could not be brought back ({why}).").format(why=error.strerror))
            return {"CANCELLED"}
        for name, value in entry.settings.items():
            with contextlib.suppress(TypeError):  # of a version that knew other values
                setattr(settings, name, value)
        self.report(
            {"INFO"}, rpt_("The look and the style of that run are back." if back else "The look of that run is back.")
        )
        return {"FINISHED"}


CLASSES = (UNDERSTUDY_OT_show_result, UNDERSTUDY_OT_back_to_shot, UNDERSTUDY_OT_use_again)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
