"""The demo's scene on this Blender: it builds, it renders the same each time, and its painted strokes stick to the bird."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import bpy
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from demo import leap, scene  # noqa: E402

SIDE = 32


def picture(path: Path) -> np.ndarray:
    """(H, W, 4) of a file that Blender can read."""
    image = bpy.data.images.load(str(path))
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(SIDE, SIDE, 4)


def render(shot: bpy.types.Scene, frame: int, path: Path) -> np.ndarray:
    """The frame as the scene's own engine renders it."""
    shot.frame_set(frame)
    shot.render.filepath = str(path)
    bpy.ops.render.render(write_still=True, scene=shot.name)
    return picture(path)


@pytest.fixture
def shot() -> bpy.types.Scene:
    """The shot, tiny."""
    return scene.build(SIDE)


def test_the_key_frame_renders_the_same_twice_and_another_frame_differs(shot: bpy.types.Scene, tmp_path: Path) -> None:
    first, other, again = (render(shot, f, tmp_path / f"{i}.png") for i, f in enumerate((24, 14, 24)))
    assert np.array_equal(first, again)
    assert np.abs(first - other).mean() > 0.02


def test_the_skin_is_smooth_and_moves_with_the_skeleton(shot: bpy.types.Scene) -> None:
    body = shot.objects["Pip body"]
    weights = np.array([[g.weight for g in v.groups] + [0.0] * (2 - len(v.groups)) for v in body.data.vertices])
    assert np.allclose(weights.sum(1), 1, atol=0.01)
    assert ((weights > 0.1).all(1)).mean() > 0.2, "no vertex is shared between bones"
    heights = []
    for frame in (18, 21):  # stretched just before it lands, squashed after
        shot.frame_set(frame)
        made = body.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        heights.append(np.ptp([v.co.z for v in made.vertices]))
    assert heights[0] > 1.15 * heights[1]


def test_the_leap_has_sparse_keys_only(shot: bpy.types.Scene) -> None:
    rehearsal = leap.build(SIDE)
    rig = rehearsal.objects["Pip leaping"]
    turns = []
    for frame in (leap.KEYS[0], leap.KEYS[2], leap.KEYS[-1]):
        rehearsal.frame_set(frame)
        turns.append(np.array(rig.pose.bones["wing.L"].rotation_quaternion))
    assert np.abs(turns[0] - turns[1]).max() > 0.2
    assert rehearsal.frame_end - leap.KEYS[-1] == leap.PLAY_ON
    assert len(leap.KEYS) < 8


PROOF = """
import json, sys
from pathlib import Path
import numpy as np
from demo.paint import load_strokes, paint_file, read_passes

folder = Path(sys.argv[1])
strokes = load_strokes(folder)
far, kinds = [], []
a, b = (read_passes(folder / f"{frame:04d}.exr") for frame in (20, 24))
body = int(sys.argv[2])
points = []
for passes in (a, b):
    ids = np.rint(passes.get("IndexOB", passes.get("Object Index")))
    points.append(passes["paint_anchor"][ids == body][:, :3] * strokes[body][1])
from scipy.spatial import cKDTree
away, which = cKDTree(points[0]).query(points[1])
near = away < 0.004
look = [strokes[body][0].look(p) for p in points]
same = np.abs(look[1][near] - look[0][which[near]]).mean()
rng = np.random.default_rng(0)
other = np.abs(look[1][near] - look[0][rng.integers(0, len(look[0]), near.sum())]).mean()
for frame in (20, 24):
    paint_file(folder, folder, frame)
print(json.dumps({"points": int(near.sum()), "same": float(same), "other": float(other)}))
"""


def test_strokes_stay_on_their_surface_point_while_the_bird_deforms(shot: bpy.types.Scene, tmp_path: Path) -> None:
    """Two frames, one with the body squashed: where both see the same rest-pose point, both paint the same stroke."""
    blend = tmp_path / "shot.blend"
    shot.render.resolution_x = shot.render.resolution_y = 4 * SIDE
    bpy.ops.wm.save_as_mainfile(filepath=str(blend), copy=True)
    shot.render.resolution_x = shot.render.resolution_y = SIDE
    passes = tmp_path / "passes"
    command = [sys.executable, "-m", "demo.passes", str(blend), str(passes), "Shot", "20,24"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=120)
    number = str(shot.objects["Pip body"].pass_index)
    engine = os.environ["UNDERSTUDY_ENGINE_PYTHON"]
    proof = subprocess.run(
        [engine, "-c", PROOF, str(passes), number], cwd=ROOT, check=True, capture_output=True, text=True, timeout=120
    )
    found = json.loads(proof.stdout)
    assert found["points"] > 300
    assert found["same"] < 0.25 * found["other"]
    painted = sorted(path.name for path in passes.glob("*.png"))
    assert painted == ["0020.png", "0024.png"]
