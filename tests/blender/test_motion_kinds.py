"""Whatever an animator animates, through the operators and the real engine: control rigs, Rigify's, faces, cameras, props,
captured motion from a BVH file, and several of them at once."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy import compat
from mathutils import Quaternion, Vector
from rigs import bone_curve, dump, fcurves, frames_of, key_pose, make_armature


def own_values_stay(ob: bpy.types.Object, before: dict) -> None:
    """Every key that was there is still there, and the curve passes it."""
    for where, keys in before.items():
        now = {key[0]: key for key in dump(ob, ("KEYFRAME",), handles=False)[where]}
        assert all(now.get(key[0]) == key for key in keys), where


def link(ob: bpy.types.Object, active: bool = True) -> bpy.types.Object:
    bpy.context.scene.collection.objects.link(ob)
    if active:
        bpy.context.view_layer.objects.active = ob
    return ob


def face() -> bpy.types.Object:
    """A mesh whose shape keys are animated, and nothing else."""
    ob = link(bpy.data.objects.new("Face", bpy.data.meshes.new("Face")))
    ob.data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    ob.shape_key_add(name="Basis")
    smile = ob.shape_key_add(name="Smile")
    for frame, value in ((1, 0.0), (12, 0.8), (24, 0.1)):
        smile.value = value
        smile.keyframe_insert("value", frame=frame)
    return ob


def test_shape_keys() -> None:
    ob = face()
    assert bpy.ops.understudy.inbetween() == {"FINISHED"}
    curve = compat.action_fcurves(ob.data.shape_keys)[0]
    assert frames_of(curve, "KEYFRAME") == [1, 12, 24] and frames_of(curve, "GENERATED")
    assert [curve.evaluate(frame) for frame in (1, 12, 24)] == pytest.approx([0.0, 0.8, 0.1])
    assert 0.2 < curve.evaluate(6) < 0.7
    assert bpy.ops.understudy.delete_generated_keys() == {"FINISHED"}
    assert not frames_of(curve, "GENERATED")


def test_a_camera_a_prop_and_a_face_at_once() -> None:
    """All that are selected, each with its own channels; what has no keys is left alone."""
    camera = link(bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera")))
    prop, still = (link(bpy.data.objects.new(name, None)) for name in ("Prop", "Still"))
    smile = face()
    for frame in (1, 12, 24):
        key_pose([camera, prop], frame, seed=frame, scale=True)
        camera.data.lens = 20.0 + frame
        camera.data.keyframe_insert("lens", frame=frame)
    for ob in (camera, prop, still, smile):
        ob.select_set(True)
    bpy.context.view_layer.objects.active = prop
    before = [dump(ob, handles=False) for ob in (camera, prop)]
    bpy.context.scene.understudy_motion.every_frame = True
    assert bpy.ops.understudy.inbetween() == {"FINISHED"}
    middle = [*range(2, 12), *range(13, 24)]
    for ob, kept in zip((camera, prop), before, strict=True):
        assert all(frames_of(fcurve, "GENERATED") == middle for fcurve in fcurves(ob).values())
        own_values_stay(ob, kept)
    for data in (camera.data, smile.data.shape_keys):
        assert frames_of(compat.action_fcurves(data)[0], "GENERATED") == middle
    assert still.animation_data is None


def control_rig() -> bpy.types.Object:
    """A leg by an IK control that is moved, not turned, with a custom property and a hip that carries it."""
    ob = make_armature((-1, 0, 1, -1, -1), seed=2)
    hip, _, lower, foot, pole = ob.pose.bones
    solver: Any = lower.constraints.new("IK")
    solver.target, solver.subtarget, solver.chain_count = ob, foot.name, 2
    foot["roll"] = 0.0
    for frame in (1, 10, 30):
        key_pose([hip], frame, seed=frame)
        foot.location = (0.1 * frame, math.sin(frame), 0.0)
        foot["roll"] = frame / 40
        foot.keyframe_insert("location", frame=frame)
        foot.keyframe_insert('["roll"]', frame=frame)
    pole.lock_location = (True, True, True)
    key_pose([pole], 1, seed=1)
    key_pose([pole], 30, seed=2)
    return ob


def test_a_control_rig(capfd: pytest.CaptureFixture[str]) -> None:
    """Controls with locations and properties get keys, what the constraint moves gets none, locks are kept."""
    ob = control_rig()
    before = dump(ob, handles=False)
    assert bpy.ops.understudy.inbetween(bones="ALL") == {"FINISHED"}
    own_values_stay(ob, before)
    made = {where for where, keys in dump(ob, ("GENERATED",)).items() if keys}
    assert ('pose.bones["b3"].location', 0) in made and ('pose.bones["b3"]["roll"]', 0) in made
    assert not {path for path, _ in made if '"b1"' in path or '"b2"' in path}
    assert ('pose.bones["b4"].location', 0) not in made
    told = capfd.readouterr().out
    assert "locked were left alone: b4" in told


def test_rigifys_human() -> None:
    """The generated control rig of Blender's own add-on, with poses of a few controls only."""
    bpy.ops.preferences.addon_enable(module="rigify")
    bpy.ops.object.armature_basic_human_metarig_add()
    metarig = bpy.context.object
    bpy.ops.pose.rigify_generate()
    rig = next(ob for ob in bpy.data.objects if ob.type == "ARMATURE" and ob != metarig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="POSE")
    controls = [rig.pose.bones[name] for name in ("torso", "chest", "hand_ik.L", "foot_ik.R", "upper_arm_fk.R", "head")]
    for frame in (1, 12, 24):
        key_pose(controls, frame, seed=frame)
    before = dump(rig, handles=False)
    assert bpy.ops.understudy.inbetween(bones="ALL") == {"FINISHED"}
    own_values_stay(rig, before)
    assert sum(bool(frames_of(fcurve, "GENERATED")) for fcurve in fcurves(rig).values()) > 20
    bpy.ops.preferences.addon_disable(module="rigify")


BVH = """HIERARCHY
ROOT Hips
{
 OFFSET 0 0 0
 CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
 JOINT Spine
 {
  OFFSET 0 20 0
  CHANNELS 3 Zrotation Yrotation Xrotation
  JOINT Head
  {
   OFFSET 0 30 0
   CHANNELS 3 Zrotation Yrotation Xrotation
   End Site
   {
    OFFSET 0 15 0
   }
  }
 }
 JOINT Leg
 {
  OFFSET 10 -5 0
  CHANNELS 3 Zrotation Yrotation Xrotation
  End Site
  {
   OFFSET 0 -45 0
  }
 }
}
MOTION
Frames: 40
Frame Time: 0.0333333
"""


def import_bvh(folder: Path) -> bpy.types.Object:
    """A captured stroll, brought in by Blender's importer: a key on every frame."""
    rows = []
    for t in range(40):
        turns = [8 * math.sin(0.3 * t + i) for i in range(12)]
        rows.append(" ".join(f"{x:.4f}" for x in (t, 90 + math.sin(0.6 * t), 0.1 * t, *turns)))
    path = folder / "stroll.bvh"
    path.write_text(BVH + "\n".join(rows) + "\n")
    bpy.ops.preferences.addon_enable(module="io_anim_bvh")
    bpy.ops.import_anim.bvh(filepath=str(path), global_scale=0.01)
    return bpy.context.object


def test_a_bvh_file_as_it_comes(tmp_path: Path) -> None:
    """Fewer keys within the bound, then a gap cut into it and filled again, then played on."""
    ob = import_bvh(tmp_path)
    bpy.ops.object.mode_set(mode="POSE")
    dense = {where: [fc.evaluate(f) for f in range(1, 41)] for where, fc in fcurves(ob).items()}
    assert bpy.ops.understudy.reduce_keys(bones="ALL") == {"FINISHED"}
    now = {where: [fc.evaluate(f) for f in range(1, 41)] for where, fc in fcurves(ob).items()}
    for where, values in dense.items():
        bound = math.radians(0.5) * 1.8 if "rotation" in where[0] else 0.02 * 0.3
        assert np.abs(np.subtract(values, now[where])).max() <= bound, where
    for fcurve in fcurves(ob).values():
        for key in reversed([key for key in fcurve.keyframe_points if 10 < key.co.x < 30]):
            fcurve.keyframe_points.remove(key)
        for frame in (10, 30):
            fcurve.keyframe_points.insert(frame, fcurve.evaluate(frame))
    before = dump(ob, handles=False)
    assert bpy.ops.understudy.inbetween(bones="ALL", frame_start=10, frame_end=30) == {"FINISHED"}
    assert bpy.ops.understudy.extrapolate(bones="ALL", frames=10) == {"FINISHED"}
    own_values_stay(ob, before)
    generated = frames_of(bone_curve(ob, "Hips", "location"), "GENERATED")
    assert min(generated) > 10 and 30 < max(generated) <= 50


def test_playing_on_to_the_next_key() -> None:
    """The motion arrives: the last generated pose is near the target's, and the target is as it was."""
    ob = make_armature((-1, 0, 1, 1))
    for frame in (1, 5, 10, 40):
        key_pose(ob.pose.bones, frame, seed=frame)
    for fcurve in fcurves(ob).values():
        for key in fcurve.keyframe_points:
            key.select_control_point = key.co.x <= 10
    before = dump(ob, handles=False)
    settings = bpy.context.scene.understudy_motion
    settings.every_frame = True
    assert bpy.ops.understudy.extrapolate(bones="ALL", towards_target=True) == {"FINISHED"}
    own_values_stay(ob, before)
    for fcurve in fcurves(ob).values():
        assert frames_of(fcurve, "GENERATED") == list(range(11, 40))
        assert abs(fcurve.evaluate(39) - fcurve.evaluate(40)) < 0.25
    for fcurve in fcurves(ob).values():
        for key in fcurve.keyframe_points:
            key.select_control_point = key.co.x == 40
    with pytest.raises(RuntimeError, match="no key after frame 40"):
        bpy.ops.understudy.extrapolate(bones="ALL", towards_target=True)


@pytest.mark.parametrize("model", ["auto", "baseline"])
def test_playing_on_along_the_way_of_the_root(model: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The root is keyed further than the rest: it goes where it is keyed, and the rest goes on with it, and on after that."""
    ob = make_armature((-1, 0, 1, 2, 1, 4, 0, 6))
    for frame in range(1, 21):
        key_pose(ob.pose.bones, frame, seed=frame // 4)
    root = ob.pose.bones["b0"]
    for frame, place in ((30, (1.0, 0.0, 2.0)), (44, (3.0, 0.0, 2.0))):
        root.location = place
        root.keyframe_insert("location", frame=frame)
    before, way = dump(ob, handles=False), bone_curve(ob, "b0", "location", 2)
    shown = [way.evaluate(frame) for frame in range(20, 45)]
    bpy.context.scene.understudy_motion.every_frame = True
    assert bpy.ops.understudy.extrapolate(bones="ALL", frames=40, model=model) == {"FINISHED"}
    assert "'b0' goes where it is keyed" in capfd.readouterr().out
    own_values_stay(ob, before)
    assert frames_of(way, "GENERATED") == list(range(45, 61)), "the way itself is the artist's"
    assert [way.evaluate(frame) for frame in range(20, 45)] == pytest.approx(shown, abs=1e-4)
    assert abs(way.evaluate(45) - way.evaluate(44)) < 0.5, "it goes on from the way's end"
    for name in ("b0", "b3", "b7"):
        assert frames_of(bone_curve(ob, name, "rotation_quaternion"), "GENERATED") == list(range(21, 61))


def test_other_takes_differ_and_the_amount_is_kept() -> None:
    """Seeds with variation give other motion, the same seed the same; an amount of 0 is the plain interpolation."""
    ob = make_armature((-1, 0, 0, 0, 1, 2, 3), seed=1)
    for frame in (1, 15, 30):
        key_pose(ob.pose.bones, frame, seed=frame, location=False)

    def made(**options: Any) -> np.ndarray:
        assert bpy.ops.understudy.inbetween(bones="ALL", **options) == {"FINISHED"}
        return np.array([[fc.evaluate(f) for f in range(1, 31)] for fc in fcurves(ob).values()])

    bpy.context.scene.understudy_motion.every_frame = True
    acted, plain, half = made(), made(amount=0.0), made(amount=0.5)
    assert np.allclose(made(amount=0.0, seed=5), plain)
    assert np.allclose(plain, made(model="baseline"), atol=1e-4)
    assert np.abs(acted - plain).max() > 1e-3
    assert np.abs(half - (acted + plain) / 2).max() < 0.1 * np.abs(acted - plain).max()
    one, two = made(seed=1, variation=1.0), made(seed=2, variation=1.0)
    assert np.abs(one - two).max() > 1e-3 and np.array_equal(one, made(seed=1, variation=1.0))
    assert bpy.ops.understudy.act_amount(amount=1.5) == {"FINISHED"}
    ob.pose.bones["b1"].rotation_quaternion = (1, 0, 0, 0)
    ob.pose.bones["b1"].keyframe_insert("rotation_quaternion", frame=8)
    with pytest.raises(RuntimeError, match="keys have changed"):
        bpy.ops.understudy.act_amount(amount=0.5)


def ik_walker() -> bpy.types.Object:
    """A body and two feet, controls that hang on a bone that nobody keys, keyed as they walk along -Y; the head turns."""
    ob = make_armature((-1, 0, 0, 0, 1), seed=4)
    for bone in ob.data.bones:
        bone.use_local_location = False  # locations are in the axes of the bone above
    body, left, right, head = (ob.pose.bones[f"b{i}"] for i in range(1, 5))
    for frame in range(0, 61, 5):
        step, swings = divmod(frame, 10)
        ahead, lead = ob.data.bones["b0"].matrix_local.to_3x3().inverted() @ Vector((0, -1, 0)), step % 2
        body.location = ahead * (frame / 10)
        for foot, late in ((left, lead == 0), (right, lead == 1)):
            foot.location = ahead * (step + (0.5 if late else -0.5) + (0.0 if late or not swings else 1.0))
        head.rotation_quaternion = Quaternion((1, 0, 0), 0.3 * (-1) ** step)
        for bone in (body, left, right):
            bone.keyframe_insert("location", frame=frame + 1)
        head.keyframe_insert("rotation_quaternion", frame=frame + 1)
    return ob


@pytest.mark.parametrize("way", [False, True])
def test_the_feet_of_a_control_rig_play_on(way: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """They stay with the body, freely and along a way that the body alone is keyed on."""
    ob = ik_walker()
    body = ob.pose.bones["b1"]
    if way:
        body.location *= 11 / 6
        body.keyframe_insert("location", frame=111)
    before = dump(ob, handles=False)
    assert bpy.ops.understudy.extrapolate(bones="ALL", frames=50) == {"FINISHED"}
    own_values_stay(ob, before)
    assert ("'b1' goes where it is keyed" in capfd.readouterr().out) == way
    apart, went = [], []
    for frame in range(61, 112, 5):
        bpy.context.scene.frame_set(frame)
        at = {name: ob.pose.bones[name].matrix.translation.copy() for name in ("b1", "b2", "b3")}
        rest = {name: ob.data.bones[name].head_local for name in at}
        moved = {name: at[name] - rest[name] for name in at}
        apart += [(moved[name] - moved["b1"]).length for name in ("b2", "b3")]
        went.append(moved["b1"].length)
    assert max(apart) < 1.3, "no foot is left behind"
    assert 4.0 < went[-1] - went[0] < 6.0


def test_motion_goes_on_through_the_last_of_sparse_keys() -> None:
    """Blender's own curves are level at a last key; what is played on does not stop there, and then start anew."""
    ob = make_armature((-1, 0, 1, 2, 1, 4, 0, 6), seed=2)
    for frame in range(1, 74, 12):
        for bone in ob.pose.bones:
            bone.rotation_quaternion = Quaternion((0, 0, 1), 0.4 * math.sin(frame / 9 + len(bone.parent_recursive)))
            bone.keyframe_insert("rotation_quaternion", frame=frame)
        ob.pose.bones["b0"].location = (frame / 12, 0, 0)
        ob.pose.bones["b0"].keyframe_insert("location", frame=frame)
    before, way = dump(ob, handles=False), bone_curve(ob, "b0", "location")
    assert way.evaluate(73) - way.evaluate(72) < 0.02, "level without us"
    assert bpy.ops.understudy.extrapolate(bones="ALL", frames=12) == {"FINISHED"}
    own_values_stay(ob, before)
    pace = [(way.evaluate(frame + 1) - way.evaluate(frame)) * 12 for frame in range(66, 78)]
    assert min(pace) > 0.5 and max(pace) < 2.0, "as fast before the key as after it, and as between all others"
