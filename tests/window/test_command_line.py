"""`blender FILE --command understudy …` as a shell calls it: a process without a window, its lines, its exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Seat

RIG = ROOT / "tests" / "window" / "rig.py"
KINDS = """import bpy
from bl_ext.user_default.understudy import compat
rig = bpy.data.objects['Rig']
print(sorted({k.type for fc in compat.action_fcurves(rig) for k in fc.keyframe_points}))
"""
STAGE = """import sys, bpy
scene = bpy.context.scene
scene.render.engine, scene.cycles.device, scene.cycles.samples = 'CYCLES', 'CPU', 1
scene.cycles.use_denoising = False
scene.render.resolution_x = scene.render.resolution_y = 32
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""


@pytest.fixture
def rig_file(seat: Seat, user_folder: Path, tmp_path: Path) -> Path:
    """A walker with three poses."""
    path = tmp_path / "rig.blend"
    seat.run(f"blender --background --python '{RIG}' -- '{path}' >&2")
    return path


def understudy(seat: Seat, file: Path, line: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit status, and what a machine reads on stdout."""
    *lines, status = seat.run(f"blender '{file}' --command understudy {line} --json 2>&1; echo $?").splitlines()
    return int(status), [json.loads(each)["understudy"] for each in lines if each.startswith('{"understudy": ')]


def test_keys_are_made_and_saved(seat: Seat, rig_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "done.blend"
    status, told = understudy(seat, rig_file, f"inbetween --object Rig --bones arm.L --output '{output}'")
    assert status == 0, told
    *progress, end = told
    assert progress and all(0.0 <= line["progress"] <= 1.0 for line in progress)
    assert end["finished"] == "inbetween" and end["keys"] > 0 and end["saved"] == str(output)
    script = tmp_path / "kinds.py"
    script.write_text(KINDS)
    for file, kinds in ((output, "['GENERATED', 'KEYFRAME']"), (rig_file, "['KEYFRAME']")):
        assert kinds in seat.run(f"blender --background '{file}' --python '{script}'")


def test_a_shot_is_captured(seat: Seat, user_folder: Path, tmp_path: Path) -> None:
    script, file = tmp_path / "stage.py", tmp_path / "stage.blend"
    script.write_text(STAGE)
    seat.run(f"blender --background --factory-startup --python '{script}' -- '{file}' >&2")
    status, told = understudy(seat, file, "capture --frames 2-3")
    assert status == 0, told
    assert told[-1]["frames"] == [2, 3] and told[-2]["progress"] == 1.0
    assert (Path(told[-1]["folder"]) / "frames" / "0003.png").is_file()


def test_what_cannot_be_done(seat: Seat, rig_file: Path) -> None:
    status, told = understudy(seat, rig_file, "capture")
    assert status == 1 and told[-1] == {"error": "There is no mesh to capture: add one to the view layer."}
    status, (end,) = understudy(seat, rig_file, "loop --object Rig")
    assert status == 2 and "--save --output is required" in end["error"]


def test_blender_subscribes_to_a_repository(seat: Seat, user_folder: Path, tmp_path: Path) -> None:
    """The index that `build.py zip` makes with the same tool: added, synchronised, installed from, removed again."""
    extension, repository = "blender --online-mode --command extension", tmp_path / "repository"
    own = f"BLENDER_USER_RESOURCES='{tmp_path / 'user'}'"
    repository.mkdir()
    (tmp_path / "user").mkdir()
    seat.run(f"cp '{user_folder / 'understudy.zip'}' '{repository}'")
    seat.run(f"{extension} server-generate --repo-dir '{repository}' >&2")
    seat.run(f"{own} {extension} repo-add --name Ours --url 'file://{repository}/index.json' ours >&2")
    seat.run(f"{own} {extension} sync >&2")
    seat.run(f"{own} {extension} install --enable ours.understudy >&2")
    asked = "import bpy; print('HERE', hasattr(bpy.types.Scene, 'understudy'))"
    assert "HERE True" in seat.run(f'{own} blender --background --python-expr "{asked}"')
    seat.run(f"{own} {extension} remove ours.understudy >&2")
    assert "HERE False" in seat.run(f'{own} blender --background --python-expr "{asked}"')
