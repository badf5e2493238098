"""A shot without Blender: a striped ball that turns before a wall under a light that walks, computed by formula and written as a
job folder of the contract, with the painted truth of every frame. Knows the contract, none of the engine's reading code."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import OpenEXR
from PIL import Image

from engine import job_folder, protocol
from engine.protocol import Shot, ShotObject

SIDE = 64
FRAMES = range(1, 9)


def _ball(frame: int) -> dict[str, np.ndarray]:
    """Guides of a frame, and `paint`, its truth; (H, W, C) float32."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) + 0.5
    centre, radius = (26 + 1.5 * frame, 32), 19.0
    u, v = (x - centre[0]) / radius, (centre[1] - y) / radius
    on = u * u + v * v < 1
    w = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
    turn = 0.06 * frame
    rest = np.stack([u * np.cos(turn) - w * np.sin(turn), v, u * np.sin(turn) + w * np.cos(turn)], -1)
    wall = np.dstack([x / SIDE, 1 - y / SIDE, 0 * x])
    normal = np.where(on[..., None], np.dstack([u, -w, v]), np.array([0, -1, 0]))
    angle = -0.9 + 0.22 * frame
    light = np.array([np.sin(angle), -np.cos(angle), 0.4]) / np.sqrt(1.16)
    shade = np.clip((normal * light).sum(-1), 0, 1)
    albedo = np.where(on[..., None], np.array([0.5, 0.2, 0.1]), np.array([0.2, 0.25, 0.3]))
    dark, bright = np.array([0.25, 0.1, 0.4]), np.array([1.0, 0.7, 0.2])
    ball = np.where((shade > 0.55)[..., None], bright, dark) * (
        1 + 0.25 * np.sign(np.sin(9 * rest[..., :1] + 5 * rest[..., 1:2]))
    )
    ground = np.array([0.4, 0.7, 0.6]) * (1 + 0.15 * np.sign(np.sin(24 * wall[..., :1] + 17 * wall[..., 1:2])))
    guides = {
        "depth": np.where(on, 5 - w, 8)[..., None],
        "normal": normal,
        "position": np.dstack([x, 0 * x, y]),
        "vector": np.zeros((SIDE, SIDE, 4)),
        "id": np.where(on, 2, 1)[..., None],
        "anchor": np.dstack([np.where(on[..., None], (rest + 1) / 2, wall), np.ones((SIDE, SIDE))]),
        "albedo": albedo,
        "render": np.clip((albedo * (0.15 + shade[..., None])) ** (1 / 2.2), 0, 1),
        "paint": np.clip(np.where(on[..., None], ball, ground), 0, 1),
    }
    return {name: guide.astype(np.float32) for name, guide in guides.items()}


def write_exr(
    path: Path, passes: dict[str, tuple[str, str, str]], guides: dict[str, np.ndarray], five: bool = False
) -> None:
    """A multilayer EXR as Blender 4.x writes it, or with `five` as 5.x does: other names, one part a pass."""
    parts = []
    for name, (old, new, channels) in passes.items():
        planes = {
            f"ViewLayer.{new if five else old}.{c}": np.ascontiguousarray(guides[name][..., i])
            for i, c in enumerate(channels)
        }
        parts.append((f"ViewLayer.{new}", planes))
    if not five:
        parts = [("", {k: v for _, planes in parts for k, v in planes.items()})]
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    OpenEXR.File(
        [OpenEXR.Part(header | ({"name": n} if n else {}), planes, *([n] if n else [])) for n, planes in parts]
    ).write(str(path))


def write_picture(path: Path, picture: np.ndarray) -> None:
    """(H, W, 3|4) float, 0 to 1, as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(path)


PASSES = [*protocol.GEOMETRY_PASSES, *protocol.ALBEDO_PASSES]  # as before there was the guide of edges


def write_shot(folder: Path, keys: tuple[int, ...] = (4,)) -> Shot:
    """The whole job folder, and truth/NNNN.png."""
    (folder / "guides").mkdir(parents=True)
    for frame in FRAMES:
        guides = _ball(frame)
        write_exr(job_folder.geometry_path(folder, frame), protocol.GEOMETRY_PASSES, guides)
        write_exr(job_folder.albedo_path(folder, frame), protocol.ALBEDO_PASSES, guides)
        write_picture(job_folder.frame_path(folder, frame), guides["render"])
        write_picture(folder / "truth" / f"{frame:04d}.png", guides["paint"])
        if frame in keys:
            write_picture(job_folder.key_path(folder, frame), guides["paint"])
    objects = [ShotObject(1, "Wall", [3.0, 3.0, 0.0]), ShotObject(2, "Ball", [2.0, 2.0, 2.0])]
    shot = Shot(FRAMES[0], FRAMES[-1], SIDE, SIDE, 24.0, PASSES, objects)
    job_folder.write_json(folder / "shot.json", asdict(shot))
    return shot


def read_truth(folder: Path, frame: int) -> np.ndarray:
    """(H, W, 3) uint8."""
    return np.array(Image.open(folder / "truth" / f"{frame:04d}.png"))
