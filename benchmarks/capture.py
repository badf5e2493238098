"""How long a capture's guides take, against Blender alone rendering the same passes.

    .envs/blender-4.2/bin/python -m benchmarks.capture [FRAMES] [SIDE] [ROUNDS]

Alone means: one animation render each of the geometry passes, of those that edges are told from, and of the albedo pass, with
the same settings and files and nothing around them. Both in turns, medians of the rounds in seconds of the clock and of the
processor. Runs in a Blender module's Python; knows the capture and no engine.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import bpy

import blender_addon  # noqa: F401

capturing = sys.modules["blender_addon.capture"]  # the package's name for it is the operators' module
context: Any = bpy.context


def build(frames: int, side: int) -> None:
    """Nine turning monkeys, smooth, before a moving camera."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = context.scene
    scene.frame_end, scene.render.resolution_x, scene.render.resolution_y = frames, side, side
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    scene.camera.rotation_euler.x = 1.3
    for frame, x in ((1, -1), (frames, 1)):
        scene.camera.location = (x, -14, 5)
        scene.camera.keyframe_insert("location", frame=frame)
    bpy.ops.mesh.primitive_plane_add(size=60)
    for i in range(9):
        bpy.ops.mesh.primitive_monkey_add(location=(i % 3 * 3 - 3, i // 3 * 3 - 3, 1))
        monkey = context.object
        monkey.modifiers.new("Smooth", "SUBSURF").render_levels = 1
        for frame, angle in ((1, 0), (frames, 3)):
            monkey.rotation_euler.z = angle
            monkey.keyframe_insert("rotation_euler", frame=frame)
        monkey.data.materials.append(bpy.data.materials.new("Clay"))


def alone(folder: Path) -> None:
    """Blender's own animation renders of the guides' passes."""
    scene, view_layer = context.scene, context.view_layer
    for settings in (capturing._geometry_settings, capturing._edges_settings, capturing._albedo_settings):
        with ExitStack() as changes:
            settings(changes, scene, view_layer)
            scene.render.filepath = str(folder / settings.__name__)
            bpy.ops.render.render(animation=True)


def captured(folder: Path) -> None:
    """The capture, stopped before its last sweep: the frames are the artist's own render."""
    scene = context.scene
    params = capturing.CaptureParams(scene.name, context.view_layer.name, folder, 1, scene.frame_end)
    steps = capturing.capture(params)
    for done, total in steps:
        if done == total * 3 // 4:
            break
    steps.close()


def timed(work: Callable[[Path], None]) -> tuple[float, float]:
    """Seconds of the clock and of the processor, without what Blender prints."""
    sys.stdout.flush()
    terminal, silence = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    clock, processor = time.perf_counter(), time.process_time()
    try:
        with tempfile.TemporaryDirectory() as folder:
            work(Path(folder))
        return time.perf_counter() - clock, time.process_time() - processor
    finally:
        os.dup2(terminal, 1)
        os.close(silence)
        os.close(terminal)


def main(frames: int = 48, side: int = 512, rounds: int = 3) -> None:
    """Print both and their ratio."""
    build(2, side)
    timed(alone)  # what is loaded once
    build(frames, side)
    pairs = [(timed(alone), timed(captured)) for _ in range(rounds)]
    for name, which in (("clock", 0), ("processor", 1)):
        theirs, ours = (statistics.median(pair[who][which] for pair in pairs) for who in (0, 1))
        print(
            f"Blender {bpy.app.version_string}, {name}: alone {theirs:.1f} s, capture {ours:.1f} s, x {ours / theirs:.2f}"
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
    sys.stdout.flush()
    os._exit(0)
