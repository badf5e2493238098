"""What a scene remembers for Understudy: one PropertyGroup. Knows no operator and no engine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import compat
from .jobs import manager
from .preferences import preferences

SHOT = "understudy_shot"  # custom property of a strip's scene: the scene it shows
SOURCES = (
    ("RENDER", "Render", "The scene's own render engine and settings"),
    ("VIEWPORT_SOLID", "Solid View", "The look of the viewport's Solid shading: fastest"),
    ("VIEWPORT_MATERIAL", "Material View", "The look of the viewport's Material Preview"),
)


def _motion_models(_self: object, _context: bpy.types.Context, _text: str) -> Iterable[str]:
    """What the engine that runs offers; more names appear once it has started."""
    return ["auto", *(manager.models.get("inbetween") or ["baseline"])]


class UnderstudySettings(bpy.types.PropertyGroup):
    """Everything Understudy stores in a scene."""

    job_folder: StringProperty(
        name="Job Folder",
        description="Where this shot keeps its frames, guides, painted keys and results. Empty: as in the preferences",
        subtype="DIR_PATH",
        options=compat.RELATIVE_PATH,
    )
    source: EnumProperty(
        name="Picture", description="What the frames to be painted over show", items=SOURCES, default="RENDER"
    )
    training_seconds: FloatProperty(
        name="Train For",
        description="How long the style is trained on the painted frames",
        default=120.0,
        min=1.0,
        soft_max=3600.0,
        max=7 * 24 * 3600.0,
        step=1000,
        precision=0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
    )
    seed: IntProperty(name="Seed", description="The same seed gives the same result", default=0, min=0)
    extrapolate_frames: IntProperty(
        name="Frames",
        description="How many frames to play on after the last key",
        default=12,
        min=1,
        soft_max=120,
        max=10_000,
    )
    motion_model: StringProperty(
        name="Model",
        description="How motion is made: auto takes the network where it helps, baseline never",
        default="auto",
        search=_motion_models,
    )


def job_folder(scene: Any) -> Path | None:
    """The folder of the scene's shot, absolute; None where it is relative to a file that has never been saved."""
    name = scene.understudy.job_folder or preferences().job_folder
    if name.startswith("//") and not bpy.data.filepath:
        return None
    return Path(bpy.path.abspath(name))


def register() -> None:
    bpy.utils.register_class(UnderstudySettings)
    bpy.types.Scene.understudy = PointerProperty(type=UnderstudySettings)  # type: ignore[attr-defined]


def unregister() -> None:
    del bpy.types.Scene.understudy  # type: ignore[attr-defined]
    bpy.utils.unregister_class(UnderstudySettings)
