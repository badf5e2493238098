"""That the tests of this folder press every operator: read off the source, so that a new one is not forgotten."""

from __future__ import annotations

import re
from pathlib import Path

from conftest import ROOT


def test_every_operator_is_pressed_in_a_window() -> None:
    addon = "\n".join(path.read_text() for path in (ROOT / "blender_addon").rglob("*.py"))
    tests = "\n".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    operators = set(re.findall(r'bl_idname = "understudy\.(\w+)"', addon))
    pressed = set(re.findall(r'understudy\.(\w+)[\"\'(]|"(\w+)"', tests))
    assert len(operators) > 30
    assert operators <= {name for names in pressed for name in names}
