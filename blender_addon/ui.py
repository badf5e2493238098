"""The sidebar tab "Understudy" of the 3D View: engine and running job. Draws, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.app.translations import contexts

from . import __package__ as base_package
from . import installer
from .engine_process import EngineMissing, EngineNotInstalled
from .installer import read_state
from .jobs import manager
from .preferences import engine_folder, engine_python, must_go_online, older_engine
from .styles import icon_of
from .ui_lines import duration, installation, sentence
from .words import iface_, n_, said

ICON = Path(__file__).with_name("icon.png")
WITHOUT = n_(
    "Works without it: Capture, painting, Stylise by plain reprojection, In-Between and Play On by plain curves, Loop, Clean, "
    "Reduce Keys."
)


class Sidebar:
    """Where all panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Understudy"


class EngineState:
    """What the tab begins with, in every editor."""

    bl_label = "Understudy"
    layout: Any

    def draw_header(self, _context: bpy.types.Context) -> None:
        """The icon. Blender reads it on a thread of its own, and with it all that the first PNG of a session makes it read:
        0.1 s on 5.2, which the first picture that a job brings would otherwise take from the artist."""
        self.layout.label(text="", icon_value=icon_of(ICON))

    def draw(self, context: bpy.types.Context) -> None:
        """Engine state, then progress, time left and Cancel."""
        self.layout.use_property_decorate = False
        self._draw_engine(context.region.width)
        self._draw_update()
        if manager.running is not None:
            self._draw_running()

    def _draw_engine(self, width: int) -> None:
        layout, state = self.layout, manager.engine_state
        if state == "READY":
            layout.label(text=iface_("Engine ready: {device}").format(device=manager.device), icon="CHECKMARK")
            return
        if state == "STARTING":
            layout.label(text="Engine is starting", icon="SORTTIME")
            return
        if installer.current is not None:
            installation(layout, installer.current.last)
            return
        if installer.failed:
            sentence(layout, said(installer.failed, iface_), "ERROR", width)
        try:
            engine_python()
        except EngineMissing as error:
            self._draw_missing(error, width)
            return
        row = layout.row()
        row.label(text="Engine is off", icon="RADIOBUT_OFF")
        row.operator("understudy.start_engine", text="Start")

    def _draw_update(self) -> None:
        """The extension was updated, and the engine was not."""
        older = older_engine()
        if older and installer.current is None:
            row = self.layout.row()
            row.label(text=iface_("Engine {version}").format(version=older), icon="ERROR")
            row.operator("understudy.install_engine", text="Update Engine", icon="IMPORT")

    def _draw_missing(self, error: EngineMissing, width: int) -> None:
        """No engine yet, in as few lines as can be, for what works without it stands below: the buttons that make it. More is
        in the panel EngineMissingMore."""
        layout = self.layout
        if installer.failed:
            pass  # that stands above
        elif isinstance(error, EngineNotInstalled) and not read_state(engine_folder()):
            layout.label(text="No engine is installed yet", icon="INFO")
        else:
            sentence(layout, said(str(error), iface_), "INFO", width)
        if must_go_online():
            layout.operator("extensions.userpref_allow_online", text="Allow Online Access", icon="INTERNET")
        row = layout.row(align=True)
        row.operator("understudy.install_engine", icon="IMPORT")
        row.operator("preferences.addon_show", text="", icon="PREFERENCES").module = base_package

    def _draw_running(self) -> None:
        running = manager.running
        assert running is not None
        box = self.layout.box().column()
        row = box.row()
        row.label(text=iface_(iface_(running.label, "Understudy"), contexts.operator_default), translate=False)
        if running is manager.local:
            row.label(text="Esc cancels" if running.takes_escape else "")
        else:
            row.operator("understudy.cancel_job", text="", icon="X")
        text = f"{running.done:.0%}"
        if running.seconds_left is not None:
            text = iface_("{done}, {time} left").format(done=text, time=duration(running.seconds_left))
        box.progress(factor=running.done, text=text, type="BAR")
        box.label(text=said(running.text, iface_))
        if running is not manager.local:
            row = box.row(align=True)
            if running.takes_enough:
                row.operator("understudy.good_enough", icon="CHECKMARK")
            row.operator("understudy.show_preview", icon="IMAGE_DATA")
        if manager.waiting:
            box.label(text=iface_("Waiting: {count}").format(count=manager.waiting), icon="SORTTIME")


class EngineMissingMore:
    """What there is to know before the engine is installed; in the tab for as long as it is not."""

    bl_label = "Without the Engine"
    bl_options: Any = {"DEFAULT_CLOSED"}
    layout: Any

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """While none is installed or being installed."""
        if manager.engine_state in ("READY", "STARTING") or installer.current is not None:
            return False
        try:
            engine_python()
        except EngineMissing:
            return True
        return False

    def draw(self, context: bpy.types.Context) -> None:
        """Why it asks for the network, and what works all the same."""
        if must_go_online():
            sentence(
                self.layout,
                "Blender may not go online yet, and the engine's packages come from there.",
                "INTERNET",
                context.region.width,
            )
        sentence(self.layout, WITHOUT, "CHECKMARK", context.region.width)


class VIEW3D_PT_understudy(Sidebar, EngineState, bpy.types.Panel):
    """The engine, and the job that runs"""

    bl_order = 1


class VIEW3D_PT_understudy_without(Sidebar, EngineMissingMore, bpy.types.Panel):
    """What works before the engine is installed"""

    bl_parent_id = "VIEW3D_PT_understudy"


CLASSES = (VIEW3D_PT_understudy, VIEW3D_PT_understudy_without)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
