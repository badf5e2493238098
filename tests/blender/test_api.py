"""The functions for scripts: their examples, run as they are written, and what they leave as it was."""

from __future__ import annotations

import doctest
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.understudy import api, compat
from bl_ext.user_default.understudy.jobs import manager
from rigs import dump, key_pose, make_armature
from shots import write_picture
from stage import add_ball, empty_stage
from test_generate import write_waves

SHOT = (
    "capture_shot",
    "paint_key",
    "suggest_key",
    "train_style",
    "stylise",
    "save_style",
)  # each needs those before it
PICTURES = ("generate", "learn_sequence")
MOTION = tuple(
    name for name in api.__all__ if name[0].islower() and name not in (*SHOT, *PICTURES, "use_footage", "combine")
)


class Checker(doctest.OutputChecker):
    """Blender's own lines are not what an example shows."""

    def check_output(self, want: str, got: str, flags: int) -> bool:
        lines = got.splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(("Info: ", "Saved: ", "Fra:", " Time:"))]
        return super().check_output(want, "".join(kept), flags)


def run_example(name: str) -> None:
    names = {"api": api, "bpy": bpy}
    (test,) = doctest.DocTestFinder(recurse=False).find(getattr(api, name), name, globs=names)
    assert test.examples
    said: list[str] = []
    results = doctest.DocTestRunner(Checker()).run(test, out=said.append)
    assert not results.failed, "".join(said)


def rig() -> bpy.types.Object:
    ob = make_armature((-1, 0, 1, 1, 2))
    for frame in (1, 10, 24):
        key_pose(ob.pose.bones, frame, seed=frame)
    bpy.ops.object.mode_set(mode="OBJECT")
    return ob


def test_the_examples_of_a_shot(saved_file: Path) -> None:
    empty_stage(frames=3, side=64)
    add_ball(location=(0, 0, 1))
    for name in SHOT:
        run_example(name)


def test_the_example_of_footage(saved_file: Path) -> None:
    write_picture(saved_file.parent / "plates" / "tree.png", (0.2, 0.4, 0.6))
    run_example("use_footage")
    assert bpy.context.scene.understudy.job_folder.startswith("//understudy/")


def test_the_examples_of_picture_sequences(saved_file: Path, tmp_path: Path) -> None:
    preferences = bpy.context.preferences.addons["bl_ext.user_default.understudy"].preferences
    preferences.sequence_folder = str(tmp_path / "sequences")
    write_waves(saved_file.parent / "smoke", range(1, 33))
    for name in PICTURES:
        run_example(name)
    assert (tmp_path / "sequences" / "Smoke" / "sequence").is_dir()


def test_the_example_of_two_strips(saved_file: Path) -> None:
    """The strips' selection is as it was; the result lies above both; what cannot be is one sentence."""
    editor = bpy.context.scene.sequence_editor_create()
    strips = compat.sequencer_strips(editor)
    for channel, name in ((1, "Dull"), (2, "Blue")):
        path = saved_file.parent / name / "0001.png"
        write_picture(path, (0.2, 0.4, 0.2 * channel))
        strips.new_image(name, str(path), channel, 1).select = channel == 1
    run_example("combine")
    made = max(compat.sequencer_strips(editor), key=lambda strip: strip.channel)
    assert made.channel == 3 and made.name == "Dull + Blue"
    assert [strips[name].select for name in ("Dull", "Blue")] == [True, False]
    with pytest.raises(api.UnderstudyError, match="no strip 'Green'"):
        api.combine("Dull", "Green")
    with pytest.raises(api.UnderstudyError, match="must lie above"):
        api.combine("Blue", "Dull")


@pytest.mark.parametrize("name", MOTION)
def test_the_examples_of_motion(name: str, saved_file: Path) -> None:
    rig()
    run_example(name)


def test_selection_mode_and_settings_are_as_they_were(saved_file: Path) -> None:
    ob = rig()
    other = bpy.data.objects.new("Other", None)
    bpy.context.collection.objects.link(other)
    bpy.context.view_layer.objects.active = other
    ob.select_set(False)
    for bone in ob.pose.bones:
        compat.select_bone(bone, bone.name == "b2")
    scene = bpy.context.scene
    scene.understudy_motion.degrees = 3.0
    api.inbetween(ob, (1, 24), bones=["b1", "b3"], degrees=0.1, seed=5)
    moved = {where[0].split('"')[1] for where, keys in dump(ob, ("GENERATED",)).items() if keys}
    assert moved == {"b1", "b3"}
    assert [bone.name for bone in ob.pose.bones if compat.bone_selected(bone)] == ["b2"]
    assert (bpy.context.view_layer.objects.active, ob.mode, ob.select_get()) == (other, "OBJECT", False)
    assert (scene.understudy_motion.degrees, scene.understudy.seed) == (3.0, 0)
    assert (scene.frame_start, scene.frame_end) == (1, 250)


def test_without_an_engine_the_result_says_so(monkeypatch: pytest.MonkeyPatch, saved_file: Path) -> None:
    manager.close()
    monkeypatch.delenv("UNDERSTUDY_ENGINE_PYTHON")
    ob = rig()
    made = api.inbetween(ob)
    assert made.keys == sum(map(len, dump(ob, ("GENERATED",)).values())) > 0
    assert "The plain curves were used" in made.notes[-1]
    with pytest.raises(api.UnderstudyError, match=r"^The engine is not installed; press Install Engine"):
        api.learn_motion(ob)


def test_every_refusal_is_one_sentence(saved_file: Path) -> None:
    ob = rig()
    unlinked = bpy.data.objects.new("Elsewhere", None)
    for sentence, function, arguments in (
        ("The scene has no camera", api.capture_shot, {}),
        ("source cannot be 'FILM'.", api.capture_shot, {"source": "FILM"}),
        ("Nothing is captured yet", api.stylise, {}),
        ("There is no collection 'Hero' in the file.", api.stylise, {"collection": "Hero"}),
        ("how cannot be 'MELT'.", api.generate, {"how": "MELT"}),
        ("There is no strip 'Fire'", api.generate, {"how": "LOOP", "strip": "Fire"}),
        ("There is no object 'Elsewhere' in the scene.", api.inbetween, {"ob": unlinked}),
        ("'Rig' has no bone 'hand'.", api.inbetween, {"ob": ob, "bones": ["hand"]}),
        ("There are no generated keys here.", api.delete_generated_keys, {"ob": ob}),
    ):
        with pytest.raises(api.UnderstudyError) as caught:
            function(**arguments)
        assert str(caught.value).startswith(sentence) and "\n" not in str(caught.value)
