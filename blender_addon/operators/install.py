"""Install, update, repair and remove the engine. The work is in installer.py; here a timer looks after it, so that it goes on
whatever file is loaded."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty

from .. import installer
from ..engine_process import EngineError
from ..installer import Installation, InstallError, Plan
from ..jobs import manager
from ..preferences import engine_folder, engine_python, preferences
from ..words import n_, rpt_, said
from .job import allowed

LOOK_SECONDS = 0.2
OFFLINE = n_("Blender may not go online; allow online access in Preferences > System, or give a folder of wheels.")


def make_plan(repair: bool) -> Plan:
    """What the preferences ask for. Raises InstallError."""
    chosen = preferences()
    package = installer.package()
    if package is None:
        raise InstallError(
            "This copy of the extension came without the engine's package; install the extension from its zip file."
        )
    wheels = Path(bpy.path.abspath(chosen.wheel_folder)) if chosen.wheel_folder else None
    python = bpy.path.abspath(chosen.install_python) if chosen.install_python else ""
    return Plan(python, engine_folder(), package, chosen.backend, wheels, repair)


def _why_not() -> str:
    return "The engine is being installed: wait for it, or cancel" if installer.current else ""


class UNDERSTUDY_OT_install_engine(bpy.types.Operator):
    """Make the engine's environment: torch for this machine and the engine itself, outside the extension's folder.

    An environment that is there is brought up to date; one that was not finished is gone on with"""

    bl_idname = "understudy.install_engine"
    bl_label = "Install Engine"
    bl_options: Any = {"INTERNAL"}

    repair: BoolProperty(
        name="Repair", description="Delete the environment and make it anew", options={"SKIP_SAVE", "HIDDEN"}
    )

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        offline = not preferences().wheel_folder and not bpy.app.online_access
        return allowed(cls, _why_not() or (OFFLINE if offline else ""))

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """In the background: to its end. With a window: begin, and return; a timer follows it."""
        try:
            installation = Installation(make_plan(self.repair))
        except InstallError as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        manager.close()  # a running engine holds its own files
        installer.current = installation
        installation.start()
        if not bpy.app.background:
            bpy.app.timers.register(_look, persistent=True)
            return {"FINISHED"}
        while installer.current is not None:
            _look()
            time.sleep(LOOK_SECONDS)
        sentence = installation.last.sentence
        self.report(
            {"ERROR" if sentence else "INFO"},
            said(sentence)
            if sentence
            else rpt_("The engine is installed: {text}.").format(text=installation.last.text),
        )
        return {"CANCELLED"} if sentence else {"FINISHED"}


class UNDERSTUDY_OT_cancel_install(bpy.types.Operator):
    """Stop installing the engine. What was fetched is kept for the next try"""

    bl_idname = "understudy.cancel_install"
    bl_label = "Cancel"
    bl_options: Any = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return allowed(cls, "" if installer.current else "Nothing is being installed")

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Ask; the timer sees the end."""
        if installer.current is not None:
            installer.current.cancel()
        return {"FINISHED"}


class UNDERSTUDY_OT_remove_engine(bpy.types.Operator):
    """Delete the environment that Install Engine made. Styles, shots and results stay"""

    bl_idname = "understudy.remove_engine"
    bl_label = "Remove Engine"
    bl_options: Any = {"INTERNAL"}

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return allowed(cls, _why_not() or ("" if engine_folder().exists() else "No engine is installed"))

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """End the engine and delete its environment."""
        manager.close()
        try:
            with installer.alone(engine_folder()):
                installer.remove(engine_folder())
        except InstallError as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        self.report({"INFO"}, "The engine was removed.")
        return {"FINISHED"}


def _look() -> float | None:
    """See how far the installation is; None, which ends the timer, once it is over."""
    if installer.current is None:
        return None
    steps = installer.current.poll()
    _redraw()
    if not (steps and steps[-1].ended):
        return LOOK_SECONDS
    installer.failed, installer.current = steps[-1].sentence, None
    if not installer.failed and not bpy.app.background:
        _start()
    return None


def _start() -> None:
    """The first thing to do with a new engine."""
    try:
        engine_python()
        manager.start()
    except EngineError as error:
        installer.failed = str(error)


def _redraw() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "SEQUENCE_EDITOR", "PREFERENCES"}:
                area.tag_redraw()


CLASSES = (UNDERSTUDY_OT_install_engine, UNDERSTUDY_OT_cancel_install, UNDERSTUDY_OT_remove_engine)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)


def unregister() -> None:
    if installer.current is not None:
        installer.current.cancel()
        installer.current = None
    if bpy.app.timers.is_registered(_look):
        bpy.app.timers.unregister(_look)
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)
