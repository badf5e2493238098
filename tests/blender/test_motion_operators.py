"""The operators as an artist or a script calls them: what they ask of the engine, what they say, what they refuse."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy import compat
from bl_ext.user_default.understudy.job_folder import read_clip, read_job
from bl_ext.user_default.understudy.operators import motion_job as operators
from bl_ext.user_default.understudy.properties import job_folder
from rigs import bone_curve, dump, fcurves, frames_of, key_pose, make_armature, straight_engine


@pytest.fixture
def straight(fake_engine: Callable[..., None], monkeypatch: pytest.MonkeyPatch, saved_file: Path) -> Path:
    """An engine that joins keys by straight lines, in a saved file where every frame is keyed: the folder of its jobs."""
    bpy.context.scene.understudy_motion.every_frame = True
    fake_engine(jobs=[[{"finish": {"results": ["result/clip.npz"], "notes": ["By straight lines."]}}]])
    export = operators.export_steps

    def export_and_fill(plan: Any, fps: float, folder: Path) -> Any:
        yield from export(plan, fps, folder)
        straight_engine(folder, plan.play_on)

    monkeypatch.setattr(operators, "export_steps", export_and_fill)
    folder = job_folder(bpy.context.scene)
    assert folder is not None
    return folder / "motion"


def select(ob: bpy.types.Object, *names: str) -> None:
    for bone in ob.pose.bones:
        compat.select_bone(bone, bone.name in names)


def walker(frames: tuple[int, ...] = (1, 10, 20)) -> bpy.types.Object:
    """Three bones with poses at some frames, the second one selected."""
    ob = make_armature((-1, 0, 1))
    for frame in frames:
        key_pose(ob.pose.bones, frame, seed=frame)
    select(ob, "b1")
    return ob


def test_inbetween_and_the_way_back(straight: Path) -> None:
    ob = walker()
    before = dump(ob)
    bpy.context.scene.understudy.seed = 7
    assert bpy.ops.understudy.inbetween(model="baseline") == {"FINISHED"}
    assert {where[0].split('"')[1] for where, keys in dump(ob, ("GENERATED",)).items() if keys} == {"b1"}
    assert frames_of(bone_curve(ob, "b1", "location"), "GENERATED") == [*range(2, 10), *range(11, 20)]
    job = read_job(straight)
    assert (job.kind, job.settings.model, job.settings.seed) == ("inbetween", "baseline", 7)
    select(ob, "b0")
    assert bpy.ops.understudy.delete_generated_keys() == {"CANCELLED"}
    assert bpy.ops.understudy.delete_generated_keys(bones="ALL") == {"FINISHED"}
    assert dump(ob) == before


def test_frames_are_the_scenes_unless_given(straight: Path) -> None:
    ob = walker((1, 10, 20, 30))
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 22
    bpy.ops.understudy.inbetween()
    assert read_clip(straight).frame_end == 20
    scene.use_preview_range, scene.frame_preview_start, scene.frame_preview_end = True, 10, 30
    bpy.ops.understudy.inbetween()
    assert read_clip(straight).frame_end == 30
    bpy.ops.understudy.inbetween(frame_start=1, frame_end=10, bones="ALL")
    assert (read_clip(straight).frame_end, read_clip(straight).fps) == (10, 24.0)
    assert frames_of(bone_curve(ob, "b0", "location"), "GENERATED") == list(range(2, 10))


def test_extrapolate(straight: Path) -> None:
    ob = walker()
    bpy.context.scene.understudy.extrapolate_frames = 5
    assert bpy.ops.understudy.extrapolate() == {"FINISHED"}
    assert frames_of(bone_curve(ob, "b1", "location"), "GENERATED") == list(range(21, 26))
    bpy.ops.understudy.extrapolate(frames=8, bones="ALL")
    assert read_job(straight).settings.frames == 8
    assert frames_of(bone_curve(ob, "b2", "location"), "GENERATED") == list(range(21, 29))


def test_a_camera_in_object_mode(straight: Path) -> None:
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    bpy.context.scene.collection.objects.link(camera)
    bpy.context.view_layer.objects.active = camera
    assert not bpy.ops.understudy.inbetween.poll()
    for frame in (1, 9):
        key_pose([camera], frame, seed=frame)
    assert bpy.ops.understudy.inbetween() == {"FINISHED"}
    assert frames_of(fcurves(camera)[("rotation_euler", 2)], "GENERATED") == list(range(2, 9))


def test_refusals(straight: Path) -> None:
    """One sentence each, and the action as it was."""
    assert not bpy.ops.understudy.inbetween.poll()
    ob = walker((1, 2))
    before = dump(ob)
    select(ob)
    for call in (bpy.ops.understudy.inbetween, bpy.ops.understudy.delete_generated_keys):
        with pytest.raises(RuntimeError, match="No bone is selected"):
            call()
    select(ob, "b1")
    with pytest.raises(RuntimeError, match="nothing to fill"):
        bpy.ops.understudy.inbetween()
    bpy.ops.object.mode_set(mode="EDIT")
    assert not bpy.ops.understudy.extrapolate.poll()
    assert dump(ob) == before


def test_all_armatures_in_pose_mode(straight: Path) -> None:
    """Each by a job of its own, their keys in one go; one that has no keys, or none selected, is left alone."""
    first = walker()
    bpy.ops.object.mode_set(mode="OBJECT")
    second = walker()
    bpy.ops.object.mode_set(mode="OBJECT")
    third = make_armature((-1,))
    bpy.ops.object.mode_set(mode="OBJECT")
    for ob in (first, second, third):
        ob.select_set(True)
    bpy.context.view_layer.objects.active = second
    bpy.ops.object.mode_set(mode="POSE")
    assert len(bpy.context.objects_in_mode) == 3
    assert bpy.ops.understudy.inbetween() == {"FINISHED"}
    for ob in (first, second):
        assert {where[0].split('"')[1] for where in generated(ob)} == {"b1"}
    select(second)
    assert bpy.ops.understudy.delete_generated_keys() == {"FINISHED"}
    assert generated(second) and not generated(first)


def test_in_object_mode_the_object_is_meant(straight: Path) -> None:
    """Where it has keys of its own; else, or if all are asked for, its bones."""
    ob = walker()
    bpy.ops.object.mode_set(mode="OBJECT")
    assert bpy.ops.understudy.inbetween() == {"FINISHED"}
    assert {"" if "bones" not in path else "bone" for path, _ in generated(ob)} == {"bone"}
    assert bpy.ops.understudy.delete_generated_keys() == {"FINISHED"} and not generated(ob)
    for frame in (1, 10):
        key_pose([ob], frame, seed=frame)
    assert bpy.ops.understudy.inbetween() == {"FINISHED"}
    assert {path for path, _ in generated(ob)} == {"location", "rotation_euler"}
    assert bpy.ops.understudy.inbetween(bones="ALL") == {"FINISHED"}
    assert len(generated(ob)) == 6 + 3 * 7


def generated(ob: bpy.types.Object) -> list[tuple[str, int]]:
    """The curves that hold generated keys."""
    return [where for where, keys in dump(ob, ("GENERATED",)).items() if keys]


@pytest.mark.parametrize("model", ["auto", "baseline"])
def test_the_whole_line_through_the_real_engine(saved_file: Path, model: str) -> None:
    """Real process, real keys: the artist's are met, the motion between is smooth and ends where it should."""
    ob = make_armature((-1, 0, 1))
    ob.pose.bones["b1"].rotation_mode, ob.pose.bones["b2"].rotation_mode = "ZXY", "AXIS_ANGLE"
    for frame in (1, 12, 24):
        key_pose(ob.pose.bones, frame, seed=frame)
    own = dump(ob, handles=False)
    bpy.context.scene.understudy_motion.every_frame = True
    assert bpy.ops.understudy.inbetween(bones="ALL", model=model) == {"FINISHED"}
    assert bpy.ops.understudy.extrapolate(bones="ALL", model=model, frames=6) == {"FINISHED"}
    assert dump(ob, ("KEYFRAME",), handles=False) == own
    assert frames_of(bone_curve(ob, "b0", "location"), "GENERATED") == [*range(2, 12), *range(13, 24), *range(25, 31)]
    for (path, index), fcurve in fcurves(ob).items():
        values = np.array([fcurve.evaluate(frame) for frame in range(1, 31)])
        assert np.abs(np.diff(values)).max() < 0.3, (path, index)


def test_a_file_never_saved_is_animated_all_the_same() -> None:
    ob = walker()
    bpy.context.scene.understudy_motion.every_frame = True
    assert bpy.ops.understudy.inbetween(model="baseline") == {"FINISHED"}
    assert frames_of(bone_curve(ob, "b1", "location"), "GENERATED") == [*range(2, 10), *range(11, 20)]


def test_the_models_have_names_and_the_choice_is_kept() -> None:
    """In the menu, each with its own; scripts, presets and files go on with the identifiers. An engine's other model is offered
    too, and one that is chosen stays in the menu without that engine."""
    from bl_ext.user_default.understudy.jobs import manager

    settings: Any = bpy.context.scene.understudy
    label = functools.partial(bpy.types.UILayout.enum_item_name, settings, "motion_model_choice")
    assert (settings.motion_model_choice, label("auto"), label("baseline")) == ("auto", "Automatic", "Plain Curves")
    settings.motion_model_choice = "baseline"
    assert settings.motion_model == "baseline"
    before, manager.models = manager.models, {"inbetween": ["lstm", "baseline", "newest"]}
    assert label("lstm") == "LSTM Network"
    settings.motion_model_choice = "newest"
    manager.models = before
    assert (settings.motion_model, settings.motion_model_choice, label("newest")) == ("newest", "newest", "newest")
