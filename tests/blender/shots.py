"""Job folders as a capture leaves them, small and made without rendering. Knows the contract and no operator."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy.job_folder import frame_path, key_path, result_path, write_json
from bl_ext.user_default.understudy.protocol import Shot

SIDE = 16


def write_picture(path: Path, colour: tuple[float, float, float]) -> None:
    """A PNG of one colour, sRGB values from 0 to 1."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = bpy.data.images.new("picture", SIDE, SIDE)
    image.pixels.foreach_set(np.tile(np.float32([*colour, 1.0]), SIDE * SIDE))
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def write_shot(folder: Path, start: int = 1, end: int = 4) -> Path:
    """A captured shot of grey frames."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "shot.json", Shot(start, end, SIDE, SIDE, 24.0, [], []))
    for frame in range(start, end + 1):
        write_picture(frame_path(folder, frame), (0.5, 0.5, 0.5))
    return folder


def write_key(folder: Path, frame: int) -> Path:
    """A painted key: red."""
    write_picture(key_path(folder, frame), (1.0, 0.0, 0.0))
    return key_path(folder, frame)


def write_style(folder: Path) -> None:
    """What a training leaves, as far as the add-on looks at it."""
    (folder / "style").mkdir(exist_ok=True)
    (folder / "style" / "generator.safetensors").write_bytes(b"weights")


def write_results(folder: Path, frames: range) -> None:
    """Finished frames, each of a grey of its own: frame / 10."""
    for frame in frames:
        write_picture(result_path(folder, frame), (frame / 10,) * 3)


def add_camera() -> bpy.types.Object:
    """The scene's active camera."""
    scene = bpy.context.scene
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    return scene.camera


def refusal(operator: object, **settings: object) -> str:
    """What the operator says when it will not."""
    with pytest.raises(RuntimeError) as caught:
        operator(**settings)  # type: ignore[operator]
    return str(caught.value)
