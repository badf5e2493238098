"""Blender's look-up of words in the language of its interface, by the short names that Blender's own scripts use, with the
types that its documentation leaves out. Knows no language; the tables are in translations/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy

LookUp = Callable[..., str]  # (English), or (English, context) for words that are not in the usual one

_translations: Any = bpy.app.translations
iface_: LookUp = _translations.pgettext_iface  # what is drawn
tip_: LookUp = _translations.pgettext_tip  # tooltips
rpt_: LookUp = _translations.pgettext_rpt  # what is reported
n_: LookUp = _translations.pgettext_n  # looked up later: only marked here
