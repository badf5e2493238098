"""A picture sequence as one array, and its continuation as files. Pictures are worked on premultiplied by alpha, so that what is
transparent lends no colour, and in tones that the eye spaces evenly: PNG as it is stored, in sRGB; EXR, which is light, through
a curve. It knows folders of numbered pictures and a shot's id guide, no networks."""

from __future__ import annotations

import hashlib
from collections.abc import Generator as Steps
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import frames, job_folder
from engine.generate import layers
from engine.pictures import DEPTHS, find_picture, picture_size, read_picture, to_linear, write_picture
from engine.progress import Update
from engine.protocol import JobError

CURVE = 1 / 2.4  # of light into tones
MAX_PIXELS = 300 * 1024 * 512  # of all pictures together, so that memory stays bounded
SMALLEST = 16  # pixels of the shorter side


@dataclass(frozen=True)
class Sequence:
    """Consecutive pictures. numbers: their frame numbers. pictures: (T, 4, H, W) float16, tones premultiplied by alpha; where
    objects were chosen, these alone, on nothing. linear: whether they are of light. depth: of the files. opaque: whether no
    picture has any transparency. digest: short name of all that was read. rest: (T, H, W, 4) float16, the tones of all but the
    objects, None where none were chosen. shown: (T, H, W) bool, where nothing but that rest is seen."""

    numbers: list[int]
    pictures: Tensor
    linear: bool
    depth: str
    opaque: bool
    digest: str
    rest: np.ndarray | None = field(default=None, repr=False)
    shown: np.ndarray | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.numbers)


def list_frames(folder: Path) -> list[int]:
    """Numbers of the pictures in a folder, in order."""
    stems = {path.stem for path in folder.iterdir() if path.suffix in (".png", ".exr")}
    return sorted(int(stem) for stem in stems if stem.isdecimal())


def read_sequence(folder: Path, objects: list[int]) -> Steps[Update, bool | None, Sequence]:
    """The pictures in frames/ of a job folder. Raises JobError."""
    numbers = list_frames(folder / "frames")
    paths = [_expect(folder / "frames", number) for number in numbers]
    size = _common_size(paths)
    digest = hashlib.sha256(repr((size, sorted(objects))).encode())
    pictures = torch.empty(len(paths), 4, size[1], size[0], dtype=torch.float16)
    rest = np.empty((len(paths), size[1], size[0], 4), np.float16) if objects else None
    shown = np.empty((len(paths), size[1], size[0]), bool) if objects else None
    depth, linear, opaque = "8", any(path.suffix == ".exr" for path in paths), True
    for i, path in enumerate(paths):
        digest.update(path.read_bytes())
        picture, own = read_picture(path)
        depth = max(depth, own, key=DEPTHS.index)
        opaque = opaque and bool((picture[..., 3] >= 1).all())
        tones = to_tones(picture, own == "EXR", linear)
        if rest is not None and shown is not None:
            rest[i], shown[i] = tones, layers.surely_behind(_mask(folder, numbers[i], objects))
        pictures[i] = torch.from_numpy(np.ascontiguousarray(tones.transpose(2, 0, 1)))
        yield Update(0.0, f"Reading frame {numbers[i]}")
    if rest is not None and shown is not None:
        for i, number in enumerate(numbers):
            behind = layers.plate(rest, shown, i)
            alone = layers.take_off(rest[i], _mask(folder, number, objects), behind)
            pictures[i] = torch.from_numpy(np.ascontiguousarray(alone.transpose(2, 0, 1)))
            yield Update(0.0, f"Taking the objects off frame {number}")
    return Sequence(numbers, pictures, linear, depth, opaque, digest.hexdigest()[:12], rest, shown)


def _expect(folder: Path, number: int) -> Path:
    path = find_picture(folder, number)
    if path is None:
        raise JobError(
            f"The picture of frame {number} in {folder} is not named as frames are; name it {number:04d}.png."
        )
    return path


def _common_size(paths: list[Path]) -> tuple[int, int]:
    """Width and height of all pictures. Raises JobError where they differ, are tiny or too much to hold."""
    sizes = [picture_size(path) for path in paths]
    for path, size in zip(paths, sizes, strict=True):
        if size != sizes[0]:
            raise JobError(
                f"{path.name} is {size[0]} x {size[1]} and {paths[0].name} {sizes[0][0]} x {sizes[0][1]} pixels; "
                "give all pictures one size."
            )
    if min(sizes[0]) < SMALLEST:
        raise JobError(
            f"Pictures of {sizes[0][0]} x {sizes[0][1]} pixels are too small to learn from; give larger ones."
        )
    if len(paths) * sizes[0][0] * sizes[0][1] > MAX_PIXELS:
        raise JobError(
            f"{len(paths)} pictures of {sizes[0][0]} x {sizes[0][1]} pixels are too much to hold in memory; "
            "give fewer or smaller ones."
        )
    return sizes[0]


def _mask(folder: Path, number: int, objects: list[int]) -> np.ndarray:
    """(H, W) bool: whether a pixel shows one of the objects. Raises JobError."""
    shot = job_folder.read_shot(folder)
    ids = frames.read_guides(folder, shot, number, ["id"])["id"][..., 0]
    return np.isin(np.rint(ids), objects)


# --- tones -----------------------------------------------------------------------------------------------------------


def to_tones(picture: np.ndarray, is_light: bool, linear: bool) -> np.ndarray:
    """(H, W, 4) tones premultiplied by alpha, of a picture of engine.pictures. is_light: it is of an EXR. linear: whether the
    tones are of light, through the curve, or those of a PNG."""
    if not is_light and not linear:
        return np.dstack([picture[..., :3] * picture[..., 3:], picture[..., 3:]])
    light = picture[..., :3] if is_light else to_linear(picture[..., :3]) * picture[..., 3:]
    return np.dstack([_curve(light), np.clip(picture[..., 3:], 0, 1)])


def to_picture(tones: np.ndarray, linear: bool, depth: str) -> np.ndarray:
    """A picture as engine.pictures writes it at that depth, of (H, W, 4) tones premultiplied by alpha."""
    alpha = np.clip(tones[..., 3:], 0, 1)
    colour = tones[..., :3]
    if linear:
        light = _uncurve(colour)
        if depth == "EXR":
            return np.dstack([light, alpha])
        return np.dstack([_to_srgb(light / np.maximum(alpha, 1e-4)), alpha])
    straight = np.clip(colour / np.maximum(alpha, 1e-4), 0, 1)
    if depth == "EXR":
        return np.dstack([to_linear(straight) * alpha, alpha])
    return np.dstack([straight, alpha])


def _curve(light: np.ndarray) -> np.ndarray:
    """Light as tones: a power up to 1, a logarithm beyond, with one slope where they meet."""
    low = np.clip(light, 0, 1) ** CURVE
    return np.where(light > 1, 1 + CURVE * np.log(np.maximum(light, 1)), low).astype(np.float32)


def _uncurve(tones: np.ndarray) -> np.ndarray:
    low = np.clip(tones, 0, 1) ** (1 / CURVE)
    return np.where(tones > 1, np.exp((np.minimum(tones, 8) - 1) / CURVE), low).astype(np.float32)


def _to_srgb(light: np.ndarray) -> np.ndarray:
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055).astype(np.float32)


# --- results ---------------------------------------------------------------------------------------------------------


def as_preview(tones: Tensor, linear: bool) -> np.ndarray:
    """(H, W, 3) uint8 sRGB of (4, H, W) tones, over black."""
    array = tones.detach().float().cpu().numpy().transpose(1, 2, 0)
    if linear:
        array = _to_srgb(_uncurve(array))
    return np.rint(np.clip(array[..., :3], 0, 1) * 255).astype(np.uint8)


def over_rest(tones: np.ndarray, sequence: Sequence, i: int) -> np.ndarray:
    """(H, W, 4) tones of objects that were chosen, laid over all else as it is in the i-th picture."""
    assert sequence.rest is not None and sequence.shown is not None
    behind = layers.plate(sequence.rest, sequence.shown, i)
    return np.asarray(tones + behind * (1 - np.clip(tones[..., 3:], 0, 1)))


def write_frame(path: Path, tones: Tensor, sequence: Sequence, i: int, depth: str, about: dict[str, str]) -> None:
    """A finished frame of (4, H, W) tones. i: the picture of the sequence whose rest it is laid over, where objects were
    chosen."""
    array = tones.detach().float().cpu().numpy().transpose(1, 2, 0)
    if sequence.rest is not None and sequence.shown is not None:
        ever: np.ndarray = np.logical_not(sequence.shown).max(axis=0)
        array = over_rest(array * ever[..., None], sequence, i)  # where no object ever was, nothing changes
    if sequence.opaque:
        array = np.dstack([array[..., :3], np.ones_like(array[..., :1])])
    write_picture(path, to_picture(array, sequence.linear, depth), depth, about)
