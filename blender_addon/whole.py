"""Motion that takes the place of keys: a loop or cleaned motion in a copy of the action, many keys made few.

What is written here are the artist's keys, not marked as generated: they are worked on like any others. Knows no
operator and no engine.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from typing import Any

import bpy
import numpy as np

from . import compat
from .curves import NEAR, MotionError, Track, animated, find_object, key_points
from .keyframes import WRITING, fill, put_steps, remove_keys
from .motion import MotionParams, Plan, action_time, make_plan
from .rig import read_rig
from .sparse import CONSTANT, Dense, Filled, Keying
from .steps import Step
from .takes import Take, column
from .words import rpt_


def refuse_tweaking(ob: bpy.types.Object) -> None:
    """Raise MotionError where Blender does not let an object have another action."""
    if any(owner.animation_data.use_tweak_mode for _, owner in animated(ob)):
        raise MotionError(rpt_("'{ob}' has an NLA strip open; leave its tweak mode first.").format(ob=ob.name))


def copy_actions(ob: bpy.types.Object, word: str) -> tuple[str, str]:
    """Let copies of its actions move the object; the actions themselves are kept: the first one's name, and its copy's.

    word: what the copies are, after the name. Raises MotionError.
    """
    refuse_tweaking(ob)
    names = []
    for _, owner in animated(ob):
        action = owner.animation_data.action
        action.use_fake_user = True
        copy = action.copy()
        copy.name = f"{action.name} {word}"
        copy.use_fake_user = False
        compat.assign_action(owner, copy)
        names.append((action.name, copy.name))
    return names[0]


def whole_steps(take: Take, keying: Keying, cycle: bool) -> Generator[Step, None, int]:
    """Give the object's actions the take in place of the keys of its range, a track at a time: the number of keys. cycle: no
    keys are left beyond the range either. Raises MotionError."""
    plan, result, tracks = make_plan(take.params), take.at(1.0), []
    longer = Plan(plan.rig, plan.spans, plan.frame_start, max(plan.frame_end, take.first + take.count - 1), whole=True)
    for done, track in enumerate(plan.spans):
        if (at := column(track, take.clip)) >= 0 and result[f"{track.kind}_filled"][:, at].any():
            filled = fill(track, longer, result, at, take.first)
            low, high = (-np.inf, np.inf) if cycle else (plan.frame_start, plan.frame_end)
            for curve in track.curves:
                if curve.free:
                    _empty(curve.fcurve, low - NEAR, high + NEAR)
            tracks.append(_dense(track, filled, keying, longer))
        yield 0.4 * done / len(plan.spans), WRITING
    return (yield from _write(tracks))


def reduce_steps(
    uid: int, bones: Collection[str] | None, frame_start: int, frame_end: int, keying: Keying
) -> Generator[Step, None, int]:
    """Keep few of the keys in a range of scene frames, within the bound, a track at a time: how many went. Raises MotionError."""
    ob = find_object(uid)
    rig = read_rig(ob, bones)
    start, end = (action_time(ob, frame) for frame in (frame_start, frame_end))
    tracks, before = [], 0
    for done, track in enumerate(rig.tracks):
        yield 0.4 * done / len(rig.tracks), WRITING
        frames = [frame for frame in track.frames() if start - NEAR <= frame <= end + NEAR]
        keys = [curve for curve in track.curves if curve.free and len(curve.keys)]
        if not keys or len(frames) < 3:
            continue
        span = range(frames[0], frames[-1] + 1)
        whole = np.ones(len(span), bool)
        filled = Filled(span, track.sample(span), whole, _jumps(track, span))
        for curve in keys:
            before += _empty(curve.fcurve, span.start + NEAR, span.stop - 1 - NEAR)
        whole[[0, -1]] = False
        tracks.append(_dense(track, filled, keying, Plan(rig, {}, span.start, span.stop), whole))
    return before - (yield from _write(tracks))


def _jumps(track: Track, span: range) -> np.ndarray:
    """After which frames a curve jumps, as where a key holds until the next, (T,) bool."""
    jumps = np.zeros(len(span), bool)
    for curve in track.curves:
        own = curve.own_keys("interpolation")["interpolation"]
        held = np.rint(curve.keys[own == CONSTANT]).astype(int) if len(curve.keys) else []
        for frame in held:
            later = curve.keys[curve.keys > frame + NEAR]
            at = int(np.ceil(later[0] - NEAR)) - 1 - span.start if len(later) else -1
            if 0 <= at < len(jumps):
                jumps[at] = True
    return jumps


def _dense(track: Track, filled: Filled, keying: Keying, plan: Plan, rows: np.ndarray | None = None) -> Dense:
    """The track with what is to be written, its old keys gone."""
    for curve in track.curves:
        curve.forget()
    made = filled.made if rows is None else rows
    return Dense(
        track,
        filled,
        [made & (curve.free and curve.fcurve is not None) for curve in track.curves],
        keying,
        plan.rig.joints[track.joint].size,
    )


def _write(tracks: Sequence[Dense]) -> Generator[Step, None, int]:
    """Write the keys of all tracks: their number."""
    return (yield from put_steps([dense for dense in tracks if np.any(dense.rows)], False, _empty_rows))


def _empty_rows(dense: Dense) -> None:
    """Take the keys of a track away again."""
    rows = np.flatnonzero(np.any(dense.rows, 0)) + dense.filled.frames.start
    for curve in dense.track.curves:
        if curve.free:
            _empty(curve.fcurve, rows[0] - NEAR, rows[-1] + NEAR)


def _empty(fcurve: Any, low: float, high: float) -> int:
    """Remove the keys between two frames, whoever made them: how many."""
    frames = key_points(fcurve)[:, 0]
    inside = (frames > low) & (frames < high)
    remove_keys(fcurve, inside)
    return int(inside.sum())


def make_cyclic(params: MotionParams, keep_root: bool, first: int, last: int) -> None:
    """Let Blender repeat the curves for ever: by their Cycles modifier, each round going on where the last one ended if the
    rig travels. Raises MotionError."""
    plan = make_plan(params)
    for track in plan.spans:
        for curve in track.curves:
            if not curve.free or curve.fcurve is None:
                continue
            for old in [m for m in curve.fcurve.modifiers if m.type == "CYCLES"]:
                curve.fcurve.modifiers.remove(old)
            modifier: Any = curve.fcurve.modifiers.new("CYCLES")
            travels = keep_root and track.kind != "rotation" and _goes_on(curve.fcurve, first, last)
            modifier.mode_before = modifier.mode_after = "REPEAT_OFFSET" if travels else "REPEAT"
    for _, owner in animated(plan.rig.ob):
        action: Any = owner.animation_data.action
        action.use_frame_range, action.frame_start, action.frame_end, action.use_cyclic = True, first, last, True


def _goes_on(fcurve: bpy.types.FCurve, first: int, last: int) -> bool:
    """Whether a curve ends elsewhere than it began."""
    return abs(fcurve.evaluate(last) - fcurve.evaluate(first)) > 1e-4
