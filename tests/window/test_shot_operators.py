"""What stands around the steps of Stylise, pressed in one real window after the other: keys suggested and put aside, saved
styles, presets of the look, places to show the result, and the way back from there."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from conftest import ROOT, Window

sys.path.insert(0, str(ROOT / "tests" / "engine"))
from tiny_shot import write_shot

IMAGE_EDITOR = """
def view():
    window = bpy.context.window_manager.windows[0]
    return window, next(area for area in window.screen.areas if area.type == "IMAGE_EDITOR")
"""
HEADER = 26  # pixels from one folded panel to the next
LOOK, SAVED, HISTORY = range(3)  # those below Stylise
SHOT = "__import__('bl_ext.user_default.understudy.shot', fromlist=['look'])"
PREFERENCES = "bpy.context.preferences.addons['bl_ext.user_default.understudy'].preferences"


def unfold(blender: Window, below: str, part: float, *panels: int) -> None:
    """Open folded panels by clicks on their headers, the lowest first; 0 is the first one below the button."""
    x, y = blender.middle(below, part)
    for panel in sorted(panels, reverse=True):
        blender.press(x, y + 32 + panel * HEADER)


def write_stylised_shot(folder: Path) -> None:
    """A captured shot with one key, trained twice as far as the panel can see, and all frames painted."""
    write_shot(folder)
    for style in ("style", "style_before"):
        (folder / style).mkdir()
        for network in ("generator", "discriminator"):
            (folder / style / f"{network}.safetensors").write_text(style)
            (folder / style / f"{network}.json").write_text(json.dumps({"about": {"keys": [4]}}))
    shutil.copytree(folder / "truth", folder / "result")


def test_keys_styles_and_looks(window: Callable[..., Window], shot_file: Path) -> None:
    folder = shot_file.parent / "understudy" / "shot"
    write_stylised_shot(folder)
    blender = window(shot_file)
    blender.do(f"{PREFERENCES}.style_folder = {str(folder.parent / 'styles')!r}")
    blender.click("understudy.suggest_key")
    blender.wait(f"{SHOT}.look(Path({str(folder)!r})).suggestion is not None", 150)

    blender.click("understudy.earlier_style", 0.83)
    blender.wait("'The earlier style is back' in reports()")
    assert (folder / "style" / "generator.safetensors").read_text() == "style_before"

    unfold(blender, "understudy.show_result", 0.6, LOOK, SAVED, HISTORY)
    blender.click("understudy.save_style", 0.4)
    blender.key("Return")
    blender.wait(f"Path({str(folder.parent / 'styles' / 'shot')!r}).is_dir()")
    blender.do("bpy.context.scene.understudy.style = 'shot'")
    unfold(blender, "understudy.show_result", 0.6, LOOK)  # folds it, for the style's picture needs the room
    blender.click("understudy.delete_style", 0.83)
    blender.key("Return")
    blender.wait("'is deleted' in reports()")
    assert not (folder.parent / "styles" / "shot").exists()

    _, y = blender.middle("understudy.show_result")
    blender.do("bpy.context.scene.understudy.strength = 0.5; bpy.ops.understudy.look_preset_add(name='Half')")
    left, _, width, _ = blender.ask("sidebar()")
    blender.press(left + round(0.765 * width), y + 32)
    blender.keep("presets")
    blender.key("Escape")

    blender.do("bpy.context.scene.frame_set(4)")
    blender.click("understudy.remove_key", 0.83)
    blender.wait(f"not Path({str(folder / 'keys' / '0004.png')!r}).exists()")
    assert (folder / "keys" / "unused" / "0004.png").is_file(), "nothing painted is ever deleted"
    assert "Traceback" not in blender.log()


def test_the_result_is_shown_where_one_wants_it(window: Callable[..., Window], shot_file: Path) -> None:
    """Four buttons, four places; from the strip one button leads back."""
    write_stylised_shot(shot_file.parent / "understudy" / "shot")
    blender = window(shot_file)
    blender.click("understudy.show_result", 0.76)
    blender.wait("'TEX_IMAGE' in [n.type for n in bpy.data.materials['Material'].node_tree.nodes]")
    blender.click("understudy.show_result", 0.55)
    blender.wait("'IMAGE' in [n.type for n in compat.compositor_tree(bpy.context.scene).nodes]")
    blender.click("understudy.show_result", 0.35)
    blender.wait("bpy.data.cameras['Camera'].show_background_images")
    blender.click("understudy.show_result", 0.1)
    blender.wait("compat.sequencer_scene(bpy.context.window_manager.windows[0]).name == 'Scene Stylised'")
    blender.do(
        "bpy.context.window_manager.windows[0].scene = bpy.data.scenes['Scene Stylised']"
    )  # 5.2 stays in the shot
    blender.click("understudy.back_to_shot")
    blender.wait("bpy.context.window_manager.windows[0].scene.name == 'Scene'")


def test_painting_from_the_image_editor(window: Callable[..., Window], shot_file: Path) -> None:
    """Its tab opens the frame, takes what was painted, and has Generate folded below."""
    folder = shot_file.parent / "understudy" / "shot"
    write_stylised_shot(folder)
    blender = window(shot_file)
    blender.do("view()[1].ui_type = 'IMAGE_EDITOR'")
    blender.do(IMAGE_EDITOR)
    blender.open_tab()
    blender.click("understudy.paint_key", 0.4)
    blender.wait("view()[1].spaces.active.image is not None")
    blender.do("image = view()[1].spaces.active.image; image.pixels[0] = 0.25; image.update()")
    assert blender.ask("image.is_dirty")
    blender.click("understudy.use_image_as_key", 0.4)
    blender.wait("'Frame 1 is a key now' in reports() and not image.is_dirty")
    assert (folder / "keys" / "0001.png").is_file()
    x, y = blender.middle("understudy.suggest_key", 0.4)
    blender.press(x, y + 32)
    assert blender.find("understudy.generate", 0.4)
    blender.keep("generate")
    assert "Traceback" not in blender.log()
