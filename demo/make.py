"""The demo, as a user's script would do it: installs the extension, makes the shot, renders, stylises, in-betweens and plays on
with Understudy's own operators, and lays everything out in demo/out/. Knows the operators; the engine is another process.

Run by `build.py demo`; by hand:  .envs/blender-4.2/bin/python demo/make.py --engine .envs/engine/bin/python
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "demo" / "out"
WORK = OUT / "work"
LOG = OUT / "log.txt"
sys.path.insert(0, str(ROOT))
os.environ["BLENDER_USER_RESOURCES"] = str(WORK / "blender")  # before bpy is imported: nobody's own Blender is touched

import bpy  # noqa: E402

from demo import leap, scene  # noqa: E402
from demo.progress import Bar, clock, run_with_bar  # noqa: E402

POSE_SIDE = 200  # pixels of a pose in the strip
STRIP = (1, 6, 11, 16, 21, 26, 31, 36, 41, 46, 51, 56, 60, 63, 66, 70, 76, 84)


class Demo:
    """What all steps need: the interpreters, the way to the terminal, how long it may train."""

    def __init__(self, engine: Path, seconds: int, resolution: int, out: TextIO) -> None:
        self.engine, self.seconds, self.resolution, self.out = engine, seconds, resolution, out

    def operator(self, title: str, call: Callable[[], set[str]]) -> None:
        """Run one of Understudy's operators under a bar."""
        manager = sys.modules["bl_ext.user_default.understudy.jobs"].manager
        with Bar(title, self.out) as bar:
            manager.watch = lambda running: bar.show(running.done, running.seconds_left)
            try:
                result = call()
            finally:
                manager.watch = lambda running: None
        if result != {"FINISHED"}:
            raise RuntimeError(f"{title} was cancelled.")

    def run(self, title: str, python: Path | str, module: str, *arguments: str | Path, total: int = 1) -> None:
        """Run one of the demo's own modules under a bar."""
        run_with_bar(title, [python, "-m", module, *arguments], total, self.out, LOG, ROOT)

    def paint(self, title: str, blend: Path, scene_name: str, frames: Sequence[int], target: Path) -> None:
        """The painter's version of frames of a scene, to TARGET/0001.png and on."""
        passes = WORK / f"passes_{target.name}"
        numbers = ",".join(str(frame) for frame in frames)
        self.run(
            f"{title}: light", sys.executable, "demo.passes", blend, passes, scene_name, numbers, total=len(frames)
        )
        self.run(f"{title}: paint", self.engine, "demo.paint", passes, target, total=len(frames))
        shutil.rmtree(passes)  # large, and of no more use


def install_extension(engine: Path) -> None:
    """Build the zip with Blender's own tool, install it as an artist would, and say where the engine's Python is."""
    target = WORK / "understudy.zip"
    builder = Path(bpy.utils.system_resource("SCRIPTS"), "addons_core", "bl_pkg", "cli", "blender_ext.py")
    source = str(ROOT / "blender_addon")
    command = [sys.executable, str(builder), "build", "--source-dir", source, "--output-filepath", str(target)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    bpy.ops.preferences.addon_enable(module="bl_pkg")
    bpy.ops.extensions.package_install_files(filepath=str(target), repo="user_default", enable_on_install=True)
    bpy.context.preferences.filepaths.save_version = 0  # no .blend1 beside the demo's file
    bpy.context.preferences.addons["bl_ext.user_default.understudy"].preferences.engine_python = str(engine)


def make_scenes(resolution: int, blend: Path) -> None:
    """Both scenes, saved, each with a job folder beside the file."""
    shot, rehearsal = scene.build(resolution), leap.build(POSE_SIDE)
    shot.understudy.job_folder, rehearsal.understudy.job_folder = "//shot/", "//leap/"
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))


def stylise_shot(demo: Demo, blend: Path) -> None:
    """Capture, one painted key, training, all frames."""
    shot = bpy.data.scenes["Shot"]
    bpy.context.window.scene = shot
    shot.understudy.training_seconds = demo.seconds
    demo.operator("Capture", bpy.ops.understudy.capture)
    demo.paint("Painted truth", blend, "Shot", range(scene.FRAMES[0], scene.FRAMES[1] + 1), OUT / "painted")
    keys = OUT / "shot" / "keys"
    keys.mkdir(exist_ok=True)
    name = f"{scene.KEY_FRAME:04d}.png"
    shutil.copyfile(OUT / "painted" / name, keys / name)
    demo.operator("Train style", bpy.ops.understudy.train_style)
    demo.operator("Stylise", bpy.ops.understudy.stylise)


def play_leap(demo: Demo, model: str) -> None:
    """In-betweens of all keys, then 24 frames on; keys that an earlier run made are taken away first."""
    rehearsal = bpy.data.scenes["Leap"]
    bpy.context.window.scene = rehearsal
    rig = bpy.data.objects["Pip leaping"]
    bpy.context.view_layer.objects.active = rig
    if model != "baseline":
        bpy.ops.understudy.delete_generated_keys(bones="ALL")
    keys = {"bones": "ALL", "use_selected_keys": False, "model": model}
    demo.operator(f"In-between ({model})", lambda: bpy.ops.understudy.inbetween(**keys))
    demo.operator(f"Extrapolate ({model})", lambda: bpy.ops.understudy.extrapolate(frames=leap.PLAY_ON, **keys))


def paint_leap(demo: Demo) -> None:
    """The strip's poses, made by the network and by the baseline."""
    for model in ("baseline", "auto"):
        play_leap(demo, model)
        blend = WORK / f"leap_{model}.blend"
        bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True)
        demo.paint(f"Poses ({model})", blend, "Leap", STRIP, WORK / f"poses_{model}")
    about = {"strip": STRIP, "keys": leap.KEYS, "side": POSE_SIDE}
    (WORK / "leap.json").write_text(json.dumps(about), encoding="utf-8")


def write_movie(demo: Demo, target: Path) -> None:
    """The stylised strip as H.264, by the Video Sequencer."""
    edit = next(s for s in bpy.data.scenes if s.get("understudy_shot"))
    image = edit.render.image_settings
    if hasattr(image, "media_type"):
        image.media_type = "VIDEO"
    image.file_format = "FFMPEG"
    edit.render.ffmpeg.format, edit.render.ffmpeg.codec = "MPEG4", "H264"
    edit.render.ffmpeg.constant_rate_factor = "HIGH"
    edit.render.resolution_percentage = 200
    edit.render.filepath = str(target)
    bpy.context.window.scene = edit
    with Bar("Movie", demo.out) as bar:

        def watch(rendered: bpy.types.Scene, *_: object) -> None:
            bar.show(rendered.frame_current / rendered.frame_end)

        bpy.app.handlers.render_post.append(watch)
        try:
            bpy.ops.render.render(animation=True, scene=edit.name)
        finally:
            bpy.app.handlers.render_post.remove(watch)
    edit.render.filepath = "//" + target.name


def make(demo: Demo) -> None:
    """Every step, in order."""
    blend = OUT / "understudy_demo.blend"
    with Bar("Extension", demo.out):
        install_extension(demo.engine)
    with Bar("Scenes", demo.out):
        make_scenes(demo.resolution, blend)
    stylise_shot(demo, blend)
    paint_leap(demo)
    write_movie(demo, OUT / "stylised.mp4")
    bpy.context.window.scene = bpy.data.scenes["Shot"]
    bpy.ops.wm.save_as_mainfile(filepath=str(blend))
    demo.run("Scores", demo.engine, "demo.scores", OUT, total=3)
    demo.run("Sheets", demo.engine, "demo.sheets", OUT, total=2)


def summary(seconds: float) -> str:
    """How it went, and what lies where."""
    scores = json.loads((OUT / "scores.json").read_text(encoding="utf-8"))
    rows = [(name, row) for name, row in scores.items() if isinstance(row, dict)]
    lines = [
        f"\nThe demo took {clock(seconds)}. On the {scores['frames scored']} frames that were not painted by hand:"
    ]
    lines += [f"  {name:13}" + "".join(f"  {what} {value:6.3f}" for what, value in row.items()) for name, row in rows]
    lines += [""] + [
        f"  {what:22} {where}"
        for what, where in (
            ("stylised frames", OUT / "shot" / "result"),
            ("movie", OUT / "stylised.mp4"),
            ("contact sheet", OUT / "contact_sheet.png"),
            ("poses", OUT / "poses.png"),
            ("to look at in Blender", OUT / "understudy_demo.blend"),
            ("scores", OUT / "scores.json"),
        )
    ]
    return "\n".join(lines)


def quiet_blender() -> TextIO:
    """Send what Blender prints to the log; returns the way to the terminal that it had."""
    terminal = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    with LOG.open("a", encoding="utf-8") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
    return terminal


def main() -> int:
    """Read the command line, run, and say in one sentence what went wrong if something did."""
    parser = argparse.ArgumentParser(description="Make the demo.")
    parser.add_argument("--engine", type=Path, required=True, help="the Python of the engine's environment")
    parser.add_argument("--seconds", type=int, default=120, help="how long to train the style")
    parser.add_argument("--resolution", type=int, default=scene.RESOLUTION, help="width and height of the frames")
    options = parser.parse_args()
    shutil.rmtree(OUT, ignore_errors=True)
    WORK.mkdir(parents=True)
    started, terminal = time.monotonic(), quiet_blender()
    try:
        make(Demo(options.engine.absolute(), options.seconds, options.resolution, terminal))
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(f"The demo stopped: {error}\nMore is in {LOG}.", file=sys.stderr, flush=True)
        return 1
    print(summary(time.monotonic() - started), file=terminal, flush=True)
    return 0


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # some versions of Blender's module hang or crash in their own exit
