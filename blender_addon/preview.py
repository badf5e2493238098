"""The picture that a job shows while it runs, as an image in Blender. Knows images and editors, no job and no engine.

The last picture is kept here; the image exists once the artist has asked for it. It is read from a file among Blender's
temporary ones and is not saved with the Blender file: pixels that are set count as unsaved work, and Blender would ask
what to do with them whenever it is closed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .protocol import Preview

NAME = "Understudy Preview"


class Latest:
    """The last picture that arrived. picture: (height, width, 3) uint8 sRGB, top row first; None before the first."""

    def __init__(self) -> None:
        self.picture: np.ndarray | None = None
        self.frame = 0


latest = Latest()


def receive(message: Preview, payload: bytes) -> None:
    """Keep a picture, and show it if the image is there."""
    picture = np.frombuffer(payload, np.uint8).reshape(message.height, message.width, message.channels)
    latest.picture = picture[..., :3] if message.channels >= 3 else picture[..., :1].repeat(3, -1)
    latest.frame = message.frame
    if NAME in bpy.data.images:
        image()


def image() -> bpy.types.Image:
    """The image with the last picture in it, made if there is none. A picture must have arrived."""
    assert latest.picture is not None
    path = Path(bpy.app.tempdir) / "understudy_preview.tga"
    _write_tga(path, latest.picture)
    found = bpy.data.images.get(NAME)
    if found is None:
        found = bpy.data.images.load(str(path))
        found.name, found.is_runtime_data = NAME, True
    else:
        found.filepath = str(path)
        found.reload()
    for area in (area for window in bpy.context.window_manager.windows for area in window.screen.areas):
        if area.type == "IMAGE_EDITOR":
            area.tag_redraw()
    return found


def _write_tga(path: Path, picture: np.ndarray) -> None:
    """The simplest picture file that Blender reads, for it is written several times a minute."""
    height, width, _ = picture.shape
    head = bytes((0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, width & 255, width >> 8, height & 255, height >> 8, 24, 0x20))
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(head + picture[..., ::-1].tobytes())
    os.replace(partial, path)


def editors(painting: bool = True) -> list[Any]:
    """The spaces of all open Image Editors; without those in which one paints if not `painting`."""
    areas = (area for window in bpy.context.window_manager.windows for area in window.screen.areas)
    spaces: list[Any] = [area.spaces.active for area in areas if area.ui_type == "IMAGE_EDITOR"]
    return [space for space in spaces if painting or space.ui_mode != "PAINT"]


def show(shown: bpy.types.Image) -> bool:
    """Show an image in an open Image Editor, one that shows Understudy's pictures already if there is one; False where
    none is open but those in which one paints."""
    free = editors(painting=False)
    free.sort(key=lambda space: space.image is None or not space.image.name.startswith("Understudy"))
    if free:
        free[0].image = shown
    return bool(free)


def open_editor(context: bpy.types.Context, shown: bpy.types.Image, paint: bool = False) -> None:
    """Split the area in which the button was pressed, so that one can work on beside the picture. paint: with the brush and its
    colour at hand."""
    space = _split(context, "IMAGE_EDITOR")
    space.image = shown
    space.show_region_ui = False
    if paint:
        space.ui_mode, space.show_region_tool_header, space.show_region_toolbar = "PAINT", True, True
    window, screen = context.window, context.screen.name
    bpy.app.timers.register(lambda: _fit(window, screen, shown), first_interval=0.1)  # once the editor has its size


def open_sequencer(context: bpy.types.Context) -> None:
    """See to it that a Video Sequencer with a picture is on the screen."""
    if any(area.type == "SEQUENCE_EDITOR" for area in context.screen.areas) or context.area is None:
        return
    space = _split(context, "SEQUENCE_EDITOR")
    space.view_type = "SEQUENCER_PREVIEW"
    window, screen = context.window, context.screen.name
    bpy.app.timers.register(lambda: _fit_strips(window, screen), first_interval=0.1)


def _split(context: bpy.types.Context, kind: str) -> Any:
    """Half of the area in which the button was pressed becomes this editor: its space."""
    area, areas = context.area, context.screen.areas
    bpy.ops.screen.area_split(direction="VERTICAL" if area.width > area.height else "HORIZONTAL", factor=0.5)
    new = areas[-1]
    new.ui_type = kind
    return new.spaces.active


def _fit_strips(window: bpy.types.Window | None, screen: str) -> None:
    """All strips and the whole picture, in the Video Sequencers of a screen."""
    if window is None or window not in list(bpy.context.window_manager.windows) or window.screen.name != screen:
        return
    for area in (area for area in window.screen.areas if area.type == "SEQUENCE_EDITOR"):
        for region in area.regions:
            with bpy.context.temp_override(window=window, area=area, region=region):
                if region.type == "WINDOW":
                    bpy.ops.sequencer.view_all()
                elif region.type == "PREVIEW":
                    bpy.ops.sequencer.view_all_preview()


def _fit(window: bpy.types.Window | None, screen: str, shown: bpy.types.Image) -> None:
    """The whole picture, in the editors of a screen that show it."""
    if window is None or window not in list(bpy.context.window_manager.windows) or window.screen.name != screen:
        return
    for area in window.screen.areas:
        space: Any = area.spaces.active
        region = next(region for region in area.regions if region.type == "WINDOW")
        if area.ui_type == "IMAGE_EDITOR" and space.image == shown:
            with bpy.context.temp_override(window=window, area=area, region=region):
                bpy.ops.image.view_all(fit_view=True)


@bpy.app.handlers.persistent
def _load_pre(_path: str) -> None:
    latest.picture = None  # it is of the file that goes


def register() -> None:
    bpy.app.handlers.load_pre.append(_load_pre)


def unregister() -> None:
    bpy.app.handlers.load_pre.remove(_load_pre)
