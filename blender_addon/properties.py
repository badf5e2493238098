"""What a scene remembers for Understudy: one PropertyGroup. Knows no operator and no engine."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from . import compat, styles
from .jobs import manager
from .preferences import preferences
from .shot import look
from .words import iface_, n_, tip_

SHOT = "understudy_shot"  # custom property of a strip's scene: the scene it shows
PRESETS = "understudy"  # where Blender keeps presets of ours, below `presets`
SOURCES = (
    ("RENDER", "Render", "The scene's own render engine and settings"),
    ("VIEWPORT_SOLID", "Solid View", "The look of the viewport's Solid shading: fastest"),
    ("VIEWPORT_MATERIAL", "Material View", "The look of the viewport's Material Preview"),
)
PAINTED_OBJECTS = (
    ("ALL", "All", "Every object that the shot shows"),
    ("COLLECTION", "Collection", "The objects of one collection and of those in it; the others stay as rendered"),
    ("SELECTED", "Selected", "The objects that are selected when Stylise is pressed; the others stay as rendered"),
)
DEPTHS = (
    ("8", "PNG, 8 bit", "As the frames are shown"),
    ("16", "PNG, 16 bit", "As the frames are shown, in finer steps"),
    ("EXR", "OpenEXR", "Linear, half float, for compositing"),
)
STYLE_USES = (
    ("PAINT", "Paint With It", "Stylise paints with the saved style, without keys of this shot's own"),
    ("BASE", "Start From It", "Train Style starts from the saved style and learns this shot's keys in less time"),
)
COMBINE_HOWS = (
    ("CROSS_FADE", "Cross Fade", "From the lower strip to the upper one, over the frames that both show"),
    ("MASK", "Mask", "The upper strip where a mask is white"),
    ("OBJECTS", "Objects", "The upper strip where the objects of a collection are seen"),
)


MODEL_LABELS = {"auto": n_("Automatic"), "baseline": n_("Plain Curves"), "lstm": n_("LSTM Network")}
MODEL_TIPS = {
    "auto": n_("The network where it helps, plain curves elsewhere"),
    "baseline": n_("Never a network: smooth curves through your keys"),
}

_model_items: list[tuple[str, str, str, int]] = []  # Blender keeps no copy of the strings


def _models(self: Any, _context: bpy.types.Context | None) -> list[tuple[str, str, str, int]]:
    """What the engine that runs offers, and what is chosen; more appear once it has started."""
    names = dict.fromkeys(("auto", "baseline", *manager.models.get("inbetween", ()), self.motion_model or "auto"))
    _model_items[:] = [
        (
            name,
            iface_(MODEL_LABELS.get(name, name)),
            tip_(MODEL_TIPS[name])
            if name in MODEL_TIPS
            else tip_("The network '{name}' of the engine").format(name=name),
            _number(name),
        )
        for name in names
    ]
    return _model_items


def _chosen_model(self: Any) -> int:
    return _number(self.motion_model or "auto")


def _choose_model(self: Any, number: int) -> None:
    self.motion_model = next(name for name, _, _, other in _models(self, None) if other == number)


_style_items: list[tuple[str, str, str, int, int]] = []  # Blender keeps no copy of the strings


def _styles(_self: object, _context: bpy.types.Context | None) -> list[tuple[str, str, str, int, int]]:
    """None, then the saved styles with their thumbnails. Their numbers follow from their names, so that a style that
    comes or goes does not change what is chosen."""
    _style_items[:] = [("NONE", iface_("This Shot's Own"), tip_("The style trained on this shot's keys"), 0, 0)]
    _style_items.extend(
        (name, name, tip_("The saved style '{name}'").format(name=name), styles.icon(name), _number(name))
        for name in styles.names()
    )
    return _style_items


def _number(name: str) -> int:
    return (zlib.crc32(name.encode()) & 0x3FFFFFFF) + 1


def _chosen_style(self: Any) -> int:
    return _number(self.style) if self.style in styles.names() else 0


def _choose_style(self: Any, number: int) -> None:
    self.style = next((name for name in styles.names() if _number(name) == number), "")


class UnderstudySettings(bpy.types.PropertyGroup):
    """Everything Understudy stores in a scene."""

    job_folder: StringProperty(
        name="Job Folder",
        description="Where this shot keeps its frames, guides, painted keys and results. Empty: as in the preferences",
        subtype="DIR_PATH",
        options=compat.RELATIVE_PATH,
    )
    source: EnumProperty(
        name="Picture", description="What the frames to be painted over show", items=SOURCES, default="RENDER"
    )
    training_seconds: FloatProperty(
        name="Train For",
        description="The longest that training may take; about a minute for each painted frame is enough",
        default=120.0,
        min=1.0,
        soft_max=3600.0,
        max=7 * 24 * 3600.0,
        step=1000,
        precision=0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
    )
    seed: IntProperty(name="Seed", description="The same seed gives the same result", default=0, min=0)
    strength: FloatProperty(
        name="Strength",
        translation_context="Understudy",
        description="From the render (0) to the painting (1)",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    light: FloatProperty(
        name="Light",
        translation_context="Understudy",
        description="How much the painting follows the light as it changes in the scene. At 0 light stays as painted",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
    )
    texture: FloatProperty(
        name="Strokes",
        translation_context="Understudy",
        description="How much of lines and strokes is laid on: 0 none, 1 as painted, 2 twice as strong",
        default=1.0,
        min=0.0,
        max=2.0,
        subtype="FACTOR",
    )
    painted_objects: EnumProperty(
        name="Objects", description="Which objects are painted", items=PAINTED_OBJECTS, default="ALL"
    )
    painted_collection: PointerProperty(
        name="Collection", description="Its objects are painted, the others stay as rendered", type=bpy.types.Collection
    )
    keep_background: BoolProperty(
        name="Keep Background", description="What is no object stays as rendered: sky, world, what is behind the scene"
    )
    keep_alpha: BoolProperty(
        name="Keep Transparency", description="Where the render is transparent, the result is", default=True
    )
    depth: EnumProperty(name="File", description="The kind of file of the finished frames", items=DEPTHS, default="8")
    style: StringProperty(
        name="Style",
        translation_context="Understudy",
        description="Name of the saved style that this shot uses. Empty: the style trained on its keys",
    )
    style_thumbnail: EnumProperty(
        name="Style",
        translation_context="Understudy",
        description="The saved style that this shot uses",
        items=_styles,
        get=_chosen_style,
        set=_choose_style,
        options={"SKIP_SAVE"},
    )
    style_use: EnumProperty(name="Use", description="What the saved style is for", items=STYLE_USES, default="PAINT")
    footage_still: BoolProperty(
        name="Camera Stands Still",
        description="What rests in the footage is background: with Keep Background on it stays as filmed",
    )
    combine_how: EnumProperty(
        name="How", description="How two strips are put together", items=COMBINE_HOWS, default="CROSS_FADE"
    )
    combine_mask: StringProperty(
        name="Mask",
        description="Folder of pictures named by their frame, as 0001.png; where they are white the upper strip is seen",
        subtype="DIR_PATH",
        options=compat.RELATIVE_PATH,
    )
    combine_collection: PointerProperty(
        name="Collection", description="The upper strip is seen where its objects are", type=bpy.types.Collection
    )
    combine_feather: FloatProperty(
        name="Feather",
        description="Pixels over which an edge is softened",
        default=0.0,
        min=0.0,
        soft_max=100.0,
        max=1000.0,
        subtype="PIXEL",
    )
    extrapolate_frames: IntProperty(
        name="Frames",
        description="How many frames to play on after the last key",
        default=12,
        min=1,
        soft_max=120,
        max=10_000,
    )
    motion_model: StringProperty(
        name="Model",
        description="How motion is made: auto takes the network where it helps, baseline never",
        default="auto",
    )
    motion_model_choice: EnumProperty(
        name="Model",
        description="How motion is made",
        items=_models,
        get=_chosen_model,
        set=_choose_model,
        options={"SKIP_SAVE"},
    )


def job_folder(scene: Any) -> Path | None:
    """The folder of the scene's shot, absolute; None where it is relative to a file that has never been saved."""
    name = scene.understudy.job_folder or default_folder(scene)
    if name.startswith("//") and not bpy.data.filepath:
        return None
    return Path(bpy.path.abspath(name))


def default_folder(scene: Any) -> str:
    """Where a shot goes that names no folder: into a folder of the Blender file's name in the preferences' folder, so that
    files side by side share none, nor do scenes of one file. A shot of this file that lies in the preferences' folder itself,
    as all once did, stays there."""
    shared = preferences().job_folder
    if not bpy.data.filepath:
        return shared
    name = Path(bpy.data.filepath).stem
    own = shared.rstrip("/\\") + f"/{name}/"
    scenes: Any = bpy.data.scenes
    if any(other.understudy.job_folder == own for other in scenes if other != scene):
        return shared.rstrip("/\\") + f"/{name}-{bpy.path.clean_name(scene.name)}/"
    before = Path(bpy.path.abspath(shared))
    old = any((before / name).exists() for name in ("shot.json", "keys")) and not Path(bpy.path.abspath(own)).exists()
    return shared if old and _shows_this_file(before) else own


def _shows_this_file(folder: Path) -> bool:
    """Whether the shot in this folder can be of this file: it is alone in its folder, or has an object that was captured. Files
    side by side once had one folder together, and the shot in it is only one's."""
    shot, file = look(folder).shot, Path(bpy.data.filepath)
    if shot is None or not shot.objects or any(ob.name in bpy.data.objects for ob in shot.objects):
        return True
    return not any(path != file for path in file.parent.glob("*.blend"))


def register() -> None:
    bpy.utils.register_class(UnderstudySettings)
    bpy.types.Scene.understudy = PointerProperty(type=UnderstudySettings)  # type: ignore[attr-defined]


def unregister() -> None:
    del bpy.types.Scene.understudy  # type: ignore[attr-defined]
    bpy.utils.unregister_class(UnderstudySettings)
