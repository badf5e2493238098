"""The command line as Blender calls it: what it says, what it leaves, and an exit status that can be trusted."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
from bl_ext.user_default.understudy import cli
from bl_ext.user_default.understudy.job_folder import read_job
from bl_ext.user_default.understudy.protocol import Stylise, TrackFootage, TrainStyle
from shots import add_camera, write_key, write_picture, write_results, write_shot, write_style

FakeEngine = Callable[..., None]
COMMANDS = ("capture", "suggest-key", "train-style", "stylise", "save-style", "inbetween", "extrapolate")
COMMANDS += (
    "use-footage",
    "delete-generated-keys",
    "loop",
    "clean",
    "reduce-keys",
    "learn-motion",
    "learn-sequence",
    "generate",
)


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
