"""Presets of trainings, looks, keys and generating, by Blender's own preset system: small scripts, those of the artist in the
user's folder `scripts/presets`, and a few that the extension brings in its folder `presets`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bl_operators.presets import AddPresetBase

from ..properties import PRESETS

_utils: Any = bpy.utils
BROUGHT = str(Path(__file__).parents[1])  # has the folder `presets`; is only read


def _values(group: str, *names: str) -> list[str]:
    """In full, for Python 3.13 loses what Blender 4.3 defines."""
    return [f"bpy.context.scene.{group}.{name}" for name in names]


class UNDERSTUDY_OT_stylise_preset_add(AddPresetBase, bpy.types.Operator):
    """Save what the frames show and how long to train as a preset, or delete a preset"""

    bl_idname = "understudy.stylise_preset_add"
    bl_label = "Add Training Preset"
    preset_menu = "VIEW3D_PT_understudy_stylise_presets"
    preset_subdir = f"{PRESETS}/stylise"
    preset_values = _values("understudy", "source", "training_seconds")


class UNDERSTUDY_OT_look_preset_add(AddPresetBase, bpy.types.Operator):
    """Save the look as a preset, or delete a preset"""

    bl_idname = "understudy.look_preset_add"
    bl_label = "Add Look Preset"
    preset_menu = "VIEW3D_PT_understudy_look_presets"
    preset_subdir = f"{PRESETS}/look"
    preset_values = _values(
        "understudy", "strength", "light", "texture", "painted_objects", "keep_background", "keep_alpha", "depth"
    )


class UNDERSTUDY_OT_motion_preset_add(AddPresetBase, bpy.types.Operator):
    """Save how keys are made as a preset, or delete a preset"""

    bl_idname = "understudy.motion_preset_add"
    bl_label = "Add Motion Preset"
    preset_menu = "VIEW3D_PT_understudy_motion_presets"
    preset_subdir = f"{PRESETS}/motion"
    preset_values = [
        *_values("understudy", "motion_model"),
        *_values("understudy_motion", "variation", "ghost_step", "every_frame", "degrees", "lengths", "lock_feet"),
    ]


class UNDERSTUDY_OT_generate_preset_add(AddPresetBase, bpy.types.Operator):
    """Save how more is made of a sequence as a preset, or delete a preset"""

    bl_idname = "understudy.generate_preset_add"
    bl_label = "Add Generate Preset"
    preset_menu = "VIEW3D_PT_understudy_generate_presets"
    preset_subdir = f"{PRESETS}/generate"
    preset_values = _values("understudy_generate", "how", "count", "slow", "variation", "seconds")


CLASSES = (
    UNDERSTUDY_OT_stylise_preset_add,
    UNDERSTUDY_OT_look_preset_add,
    UNDERSTUDY_OT_motion_preset_add,
    UNDERSTUDY_OT_generate_preset_add,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    _utils.register_preset_path(BROUGHT)


def unregister() -> None:
    _utils.unregister_preset_path(BROUGHT)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
