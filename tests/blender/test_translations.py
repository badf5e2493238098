"""Every word that the extension shows has its Simplified Chinese, and no Chinese is left of words that are gone.

What is shown is read off the registered classes, as Blender knows them, and off the source: constants that are drawn,
reported, raised, or given to Blender's own look-up. The bpy module comes without languages, so what Blender makes of
the tables is seen in tests/window."""

from __future__ import annotations

import ast
import inspect
import re
import string
from collections.abc import Iterator
from pathlib import Path

import bpy

SOURCE = Path(__file__).resolve().parents[2] / "blender_addon"
EXTENSION = "bl_ext.user_default.understudy"
ANY, OPERATOR = "*", "Operator"
LOOK_UPS = {"iface_", "tip_", "rpt_", "n_"}  # as Blender's own scripts call pgettext_iface, pgettext_tip, …
REASONS = {"why_not", "_why_not", "not_captured", "frame_not_captured", "no_shot_folder", "unreadable"}
UNTRANSLATED = {SOURCE / f"{name}.py" for name in ("protocol", "cli", "calls", "api")}  # said to programs and scripts
SENTENCES = {"why_not", "nothing", "done", "(nothing, done)"}
Message = tuple[str, str]  # context, English


# --- what Blender shows of registered classes -------------------------------------------------------------------------


def own_classes() -> list[type]:
    """The extension's registered operators, panels and groups of properties."""
    bases = (bpy.types.Operator, bpy.types.Panel, bpy.types.PropertyGroup, bpy.types.AddonPreferences)
    found = [cls for base in bases for cls in base.__subclasses__() if cls.__module__.startswith(EXTENSION)]
    return [cls for cls in found if cls.is_registered]


def structure(cls: type) -> bpy.types.Struct:
    """How Blender describes it; an operator's own description is not its class's."""
    if not issubclass(cls, bpy.types.Operator):
        return cls.bl_rna
    return getattr(bpy.ops.understudy, cls.bl_idname.split(".")[1]).get_rna_type()


def own_properties(cls: type) -> list[bpy.types.Property]:
    """Those that the extension declares; Blender has the words for its own."""
    parts = [part for part in cls.__mro__ if part.__module__.startswith(EXTENSION)]
    names = {name for part in parts for name in inspect.get_annotations(part) if not name.startswith("bl_")}
    return [prop for prop in structure(cls).properties if prop.identifier in names - {"layout"}]


def of_classes() -> Iterator[Message]:
    for cls in own_classes():
        if issubclass(cls, bpy.types.Operator | bpy.types.Panel):
            yield structure(cls).translation_context, cls.bl_label
            yield ANY, structure(cls).description or cls.__doc__
        for prop in own_properties(cls):
            yield prop.translation_context, prop.name
            yield ANY, prop.description
            for item in getattr(prop, "enum_items_static", ()):
                yield prop.translation_context, item.name
                yield ANY, item.description


# --- what the source shows --------------------------------------------------------------------------------------------


def constants(node: ast.AST | None) -> Iterator[str]:
    """The sentences that this expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (*constants(node.body), *constants(node.orelse))
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from constants(value)


def of_call(node: ast.Call, in_panel: bool) -> Iterator[Message]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    if name in LOOK_UPS:
        context = OPERATOR if len(node.args) > 1 else ANY
        yield from ((context, text) for text in constants(node.args[0]))
    elif name in ("report", "allowed", "sentence", "_step"):
        yield from ((ANY, text) for arg in node.args[1:2] for text in constants(arg))
    elif name.endswith(("Error", "Missing", "NotInstalled")):
        yield from ((ANY, text) for arg in node.args[:1] for text in constants(arg))
    elif name in ("Running", "_Job") or in_panel or name == "invoke_confirm":
        context = OPERATOR if name == "operator" else ANY
        for key in ("text", "title", "message", "confirm_text"):
            yield from ((context, text) for text in constants(given.get(key)))


def of_source() -> Iterator[Message]:
    from bl_ext.user_default.understudy.ui_stylise import PLACES

    yield from ((OPERATOR, text) for _place, text in PLACES)
    for path in sorted(set(SOURCE.rglob("*.py")) - UNTRANSLATED):
        panel = path.name.startswith("ui") or path.name == "preferences.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield from of_call(node, panel)
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in SENTENCES:
                values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
                yield from ((ANY, text) for value in values for text in constants(value))
            elif panel and isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "text":
                yield from ((OPERATOR, text) for text in constants(node.value))
            elif isinstance(node, ast.FunctionDef) and node.name in REASONS:
                returns = (part.value for part in ast.walk(node) if isinstance(part, ast.Return))
                yield from ((ANY, text) for value in returns for text in constants(value))


def of_presets() -> Iterator[Message]:
    """Blender shows a preset by the name of its file."""
    yield from ((ANY, path.stem.replace("_", " ")) for path in (SOURCE / "presets").rglob("*.py"))


def shown() -> set[Message]:
    """All of it, as people read it."""
    found = {(context, inspect.cleandoc(text)) for context, text in (*of_classes(), *of_source(), *of_presets())}
    return {(context, text) for context, text in found if re.search("[A-Za-z]{2}", text)}


# --- the tables -------------------------------------------------------------------------------------------------------


def test_every_word_is_translated_and_no_other() -> None:
    from bl_ext.user_default.understudy.translations import simplified_chinese

    translated, wanted = set(simplified_chinese()), shown()
    assert len(wanted) > 400  # the collectors above have not gone blind
    assert not (missing := sorted(wanted - translated)), f"words without Simplified Chinese: {missing}"
    assert not (stale := sorted(translated - wanted)), f"Simplified Chinese of words that are shown no more: {stale}"


def test_templates_take_the_same_values() -> None:
    """A name in braces that is misspelt would be an error in the artist's face, and only in Chinese."""
    from bl_ext.user_default.understudy.translations import simplified_chinese

    def fields(text: str) -> list[tuple[str | None, str | None]]:
        return sorted((name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name is not None)

    for (_, english), text in simplified_chinese().items():
        assert fields(english) == fields(text), english


def test_blender_asks_for_what_is_registered() -> None:
    """Tooltips as this Blender has them, with the indentation it left in; reasons with and without a full stop."""
    from bl_ext.user_default.understudy.translations import as_looked_up, simplified_chinese

    words = as_looked_up(simplified_chinese())
    assert {message for message in of_classes() if re.search("[A-Za-z]{2}", message[1])} <= set(words)
    assert words[ANY, "No job is running."] == "没有正在运行的任务。"
    assert words[ANY, "Capture cancelled"] == "采集已取消"
