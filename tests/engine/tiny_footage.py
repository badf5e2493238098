"""Footage by formula: a grained wall that a camera pans over, and a grained ball that rolls before it; with the exact motion of
every pixel and a painted truth. Knows no code of the engine but the contract."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from engine import job_folder
from engine.protocol import Shot

HEIGHT, WIDTH = 72, 96
FRAMES = range(1, 13)


@dataclass(frozen=True)
class Truth:
    """A frame. picture, paint: (H, W, 3) uint8. ball: (H, W) bool. to_previous: (H, W, 2), pixels, y down."""

    picture: np.ndarray
    paint: np.ndarray
    ball: np.ndarray
    to_previous: np.ndarray


def _grain(seed: int, colour: tuple[float, float, float], sharp: bool) -> np.ndarray:
    """A texture (240, 320, 3), soft for the camera, in hard strokes for the painting."""
    noise = np.random.default_rng(seed).normal(size=(240, 320))
    soft = gaussian_filter(noise, 1.2) * 3.6 + gaussian_filter(noise, 4) * 8
    amount = 0.18 * np.sign(soft) if sharp else 0.1 * soft
    return np.clip(np.array(colour) + amount[..., None] * np.array([1, 0.8, 0.5]), 0, 1)


_TEXTURES = {
    False: (_grain(1, (0.5, 0.45, 0.4), False), _grain(2, (0.3, 0.5, 0.75), False)),
    True: (_grain(3, (0.8, 0.6, 0.3), True), _grain(4, (0.3, 0.2, 0.7), True)),
}


def _place(frame: int, still: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Where the camera looks, where the ball is, how far it is turned."""
    camera = np.array([60.0, 60.0]) + (0 if still else 1.4) * np.array([frame, 0.25 * frame])
    return camera, np.array([26 + 2.2 * frame, 34 + 4 * np.sin(frame / 3)]), 0.05 * frame


def _turn(xy: np.ndarray, angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.dstack([xy[..., 0] * c + xy[..., 1] * s, xy[..., 1] * c - xy[..., 0] * s])


def truth(frame: int, still: bool = False) -> Truth:
    """A frame of the footage; `still`: the camera stands."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(float)
    xy = np.dstack([x, y])
    camera, centre, angle = _place(frame, still)
    camera_before, centre_before, angle_before = _place(frame - 1, still)
    on_ball = _turn(xy - centre, angle)
    ball = ((xy - centre) ** 2).sum(-1) < 18**2
    before = np.where(ball[..., None], _turn(on_ball, -angle_before) + centre_before, xy + camera - camera_before)
    looks = []
    for painted in (False, True):
        wall, skin = (
            np.dstack([map_coordinates(t[..., c], [p[..., 1], p[..., 0]], order=1) for c in range(3)])
            for t, p in zip(_TEXTURES[painted], (xy + camera, on_ball + 100), strict=True)
        )
        looks.append(np.rint(np.where(ball[..., None], skin, wall) * 255).astype(np.uint8))
    return Truth(looks[0], looks[1], ball, before - xy)


def write_footage(folder: Path, still: bool = False, keys: tuple[int, ...] = (), cut: bool = False) -> list[Truth]:
    """frames/, keys/ and shot.json; `cut`: the second half is another scene, the first turned upside down in other colours."""
    truths = [truth(frame, still) for frame in FRAMES]
    for frame, one in zip(FRAMES, truths, strict=True):
        second = cut and frame > FRAMES[len(FRAMES) // 2 - 1]
        picture = 255 - np.roll(one.picture[::-1], 40, 1) if second else one.picture
        for path, pixels in (
            (job_folder.frame_path(folder, frame), picture),
            (job_folder.key_path(folder, frame), one.paint),
        ):
            if path.parent.name == "frames" or frame in keys:
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(path)
    shot = Shot(FRAMES[0], FRAMES[-1], WIDTH, HEIGHT, 24.0, [], [], source=job_folder.FOOTAGE)
    job_folder.write_json(folder / "shot.json", shot)
    return truths
