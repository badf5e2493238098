"""A sequence that frames are made between: its pictures by number, of chosen objects alone where there are any, a few at a time
as far as nothing has to be taken off. It knows a job folder's frames and guides; neither flow nor networks."""

from __future__ import annotations

import hashlib
from collections.abc import Generator as Steps
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from engine import job_folder
from engine.generate.sequence import Sequence, list_frames, over_rest, read_sequence, to_picture, to_tones
from engine.pictures import find_picture, picture_size, read_picture, to_linear, write_picture
from engine.progress import Update
from engine.protocol import JobError, Shot

HELD = 6  # pictures that are kept in memory
SEEN = 1 / 512  # alpha


@dataclass
class Source:
    """The sequence in frames/. numbers: its frames. size: width and height. linear: whether its colours are light. shot: with
    motion vectors, None without. alone: the chosen objects, taken off the rest; None where none were chosen. objects: their
    ids."""

    folder: Path
    numbers: list[int]
    size: tuple[int, int]
    linear: bool
    shot: Shot | None
    alone: Sequence | None = None
    objects: tuple[int, ...] = ()
    _held: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    def path(self, number: int) -> Path:
        """The file of a frame. Raises JobError."""
        path = find_picture(self.folder / "frames", number)
        if path is None:
            raise JobError(f"The picture of frame {number} is not named as frames are; name it {number:04d}.png.")
        return path

    def colours(self, number: int) -> np.ndarray:
        """(H, W, 4) float32, premultiplied: light where the sequence is linear, else sRGB. Raises JobError."""
        if self.alone is not None:
            tones = self.alone.pictures[self.numbers.index(number)].float().numpy().transpose(1, 2, 0)
            return to_picture(tones, True, "EXR") if self.linear else np.ascontiguousarray(tones)
        if number not in self._held:
            picture, depth = read_picture(self.path(number))
            while len(self._held) >= HELD:
                self._held.pop(next(iter(self._held)))
            self._held[number] = _premultiplied(picture, depth == "EXR", self.linear)
        return self._held[number]

    def digest(self, *numbers: int) -> str:
        """Short name of what these files hold."""
        made = hashlib.sha256(repr(self.objects).encode() if self.objects else b"")
        for number in numbers:
            made.update(self.path(number).read_bytes())
        return made.hexdigest()[:12]

    def write(self, path: Path, colours: np.ndarray, frame: int, depth: str, about: dict[str, str]) -> None:
        """A result's frame of (H, W, 4) as `colours` has them; chosen objects over the rest as it was in that frame, after the
        last as it was there."""
        tones = to_tones(colours, True, True) if self.linear else colours
        if self.alone is not None:
            i = max(i for i, number in enumerate(self.numbers) if number <= frame)
            tones = over_rest(tones, self.alone, i)
            tones = np.dstack([tones[..., :3], np.ones_like(tones[..., :1])]) if self.alone.opaque else tones
        write_picture(path, to_picture(tones, self.linear, depth), depth, about)

    def copy(self, path: Path, number: int, depth: str, about: dict[str, str]) -> bool:
        """A given frame as a result, as it is, without a way through tones; False where its depth forbids that."""
        picture, was = read_picture(self.path(number))
        if (was == "EXR") != (depth == "EXR"):
            return False
        write_picture(path, picture, depth, about)
        return True


def open_source(folder: Path, objects: list[int]) -> Steps[Update, bool | None, Source]:
    """The sequence, its sizes checked; of these objects alone, all for none. Raises JobError."""
    numbers = list_frames(folder / "frames")
    if len(numbers) < 2:
        raise JobError("Frames between frames need at least two pictures; add more to the sequence.")
    source = Source(folder, numbers, (0, 0), False, None)
    paths = [source.path(number) for number in numbers]
    size = picture_size(paths[0])
    for path in paths:
        if picture_size(path) != size:
            raise JobError(
                f"{path.name} and {paths[0].name} have different sizes; give all pictures {size[0]} x {size[1]} pixels."
            )
    shot = job_folder.read_shot(folder) if (folder / "shot.json").is_file() else None
    useful = shot is not None and "vector" in shot.guides and (shot.width, shot.height) == size
    alone = (yield from read_sequence(folder, objects)) if objects else None
    if alone is not None and not (alone.pictures[:, 3] > SEEN).any():
        raise JobError("None of the chosen objects is seen in these frames; choose others.")
    linear = any(path.suffix == ".exr" for path in paths)
    return Source(folder, numbers, size, linear, shot if useful else None, alone, tuple(sorted(objects)))


def _premultiplied(picture: np.ndarray, is_light: bool, linear: bool) -> np.ndarray:
    if is_light:
        return picture
    colour = to_linear(picture[..., :3]) if linear else picture[..., :3]
    return np.dstack([colour * picture[..., 3:], picture[..., 3:]]).astype(np.float32)
