"""The extension's words in other languages, as Blender looks them up: Simplified Chinese so far. Knows words and no scene.

Another language is one more set of the four tables and one more line in LANGUAGES; tests/blender/test_translations.py says
what is missing in it.
"""

from __future__ import annotations

import re

import bpy

from ..preferences import BACKEND_ITEMS
from .zh_messages import MESSAGES
from .zh_operators import BUTTONS, OPERATORS, OWN
from .zh_panels import PANELS
from .zh_properties import PROPERTIES

ANY, OPERATOR = bpy.app.translations.contexts.default, bpy.app.translations.contexts.operator_default
Words = dict[tuple[str, str], str]


def simplified_chinese() -> Words:
    """All tables as one, by context."""
    backends = {
        text: text.replace("torch for ", "用于 ").replace(", ", " 的 torch，") for _, _, text in BACKEND_ITEMS[1:]
    }
    words = {
        (ANY, english): text for table in (PANELS, PROPERTIES, OPERATORS, backends) for english, text in table.items()
    }
    words |= {(ANY, english): text for english, text in MESSAGES.items()}
    words |= {(OPERATOR, english): text for english, text in BUTTONS.items()}
    words |= {("Understudy", english): text for english, text in OWN.items()}
    return words


def as_looked_up(words: Words) -> Words:
    """The same, and each in the other shapes in which Blender may ask for it: a docstring with the indentation that it
    has before Python 3.13, and the reason why a button is grey as a sentence, or the other way round."""
    more = {}
    for (context, english), text in words.items():
        more[context, re.sub(r"\n(?=.)", "\n    ", english)] = text
        if english in MESSAGES and english.endswith("."):
            more[context, english[:-1]] = text.rstrip("。")
        elif english in MESSAGES:
            more[context, english + "."] = text + "。"
    return more | words


LANGUAGES = {"zh_HANS": simplified_chinese}


def register() -> None:
    bpy.app.translations.register(__package__, {name: as_looked_up(words()) for name, words in LANGUAGES.items()})


def unregister() -> None:
    bpy.app.translations.unregister(__package__)
