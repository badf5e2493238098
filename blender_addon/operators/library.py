"""What was learned of a picture sequence, saved under a name or deleted; and the last frames that were made, shown in other
places than the Video Sequencer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import EnumProperty, StringProperty

from .. import outcome, sequence_library
from ..preferences import sequence_folder
from ..shot import numbered, result_suffix
from ..styles import StyleError
from ..words import rpt_, said
from .job import OperatorError, allowed
from .results import NODES, PlaceOperator


def save_learned(folder: Path, name: str) -> Path:
    """Save what was learned in a job folder. Raises OperatorError."""
    try:
        saved = sequence_library.save(folder, name)
    except StyleError as error:
        raise OperatorError(str(error)) from error
    except OSError as error:
        raise OperatorError(
            rpt_(
                "The learned sequence could not be saved in {folder} ({why}); make room or choose another folder."
            ).format(folder=sequence_folder(), why=error.strerror or type(error).__name__)
        ) from error
    outcome.wrote(saved)
    return saved


class UNDERSTUDY_OT_delete_sequence(bpy.types.Operator):
    """Delete the learned sequence that is chosen, with its files. Frames that were made with it stay"""

    bl_idname = "understudy.delete_sequence"
    bl_label = "Delete Learned Sequence"

    name: StringProperty(
        name="Name", description="Empty: the learned sequence that this scene has chosen", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        return allowed(cls, "" if sequence_library.names() else "No learned sequence is saved yet")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask, for there is no way back."""
        self.name = self.name or context.scene.understudy_generate.sequence
        if not self.name:
            return self.execute(context)
        asked = context.window_manager.invoke_confirm(
            self,
            event,
            title=rpt_("Delete the learned sequence '{name}' for good?").format(name=self.name),
            message=str(sequence_folder() / self.name),
        )
        return set(asked)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Delete it; the scene has chosen none then."""
        settings: Any = context.scene.understudy_generate
        name = self.name or settings.sequence
        try:
            if not name:
                raise StyleError("Choose the learned sequence to delete first.")
            sequence_library.delete(name)
        except StyleError as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        if settings.sequence == name:
            settings.sequence = ""
        self.report({"INFO"}, rpt_("The learned sequence '{name}' is deleted.").format(name=name))
        return {"FINISHED"}


def last_take(context: bpy.types.Context) -> tuple[Path, tuple[int, ...]]:
    """The folder of the frames that were made last in this scene, and their numbers, none where there are none any more."""
    named = context.scene.understudy_generate.take
    folder = Path(bpy.path.abspath(named)) if named else Path()
    return folder, numbered(folder / "result", result_suffix(folder)) if named else ()


class UNDERSTUDY_OT_show_take(PlaceOperator, bpy.types.Operator):
    """Show the frames that were made last"""

    bl_idname = "understudy.show_take"
    bl_label = "Show Take"
    bl_options: Any = {"UNDO"}

    place: EnumProperty(name="Place", description="Where the frames are shown", items=NODES)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = "" if last_take(context)[1] else "No frame is generated yet: press Generate first"
        return allowed(cls, why_not)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Make it or bring it up to date."""
        return self.show_in_nodes(context, *last_take(context))


CLASSES = (UNDERSTUDY_OT_delete_sequence, UNDERSTUDY_OT_show_take)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
