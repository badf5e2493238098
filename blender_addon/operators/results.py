"""The finished frames, shown again where the artist wants them."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import EnumProperty

from .. import compat
from ..sequences import show_behind_camera, show_in_compositor, show_in_material, show_in_sequencer
from ..words import tip_
from .job import allowed, no_shot_folder, shot_folder
from .stylise import shot_state

PLACES = (
    ("SEQUENCER", "Video Sequencer", "As an image strip in a scene of its own, and go there", "SEQUENCE", 0),
    ("CAMERA", "Camera View", "Before the camera, in step with the timeline", "CAMERA_DATA", 1),
    ("COMPOSITOR", "Compositor", "As an image node in this scene's compositing tree", "NODE_COMPOSITING", 2),
    ("MATERIAL", "Material", "As an image texture in the active object's material", "NODE_MATERIAL", 3),
)


class UNDERSTUDY_OT_show_result(bpy.types.Operator):
    """Show the finished frames"""

    bl_idname = "understudy.show_result"
    bl_label = "Show Result"
    bl_options: Any = {"UNDO"}

    place: EnumProperty(name="Place", items=PLACES)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The tooltip says where."""
        return tip_(next(text for name, _label, text, *_ in PLACES if name == properties.place))

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
        if self.place == "CAMERA":
            show_behind_camera(scene, folder, results)
        elif self.place == "COMPOSITOR":
            show_in_compositor(scene, folder, results)
        elif self.place == "MATERIAL":
            material = getattr(context.object, "active_material", None)
            if material is None:
                self.report({"ERROR"}, "The active object has no material; give it one that is to show the frames.")
                return {"CANCELLED"}
            show_in_material(material, folder, results)
        else:
            compat.show_sequencer_scene(context, show_in_sequencer(scene, folder, results))
        return {"FINISHED"}


register, unregister = bpy.utils.register_classes_factory([UNDERSTUDY_OT_show_result])
