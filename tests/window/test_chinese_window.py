"""Blender in Simplified Chinese: what its window makes of the extension's words, and the way back to English."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Window
from trained import write_trained_shot

STEPS = [
    {"progress": [0.5, "Looking for the painted surface in frame 7", 3.0]},
    {"sleep": 2},
    {"fail": "/keys/0007.png is 30 x 20 and the shot 64 x 64 pixels; capture frame 7 again."},
]
MODELS = """[bpy.types.UILayout.enum_item_name(bpy.context.scene.understudy, 'motion_model_choice', name)
    for name in ('auto', 'baseline')]"""
TABLES = "__import__('bl_ext.user_default.understudy.translations', fromlist=['as_looked_up'])"


@pytest.fixture
def chinese(window: Callable[..., Window], shot_file: Path, fake_engine: Callable[..., Path]) -> Iterator[Window]:
    """A window in Simplified Chinese, with a trained shot."""
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file, fake_engine(jobs=[STEPS]))
    blender.do("bpy.context.preferences.view.language = 'zh_HANS'")
    blender.do(f"tables = {TABLES}; words = tables.as_looked_up(tables.simplified_chinese())")
    yield blender
    blender.do("bpy.context.preferences.view.language = 'en_US'")


def test_blender_answers_with_our_words(chinese: Window) -> None:
    """All of them: none is hidden by a word of Blender's own that stands for something else there."""
    answers = "{key: bpy.app.translations.pgettext(key[1], key[0]) for key in words}"
    assert chinese.ask(f"[(key, text) for key, text in {answers}.items() if text != words[key]]") == []
    assert chinese.ask("bpy.app.translations.pgettext('In-Between', 'Operator')") == "中间帧"
    assert chinese.ask(MODELS) == ["自动", "普通曲线"]
    chinese.do("bpy.context.preferences.view.language = 'en_US'")
    assert chinese.ask("bpy.app.translations.pgettext('In-Between', 'Operator')") == "In-Between"
    assert chinese.ask(MODELS) == ["Automatic", "Plain Curves"]


def test_reports_are_chinese(chinese: Window) -> None:
    chinese.click("understudy.delete_generated_keys")
    chinese.wait("'这里没有生成的关键帧。' in reports()")
    chinese.click("understudy.paint_key")
    chinese.wait("'请在这里或其他软件中在其上绘制' in reports()")


def test_the_engine_is_heard_in_chinese(chinese: Window) -> None:
    """What it says with values in it: how far it is, and what went wrong."""
    chinese.do("from bl_ext.user_default.understudy import ui, words")
    answers = "[(text, words.said(text, ui.iface_), words.said(text)) for text in {**tables.TEMPLATES, **tables.PARTS}]"
    assert [text for text, *answer in chinese.ask(answers) if text in answer and "{sentence}" not in text] == []
    chinese.click("understudy.stylise")
    chinese.wait("manager.running and manager.running.text.startswith('Looking')")
    assert chinese.ask("words.said(manager.running.text, ui.iface_)") == "正在第 7 帧中查找绘制过的表面"
    chinese.keep("progress")
    chinese.wait("'/keys/0007.png 为 30 x 20 像素，镜头为 64 x 64 像素；请重新采集第 7 帧。' in reports()")
    chinese.keep("report")
