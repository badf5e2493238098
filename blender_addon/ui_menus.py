"""Understudy where one would look for it besides the sidebar: in the menus of the 3D View, Dope Sheet, Graph Editor, Image Editor
and Video Sequencer, and as a pie menu on a key. Draws, and nothing else."""

from __future__ import annotations

from typing import Any

import bpy

PIE = "VIEW3D_MT_understudy_pie"
MOTION = (
    ("understudy.inbetween", "IPO_BEZIER"),
    ("understudy.act_amount", "ARROW_LEFTRIGHT"),
    ("understudy.extrapolate", "TRACKING_FORWARDS"),
    ("understudy.delete_generated_keys", "TRASH"),
    ("understudy.loop", "FILE_REFRESH"),
    ("understudy.clean", "BRUSH_DATA"),
    ("understudy.reduce_keys", "IPO_EASE_IN_OUT"),
)
IMAGE = (
    ("understudy.use_image_as_key", "KEYFRAME_HLT"),
    ("understudy.paint_key", "BRUSH_DATA"),
    ("understudy.generate", "RENDERLAYERS"),
)
STRIPS = (
    ("understudy.use_footage", "FILE_MOVIE"),
    ("understudy.combine", "SELECT_EXTEND"),
    ("understudy.generate", "RENDERLAYERS"),
)


class VIEW3D_MT_understudy(bpy.types.Menu):
    """Motion between and after keys"""

    bl_label = "Understudy"

    def draw(self, _context: bpy.types.Context) -> None:
        """All that is done to keys."""
        for operator, icon in MOTION:
            self.layout.operator(operator, icon=icon)  # type: ignore[arg-type]


class VIEW3D_MT_understudy_pie(bpy.types.Menu):
    """In-betweens and what belongs to them, around the mouse"""

    bl_label = "Understudy"

    def draw(self, _context: bpy.types.Context) -> None:
        """Left and right what one does most."""
        pie = self.layout.menu_pie()
        for operator, icon in (MOTION[0], MOTION[1], MOTION[3], MOTION[2], *MOTION[4:]):
            pie.operator(operator, icon=icon)  # type: ignore[arg-type]


def _motion(self: Any, _context: bpy.types.Context) -> None:
    self.layout.separator()
    self.layout.menu(VIEW3D_MT_understudy.__name__)


def _image(self: Any, _context: bpy.types.Context) -> None:
    self.layout.separator()
    for operator, icon in IMAGE:
        self.layout.operator(operator, icon=icon)


def _strips(self: Any, _context: bpy.types.Context) -> None:
    self.layout.separator()
    for operator, icon in STRIPS:
        self.layout.operator(operator, icon=icon)


PLACES = (
    ("VIEW3D_MT_pose", _motion),
    ("VIEW3D_MT_object_animation", _motion),
    ("DOPESHEET_MT_key", _motion),
    ("GRAPH_MT_key", _motion),
    ("IMAGE_MT_image", _image),
    ("SEQUENCER_MT_strip", _strips),
)

CLASSES = (VIEW3D_MT_understudy, VIEW3D_MT_understudy_pie)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    for name, draw in PLACES:
        getattr(bpy.types, name).append(draw)


def unregister() -> None:
    for name, draw in PLACES:
        getattr(bpy.types, name).remove(draw)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
