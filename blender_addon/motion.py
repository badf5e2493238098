"""An object's action → clip.json and clip.npz (protocol.Clip, CLIP_ARRAYS): which frames of which tracks may be filled,
and the motion around them in the axes of the armature.

Takes everything from the F-curves: the scene is not played, so constraints and drivers never end up in keys. Knows no
operator, and not how keys are written.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from mathutils import Quaternion

from . import compat, quat
from .curves import MotionError, Track, animated, find_object
from .decimate import quaternions
from .job_folder import write_json
from .protocol import Clip
from .rig import Joint, Rig, read_rig
from .steps import Step
from .words import n_, rpt_, said

READING = n_("Reading the keys")
PAST = 10  # frames before the first key that the engine gets to see, as in the LaFAN1 protocol
LONG_PAST = 240  # frames before the end that it sees where it plays on: enough for a cycle to show


@dataclass(frozen=True)
class MotionParams:
    """What is wanted, read from the context once.

    object_uid: the object's session uid. bones: names, empty for all; None for the object as a whole. frame_start,
    frame_end: scene frames to be filled, inclusive. play_on: how many frames after the last key to fill instead;
    towards_target: all those up to the next key. whole: every frame that has keys about it, the keyed ones too.
    all_joints: the clip holds every bone of the armature, so that it fits what was learned from other clips.
    """

    object_uid: int
    bones: tuple[str, ...] | None
    frame_start: int
    frame_end: int
    fps: float
    use_selected_keys: bool = True
    play_on: int = 0
    towards_target: bool = False
    whole: bool = False
    all_joints: bool = False


@dataclass(eq=False)
class Plan:
    """What a job is to fill. spans: the frames strictly between the two numbers, track by track. frame_start,
    frame_end: of the clip. play_on: frames after it; towards_target: what comes after those is a pose to arrive at; path: in so
    many of them the joint `leader` goes where the artist has keyed it."""

    rig: Rig
    spans: dict[Track, tuple[int, int]]
    frame_start: int
    frame_end: int
    play_on: int = 0
    towards_target: bool = False
    whole: bool = False
    path: int = 0
    leader: int = -1

    @property
    def frames(self) -> Sequence[int]:
        """The frame of every row of the clip; a pose to arrive at is the last of them, a way to go those at the end."""
        frames = range(self.frame_start, self.frame_end + self.path + 1)
        return [*frames, self.frame_end + self.play_on + 1] if self.towards_target else frames

    @property
    def values(self) -> list[Track]:
        """The tracks that are single numbers, in the order of the clip's channels."""
        return [track for track in self.rig.tracks if track.kind == "value"]


# --- what is to be filled --------------------------------------------------------------------------------------------


def make_plan(params: MotionParams) -> Plan:
    """Find the frames to fill. Raises MotionError."""
    ob = find_object(params.object_uid)
    rig = read_rig(ob, params.bones, params.all_joints)
    if not rig.tracks:
        why = rig.notes[0] if rig.notes else "Key them first, or select others."
        raise MotionError(
            rpt_("Nothing selected of '{ob}' has keys that may be added to. {why}").format(ob=ob.name, why=said(why))
        )
    for _, owner in animated(ob):
        if (users := compat.action_users(owner)) > 1:
            name = owner.animation_data.action.name
            rig.notes.append(f"The action '{name}' moves {users} objects; all of them get the new keys.")
    if params.play_on:
        return _plan_extrapolate(params, rig)
    return _plan_whole(params, rig) if params.whole else _plan_inbetween(params, rig)


def _plan_inbetween(params: MotionParams, rig: Rig) -> Plan:
    """Each track from the first to the last of its own keys, or of its selected keys if a track has two of them."""
    start, end = (round(action_time(rig.ob, frame)) for frame in (params.frame_start, params.frame_end))
    for selected in (True, False) if params.use_selected_keys else (False,):
        keys = {track: [frame for frame in track.frames(selected) if start <= frame <= end] for track in rig.tracks}
        spans = {track: (frames[0], frames[-1]) for track, frames in keys.items() if len(frames) > 1}
        if spans:
            break
    if not any(hi - lo > 1 for lo, hi in spans.values()):
        raise MotionError(
            rpt_(
                "There is nothing to fill from frame {start} to {end}: key at least two poses with frames between them, "
                "or widen the frame range."
            ).format(start=start, end=end)
        )
    first, last = min(lo for lo, _ in spans.values()), max(hi for _, hi in spans.values())
    return Plan(rig, spans, max(first - PAST, min(_first_key(rig), first)), last)


def _plan_whole(params: MotionParams, rig: Rig) -> Plan:
    """All tracks from the first to the last key of any of them within the range."""
    start, end = (round(action_time(rig.ob, frame)) for frame in (params.frame_start, params.frame_end))
    frames = [frame for track in rig.tracks for frame in track.frames() if start <= frame <= end]
    if not frames or max(frames) - min(frames) < 2:
        raise MotionError(
            rpt_("There is no motion from frame {start} to {end}; widen the frame range.").format(start=start, end=end)
        )
    first, last = min(frames), max(frames)
    return Plan(rig, {track: (first, last) for track in rig.tracks if track.frames()}, first, last, whole=True)


def action_time(ob: bpy.types.Object, frame: float) -> float:
    """The action's own frame at a frame of the scene: another one while an NLA strip is tweaked."""
    return ob.animation_data.nla_tweak_strip_time_to_scene(frame, invert=True) if ob.animation_data else frame


def _first_key(rig: Rig) -> int:
    """The first keyed frame of anything that the clip holds."""
    tracks = [track for joint in rig.joints for track in (joint.rotation, joint.location)] + rig.tracks
    return min(frame for track in tracks for frame in track.frames()[:1])


def _plan_extrapolate(params: MotionParams, rig: Rig) -> Plan:
    """All tracks from the last of their keys, or of the selected ones, up to the artist's next."""
    cyclic = [t for t in rig.tracks if any(c.fcurve and any(not m.mute for m in c.fcurve.modifiers) for c in t.curves)]
    tracks = [track for track in rig.tracks if track not in cyclic]
    if not tracks:
        raise MotionError("All of this is repeated by Cycles modifiers, so it plays on by itself; remove them first.")
    if cyclic:
        rig.notes.append("What a Cycles modifier repeats already plays on by itself and was left alone.")
    leader = -1 if params.towards_target else _leader(rig, tracks)
    others = [track for track in tracks if track.joint < 0 or track.joint != leader]
    last: list[int] = []
    for selected in (True, False) if params.use_selected_keys else (False,):
        last = last or [frame for track in others for frame in track.frames(selected)[-1:]]
    if not last or max(last) - _first_key(rig) < 1:
        raise MotionError("There is no motion to play on: key at least two poses first.")
    end = max(last)
    later = [frame for track in others for frame in track.frames() if frame > end]
    if params.towards_target and not later:
        raise MotionError(
            rpt_("There is no key after frame {end} to arrive at; key a pose there, or play on freely.").format(end=end)
        )
    wish = min(later) - end - 1 if params.towards_target else params.play_on
    play_on = min([wish, *(frame - end - 1 for frame in later)])
    if play_on < 1:
        raise MotionError(
            rpt_("There is no room after frame {end}: the next key is at frame {first}.").format(
                end=end, first=min(later)
            )
        )
    if play_on < wish:
        rig.notes.append(f"Stopped after {play_on} frames, before the key at frame {min(later)}.")
    plan = Plan(rig, {}, max(end - LONG_PAST, _first_key(rig)), end, play_on, params.towards_target)
    if leader >= 0:
        plan.leader, plan.path = leader, min(rig.joints[leader].location.frames()[-1] - end, play_on)
        rig.notes.append(f"'{rig.joints[leader].name}' goes where it is keyed, and the rest along with it.")
    for track in tracks:
        if track.frames()[:1] <= [end]:
            after = max([end, *track.frames()[-1:]]) if track not in others else end
            plan.spans[track] = (after, end + play_on + 1)
    return plan


def _leader(rig: Rig, tracks: list[Track]) -> int:
    """The root (nothing above it is keyed) that alone is placed further ahead than all else is keyed, so that the rest is to go
    along with it; or -1."""
    found = []
    for index, joint in enumerate(rig.joints):
        others = [frame for track in tracks if track.joint != index for frame in track.frames()[-1:]]
        if _free(rig, joint) and others and joint.location.frames()[-1:] > [max(others)]:
            found.append(index)
    return found[0] if len(found) == 1 else -1


def _free(rig: Rig, joint: Joint) -> bool:
    """Whether nothing above a joint is keyed, as the controls of a rig hang on bones that nobody animates."""
    while joint.parent >= 0:
        joint = rig.joints[joint.parent]
        if joint.rotation.frames() or joint.location.frames():
            return False
    return True


# --- arrays ----------------------------------------------------------------------------------------------------------


def export_steps(plan: Plan, fps: float, folder: Path, name: str = "clip") -> Generator[Step, None, None]:
    """Write clip.json and clip.npz into the job folder, a joint at a time, and take an older result away."""
    (folder / "result" / f"{name}.npz").unlink(missing_ok=True)
    arrays = yield from array_steps(plan)
    partial = folder / f"{name}.npz.partial"
    with partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
    os.replace(partial, folder / f"{name}.npz")
    write_json(folder / f"{name}.json", clip_header(plan, fps))


def clip_header(plan: Plan, fps: float) -> Clip:
    """What clip.json says."""
    joints = plan.rig.joints
    return Clip(
        frame_start=plan.frame_start,
        frame_end=plan.frame_start + len(plan.frames) - 1,
        fps=fps,
        joints=[joint.name for joint in joints],
        parents=[joint.parent if joint.inherits else -1 for joint in joints],
        channels=[track.name for track in plan.values],
        up=plan.rig.up,
    )


def array_steps(plan: Plan) -> Generator[Step, None, dict[str, np.ndarray]]:
    """The arrays of protocol.CLIP_ARRAYS, a joint at a time. Every frame not to be filled counts as keyed: it is given."""
    joints, frames, values = plan.rig.joints, plan.frames, plan.values
    on = plan.frame_end if plan.play_on else None
    rotations: list[np.ndarray] = []  # J of (T, 4)
    locations: list[np.ndarray] = []
    for joint in joints:
        rotations.append(_rotations(joint, frames, on))
        locations.append(_locations(joint, frames, on))
        yield len(rotations) / len(joints), READING
    offsets = [np.array(joint.offset) for joint in joints]
    _detach(joints, rotations, locations, offsets)
    arrays = {
        "offsets": np.array(offsets, np.float32).reshape(-1, 3),
        "rotations": np.array(rotations, np.float32).swapaxes(0, 1),
        "locations": np.array(locations, np.float32).swapaxes(0, 1),
        "values": np.zeros((len(frames), len(values)), np.float32),
    }
    for channel, track in enumerate(values):
        arrays["values"][:, channel] = track.sample(frames, on)[:, 0]
    for kind, size in (("rotation", len(joints)), ("location", len(joints)), ("value", len(values))):
        arrays[f"{kind}_keys"] = np.ones((len(frames), size), bool)
        arrays[f"{kind}_wanted"] = np.zeros(size, bool)
    for track, (lo, hi) in plan.spans.items():
        column = values.index(track) if track.kind == "value" else track.joint
        given = arrays[f"{track.kind}_keys"][:, column]
        if not plan.play_on:
            given[max(lo + 1 - plan.frame_start, 0) : hi - plan.frame_start] = False
            given[[frame - plan.frame_start for frame in track.frames() if frame in frames]] = True
        arrays[f"{track.kind}_wanted"][column] = True
    if plan.path:
        _only_leader(plan, arrays)
    return arrays


def _only_leader(plan: Plan, arrays: dict[str, np.ndarray]) -> None:
    """Of the frames of a way nothing is given but where the leader goes, and how it turns if that is keyed there too."""
    for kind in ("rotation", "location", "value"):
        arrays[f"{kind}_keys"][-plan.path :] = False
    joint = plan.rig.joints[plan.leader]
    for kind, track in (("rotation", joint.rotation), ("location", joint.location)):
        arrays[f"{kind}_keys"][-plan.path :, plan.leader] = track.frames()[-1:] > [plan.frame_end]


def _rotations(joint: Joint, frames: Sequence[int], on: int | None) -> np.ndarray:
    """Rotations in the armature's axes, (T, 4)."""
    own, rest = quaternions(joint.rotation.sample(frames, on), joint.mode), np.array(joint.rest)
    own[~own.any(-1)] = Quaternion()  # numbers that are no rotation
    return quat.multiply(quat.multiply(rest, own), rest * quat.CONJUGATE)


def _locations(joint: Joint, frames: Sequence[int], on: int | None) -> np.ndarray:
    """Locations in the armature's axes, (T, 3)."""
    moved: np.ndarray = joint.location.sample(frames, on) @ np.array(joint.axes).T
    return moved


def _detach(
    joints: list[Joint], rotations: list[np.ndarray], locations: list[np.ndarray], offsets: list[np.ndarray]
) -> None:
    """Make roots of the joints that do not turn with their parent, carried along by their locations: then nothing that
    happens to the parent's keys changes their rotations. Changes locations and offsets in place."""
    if all(joint.inherits for joint in joints):
        return
    turned: list[np.ndarray] = []
    placed: list[np.ndarray] = []
    heads: list[np.ndarray] = []
    for j, (joint, parent) in enumerate((joint, joint.parent) for joint in joints):
        turned.append(rotations[j])
        placed.append(offsets[j] + locations[j])
        heads.append(offsets[j])
        if parent >= 0:
            heads[j] = heads[parent] + offsets[j]
            placed[j] = placed[parent] + quat.rotate(turned[parent], placed[j])
            if joint.inherits:
                turned[j] = quat.multiply(turned[parent], rotations[j])
    for j, joint in enumerate(joints):
        if not joint.inherits and joint.parent >= 0:
            offsets[j] = heads[j]
            locations[j] = placed[j] - heads[j]
