"""The panels of Motion: In-Between and Play On in front, Loop, Clean, Fewer Keys and Learn folded below. They are registered
twice, for Blender sorts panels once and for all: below Stylise, and for Pose Mode above everything. Draws, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from .ui import Sidebar
from .ui_presets import VIEW3D_PT_understudy_motion_presets


class VIEW3D_PT_understudy_motion(Sidebar, bpy.types.Panel):
    """Keys between and after the artist's keys"""

    bl_label = "Motion"
    bl_parent_id = "VIEW3D_PT_understudy"
    bl_order = 2

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Everywhere but in Pose Mode."""
        return context.mode != "POSE"

    def draw(self, context: bpy.types.Context) -> None:
        """The two things people come for, and the way back."""
        layout = self.layout
        scene: Any = context.scene
        settings, motion = scene.understudy, scene.understudy_motion
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        row = column.row(align=True)
        row.scale_y = 1.3
        row.operator("understudy.inbetween", icon="IPO_BEZIER")
        row.operator("understudy.act_amount", text="", icon="ARROW_LEFTRIGHT")
        column.prop(motion, "lock_feet")
        layout.separator()
        column = layout.column()
        free = column.column()
        free.active = not motion.towards_target
        free.prop(settings, "extrapolate_frames")
        column.prop(motion, "towards_target")
        row = column.row()
        row.scale_y = 1.3
        row.operator("understudy.extrapolate", text="Play On", icon="TRACKING_FORWARDS")
        layout.separator()
        layout.operator("understudy.delete_generated_keys", icon="TRASH")


class Folded(Sidebar):
    """A panel below Motion, closed at first."""

    bl_parent_id = "VIEW3D_PT_understudy_motion"
    bl_options: Any = {"DEFAULT_CLOSED"}
    if TYPE_CHECKING:
        layout: Any

    def column(self) -> bpy.types.UILayout:
        """Where its settings go."""
        self.layout.use_property_split = True
        self.layout.use_property_decorate = False
        return self.layout.column()


class VIEW3D_PT_understudy_motion_keys(Folded, bpy.types.Panel):
    """How a result is made, shown and keyed"""

    bl_label = "Takes and Keys"

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        """Blender's preset menu."""
        VIEW3D_PT_understudy_motion_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """The network, ghosts, and how close few keys are."""
        scene: Any = context.scene
        motion, column = scene.understudy_motion, self.column()
        column.prop(scene.understudy, "motion_model_choice")
        column.prop(motion, "variation")
        column.prop(motion, "ghost_step")
        column.separator()
        column.prop(motion, "every_frame")
        bound = column.column(align=True)
        bound.active = not motion.every_frame
        bound.prop(motion, "degrees", text="Within Degrees")
        bound.prop(motion, "lengths", text="Bone Lengths")


class VIEW3D_PT_understudy_motion_loop(Folded, bpy.types.Panel):
    """A cycle of a range"""

    bl_label = "Loop"

    def draw(self, context: bpy.types.Context) -> None:
        """Its settings and its button."""
        scene: Any = context.scene
        motion, column = scene.understudy_motion, self.column()
        for name in ("loop_blend", "loop_keep_root", "loop_repeats", "loop_modifier"):
            column.prop(motion, name)
        column.operator("understudy.loop", icon="FILE_REFRESH")


class VIEW3D_PT_understudy_motion_clean(Folded, bpy.types.Panel):
    """Captured motion made workable"""

    bl_label = "Clean"

    def draw(self, context: bpy.types.Context) -> None:
        """Jitter and contacts; fewer keys alone."""
        scene: Any = context.scene
        motion, column = scene.understudy_motion, self.column()
        column.prop(motion, "clean_smooth")
        column.prop(motion, "clean_contacts")
        column.operator("understudy.clean", icon="BRUSH_DATA")
        column.separator()
        column.operator("understudy.reduce_keys", icon="IPO_EASE_IN_OUT")


class VIEW3D_PT_understudy_motion_learn(Folded, bpy.types.Panel):
    """A style of the artist's own"""

    bl_label = "Learn From My Actions"

    def draw(self, context: bpy.types.Context) -> None:
        """From which actions, for how long; the style in use."""
        scene: Any = context.scene
        motion, column = scene.understudy_motion, self.column()
        column.prop(motion, "learn_from")
        column.prop(motion, "learn_seconds")
        column.operator("understudy.learn_motion", icon="ARMATURE_DATA")
        column.prop(motion, "learned")


PANELS: tuple[type, ...] = (
    VIEW3D_PT_understudy_motion,
    VIEW3D_PT_understudy_motion_keys,
    VIEW3D_PT_understudy_motion_loop,
    VIEW3D_PT_understudy_motion_clean,
    VIEW3D_PT_understudy_motion_learn,
)


class InPoseMode:
    """Above the rest: whoever poses has not come to paint. By itself, for a panel below another that comes only when the mode
    changes is given no room by Blender 4.3 and 5.2."""

    bl_order = 0

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """In Pose Mode, where the other registration of the panel is not."""
        return context.mode == "POSE"


def _for_pose_mode(panel: Any) -> type:
    """The same panel once more, those below it under its second registration."""
    first = panel is VIEW3D_PT_understudy_motion
    parent = "" if first else f"{panel.bl_parent_id}_posing"
    mixins = (InPoseMode, *panel.__bases__) if first else panel.__bases__
    drawn = {name: getattr(panel, name) for name in ("draw", "draw_header_preset") if hasattr(panel, name)}
    body = {"__doc__": panel.__doc__, "bl_label": panel.bl_label, "bl_parent_id": parent, **drawn}
    return type(f"{panel.__name__}_posing", mixins, body)


CLASSES = (*PANELS, *map(_for_pose_mode, PANELS))

register, unregister = bpy.utils.register_classes_factory(CLASSES)
