"""Scene → a shot's frames and guides in its job folder. Knows how Blender renders; knows no engine and no operator.

Four sweeps over the range, each with its own settings: geometry (Cycles, one sample at the pixel's centre, every
surface showing its Generated coordinates as light), edges (the same in finer pixels, of which only a PNG stays), albedo
(Cycles, the artist's materials) and the frames themselves.
A picture is moved into place when it is whole, shot.json comes last, and what a sweep changes in the scene is put back
when it ends, however it ends.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from . import anchors, compat, edges, layers, viewport
from .exr import ExrError, read_channels
from .job_folder import albedo_path, edges_path, frame_path, geometry_path, write_json
from .properties import job_folder
from .protocol import EDGE_PASSES, EDGE_SCALE, GEOMETRY_PASSES, MAX_FRAMES, MAX_SIDE, Shot, ShotObject
from .steps import beside
from .words import rpt_

# Guide → the view layer's switch for the pass that it is read from.
GEOMETRY = {
    "depth": "use_pass_z",
    "normal": "use_pass_normal",
    "vector": "use_pass_vector",
    "id": "use_pass_object_index",
    "anchor": "use_pass_combined",
}
ALBEDO = {"albedo": "use_pass_diffuse_color"}
SURFACES = ("MESH", "CURVE", "SURFACE", "FONT", "META")
# Left out of the guides: Cycles shows lights to the camera, and what these draw would be taken for an anchor.
NO_SURFACES = ("LIGHT", "VOLUME", "CURVES", "POINTCLOUD", "GPENCIL", "GREASEPENCIL")
MAX_HOLES = 64  # one behind the other
MAX_OBJECTS = 32_767  # the largest pass index
MAX_CHANNELS = 40  # of four bytes, in any picture; of the edges' four times as many pixels a quarter

Picture = Callable[[int, Path], None]  # writes a frame as the one file in a folder


class CaptureError(Exception):
    """The shot cannot be captured; str() is one sentence for the artist."""


@dataclass(frozen=True)
class CaptureParams:
    """What is captured, and where to. Frames are inclusive; source is one of properties.SOURCES."""

    scene: str
    view_layer: str
    folder: Path
    frame_start: int
    frame_end: int
    source: str = "RENDER"

    @classmethod
    def from_context(cls, context: bpy.types.Context) -> CaptureParams:
        """The context's scene, view layer and settings. Raises CaptureError."""
        scene = context.scene
        folder = job_folder(scene)
        if folder is None:
            raise CaptureError("Save the Blender file first: the shot's job folder lies beside it.")
        source = scene.understudy.source
        return cls(scene.name, context.view_layer.name, folder, scene.frame_start, scene.frame_end, source)


def capture(params: CaptureParams) -> Generator[tuple[int, int], None, Shot]:
    """Render everything, yielding (pictures done, pictures in all) after each; returns what shot.json holds.

    Pictures captured before are replaced; keys, style and results stay. Raises CaptureError.
    """
    scene = bpy.data.scenes[params.scene]
    view_layer = scene.view_layers[params.view_layer]
    shot = _shot(scene, view_layer, params)
    frame_settings = _frame_settings if params.source == "RENDER" else partial(_viewport_settings, source=params.source)
    holes = _holes_seen(scene, view_layer, params.source)
    sweeps = (
        (partial(_geometry_settings, holes=holes), geometry_path),
        (partial(_edges_settings, holes=holes), edges_path),
        (_albedo_settings, albedo_path),
        (frame_settings, frame_path),
    )
    done, total, seen = 0, len(sweeps) * len(shot.frames), False
    with ExitStack() as whole:
        making = _making_folder(whole, params.folder)
        whole.callback(_remove_render_result, _render_result())
        worker = whole.enter_context(ThreadPoolExecutor(1))
        for settings, path in sweeps:
            with ExitStack() as changes:
                picture = settings(changes, scene, view_layer)
                for frame in shot.frames:
                    made = _make(picture, shot, frame, making)
                    if path is edges_path:
                        made = yield from beside(worker, (done, total), partial(_finish_edges, made))
                    elif not seen:  # in the first sweep, or there is no other
                        seen = yield from beside(worker, (done, total), partial(_anything_seen, made))
                    _store(made, path(params.folder, frame))
                    yield (done := done + 1), total
            if not seen:
                raise CaptureError(
                    "The camera sees no mesh in this frame range: point it at one, or show one in renders."
                )
        _finish(shot, params.folder)
    return shot


# --- what is captured ------------------------------------------------------------------------------------------------


def _shot(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, params: CaptureParams) -> Shot:
    """What shot.json will hold. Raises CaptureError for a scene that cannot be captured."""
    view_layer.update()  # for the scale of what was changed just now
    for refused, sentence in _refusals(scene, view_layer, params):
        if refused:
            raise CaptureError(sentence)
    width, height = _resolution(scene)
    return Shot(
        frame_start=params.frame_start,
        frame_end=params.frame_end,
        width=width,
        height=height,
        fps=scene.render.fps / scene.render.fps_base,
        guides=[*GEOMETRY, "edges", *ALBEDO],
        objects=[ShotObject(i, ob.name, _size(ob)) for i, ob in enumerate(_surfaces(), 1)],
        source=params.source,
        view_transform=scene.view_settings.view_transform,
        blender=bpy.app.version_string,
    )


def _refusals(
    scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, params: CaptureParams
) -> Iterator[tuple[bool, str]]:
    """(whether it is so, what to do about it) for what a capture cannot work with; each may rely on those before."""
    render, camera = scene.render, scene.camera
    yield camera is None, "The scene has no camera: add one and make it the active camera."
    yield camera.type != "CAMERA", "The active camera is another kind of object: make a camera the active one."
    flat = all(camera.type in ("PERSP", "ORTHO") for camera in _cameras(scene))
    yield not flat, "The camera is panoramic: choose a perspective or orthographic one."
    yield render.use_multiview, "The scene renders in stereo: switch Stereoscopy off in the output properties."
    oblong = render.pixel_aspect_x != render.pixel_aspect_y
    yield oblong, "The pixels are not square: set both aspects to the same value in the output properties."
    width, height = _resolution(scene)
    too_large = not 0 < min(width, height) <= max(width, height) <= MAX_SIDE
    yield too_large, f"The picture is {width} x {height} pixels: 1 to {MAX_SIDE} a side can be captured."
    frames = params.frame_end - params.frame_start + 1
    yield not 0 < frames <= MAX_FRAMES, f"The frame range is empty or longer than {MAX_FRAMES} frames."
    yield not render.engine, "The scene's render engine is missing: enable its add-on, or choose another engine."
    yield not hasattr(scene, "cycles"), "The guides need Cycles: enable it in the preferences, under Add-ons."
    draws = params.source != "RENDER" or render.engine.startswith("BLENDER_")
    yield draws and not viewport.can_draw(), "No graphics driver is installed here: let Cycles render the frames."
    surfaces = _surfaces()
    shown = any(ob.name in view_layer.objects for ob in surfaces) or any(ob.is_instancer for ob in view_layer.objects)
    yield not shown, "There is no mesh to capture: add one to the view layer."
    yield len(surfaces) > MAX_OBJECTS, f"The file has more than {MAX_OBJECTS} objects, too many to tell apart by id."


def _resolution(scene: bpy.types.Scene) -> tuple[int, int]:
    """Width and height of the scene's render, in pixels."""
    render = scene.render
    return (
        render.resolution_x * render.resolution_percentage // 100,
        render.resolution_y * render.resolution_percentage // 100,
    )


def _cameras(scene: bpy.types.Scene) -> list[bpy.types.Camera]:
    """The cameras that the shot may look through: markers can change the active one."""
    bound = {marker.camera for marker in scene.timeline_markers} | {scene.camera}
    return [ob.data for ob in bound if ob is not None and ob.type == "CAMERA"]


def _surfaces() -> list[bpy.types.Object]:
    """The objects with a surface, by name; their place in this list, from 1, is their id. All of the file's, because
    instances show objects that are in no scene."""
    return sorted((ob for ob in bpy.data.objects if ob.type in SURFACES), key=lambda ob: ob.name_full)


def _size(ob: bpy.types.Object) -> list[float]:
    """The edges over which the Generated coordinates run from 0 to 1: twice the texture space; for metaballs their box."""
    if ob.type == "META":
        return [ob.dimensions[axis] for axis in range(3)]
    edges, scale = ob.data.texspace_size, ob.matrix_world.to_scale()
    return [2 * edges[axis] * abs(scale[axis]) for axis in range(3)]


# --- settings of the sweeps ------------------------------------------------------------------------------------------


def _change(changes: ExitStack, target: Any, **values: Any) -> None:
    """Set attributes until `changes` closes. Put back in the order given: one can decide what the next may be."""
    before = {name: getattr(target, name) for name in values}
    changes.callback(_assign, target, before)
    _assign(target, values)


def _assign(target: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        if getattr(target, name) != value:
            setattr(target, name, value)


def _picture_settings(changes: ExitStack, scene: bpy.types.Scene, file_format: str, depth: str) -> Picture:
    """What every render has: one file, the whole picture, nothing from the sequencer. Returns what renders a frame."""
    render = scene.render
    _change(changes, scene, camera=scene.camera, frame_start=scene.frame_start, frame_end=scene.frame_end, frame_step=1)
    _change(
        changes, render, filepath=render.filepath, use_file_extension=True, use_overwrite=True, use_placeholder=False
    )
    _change(changes, render, use_border=False, use_sequencer=False, use_stamp=False)
    _change(changes, render, **compat.present(render, save_output=True))
    _change(changes, render.image_settings, **compat.image_format(file_format, depth))
    return lambda frame, folder: _render(scene, frame, folder)


def _guide_settings(
    changes: ExitStack, scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, passes: set[str]
) -> None:
    """One exact sample in the middle of each pixel and nothing that blurs it; motion blur would also zero the vectors."""
    render = scene.render
    for layer in scene.view_layers:
        _change(changes, layer, use=layer == view_layer)
    _change(changes, render, engine="CYCLES", film_transparent=True, use_single_layer=False, use_compositing=False)
    _change(changes, render, use_motion_blur=False, use_freestyle=False, use_persistent_data=False)
    # A box filter is always one pixel wide in Cycles; this one can be a hundredth.
    _change(changes, scene.cycles, device="CPU", samples=1, use_adaptive_sampling=False, use_denoising=False)
    _change(
        changes, scene.cycles, pixel_filter_type="BLACKMAN_HARRIS", filter_width=0.01, film_exposure=1.0, max_bounces=0
    )
    _change(changes, scene.cycles, use_layer_samples="IGNORE", time_limit=0.0, sample_offset=0)
    _change(changes, scene.cycles, **compat.present(scene.cycles, use_sample_subset=False, use_pixel_jitter=False))
    _change(changes, scene.cycles, transparent_max_bounces=MAX_HOLES)
    _change(changes, view_layer, use_solid=True, use_strand=False, use_volumes=False, pass_alpha_threshold=0.5)
    for target in (view_layer, view_layer.cycles):
        switches = (p.identifier for p in target.bl_rna.properties if p.type == "BOOLEAN" and "pass_" in p.identifier)
        _change(changes, target, **{name: name in passes for name in switches})
    for camera in _cameras(scene):
        _change(changes, camera.dof, use_dof=False)
    for ob in bpy.data.objects:
        if ob.type in NO_SURFACES or anchors.is_volume(ob):
            _change(changes, ob, hide_render=True)


def _holes_seen(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, source: str) -> bool:
    """Whether the frames show the holes that materials have by their alpha."""
    solid = source == "VIEWPORT_SOLID" or (source == "RENDER" and scene.render.engine == "BLENDER_WORKBENCH")
    return not solid and view_layer.material_override is None


def _geometry_settings(
    changes: ExitStack,
    scene: bpy.types.Scene,
    view_layer: bpy.types.ViewLayer,
    guides: Iterable[str] = GEOMETRY,
    holes: bool = False,
) -> Picture:
    """Every surface shines with its Generated coordinates, and each object has an id of its own."""
    picture = _picture_settings(changes, scene, "OPEN_EXR_MULTILAYER", "32")
    view_layer = layers.guide_layer(changes, scene, view_layer)
    _guide_settings(changes, scene, view_layer, {GEOMETRY[guide] for guide in guides})
    _change(changes, scene, world=None)  # its fog would dim the anchor
    anchors.shine(changes, view_layer, holes)
    ids = {ob: i for i, ob in enumerate(_surfaces(), 1)}
    for ob in bpy.data.objects:
        _change(changes, ob, pass_index=ids.get(ob, 0))
    return picture


def _edges_settings(
    changes: ExitStack, scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, holes: bool = False
) -> Picture:
    """What edges are told from, in finer pixels."""
    width, height = (EDGE_SCALE * side for side in _resolution(scene))
    _change(changes, scene.render, resolution_x=width, resolution_y=height, resolution_percentage=100)
    picture = _geometry_settings(changes, scene, view_layer, EDGE_PASSES, holes)
    _change(changes, scene.render.image_settings, exr_codec="NONE")  # it is read at once
    return picture


def _albedo_settings(changes: ExitStack, scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> Picture:
    """The colours of the artist's materials without their light."""
    picture = _picture_settings(changes, scene, "OPEN_EXR_MULTILAYER", "32")
    view_layer = layers.guide_layer(changes, scene, view_layer)
    _guide_settings(changes, scene, view_layer, set(ALBEDO.values()))
    # Blender writes the light along, whether asked for or not; black, it takes neither room nor time to read.
    _change(changes, scene.cycles, film_exposure=0.0)
    return picture


def _frame_settings(changes: ExitStack, scene: bpy.types.Scene, _layer: bpy.types.ViewLayer) -> Picture:
    """The artist's own, but that the compositor's File Output nodes write nothing over their earlier files."""
    for node in compat.compositor_nodes(scene):
        if node.type == "OUTPUT_FILE":
            _change(changes, node, mute=True)
    return _picture_settings(changes, scene, "PNG", "8")


def _viewport_settings(
    changes: ExitStack, scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer, source: str
) -> Picture:
    """The 3D View's own shading, without overlays, through the camera."""
    view = viewport.find_view(bpy.context)
    if view is None:
        raise CaptureError("No 3D View is open: open one, or let the frames show the render.")
    _start_gpu(scene)
    _change(changes, scene, camera=scene.camera)  # put back after the frame, which may switch it by a marker
    changes.callback(scene.frame_set, scene.frame_current, subframe=scene.frame_subframe)
    _change(changes, view.space.shading, type="SOLID" if source == "VIEWPORT_SOLID" else "MATERIAL")
    _change(changes, view.space.overlay, show_overlays=False)
    width, height = _resolution(scene)

    def picture(frame: int, folder: Path) -> None:
        scene.frame_set(frame)
        viewport.write_png(folder / "drawn.png", viewport.draw(scene, view_layer, view, width, height))

    return picture


def _start_gpu(scene: bpy.types.Scene) -> None:
    """Without a window Blender draws only once its GPU has been woken: until 5.1 a Workbench render does it."""
    if not bpy.app.background:
        return
    with ExitStack() as changes:
        _change(changes, scene.render, engine="BLENDER_WORKBENCH", resolution_x=16, resolution_y=16)
        _change(changes, scene.render, resolution_percentage=100)
        _change(changes, scene.render, use_compositing=False, use_sequencer=False)
        compat.start_gpu(scene)


# --- one picture -----------------------------------------------------------------------------------------------------


def _making_folder(whole: ExitStack, folder: Path) -> Path:
    """A folder for pictures in the making, on the disk where they go, until `whole` closes. Makes the job folder."""
    try:
        for path in (folder, folder / "frames", folder / "guides"):
            path.mkdir(exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix=".partial-", dir=folder))
    except OSError as error:
        raise CaptureError(_cannot_write(folder, error)) from error
    whole.callback(shutil.rmtree, making, ignore_errors=True)
    return making


def _cannot_write(folder: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of the job folder {folder} is full: make room and capture again."
    why = error.strerror or type(error).__name__
    return f"The job folder {folder} cannot be written to ({why}): choose another."


def _check_room(shot: Shot, folder: Path) -> None:
    """Room for one picture, uncompressed: Blender takes an EXR cut short by a full disk for a success."""
    if shutil.disk_usage(folder).free < shot.width * shot.height * MAX_CHANNELS * 4:
        raise OSError(errno.ENOSPC, "no room")


def _render(scene: bpy.types.Scene, frame: int, folder: Path) -> None:
    """Render one frame into `folder`: an animation of one frame leaves the scene's current frame alone."""
    scene.frame_start = frame
    scene.frame_end = frame
    scene.render.filepath = compat.literal_path(folder / "####")
    bpy.ops.render.render(animation=True, scene=scene.name)


def _make(picture: Picture, shot: Shot, frame: int, making: Path) -> Path:
    """Make one picture; where it is. shot.json goes before the first that it might not fit. Raises CaptureError."""
    job = making.parent
    try:
        _check_room(shot, job)
        for old in making.iterdir():
            old.unlink()
        picture(frame, making)
        made = next(making.iterdir(), None)
        if made is None:
            raise CaptureError(
                rpt_("Blender gave up on frame {frame}: render it by hand to see why.").format(frame=frame)
            )
        (job / "shot.json").unlink(missing_ok=True)
        return made
    except OSError as error:
        raise CaptureError(_cannot_write(job, error)) from error
    except RuntimeError as error:  # what the render operator reports
        raise CaptureError(
            rpt_("Frame {frame} could not be rendered: {why}").format(
                frame=frame, why=str(error).strip().splitlines()[0]
            )
        ) from error


def _finish_edges(fine: Path) -> Path:
    """The guide of what was rendered in finer pixels; where it is. Runs beside Blender. Raises CaptureError."""
    path = fine.with_name("edges.png")
    try:
        guide = edges.edges(*edges.read_fine(fine))
        viewport.write_png(path, np.pad(guide, [(0, 0), (0, 0), (0, 1)], constant_values=255))
    except OSError as error:
        raise CaptureError(_cannot_write(fine.parent.parent, error)) from error
    except ExrError as error:
        raise CaptureError(rpt_("The edges could not be rendered: {why}").format(why=error)) from error
    return path


def _store(made: Path, path: Path) -> None:
    """Move a picture into place. Raises CaptureError."""
    try:
        os.replace(made, path)
    except OSError as error:
        raise CaptureError(_cannot_write(path.parent.parent, error)) from error


def _finish(shot: Shot, folder: Path) -> None:
    try:
        write_json(folder / "shot.json", shot)
    except OSError as error:
        raise CaptureError(_cannot_write(folder, error)) from error


def _anything_seen(made: Path) -> bool:
    """Whether the geometry's picture is more than background. Runs beside Blender. Raises CaptureError."""
    *names, channels = GEOMETRY_PASSES["anchor"]
    try:
        (alpha,) = read_channels(made, [[f"{name}.{channels[-1]}" for name in names]])
    except ExrError as error:
        raise CaptureError(rpt_("The geometry could not be rendered: {why}").format(why=error)) from error
    return bool(alpha.any())


def _render_result() -> bpy.types.Image | None:
    return next((image for image in bpy.data.images if image.type == "RENDER_RESULT"), None)


def _remove_render_result(before: bpy.types.Image | None) -> None:
    """The first render of a file leaves an image datablock: away with it if it was not there before."""
    after = _render_result()
    if before is None and after is not None:
        bpy.data.images.remove(after)
