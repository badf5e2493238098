"""The Stylise job without an engine: reads pictures with Blender, lets plain_paint.py work on a thread, and writes the frames
where the engine would. Knows job folders and images, no scene."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from .job_folder import frame_path, key_path, read_job, read_shot, result_path
from .plain_paint import NOTE, SOFTWARE, Key, Surface, cell_sizes, kept, paint_frame, read_surface
from .protocol import Finished, JobError, Shot, Stylise
from .shot import look
from .steps import Step, beside
from .viewport import write_png
from .words import iface_, rpt_


def stylise(folder: Path) -> Generator[Step, None, Finished]:
    """Paint the job's frames, yielding what is done (0 to 1, in words) at least every few hundredths of a second. Frames of the
    engine's and of the artist's own stay unless the job says otherwise. Raises JobError."""
    settings, shot = read_job(folder).settings, read_shot(folder)
    assert isinstance(settings, Stylise)
    wanted = range(settings.frame_start, settings.frame_end + 1)
    todo = [frame for frame in wanted if settings.overwrite or not kept(result_path(folder, frame))]
    if todo:
        worker = ThreadPoolExecutor(1)
        try:
            yield from _paint(worker, folder, shot, settings, todo)
        finally:
            worker.shutdown(wait=False, cancel_futures=True)
    notes = [NOTE] if todo else []
    if len(todo) < len(wanted):
        notes.append(
            rpt_("{count} frames that were not made by plain reprojection were kept.").format(
                count=len(wanted) - len(todo)
            )
        )
    results = [f"result/{result_path(folder, frame).name}" for frame in wanted]
    return Finished("", results, notes, {"painted": len(todo), "kept": len(wanted) - len(todo)})


def _paint(
    worker: ThreadPoolExecutor, folder: Path, shot: Shot, settings: Stylise, todo: list[int]
) -> Generator[Step, None, None]:
    frames, objects = look(folder).keys, max((ob.id for ob in shot.objects), default=0)
    if not frames:
        raise JobError("No frame is painted yet; paint at least one frame and save it in the keys folder.")
    surfaces: list[Surface] = []
    reading = 0.0, iface_("Reading the painted frames")
    for frame in frames:
        surfaces.append((yield from beside(worker, reading, partial(read_surface, folder, shot, frame))))
    unit = yield from beside(worker, reading, partial(cell_sizes, surfaces, objects))
    keys: list[Key] = []
    for frame, surface in zip(frames, surfaces, strict=True):
        paint = read_pixels(key_path(folder, frame), shot.width, shot.height)
        keys.append((yield from beside(worker, reading, partial(Key, frame, surface, paint, unit))))
    for i, frame in enumerate(todo):
        text = iface_("Frame {done} of {total}").format(done=i + 1, total=len(todo))
        render = read_pixels(frame_path(folder, frame), shot.width, shot.height)

        def make_frame(frame: int = frame, render: np.ndarray = render) -> None:
            surface = read_surface(folder, shot, frame)
            picture = paint_frame(frame, surface, render, keys, unit, settings.objects)
            _write(result_path(folder, frame), picture, render, settings)

        yield from beside(worker, (i / len(todo), text), make_frame)


def _write(path: Path, picture: np.ndarray, render: np.ndarray, settings: Stylise) -> None:
    mixed = render[..., :3] + settings.strength * (picture - render[..., :3])
    alpha = render[..., 3:] if settings.keep_alpha else np.ones_like(render[..., 3:])
    path.parent.mkdir(parents=True, exist_ok=True)
    making = path.with_name(path.name + ".partial")
    whole = np.rint(np.clip(np.dstack([mixed, alpha]), 0, 1) * 255).astype(np.uint8)
    try:
        write_png(making, whole, SOFTWARE)
        making.replace(path)
    finally:
        making.unlink(missing_ok=True)


def read_pixels(path: Path, width: int, height: int) -> np.ndarray:
    """A picture of any size as (height, width, 4) float32, 0 to 1, sRGB, top row first. Raises JobError."""
    try:
        image: Any = bpy.data.images.load(str(path))
    except RuntimeError as error:
        raise JobError(f"{path} cannot be read; paint or capture that frame again.") from error
    try:
        image.colorspace_settings.name = "Non-Color"  # as the file has it, 16 bits too
        image.alpha_mode = "CHANNEL_PACKED"
        if tuple(image.size) != (width, height):
            image.scale(width, height)
        pixels = np.empty(width * height * 4, np.float32)
        image.pixels.foreach_get(pixels)
    finally:
        bpy.data.images.remove(image)
    return pixels.reshape(height, width, 4)[::-1]
