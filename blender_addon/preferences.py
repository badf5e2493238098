"""The extension's preferences, and where the engine's Python is found. Knows Blender's folders, never a scene.

The engine's Python is the first of: the preference, the environment variable UNDERSTUDY_ENGINE_PYTHON, the environment that
Install Engine makes: `understudy/engine` beside the folders of the Blender versions, which share it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, FloatProperty, StringProperty

from . import __package__ as base_package
from . import compat, installer, keymap
from .engine_process import EngineMissing, EngineNotInstalled
from .installer import BACKENDS, interpreter, package, package_version, read_state
from .ui_lines import installation, sentence
from .words import iface_, rpt_, said

ENVIRONMENT_VARIABLE = "UNDERSTUDY_ENGINE_PYTHON"
BACKEND_ITEMS = (
    ("AUTO", "Automatic", "What fits the graphics card of this machine"),
    *((name, name, f"torch for {name}, {megabytes / 1000:.1f} GB") for name, (_, megabytes) in BACKENDS.items()),
)
DEVICES = (
    ("auto", "Automatic", "The fastest device the engine finds"),
    ("cpu", "Processor", "Always the processor"),
    ("cuda", "NVIDIA or AMD", "The graphics card, by CUDA or ROCm"),
    ("mps", "Apple", "The graphics processor of an Apple computer"),
)


class UnderstudyPreferences(bpy.types.AddonPreferences):
    """What belongs to the machine and not to a shot."""

    bl_idname = base_package

    engine_python: StringProperty(
        name="Engine Python",
        description="Python interpreter of the environment that holds the engine. Empty: found automatically",
        subtype="FILE_PATH",
    )
    device: EnumProperty(name="Device", description="Where the engine computes", items=DEVICES, default="auto")
    job_folder: StringProperty(
        name="Job Folder",
        description="Where shots that name no folder of their own keep frames, guides, painted keys and results. "
        "// is the folder of the Blender file",
        subtype="DIR_PATH",
        default="//understudy/",
        options=compat.RELATIVE_PATH,
    )
    style_folder: StringProperty(
        name="Saved Styles",
        description="Where saved styles are kept. Empty: in Blender's user folder, shared by all Blender versions",
        subtype="DIR_PATH",
    )
    sequence_folder: StringProperty(
        name="Saved Sequences",
        description="Where learned sequences are kept. Empty: in Blender's user folder, shared by all Blender versions",
        subtype="DIR_PATH",
    )
    engine_folder: StringProperty(
        name="Engine Folder",
        description="Where Install Engine makes the engine's environment. Empty: in Blender's user folder, shared by all "
        "Blender versions",
        subtype="DIR_PATH",
    )
    backend: EnumProperty(name="Torch", description="Which torch is installed", items=BACKEND_ITEMS, default="AUTO")
    wheel_folder: StringProperty(
        name="Wheels",
        description="A folder with the wheels of torch and the engine's other packages, to install without a network. "
        "Empty: they are fetched from the package index",
        subtype="DIR_PATH",
    )
    install_python: StringProperty(
        name="Install With",
        description="The Python that makes the environment. Empty: Blender's own, or one that is installed",
        subtype="FILE_PATH",
    )
    start_seconds: FloatProperty(
        name="Wait for Engine",
        description="How long the engine may take to start before it is given up",
        default=60.0,
        min=5.0,
        max=600.0,
        precision=0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
    )

    def draw(self, context: bpy.types.Context) -> None:
        """Where the tab is, for who has just installed it; the engine, which one comes for from the panel; where things are
        kept, and the shortcuts."""
        layout = self.layout
        layout.use_property_split = True
        width = context.region.width
        sentence(layout, "Press N in the 3D View and choose the tab Understudy of the sidebar.", "INFO", width)
        self._draw_engine(layout.box().column(), width)
        box = layout.box().column()
        for name, folder in (
            ("job_folder", ""),
            ("style_folder", str(style_folder())),
            ("sequence_folder", str(sequence_folder())),
        ):
            box.prop(self, name, placeholder=folder)
        box = layout.box().column()
        box.label(text="Shortcuts")
        keymap.draw(box, context)

    def _draw_engine(self, box: Any, width: int) -> None:
        """Which one will be used, or why none; the buttons that make it, how far they are, and by what."""
        if installer.failed:
            sentence(box, said(installer.failed, iface_), "ERROR", width)
        try:
            box.label(text=iface_("Engine found: {path}").format(path=engine_python()), icon="CHECKMARK")
        except EngineMissing as error:
            sentence(box, said(str(error), iface_), "INFO", width)
        if installer.current is not None:
            installation(box, installer.current.last)
        if must_go_online():
            box.operator("extensions.userpref_allow_online", text="Allow Online Access", icon="INTERNET")
        row = box.row()
        state = read_state(engine_folder())
        row.operator("understudy.install_engine", text="Update Engine" if state else "Install Engine", icon="IMPORT")
        row.operator("understudy.install_engine", text="Repair").repair = True
        row.operator("understudy.remove_engine", icon="TRASH")
        for name in ("device", "backend", "install_python", "wheel_folder"):
            box.prop(self, name)
        box.prop(self, "engine_folder", placeholder=str(engine_folder()))
        for name in ("engine_python", "start_seconds"):
            box.prop(self, name)


def preferences() -> UnderstudyPreferences:
    """The extension's preferences."""
    addon: Any = bpy.context.preferences.addons[base_package]
    return addon.preferences


def must_go_online() -> bool:
    """Whether installing the engine needs a network that Blender may not use yet."""
    return not bpy.app.online_access and not preferences().wheel_folder


def engine_python() -> Path:
    """The engine's interpreter. Raises EngineMissing with a sentence that says what to do."""
    for where, name in (
        (rpt_("the preferences"), preferences().engine_python),
        (ENVIRONMENT_VARIABLE, os.environ.get(ENVIRONMENT_VARIABLE, "")),
    ):
        if name:
            path = Path(bpy.path.abspath(name))
            if path.is_file():
                return path
            raise EngineMissing(
                rpt_("The engine's Python {path}, named in {where}, is not there; correct the path.").format(
                    path=path, where=where
                )
            )
    path, state = interpreter(engine_folder()), read_state(engine_folder())
    if state.get("state") == "incomplete":
        raise EngineNotInstalled("The engine's installation was not finished; press Install Engine to go on with it.")
    if path.is_file():
        return path
    raise EngineNotInstalled(
        "The engine is not installed; press Install Engine, or name its Python in the preferences."
    )


def older_engine() -> str:
    """The version of the engine that Install Engine made, if it is in use and the extension brings another; else empty."""
    state, own = read_state(engine_folder()), package()
    if own is None or state.get("state") != "complete" or state.get("version") == package_version(own):
        return ""
    try:
        in_use = engine_python() == interpreter(engine_folder())
    except EngineMissing:
        return ""
    return state.get("version", "") if in_use else ""


def engine_folder() -> Path:
    """Where the engine's environment is made: outside the extension's folder, which goes when it is uninstalled, and
    outside the Blender version's, whose next version is to share it."""
    named = preferences().engine_folder
    return Path(bpy.path.abspath(named)) if named else _shared_folder() / "engine"


def style_folder() -> Path:
    """Where saved styles are kept, one folder each; beside the engine's."""
    named = preferences().style_folder
    return Path(bpy.path.abspath(named)) if named else _shared_folder() / "styles"


def sequence_folder() -> Path:
    """Where learned sequences are kept, one folder each; beside the styles'."""
    named = preferences().sequence_folder
    return Path(bpy.path.abspath(named)) if named else _shared_folder() / "sequences"


def _shared_folder() -> Path:
    user = Path(bpy.utils.user_resource("DATAFILES")).parent
    return (user.parent if re.fullmatch(r"\d+\.\d+", user.name) else user) / "understudy"


def register() -> None:
    bpy.utils.register_class(UnderstudyPreferences)


def unregister() -> None:
    bpy.utils.unregister_class(UnderstudyPreferences)
