"""Two picture sequences put together: a cross-fade, a mask, or by what object a pixel shows. It knows folders of numbered
pictures and, for objects, a shot's id guide; neither styles nor Blender.

Pictures are mixed premultiplied by alpha, so that what is transparent lends no colour: those of PNG as they are stored, in sRGB,
as the Video Sequencer does; as soon as one is EXR, in linear light. The result has the depth of the deeper of the two.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Generator as Steps
from pathlib import Path

import cv2
import numpy as np

from engine import frames, job_folder, protocol
from engine.pictures import DEPTHS, find_picture, picture_size, read_about, read_picture, to_linear, write_picture
from engine.progress import Outcome, Update
from engine.protocol import JobError, Shot

SOFTWARE = "Understudy"


class _Sources:
    """The files that a frame is made of: first, second, and the mask or the guide."""

    def __init__(self, folder: Path, settings: protocol.Combine) -> None:
        self.settings = settings
        self.first, self.second = folder / settings.first, folder / settings.second
        self.mask = folder / settings.mask if settings.how == "MASK" else None
        self.shot_folder = folder / settings.shot
        self.shot: Shot | None = job_folder.read_shot(self.shot_folder) if settings.how == "OBJECTS" else None

    def files(self, frame: int) -> list[Path]:
        """All files of a frame. Raises JobError where one is missing or of another size."""
        found = [_expect(where, frame) for where in (self.first, self.second, self.mask) if where]
        sizes = [picture_size(path) for path in found] + ([(self.shot.width, self.shot.height)] if self.shot else [])
        for path, size in zip([*found[1:], self.shot_folder], sizes[1:], strict=False):
            if size != sizes[0]:
                raise JobError(
                    f"{path} is {size[0]} x {size[1]} and {found[0]} {sizes[0][0]} x {sizes[0][1]} pixels; "
                    "give both sequences, and the mask, the same size."
                )
        return found + ([job_folder.geometry_path(self.shot_folder, frame)] if self.shot else [])

    def share(self, frame: int) -> np.ndarray:
        """(H, W, 1) float32, or (1, 1, 1): how much of the second is seen, 0 to 1."""
        settings = self.settings
        if settings.how == "CROSS_FADE":
            length = settings.frame_end - settings.frame_start
            return np.full((1, 1, 1), (frame - settings.frame_start) / length if length else 1.0, np.float32)
        if self.shot:
            ids = frames.read_guides(self.shot_folder, self.shot, frame, ["id"])["id"][..., 0]
            mask = np.isin(np.rint(ids), settings.objects).astype(np.float32)
        else:
            assert self.mask is not None
            picture, _ = read_picture(_expect(self.mask, frame))
            mask = np.clip(picture[..., :3].mean(-1) * picture[..., 3], 0, 1)
        side = 2 * round(settings.feather / 2) + 1
        return cv2.blur(mask, (side, side), borderType=cv2.BORDER_REPLICATE)[..., None]


def _expect(folder: Path, frame: int) -> Path:
    """The picture of a frame. Raises JobError."""
    path = find_picture(folder, frame)
    if path is None:
        raise JobError(f"Frame {frame} is missing in {folder}; choose frames that all sequences have.")
    return path


def mix(first: tuple[np.ndarray, str], second: tuple[np.ndarray, str], share: np.ndarray) -> tuple[np.ndarray, str]:
    """Two pictures of engine.pictures, with their depths, as one; share: (H, W, 1), how much of the second."""
    depth = max(first[1], second[1], key=DEPTHS.index)
    one, other = (_premultiplied(picture, own, depth == "EXR") for picture, own in (first, second))
    mixed = one * (1 - share) + other * share
    if depth != "EXR":
        mixed[..., :3] /= np.maximum(mixed[..., 3:], 1e-6)
    return mixed, depth


def _premultiplied(picture: np.ndarray, depth: str, linear: bool) -> np.ndarray:
    if depth == "EXR":
        return picture
    colour = to_linear(picture[..., :3]) if linear else picture[..., :3]
    return np.dstack([colour * picture[..., 3:], picture[..., 3:]])


def combine(folder: Path, settings: protocol.Combine) -> Steps[Update, bool | None, Outcome]:
    """Make the frames asked for in result/. Raises JobError."""
    sources = _Sources(folder, settings)
    wanted = range(settings.frame_start, settings.frame_end + 1)
    made, foreign, results = 0, [], []
    for frame in wanted:  # what is missing is said before any time is spent
        sources.files(frame)
    for i, frame in enumerate(wanted):
        about = _about(sources, frame)
        path = find_picture(folder / "result", frame)
        found = read_about(path) if path else {}
        if path and not settings.overwrite and not found.get("Software", "").startswith(SOFTWARE):
            foreign.append(frame)
        elif path is None or settings.overwrite or found | about != found:
            first, second = (read_picture(_expect(where, frame)) for where in (sources.first, sources.second))
            picture, depth = mix(first, second, sources.share(frame))
            path = folder / "result" / f"{frame:04d}{'.exr' if depth == 'EXR' else '.png'}"
            write_picture(path, picture, depth, about)
            made += 1
        assert path is not None
        results.append(f"result/{path.name}")
        yield Update((i + 1) / len(wanted), f"Frame {frame} combined")
    listed = ", ".join(str(frame) for frame in foreign[:8])
    notes = [f"Kept what is not Understudy's own in result/ (frames {listed}); move it away first."] if foreign else []
    return Outcome(results, notes, {"made": made, "kept": len(wanted) - made})


def _about(sources: _Sources, frame: int) -> dict[str, str]:
    """What a finished frame says of itself: from which files, how."""
    settings, digest = sources.settings, hashlib.sha256()
    for path in sources.files(frame):
        digest.update(path.read_bytes())
    how = f"{settings.how} frames {settings.frame_start} to {settings.frame_end} feather {settings.feather:g}"
    return {
        "Software": f"{SOFTWARE} {importlib.metadata.version('understudy')}",
        "Understudy combine": how + (f" objects {sorted(settings.objects)}" if settings.objects else ""),
        "Understudy sources": digest.hexdigest()[:12],
        "Understudy frame": str(frame),
    }
