"""The command line as Blender calls it: what it says, what it leaves, and an exit status that can be trusted."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.understudy import cli, compat
from bl_ext.user_default.understudy.job_folder import read_job
from bl_ext.user_default.understudy.protocol import Stylise, TrackFootage, TrainStyle
from rigs import key_pose, make_armature
from shots import add_camera, write_key, write_picture, write_results, write_shot, write_style
from stage import quickest

FakeEngine = Callable[..., None]
COMMANDS = tuple(next(a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction)).choices)


@pytest.fixture
def folder(saved_file: Path) -> Path:
    folder = write_shot(saved_file.parent / "elsewhere")
    write_key(folder, 2)
    write_style(folder)
    return folder


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.command([*command.split(), "--help"]) == 0
    assert f"--command understudy {command}".strip() in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("paint", "invalid choice"),
        ("", "required"),
        ("capture --frames 9-3", "ends before it starts"),
        ("capture --frames a-b", "is not like 1-48"),
        ("inbetween --object Rig", "--save --output is required"),
        ("generate", "--how"),
        ("generate --how loop --strip A --frames-folder B", "not allowed with argument"),
    ],
)
def test_a_wrong_command_line_is_status_2(arguments: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.command(arguments.split()) == 2
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("capture", "The scene has no camera"),
        ("stylise", "Save the Blender file first"),
        ("generate --how loop --strip Fire", "Save the Blender file first"),
        ("inbetween --save", "Name an object with --object"),
        ("inbetween --save --object Rig", "There is no object 'Rig'"),
        ("extrapolate --save --object Prop --bones hand,head", "'Prop' has no bone 'hand'"),
        ("extrapolate --save --object Prop", "'Prop' has no keys yet"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_1(
    arguments: str, sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if "Prop" in arguments:
        bpy.context.collection.objects.link(bpy.data.objects.new("Prop", None))
        bpy.context.view_layer.update()
    assert cli.command(arguments.split()) == 1
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("understudy: ")]
    assert line.startswith(f"understudy: {sentence}")


def test_stylise_to_the_end(folder: Path, fake_engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    fake_engine(jobs=[[{"progress": [0.5, "Painting", 7.0]}, {"finish": {}}]])
    write_results(folder, range(1, 5))
    output = folder.parent / "done.blend"
    line = ["stylise", "--job-folder", os.path.relpath(folder), "--seed", "7", "--overwrite", "--output", str(output)]
    assert cli.command(line) == 0
    assert read_job(folder).settings == Stylise(1, 4, overwrite=True, seed=7)
    assert "Stylise:  50%, 7 s left, Painting" in capsys.readouterr().out
    assert bpy.context.scene.understudy.seed == 0, "the command line is for one run"
    bpy.ops.wm.open_mainfile(filepath=str(output))
    assert "Scene Stylised" in bpy.data.scenes
    assert bpy.context.scene.understudy.job_folder == ""


def test_train_style_writes_what_was_asked(folder: Path, fake_engine: FakeEngine) -> None:
    fake_engine()
    assert cli.command(["train-style", "--job-folder", str(folder), "--seconds", "9", "--resume"]) == 0
    assert read_job(folder).settings == TrainStyle([2], seconds=9.0, resume=True, preview_frame=1)


@pytest.mark.parametrize("steps", [[{"fail": "The key is damaged; paint it again."}], [{"die": 9}], [{"finish": {}}]])
def test_no_result_is_status_1(folder: Path, fake_engine: FakeEngine, steps: list[object]) -> None:
    fake_engine(jobs=[steps])
    saved = Path(bpy.data.filepath).read_bytes()
    assert cli.command(["stylise", "--job-folder", str(folder), "--save"]) == 1
    assert Path(bpy.data.filepath).read_bytes() == saved


def test_capture_renders_the_frames_asked_for(saved_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = bpy.context.scene
    add_camera().location.z = 5
    bpy.ops.mesh.primitive_plane_add()
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 1
    assert cli.command(["capture", "--frames", "4-5"]) == 0
    assert sorted(os.listdir(saved_file.parent / "understudy" / "shot" / "frames")) == ["0004.png", "0005.png"]
    assert (scene.frame_start, scene.frame_end) == (1, 250)
    assert "Capture: 100%" in capsys.readouterr().out


# --- for machines ----------------------------------------------------------------------------------------------------


def told(out: str) -> list[dict]:
    """What a machine reads: the lines that are objects."""
    return [json.loads(line)["understudy"] for line in out.splitlines() if line.startswith('{"understudy": ')]


def test_json_tells_progress_and_the_result(
    folder: Path, fake_engine: FakeEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    fake_engine(jobs=[[{"progress": [0.5, "Painting", 7.0]}, {"finish": {"notes": ["Café."], "figures": {"n": 1}}}]])
    write_results(folder, range(1, 5))
    output = folder.parent / "done.blend"
    assert cli.command(["stylise", "--json", "--job-folder", str(folder), "--output", str(output)]) == 0
    said = capfd.readouterr()
    *lines, end = told(said.out)
    assert {"progress": 0.5, "seconds_left": 7.0, "job": "Stylise", "text": "Painting"} in lines
    assert end == {
        "finished": "stylise",
        "saved": str(output),
        "folder": str(folder),
        "frames": [1, 2, 3, 4],
        "keys": 0,
        "notes": ["Café."],
        "figures": {"n": 1.0},
    }
    assert "Stylise:  50%" not in said.out


@pytest.mark.parametrize(
    ("arguments", "status", "why"),
    [
        ("capture --json", 1, "The scene has no camera"),
        ("loop --json --save --object Rig", 1, "There is no object 'Rig' in the scene."),
        ("capture --json --frames 9-3", 2, "ends before it starts"),
        ("paint --json", 2, "invalid choice"),
    ],
)
def test_json_tells_an_error(arguments: str, status: int, why: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.command(arguments.split()) == status
    said = capfd.readouterr()
    (end,) = told(said.out)
    assert list(end) == ["error"] and why in end["error"]
    assert not [line for line in said.err.splitlines() if "understudy" in line]


PICTURE = {"write": ["result/0001.png", "picture"]}
MADE = {"finish": {"results": ["result/0001.png"]}}
SUGGESTED = {
    "write": ["suggest.json", json.dumps({"frames": [3], "covered": {"3": 0.3}, "total": 0.8, "totals": [0.8]})]
}
# What each verb is told, on the file below, and what the engine does then; None: there is none.
WHOLE_LINES: dict[str, tuple[str, list | None]] = {
    "capture": ("--frames 1-1", None),
    "use-footage": ("{tmp}/smoke/0001.png --still", [{"finish": {}}]),
    "combine": ("Dull Blue", [PICTURE, MADE]),
    "suggest-key": ("--job-folder {tmp}/elsewhere", [SUGGESTED, {"finish": {}}]),
    "train-style": ("--job-folder {tmp}/elsewhere --seconds 1", [{"finish": {}}]),
    "stylise": ("--job-folder {tmp}/elsewhere --save", [{"finish": {}}]),
    "save-style": ("Gouache --job-folder {tmp}/elsewhere", None),
    "learn-sequence": ("--frames-folder {tmp}/smoke --seconds 1", [{"finish": {}}]),
    "generate": ("--how vary --count 1 --frames-folder {tmp}/smoke", [PICTURE, MADE]),
    "inbetween": ("--object Rig --output {tmp}/done.blend", None),
    "extrapolate": ("--object Rig --count 4 --save", None),
    "loop": ("--object Rig --frames 1-24 --save", None),
    "clean": ("--object Rig --frames 1-24 --every-frame --save", None),
    "reduce-keys": ("--object Rig --frames 1-24 --degrees 90 --lengths 9 --save", None),
    "delete-generated-keys": ("--object Rig --save", None),
    "learn-motion": (
        "--object Rig --seconds 1 --save",
        [{"write": ["learned/network.json", "{}"]}, {"finish": {"results": ["learned"]}}],
    ),
}


def make_file_for_all(tmp: Path) -> None:
    """A scene to capture, two strips, a rig with four poses, and a trained shot elsewhere."""
    scene = quickest(frames=24)
    strips = compat.sequencer_strips(scene.sequence_editor_create())
    for frame in range(1, 5):
        write_picture(tmp / "smoke" / f"{frame:04d}.png", (0.1 * frame,) * 3)
    for channel, name in ((1, "Dull"), (2, "Blue")):
        strips.new_image(name, str(tmp / "smoke" / "0001.png"), channel, 1)
    shot = write_shot(tmp / "elsewhere")
    write_key(shot, 2)
    write_style(shot)
    for name in ("generator.json", "discriminator.json", "discriminator.safetensors"):
        (shot / "style" / name).write_text('{"about": {"keys": [2]}}')
    (shot / "guides").mkdir()
    for name in ("geometry", "albedo"):
        (shot / "guides" / f"0002.{name}.exr").write_bytes(b"of frame 2")
    write_results(shot, range(1, 5))
    ob = make_armature((-1, 0, 1, 1, 2))
    for frame in (1, 10, 18, 24):
        key_pose(ob.pose.bones, frame, seed=frame)
    bpy.ops.object.mode_set(mode="OBJECT")
    bpy.ops.wm.save_mainfile()


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_to_its_end(
    verb: str,
    saved_file: Path,
    fake_engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    make_file_for_all(saved_file.parent)
    preferences = bpy.context.preferences.addons["bl_ext.user_default.understudy"].preferences
    preferences.style_folder = str(saved_file.parent / "styles")
    line, steps = WHOLE_LINES[verb]
    if steps is None:
        monkeypatch.delenv("UNDERSTUDY_ENGINE_PYTHON")
    else:
        fake_engine(jobs=[steps])
    if verb == "delete-generated-keys":
        assert cli.command(["inbetween", *line.split()]) == 0
    capfd.readouterr()
    status = cli.command([verb, *line.format(tmp=saved_file.parent).split(), "--json"])
    *progress, end = told(capfd.readouterr().out)
    assert (status, end.get("finished")) == (0, verb), end
    assert all(0 <= line["progress"] <= 1 for line in progress)
    assert (end["keys"] > 0) == ("--object" in line and verb != "learn-motion")
    assert bool(end["saved"]) == ("--save" in line or "--output" in line)


@pytest.mark.parametrize("verb", COMMANDS)
def test_every_verb_refuses_in_one_line(verb: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Status 1 in an empty file that was never saved, 2 for an option that there is not."""
    words, _ = WHOLE_LINES[verb]
    line = [verb, *words.format(tmp=tmp_path).split(), "--json"]
    for arguments, status in ((line, 1), ([*line, "--nonsense"], 2)):
        assert cli.command(arguments) == status
        (end,) = told(capfd.readouterr().out)
        assert list(end) == ["error"] and len(end["error"]) > 10 and "\n" not in end["error"]


def test_footage_becomes_the_shot(saved_file: Path, fake_engine: FakeEngine, capfd: pytest.CaptureFixture[str]) -> None:
    fake_engine()
    picture = saved_file.parent / "tree.png"
    write_picture(picture, (0.2, 0.4, 0.6))
    assert cli.command(["use-footage", str(picture), "--still", "--save", "--json"]) == 0
    folder = saved_file.parent / "understudy" / "shot" / "footage" / "tree"
    end = told(capfd.readouterr().out)[-1]
    assert (end["folder"], end["frames"], end["saved"]) == (str(folder), [1], str(saved_file))
    assert read_job(folder).settings == TrackFootage(still=True)
    bpy.ops.wm.open_mainfile(filepath=str(saved_file))
    assert bpy.context.scene.understudy.job_folder == "//understudy/shot/footage/tree"
    assert not bpy.context.scene.understudy.footage_still


def test_pictures_are_made_of_pictures(
    saved_file: Path, fake_engine: FakeEngine, capfd: pytest.CaptureFixture[str]
) -> None:
    made = [{"write": [f"result/{frame:04d}.png", "picture"]} for frame in (5, 6)]
    fake_engine(jobs=[[*made, {"finish": {"results": ["result/0005.png", "result/0006.png"]}}]])
    for frame in range(1, 5):
        write_picture(saved_file.parent / "smoke" / f"{frame:04d}.png", (0.1 * frame,) * 3)
    line = f"generate --how continue --count 2 --seed 7 --variation 0.25 --frames-folder {saved_file.parent / 'smoke'} --json"
    assert cli.command(line.split()) == 0
    *_, last = told(capfd.readouterr().out)
    assert (last["finished"], last["frames"], Path(last["folder"]).name) == ("generate", [5, 6], "continued")
    job = read_job(Path(last["folder"]).parents[1]).settings
    assert (job.how, job.count, job.seed, job.variation) == ("CONTINUE", 2, 7, 0.25)
    assert bpy.context.scene.understudy_generate.how == "CONTINUE" and bpy.context.scene.understudy.seed == 0


def test_generated_keys_are_deleted(
    saved_file: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("UNDERSTUDY_ENGINE_PYTHON")
    prop = bpy.data.objects.new("Prop", None)
    bpy.context.collection.objects.link(prop)
    bpy.context.view_layer.update()
    for frame in (1, 5, 9):
        prop.location.x = frame % 3
        prop.keyframe_insert("location", index=0, frame=frame)
    assert cli.command(["inbetween", "--object", "Prop", "--every-frame", "--json", "--save"]) == 0
    end = told(capfd.readouterr().out)[-1]
    assert end["keys"] == 6 and "no engine is installed" in end["notes"][0]
    line = ["delete-generated-keys", "--object", "Prop", "--json", "--save"]
    assert cli.command(line) == 0
    assert told(capfd.readouterr().out)[-1]["keys"] == 6
    assert cli.command(line) == 1
    assert told(capfd.readouterr().out)[-1] == {"error": "There are no generated keys here."}
