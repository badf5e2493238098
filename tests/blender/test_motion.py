"""What a motion job holds: arrays against Blender's own evaluation of the pose, key masks, and what is left alone."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from at_once import apply_result, clip_arrays, export_clip
from bl_ext.user_default.understudy.curves import MotionError
from bl_ext.user_default.understudy.job_folder import read_clip
from bl_ext.user_default.understudy.motion import MotionParams, Plan, clip_header, make_plan
from bl_ext.user_default.understudy.sparse import Keying
from mathutils import Quaternion, Vector
from rigs import MODES, bone_curve, fcurves, key_pose, make_armature, turn, write_result


def params(ob: bpy.types.Object, *bones: str, **other: Any) -> MotionParams:
    """In-between of some bones (all) from frame 1 to 250."""
    return MotionParams(
        ob.session_uid,
        bones if ob.type == "ARMATURE" else None,
        **{"frame_start": 1, "frame_end": 250, "fps": 24.0} | other,
    )


def arrays_of(ob: bpy.types.Object, *bones: str, **other: Any) -> tuple[Plan, dict[str, np.ndarray]]:
    """The plan and the arrays of a job."""
    plan = make_plan(params(ob, *bones, **other))
    return plan, clip_arrays(plan)


def column(plan: Plan, name: str) -> int:
    """A joint's index."""
    return [joint.name for joint in plan.rig.joints].index(name)


def same(a: Quaternion, b: Quaternion) -> bool:
    """Whether two rotations differ by less than a tenth of a degree, whatever their signs."""
    return abs(a.normalized().dot(b.normalized())) > 1 - 4e-7


PARENTS = (-1, 0, 1, 2, 1, 4, 0, -1)


def awkward_rig() -> bpy.types.Object:
    """Bones of every rotation mode; among them a connected one, one that does not inherit rotation and has children,
    and ones whose location is not local."""
    ob = make_armature(PARENTS, seed=3)
    ob.matrix_world = Quaternion((1, 2, 3), 1.0).to_matrix().to_4x4() @ ob.matrix_world
    ob.scale = (2.0, 2.0, 2.0)
    bpy.ops.object.mode_set(mode="EDIT")
    edit = ob.data.edit_bones
    edit["b3"].head = edit["b2"].tail
    edit["b3"].use_connect = True
    bpy.ops.object.mode_set(mode="POSE")
    ob.data.bones["b4"].use_inherit_rotation = False
    for name in ("b2", "b7"):
        ob.data.bones[name].use_local_location = False
    for bone, mode in zip(ob.pose.bones, MODES, strict=True):
        bone.rotation_mode = mode
    return ob


def test_arrays_say_what_blender_shows() -> None:
    """Forward kinematics of the arrays meets every bone's place and orientation in Blender, frame by frame."""
    ob = awkward_rig()
    for frame in (1, 8, 15):
        key_pose(ob.pose.bones, frame, seed=frame)
    plan, arrays = arrays_of(ob)
    clip = clip_header(plan, 24.0)
    for t, frame in enumerate(plan.frames):
        bpy.context.scene.frame_set(frame)
        turned: list[Quaternion] = []
        placed: list[Vector] = []
        for j, (name, parent) in enumerate(zip(clip.joints, clip.parents, strict=True)):
            q, reach = Quaternion(arrays["rotations"][t, j]), Vector(arrays["offsets"][j] + arrays["locations"][t, j])
            turned.append(turned[parent] @ q if parent >= 0 else q)
            placed.append(placed[parent] + turned[parent] @ reach if parent >= 0 else reach)
            bone = ob.pose.bones[name]
            pose, rest = bone.matrix.to_quaternion(), bone.bone.matrix_local.to_quaternion()
            assert same(pose @ rest.conjugated(), turned[j]), (frame, name)
            assert (bone.head - placed[j]).length < 1e-4, (frame, name)


def shown(ob: bpy.types.Object) -> dict[tuple[str, int], np.ndarray]:
    """Every curve at frames 1 to 25; quaternions and axes of unit length, as Blender takes them."""
    out = {where: np.array([fc.evaluate(f) for f in range(1, 26)]) for where, fc in fcurves(ob).items()}
    for path in {path for path, i in out if i == 3}:
        numbers = range("axis_angle" in path, 4)
        length = np.sqrt(sum(out[path, i] ** 2 for i in numbers))
        out |= {(path, i): out[path, i] / length for i in numbers}
    return out


def test_round_trip_gives_every_channel_back(tmp_path: Path) -> None:
    """Arrays that come back unchanged change no curve at any frame: all modes, flags, scales and properties."""
    ob = awkward_rig()
    ob.data.bones["b5"].inherit_scale = "NONE"
    for frame in (1, 9, 17, 25):
        key_pose(ob.pose.bones, frame, seed=frame, scale=True)
        ob.pose.bones["b1"]["glow"] = frame / 3.0
        ob.pose.bones["b1"].keyframe_insert('["glow"]', frame=frame)
    before = shown(ob)
    plan = export_clip(params(ob), tmp_path)
    arrays = clip_arrays(plan)
    result = {"frame_start": np.int64(plan.frame_start)}
    for kind in ("rotation", "location", "value"):
        result[f"{kind}s"] = result[f"plain_{kind}s"] = arrays[f"{kind}s"]
        result[f"{kind}_filled"] = ~arrays[f"{kind}_keys"]
    write_result(tmp_path, result)
    count = apply_result(params(ob), tmp_path, Keying(every_frame=True))
    connected = 3
    assert count == (len(before) - connected) * 21
    for where, values in shown(ob).items():
        assert np.allclose(values, before[where], atol=2e-4), where


def test_keys_are_marked_per_bone_and_channel() -> None:
    """Two hip keys do not pin the fingers."""
    ob = make_armature((-1, 0, 1))
    hip, finger = ob.pose.bones["b0"], ob.pose.bones["b2"]
    for frame in (1, 20):
        key_pose([hip], frame, seed=frame)
    for frame in (1, 5, 12, 20):
        key_pose([finger], frame, seed=frame, location=False)
    hip.keyframe_insert("location", index=1, frame=10)
    plan, arrays = arrays_of(ob)
    rotation = {name: np.flatnonzero(arrays["rotation_keys"][:, column(plan, name)]) + 1 for name in ("b0", "b2")}
    assert rotation["b0"].tolist() == [1, 20]
    assert rotation["b2"].tolist() == [1, 5, 12, 20]
    assert (np.flatnonzero(arrays["location_keys"][:, column(plan, "b0")]) + 1).tolist() == [1, 10, 20]
    assert arrays["rotation_wanted"].tolist() == [True, False, True]
    assert arrays["location_wanted"].tolist() == [True, False, False]


def test_only_the_bones_asked_for_are_wanted() -> None:
    ob = make_armature((-1, 0, 1, -1))
    for frame in (1, 20):
        key_pose(list(ob.pose.bones)[1:3], frame, seed=frame)
    plan, arrays = arrays_of(ob, "b2")
    assert [joint.name for joint in plan.rig.joints] == ["b0", "b1", "b2"]  # b3 has no part in it
    assert arrays["rotation_wanted"].tolist() == [False, False, True]
    assert arrays["rotation_keys"][:, :2].all()  # context is given at every frame
    assert arrays["location_wanted"].tolist() == [False, False, True]


def test_a_bone_without_curves_keeps_its_pose() -> None:
    ob = make_armature((-1, 0))
    turn(ob.pose.bones["b0"], random.Random(4))
    still = ob.pose.bones["b0"].rotation_quaternion.copy()
    for frame in (1, 20):
        key_pose([ob.pose.bones["b1"]], frame, seed=frame)
    plan, arrays = arrays_of(ob)
    rest = plan.rig.joints[0].rest
    for row in arrays["rotations"][:, 0]:
        assert same(Quaternion(row), rest @ still @ rest.conjugated())
    assert not arrays["rotation_wanted"][0]


def test_constraints_and_drivers_do_not_leak() -> None:
    """A constrained bone gives its own channels, a driven channel is left alone, and both are said."""
    ob = make_armature((-1, 0, 0))
    for frame in (1, 20):
        key_pose(ob.pose.bones, frame, seed=frame)
    free = arrays_of(ob)[1]["rotations"]
    copy = ob.pose.bones["b1"].constraints.new("COPY_ROTATION")
    copy.target, copy.subtarget = ob, "b2"
    driver = ob.pose.bones["b2"].driver_add("location", 1).driver
    driver.expression = "frame * 0.1"
    plan, arrays = arrays_of(ob)
    assert np.array_equal(arrays["rotations"], free)
    curves = {c.index: c.free for t in plan.rig.tracks if (t.kind, t.name) == ("location", "b2") for c in t.curves}
    assert curves == {0: True, 1: False, 2: True}
    assert any("Constraints" in note and "b1" in note for note in plan.rig.notes)
    assert any("driven" in note and "b2" in note for note in plan.rig.notes)


def test_a_wheel_that_turns_twice_is_filled_by_angle() -> None:
    """A quaternion cannot hold two turns: such angles go as numbers of their own, so that no turn is lost."""
    ob = make_armature((-1, 0))
    wheel = ob.pose.bones["b1"]
    wheel.rotation_mode = "XYZ"
    for frame, angle in ((1, 0.0), (20, 12.566)):
        wheel.rotation_euler = (0.0, angle, 0.0)
        wheel.keyframe_insert("rotation_euler", frame=frame)
    plan, arrays = arrays_of(ob)
    assert [track.name for track in plan.values] == [f'pose.bones["b1"].rotation_euler[{i}]' for i in range(3)]
    assert arrays["values"][-1].tolist() == pytest.approx([0.0, 12.566, 0.0])
    assert not arrays["rotation_wanted"].any()
    assert any("b1" in note for note in plan.rig.notes)


def test_past_context_is_given() -> None:
    """Ten frames of motion before the range are there and count as keyed; before the action begins there is nothing."""
    ob = make_armature((-1,))
    for frame in (1, 4, 30, 40):
        key_pose(ob.pose.bones, frame, seed=frame)
    plan, arrays = arrays_of(ob, frame_start=30, frame_end=40)
    assert (plan.frame_start, plan.frame_end) == (20, 40)
    assert np.flatnonzero(~arrays["rotation_keys"][:, 0]).tolist() == list(range(11, 20))
    plan, _ = arrays_of(ob, frame_start=4, frame_end=30)
    assert plan.frame_start == 1


def test_selected_keys_narrow_the_range() -> None:
    ob = make_armature((-1, 0))
    for frame in (1, 10, 20, 30):
        key_pose(ob.pose.bones, frame, seed=frame, location=False)
    for fcurve in fcurves(ob).values():
        for key in fcurve.keyframe_points:
            key.select_control_point = "b1" in fcurve.data_path and key.co.x in (10, 20)
    plan, arrays = arrays_of(ob)
    assert {track.name: span for track, span in plan.spans.items()} == {"b1": (10, 20)}
    assert arrays["rotation_wanted"].tolist() == [False, True]
    plan, _ = arrays_of(ob, use_selected_keys=False)
    assert set(plan.spans.values()) == {(1, 30)}
    for key in bone_curve(ob, "b1", "rotation_quaternion").keyframe_points:
        key.select_control_point = False
    assert set(arrays_of(ob)[0].spans.values()) == {(10, 20)}


def test_a_tweaked_strip_has_its_own_time() -> None:
    """The frame range is the scene's, the keys are the action's."""
    ob = make_armature((-1,))
    for frame in (1, 20):
        key_pose(ob.pose.bones, frame, seed=frame)
    anim = ob.animation_data
    strip = anim.nla_tracks.new().strips.new("late", 101, anim.action)
    anim.action = None
    strip.select = True
    anim.use_tweak_mode = True
    assert set(arrays_of(ob, frame_start=101, frame_end=120)[0].spans.values()) == {(1, 20)}
    with pytest.raises(MotionError, match="nothing to fill"):
        make_plan(params(ob, frame_start=1, frame_end=20))


def test_keys_between_frames_hold_both_neighbours() -> None:
    ob = make_armature((-1,))
    for frame in (1.0, 7.5, 20.0):
        key_pose(ob.pose.bones, frame, seed=int(frame), location=False)
    _, arrays = arrays_of(ob)
    assert (np.flatnonzero(arrays["rotation_keys"][:, 0]) + 1).tolist() == [1, 7, 8, 20]


def test_up_is_the_armature_axis_that_points_up() -> None:
    ob = make_armature((-1,))
    for frame in (1, 9):
        key_pose(ob.pose.bones, frame, seed=frame)
    assert arrays_of(ob)[0].rig.up == "Z"
    ob.rotation_euler.x = np.pi / 2
    bpy.context.view_layer.update()
    assert arrays_of(ob)[0].rig.up == "Y"


def test_an_object_is_a_rig_of_one_joint() -> None:
    """A prop: its transform, its scale and its own numbers, but no switches and no paths that lead nowhere."""
    ob = bpy.data.objects.new("Prop", None)
    bpy.context.scene.collection.objects.link(ob)
    ob.rotation_mode = "ZXY"
    ob["glow"] = 0.5
    for frame in (1, 20):
        key_pose([ob], frame, seed=frame, scale=True)
        ob.keyframe_insert('["glow"]', frame=frame)
        ob.keyframe_insert("hide_viewport", frame=frame)
    stray = fcurves(ob)[('["glow"]', 0)]
    plan, arrays = arrays_of(ob)
    assert [track.name for track in plan.values] == ["scale[0]", "scale[1]", "scale[2]", '["glow"][0]']
    assert arrays["rotation_wanted"].tolist() == [True]
    assert same(Quaternion(arrays["rotations"][-1, 0]), ob.rotation_euler.to_quaternion())
    stray.data_path = '["no such"]'
    assert [track.name for track in arrays_of(ob)[0].values] == ["scale[0]", "scale[1]", "scale[2]"]


def test_sentences() -> None:
    """What an artist can mend is one sentence that says how."""
    ob = make_armature((-1, 0))
    with pytest.raises(MotionError, match="key at least two poses"):
        make_plan(params(ob))
    key_pose([ob.pose.bones["b0"]], 5, seed=1)
    with pytest.raises(MotionError, match="key at least two poses"):
        make_plan(params(ob))
    with pytest.raises(MotionError, match="two poses"):
        make_plan(params(ob, play_on=10))
    key_pose([ob.pose.bones["b0"]], 15, seed=1)
    with pytest.raises(MotionError, match="frame 20 to 40"):
        make_plan(params(ob, frame_start=20, frame_end=40))
    with pytest.raises(MotionError, match="select others"):
        make_plan(params(ob, "b1"))
    ob.pose.bones["b0"].lock_location = ob.pose.bones["b0"].lock_rotation = (True,) * 3
    with pytest.raises(MotionError, match="locked were left alone: b0"):
        make_plan(params(ob))


def test_an_empty_armature_and_a_linked_action(tmp_path: Path) -> None:
    empty = bpy.data.objects.new("Empty", bpy.data.armatures.new("Empty"))
    bpy.context.scene.collection.objects.link(empty)
    bpy.context.view_layer.update()  # Blender gives it its pose
    with pytest.raises(MotionError, match="no action"):
        make_plan(params(empty))
    key_pose([empty], 1, seed=1)
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {empty.animation_data.action})
    with bpy.data.libraries.load(str(tmp_path / "library.blend"), link=True) as (there, here):
        here.actions = list(there.actions)
    empty.animation_data.action = next(action for action in bpy.data.actions if action.library)
    with pytest.raises(MotionError, match="linked"):
        make_plan(params(empty))


def test_files_are_as_the_contract_says(tmp_path: Path) -> None:
    ob = make_armature((-1, 0, 0))
    for frame in (1, 20):
        key_pose(ob.pose.bones, frame, seed=frame, scale=True)
    export_clip(params(ob), tmp_path)
    clip = read_clip(tmp_path)
    assert (clip.joints, clip.parents, len(clip.channels)) == (["b0", "b1", "b2"], [-1, 0, 0], 9)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.json", "clip.npz"]
