"""Blender's look-up of words in the language of its interface, by the short names that Blender's own scripts use, with the
types that its documentation leaves out; and the same for finished sentences. Knows no language; the tables are in
translations/."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import bpy

from .sentences import Sentences

LookUp = Callable[..., str]  # (English), or (English, context) for words that are not in the usual one

_translations: Any = bpy.app.translations
iface_: LookUp = _translations.pgettext_iface  # what is drawn
tip_: LookUp = _translations.pgettext_tip  # tooltips
rpt_: LookUp = _translations.pgettext_rpt  # what is reported
n_: LookUp = _translations.pgettext_n  # looked up later: only marked here


@functools.cache
def _sentences() -> Sentences:
    from .translations import PARTS, TEMPLATES  # not before: they need the preferences, and those this module

    return Sentences(TEMPLATES, PARTS)


def said(sentence: str, look_up: LookUp = rpt_) -> str:
    """What the engine or the installer says, in English and with its values in it, in the language of the interface."""

    def own_first(text: str) -> str:
        own = look_up(text, "Understudy")
        return own if own != text else look_up(text)

    return _sentences().translate(sentence, own_first)
