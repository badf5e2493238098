"""Finished sentences, with their values in them, given in another language: their templates are found again. Knows no language,
no table and nothing of Blender."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

LookUp = Callable[[str], str]  # the English of a template → the same in another language, or as it is
Known = tuple[list[str], re.Pattern[str], str]  # the words between the values, what finds these, the template
# What stands there may be a single word, and is a name all the same.
ARTISTS = {"file", "first", "folder", "name", "names", "path"}


def compiled(templates: Iterable[str]) -> list[Known]:
    """What finds each template and its values, the templates with the most words of their own first."""
    known = []
    for template in templates:
        words = re.split(r"{\w+}", template)
        names = re.findall(r"{(\w+)}", template)
        holes = [f"(?P={name})" if name in names[:i] else f"(?P<{name}>.*?)" for i, name in enumerate(names)]
        expression = "".join(re.escape(text) + hole for text, hole in zip(words, [*holes, ""], strict=True))
        known.append((words, re.compile(expression, re.DOTALL), template))
    return sorted(known, key=lambda item: sum(map(len, item[0])), reverse=True)


def holds(sentence: str, words: list[str]) -> bool:
    """Whether it begins and ends with these words and has the others between, in order: an expression alone may take seconds to
    find that it does not."""
    first, *others = words
    if not others:
        return sentence == first
    at, last = len(first), len(sentence) - len(others[-1])
    for text in others[:-1]:
        found = sentence.find(text, at)
        if found < 0:
            return False
        at = found + len(text)
    return at <= last and sentence.startswith(first) and sentence.endswith(others[-1])


class Sentences:
    """What can be said: `templates` as sentences of their own, `parts` inside of others. What the artist named is left as it
    is: values in quotes, and single words of ARTISTS. Where a value is called `sentence` it must be one that is known."""

    def __init__(self, templates: Iterable[str], parts: Iterable[str]) -> None:
        self._templates = compiled(templates)
        self._parts = compiled(parts)

    def translate(self, sentence: str, look_up: LookUp) -> str:
        """One sentence, or several with spaces between; as it is where it is not known, or the language lacks it."""
        # A full stop and a space also stand within a sentence, in a path: all pieces must be known.
        first, *others = re.split(r"(?<=\.)(?= )", sentence)
        pieces = [self._said(first, look_up)]
        pieces += [self._said(piece, look_up) or self._said(piece[1:], look_up) for piece in others]
        if all(pieces):
            return "".join(piece or "" for piece in pieces)
        return self._said(sentence, look_up) or sentence

    def _said(self, sentence: str, look_up: LookUp) -> str | None:
        exact = look_up(sentence)
        return exact if exact != sentence else self._filled(self._templates, sentence, look_up)

    def _filled(self, known: list[Known], sentence: str, look_up: LookUp) -> str | None:
        for words, pattern, template in known:
            match = pattern.fullmatch(sentence) if holds(sentence, words) else None
            if match and (translated := look_up(template)) != template:
                values = {
                    name: self._value(template, name, value, look_up) for name, value in match.groupdict().items()
                }
                if "sentence" not in values or values["sentence"] != match["sentence"]:
                    return translated.format(**values)
        return None

    def _value(self, template: str, name: str, value: str, look_up: LookUp) -> str:
        """What stands inside of a sentence: a part, or a sentence whose full stop was taken away; else as it is."""
        if f"'{{{name}}}'" in template or (name in ARTISTS and " " not in value):
            return value
        part = self._filled(self._parts, value, look_up) or self._filled(self._parts, value + ".", look_up)
        if part is None and " " in value:
            part = self._filled(self._templates, value + ".", look_up)
        return value if part is None else part.rstrip("。")
