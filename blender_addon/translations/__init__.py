"""The extension's words in other languages, as Blender looks them up: Simplified Chinese so far. Knows words and no scene.

Another language is one more set of the tables and one more line in LANGUAGES; tests/blender/test_translations.py and
tests/addon/test_sentences.py say what is missing in it.
"""

from __future__ import annotations

import re

import bpy

from ..preferences import BACKEND_ITEMS
from .zh_engine import ENGINE
from .zh_messages import MESSAGES
from .zh_operators import BUTTONS, OPERATORS, OWN
from .zh_panels import PANELS
from .zh_properties import PROPERTIES
from .zh_sentences import PARTS, SENTENCES

ANY, OPERATOR = bpy.app.translations.contexts.default, bpy.app.translations.contexts.operator_default
Words = dict[tuple[str, str], str]
TEMPLATES = ENGINE | SENTENCES  # what is found again in finished sentences, whatever the language (words.py)


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


def with_sentences(words: Words) -> Words:
    """The same, and what finished sentences are made of, where no words of Blender's are."""
    return {("Understudy", english): text for english, text in (TEMPLATES | PARTS).items()} | words


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
    words = {name: with_sentences(as_looked_up(table())) for name, table in LANGUAGES.items()}
    bpy.app.translations.register(__package__, words)


def unregister() -> None:
    bpy.app.translations.unregister(__package__)
