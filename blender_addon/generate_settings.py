"""What a scene remembers for Generate: one PropertyGroup. Knows no operator and no engine."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
from bpy.props import EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import compat, sequence_library

HOWS = (
    ("CONTINUE", "Continue", "More frames after the last one", "TRACKING_FORWARDS", 0),
    ("LOOP", "Loop", "A cycle without a seam: the last frame leads into the first", "FILE_REFRESH", 1),
    ("VARY", "Vary", "Another take of the same: another seed gives another one", "MOD_NOISE", 2),
    (
        "BETWEEN",
        "Between",
        "Frames between those that are there: missing ones, or a slower motion",
        "IPO_EASE_IN_OUT",
        3,
    ),
    ("ANIMATE", "Animate", "One picture moves as a learned sequence does", "PLAY", 4),
)


def _sequences(_self: object, _context: bpy.types.Context, _text: str) -> Iterable[str]:
    """The sequences that are saved on this machine."""
    return sequence_library.names()


class UnderstudyGenerateSettings(bpy.types.PropertyGroup):
    """Everything about pictures that are made from pictures."""

    how: EnumProperty(
        name="Make",
        translation_context="Understudy",
        description="What is made of the picture sequence",
        items=HOWS,
        default="CONTINUE",
    )
    count: IntProperty(
        name="Frames", description="How many frames are made", default=24, min=2, soft_max=500, max=100_000
    )
    slow: IntProperty(
        name="Times Slower",
        description="How many times slower the motion becomes. Where the sequence misses frames, they alone are made",
        default=2,
        min=1,
        soft_max=8,
        max=64,
    )
    variation: FloatProperty(
        name="Variation",
        description="How far a take may stray from the sequence: 0 keeps close to it, 1 goes its own way",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    seconds: FloatProperty(
        name="Learn For",
        description="How long the sequence is learned. That is done once for each sequence; longer gives sharper pictures",
        default=240.0,
        min=1.0,
        soft_max=3600.0,
        max=7 * 24 * 3600.0,
        step=1000,
        precision=0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
    )
    sequence: StringProperty(
        name="Motion Of",
        description="Name of the saved sequence whose motion is used. Empty: what was learned of this one",
        search=_sequences,
    )
    collection: PointerProperty(
        name="Only",
        description="The objects of this collection are made anew and the rest of the captured shot stays, as a pot under its "
        "fire. Empty: the whole picture",
        type=bpy.types.Collection,
    )
    take: StringProperty(
        name="Last Take",
        description="Folder of the frames that were made last",
        subtype="DIR_PATH",
        options=compat.RELATIVE_PATH,
    )


def register() -> None:
    bpy.utils.register_class(UnderstudyGenerateSettings)
    bpy.types.Scene.understudy_generate = PointerProperty(type=UnderstudyGenerateSettings)  # type: ignore[attr-defined]


def unregister() -> None:
    del bpy.types.Scene.understudy_generate  # type: ignore[attr-defined]
    bpy.utils.unregister_class(UnderstudyGenerateSettings)
