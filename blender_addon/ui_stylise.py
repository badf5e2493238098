"""The panels of Stylise: the shot's steps and the look in the 3D View's sidebar, keys in the Image Editor's. Draws, and
nothing else."""

from __future__ import annotations

from typing import Any

import bpy

from .history import Entry, entries, thumbnail
from .properties import SHOT, default_folder, job_folder
from .protocol import Shot
from .shot import ShotState, look
from .styles import icon_of, names
from .ui import Sidebar
from .ui_lines import sentence
from .ui_presets import VIEW3D_PT_understudy_look_presets, VIEW3D_PT_understudy_stylise_presets
from .words import iface_

SHOWN = 5  # runs of the history
PLACES = (("SEQUENCER", "Strip"), ("CAMERA", "View"), ("COMPOSITOR", "Node"), ("MATERIAL", "Texture"))


def numbers(frames: tuple[int, ...]) -> str:
    """Frames as an artist writes them: 1, 12, 24; a long list is cut."""
    shown = ", ".join(map(str, frames[:6]))
    return iface_("{frames} and {count} more").format(frames=shown, count=len(frames) - 6) if len(frames) > 6 else shown


def extent(shot: Shot) -> str:
    """Which frames, of what size."""
    return iface_("Frames {start}–{end}, {width} × {height}").format(
        start=shot.frame_start, end=shot.frame_end, width=shot.width, height=shot.height
    )


def stand(scene: Any) -> ShotState:
    """How far the scene's shot has come."""
    folder = job_folder(scene)
    return look(folder) if folder else ShotState(None)


class ShotSteps:
    """The steps of a shot, in every editor."""

    bl_label = "Stylise"
    layout: Any

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        """Blender's preset menu."""
        VIEW3D_PT_understudy_stylise_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """The four steps, in the order of work."""
        layout = self.layout
        scene: Any = context.scene
        layout.use_property_split = True
        layout.use_property_decorate = False
        if scene.get(SHOT) is not None:
            layout.label(text=iface_("This is the result of {name}").format(name=scene[SHOT].name), icon="SEQUENCE")
            layout.operator("understudy.back_to_shot", icon="LOOP_BACK")
            return
        if job_folder(scene) is None:
            layout.label(text="Save the file to begin", icon="INFO")
        state = stand(scene)
        self._draw_capture(scene.understudy, state)
        self._draw_keys(state, context.region.width)
        self._draw_training(scene.understudy, state)
        self._draw_result(state)

    def _step(self, done: bool, status: str, icon: Any = "") -> bpy.types.UILayout:
        column = self.layout.column()
        column.label(text=status, icon=icon or ("CHECKMARK" if done else "RADIOBUT_OFF"))
        return column

    def _draw_capture(self, settings: Any, state: ShotState) -> None:
        shot = state.shot
        column = self._step(shot is not None, extent(shot) if shot else "Not captured")
        column.prop(settings, "job_folder", placeholder=default_folder(settings.id_data))
        column.prop(settings, "source")
        column.operator("understudy.capture", icon="RENDER_ANIMATION")

    def _draw_keys(self, state: ShotState, width: int) -> None:
        painted = iface_("Painted: {frames}").format(frames=numbers(state.keys))
        column = self._step(bool(state.keys), painted if state.keys else "No frame painted")
        if state.suggestion is not None:
            text = iface_("The keys cover {covered:.0%} of what the shot shows").format(
                covered=state.suggestion.covered
            )
            if state.suggestion.frame is not None:
                text += iface_("; paint frame {frame}").format(frame=state.suggestion.frame)
            sentence(column, text, "INFO", width)
        row = column.row(align=True)
        row.operator("understudy.paint_key", icon="BRUSH_DATA")
        row.operator("understudy.paint_key", text="", icon="SELECT_SUBTRACT").transparent = True
        row.operator("understudy.remove_key", text="", icon="REMOVE")
        column.operator("understudy.suggest_key", icon="VIEWZOOM")

    def _draw_training(self, settings: Any, state: ShotState) -> None:
        saved = settings.style and settings.style_use == "PAINT"
        if saved:
            text = iface_("Painted with the style '{style}'").format(style=settings.style)
            column = self._step(settings.style in names(), text)
        elif state.outdated:
            column = self._step(False, "Trained before the last change", icon="ERROR")
        else:
            column = self._step(state.trained, "Style trained" if state.trained else "No style trained")
        column.prop(settings, "training_seconds")
        column.prop(settings, "seed")
        row = column.row(align=True)
        row.operator("understudy.train_style", icon="MOD_LINEART")
        if state.trained:
            row.operator("understudy.train_style", text="Go On").resume = True
        if state.earlier:
            row.operator("understudy.earlier_style", text="", icon="LOOP_BACK")

    def _draw_result(self, state: ShotState) -> None:
        total, finished = len(state.shot.frames) if state.shot else 0, len(state.results)
        text = iface_("{finished} of {total} frames").format(finished=finished, total=total)
        column = self._step(0 < total == finished, text if finished else "No frame stylised")
        column.operator("understudy.stylise", icon="SHADERFX")
        if finished:
            row = column.row(align=True)
            for place, text in PLACES:  # without icons: four words fit into the sidebar's first width
                row.operator("understudy.show_result", text=text).place = place


class VIEW3D_PT_understudy_stylise(Sidebar, ShotSteps, bpy.types.Panel):
    """A shot, from the captured frames to the painted ones"""

    bl_parent_id = "VIEW3D_PT_understudy"
    bl_order = 1


class LookControls:
    """How the painted frames are to be, in every editor."""

    bl_label = "Look"
    bl_translation_context = "Understudy"
    bl_options = {"DEFAULT_CLOSED"}
    layout: Any

    def draw_header_preset(self, _context: bpy.types.Context) -> None:
        """Blender's preset menu."""
        VIEW3D_PT_understudy_look_presets.draw_panel_header(self.layout)

    def draw(self, context: bpy.types.Context) -> None:
        """What Stylise is asked for."""
        layout, settings = self.layout, context.scene.understudy
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        for name in ("strength", "light", "texture"):
            column.prop(settings, name, slider=True)
        column = layout.column()
        column.prop(settings, "painted_objects")
        if settings.painted_objects == "COLLECTION":
            column.prop(settings, "painted_collection")
        column.prop(settings, "keep_background")
        column.prop(settings, "keep_alpha")
        column.prop(settings, "depth")


class VIEW3D_PT_understudy_look(Sidebar, LookControls, bpy.types.Panel):
    """How the painted frames are to be"""

    bl_parent_id = "VIEW3D_PT_understudy_stylise"


class VIEW3D_PT_understudy_styles(Sidebar, bpy.types.Panel):
    """Styles that outlive the shot they were trained on"""

    bl_label = "Saved Styles"
    bl_parent_id = "VIEW3D_PT_understudy_stylise"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The one that is chosen, and what it is used for."""
        layout, settings = self.layout, context.scene.understudy
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        if settings.style and settings.style not in names():
            text = iface_("The style '{style}' is not saved here; choose another").format(style=settings.style)
            sentence(column, text, "ERROR", context.region.width)
        if names():
            column.template_icon_view(settings, "style_thumbnail", show_labels=True, scale=5.0, scale_popup=5.0)
            column.label(text=settings.style or "This shot's own style")
        if settings.style:
            column.prop(settings, "style_use")
        row = column.row(align=True)
        row.operator("understudy.save_style", icon="FILE_TICK")
        row.operator("understudy.delete_style", text="", icon="TRASH")


class VIEW3D_PT_understudy_history(Sidebar, bpy.types.Panel):
    """What was stylised before, and with what"""

    bl_label = "History"
    bl_parent_id = "VIEW3D_PT_understudy_stylise"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        """The last runs, the newest first."""
        folder = job_folder(context.scene)
        runs = entries(folder) if folder else ()
        if folder is None or not runs:
            self.layout.label(text="No frame stylised")
            return
        for run in runs[:SHOWN]:
            split = self.layout.box().split(factor=0.3)
            split.template_icon(icon_of(thumbnail(folder, run.number)), scale=3.5)
            column = split.column(align=True)
            column.label(text=run.made, translate=False)
            column.label(
                text=iface_("{frames} frames, {what}").format(frames=run.frames, what=_about(run)), translate=False
            )
            column.operator("understudy.use_again", icon="LOOP_BACK").number = run.number


def _about(run: Entry) -> str:
    """What sets a run apart."""
    if not run.style:
        return iface_("plain")
    named, strength = run.settings.get("style"), float(run.settings.get("strength", 1.0))
    words = [run.style] if run.style == named else [iface_("keys {keys}").format(keys=numbers(run.keys))]
    return ", ".join([*words, f"{strength:.0%}"] if strength < 1 else words)


class IMAGE_PT_understudy_keys(bpy.types.Panel):
    """The image as a painted frame of the shot"""

    bl_label = "Painted Frames"
    bl_space_type = "IMAGE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Understudy"

    def draw(self, context: bpy.types.Context) -> None:
        """The current frame, and what can be done with it and the image."""
        scene, column = context.scene, self.layout.column()
        state = stand(scene)
        frame, painted = scene.frame_current, scene.frame_current in state.keys
        text = iface_("Frame {frame} is painted") if painted else iface_("Frame {frame} is not painted")
        column.label(text=text.format(frame=frame), icon="CHECKMARK" if painted else "RADIOBUT_OFF")
        image: Any = getattr(context, "edit_image", None)
        open_key = image is not None and image.filepath.endswith(f"{frame:04d}.png")
        text = "Save Painting" if open_key and painted else "Use Image as Key"
        column.operator("understudy.use_image_as_key", text=text, icon="KEYFRAME_HLT")
        column.operator("understudy.paint_key", icon="BRUSH_DATA")
        column.operator("understudy.paint_key", text="Paint a Part", icon="SELECT_SUBTRACT").transparent = True
        column.operator("understudy.remove_key", icon="REMOVE")
        column.separator()
        column.operator("understudy.suggest_key", icon="VIEWZOOM")


CLASSES = (
    VIEW3D_PT_understudy_stylise,
    VIEW3D_PT_understudy_look,
    VIEW3D_PT_understudy_styles,
    VIEW3D_PT_understudy_history,
    IMAGE_PT_understudy_keys,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
