"""A result before it is keys: any amount of it, shown on the rig without a key, put back to the last digit, and ghosts
where Blender itself would put the bones."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from at_once import apply_take, export_clip
from bl_ext.user_default.understudy import quat
from bl_ext.user_default.understudy.ghosts import body_of, ghost_rows, where
from bl_ext.user_default.understudy.motion import MotionParams, make_plan
from bl_ext.user_default.understudy.sparse import Keying
from bl_ext.user_default.understudy.takes import Look, Take, read_take
from rigs import MODES, dump, fcurves, key_pose, make_armature, straight_engine, write_result

EVERY = Keying(every_frame=True)


def acted(ob: bpy.types.Object, folder: Path, last: int = 250) -> Take:
    """A take that strays from the straight lines in every channel."""
    params = MotionParams(ob.session_uid, () if ob.type == "ARMATURE" else None, 1, last, 24.0)
    export_clip(params, folder)
    result = straight_engine(folder)
    dice = np.random.default_rng(0)
    wave = np.sin(np.arange(len(result["rotations"])) * 0.5).astype(np.float32)[:, None, None]
    turns = wave * dice.uniform(-0.5, 0.5, (1, *result["rotations"].shape[1:2], 3)).astype(np.float32)
    bent = quat.multiply(result["plain_rotations"], quat.exp(turns))
    result["rotations"] = np.where(result["rotation_filled"][..., None], bent, result["rotations"])
    result["locations"] += np.where(result["location_filled"][..., None], 0.2 * wave, 0).astype(np.float32)
    write_result(folder, result)
    return read_take(params, folder)


def rig() -> bpy.types.Object:
    """Eight bones, one of each rotation mode, some that do not turn with their parent."""
    ob = make_armature((-1, 0, 1, 2, 0, 4, 5, -1), seed=4)
    ob.matrix_world = ob.matrix_world.Translation((1, 2, 3)) @ ob.matrix_world.Rotation(0.7, 4, "X")
    ob.data.bones["b2"].use_inherit_rotation = False
    for bone, mode in zip(ob.pose.bones, MODES, strict=True):
        bone.rotation_mode = mode
    for frame in (1, 9, 20):
        key_pose(ob.pose.bones, frame, seed=frame)
    return ob


def test_amounts(tmp_path: Path) -> None:
    """0 is the plain motion, 1 what was made to the last bit, between and beyond lie on one arc."""
    take = acted(rig(), tmp_path)
    assert np.array_equal(take.at(1.0)["rotations"], take.result["rotations"])
    assert np.allclose(take.at(0.0)["locations"], take.result["plain_locations"])
    plain = take.result["plain_rotations"] * quat.CONJUGATE

    def gone(amount: float) -> np.ndarray:
        return np.linalg.norm(quat.log(quat.multiply(plain, take.at(amount)["rotations"])), axis=-1)

    assert gone(0.0).max() < 1e-3 and gone(1.0).max() > 0.3
    for amount in (0.25, 0.5, 1.5):
        assert np.allclose(gone(amount), amount * gone(1.0), atol=2e-3), amount


def test_a_look_shows_the_keys_to_come_and_leaves_nothing(tmp_path: Path) -> None:
    """Every bone stands where it will once accepted; keys, unkeyed poses and the frame are then as they were."""
    ob, scene = rig(), bpy.context.scene
    take = acted(ob, tmp_path)
    scene.frame_set(5)
    ob.pose.bones["b1"].rotation_euler = (0.1, 0.2, 0.3)  # posed, and on no key
    before, pose = dump(ob), poses(ob)
    look = Look([take], [make_plan(take.params)], scene)
    look.show(scene, [take], 0.7)
    shown = poses(ob)
    assert shown != pose and dump(ob) == before
    scene.frame_set(12)
    look.restore(scene)
    assert scene.frame_current == 5 and poses(ob) == pose and dump(ob) == before
    apply_take(take, 0.7, EVERY)
    scene.frame_set(5)
    bpy.context.view_layer.update()
    for name, (rotation, location) in poses(ob).items():
        assert abs(np.dot(rotation, shown[name][0])) > 1 - 1e-5, name
        assert location == pytest.approx(shown[name][1], abs=1e-4)


def poses(ob: bpy.types.Object) -> dict[str, tuple[list[float], list[float]]]:
    """By bone: its rotation and its location, as its channels say."""
    bpy.context.view_layer.update()
    return {bone.name: (list(bone.matrix_basis.to_quaternion()), list(bone.location)) for bone in ob.pose.bones}


def test_ghosts_stand_where_the_bones_will(tmp_path: Path) -> None:
    """Heads and tails in the world, frame by frame, against Blender's own evaluation of the accepted keys."""
    ob = rig()
    for fcurve in [fc for (path, _), fc in fcurves(ob).items() if path == 'pose.bones["b2"].location']:
        fcurve.keyframe_points.clear()
    take = acted(ob, tmp_path)
    plan = make_plan(take.params)
    body = body_of(plan, take, ())
    frames, heads, tails = where(body, take, 1.0, now=10)
    apply_take(take, 1.0, EVERY)
    for row, frame in enumerate(frames.tolist()):
        bpy.context.scene.frame_set(frame)
        for j, name in enumerate(take.clip.joints):
            bone = ob.pose.bones[name]
            assert np.allclose(ob.matrix_world @ bone.head, heads[row, j], atol=2e-3), (frame, name)
            assert np.allclose(ob.matrix_world @ bone.tail, tails[row, j], atol=2e-3), (frame, name)


def test_ghosts_are_few_and_near() -> None:
    frames = np.arange(1, 400)
    rows = ghost_rows(frames, 200, 5)
    assert len(rows) <= 12 and 199 not in rows
    assert sorted(frames[rows].tolist()) == [170, 175, 180, 185, 190, 195, 205, 210, 215, 220, 225, 230]


def test_a_camera_with_lens_and_a_prop(tmp_path: Path) -> None:
    """Numbers that lie in an object's data are shown and put back too."""
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    bpy.context.scene.collection.objects.link(camera)
    camera["glow"] = 0.0
    for frame, lens in ((1, 20.0), (11, 80.0)):
        key_pose([camera], frame, seed=frame)
        camera.data.lens, camera["glow"] = lens, lens / 100
        camera.data.keyframe_insert("lens", frame=frame)
        camera.keyframe_insert('["glow"]', frame=frame)
    take = acted(camera, tmp_path)
    scene = bpy.context.scene
    scene.frame_set(6)
    before = camera.data.lens, camera["glow"], tuple(camera.location)
    look = Look([take], [make_plan(take.params)], scene)
    look.show(scene, [take], 1.5)
    assert camera.data.lens == pytest.approx(50.0) and tuple(camera.location) != before[2]
    look.restore(scene)
    assert (camera.data.lens, camera["glow"], tuple(camera.location)) == before
    apply_take(take, 1.0, EVERY)
    lens = camera.data.animation_data.action
    curve = lens.fcurves[0] if hasattr(lens, "fcurves") else lens.layers[0].strips[0].channelbags[0].fcurves[0]
    assert [round(key.co.x) for key in curve.keyframe_points] == list(range(1, 12))
    assert all(len(fcurve.keyframe_points) == 11 for fcurve in fcurves(camera).values())
