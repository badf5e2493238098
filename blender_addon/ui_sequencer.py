"""The sidebar tab "Understudy" of the Video Sequencer: footage as a shot, and strips put together. Draws, and nothing else."""

from __future__ import annotations

from typing import Any

import bpy

from .properties import default_folder
from .shot import ShotState
from .ui import EngineMissingMore, EngineState
from .ui_stylise import LookControls, ShotSteps, extent


class Sidebar:
    """Where these panels are."""

    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Understudy"


class SEQUENCER_PT_understudy(Sidebar, EngineState, bpy.types.Panel):
    """The engine, and the job that runs"""


class SEQUENCER_PT_understudy_without(Sidebar, EngineMissingMore, bpy.types.Panel):
    """What works before the engine is installed"""

    bl_parent_id = "SEQUENCER_PT_understudy"


class SEQUENCER_PT_understudy_stylise(Sidebar, ShotSteps, bpy.types.Panel):
    """Footage as a shot, from the strip to the painted frames"""

    bl_parent_id = "SEQUENCER_PT_understudy"

    def _draw_capture(self, settings: Any, state: ShotState) -> None:
        shot = state.shot
        column = self._step(shot is not None, extent(shot) if shot else "No footage is used")
        column.prop(settings, "job_folder", placeholder=default_folder(settings.id_data))
        column.prop(settings, "footage_still")
        row = column.row(align=True)
        row.operator("understudy.use_footage", icon="FILE_MOVIE")
        row.operator("understudy.use_footage", text="", icon="FILE_REFRESH").overwrite = True


class SEQUENCER_PT_understudy_look(Sidebar, LookControls, bpy.types.Panel):
    """How the painted frames are to be"""

    bl_parent_id = "SEQUENCER_PT_understudy_stylise"


class SEQUENCER_PT_understudy_combine(Sidebar, bpy.types.Panel):
    """Two strips put together"""

    bl_label = "Combine"
    bl_parent_id = "SEQUENCER_PT_understudy"

    def draw(self, context: bpy.types.Context) -> None:
        """How, and the button."""
        layout, settings = self.layout, context.scene.understudy
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "combine_how")
        if settings.combine_how == "MASK":
            layout.prop(settings, "combine_mask")
        elif settings.combine_how == "OBJECTS":
            layout.prop(settings, "combine_collection")
        if settings.combine_how != "CROSS_FADE":
            layout.prop(settings, "combine_feather")
        layout.operator("understudy.combine", icon="SELECT_EXTEND")


CLASSES = (
    SEQUENCER_PT_understudy,
    SEQUENCER_PT_understudy_without,
    SEQUENCER_PT_understudy_stylise,
    SEQUENCER_PT_understudy_look,
    SEQUENCER_PT_understudy_combine,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
