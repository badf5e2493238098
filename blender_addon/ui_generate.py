"""The panel Generate: in the Video Sequencer's sidebar for the active strip, in the Image Editor's for its picture, in the 3D
View's for the captured shot. Draws, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from .jobs import manager
from .properties import job_folder
from .sequence_library import is_learned, names, source_folder
from .ui import EngineState
from .ui import Sidebar as ViewSidebar
from .ui_lines import sentence
from .ui_presets import VIEW3D_PT_understudy_generate_presets
from .ui_sequencer import Sidebar as SequencerSidebar
from .ui_stylise import stand

PLACES: Any = (("COMPOSITOR", "Node", "NODE_COMPOSITING"), ("MATERIAL", "Texture", "TEXTURE"))
LEARNING = ("CONTINUE", "LOOP", "VARY")  # what a sequence must be learned for


class GenerateControls:
    """What is made of a picture sequence, in every editor."""

    bl_label = "Generate"
    bl_options = {"DEFAULT_CLOSED"}
    layout: Any

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        """Blender's preset menu."""
        VIEW3D_PT_understudy_generate_presets.draw_panel_header(self.layout)

    def home(self, context: bpy.types.Context) -> Path | None:
        """The job folder of the sequence that is looked at, None where there is none."""
        raise NotImplementedError

    def draw(self, context: bpy.types.Context) -> None:
        """What is asked for, the button, and what was made last."""
        layout = self.layout
        settings: Any = context.scene.understudy_generate
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(settings, "how")
        self._draw_settings(context, settings)
        layout.operator("understudy.generate", icon="RENDERLAYERS")
        if settings.take:
            row = layout.row(align=True)
            for place, text, icon in PLACES:
                row.operator("understudy.show_take", text=text, icon=icon).place = place
        if settings.how in LEARNING:
            self._draw_learning(context, settings)
        elif settings.how == "BETWEEN":
            layout.prop(settings, "seconds")

    def _draw_settings(self, context: bpy.types.Context, settings: Any) -> None:
        column, shared = self.layout.column(), context.scene.understudy
        if settings.how == "ANIMATE":
            row = column.row(align=True)
            row.prop(settings, "sequence")
            row.operator("understudy.delete_sequence", text="", icon="TRASH")
            if not names():
                sentence(
                    column,
                    "No learned sequence is saved yet: learn one with Continue, then press Save",
                    "INFO",
                    context.region.width,
                )
        column.prop(settings, "slow" if settings.how == "BETWEEN" else "count")
        if settings.how != "BETWEEN":
            column.prop(settings, "variation")
            column.prop(shared, "seed")
        if context.area.type == "VIEW_3D":
            column.prop(settings, "collection")
        column.prop(shared, "depth")

    def _draw_learning(self, context: bpy.types.Context, settings: Any) -> None:
        home, column = self.home(context), self.layout.column()
        learned = home is not None and is_learned(home)
        icon: Any = "CHECKMARK" if learned else "RADIOBUT_OFF"
        sentence(
            column,
            "Learned" if learned else "Not learned yet: Generate does it first",
            icon,
            context.region.width,
        )
        column.prop(settings, "seconds")
        row = column.row(align=True)
        row.operator("understudy.learn_sequence", icon="MOD_LINEART")
        if learned:
            row.operator("understudy.learn_sequence", text="Go On").resume = True
            row.operator("understudy.save_sequence", icon="FILE_TICK")


class SEQUENCER_PT_understudy_generate(SequencerSidebar, GenerateControls, bpy.types.Panel):
    """More of the active strip"""

    bl_parent_id = "SEQUENCER_PT_understudy"
    bl_options: Any = set()

    def home(self, context: bpy.types.Context) -> Path | None:
        """The active strip's."""
        scene: Any = getattr(context.workspace, "sequencer_scene", None) or context.scene
        folder, strip = job_folder(context.scene), getattr(scene.sequence_editor, "active_strip", None)
        return source_folder(folder, "strips", strip.name) if folder and strip else None


class VIEW3D_PT_understudy_generate(ViewSidebar, GenerateControls, bpy.types.Panel):
    """More of the captured shot, or of some of its objects"""

    bl_parent_id = "VIEW3D_PT_understudy"
    bl_order = 1

    def home(self, context: bpy.types.Context) -> Path | None:
        """The shot's."""
        folder, shot = job_folder(context.scene), stand(context.scene).shot
        if folder is None or shot is None:
            return None
        return source_folder(folder, "shots", folder.name if shot.source == "footage" else "shot")


class IMAGE_PT_understudy_generate(GenerateControls, EngineState, bpy.types.Panel):
    """A picture that is to move, or more of a sequence of pictures"""

    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Understudy"

    def draw(self, context: bpy.types.Context) -> None:
        """The job that runs too, for nothing else in this editor shows it."""
        GenerateControls.draw(self, context)
        if manager.running is not None:
            self._draw_running()

    def home(self, context: bpy.types.Context) -> Path | None:
        """That of the folder that the image lies in."""
        folder = job_folder(context.scene)
        image: Any = getattr(context, "edit_image", None)
        if folder is None or image is None or not image.filepath:
            return None
        return source_folder(folder, "folders", Path(bpy.path.abspath(image.filepath)).parent.name)


CLASSES = (SEQUENCER_PT_understudy_generate, VIEW3D_PT_understudy_generate, IMAGE_PT_understudy_generate)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
