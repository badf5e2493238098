"""Loop, Clean and Learn with the real engine: a new action beside the old one, which stays to the last digit."""

from __future__ import annotations

import math
from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy import compat
from rigs import bone_curve, dump, fcurves, key_pose, make_armature


def captured(frames: int = 40, jitter: float = 0.0) -> bpy.types.Object:
    """A walker of seven bones in steps of about 20 frames that travels along X, a key on every frame."""
    ob = make_armature((-1, 0, 0, 0, 1, 2, 3), seed=1)
    dice = np.random.default_rng(0)
    for frame in range(1, frames + 1):
        for i, bone in enumerate(ob.pose.bones):
            bone.rotation_mode = "XYZ"
            swing = 0.4 * math.sin(2 * math.pi * frame / 20.5 + i) + jitter * dice.normal()
            bone.rotation_euler = (swing, 0.1 * swing, 0.0)
            bone.keyframe_insert("rotation_euler", frame=frame)
        ob.pose.bones["b0"].location = (0.05 * frame, 0.03 * math.sin(0.6 * frame), 0.0)
        ob.pose.bones["b0"].keyframe_insert("location", frame=frame)
    return ob


def values(ob: bpy.types.Object, start: int, end: int) -> np.ndarray:
    """(curves, T)."""
    return np.array([[fc.evaluate(f) for f in range(start, end + 1)] for _, fc in sorted(fcurves(ob).items())])


def test_a_loop_goes_round(tmp_path: Path) -> None:
    """Pose and velocity meet, root motion goes on, the action that was there is kept."""
    ob = captured()
    old = ob.animation_data.action
    before, rows = dump(ob), values(ob, 1, 41)
    gap = np.abs(rows[:, 0] - rows[:, 39]).max()
    assert bpy.ops.understudy.loop(bones="ALL", frame_start=1, frame_end=40) == {"FINISHED"}
    new = ob.animation_data.action
    assert new != old and old.use_fake_user and new.name == f"{old.name} loop" and new.use_cyclic
    turns = [fc for (path, _), fc in sorted(fcurves(ob).items()) if "rotation" in path]
    seam = max(abs(fc.evaluate(1) - fc.evaluate(40)) for fc in turns)
    assert gap > 0.1 and seam < 0.02
    for fc in turns:
        ahead, behind = fc.evaluate(2) - fc.evaluate(1), fc.evaluate(40) - fc.evaluate(39)
        assert abs(ahead - behind) < 0.06
        assert abs(fc.evaluate(79) - fc.evaluate(40)) < 0.02
    way = bone_curve(ob, "b0", "location")
    assert way.evaluate(79) - way.evaluate(40) == pytest.approx(way.evaluate(40) - way.evaluate(1), abs=0.05)
    assert sum(len(fc.keyframe_points) for fc in fcurves(ob).values()) < 0.6 * sum(map(len, before.values()))
    compat.assign_action(ob, old)
    assert dump(ob) == before


def test_a_loop_in_place_with_more_cycles() -> None:
    ob = captured()
    settings = bpy.context.scene.understudy_motion
    settings.loop_keep_root, settings.loop_modifier, settings.every_frame = False, False, True
    assert bpy.ops.understudy.loop(bones="ALL", frame_start=1, frame_end=40, repeats=2) == {"FINISHED"}
    way = bone_curve(ob, "b0", "location")
    assert [round(key.co.x) for key in way.keyframe_points] == list(range(1, 1 + 40 + 2 * 39))
    assert max(key.co.y for key in way.keyframe_points) - min(key.co.y for key in way.keyframe_points) < 0.5
    assert not len(way.modifiers)


def test_cleaning_takes_jitter_out_and_makes_keys_few() -> None:
    ob, smooth = captured(60, jitter=0.03), captured(60)
    old, noisy = ob.animation_data.action, values(ob, 1, 60)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.objects.active = ob
    bpy.ops.object.mode_set(mode="POSE")
    assert bpy.ops.understudy.clean(bones="ALL") == {"FINISHED"}
    assert ob.animation_data.action.name == f"{old.name} clean" and old.use_fake_user
    true, clean = values(smooth, 1, 60), values(ob, 1, 60)
    turns = np.array(["rotation" in path for path, _ in sorted(fcurves(ob))])
    rough = np.abs(np.diff(noisy[turns], 2)).mean()
    assert np.abs(np.diff(clean[turns], 2)).mean() < 0.5 * rough
    assert np.abs(clean[turns] - true[turns]).mean() < np.abs(noisy[turns] - true[turns]).mean()
    keys = [key for fc in fcurves(ob).values() for key in fc.keyframe_points]
    assert len(keys) < 0.6 * 60 * len(fcurves(ob)) and {key.type for key in keys} == {"KEYFRAME"}


def test_learning_from_actions(saved_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What fits the rig is learned from, the rest is not; what comes of it is told, and kept only if it was accepted."""
    ob = captured(150)
    ob.animation_data.action.name = "walk one"
    other = bpy.data.objects.new("Other", None)
    bpy.context.scene.collection.objects.link(other)
    for frame in (1, 9):
        key_pose([other], frame, seed=frame)
    before = dump(ob)
    with pytest.raises(RuntimeError, match="No action named 'run"):
        bpy.ops.understudy.learn_motion(actions="run*")
    assert bpy.ops.understudy.learn_motion(actions="walk*, nothing", seconds=2.0) == {"FINISHED"}
    assert dump(ob) == before and ob.animation_data.action.name == "walk one"
    told = capfd.readouterr().out
    assert "Learned from 1 clip, 150 frames" in told
    kept = bpy.context.scene.understudy_motion.learned
    if kept:
        assert kept.startswith("//understudy/motion/Rig")
        assert (saved_file.parent / "understudy" / "motion" / "Rig" / "inbetween.json").exists()
        for fcurve in fcurves(ob).values():
            for key in reversed([key for key in fcurve.keyframe_points if 10 < key.co.x < 30]):
                fcurve.keyframe_points.remove(key)
        assert bpy.ops.understudy.inbetween(bones="ALL") == {"FINISHED"}
    else:
        assert "nothing is kept" in told


def test_refusals_leave_everything(saved_file: Path) -> None:
    """A range without motion, a rig without actions: a sentence, and no new action."""
    ob = make_armature((-1, 0))
    assert not bpy.ops.understudy.loop.poll()
    with pytest.raises(RuntimeError, match="moves this rig"):
        bpy.ops.understudy.learn_motion()
    key_pose(ob.pose.bones, 5, seed=1)
    actions = len(bpy.data.actions)
    for call in (bpy.ops.understudy.loop, bpy.ops.understudy.clean):
        with pytest.raises(RuntimeError, match="no motion"):
            call(bones="ALL")
    anim = ob.animation_data
    strip = anim.nla_tracks.new().strips.new("late", 101, anim.action)
    anim.action, strip.select, anim.use_tweak_mode = None, True, True
    with pytest.raises(RuntimeError, match="tweak mode"):
        bpy.ops.understudy.clean(bones="ALL")
    assert len(bpy.data.actions) == actions


def test_from_a_terminal(saved_file: Path) -> None:
    """Every motion command, its settings for that run alone, and the result in the file that was asked for."""
    from bl_ext.user_default.understudy import cli

    ob, output = captured(), saved_file.parent / "done.blend"
    bpy.ops.object.mode_set(mode="OBJECT")
    keys = sum(len(fc.keyframe_points) for fc in fcurves(ob).values())

    def run(line: str) -> dict[str, set[str]]:
        assert cli.command([*line.split(), "--object", "Rig", "--output", str(output)]) == 0
        with bpy.data.libraries.load(str(output)) as (there, _):
            return {"actions": set(there.actions)}

    run("extrapolate --count 5 --amount 0.5 --model baseline")
    assert any(name.endswith(" loop") for name in run("loop --frames 1-40 --in-place --every-frame")["actions"])
    assert any(name.endswith(" clean") for name in run("clean --degrees 2")["actions"])
    run("reduce-keys --degrees 3 --lengths 0.1")
    assert sum(len(fc.keyframe_points) for fc in fcurves(ob).values()) < keys / 2
    assert cli.command(["extrapolate", "--object", "Rig", "--save"]) == 1, "a cycle plays on by itself"
    settings = bpy.context.scene.understudy_motion
    assert settings.loop_keep_root and not settings.every_frame and settings.degrees == pytest.approx(0.5)
    assert cli.command(["learn-motion", "--object", "Rig", "--actions", "nothing", "--save"]) == 1
