"""Finished frames into Blender: a strip in the Video Sequencer, a background of the camera, an image in the compositor.

What is made here is marked, and only what is marked is replaced. The strip goes into a scene of its own: in the shot's
it would take the place of the render, and the view transform would be applied to it a second time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from . import compat
from .properties import SHOT
from .shot import result_files

MARK = "understudy_made"  # custom property of strips and nodes


def show_in_sequencer(scene: bpy.types.Scene, folder: Path, frames: tuple[int, ...]) -> bpy.types.Scene:
    """An image strip of the finished frames; returns the scene it is in.

    The strip made before is replaced, or read again where it holds the same files: it may have been moved, trimmed or
    given effects.
    """
    _refresh(folder)
    edit = _edit_scene(scene)
    editor = edit.sequence_editor_create()
    strips = compat.sequencer_strips(editor)
    files, channel = result_files(folder, frames), 1
    for strip in [s for s in strips if s.get(MARK)]:
        if [Path(bpy.path.abspath(strip.directory)) / e.filename for e in strip.elements] == files:
            strip.directory = strip.directory  # Blender lets go of the old pictures
            return edit
        channel = strip.channel
        strips.remove(strip)
    channel = _free_channel(editor, channel, frames[0], frames[0] + len(files))
    strip = strips.new_image(f"{scene.name} stylised", stored(files[0]), channel, frames[0])
    for path in files[1:]:
        strip.elements.append(path.name)
    strip[MARK] = True
    return edit


def _edit_scene(scene: bpy.types.Scene) -> bpy.types.Scene:
    """The scene that holds this shot's strip: found by its mark, or made."""
    edit = next((s for s in bpy.data.scenes if s.get(SHOT) == scene), None)
    if edit is None:
        edit = bpy.data.scenes.new(f"{scene.name} Stylised")
        edit[SHOT] = scene
        edit.view_settings.view_transform = "Standard"  # the frames have had the shot's own
        for name in ("resolution_x", "resolution_y", "resolution_percentage", "fps", "fps_base"):
            setattr(edit.render, name, getattr(scene.render, name))
        edit.frame_start, edit.frame_end = scene.frame_start, scene.frame_end
    return edit


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
        image.name = f"{folder.name} stylised"
    image.filepath = stored(first)
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
    """Pictures of these files that Blender holds in memory are read again."""
    for image in bpy.data.images:
        if image.source in {"FILE", "SEQUENCE"} and absolute(image).parent == folder / "result":
            image.reload()
