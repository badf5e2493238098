"""What a captured shot holds, on real renders: guides that are exact, frames as the artist's render shows them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import bpy
import numpy as np
import pytest
import stage
from bl_ext.user_default.understudy import viewport
from bl_ext.user_default.understudy.protocol import Shot
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

HALF = 0.5


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Shot, list[dict[str, np.ndarray]]]:
    """A turning ball, a bending and swelling skin, a moving camera: captured once, the file kept to look things up."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = stage.empty_stage(frames=3)
    stage.animate(scene.camera, "location", (0, -8, 3), (0.5, -7.8, 3))
    stage.add_ground()
    stage.animate(stage.add_ball(), "rotation_euler", (0, 0, 0), (0, 0.2, 0.5))
    stage.add_skin()
    folder = tmp_path_factory.mktemp("moving")
    shot = stage.run(stage.params(folder))
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    return folder, shot, stage.guides(folder, 1, 2, 3)


def project(scene: bpy.types.Scene, points: np.ndarray) -> np.ndarray:
    """World points (N, 3) → pixel coordinates (N, 2) from the top left; the first pixel's centre is (.5, .5)."""
    size = np.array([scene.render.resolution_x, scene.render.resolution_y])
    seen = np.array([world_to_camera_view(scene, scene.camera, Vector(p))[:2] for p in points.tolist()])
    return np.stack([seen[:, 0], 1 - seen[:, 1]], -1) * size


def footprint(anchor: np.ndarray) -> np.ndarray:
    """How far the anchor moves from a pixel to the next, (H, W, 3, 2): across, down; central differences."""
    return np.stack([np.gradient(anchor, axis=1), np.gradient(anchor, axis=0)], -1)


def test_a_sample_is_at_the_centre_of_its_pixel(moving) -> None:
    folder, _, (first, *_) = moving
    bpy.ops.wm.open_mainfile(filepath=str(folder / "shot.blend"))
    scene = bpy.context.scene
    scene.frame_set(1)
    ys, xs = np.nonzero(first["id"][..., 0] > 0)
    pixels = project(scene, first["position"][ys, xs])
    assert np.abs(pixels - np.stack([xs, ys], -1) - HALF).max() < 0.02


def test_edges_lie_within_a_pixel(tmp_path: Path) -> None:
    """A wall ends in the second quarter of a pixel: of that pixel one half borders on nothing, and the other half on the wall;
    moved by half a pixel it is one of each of two pixels."""
    stage.empty_stage(frames=2)
    scene = bpy.context.scene
    scene.camera.data.type, scene.camera.data.ortho_scale = "ORTHO", 4.0
    side = scene.render.resolution_x
    bpy.ops.mesh.primitive_plane_add(size=8, rotation=scene.camera.rotation_euler)
    wall, pixel = bpy.context.object, 4.0 / side
    to_right = scene.camera.matrix_world.to_3x3() @ Vector((1, 0, 0))
    for frame, shift in ((1, 0.5), (2, 0.0)):
        wall.location = to_right * (4 + shift * pixel)  # its left border is there, from the middle of the picture
        wall.keyframe_insert("location", frame=frame)
    stage.run(stage.params(tmp_path))
    rows = [guides["edges"][side // 2, :, 0] for guides in stage.guides(tmp_path, 1, 2)]
    middle = side // 2
    assert np.flatnonzero(rows[0]).tolist() == [middle] and rows[0][middle] == 255, rows[0]
    assert np.flatnonzero(rows[1]).tolist() == [middle - 1, middle] and set(rows[1][middle - 1 : middle + 1]) == {128}


def test_a_pixels_id_is_its_object(moving) -> None:
    _, shot, frames = moving
    assert [ob.name for ob in shot.objects] == ["Ball", "Ground", "Skin"]
    colour = {"Ball": (0.8, 0.1, 0.1), "Ground": (0.2, 0.6, 0.2), "Skin": (0.1, 0.2, 0.8)}
    for guides in frames:
        assert set(np.unique(guides["id"])) == {0, 1, 2, 3}
        assert ((guides["id"][..., 0] > 0) == (guides["anchor"][..., 3] > 0)).all(), "alpha is 1 where something is hit"
        for ob in shot.objects:
            albedo = guides["albedo"][guides["id"][..., 0] == ob.id]
            assert (
                np.abs(albedo / albedo.max(-1, keepdims=True) - np.array(colour[ob.name]) / max(colour[ob.name])).max()
                < 0.05
            )


def test_warping_by_the_vectors_meets_the_next_frame(moving) -> None:
    """The rest-shape point seen by a pixel is looked for around the place to which the vector sends it."""
    _, _, frames = moving
    for now, after in pairwise(frames):
        errors, share = warp_errors(now, after)
        assert share > 0.85, "most pixels stay visible"
        assert errors.mean() < 0.1 and np.quantile(errors, 0.99) < 0.5
        back, _ = warp_errors(after, now, forward=False)
        assert back.mean() < 0.1
        still = np.linalg.norm(now["vector"][..., 2:], axis=-1)[now["id"][..., 0] > 0]
        assert still.mean() > 1, "the shot moves, so that this test means something"


def warp_errors(now: dict, after: dict, forward: bool = True) -> tuple[np.ndarray, float]:
    """Pixels between where a vector points and where the same anchor is; the share of pixels that are seen in both."""
    h, w, _ = now["id"].shape
    ys, xs = np.nonzero(now["id"][..., 0] > 0)
    x, y, z, u = now["vector"][ys, xs].T
    flow = np.stack([-z, u] if forward else [x, -y], -1)
    target = np.stack([xs, ys], -1) + flow
    near = np.rint(target).astype(int)
    inside = ((near >= 1) & (near < [w - 1, h - 1])).all(-1)
    ys, xs, target, near = ys[inside], xs[inside], target[inside], near[inside]
    ids = np.stack([after["id"][near[:, 1] + dy, near[:, 0] + dx, 0] for dy in (-1, 0, 1) for dx in (-1, 0, 1)], -1)
    whole = (ids == now["id"][ys, xs]).all(-1)  # not at an edge, where a difference of neighbours means nothing
    ys, xs, target, near = ys[whole], xs[whole], target[whole], near[whole]
    slope = footprint(after["anchor"][..., :3])[near[:, 1], near[:, 0]]  # N 3 2
    miss = now["anchor"][ys, xs, :3] - after["anchor"][near[:, 1], near[:, 0], :3]
    step = np.einsum("nij,nj->ni", np.linalg.pinv(slope, rcond=1e-3), miss)  # pixels from `near` to the true place
    residual = np.linalg.norm(miss - np.einsum("nij,nj->ni", slope, step), axis=-1)
    seen = (np.linalg.norm(step, axis=-1) < 3) & (residual < 0.03)
    return np.linalg.norm(near + step - target, axis=-1)[seen], seen.mean()


def test_the_anchor_of_a_skin_vertex_stays_while_the_skin_deforms(moving) -> None:
    folder, shot, frames = moving
    bpy.ops.wm.open_mainfile(filepath=str(folder / "shot.blend"))
    scene, skin = bpy.context.scene, bpy.data.objects["Skin"]
    rest = np.array([point.co[:] for point in skin.data.shape_keys.key_blocks["Basis"].data])
    low = rest.min(0)
    expected = (rest - low) / (rest.max(0) - low)
    size = next(ob.size for ob in shot.objects if ob.name == "Skin")
    assert size == pytest.approx((rest.max(0) - low).tolist(), abs=1e-4)
    for frame, guides in zip(shot.frames, frames, strict=True):
        scene.frame_set(frame)
        evaluated = skin.evaluated_get(bpy.context.evaluated_depsgraph_get())
        world = np.array([(skin.matrix_world @ vertex.co)[:] for vertex in evaluated.data.vertices])
        pixels = np.floor(project(scene, world)).astype(int)
        x, y = np.clip(pixels, 2, stage.SIDE - 3).T
        around = np.stack([guides["id"][y + dy, x + dx, 0] for dy in (-1, 0, 1) for dx in (-1, 0, 1)], -1)
        visible = (np.linalg.norm(guides["position"][y, x] - world, axis=-1) < 0.1) & (around == 3).all(-1)
        assert visible.sum() > 50
        slope = footprint(guides["anchor"][..., :3])[y, x][visible]
        miss = np.linalg.norm((guides["anchor"][y, x, :3] - expected)[visible], axis=-1)
        assert (miss <= np.linalg.norm(slope, axis=(1, 2)) + 1e-4).all()
    moved = np.linalg.norm(world - np.array(skin.matrix_world.translation) - rest, axis=-1)
    assert moved.max() > 0.5, "the skin deforms, so that this test means something"


@pytest.mark.parametrize("source", ["RENDER", "VIEWPORT_SOLID"])
def test_frames_and_guides_show_the_same(source: str, tmp_path: Path) -> None:
    """The outline of a ball in the frame is that of its id, to within the frame's own smoothing."""
    scene = stage.empty_stage(frames=2)
    scene.camera.data.shift_x, scene.camera.data.sensor_fit = 0.1, "VERTICAL"
    scene.render.resolution_y = stage.SIDE // 2
    scene.render.film_transparent = True
    stage.animate(stage.add_ball("Ball", (0, 0, 1)), "location", (-1, 0, 1), (1, 0, 1))
    scene.world = bpy.data.worlds.new("World")
    stage.run(stage.params(tmp_path, source))
    for guides in stage.guides(tmp_path, 1, 2):
        frame = guides["frame"].astype(float)
        outside = guides["id"][..., 0] == 0
        background = np.median(frame[outside], axis=0)
        shown = np.abs(frame - background).max(-1) > 12
        assert (shown == ~outside).mean() > 0.97
        assert np.count_nonzero(~outside) > 100


@pytest.mark.parametrize("source", ["VIEWPORT_SOLID", "VIEWPORT_MATERIAL"])
def test_the_viewport_is_drawn_with_the_shading_asked_for(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn by a stand-in, for Material Preview takes software OpenGL a minute."""
    stage.empty_stage(frames=1)
    stage.add_ball()
    seen = []

    def draw(_scene, _layer, view, width: int, height: int) -> np.ndarray:
        seen.append((view.space.shading.type, view.space.overlay.show_overlays))
        return np.full((height, width, 4), 128, np.uint8)

    monkeypatch.setattr(viewport, "draw", draw)
    stage.run(stage.params(tmp_path, source))
    assert seen == [(source.removeprefix("VIEWPORT_"), False)]
    assert (stage.guides(tmp_path, 1)[0]["frame"] == 128).all(), "the PNG that is written by hand can be read"
