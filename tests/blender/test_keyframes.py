"""Keys from a result: the artist's own are never touched, the new ones are where they should be, and go again."""

from __future__ import annotations

import math
import random
import time
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from at_once import apply_result, delete_generated_keys, export_clip
from bl_ext.user_default.understudy.curves import MotionError
from bl_ext.user_default.understudy.motion import MotionParams, Plan
from bl_ext.user_default.understudy.protocol import JobError
from bl_ext.user_default.understudy.sparse import Keying
from rigs import (
    MODES,
    bone_curve,
    dump,
    fcurves,
    frames_of,
    key_pose,
    make_armature,
    straight_engine,
    write_result,
)

EVERY = Keying(every_frame=True)
ARTISTS = ("KEYFRAME", "BREAKDOWN", "EXTREME", "JITTER", "MOVING_HOLD")


def run(
    ob: bpy.types.Object, folder: Path, *bones: str, keying: Keying = EVERY, **other: Any
) -> tuple[Plan, dict[str, np.ndarray]]:
    """A whole job with the engine for tests: the plan and the result."""
    params = MotionParams(
        ob.session_uid,
        bones if ob.type == "ARMATURE" else None,
        **{"frame_start": 1, "frame_end": 250, "fps": 24.0} | other,
    )
    plan = export_clip(params, folder)
    result = straight_engine(folder, plan.play_on)
    apply_result(params, folder, keying)
    return plan, result


def posed(frames: tuple[int, ...] = (1, 10, 20), modes: tuple[str, ...] = ("QUATERNION",) * 3) -> bpy.types.Object:
    """A chain of bones with a pose keyed at each of the frames; half of the keys are no ordinary ones."""
    ob = make_armature(range(-1, len(modes) - 1))
    for bone, mode in zip(ob.pose.bones, modes, strict=True):
        bone.rotation_mode = mode
    for frame in frames:
        key_pose(ob.pose.bones, frame, seed=frame)
    dice = random.Random(0)
    for fcurve in fcurves(ob).values():
        for key in fcurve.keyframe_points:
            key.type = dice.choice(ARTISTS)
            key.interpolation = dice.choice(("BEZIER", "LINEAR", "CONSTANT", "BACK"))
            if dice.random() < 0.5:
                key.handle_left_type = key.handle_right_type = dice.choice(("FREE", "VECTOR", "AUTO"))
        fcurve.update()
    return ob


def test_the_artists_keys_stay_as_they_are(tmp_path: Path) -> None:
    """Every number of them but for handles that follow the neighbours; and those too once the new keys are deleted."""
    ob = posed(modes=MODES)
    before, own = dump(ob), dump(ob, handles=False)
    run(ob, tmp_path)
    assert dump(ob, ARTISTS, handles=False) == own
    for fcurve in fcurves(ob).values():
        assert frames_of(fcurve, "GENERATED") == [*range(2, 10), *range(11, 20)], fcurve.data_path
    assert delete_generated_keys(ob.session_uid, ()) == 17 * len(before)
    assert dump(ob) == before


def test_curves_pass_the_result_at_every_frame(tmp_path: Path) -> None:
    """Blender's pose at each frame is the engine's, whatever stands on the artist's keys beside it."""
    ob = posed(modes=MODES)
    plan, result = run(ob, tmp_path)
    for t, frame in enumerate(plan.frames):
        bpy.context.scene.frame_set(frame)
        for j, joint in enumerate(plan.rig.joints):
            bone = ob.pose.bones[joint.name]
            basis = bone.matrix_basis.to_quaternion()
            shown = np.array(joint.rest @ basis @ joint.rest.conjugated())
            assert abs(np.dot(shown, result["rotations"][t, j])) > 1 - 1e-5, (frame, joint.name)
            moved = np.array(joint.axes @ bone.location)
            assert np.allclose(moved, result["locations"][t, j], atol=1e-4), (frame, joint.name)


def test_again_replaces_only_generated_keys(tmp_path: Path) -> None:
    ob = posed()
    run(ob, tmp_path)
    first = dump(ob)
    run(ob, tmp_path)
    assert dump(ob) == first
    run(ob, tmp_path, frame_start=10, frame_end=20)
    assert dump(ob) == first


def test_a_generated_key_that_was_posed_over_is_the_artists(tmp_path: Path) -> None:
    """The natural way to correct: pose over it and run again. Blender leaves its type as it is."""
    ob = posed()
    run(ob, tmp_path)
    bone = ob.pose.bones["b1"]
    bone.location = (3.0, 4.0, 5.0)
    bone.keyframe_insert("location", frame=5)
    assert 5 in frames_of(bone_curve(ob, "b1", "location"), "GENERATED")
    run(ob, tmp_path)
    assert [bone_curve(ob, "b1", "location", i).evaluate(5) for i in range(3)] == [3.0, 4.0, 5.0]
    assert bone_curve(ob, "b1", "location").evaluate(6) != pytest.approx(bone_curve(ob, "b0", "location").evaluate(6))
    delete_generated_keys(ob.session_uid, ())
    assert [key.co.x for key in bone_curve(ob, "b1", "location").keyframe_points] == [1, 5, 10, 20]
    assert [key.co.x for key in bone_curve(ob, "b0", "location").keyframe_points] == [1, 10, 20]


def test_only_the_channels_asked_for(tmp_path: Path) -> None:
    """Other bones, locked and muted channels get nothing; a curve only between keys of its own."""
    ob = posed((1, 10, 20), modes=("XYZ",) * 4)
    bones = ob.pose.bones
    bones["b0"].lock_location = (True, False, False)
    bones["b1"].lock_rotation[2] = True
    bone_curve(ob, "b1", "location", 0).lock = True
    bone_curve(ob, "b1", "location", 1).mute = True
    group = bone_curve(ob, "b2", "location").group
    if group is None:  # Blender 4.2's keyframe_insert makes none
        group = ob.animation_data.action.groups.new("b2")
        for fcurve in fcurves(ob).values():
            if '"b2"' in fcurve.data_path:
                fcurve.group = group
    group.lock = True
    short = bone_curve(ob, "b0", "location", 2)
    short.keyframe_points.remove(short.keyframe_points[2])
    before = dump(ob)
    run(ob, tmp_path, "b0", "b1", "b2")
    changed = {where for where, keys in dump(ob).items() if len(keys) != len(before[where])}
    untouched = {('pose.bones["b0"].location', 0), ('pose.bones["b1"].rotation_euler', 2)}
    untouched |= {('pose.bones["b1"].location', 0), ('pose.bones["b1"].location', 1)}
    untouched |= {where for where in before if '"b2"' in where[0] or '"b3"' in where[0]}
    assert set(before) - changed == untouched
    assert frames_of(short, "GENERATED") == list(range(2, 10))


def test_between_selected_keys_only_curves_that_are_keyed_there(tmp_path: Path) -> None:
    """A curve without a key at one end would move outside the range if it were given keys inside."""
    ob = posed((1, 20), modes=("XYZ",))
    bone = ob.pose.bones["b0"]
    bone.keyframe_insert("location", index=2, frame=8)
    for fcurve in fcurves(ob).values():
        for key in fcurve.keyframe_points:
            key.select_control_point = key.co.x in (8, 20) and "location" in fcurve.data_path
    run(ob, tmp_path)
    assert frames_of(bone_curve(ob, "b0", "location", 2), "GENERATED") == list(range(9, 20))
    assert not frames_of(bone_curve(ob, "b0", "location", 0), "GENERATED")
    assert not frames_of(bone_curve(ob, "b0", "rotation_euler", 0), "GENERATED")


def test_a_quaternion_with_a_locked_number_is_left_alone(tmp_path: Path) -> None:
    """One of its numbers cannot be kept while the others turn."""
    ob = posed()
    ob.pose.bones["b1"].lock_rotations_4d = True
    ob.pose.bones["b1"].lock_rotation_w = True
    bone_curve(ob, "b2", "rotation_quaternion", 3).lock = True
    plan, _ = run(ob, tmp_path)
    assert not frames_of(bone_curve(ob, "b1", "rotation_quaternion", 2), "GENERATED")
    assert not frames_of(bone_curve(ob, "b2", "rotation_quaternion", 0), "GENERATED")
    assert frames_of(bone_curve(ob, "b1", "location"), "GENERATED")
    assert any("b1" in note for note in plan.rig.notes)


def test_signs_and_turns_are_continuous(tmp_path: Path) -> None:
    """Quaternions that the artist keyed with the other sign, Euler angles beyond a half turn: no sweeps."""
    ob = make_armature((-1, 0))
    spin, roll = ob.pose.bones
    roll.rotation_mode = "YXZ"
    for frame, angle, sign in ((1, 0.2, -1), (10, 1.0, -1), (20, 1.6, 1)):
        spin.rotation_quaternion = [sign * math.cos(angle), sign * math.sin(angle), 0.0, 0.0]
        spin.keyframe_insert("rotation_quaternion", frame=frame)
        roll.rotation_euler = (0.05 * frame, 0.3, 12.0 + 0.1 * frame)
        roll.keyframe_insert("rotation_euler", frame=frame)
    plan, _ = run(ob, tmp_path)
    assert not plan.values
    for bone, prop, width in (("b0", "rotation_quaternion", 4), ("b1", "rotation_euler", 3)):
        curves = [bone_curve(ob, bone, prop, i) for i in range(width)]
        quarter = np.array([[fc.evaluate(1 + n / 4) for fc in curves] for n in range(4 * 18)])
        assert np.abs(np.diff(quarter, axis=0)).max() < 0.2, bone
    before, after = (
        np.array([bone_curve(ob, "b0", "rotation_quaternion", i).evaluate(t) for i in range(4)]) for t in (19.9, 20)
    )
    assert np.linalg.norm(before) == pytest.approx(1.0, abs=1e-3)  # held, not swept through nothing
    assert np.dot(before, after) < -0.9


def test_no_turn_of_a_wheel_is_lost(tmp_path: Path) -> None:
    ob = make_armature((-1,))
    wheel = ob.pose.bones["b0"]
    wheel.rotation_mode = "XYZ"
    for frame, angle in ((1, 0.0), (21, 4 * math.pi)):
        wheel.rotation_euler.y = angle
        wheel.keyframe_insert("rotation_euler", index=1, frame=frame)
    run(ob, tmp_path)
    assert bone_curve(ob, "b0", "rotation_euler", 1).evaluate(11) == pytest.approx(2 * math.pi, abs=1e-4)


def test_playing_on_stops_before_the_artists_next_key(tmp_path: Path) -> None:
    """From the last key of the selection; a bone that was keyed earlier holds until then."""
    ob = posed((1, 10))
    key_pose([ob.pose.bones["b1"]], 20, seed=5)
    before = dump(ob)
    held = [bone_curve(ob, "b0", "location", i).evaluate(20) for i in range(3)]
    run(ob, tmp_path, play_on=12)
    assert frames_of(bone_curve(ob, "b1", "location"), "GENERATED") == list(range(21, 33))
    assert frames_of(bone_curve(ob, "b0", "location"), "GENERATED") == list(range(11, 33))
    assert [bone_curve(ob, "b0", "location", i).evaluate(15) for i in range(3)] == pytest.approx(held)
    run(ob, tmp_path, play_on=5)
    assert frames_of(bone_curve(ob, "b1", "location"), "GENERATED") == list(range(21, 26))
    delete_generated_keys(ob.session_uid, ())
    assert dump(ob) == before
    for fcurve in fcurves(ob).values():
        for key in fcurve.keyframe_points:
            key.select_control_point = key.co.x < 15
    own = dump(ob, handles=False)
    plan, _ = run(ob, tmp_path, play_on=12)
    assert plan.play_on == 9 and any("frame 20" in note for note in plan.rig.notes)
    assert dump(ob, ARTISTS, handles=False) == own
    assert frames_of(bone_curve(ob, "b1", "location"), "GENERATED") == list(range(11, 20))
    key_pose(ob.pose.bones, 11, seed=8)
    with pytest.raises(MotionError, match="no room after frame 10"):
        for fcurve in fcurves(ob).values():
            for key in fcurve.keyframe_points:
                key.select_control_point = key.co.x == 10
        run(ob, tmp_path, play_on=12)


def test_a_cycle_plays_on_by_itself(tmp_path: Path) -> None:
    ob = posed((1, 10))
    for i in range(3):
        bone_curve(ob, "b1", "location", i).modifiers.new("CYCLES")
    plan, _ = run(ob, tmp_path, play_on=6)
    assert not frames_of(bone_curve(ob, "b1", "location"), "GENERATED")
    assert frames_of(bone_curve(ob, "b0", "location"), "GENERATED")
    assert any("Cycles" in note for note in plan.rig.notes)


def test_an_object_and_its_slot(tmp_path: Path) -> None:
    """Two props on one action: since Blender 4.4 each has its slot, and only one of them is written."""
    props = [bpy.data.objects.new(name, None) for name in ("Prop", "Other")]
    for ob in props:
        bpy.context.scene.collection.objects.link(ob)
        for frame in (1, 10):
            key_pose([ob], frame, seed=frame)
    first, second = props
    if bpy.app.version >= (4, 4):
        action = first.animation_data.action
        second.animation_data.action = action
        second.animation_data.action_slot = action.slots.new("OBJECT", "Other")
        for frame in (1, 10):
            key_pose([second], frame, seed=frame)
        assert first.animation_data.action_slot != second.animation_data.action_slot
    before = dump(first)
    plan, _ = run(second, tmp_path)
    assert dump(first) == before
    assert frames_of(fcurves(second)[("location", 0)], "GENERATED") == list(range(2, 10))
    assert not any("moves" in note for note in plan.rig.notes)


def test_a_shared_action_is_said(tmp_path: Path) -> None:
    """As Blender itself does: the keys go into the action, and so to all that it moves."""
    ob = posed()
    twin = ob.copy()
    bpy.context.scene.collection.objects.link(twin)
    plan, _ = run(ob, tmp_path)
    assert any("moves 2 objects" in note for note in plan.rig.notes)


def test_keys_set_meanwhile_are_kept(tmp_path: Path) -> None:
    """The artist works on while the engine runs."""
    ob = posed((1, 20))
    params = MotionParams(ob.session_uid, (), 1, 250, 24.0)
    export_clip(params, tmp_path)
    straight_engine(tmp_path)
    ob.pose.bones["b0"].location = (7.0, 8.0, 9.0)
    ob.pose.bones["b0"].keyframe_insert("location", frame=10)
    before = dump(ob, ARTISTS, handles=False)
    apply_result(params, tmp_path, EVERY)
    assert dump(ob, ARTISTS, handles=False) == before
    bpy.data.objects.remove(ob)
    with pytest.raises(MotionError, match="gone"):
        apply_result(params, tmp_path, EVERY)


def test_a_result_that_cannot_be_is_refused_whole(tmp_path: Path) -> None:
    """Damaged, missing, of the wrong shape, not a number: a sentence, and not one key."""
    ob = posed()
    before = dump(ob)
    params = MotionParams(ob.session_uid, (), 1, 250, 24.0)
    export_clip(params, tmp_path)
    good = straight_engine(tmp_path)
    nan = good["rotations"].copy()
    nan[3, 1, 2] = np.nan
    for damage in ({"rotations": nan}, {"locations": good["locations"][:, :-1]}, {"value_filled": np.zeros(3)}):
        write_result(tmp_path, good | damage)
        with pytest.raises(JobError, match="run the job again"):
            apply_result(params, tmp_path, EVERY)
    path = tmp_path / "result" / "clip.npz"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(JobError, match="run the job again"):
        apply_result(params, tmp_path, EVERY)
    path.unlink()
    with pytest.raises(JobError, match="run the job again"):
        apply_result(params, tmp_path, EVERY)
    assert dump(ob) == before


def test_200_frames_of_60_bones_take_no_time(tmp_path: Path) -> None:
    """Export, keys and deletion, each well under a second (here: under 2 on a busy machine)."""
    ob = make_armature([-1, *range(59)])
    for i, bone in enumerate(ob.pose.bones):
        bone.rotation_mode = MODES[i % len(MODES)]
    for frame in (1, 70, 140, 200):
        key_pose(ob.pose.bones, frame, seed=frame)
    params = MotionParams(ob.session_uid, (), 1, 250, 24.0)
    times = [time.process_time()]
    export_clip(params, tmp_path)
    times.append(time.process_time())
    straight_engine(tmp_path)
    times.append(time.process_time())
    count = apply_result(params, tmp_path, EVERY)
    times.append(time.process_time())
    assert delete_generated_keys(ob.session_uid, ()) == count > 60 * 6 * 190
    times.append(time.process_time())
    spent = dict(zip(("export", "engine", "keys", "delete"), np.diff(times).round(2).tolist(), strict=True))
    print(spent)
    assert max(spent[name] for name in ("export", "keys", "delete")) < 2.0, spent
