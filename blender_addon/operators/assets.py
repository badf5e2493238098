"""Saved styles: save the one that was trained, delete one. And the style before the last training, brought back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import StringProperty

from .. import outcome, styles
from ..jobs import manager
from ..shot import look
from ..styles import StyleError
from ..words import rpt_
from .job import allowed, shot_folder
from .keys import not_captured


class UNDERSTUDY_OT_save_style(bpy.types.Operator):
    """Save the trained style under a name, to use it in other shots: its weights and the painted frames they come from"""

    bl_idname = "understudy.save_style"
    bl_label = "Save Style"

    name: StringProperty(name="Name", description="A name that no saved style has yet", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = not_captured(context)
        if not why_not and not look(shot_folder(context)).trained:
            why_not = "No style is trained yet: paint a frame and press Train Style"
        elif not why_not and manager.busy(shot_folder(context)):
            why_not = "A job is running in this shot: wait for it, or cancel it"
        return allowed(cls, why_not)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the name."""
        self.name = self.name or Path(bpy.data.filepath).stem or context.scene.name
        return set(context.window_manager.invoke_props_dialog(self))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy the files."""
        try:
            folder = styles.save(shot_folder(context), self.name)
        except (StyleError, OSError) as error:
            self.report({"ERROR"}, _sentence(error))
            return {"CANCELLED"}
        self.report({"INFO"}, rpt_("Saved as {folder}.").format(folder=folder))
        outcome.wrote(folder)
        return {"FINISHED"}


class UNDERSTUDY_OT_delete_style(bpy.types.Operator):
    """Delete the saved style that is chosen, with its files. Shots that were painted with it keep their frames"""

    bl_idname = "understudy.delete_style"
    bl_label = "Delete Style"

    name: StringProperty(name="Name", description="Empty: the style that this scene has chosen", options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return allowed(cls, "" if styles.names() else "No style is saved yet")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask, for there is no way back."""
        self.name = self.name or context.scene.understudy.style
        if not self.name:
            return self.execute(context)
        asked = context.window_manager.invoke_confirm(
            self,
            event,
            title=rpt_("Delete the style '{name}' for good?").format(name=self.name),
            message=str(styles.style_folder() / self.name),
        )
        return set(asked)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Delete it; the scene has no style then."""
        settings: Any = context.scene.understudy
        name = self.name or settings.style
        try:
            if not name:
                raise StyleError("Choose the saved style to delete first.")
            styles.delete(name)
        except StyleError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if settings.style == name:
            settings.style = ""
        self.report({"INFO"}, rpt_("The style '{name}' is deleted.").format(name=name))
        return {"FINISHED"}


class UNDERSTUDY_OT_earlier_style(bpy.types.Operator):
    """Bring back the style as it was before the last training from nothing. The last one is kept: press again to return to it"""

    bl_idname = "understudy.earlier_style"
    bl_label = "Earlier Style"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = not_captured(context)
        if not why_not and not look(shot_folder(context)).earlier:
            why_not = "No style was trained before this one"
        elif not why_not and manager.busy(shot_folder(context)):
            why_not = "A job is running in this shot: wait for it, or cancel it"
        return allowed(cls, why_not)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Let the two change places."""
        folder = shot_folder(context)
        try:
            styles.swap_earlier(folder)
        except OSError as error:
            self.report(
                {"ERROR"},
                rpt_("The styles in {folder} could not be moved ({why}); look there.").format(
                    folder=folder, why=error.strerror
                ),
            )
            return {"CANCELLED"}
        self.report({"INFO"}, "The earlier style is back; press Stylise to paint with it.")
        return {"FINISHED"}


def _sentence(error: Exception) -> str:
    if isinstance(error, StyleError):
        return str(error)
    why = getattr(error, "strerror", None) or type(error).__name__
    return rpt_("The style could not be saved in {folder} ({why}); make room or choose another folder.").format(
        folder=styles.style_folder(), why=why
    )


CLASSES = (UNDERSTUDY_OT_save_style, UNDERSTUDY_OT_delete_style, UNDERSTUDY_OT_earlier_style)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
