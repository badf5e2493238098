"""Presets of the look, by Blender's own preset system: small scripts in the user's folder `scripts/presets`."""

from __future__ import annotations

import bpy
from bl_operators.presets import AddPresetBase

from ..properties import LOOK_PRESETS

LOOK = (
    "strength",
    "light",
    "texture",
    "painted_objects",
    "keep_background",
    "keep_alpha",
    "depth",
)


class UNDERSTUDY_OT_look_preset_add(AddPresetBase, bpy.types.Operator):
    """Save the look as a preset, or delete a preset"""

    bl_idname = "understudy.look_preset_add"
    bl_label = "Add Look Preset"
    preset_menu = "VIEW3D_PT_understudy_look_presets"
    preset_subdir = LOOK_PRESETS
    preset_values = [
        f"bpy.context.scene.understudy.{name}" for name in LOOK
    ]  # in full: Python 3.13 loses what Blender 4.3 defines


register, unregister = bpy.utils.register_classes_factory([UNDERSTUDY_OT_look_preset_add])
