"""Combine for scripts and the command line: two strips of the Video Sequencer named, selected for the call, put together. Scripts
find it in `api`. Knows the operator by name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bpy

from . import compat
from .calls import Result, UnderstudyError, call


def combine(
    first: str,
    second: str,
    *,
    how: str | None = None,
    mask: str | os.PathLike[str] | None = None,
    collection: bpy.types.Collection | None = None,
    feather: float | None = None,
) -> Result:
    """Put two strips of the Video Sequencer together, where they overlap in time, as a strip above both.

    first, second: names of movie or image strips; the second is the one that is faded to, or is seen where the mask is white
    or the objects are. how: "CROSS_FADE", "MASK" (a folder of pictures named by their frame) or "OBJECTS" (those of a
    collection in the captured shot). feather: pixels.

    >>> api.combine("Dull", "Blue", how="CROSS_FADE").folder.name
    'Dull + Blue'
    """
    path = None if mask is None else bpy.path.abspath(os.fspath(mask))
    shot = {"combine_how": how, "combine_mask": path, "combine_collection": collection, "combine_feather": feather}
    with _selected(first, second):
        return call("combine", shot=shot)


@contextmanager
def _selected(first: str, second: str) -> Iterator[None]:
    """Only these two strips are selected, the second above the first; afterwards it is as it was. Raises UnderstudyError."""
    editor = compat.sequencer_scene(bpy.context).sequence_editor
    strips = {strip.name: strip for strip in compat.sequencer_strips(editor)} if editor else {}
    for name in (first, second):
        if name not in strips:
            raise UnderstudyError(f"There is no strip '{name}' in the Video Sequencer.")
    if strips[first].channel >= strips[second].channel:
        raise UnderstudyError(f"The strip '{second}' must lie above '{first}'.")
    before: list[tuple[Any, bool]] = [(strip, strip.select) for strip in strips.values()]
    try:
        for strip, _ in before:
            strip.select = strip.name in (first, second)
        yield
    finally:
        for strip, selected in before:
            strip.select = selected
