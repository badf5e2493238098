"""A frame as a 3D View shows it through the camera, drawn off screen, with or without a window. Knows no job folder."""

from __future__ import annotations

import ctypes
import struct
import sys
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import bpy
import gpu
import numpy as np


class View(NamedTuple):
    """A 3D View and the region that it draws in."""

    space: Any  # SpaceView3D
    region: bpy.types.Region


def can_draw() -> bool:
    """Whether there is a graphics driver: where a Blender without a window finds none, it does not raise but aborts."""
    if not bpy.app.background or sys.platform != "linux":
        return True
    try:
        egl = ctypes.CDLL("libEGL.so.1")
    except OSError:
        return False
    egl.eglGetDisplay.restype = ctypes.c_void_p
    return egl.eglGetDisplay(None) is not None


def find_view(context: bpy.types.Context) -> View | None:
    """The 3D View that was clicked in, else the largest one open, else the largest of any workspace."""
    open_now = [area for window in context.window_manager.windows for area in window.screen.areas]
    everywhere = [area for screen in bpy.data.screens for area in screen.areas]
    for areas in ([area for area in found if area.type == "VIEW_3D"] for found in (open_now, everywhere)):
        if areas:
            area = context.area if context.area in areas else max(areas, key=lambda area: area.width * area.height)
            return View(area.spaces.active, next(region for region in area.regions if region.type == "WINDOW"))
    return None


def draw(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, view: View, width: int, height: int) -> np.ndarray:
    """The scene's present frame, (height, width, 4) uint8 sRGB, top row first."""
    view_layer.update()
    depsgraph: Any = view_layer.depsgraph
    camera = scene.camera.evaluated_get(depsgraph)
    projection = camera.calc_matrix_camera(depsgraph, x=width, y=height)
    offscreen: Any = gpu.types.GPUOffScreen  # the stubs know another one
    screen = offscreen(width, height, format="RGBA8")
    try:
        screen.draw_view3d(
            scene,
            view_layer,
            view.space,
            view.region,
            camera.matrix_world.inverted(),
            projection,
            do_color_management=True,
        )
        with screen.bind():
            framebuffer = gpu.state.active_framebuffer_get()  # type: ignore[attr-defined]
            pixels = framebuffer.read_color(0, 0, width, height, 4, 0, "UBYTE")
    finally:
        screen.free()
    pixels.dimensions = width * height * 4  # the strides of more dimensions are wrong before 5.0
    return np.array(pixels, np.uint8).reshape(height, width, 4)[::-1]


def write_png(path: Path, picture: np.ndarray, software: str = "") -> None:
    """Write (height, width, 4) uint8; Blender's own way passes through floats and is ten times slower. software: what the file
    says made it."""
    height, width, _ = picture.shape
    rows = np.zeros((height, 1 + width * 4), np.uint8)  # each row begins with its filter: 0, none
    rows[:, 1:] = picture.reshape(height, width * 4)
    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)  # 8 bits, RGBA
    about = [(b"tEXt", b"Software\0" + software.encode("latin-1"))] if software else []
    packed = (b"IDAT", zlib.compress(rows.tobytes(), 6))
    chunks = ((b"IHDR", header), (b"sRGB", b"\0"), *about, packed, (b"IEND", b""))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        for name, data in chunks:
            file.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))
