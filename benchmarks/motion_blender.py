"""How long In-Between takes from keys to keys, in Blender, with the engine warm.

    .envs/blender-4.2/bin/python -m benchmarks.motion_blender FRAMES BONES [RUNS]

A tree of bones with random poses keyed every 20 frames; the operator as the artist calls it, blocking. Prints JSON: seconds of
the clock and of Blender's own processor time for the fastest run, and how many keys it made. Runs in a Blender module's
Python with UNDERSTUDY_ENGINE_PYTHON set; knows the operators and no network.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

USER = Path(tempfile.mkdtemp(prefix="understudy-bench-"))
os.environ["BLENDER_USER_RESOURCES"] = str(USER)  # before bpy is imported: nothing of this user's Blender is touched

import bpy  # noqa: E402

SPACING = 20
ROOT = Path(__file__).resolve().parents[1]


def install() -> None:
    """The extension, as an artist would have it."""
    target = USER / "understudy.zip"
    bpy.ops.preferences.addon_enable(module="bl_pkg")
    builder = Path(cast(Any, bpy.utils).system_resource("SCRIPTS"), "addons_core", "bl_pkg", "cli", "blender_ext.py")
    source = str(ROOT / "blender_addon")
    arguments = [sys.executable, str(builder), "build", "--source-dir", source, "--output-filepath", str(target)]
    os.spawnv(os.P_WAIT, sys.executable, arguments)
    bpy.ops.extensions.package_install_files(filepath=str(target), repo="user_default", enable_on_install=True)


def armature(frames: int, bones: int) -> Any:
    """Limbs of five bones on a trunk, keyed every SPACING frames; in Pose Mode."""
    dice, context, data = random.Random(0), cast(Any, bpy.context), cast(Any, bpy.data.armatures.new("Tree"))
    ob: Any = bpy.data.objects.new("Tree", data)
    context.scene.collection.objects.link(ob)
    context.view_layer.objects.active = ob
    bpy.ops.object.mode_set(mode="EDIT")
    made: list[Any] = []
    for i in range(bones):
        bone = data.edit_bones.new(f"b{i}")
        bone.parent = made[0 if i % 5 == 1 else i - 1] if i else None
        bone.head = bone.parent.tail if i else (0.0, 0.0, 1.0)
        bone.tail = [x + dice.uniform(0.05, 0.3) * dice.choice((-1, 1)) for x in bone.head]
        made.append(bone)
    bpy.ops.object.mode_set(mode="POSE")
    for frame in sorted({*range(1, frames + 1, SPACING), frames}):
        for i, bone in enumerate(ob.pose.bones):
            bone.rotation_quaternion = (1.0, *(dice.uniform(-0.3, 0.3) for _ in range(3)))
            bone.keyframe_insert("rotation_quaternion", frame=frame)
            if i == 0:
                bone.location = [dice.uniform(-0.5, 0.5) for _ in range(3)]
                bone.keyframe_insert("location", frame=frame)
    return ob


def main() -> None:
    """One warm-up, then the runs."""
    frames, bones, runs = int(sys.argv[1]), int(sys.argv[2]), int([*sys.argv, "3"][3])
    install()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    cast(Any, bpy.context).scene.frame_end = frames
    armature(frames, bones)
    operators = cast(Any, bpy.ops).understudy
    times, keys = [], 0
    for _ in range(runs + 1):
        operators.delete_generated_keys(bones="ALL")
        wall, own = time.perf_counter(), time.process_time()
        operators.inbetween(bones="ALL")
        times.append((time.perf_counter() - wall, time.process_time() - own))
        keys = sum(len(curve.keyframe_points) for curve in bpy.data.actions[0].fcurves)
    best = min(times[1:])
    print(json.dumps({"seconds": round(best[0], 3), "processor": round(best[1], 3), "keys": keys}), flush=True)
    shutil.rmtree(USER, ignore_errors=True)
    os._exit(0)  # some Blender versions hang at exit


if __name__ == "__main__":
    main()
