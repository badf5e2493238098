"""Finished frames into Blender: a strip in the Video Sequencer, a background of the camera, an image in the compositor or in a
material.

What is made here is marked, and only what is marked is replaced. The strip of a render goes into a scene of its own: in the
shot's it would take the place of the render, and the view transform would be applied to it a second time. The strip of
footage goes where the footage is, above it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from . import compat
from .footage import strip_files
from .job_folder import FOOTAGE
from .properties import SHOT
from .shot import look, result_files

MARK = "understudy_made"  # custom property of strips and nodes


def show_in_sequencer(scene: bpy.types.Scene, folder: Path, frames: tuple[int, ...]) -> bpy.types.Scene:
    """An image strip of the finished frames; returns the scene it is in."""
    shot = look(folder).shot
    footage = shot is not None and shot.source == FOOTAGE
    edit, name = (scene, folder.name) if footage else (edit_scene(scene), scene.name)
    place_strip(edit, f"{name} stylised", result_files(folder, frames), frames[0], above=footage)
    return edit


def place_strip(edit: Any, name: str, files: list[Path], start: int, above: bool = False, channel: int = 1) -> Any:
    """An image strip of these files, in the lowest free channel from `channel` up, or `above` all that lies in its time.

    The strip made before of files in the same folder is replaced, or read again where it holds the same: it may have
    been moved, trimmed or given effects.
    """
    _refresh(files[0].parent)
    editor = edit.sequence_editor_create()
    strips = compat.sequencer_strips(editor)
    channel = _top_channel(editor, start, start + len(files)) if above else channel
    for strip in [s for s in strips if s.get(MARK) and s.type == "IMAGE"]:
        before = strip_files(strip)
        if before == files:
            strip.directory = strip.directory  # Blender lets go of the old pictures
            return strip
        if before[0].parent == files[0].parent:
            channel = strip.channel
            strips.remove(strip)
    channel = _free_channel(editor, channel, start, start + len(files))
    strip = strips.new_image(name, stored(files[0]), channel, start)
    for path in files[1:]:
        strip.elements.append(path.name)
    strip[MARK] = True
    return strip


def edit_scene(scene: bpy.types.Scene) -> bpy.types.Scene:
    """The scene that holds this shot's strip: found by its mark, or made."""
    edit = next((s for s in bpy.data.scenes if s.get(SHOT) == scene), None)
    if edit is None:
        edit = bpy.data.scenes.new(f"{scene.name} Stylised")
        edit[SHOT] = scene
        edit.view_settings.view_transform = "Standard"  # the frames have had the shot's own
        for name in ("resolution_x", "resolution_y", "resolution_percentage", "fps", "fps_base"):
            setattr(edit.render, name, getattr(scene.render, name))
        edit.frame_start, edit.frame_end = scene.frame_start, scene.frame_end
        edit.frame_current = scene.frame_current
    return edit


def _top_channel(editor: bpy.types.SequenceEditor, start: int, end: int) -> int:
    """The channel above everything in frames start to end (exclusive)."""
    spans = [(strip.channel, *compat.strip_span(strip)) for strip in compat.sequencer_strips(editor)]
    return 1 + max((c for c, first, last in spans if first < end and start < last), default=0)


def _free_channel(editor: bpy.types.SequenceEditor, channel: int, start: int, end: int) -> int:
    """The first channel from `channel` up with nothing in frames start to end (exclusive)."""
    spans = [(strip.channel, *compat.strip_span(strip)) for strip in compat.sequencer_strips(editor)]
    while any(c == channel and first < end and start < last for c, first, last in spans):
        channel += 1
    return channel


def show_behind_camera(scene: bpy.types.Scene, folder: Path, frames: tuple[int, ...]) -> None:
    """The finished frames in front of the camera's view, in step with the timeline."""
    camera = scene.camera.data if scene.camera else None
    if camera is None or camera.library is not None:  # nowhere to put it; the strip is there
        return
    image = _image_sequence(folder, frames)
    background = next((b for b in camera.background_images if b.image == image), None)
    if background is None:
        background = camera.background_images.new()
        background.image = image
        background.frame_method = "FIT"
        background.display_depth = "FRONT"
        background.alpha = 1.0
        camera.show_background_images = True
    _play(background.image_user, frames)


def show_in_compositor(scene: bpy.types.Scene, folder: Path, frames: tuple[int, ...]) -> None:
    """An image node of the finished frames in the scene's compositing tree, for the artist to connect."""
    tree = compat.compositor_tree(scene)
    node: Any = next((n for n in tree.nodes if n.get(MARK)), None)
    if node is None:
        node = tree.nodes.new("CompositorNodeImage")
        node[MARK] = True
        node.label = "Understudy"
        node.location = (-300, 400)
    node.image = _image_sequence(folder, frames)
    node.frame_duration, node.frame_start, node.frame_offset = frames[-1] - frames[0] + 1, frames[0], frames[0] - 1
    node.use_auto_refresh = True


def show_in_material(material: bpy.types.Material, folder: Path, frames: tuple[int, ...]) -> None:
    """An image texture node of the finished frames in the material's nodes, for the artist to connect."""
    tree = compat.material_tree(material)
    node: Any = next((n for n in tree.nodes if n.get(MARK)), None)
    if node is None:
        node = tree.nodes.new("ShaderNodeTexImage")
        node[MARK] = True
        node.label = "Understudy"
        node.location = (-600, 300)
    node.image = _image_sequence(folder, frames)
    _play(node.image_user, frames)


def _play(user: bpy.types.ImageUser, frames: tuple[int, ...]) -> None:
    """Show file N at frame N."""
    user.frame_start, user.frame_offset = frames[0], frames[0] - 1
    user.frame_duration = frames[-1] - frames[0] + 1
    user.use_auto_refresh = True


def _image_sequence(folder: Path, frames: tuple[int, ...]) -> bpy.types.Image:
    """The one image of this folder's finished frames."""
    first = result_files(folder, frames)[0]
    image = next((i for i in bpy.data.images if i.source == "SEQUENCE" and absolute(i).parent == first.parent), None)
    if image is None:
        image = bpy.data.images.load(stored(first))
        image.source = "SEQUENCE"
        image.name = f"{folder.name} stylised" if folder.parent.name != "takes" else folder.name
        image.use_view_as_render = False  # the frames have had their view transform
    image.filepath = stored(first)
    image.colorspace_settings.name = "Linear Rec.709" if first.suffix == ".exr" else "sRGB"
    image.reload()
    return image


def absolute(image: bpy.types.Image) -> Path:
    """Where an image's file is."""
    return Path(bpy.path.abspath(image.filepath, library=image.library))


def stored(path: Path) -> str:
    """A path as the Blender file keeps it: relative to the file where that is possible, so that both can be moved."""
    if not bpy.data.filepath:
        return str(path)
    try:
        return bpy.path.relpath(str(path))
    except ValueError:  # another drive
        return str(path)


def _refresh(folder: Path) -> None:
    """Pictures of this folder that Blender holds in memory are read again."""
    for image in bpy.data.images:
        if image.source in {"FILE", "SEQUENCE"} and absolute(image).parent == folder:
            image.reload()
