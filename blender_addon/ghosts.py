"""Ghost poses and trails of a motion that is not keyed yet, drawn into the 3D View.

Where the bones are follows from the arrays alone (forward kinematics), so nothing is evaluated frame by frame and the
rig stays as it is. Constraints are not in it: what they move is shown where its own channels put it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import bpy
import gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from mathutils import Vector

from . import quat
from .motion import Plan
from .takes import Take

PAST, FUTURE, TRAIL, KEYED = (0.25, 0.55, 1.0), (1.0, 0.6, 0.2), (0.9, 0.9, 0.9), (1.0, 0.85, 0.1)
GHOSTS = 12  # poses drawn at most
MANY = 6  # bones; of more only the ends of limbs leave a trail
REACH = 240  # frames of trail drawn at most, around the present one
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Body:
    """What of a rig is needed to place its bones. parents: J. offsets: from the parent's head to each head, (J, 3).
    tails: from each head to its tail at rest, (J, 3), both in the armature's axes. matrix: armature → world, (4, 4).
    trails: the joints whose tips leave a trail. loose: joints that go with a parent without turning with it, with that
    parent and their place in it."""

    parents: tuple[int, ...]
    offsets: np.ndarray
    tails: np.ndarray
    matrix: np.ndarray
    trails: tuple[int, ...]
    loose: dict[int, tuple[int, np.ndarray]]

    def places(self, rotations: np.ndarray, locations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Heads and tails in the world, (T, J, 3) each, of local rotations (T, J, 4) and locations (T, J, 3)."""
        turned = np.array(rotations, np.float32)
        heads = np.array(self.offsets + locations, np.float32)
        for j, parent in enumerate(self.parents):
            if j in self.loose:
                above, reach = self.loose[j]
                heads[:, j] = heads[:, above] + quat.rotate(turned[:, above], np.broadcast_to(reach, heads[:, j].shape))
            elif parent >= 0:
                turned[:, j] = quat.multiply(turned[:, parent], rotations[:, j])
                heads[:, j] = heads[:, parent] + quat.rotate(turned[:, parent], heads[:, j])
        tails = heads + quat.rotate(turned, np.broadcast_to(self.tails, heads.shape))
        linear, shift = self.matrix[:3, :3].T, self.matrix[:3, 3]
        return heads @ linear + shift, tails @ linear + shift


def body_of(plan: Plan, take: Take, selected: Collection[str]) -> Body:
    """The body of a plan's rig. Trails: of the selected bones that are filled, else of all that are."""
    ob, joints = plan.rig.ob, plan.rig.joints
    tails = np.zeros((len(joints), 3), np.float32)
    matrix = ob.matrix_world @ ob.matrix_basis.inverted_safe()
    if ob.pose is not None and plan.rig.of_bones:
        matrix = ob.matrix_world
        for j, joint in enumerate(joints):
            bone = ob.pose.bones[joint.name].bone
            tails[j] = (bone.tail_local - bone.head_local)[:]
    filled = {track.joint for track in plan.spans if track.joint >= 0}
    meant = {j for j in filled if joints[j].name in selected} or filled
    if len(meant) > MANY:  # the ends of limbs tell most
        meant -= {joint.parent for joint in joints}
    loose = {}
    for j, joint in enumerate(joints):
        if not joint.inherits and joint.parent >= 0:
            now = Vector([curve.value for curve in joint.location.curves])
            loose[j] = joint.parent, np.array(joint.offset + joint.axes @ now, np.float32)
    parents = tuple(take.clip.parents)
    return Body(parents, take.offsets, tails, np.array(matrix, np.float32), tuple(sorted(meant)), loose)


class Ghosts:
    """The drawing itself. `update` gives it something to draw, `free` takes it away; both may be called at any time."""

    def __init__(self) -> None:
        self._lines: list[tuple[np.ndarray, np.ndarray, float]] = []  # points (N, 3), colours (N, 4), width
        self._points: tuple[np.ndarray, np.ndarray] | None = None
        self._batches: list[tuple[Any, float]] | None = None
        self._dots: Any = None
        self._handle: Any = None
        self.visible = True
        if not bpy.app.background:
            view: Any = bpy.types.SpaceView3D
            self._handle = view.draw_handler_add(self._draw, (), "WINDOW", "POST_VIEW")

    def update(self, bodies: Sequence[tuple[Body, Take]], amount: float, now: int, step: int) -> None:
        """Draw these takes: a pose every `step` frames and the trails, told apart by the frame `now`."""
        segments, colours, trails, tints, dots, marks = [], [], [], [], [], []
        for body, take in bodies:
            frames, heads, tails = where(body, take, amount, now)
            for row in ghost_rows(frames, now, step):
                segments.append(np.stack([heads[row], tails[row]], 1).reshape(-1, 3))
                colours.append(np.tile(_tint(int(frames[row]), now, 0.45), (len(segments[-1]), 1)))
            tips = tails[:, list(body.trails)]  # (T, trails, 3)
            trails.append(np.stack([tips[:-1], tips[1:]], 2).reshape(-1, 3))
            shade = np.array([_tint(int(frame), now, 0.9) for frame in frames[:-1]], np.float32)
            tints.append(shade.repeat(2 * len(body.trails), 0).reshape(-1, 4))
            dots.append(tips.reshape(-1, 3))
            keyed = _keyed(take, body, frames)
            marks.append(np.where(keyed.reshape(-1, 1), (*KEYED, 1.0), (*TRAIL, 0.5)).astype(np.float32))
        self._lines = [(_all(segments), _all(colours, 4), 1.5), (_all(trails), _all(tints, 4), 2.0)]
        self._points = _all(dots), _all(marks, 4)
        self._batches = None

    def free(self) -> None:
        """Draw no more."""
        if self._handle is not None:
            view: Any = bpy.types.SpaceView3D
            view.draw_handler_remove(self._handle, "WINDOW")
            self._handle = None

    def _draw(self) -> None:
        if not self.visible or not self._lines:
            return
        line: Any = gpu.shader.from_builtin("POLYLINE_FLAT_COLOR")
        dot: Any = gpu.shader.from_builtin("FLAT_COLOR")
        if self._batches is None:
            self._batches = [
                (batch_for_shader(line, "LINES", {"pos": points, "color": colours}), width)
                for points, colours, width in self._lines
                if len(points)
            ]
            points, colours = self._points or (np.zeros((0, 3)), np.zeros((0, 4)))
            self._dots = batch_for_shader(dot, "POINTS", {"pos": points, "color": colours}) if len(points) else None
        state: Any = gpu.state
        state.blend_set("ALPHA")
        line.bind()
        line.uniform_float("viewportSize", state.viewport_get()[2:])
        for batch, width in self._batches:
            line.uniform_float("lineWidth", width)
            batch.draw(line)
        if self._dots is not None:
            state.point_size_set(4.0)
            self._dots.draw(dot)
            state.point_size_set(1.0)
        state.blend_set("NONE")


def where(body: Body, take: Take, amount: float, now: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames (T,), heads and tails (T, J, 3) of a take near the frame `now`."""
    low = max(0, min(now - take.first - REACH // 2, take.count - REACH))
    rows = slice(low, min(take.count, low + REACH))
    shown = take.at(amount, rows)
    heads, tails = body.places(shown["rotations"], shown["locations"])
    return np.arange(take.first + rows.start, take.first + rows.stop), heads, tails


def ghost_rows(frames: np.ndarray, now: int, step: int) -> list[int]:
    """Rows of the poses to draw: every `step` frames from the present one, the nearest GHOSTS of them, but not itself."""
    rows = [row for row, frame in enumerate(frames.tolist()) if frame != now and (frame - now) % max(1, step) == 0]
    return sorted(rows, key=lambda row: abs(int(frames[row]) - now))[:GHOSTS]


def _tint(frame: int, now: int, most: float) -> tuple[float, ...]:
    """Past and future have their colours; what is far away fades."""
    colour: Colour = PAST if frame < now else FUTURE
    return (*colour, most * max(0.15, 1 - abs(frame - now) / REACH * 2))


def _keyed(take: Take, body: Body, frames: np.ndarray) -> np.ndarray:
    """Which trail points lie on a frame that was given and not made, (T, trails)."""
    rows = frames - take.first
    made = take.result["rotation_filled"] | take.result["location_filled"]
    return ~made[rows][:, list(body.trails)]


def _all(parts: list[Any], width: int = 3) -> np.ndarray:
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros((0, width), np.float32)
