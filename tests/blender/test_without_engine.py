"""An extension just installed, with no engine yet: what works all the same, what says what it needs."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy.jobs import manager
from bl_ext.user_default.understudy.plain_stylise import read_pixels
from rigs import bone_curve, dump, fcurves, frames_of, key_pose, make_armature
from shots import refusal
from stage import add_ball, add_ground, animate, empty_stage, link

ops = bpy.ops.understudy
NOTE = "The plain curves were used, for no engine is installed"


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch, saved_file: Path) -> None:
    manager.close()
    monkeypatch.delenv("UNDERSTUDY_ENGINE_PYTHON")
    bpy.context.scene.frame_start, bpy.context.scene.frame_end = 1, 60


def walker(name: str = "Rig") -> bpy.types.Object:
    ob = make_armature((-1, 0, 1), name=name)
    for frame in (1, 10, 24):
        key_pose(ob.pose.bones, frame, seed=frame)
    return ob


def keys(ob: bpy.types.Object) -> dict:
    return dump(ob, ("KEYFRAME",), handles=False)


@pytest.mark.parametrize("every_frame", [True, False])
def test_inbetween_makes_keys_and_says_by_what(every_frame: bool, capfd: pytest.CaptureFixture[str]) -> None:
    ob = walker()
    before = keys(ob)
    bpy.context.scene.understudy_motion.every_frame = every_frame
    assert ops.inbetween(bones="ALL") == {"FINISHED"}
    curve = bone_curve(ob, "b1", "rotation_quaternion")
    made = frames_of(curve, "GENERATED")
    assert made == [*range(2, 10), *range(11, 24)] if every_frame else 0 < len(made) < 21
    assert keys(ob) == before
    assert NOTE in capfd.readouterr().out
    assert ops.act_amount(amount=0.5) == {"FINISHED"}, "the slider takes it up again"
    assert keys(ob) == before
    assert ops.delete_generated_keys(bones="ALL") == {"FINISHED"}
    assert not frames_of(curve, "GENERATED")


def test_play_on_comes_to_rest(capfd: pytest.CaptureFixture[str]) -> None:
    ob = walker()
    before = keys(ob)
    bpy.context.scene.understudy_motion.every_frame = True
    assert ops.extrapolate(bones="ALL", frames=20) == {"FINISHED"}
    assert keys(ob) == before
    curve = bone_curve(ob, "b0", "location")
    assert frames_of(curve, "GENERATED") == list(range(25, 45))
    steps = np.abs(np.diff([curve.evaluate(frame) for frame in range(25, 45)]))
    assert steps[0] > 1e-3 and steps[-1] < 0.2 * steps[0]
    assert NOTE in capfd.readouterr().out


def test_two_objects_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    rigs = [walker("One")]
    bpy.ops.object.mode_set(mode="OBJECT")
    rigs.append(walker("Two"))
    bpy.ops.object.mode_set(mode="OBJECT")
    for ob in rigs:
        ob.select_set(True)
    assert ops.inbetween(bones="ALL") == {"FINISHED"}
    assert all(frames_of(bone_curve(ob, "b2", "location"), "GENERATED") for ob in rigs)
    assert capfd.readouterr().out.count(NOTE) == 1


def test_what_takes_the_engine_says_so() -> None:
    ob = walker()
    for fcurve in fcurves(ob).values():
        for key in fcurve.keyframe_points:
            key.select_control_point = key.co.x <= 10
    before = dump(ob)
    assert "This needs the engine: press Install Engine" in refusal(ops.extrapolate, bones="ALL", towards_target=True)
    assert dump(ob) == before


def captured(jitter: float) -> bpy.types.Object:
    """A biped of four bones whose one foot stands still on the ground but for the jitter, keyed on 40 frames."""
    ob, dice = make_armature((-1, 0, 1, 0)), np.random.default_rng(0)
    for frame in range(1, 41):
        for i, bone in enumerate(ob.pose.bones):
            bone.rotation_mode = "XYZ"
            swing = 0.3 * np.sin(2 * np.pi * frame / 23 + i) + jitter * dice.normal()
            bone.rotation_euler = (swing, 0.1 * swing, 0)
            bone.keyframe_insert("rotation_euler", frame=frame)
    return ob


def rows(ob: bpy.types.Object) -> np.ndarray:
    """(curves, 40)."""
    return np.array([[fcurve.evaluate(frame) for frame in range(1, 41)] for fcurve in fcurves(ob).values()])


def test_a_loop_without_an_engine(capfd: pytest.CaptureFixture[str]) -> None:
    """Pose and velocity meet, the action that was there is kept, and it is said what the engine would add."""
    ob = captured(0.0)
    old, gap = ob.animation_data.action, np.abs(rows(ob)[:, 0] - rows(ob)[:, -1]).max()
    assert ops.loop(bones="ALL", frame_start=1, frame_end=40) == {"FINISHED"}
    now = rows(ob)
    assert gap > 0.1 and np.abs(now[:, 0] - now[:, -1]).max() < 0.02
    assert np.abs((now[:, 1] - now[:, 0]) - (now[:, -1] - now[:, -2])).max() < 0.06
    assert ob.animation_data.action != old and old.use_fake_user
    assert "made without the engine; install it" in capfd.readouterr().out


def test_cleaning_without_an_engine(capfd: pytest.CaptureFixture[str]) -> None:
    noisy, true = captured(0.03), rows(captured(0.0))
    before, old = rows(noisy), noisy.animation_data.action
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.context.view_layer.objects.active = noisy
    bpy.ops.object.mode_set(mode="POSE")
    assert ops.clean(bones="ALL", frame_start=1, frame_end=40) == {"FINISHED"}
    now = rows(noisy)
    assert np.abs(np.diff(now, 2)).mean() < 0.5 * np.abs(np.diff(before, 2)).mean()
    assert np.abs(now - true).mean() < np.abs(before - true).mean()
    assert noisy.animation_data.action != old and "made without the engine" in capfd.readouterr().out


def test_an_engine_that_is_named_wrongly_is_not_done_without(monkeypatch: pytest.MonkeyPatch, saved_file: Path) -> None:
    ob = walker()
    before = dump(ob)
    monkeypatch.setenv("UNDERSTUDY_ENGINE_PYTHON", str(saved_file.parent / "nowhere"))
    assert "is not there; correct the path" in refusal(ops.inbetween, bones="ALL")
    assert dump(ob) == before


def test_fewer_keys_need_no_engine(capfd: pytest.CaptureFixture[str]) -> None:
    ob = walker()
    bpy.context.scene.understudy_motion.every_frame = True
    ops.inbetween(bones="ALL")
    many = sum(map(len, dump(ob).values()))
    assert ops.reduce_keys(bones="ALL", frame_start=1, frame_end=24, degrees=2.0, lengths=0.1) == {"FINISHED"}
    few = sum(map(len, dump(ob).values()))
    assert few < many / 2
    assert f"{many - few} keys went" in capfd.readouterr().out


def test_stylise_carries_the_paint_over(saved_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Capture, paint, Stylise with Blender alone: a ball painted blue is blue wherever it rolls to."""
    scene = empty_stage(3, 48)
    link(bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))).data.energy = 3
    ball = add_ball(location=(-1, 0, 1))
    add_ground()
    animate(ball, "location", (-1, 0, 1), (1, 0, 1))
    assert "Nothing is captured yet" in refusal(ops.stylise)
    assert ops.capture() == {"FINISHED"}
    assert "No frame is painted yet" in refusal(ops.stylise)
    scene.frame_set(1)
    assert ops.paint_key() == {"FINISHED"}
    folder = saved_file.parent / "understudy" / saved_file.stem
    paint(folder / "keys" / "0001.png")
    assert ops.stylise() == {"FINISHED"}
    assert "carried over by plain reprojection" in capfd.readouterr().out
    first, last = (read_pixels(folder / "result" / f"{frame:04d}.png", 48, 48) for frame in (1, 3))
    assert 30 < blue(first).sum() < blue(last).sum() * 1.5 < blue(first).sum() * 3
    assert np.argwhere(blue(last))[:, 1].mean() - np.argwhere(blue(first))[:, 1].mean() > 8, "it rolled to the right"
    assert "Scene Stylised" in bpy.data.scenes


def paint(path: Path) -> None:
    """Blue over what is red in the picture, the ball."""
    image = bpy.data.images.load(str(path))
    pixels = np.array(image.pixels[:]).reshape(-1, 4)
    pixels[pixels[:, 0] > pixels[:, 1] + 0.1] = (0, 0, 1, 1)
    image.pixels.foreach_set(pixels.ravel().astype(np.float32))
    image.save()
    bpy.data.images.remove(image)


def blue(picture: np.ndarray) -> np.ndarray:
    return (picture[..., 2] > 0.9) & (picture[..., 0] < 0.1)


def test_plain_frames_are_made_anew_and_others_kept(saved_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    empty_stage(2, 32)
    add_ball()
    ops.capture()
    ops.paint_key()
    folder = saved_file.parent / "understudy" / saved_file.stem
    ops.stylise()
    first, second = (folder / "result" / f"{frame:04d}.png" for frame in (1, 2))
    second.write_bytes((folder / "frames" / "0002.png").read_bytes())  # the artist's own
    first.write_bytes(first.read_bytes() + b"more")
    assert ops.stylise() == {"FINISHED"}
    assert not first.read_bytes().endswith(b"more")
    assert second.read_bytes() == (folder / "frames" / "0002.png").read_bytes()
    assert "1 frames that were not made by plain reprojection were kept" in capfd.readouterr().out
    assert ops.stylise(overwrite=True) == {"FINISHED"}
    assert second.read_bytes() != (folder / "frames" / "0002.png").read_bytes()
