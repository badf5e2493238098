"""Armatures that come from elsewhere: from FBX and glTF files by Blender's own importers, linked and overridden; and what is
locked. Through the operators and the real engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
from rigs import dump, fcurves, frames_of, key_pose, make_armature

POSES = (1, 16, 31)
PARENTS = (-1, 0, 1, 2, 1, 4, 0, 6)


def to_fbx(path: Path) -> None:
    """Write the scene, every frame as a key."""
    bpy.ops.export_scene.fbx(filepath=str(path), add_leaf_bones=False, bake_anim=True, bake_anim_simplify_factor=0.0)


def to_gltf(path: Path) -> None:
    """Write the scene."""
    bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB")


FORMATS: dict[str, tuple[str, Callable[[Path], None], Callable[..., set[str]]]] = {
    ".fbx": ("io_scene_fbx", to_fbx, lambda **path: bpy.ops.import_scene.fbx(**path)),
    ".glb": ("io_scene_gltf2", to_gltf, lambda **path: bpy.ops.import_scene.gltf(**path)),
}


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_as_its_importer_makes_it(tmp_path: Path, suffix: str) -> None:
    """A gap is cut into imported motion and filled: the keys about it are met, and there is something between."""
    module, write, read = FORMATS[suffix]
    bpy.ops.preferences.addon_enable(module=module)
    ob = make_armature(PARENTS)
    for frame in POSES:
        key_pose(ob.pose.bones, frame, seed=frame)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.scene.frame_end = POSES[-1]
    write(tmp_path / f"some{suffix}")
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    read(filepath=str(tmp_path / f"some{suffix}"))
    found = next(ob for ob in bpy.context.scene.objects if ob.type == "ARMATURE")
    bpy.context.view_layer.objects.active = found
    bpy.ops.object.mode_set(mode="POSE")
    for fcurve in fcurves(found).values():
        first, last = (round(x) for x in fcurve.range())
        for key in reversed([key for key in fcurve.keyframe_points if first + 5 < key.co.x < last - 5]):
            fcurve.keyframe_points.remove(key)
    before = dump(found, handles=False)
    assert bpy.ops.understudy.inbetween(bones="ALL") == {"FINISHED"}
    assert dump(found, ("KEYFRAME",), handles=False) == before
    turned = [fc for (path, _), fc in fcurves(found).items() if "rotation" in path and frames_of(fc, "GENERATED")]
    assert len(turned) >= len(PARENTS), "most rotations are filled"


def linked_rig(path: Path, keyed: bool) -> bpy.types.Object:
    """An armature in a library, linked and overridden; the override is active, in Pose Mode."""
    ob = make_armature(PARENTS[:4])
    if keyed:
        for frame in POSES:
            key_pose(ob.pose.bones, frame, seed=frame)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.data.libraries.write(str(path), {ob})
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with bpy.data.libraries.load(str(path), link=True) as (there, here):
        here.objects = list(there.objects)
    own = here.objects[0].override_create(remap_local_usages=True)
    bpy.context.scene.collection.objects.link(own)
    bpy.context.view_layer.objects.active = own
    bpy.ops.object.mode_set(mode="POSE")
    return own


def test_an_override_gets_its_keys_in_its_own_action(tmp_path: Path) -> None:
    own = linked_rig(tmp_path / "library.blend", keyed=False)
    for frame in POSES:
        key_pose(own.pose.bones, frame, seed=frame)
    action = own.animation_data.action
    assert own.override_library and action.library is None
    before = dump(own, handles=False)
    assert bpy.ops.understudy.inbetween(bones="ALL") == {"FINISHED"}
    assert own.animation_data.action == action and dump(own, ("KEYFRAME",), handles=False) == before
    assert any(frames_of(fcurve, "GENERATED") for fcurve in fcurves(own).values())


def test_an_override_with_the_librarys_action_is_told_what_to_do(tmp_path: Path) -> None:
    own = linked_rig(tmp_path / "library.blend", keyed=True)
    assert own.animation_data.action.library
    with pytest.raises(RuntimeError, match="is linked from another file; make it local"):
        bpy.ops.understudy.inbetween(bones="ALL")
    own.animation_data.action = own.animation_data.action.copy()
    assert bpy.ops.understudy.inbetween(bones="ALL") == {"FINISHED"}


def test_what_is_locked_gets_no_key(capfd: pytest.CaptureFixture[str]) -> None:
    ob = make_armature(PARENTS)
    for frame in POSES:
        key_pose(ob.pose.bones, frame, seed=frame)
    ob.pose.bones["b1"].lock_rotation = ob.pose.bones["b1"].lock_location = (True, True, True)
    for (path, _), fcurve in fcurves(ob).items():
        fcurve.lock = '"b2"' in path
    assert bpy.ops.understudy.inbetween(bones="ALL") == {"FINISHED"}
    made = {path.split('"')[1] for (path, _), fcurve in fcurves(ob).items() if frames_of(fcurve, "GENERATED")}
    assert made == {f"b{i}" for i in range(len(PARENTS))} - {"b1", "b2"}
    assert "locked were left alone: b1, b2" in capfd.readouterr().out
