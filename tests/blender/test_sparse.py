"""Few keys: at every frame within the bound of what was made, in Blender's own evaluation; the artist's keys as they
were."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from at_once import apply_take, delete_generated_keys, reduce_keys
from bl_ext.user_default.understudy import decimate
from bl_ext.user_default.understudy.sparse import Keying
from rigs import bone_curve, dump, fcurves, frames_of, key_pose, make_armature
from test_keyframes import ARTISTS, posed, run
from test_takes import acted, rig


def shown(ob: bpy.types.Object, last: int) -> dict[str, np.ndarray]:
    """Channels frame by frame, (T, channels) by data path."""
    out: dict[str, list[np.ndarray]] = {}
    for (path, _), fcurve in sorted(fcurves(ob).items()):
        out.setdefault(path, []).append(np.array([fcurve.evaluate(frame) for frame in range(1, last + 1)]))
    return {path: np.stack(columns, 1) for path, columns in out.items()}


def worst(ob: bpy.types.Object, dense: dict[str, np.ndarray], now: dict[str, np.ndarray]) -> tuple[float, float]:
    """Degrees and bone lengths that any bone is off at any frame."""
    turned, moved = 0.0, 0.0
    for path, values in dense.items():
        bone = ob.pose.bones[path.split('"')[1]]
        if path.endswith("location"):
            moved = max(moved, np.linalg.norm(values - now[path], axis=1).max() / bone.bone.length)
        else:
            turned = max(turned, decimate.degrees(bone.rotation_mode)(values, now[path]).max())
    return turned, moved


@pytest.mark.parametrize(("degrees", "lengths"), [(0.5, 0.02), (3.0, 0.1), (0.05, 0.002)])
def test_within_the_bound_at_every_frame(tmp_path: Path, degrees: float, lengths: float) -> None:
    ob = rig()
    take = acted(ob, tmp_path)
    many = apply_take(take, 1.0, Keying(every_frame=True))
    dense = shown(ob, 20)
    few = apply_take(take, 1.0, Keying(False, degrees, lengths))
    turned, moved = worst(ob, dense, shown(ob, 20))
    assert turned <= degrees * 1.001 and moved <= lengths * 1.001
    assert few < many * (0.75 if degrees >= 0.5 else 1.0)


def test_the_artists_keys_stay(tmp_path: Path) -> None:
    """Of any kind: values, types and handles of their own; those that Blender lays by the neighbours come back once the
    new keys are gone."""
    ob = posed((1, 30, 60))
    before, own = dump(ob), dump(ob, handles=False)
    take = acted(ob, tmp_path)
    assert apply_take(take, 1.0, Keying()) > 0
    assert dump(ob, ARTISTS, handles=False) == own
    for fcurve in fcurves(ob).values():
        for key in fcurve.keyframe_points:
            assert fcurve.evaluate(key.co.x) == key.co.y
    delete_generated_keys(ob.session_uid, ())
    assert dump(ob) == before


def test_again_and_posed_over(tmp_path: Path) -> None:
    """Run twice, the same keys; a few key that was posed over is the artist's."""
    ob = posed((1, 40))
    take = acted(ob, tmp_path)
    apply_take(take, 1.0, Keying())
    first = dump(ob)
    apply_take(take, 1.0, Keying())
    assert dump(ob) == first
    curve = bone_curve(ob, "b1", "location")
    frame = frames_of(curve, "GENERATED")[1]
    ob.pose.bones["b1"].location.x = 9.0
    ob.pose.bones["b1"].keyframe_insert("location", index=0, frame=frame)
    apply_take(take, 1.0, Keying())
    assert curve.evaluate(frame) == 9.0


@pytest.mark.parametrize("gap", [2, 3, 400])
def test_gaps_short_and_long(tmp_path: Path, gap: int) -> None:
    ob = make_armature((-1, 0))
    for frame in (1, 1 + gap):
        key_pose(ob.pose.bones, frame, seed=frame)
    take = acted(ob, tmp_path, 1 + gap)
    apply_take(take, 1.0, Keying(every_frame=True))
    dense = shown(ob, 1 + gap)
    count = apply_take(take, 1.0, Keying())
    turned, moved = worst(ob, dense, shown(ob, 1 + gap))
    assert turned <= 0.501 and moved <= 0.0201 and count <= 14 * (gap - 1)


def test_reduce_captured_keys() -> None:
    """A key on every frame becomes few within the bound; first and last stay, so do channels that were not meant."""
    ob = make_armature((-1, 0))
    for frame in range(1, 61):
        for i, bone in enumerate(ob.pose.bones):
            bone.rotation_mode = "XYZ"
            bone.rotation_euler = (np.sin(frame / 9 + i), 0.3 * np.cos(frame / 5), 0.01 * frame)
            bone.location = (0.02 * frame, np.sin(frame / 12), 0)
            bone.keyframe_insert("rotation_euler", frame=frame)
            bone.keyframe_insert("location", frame=frame)
    dense, before = shown(ob, 60), dump(ob)
    gone = reduce_keys(ob.session_uid, ("b1",), 1, 250, Keying(False, 0.5, 0.02))
    after = dump(ob)
    assert sum(map(len, before.values())) - sum(map(len, after.values())) == gone > 250
    assert all(after[where] == before[where] for where in before if '"b0"' in where[0])
    turned, moved = worst(ob, dense, shown(ob, 60))
    assert turned <= 0.501 and moved <= 0.0201
    for where, keys in after.items():
        assert (keys[0][0], keys[-1][0]) == (before[where][0][0], before[where][-1][0])
        assert {key[1] for key in keys} == {"KEYFRAME"}


def test_a_hold_needs_no_keys(tmp_path: Path) -> None:
    """Between two equal poses nothing is keyed, and the curve stays where it is; before and after there are keys."""
    ob = make_armature((-1, 0))
    for frame, seed in ((1, 1), (10, 2), (30, 2), (45, 3)):
        key_pose(ob.pose.bones, frame, seed=seed)
    run(ob, tmp_path, keying=Keying(False, 0.1, 0.002))
    for (path, _), fcurve in fcurves(ob).items():
        assert not [frame for frame in frames_of(fcurve, "GENERATED") if 10 < frame < 30], path
        assert np.ptp([fcurve.evaluate(frame) for frame in range(10, 31)]) < 1e-5
    assert any(frame > 30 for frame in frames_of(bone_curve(ob, "b1", "location"), "GENERATED"))
