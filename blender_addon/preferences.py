"""The extension's preferences, and where the engine's Python is found. Knows Blender's folders, never a scene.

The engine's Python is the first of: the preference, the environment variable UNDERSTUDY_ENGINE_PYTHON, a virtual
environment named `engine` in Blender's user data folder (`datafiles/understudy/engine`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, StringProperty

from . import __package__ as base_package
from . import compat
from .engine_process import EngineMissing

ENVIRONMENT_VARIABLE = "UNDERSTUDY_ENGINE_PYTHON"
DEVICES = (
    ("auto", "Automatic", "The fastest device the engine finds"),
    ("cpu", "Processor", "Always the processor"),
    ("cuda", "NVIDIA or AMD", "The graphics card, by CUDA or ROCm"),
    ("mps", "Apple", "The graphics processor of an Apple computer"),
)


class UnderstudyPreferences(bpy.types.AddonPreferences):
    """What belongs to the machine and not to a shot."""

    bl_idname = base_package

    engine_python: StringProperty(
        name="Engine Python",
        description="Python interpreter of the environment that holds the engine. Empty: found automatically",
        subtype="FILE_PATH",
    )
    device: EnumProperty(name="Device", description="Where the engine computes", items=DEVICES, default="auto")
    job_folder: StringProperty(
        name="Job Folder",
        description="Where shots that name no folder of their own keep frames, guides, painted keys and results. "
        "// is the folder of the Blender file",
        subtype="DIR_PATH",
        default="//understudy/",
        options=compat.RELATIVE_PATH,
    )
    start_seconds: FloatProperty(
        name="Wait for Engine",
        description="How long the engine may take to start before it is given up",
        default=60.0,
        min=5.0,
        max=600.0,
        precision=0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
    )

    def draw(self, _context: bpy.types.Context) -> None:
        """One column: the settings, then which interpreter will be used."""
        layout = self.layout
        layout.use_property_split = True
        for name in ("engine_python", "device", "job_folder", "start_seconds"):
            layout.prop(self, name)
        try:
            layout.label(text=f"Engine found: {engine_python()}", icon="CHECKMARK")
        except EngineMissing as error:
            layout.label(text=str(error), icon="ERROR")


def preferences() -> UnderstudyPreferences:
    """The extension's preferences."""
    addon: Any = bpy.context.preferences.addons[base_package]
    return addon.preferences


def engine_python() -> Path:
    """The engine's interpreter. Raises EngineMissing with a sentence that says what to do."""
    for where, name in (
        ("the preferences", preferences().engine_python),
        (ENVIRONMENT_VARIABLE, os.environ.get(ENVIRONMENT_VARIABLE, "")),
    ):
        if name:
            path = Path(bpy.path.abspath(name))
            if path.is_file():
                return path
            raise EngineMissing(f"The engine's Python {path}, named in {where}, is not there; correct the path.")
    folder = Path(bpy.utils.user_resource("DATAFILES", path="understudy")) / "engine"
    path = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if path.is_file():
        return path
    raise EngineMissing("The engine is not installed; install it and name its Python in Understudy's preferences.")


def register() -> None:
    bpy.utils.register_class(UnderstudyPreferences)


def unregister() -> None:
    bpy.utils.unregister_class(UnderstudyPreferences)
