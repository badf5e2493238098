"""Runs inside Blender: a timer that evaluates the questions put into a folder, and words to ask with."""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from pathlib import Path
from typing import Any

import bpy

with contextlib.suppress(ImportError):  # the extension may be installed only later
    from bl_ext.user_default.understudy import compat, installer  # noqa: F401 asked for
    from bl_ext.user_default.understudy.jobs import manager

FOLDER = Path(sys.argv[-1])


def done() -> float:
    """How far the running job is, 0 to 1; -1 when none runs."""
    return -1.0 if manager.running is None else manager.running.done


def view() -> tuple[bpy.types.Window, bpy.types.Area]:
    """The window and its 3D View."""
    window = bpy.context.window_manager.windows[0]
    return window, next(area for area in window.screen.areas if area.type == "VIEW_3D")


def region() -> bpy.types.Region:
    return next(region for region in view()[1].regions if region.type == "UI")


def sidebar() -> tuple[int, int, int, int]:
    """x, y of the top, width and height of the sidebar on the screen, y running down."""
    ui = region()
    return ui.x, view()[0].height - ui.y - ui.height, ui.width, ui.height


def category() -> str:
    return region().active_panel_category


def curves(name: str) -> list[bpy.types.FCurve]:
    """The F-Curves of an object's action."""
    return list(compat.action_fcurves(bpy.data.objects[name]))


def strips() -> list[Any]:
    """Of the scene's Video Sequencer."""
    return list(compat.sequencer_strips(bpy.context.scene.sequence_editor))


def middle_of(kind: str) -> tuple[int, int]:
    """The middle of an editor on the screen, y running down."""
    window = view()[0]
    area = next(area for area in window.screen.areas if area.ui_type == kind)
    region = next(region for region in area.regions if region.type == "WINDOW")
    return region.x + region.width // 2, window.height - region.y - region.height // 2


def command_under_mouse() -> str:
    """The Python command of the button under the mouse, '' where there is none."""
    window, area = view()
    bpy.context.window_manager.clipboard = ""
    with bpy.context.temp_override(window=window, area=area, region=region()):
        if bpy.ops.ui.copy_python_command_button.poll():
            bpy.ops.ui.copy_python_command_button()
    return bpy.context.window_manager.clipboard


def reports() -> str:
    """What Blender's Info log holds, read in the timeline's place."""
    window, manager = view()[0], bpy.context.window_manager
    area = next(area for area in window.screen.areas if area.type == "DOPESHEET_EDITOR")
    area.type = "INFO"
    with bpy.context.temp_override(window=window, area=area, region=area.regions[-1]):
        bpy.ops.info.select_all(action="SELECT")
        bpy.ops.info.report_copy()
    area.ui_type = "TIMELINE"
    return manager.clipboard


def answer() -> float:
    """Evaluate what was asked, in order."""
    for question in sorted(FOLDER.glob("*.py"), key=lambda path: int(path.stem)):
        value, error = None, ""
        try:
            value = eval(question.read_text(), globals())
        except Exception:  # noqa: BLE001 the test that asked shows it
            error = traceback.format_exc()
        question.unlink()
        partial = question.with_suffix(".partial")
        partial.write_text(json.dumps([value, error], default=str))
        partial.rename(question.with_suffix(".json"))
    return 0.02


def start() -> None:
    """Put the splash screen away and begin to answer. Without smooth edges the view is drawn once, not nine times, which a
    software driver takes a second for."""
    bpy.context.preferences.view.show_splash = False
    bpy.context.preferences.system.viewport_aa = "OFF"
    bpy.context.preferences.view.ui_scale = 1.0
    bpy.app.timers.register(answer, persistent=True)


bpy.app.timers.register(start, first_interval=0.5)
