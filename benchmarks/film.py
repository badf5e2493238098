"""Makes a small H.264 movie of numbered pictures with Blender's Video Sequencer; run by a Python that has Blender as a module.

BLENDER_PYTHON benchmarks/film.py FOLDER TARGET.mp4 FRAMES_A_SECOND
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy


def make(folder: Path, target: Path, fps: int) -> None:
    """All PNGs of `folder`, in order of their names."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    files = sorted(folder.glob("*.png"))
    editor = scene.sequence_editor_create()
    strips = editor.strips if hasattr(editor, "strips") else editor.sequences
    strip = strips.new_image("film", str(files[0]), channel=1, frame_start=1)
    for path in files[1:]:
        strip.elements.append(path.name)
    strip.frame_final_duration = len(files)
    first = bpy.data.images.load(str(files[0]))
    scene.render.resolution_x, scene.render.resolution_y = first.size
    scene.render.resolution_percentage = 100
    scene.frame_start, scene.frame_end = 1, len(files)
    scene.render.fps = fps
    scene.view_settings.view_transform = "Standard"
    image = scene.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    scene.render.ffmpeg.format, scene.render.ffmpeg.codec = "MPEG4", "H264"
    scene.render.ffmpeg.constant_rate_factor = "MEDIUM"
    scene.render.filepath = str(target)
    bpy.ops.render.render(animation=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]).absolute(), int(sys.argv[3]))
