"""More of a picture sequence: continued, looped, varied, slowed down, or its motion given to a still. The result is a strip
of the Video Sequencer, after or above what it was made from, which is left as it is.

`execute` blocks; `invoke` collects the pictures between the window's events, then the engine works while the artist does.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from .. import compat, outcome, sequence_library
from ..footage import FootageError, unreadable
from ..generate import (
    LABELS,
    MOVIES,
    PictureSource,
    collect,
    folder_source,
    image_source,
    keep_take,
    movie_source,
    only_frame,
    shot_source,
    strip_source,
)
from ..generate_settings import HOWS
from ..job_folder import write_job
from ..jobs import manager
from ..preferences import preferences
from ..protocol import Finished, Generate, LearnSequence
from ..sequences import edit_scene, place_strip, stored
from ..styles import StyleError
from ..words import n_, rpt_, said
from .combine import captured_objects
from .footage import ReadingOperator, active_strip
from .job import OperatorError, allowed, make_folder, no_shot_folder, shot_folder
from .keys import captured_shot, not_captured
from .library import save_learned
from .stepped import Operator

SOURCES = (
    ("STRIP", "Strip", "A movie or image strip of the Video Sequencer: the active one, or the one that is named"),
    ("FILES", "Files", "A folder of numbered pictures, one picture, or a movie"),
    ("SHOT", "Shot", "The captured shot of the scene, or its footage"),
)
NO_MOTION = n_("Choose the learned sequence whose motion the picture is to have; Save keeps one")
EDITORS = {"SEQUENCE_EDITOR": "STRIP", "IMAGE_EDITOR": "FILES", "VIEW_3D": "SHOT"}


def _why_not(context: bpy.types.Context) -> str:
    """Why the editor that is looked at shows no sequence; empty if it does, or for scripts, which name one."""
    source, why_not = source_of(context), no_shot_folder(context)
    if why_not:
        return why_not
    if manager.running is not None:
        return "A job is running: wait for it, or cancel it"
    if source == "SHOT":
        return not_captured(context)
    if source == "FILES" and image_path(context) is None:
        return "Open a picture that is saved as a file, or an image sequence, in this editor"
    return unreadable(active_strip(context), gaps=True) if source == "STRIP" else ""


def source_of(context: bpy.types.Context) -> str:
    """Where pictures come from in the editor that is looked at, empty for scripts, which say it themselves."""
    return EDITORS.get(context.area.type, "") if context.area else ""


def image_path(context: bpy.types.Context) -> Path | None:
    """The file of the Image Editor's image, None where it has none of its own or holds changes that the file lacks."""
    image: Any = getattr(context, "edit_image", None)
    if image is None or image.source not in ("FILE", "SEQUENCE", "MOVIE") or image.packed_file or image.is_dirty:
        return None
    return Path(bpy.path.abspath(image.filepath, library=image.library))


def named_strip(context: bpy.types.Context, name: str) -> Any:
    """A strip by its name, the active one without. Raises OperatorError."""
    if not name:
        return active_strip(context)
    editor = compat.sequencer_scene(context).sequence_editor
    strip = next((strip for strip in compat.all_strips(editor) if strip.name == name), None) if editor else None
    if strip is None:
        raise OperatorError(rpt_("There is no strip '{name}' in the Video Sequencer.").format(name=name))
    return strip


class SourceOperator(Operator):
    """Mixin of an operator on a picture sequence: that of the editor that is looked at, or one that a script names."""

    source: EnumProperty(name="Source", description="Where the pictures come from", items=SOURCES)
    strip: StringProperty(name="Strip", description="Name of the strip. Empty: the active one", options={"SKIP_SAVE"})
    path: StringProperty(
        name="Files",
        description="A folder of numbered pictures, one of them, or a movie. Empty: what the Image Editor shows",
        subtype="FILE_PATH",
        options={"SKIP_SAVE"} | compat.RELATIVE_PATH,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, _why_not(context))

    def named(self, context: bpy.types.Context, only: int | None = None) -> PictureSource:
        """What is meant. only: its picture of this frame alone, or its first. Raises OperatorError or FootageError."""
        kind = self.source if self.properties.is_property_set("source") else source_of(context)
        if self.path or kind == "FILES":
            return self._files(context, only)
        folder = shot_folder(context)
        if kind == "SHOT":
            return only_frame(shot_source(context.scene.name, folder, captured_shot(context)), only)
        strip = named_strip(context, self.strip)
        if why_not := unreadable(strip, gaps=True):
            raise OperatorError(why_not + ".")
        return only_frame(strip_source(compat.sequencer_scene(context), strip, folder), only)

    def _files(self, context: bpy.types.Context, only: int | None) -> PictureSource:
        path = Path(bpy.path.abspath(self.path)) if self.path else image_path(context)
        if path is None:
            raise OperatorError("Choose a folder of numbered pictures, a picture or a movie.")
        scene, folder = compat.sequencer_scene(context), shot_folder(context)
        if path.suffix.lower() in MOVIES:
            if only is not None:
                raise OperatorError("Animate moves a picture: put the movie into the Video Sequencer, and go to one.")
            return movie_source(scene, path, folder)
        if only is not None and not path.is_dir():
            return image_source(scene, path, folder, only)
        return only_frame(folder_source(scene, path, folder), only)


class SequenceOperator(SourceOperator, ReadingOperator):
    """Mixin of a job on a picture sequence, which is first collected in a job folder of its own."""

    takes_enough = True

    def start_reading(self, context: bpy.types.Context) -> Generator[tuple[int, int], None, Any]:
        """The pictures, into a job folder of their own."""
        self._from = self.find_source(context)
        self._edit = compat.sequencer_scene(context).name
        self.job_at = self._from.folder
        make_folder(self.job_at)
        return collect(self._from)

    def find_source(self, context: bpy.types.Context, still: bool = False, gaps: bool = False) -> PictureSource:
        """What is meant. still: one picture, of a sequence the current frame. gaps: frames may be missing. Raises
        OperatorError or FootageError."""
        source = self.named(context, context.scene.frame_current if still else None)
        frames = source.frames
        if len(frames) < 2 and not still:
            raise OperatorError(
                rpt_(
                    "'{name}' is a single picture, and motion is learned from several; Animate moves a single one."
                ).format(name=source.name)
            )
        missing = [] if gaps else sorted(set(range(frames[0], frames[-1])) - set(frames))
        if missing:
            raise OperatorError(
                rpt_("Frame {frame} of '{name}' is missing: make it with Between first, or find its file.").format(
                    frame=missing[0], name=source.name
                )
            )
        return source

    def asked(self, settings: Any, name: str) -> Any:
        """A property of the operator where it was given, else the scene's."""
        return getattr(self if self.properties.is_property_set(name) else settings, name)

    def objects(self, context: bpy.types.Context) -> list[int]:
        """Ids of the objects that are meant, empty for the whole picture. Raises OperatorError."""
        collection = context.scene.understudy_generate.collection
        return captured_objects(context, collection) if collection and self._from.shot else []


class UNDERSTUDY_OT_generate(SequenceOperator, bpy.types.Operator):
    """Make more of a picture sequence, such as smoke, water or the boiling line of a drawing. It is learned first, once, which
    takes a few minutes. The frames come as a strip of their own; what they are made from is left as it is"""

    bl_idname = "understudy.generate"
    bl_label = "Generate"
    bl_options: Any = {"UNDO"}

    how: EnumProperty(
        name="Make",
        translation_context="Understudy",
        description="What is made. Not set: as the scene says",
        items=HOWS,
    )
    count: IntProperty(name="Frames", description="Not set: as the scene says", default=24, min=2)
    slow: IntProperty(name="Times Slower", description="Not set: as the scene says", default=2, min=1, max=64)
    variation: FloatProperty(name="Variation", description="Not set: as the scene says", default=0.5, min=0.0, max=1.0)
    seed: IntProperty(name="Seed", description="Not set: as the scene says", min=0)
    seconds: FloatProperty(name="Learn For", description="Not set: as the scene says", default=240.0, min=0.1)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        settings = context.scene.understudy_generate
        if source_of(context) and settings.how == "ANIMATE" and not settings.sequence:
            return allowed(cls, NO_MOTION)
        return allowed(cls, _why_not(context))

    def find_source(self, context: bpy.types.Context, still: bool = False, gaps: bool = False) -> PictureSource:
        """A still to animate, a sequence with gaps to fill, or a whole sequence."""
        how = self.asked(context.scene.understudy_generate, "how")
        return super().find_source(context, still=how == "ANIMATE", gaps=how == "BETWEEN")

    def prepare(self, context: bpy.types.Context) -> Path:
        """A generate job."""
        settings, shared = context.scene.understudy_generate, context.scene.understudy
        how = self.asked(settings, "how")
        light = any(path.suffix == ".exr" for path in (self.job_at / "frames").iterdir())
        self._job_settings = Generate(
            how,
            count=self.asked(settings, "count"),
            slow=self._slow(settings),
            learned=self._motion(settings.sequence) if how == "ANIMATE" else "",
            seconds=self.asked(settings, "seconds"),
            objects=self.objects(context),
            variation=self.asked(settings, "variation"),
            depth="EXR" if light else shared.depth,
            seed=self.asked(shared, "seed"),
            device=preferences().device,
        )
        write_job(self.job_at, self._job_settings)
        return self.job_at

    def _slow(self, settings: Any) -> int:
        """How many times slower: where frames are missing they alone are made, unless more is asked for."""
        frames = self._from.frames
        fill_in = len(frames) < frames[-1] - frames[0] + 1 and not self.properties.is_property_set("slow")
        return 1 if fill_in else int(self.asked(settings, "slow"))

    def _motion(self, name: str) -> str:
        """The folder of the saved sequence whose motion a picture is given. Raises OperatorError."""
        if not name:
            raise OperatorError(NO_MOTION + ".")
        try:
            return str(sequence_library.find(name))
        except StyleError as error:
            raise OperatorError(str(error)) from error

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """The result as a strip."""
        if not finished.results:
            raise OperatorError("The engine left no frame; see its log and generate again.")
        try:
            files = keep_take(folder, self._job_settings.how, finished.results)
        except OSError as error:
            raise OperatorError(
                rpt_("The frames in {folder} could not be put in place ({why}); mend that and generate again.").format(
                    folder=folder / "result", why=error.strerror
                )
            ) from error
        take = files[0].parents[1]
        context.scene.understudy_generate.take = stored(take)
        outcome.wrote(take)
        outcome.made([int(path.stem) for path in files])
        edit = self._edit_scene(context)
        strip = self._place(edit, files)
        self.report(
            {"INFO"},
            rpt_("Made {count} frames, see the strip '{strip}' in channel {channel} of the scene '{scene}'.").format(
                count=len(files), strip=strip.name, channel=strip.channel, scene=edit.name
            ),
        )

    def _edit_scene(self, context: bpy.types.Context) -> bpy.types.Scene:
        scene: Any = context.scene
        if self._from.rendered:
            return edit_scene(scene)
        return bpy.data.scenes.get(self._edit) or compat.sequencer_scene(context)

    def _place(self, edit: bpy.types.Scene, files: list[Path]) -> Any:
        """After the source, in its channel if that is free; everything else above it. Where the source is in the picture."""
        how, name = self._job_settings.how, f"{self._from.name} {LABELS[self._job_settings.how]}"
        editor = edit.sequence_editor_create()
        source = next((s for s in compat.sequencer_strips(editor) if s.name == self._from.name), None)
        channel = source.channel if source else 1
        made = place_strip(edit, name, files, int(files[0].stem), above=how != "CONTINUE", channel=channel)
        if source is not None and hasattr(source, "transform"):
            made.blend_type = source.blend_type
            for name in ("offset_x", "offset_y", "scale_x", "scale_y", "rotation", "origin"):
                setattr(made.transform, name, getattr(source.transform, name))
        return made


class UNDERSTUDY_OT_learn_sequence(SequenceOperator, bpy.types.Operator):
    """Learn a picture sequence, its looks and its motion, so that Generate need not. Once it is saved under a name, its motion
    can be given to a picture elsewhere"""

    bl_idname = "understudy.learn_sequence"
    bl_label = "Learn"
    bl_options: Any = {"UNDO"}

    seed: IntProperty(name="Seed", description="Not set: as the scene says", min=0)
    seconds: FloatProperty(name="Learn For", description="Not set: as the scene says", default=240.0, min=0.0)
    steps: IntProperty(name="Steps", description="Stop after so many steps of training; 0: when the time is up", min=0)
    resume: BoolProperty(
        name="Go On", description="Start from what was learned before, not from nothing", options={"SKIP_SAVE"}
    )
    name: StringProperty(name="Name", description="Save it under this name. Empty: do not", options={"SKIP_SAVE"})

    def prepare(self, context: bpy.types.Context) -> Path:
        """A learn_sequence job."""
        settings = context.scene.understudy_generate
        job = LearnSequence(
            seconds=self.asked(settings, "seconds"),
            steps=self.steps,
            resume=self.resume,
            objects=self.objects(context),
            seed=self.asked(context.scene.understudy, "seed"),
            device=preferences().device,
        )
        write_job(self.job_at, job)
        return self.job_at

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """It lies in the job folder, and among the saved ones if it was given a name."""
        if not self.name:
            self.report({"INFO"}, "The sequence is learned; press Generate, or save it to animate a picture elsewhere.")
            return
        saved = save_learned(folder, self.name)
        self.report({"INFO"}, rpt_("Saved as {folder}.").format(folder=saved))


class UNDERSTUDY_OT_save_sequence(SourceOperator, bpy.types.Operator):
    """Save what was learned of this sequence under a name, to give its motion to a picture, here or in other files"""

    bl_idname = "understudy.save_sequence"
    bl_label = "Save"

    name: StringProperty(name="Name", description="A name that no saved sequence has yet", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask for the name."""
        try:
            self.name = self.name or self.named(context).name
        except (OperatorError, FootageError) as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        return set(context.window_manager.invoke_props_dialog(self))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy the files."""
        try:
            saved = save_learned(self.named(context).folder, self.name)
        except (OperatorError, FootageError) as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        context.scene.understudy_generate.sequence = saved.name
        self.report({"INFO"}, rpt_("Saved as {folder}.").format(folder=saved))
        return {"FINISHED"}


CLASSES = (UNDERSTUDY_OT_generate, UNDERSTUDY_OT_learn_sequence, UNDERSTUDY_OT_save_sequence)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
