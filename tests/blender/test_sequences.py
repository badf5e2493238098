"""Finished frames in Blender: what the strip shows, what is replaced and what is the artist's, camera, compositor."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
from bl_ext.user_default.understudy import compat, sequences
from bl_ext.user_default.understudy.properties import job_folder
from bl_ext.user_default.understudy.shot import look
from shots import add_camera, refusal, write_picture, write_results, write_shot


@pytest.fixture
def folder(saved_file: Path) -> Path:
    """A shot of which frames 3 to 6 are finished."""
    folder = write_shot(saved_file.parent / "understudy", 3, 6)
    write_results(folder, range(3, 7))
    return folder


def show(folder: Path) -> bpy.types.Scene:
    return sequences.show_in_sequencer(bpy.context.scene, folder, look(folder).results)


def strips(edit: bpy.types.Scene) -> list[object]:
    return list(compat.sequencer_strips(edit.sequence_editor))


def rendered(edit: bpy.types.Scene, frame: int, folder: Path) -> float:
    """The grey that the sequencer's scene renders at a frame, 0 to 1."""
    bpy.context.window.scene = edit  # rendered from another scene, Blender leaves the sequencer out
    edit.frame_set(frame)
    edit.render.filepath = str(folder / "seen.png")
    bpy.ops.render.render(scene=edit.name, write_still=True)
    image = bpy.data.images.load(edit.render.filepath)
    pixels = np.array(image.pixels[:]).reshape(-1, 4)
    bpy.data.images.remove(image)
    assert np.ptp(pixels[:, 0]) < 0.01, "the picture does not fill the frame"
    return float(pixels[0, 0])


def test_the_sequencer_shows_each_frame_at_its_time_and_in_its_colours(folder: Path) -> None:
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 16
    edit = show(folder)
    for frame in (3, 6):
        assert rendered(edit, frame, folder) == pytest.approx(frame / 10, abs=0.01)
    assert not (scene.sequence_editor and strips(scene)), "the shot's own scene renders as before"


def test_a_shot_is_moved_to_another_machine(folder: Path, tmp_path: Path) -> None:
    """The file with its folder, somewhere else: the strip, the view and the job folder are found there."""
    add_camera()
    moved = tmp_path / "other machine"
    edit = show(folder)
    sequences.show_behind_camera(bpy.context.scene, folder, look(folder).results)
    name = edit.name
    bpy.ops.wm.save_mainfile()
    moved.mkdir()
    for thing in (Path(bpy.data.filepath), folder):
        thing.rename(moved / thing.name)
    bpy.ops.wm.open_mainfile(filepath=str(moved / Path(bpy.data.filepath).name))
    (strip,) = strips(bpy.data.scenes[name])
    assert Path(bpy.path.abspath(strip.directory)).is_relative_to(moved)
    assert (Path(bpy.path.abspath(strip.directory)) / strip.elements[0].filename).is_file()
    (background,) = bpy.context.scene.camera.data.background_images
    assert Path(bpy.path.abspath(background.image.filepath)).is_file()
    assert look(job_folder(bpy.context.scene)).results == (3, 4, 5, 6)


def test_again_replaces_the_own_strip_and_no_other(folder: Path) -> None:
    edit = show(folder)
    (mine,) = strips(edit)
    collection = compat.sequencer_strips(edit.sequence_editor)
    artists = collection.new_image("artist", str(folder / "frames" / "0003.png"), mine.channel + 1, 3)
    mine.channel = artists.channel + 3
    moved_to = mine.channel
    write_results(folder, range(7, 8))
    write_shot(folder, 3, 7)
    assert show(folder) == edit
    assert sorted(len(strip.elements) for strip in strips(edit)) == [1, 5]
    names = {strip.name: strip.channel for strip in strips(edit)}
    assert names == {"artist": artists.channel, "Scene stylised": moved_to}
    assert len(bpy.data.scenes) == 2


def test_the_same_files_are_read_again_into_the_strip_as_the_artist_left_it(folder: Path) -> None:
    bpy.context.scene.render.resolution_x = bpy.context.scene.render.resolution_y = 16
    edit = show(folder)
    scene = bpy.context.window.scene
    assert rendered(edit, 4, folder) == pytest.approx(0.4, abs=0.01)
    (mine,) = strips(edit)
    mine.name, mine.blend_alpha = "graded by the artist", 1.0
    write_picture(folder / "result" / "0004.png", (0.8, 0.8, 0.8))
    bpy.context.window.scene = scene
    show(folder)
    assert [strip.name for strip in strips(edit)] == ["graded by the artist"]
    assert rendered(edit, 4, folder) == pytest.approx(0.8, abs=0.01)


def test_a_strip_in_the_way_is_left_where_it_is(folder: Path) -> None:
    edit = show(folder)
    collection = compat.sequencer_strips(edit.sequence_editor)
    collection.remove(collection[0])
    artists = collection.new_image("artist", str(folder / "frames" / "0003.png"), 1, 4)
    show(folder)
    assert {strip.name: strip.channel for strip in strips(edit)} == {"artist": 1, "Scene stylised": 2}
    assert artists.channel == 1


def test_a_gap_shows_the_frame_before_it(folder: Path) -> None:
    (folder / "result" / "0004.png").unlink()
    (strip,) = strips(show(folder))
    assert [e.filename for e in strip.elements] == ["0003.png", "0003.png", "0005.png", "0006.png"]


def test_paths_are_relative_to_the_file(folder: Path) -> None:
    (strip,) = strips(show(folder))
    assert strip.directory.startswith("//understudy")


def test_behind_the_camera_once_in_step_with_the_timeline(folder: Path) -> None:
    camera, frames = add_camera(), look(folder).results
    camera.data.background_images.new()
    for _ in range(2):
        sequences.show_behind_camera(bpy.context.scene, folder, frames)
    artists, ours = camera.data.background_images
    assert artists.image is None and camera.data.show_background_images
    assert ours.image.source == "SEQUENCE" and len(bpy.data.images) == 1
    assert (ours.image_user.frame_start, ours.image_user.frame_duration, ours.image_user.frame_offset) == (3, 4, 2)


def test_a_picture_painted_again_is_seen_again(folder: Path) -> None:
    image = bpy.data.images.load(str(folder / "result" / "0003.png"))
    assert image.pixels[0] == pytest.approx(0.3, abs=0.01)
    write_picture(folder / "result" / "0003.png", (0.9, 0.9, 0.9))
    show(folder)
    assert image.pixels[0] == pytest.approx(0.9, abs=0.01)


def test_compositor_image_is_one_node_beside_the_artists(folder: Path) -> None:
    for _ in range(2):
        assert bpy.ops.understudy.show_result(place="COMPOSITOR") == {"FINISHED"}
    tree = compat.compositor_tree(bpy.context.scene)
    (node,) = [n for n in tree.nodes if n.bl_idname == "CompositorNodeImage"]
    assert (node.image.source, node.frame_start, node.frame_duration) == ("SEQUENCE", 3, 4)
    assert any(n.bl_idname == "CompositorNodeRLayers" for n in tree.nodes), "the render still goes through"


def test_go_to_the_sequencer(folder: Path) -> None:
    """A frame that there is is seen there, and one button leads back."""
    assert "This scene is no result" in refusal(bpy.ops.understudy.back_to_shot)
    shot = bpy.context.scene
    shot.frame_current = 5
    assert bpy.ops.understudy.show_result(place="SEQUENCER") == {"FINISHED"}
    workspace = bpy.context.workspace
    shown = getattr(workspace, "sequencer_scene", None) or bpy.context.window.scene
    assert shown.name == "Scene Stylised" and shown.frame_current == 5
    shot.frame_current = 200
    with bpy.context.temp_override(scene=shot):
        assert bpy.ops.understudy.show_result(place="SEQUENCER") == {"FINISHED"}
    assert shown.frame_current == 6, "the last there is"
    bpy.context.window.scene = shown
    assert bpy.ops.understudy.back_to_shot() == {"FINISHED"}
    assert bpy.context.window.scene == shot


def test_exr_frames_are_shown_in_their_colours(folder: Path) -> None:
    """Finished frames of the kind that was written last count, linear ones come out as they should look."""
    scene = bpy.context.scene
    scene.render.resolution_x = scene.render.resolution_y = 16
    for name, value in compat.image_format("OPEN_EXR", "16").items():
        setattr(scene.render.image_settings, name, value)
    for frame in (3, 4):
        image = bpy.data.images.new("linear", 16, 16, float_buffer=True)
        image.pixels.foreach_set(np.tile(np.float32([0.2140411, 0.2140411, 0.2140411, 1.0]), 16 * 16))
        image.save_render(str(folder / "result" / f"{frame:04d}.exr"), scene=scene)
        bpy.data.images.remove(image)
    assert look(folder).results == (3, 4)
    for name, value in compat.image_format("PNG", "8").items():
        setattr(scene.render.image_settings, name, value)
    edit = show(folder)
    assert rendered(edit, 4, folder) == pytest.approx(0.5, abs=0.01)
    write_results(folder, range(3, 7))
    assert look(folder).results == (3, 4, 5, 6), "painted again as PNG"
