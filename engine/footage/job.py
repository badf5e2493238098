"""Track footage: from frames/ alone to the guides of a captured shot, in its files and layout. Surface is what optical flow leads
back to, colour is smoothed for an albedo; what no picture tells (normals, distance) is written flat. It knows job folders and
files; how surface is followed is engine.footage.tracking's.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Generator as Steps
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import OpenEXR

from engine import frames, job_folder, protocol
from engine.footage.kinds import MOST
from engine.footage.tracking import Tracked, Tracker, grid, is_cut, soften
from engine.progress import Outcome, Update
from engine.protocol import Shot, ShotObject

GUIDES = ["depth", "normal", "albedo", "id", "vector", "anchor"]
LAYER = 0.25  # of the picture's width, between two layers of anchors: out of every search's reach
MEDIAN_FRAMES = 25
RESTS_COLOUR = 0.05  # of 1: a colour nearer to the usual one is that of the resting background
RESTS_PIXELS = 0.5  # and it moves by less than this between two frames


@dataclass(frozen=True)
class Part:
    """Frames between two cuts. surface: the id of its first kind of colour, MOST ids are its own. background: the id of what
    rests, None where nothing does. usual: (H, W, 3)
    float32, 0 to 1, the picture without what passes through it."""

    numbers: range
    surface: int
    background: int | None = None
    usual: np.ndarray | None = None

    @property
    def name(self) -> str:
        """As the artist reads it."""
        return f"Frames {self.numbers[0]} to {self.numbers[-1]}"


def track_footage(folder: Path, settings: protocol.TrackFootage) -> Steps[Update, bool | None, Outcome]:
    """Write guides/ and name them in shot.json. Raises JobError."""
    shot = job_folder.read_shot(folder)
    cuts = yield from _find_cuts(folder, shot)
    parts = yield from _parts(folder, shot, cuts, settings.still)
    done, new = 0, 0.0
    for part in parts:
        for frame, tracked, onward in _follow(folder, shot, part):
            picture = frames.read_frame(folder, shot, frame)
            _write_guides(folder, frame, _guides(part, picture, tracked, onward))
            done, new = done + 1, new + tracked.new
            share = 0.2 + 0.8 * done / len(shot.frames)
            yield Update(share, f"Frame {frame} tracked", _look(tracked, picture), frame)
    job_folder.write_json(folder / "shot.json", dataclasses.replace(shot, guides=GUIDES, objects=_objects(shot, parts)))
    notes = [f"The footage is cut at frame {cut}; paint a key on each side of it." for cut in cuts[:8]]
    return Outcome(["shot.json"], notes, {"frames": done, "parts": len(parts), "new": new / done})


def _find_cuts(folder: Path, shot: Shot) -> Steps[Update, bool | None, list[int]]:
    """The frames with which another part begins."""
    cuts, before = [], None
    for i, frame in enumerate(shot.frames):
        picture = frames.read_frame(folder, shot, frame)
        if before is not None and is_cut(before, picture):
            cuts.append(frame)
        before = picture
        yield Update(0.2 * (i + 1) / len(shot.frames), f"Looking for cuts, frame {frame}")
    return cuts


def _parts(folder: Path, shot: Shot, cuts: list[int], still: bool) -> Steps[Update, bool | None, list[Part]]:
    """What lies between the cuts, each with ids of its own."""
    edges = [shot.frame_start, *cuts, shot.frame_end + 1]
    parts = [Part(range(first, last), 1 + i * (MOST + 1)) for i, (first, last) in enumerate(pairwise(edges))]
    for i, part in enumerate(parts if still else []):
        yield Update(0.2, "Looking for what rests")
        count = min(MEDIAN_FRAMES, len(part.numbers))
        chosen = [part.numbers[int(k)] for k in np.linspace(0, len(part.numbers) - 1, count)]
        usual = np.median([frames.read_frame(folder, shot, frame) for frame in chosen], axis=0).astype(np.uint8)
        # Background is told apart by its place on the screen, so a second one needs an id, which 0 is not.
        parts[i] = dataclasses.replace(part, background=i and part.surface + MOST, usual=soften(usual))
    return parts


def _objects(shot: Shot, parts: list[Part]) -> list[ShotObject]:
    """What shot.json says of the ids."""
    size = [1.0, shot.height / shot.width, 1.0]
    whole = len(parts) == 1
    named = [
        ShotObject(part.surface + kind, f"{'Footage' if whole else part.name}, colour {kind + 1}", size)
        for part in parts
        for kind in range(MOST)
    ]
    return named + [ShotObject(part.background, f"{part.name}, resting", size) for part in parts if part.background]


def _follow(folder: Path, shot: Shot, part: Part) -> Iterator[tuple[int, Tracked, np.ndarray]]:
    """Each frame with its anchors and the flow (H, W, 2) to the frame after it, 0 at the end."""
    first = frames.read_frame(folder, shot, part.numbers[0])
    tracker = Tracker(first)
    nothing = np.zeros((*first.shape[:2], 2), np.float32)
    before = Tracked(tracker.anchors, tracker.kinds, nothing, nothing, 1.0)
    for frame in part.numbers[1:]:
        tracked = tracker.step(frames.read_frame(folder, shot, frame))
        yield frame - 1, before, tracked.from_previous
        before = tracked
    yield part.numbers[-1], before, nothing


# --- guides ----------------------------------------------------------------------------------------------------------


def _guides(part: Part, picture: np.ndarray, tracked: Tracked, onward: np.ndarray) -> dict[str, np.ndarray]:
    """What a capture would hold, (H, W, C) float32 each."""
    height, width = picture.shape[:2]
    flat = np.ones((height, width, 1), np.float32)
    scale = np.array([width, height, 1 / LAYER], np.float32)
    anchors, ids = tracked.anchors, part.surface + tracked.kinds.astype(np.float32)
    if part.background is not None:
        motion = np.maximum((tracked.to_previous**2).sum(-1), (onward**2).sum(-1))
        rests = _rests(part, picture, motion)
        ids[rests] = part.background
        anchors = np.where(rests[..., None], np.dstack([grid(height, width), np.zeros_like(ids)]), anchors)
    back = tracked.to_previous
    return {
        "depth": flat,
        "normal": np.dstack([0 * flat, 0 * flat, flat]),
        "vector": np.dstack([back[..., 0], -back[..., 1], -onward[..., 0], onward[..., 1]]),
        "id": ids[..., None],
        "anchor": np.dstack([anchors / scale, flat]),
        "albedo": _albedo(picture),
    }


def _rests(part: Part, picture: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """(H, W) bool: looks as it usually does there, and does not move; motion: (H, W), pixels a frame, squared."""
    assert part.usual is not None
    usual = np.abs(soften(picture) - part.usual).max(-1) < RESTS_COLOUR
    rests = usual & (motion < RESTS_PIXELS**2)
    kernel = np.ones((5, 5), np.uint8)
    closed = cv2.morphologyEx(rests.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel) > 0


def _albedo(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32, linear: the colour without grain and fine shading, its edges kept."""
    smooth = cv2.bilateralFilter(cv2.bilateralFilter(picture, 7, 30, 4), 7, 30, 4)
    return (smooth.astype(np.float32) / 255) ** 2.2


def _look(tracked: Tracked, picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8: the picture under a chequered cloth that must lie still on every surface."""
    squares = np.floor(tracked.anchors[..., :2] / 16).sum(-1) + tracked.anchors[..., 2]
    return np.where((squares % 2 < 1)[..., None], picture, picture // 2 + 64).astype(np.uint8)


def _write_guides(folder: Path, frame: int, guides: dict[str, np.ndarray]) -> None:
    """The two files that a capture writes, of the passes there are."""
    for path, passes in (
        (job_folder.geometry_path(folder, frame), protocol.GEOMETRY_PASSES),
        (job_folder.albedo_path(folder, frame), protocol.ALBEDO_PASSES),
    ):
        planes = {
            f"ViewLayer.{name}.{channel}": np.ascontiguousarray(guides[ours][..., i])
            for ours, (_, name, channels) in passes.items()
            if ours in guides
            for i, channel in enumerate(channels)
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        try:
            header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
            OpenEXR.File(header, planes).write(str(partial))
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
