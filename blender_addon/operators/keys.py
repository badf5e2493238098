"""Painted keys: open a frame for painting, take any image of Blender as a key, put a key aside, find the next one to paint.

A key is a file `keys/NNNN.png` in the shot's folder. None is ever deleted: what is replaced or removed goes to `keys/unused`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from bpy.props import BoolProperty, StringProperty

from .. import compat, preview
from ..job_folder import frame_path, key_path, write_job
from ..protocol import Finished, Shot, SuggestKey
from ..sequences import absolute
from ..shot import coverage_path, look, suggestion
from ..words import n_, rpt_, said, tip_
from .job import JobOperator, OperatorError, allowed, make_folder, no_shot_folder, shot_folder

UNUSED = "unused"
NO_STILLS = {"MOVIE": n_("a movie"), "SEQUENCE": n_("a sequence"), "TILED": n_("tiled")}


def not_captured(context: bpy.types.Context) -> str:
    """Why there is no capture to work on; empty if there is one."""
    why_not = no_shot_folder(context)
    return why_not or ("" if look(shot_folder(context)).shot else "Nothing is captured yet: capture the shot first")


def captured_shot(context: bpy.types.Context) -> Shot:
    """The captured shot. Raises OperatorError."""
    if why_not := not_captured(context):
        raise OperatorError(why_not + ".")
    shot = look(shot_folder(context)).shot
    assert shot is not None
    return shot


def is_unsaved(path: Path) -> bool:
    """Whether this picture is open in Blender and painted on since it was saved."""
    return any(image.is_dirty and absolute(image) == path for image in bpy.data.images)


def save_painting(path: Path) -> bool:
    """Save a key that is open in Blender and painted on, as Save Painting does; whether there was one. Raises OperatorError."""
    for image in bpy.data.images:
        if image.is_dirty and absolute(image) == path:
            try:
                image.save()
            except RuntimeError as error:
                raise OperatorError(
                    rpt_(
                        "The painting {path} could not be saved ({why}); make room and save it in the Image Editor."
                    ).format(path=path, why=str(error).strip())
                ) from error
            image.reload()  # until then Blender shows black where alpha is 0
            return True
    return False


def frame_not_captured(context: bpy.types.Context) -> str:
    """Why the current frame cannot be a key; empty if it can."""
    why_not = not_captured(context)
    if not why_not and not frame_path(shot_folder(context), context.scene.frame_current).is_file():
        why_not = "This frame is not captured: go to one that is, or capture the shot again"
    return why_not


# --- files -----------------------------------------------------------------------------------------------------------


def write_new(target: Path, write: Any) -> None:
    """Let `write(path)` make a file, unless the target is there; whole or not at all. Raises OperatorError."""
    if target.exists():
        return
    partial = target.with_name(f"{target.stem}.partial{target.suffix}")
    try:
        write(partial)
        os.replace(partial, target)
    except (OSError, RuntimeError) as error:  # RuntimeError: how Blender tells that it could not save
        partial.unlink(missing_ok=True)
        why = getattr(error, "strerror", None) or str(error).strip()
        raise OperatorError(
            rpt_("{target} could not be written ({why}); make room or choose another folder.").format(
                target=target, why=why
            )
        ) from error


def put_aside(key: Path) -> Path:
    """Move a key to keys/unused, under a name that is free there; returns where it is. Raises OperatorError."""
    folder = key.parent / UNUSED
    make_folder(folder)
    names = (f"{key.stem}{number}{key.suffix}" for number in ("", *(f"-{n}" for n in range(2, 10_000))))
    target = next(folder / name for name in names if not (folder / name).exists())
    try:
        os.replace(key, target)
    except OSError as error:
        raise OperatorError(
            rpt_("{key} could not be moved to {target} ({why}).").format(key=key, target=target, why=error.strerror)
        ) from error
    return target


def write_transparent(frame: Path, path: Path) -> None:
    """The picture with an alpha of 0 all over: what is painted on it counts, and the rest of the colours can still be seen."""
    source: Any = bpy.data.images.load(str(frame))
    width, height = source.size
    layer: Any = bpy.data.images.new(path.stem, width, height, alpha=True)
    try:
        pixels = np.empty(width * height * 4, np.float32)
        source.pixels.foreach_get(pixels)
        pixels[3::4] = 0.0
        layer.pixels.foreach_set(pixels)
        layer.filepath_raw, layer.file_format = str(path), "PNG"
        layer.save()
    finally:
        bpy.data.images.remove(source)
        bpy.data.images.remove(layer)


def write_as_shown(image: bpy.types.Image, scene: bpy.types.Scene, size: tuple[int, int], path: Path) -> None:
    """Save any image as an sRGB PNG of 8 bit with alpha, in the colours in which an Image Editor shows it, scaled to `size`."""
    with _plain_scene(image, scene) as plain:
        image.save_render(str(path), scene=plain)
    if tuple(image.size) != size:
        scaled = bpy.data.images.load(str(path))
        try:
            scaled.scale(*size)
            scaled.save()
        finally:
            bpy.data.images.remove(scaled)


@contextmanager
def _plain_scene(image: bpy.types.Image, scene: bpy.types.Scene) -> Iterator[bpy.types.Scene]:
    """A scene that saves pictures without a view transform of its own, but with `scene`'s where the image asks for it."""
    plain = bpy.data.scenes.new("Understudy")
    try:
        plain.render.dither_intensity = 0.0
        plain.view_settings.view_transform = "Standard"
        for name in ("view_transform", "look", "exposure", "gamma") if image.use_view_as_render else ():
            setattr(plain.view_settings, name, getattr(scene.view_settings, name))
        for name, value in compat.image_format("PNG", "8").items():
            setattr(plain.render.image_settings, name, value)
        yield plain
    finally:
        bpy.data.scenes.remove(plain)


# --- operators -------------------------------------------------------------------------------------------------------


class UNDERSTUDY_OT_paint_key(bpy.types.Operator):
    """Open this frame for painting: a copy of the captured picture, or the key that was painted before"""

    bl_idname = "understudy.paint_key"
    bl_label = "Paint This Frame"

    transparent: BoolProperty(
        name="Transparent",
        description="Begin with a picture that is transparent all over: only what is painted on it counts, the rest of the "
        "frame is left to the other keys. The colours of the frame show through; erase (brush blend Erase Alpha) to take paint "
        "away again. Has no effect on a key that is there already",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        """The tooltip of the button for a part of a frame."""
        part = properties.bl_rna.properties["transparent"].description
        return tip_(part if properties.transparent else cls.__doc__ or "")

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, frame_not_captured(context))

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Copy (never over a painted key), load, and show where an Image Editor is open."""
        folder, frame = shot_folder(context), context.scene.frame_current
        source, key = frame_path(folder, frame), key_path(folder, frame)
        try:
            make_folder(key.parent)
            if self.transparent:
                write_new(key, lambda path: write_transparent(source, path))
            else:
                write_new(key, lambda path: shutil.copyfile(source, path))
        except OperatorError as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        image = bpy.data.images.load(str(key), check_existing=True)
        if not image.is_dirty:
            image.reload()  # it may have been painted in another program
        image.alpha_mode = "CHANNEL_PACKED" if self.transparent else "STRAIGHT"  # packed: colours show at an alpha of 0
        if not preview.editors() and context.area is not None and not bpy.app.background:
            preview.open_editor(context, image, paint=True)
        for editor in preview.editors()[:1]:
            editor.image, editor.ui_mode = image, "PAINT"
            editor.display_channels = "COLOR" if self.transparent else "COLOR_ALPHA"
        self.report(
            {"INFO"}, rpt_("Paint over it, here or elsewhere, then press Train Style ({key}).").format(key=key.name)
        )
        return {"FINISHED"}


class UNDERSTUDY_OT_use_image_as_key(bpy.types.Operator):
    """Make the image that the Image Editor shows a key of this frame, as it is shown: painted in Blender, packed or
    generated, of 8 bit or float. Where it is transparent it counts as unpainted"""

    bl_idname = "understudy.use_image_as_key"
    bl_label = "Use as Key"

    image: StringProperty(
        name="Image", description="Name of the image; empty: the one that the Image Editor shows", options={"SKIP_SAVE"}
    )
    overwrite: BoolProperty(
        name="Replace",
        description="Replace the key that this frame has; the old one is moved to the folder keys/unused",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = frame_not_captured(context)
        if not why_not and getattr(context, "edit_image", True) is None:
            why_not = "The Image Editor shows no image: open the painting"
        return allowed(cls, why_not)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask before a key is replaced."""
        key = key_path(shot_folder(context), context.scene.frame_current)
        image = self._image(context)
        if image is None or not key.exists() or absolute(image) == key:
            return self.execute(context)
        self.overwrite = True
        asked = context.window_manager.invoke_confirm(
            self,
            event,
            title=rpt_("Replace the key of frame {frame}?").format(frame=int(key.stem)),
            message="The painting it has now is moved to keys/unused.",
            confirm_text="Replace",
        )
        return set(asked)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Write the key; the image itself stays as it is."""
        frame = context.scene.frame_current
        try:
            notes = self._take(context, key_path(shot_folder(context), frame))
        except OperatorError as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        self.report({"INFO"}, rpt_("Frame {frame} is a key now{notes}.").format(frame=frame, notes=notes))
        return {"FINISHED"}

    def _image(self, context: bpy.types.Context) -> bpy.types.Image | None:
        return bpy.data.images.get(self.image) if self.image else getattr(context, "edit_image", None)

    def _take(self, context: bpy.types.Context, key: Path) -> str:
        """Write the key; what to say besides. Raises OperatorError."""
        shot, image = captured_shot(context), self._image(context)
        scene: Any = context.scene
        if image is None:
            raise OperatorError("There is no image: open the painting in an Image Editor, or name it.")
        notes = _check_still(image, shot)
        if absolute(image) == key:
            if image.is_dirty:
                image.save()
                image.reload()  # until then Blender shows black where alpha is 0
            return notes
        if key.exists() and not self.overwrite:
            raise OperatorError(
                rpt_("Frame {frame} has a key already; replace it (overwrite) or take another frame.").format(
                    frame=int(key.stem)
                )
            )
        make_folder(key.parent)
        replaced = key.with_name(f"{key.stem}.new.png")
        replaced.unlink(missing_ok=True)
        write_new(replaced, lambda path: write_as_shown(image, scene, (shot.width, shot.height), path))
        if key.exists():
            notes += rpt_(", the one before it is {path}").format(path=put_aside(key))
        os.replace(replaced, key)
        return notes


def _check_still(image: bpy.types.Image, shot: Shot) -> str:
    """That the image can be a key of the shot; what to say of its size. Raises OperatorError."""
    if image.type in {"RENDER_RESULT", "COMPOSITING"}:
        raise OperatorError(
            rpt_("'{image}' changes with every render: save it as an image and open that.").format(image=image.name)
        )
    if image.source in NO_STILLS:
        raise OperatorError(
            rpt_("'{image}' is {kind}: a key is one still image.").format(
                image=image.name, kind=rpt_(NO_STILLS[image.source])
            )
        )
    width, height = image.size
    if not width or not height:
        raise OperatorError(
            rpt_("'{image}' has no pixels: its file is missing; find it, or paint again.").format(image=image.name)
        )
    if abs(width * shot.height - height * shot.width) > max(width, height, shot.width, shot.height):
        raise OperatorError(
            rpt_(
                "'{image}' is {width} x {height} and the shot {shot_width} x {shot_height} pixels: "
                "the proportions differ; crop the image to the shot's."
            ).format(image=image.name, width=width, height=height, shot_width=shot.width, shot_height=shot.height)
        )
    scaled = rpt_(", scaled to {width} x {height}").format(width=shot.width, height=shot.height)
    return "" if (width, height) == (shot.width, shot.height) else scaled


class UNDERSTUDY_OT_remove_key(bpy.types.Operator):
    """This frame is no key any more. Its painting is moved to the folder keys/unused, not deleted"""

    bl_idname = "understudy.remove_key"
    bl_label = "Remove Key"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        why_not = not_captured(context)
        if not why_not and not key_path(shot_folder(context), context.scene.frame_current).is_file():
            why_not = "This frame is not painted: go to one that is"
        return allowed(cls, why_not)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move the file."""
        key = key_path(shot_folder(context), context.scene.frame_current)
        try:
            if is_unsaved(key):
                raise OperatorError("The painting is not saved: save it in the Image Editor (Alt S) first.")
            moved = put_aside(key)
        except OperatorError as error:
            self.report({"ERROR"}, said(str(error)))
            return {"CANCELLED"}
        self.report(
            {"INFO"},
            rpt_("Frame {frame} is no key any more; its painting is {moved}.").format(frame=int(key.stem), moved=moved),
        )
        return {"FINISHED"}


class UNDERSTUDY_OT_suggest_key(JobOperator, bpy.types.Operator):
    """Find the frame that shows most of what no painted frame shows, go there, and show what is not covered yet"""

    bl_idname = "understudy.suggest_key"
    bl_label = "Suggest Next Key"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return allowed(cls, not_captured(context))

    def prepare(self, context: bpy.types.Context) -> Path:
        """A suggest_key job for all keys that there are."""
        folder = shot_folder(context)
        captured_shot(context)
        make_folder(folder)
        write_job(folder, SuggestKey(keys=list(look(folder).keys)))
        return folder

    def apply(self, context: bpy.types.Context, folder: Path, finished: Finished) -> None:
        """Go to the frame, and show its coverage where an Image Editor is open."""
        found = suggestion(folder)
        if found is None:
            raise OperatorError("The engine left no suggestion; see its log and try again.")
        if found.frame is None:
            return  # the engine's own note says that all is covered
        context.scene.frame_set(found.frame)
        picture = coverage_path(folder, found.frame)
        if picture.is_file():
            image = bpy.data.images.load(str(picture), check_existing=True)
            image.reload()
            image.name = f"Understudy Coverage {found.frame}"
            preview.show(image)


CLASSES = (
    UNDERSTUDY_OT_paint_key,
    UNDERSTUDY_OT_use_image_as_key,
    UNDERSTUDY_OT_remove_key,
    UNDERSTUDY_OT_suggest_key,
)

register, unregister = bpy.utils.register_classes_factory(CLASSES)
