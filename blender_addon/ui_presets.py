"""The lists of presets in the headers of Stylise, Look, Motion's keys and Generate, by Blender's own preset system. Draws, and
nothing else."""

from __future__ import annotations

import bpy
from bl_ui.utils import PresetPanel

from .properties import PRESETS


class Presets(PresetPanel):
    """What all lists have in common."""

    preset_operator = "script.execute_preset"


class VIEW3D_PT_understudy_stylise_presets(Presets, bpy.types.Panel):
    """Trainings that were saved"""

    bl_label = "Training Presets"
    preset_subdir = f"{PRESETS}/stylise"
    preset_add_operator = "understudy.stylise_preset_add"


class VIEW3D_PT_understudy_look_presets(Presets, bpy.types.Panel):
    """Looks that were saved"""

    bl_label = "Look Presets"
    preset_subdir = f"{PRESETS}/look"
    preset_add_operator = "understudy.look_preset_add"


class VIEW3D_PT_understudy_motion_presets(Presets, bpy.types.Panel):
    """Ways to make keys that were saved"""

    bl_label = "Motion Presets"
    preset_subdir = f"{PRESETS}/motion"
    preset_add_operator = "understudy.motion_preset_add"


class VIEW3D_PT_understudy_generate_presets(Presets, bpy.types.Panel):
    """Ways to generate that were saved"""

    bl_label = "Generate Presets"
    preset_subdir = f"{PRESETS}/generate"
    preset_add_operator = "understudy.generate_preset_add"


CLASSES = (
    VIEW3D_PT_understudy_stylise_presets,
    VIEW3D_PT_understudy_look_presets,
    VIEW3D_PT_understudy_motion_presets,
    VIEW3D_PT_understudy_generate_presets,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
