"""What keeps a capture from working is one sentence, and nothing is half-written or lost."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
import stage
from bl_ext.user_default.understudy.capture import CaptureError, CaptureParams, capture
from bl_ext.user_default.understudy.job_folder import read_shot
from conftest import ROOT

capturing = sys.modules[capture.__module__]  # the package's name for it is the operators' module

DISK_MB = 2


def ready() -> bpy.types.Scene:
    """A scene that can be captured."""
    scene = stage.empty_stage(frames=2)
    stage.add_ball("Ball", (0, 0, 1))
    return scene


def files(folder: Path) -> list[str]:
    """Every file below, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def no_camera(scene: bpy.types.Scene) -> None:
    scene.camera = None


def panorama(scene: bpy.types.Scene) -> None:
    scene.camera.data.type = "PANO"


def stereo(scene: bpy.types.Scene) -> None:
    scene.render.use_multiview = True


def oblong_pixels(scene: bpy.types.Scene) -> None:
    scene.render.pixel_aspect_x = 2


def no_mesh(_scene: bpy.types.Scene) -> None:
    bpy.data.objects.remove(bpy.data.objects["Ball"])


def hidden(_scene: bpy.types.Scene) -> None:
    bpy.data.objects["Ball"].hide_render = True


def behind(_scene: bpy.types.Scene) -> None:
    bpy.data.objects["Ball"].location.y = -30


REFUSED = {
    no_camera: "no camera",
    panorama: "panoramic",
    stereo: "stereo",
    oblong_pixels: "not square",
    no_mesh: "no mesh",
    hidden: "sees no mesh",
    behind: "sees no mesh",
}


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_a_scene_that_cannot_be_captured(spoil: Callable[[bpy.types.Scene], None], tmp_path: Path) -> None:
    spoil(ready())
    with pytest.raises(CaptureError, match=REFUSED[spoil]) as caught:
        stage.run(stage.params(tmp_path / "job"))
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
    assert "job/shot.json" not in files(tmp_path)


def test_a_file_that_was_never_saved() -> None:
    ready()
    with pytest.raises(CaptureError, match="Save the Blender file first"):
        CaptureParams.from_context(bpy.context)


def test_the_contexts_own_settings(saved_file: Path) -> None:
    scene = ready()
    scene.understudy.source = "VIEWPORT_SOLID"
    scene.understudy.job_folder = "//here/"
    params = CaptureParams.from_context(bpy.context)
    assert (params.folder, params.source, params.frame_end) == (saved_file.parent / "here", "VIEWPORT_SOLID", 2)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    ready()
    (tmp_path / "file").write_text("precious")
    for folder in (tmp_path / "missing" / "job", tmp_path / "file", tmp_path / "file" / "job", Path("/proc/job")):
        with pytest.raises(CaptureError, match="cannot be written to"):
            stage.run(stage.params(folder))
    assert files(tmp_path) == ["file"]


def test_capturing_again_replaces_pictures_and_nothing_else(tmp_path: Path) -> None:
    scene = ready()
    stage.run(stage.params(tmp_path))
    for name in ("keys/0001.png", "result/0001.png", "style/generator.json", "frames/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("precious")
    before = (tmp_path / "frames/0001.png").read_bytes()
    scene.camera.location.x = 0.5
    steps = capture(stage.params(tmp_path))
    assert read_shot(tmp_path)
    next(steps)
    assert not (tmp_path / "shot.json").exists(), "old frames with new guides are no shot"
    for _ in steps:
        pass
    assert read_shot(tmp_path).frame_end == 2
    assert (tmp_path / "frames/0001.png").read_bytes() != before
    for name in ("keys/0001.png", "result/0001.png", "style/generator.json", "frames/notes.txt"):
        assert (tmp_path / name).read_text() == "precious"


@pytest.mark.parametrize("source", ["RENDER", "VIEWPORT_SOLID"])
def test_a_full_disk(source: str, small_disk: Path) -> None:
    """What is there is whole and can be read; the sentence says why there is no more."""
    scene = ready()
    scene.frame_end = 60
    stage.add_ground()
    with pytest.raises(CaptureError, match=r"disk .* is full"):
        stage.run(stage.params(small_disk, source))
    made = files(small_disk)
    assert made == [f"guides/{frame:04d}.geometry.exr" for frame in range(1, len(made) + 1)] and len(made) > 2
    sizes = [(small_disk / name).stat().st_size for name in made]
    assert min(sizes) > 0.9 * max(sizes), "no picture was cut short"


def test_a_disk_that_fills_up_under_shot_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ready()
    monkeypatch.setattr(capturing, "write_json", full)
    with pytest.raises(CaptureError, match=r"disk .* is full"):
        stage.run(stage.params(tmp_path))
    assert len(files(tmp_path)) == 8


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


NO_DRIVER = """
import sys
import bpy
from pathlib import Path
from blender_addon.capture import CaptureError, CaptureParams, capture
ob = bpy.data.objects.new("Ball", bpy.data.meshes.new("Ball"))
scene = bpy.context.scene
scene.collection.objects.link(ob)
scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
scene.render.engine = "BLENDER_WORKBENCH"
for source in ("RENDER", "VIEWPORT_SOLID"):
    params = CaptureParams("Scene", bpy.context.view_layer.name, Path(sys.argv[1]), 1, 1, source)
    try:
        next(capture(params))
    except CaptureError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux runs Blender without a graphics driver")
def test_a_machine_without_a_graphics_driver(tmp_path: Path) -> None:
    """In a process of its own: a Blender that tries to draw there aborts."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "__EGL_VENDOR_LIBRARY_DIRS": str(tmp_path)}
    command = [sys.executable, "-c", NO_DRIVER, str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.count("No graphics driver is installed here") == 2, done.stderr
