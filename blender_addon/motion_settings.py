"""What a scene remembers for Motion: one PropertyGroup. Knows no operator and no engine."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import compat
from .sparse import Keying


class UnderstudyMotionSettings(bpy.types.PropertyGroup):
    """Everything about motion that Understudy stores in a scene, beside what both of its halves share."""

    every_frame: BoolProperty(
        name="Every Frame",
        description="A key on every frame. Otherwise few keys, within the stated bound of what was made",
    )
    degrees: FloatProperty(
        name="Within",
        description="How many degrees the curves between few keys may be off at any frame",
        default=0.5,
        min=0.01,
        soft_max=5.0,
        max=45.0,
        precision=2,
    )
    lengths: FloatProperty(
        name="Lengths",
        description="How many bone lengths locations may be off at any frame",
        default=0.02,
        min=0.0005,
        soft_max=0.2,
        max=1.0,
        precision=3,
    )
    variation: FloatProperty(
        name="Variation",
        description="How far other takes stray from the first: V or the mouse wheel shows the next one",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    lock_feet: BoolProperty(
        name="Lock Feet", description="What stands on the ground in two keys stays where it is between them"
    )
    ghost_step: IntProperty(
        name="Ghost Every",
        description="Frames from one ghost pose to the next while a result is looked at; 0 for no ghosts",
        default=5,
        min=0,
        max=100,
    )
    learned: StringProperty(
        name="Style",
        translation_context="Understudy",
        description="Folder of a motion style that was learned from your actions, empty for none",
        subtype="DIR_PATH",
        options=compat.RELATIVE_PATH,
    )
    learn_from: StringProperty(
        name="Actions",
        description="Names of the actions to learn from: * stands for anything, commas part several",
        default="*",
    )
    learn_seconds: FloatProperty(
        name="Learn For",
        description="How long to learn from your actions",
        default=120.0,
        min=1.0,
        soft_max=600.0,
        max=24 * 3600.0,
        precision=0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
    )
    towards_target: BoolProperty(
        name="To Next Key", description="Play on so that the motion arrives at your next key, however far it is"
    )
    loop_blend: IntProperty(
        name="Blend", description="Frames on either side of the joint that may change", default=8, min=1, max=250
    )
    loop_keep_root: BoolProperty(
        name="Keep Travelling",
        description="The rig goes on travelling and turning; otherwise it stays in place",
        default=True,
    )
    loop_repeats: IntProperty(
        name="More Cycles",
        description="Cycles to play after the first, each a little different",
        default=0,
        min=0,
        max=100,
    )
    loop_modifier: BoolProperty(
        name="Cycles Modifier",
        description="Let Blender repeat the curves for ever by its Cycles modifier",
        default=True,
    )
    clean_smooth: FloatProperty(
        name="Jitter Below",
        description="Seconds below which a wobble counts as jitter, 0 for none",
        default=0.1,
        min=0.0,
        soft_max=0.5,
        max=2.0,
        precision=2,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
    )
    clean_contacts: BoolProperty(name="Lock Contacts", description="Hold feet where they stand", default=True)

    def keying(self) -> Keying:
        """How many keys are made."""
        return Keying(self.every_frame, self.degrees, self.lengths)


def register() -> None:
    bpy.utils.register_class(UnderstudyMotionSettings)
    bpy.types.Scene.understudy_motion = PointerProperty(type=UnderstudyMotionSettings)  # type: ignore[attr-defined]


def unregister() -> None:
    del bpy.types.Scene.understudy_motion  # type: ignore[attr-defined]
    bpy.utils.unregister_class(UnderstudyMotionSettings)
