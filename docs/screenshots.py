"""Makes the pictures of the documentation again, from a real Blender window: `python -m pytest docs/screenshots.py`.

Not one of the tests: it stands on what tests/window offers (a Blender on a virtual screen) and asserts only that there
are pictures. Knows the panels by their names and the job folders of tests/window/trained.py.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = Path(__file__).with_name("pictures")
sys.path[:0] = [str(ROOT / "tests" / "window"), str(ROOT)]

from conftest import *  # noqa: E402, F403 the fixtures
from conftest import Window  # noqa: E402
from PIL import Image  # noqa: E402
from test_generate_window import smoke_file  # noqa: E402, F401
from test_motion_window import open_slider, rig_file  # noqa: E402, F401
from test_sequencer_window import cut_file, open_sequencer  # noqa: E402, F401
from test_shot_operators import IMAGE_EDITOR  # noqa: E402
from trained import write_trained_shot  # noqa: E402

from benchmarks.effects import clip  # noqa: E402

Start = Callable[..., Window]
FakeEngine = Callable[..., Path]
MOST = 150_000  # bytes
EDITOR = (0, 26, 1322, 880)  # the large editor of the start-up screen
PAINTED = (1140, 155, 1650, 665)  # the painted key on the contact sheet
ZOOM = """
window, area = view()
with bpy.context.temp_override(window=window, area=area, region=next(r for r in area.regions if r.type == "WINDOW")):
    bpy.ops.view3d.view_selected()
"""
# The fake engine paints noise; a frame of the demo in its place.
PAINTED_PREVIEW = """
import numpy as np
from bl_ext.user_default.understudy import preview
preview.latest.picture = np.load({picture!r}, allow_pickle=False)
"""
PREFERENCES = "bpy.context.preferences.addons['bl_ext.user_default.understudy'].preferences"


def keep(blender: Window, name: str, crop: tuple[int, int, int, int] | None = None) -> None:
    """A picture for the pages, in few colours so that it is small."""
    path = PAGES / name
    blender.picture(path, crop)
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)
    assert 3_000 < path.stat().st_size < MOST


def sidebar(blender: Window) -> tuple[int, int, int, int]:
    """Where the sidebar is, to cut it out."""
    blender.point(400, 500)
    x, top, width, height = blender.ask("sidebar()")
    return x, top, width, height


@pytest.fixture
def stylise_window(window: Start, shot_file: Path, fake_engine: FakeEngine) -> Window:
    """A shot half painted, a job running."""
    write_trained_shot(shot_file.parent / "understudy", 48, 512, (1, 24), 18)
    blender = window(shot_file, fake_engine(jobs=[[{"progress": [0.38, "Frame 18 painted", 41.0]}, {"sleep": 300}]]))
    blender.click("understudy.stylise")
    blender.wait("done() > 0")
    return blender


def test_panel(stylise_window: Window) -> None:
    keep(stylise_window, "panel.png", sidebar(stylise_window))


def write_style(folder: Path) -> None:
    """A saved style, as far as the panel looks at it: its thumbnail is a painted frame of the demo."""
    folder.mkdir(parents=True)
    (folder / "style.json").write_text("{}")
    painting().resize((192, 192)).save(folder / "thumbnail.png")


def painting() -> Image.Image:
    """A painted frame of the demo: the key on the contact sheet."""
    sheet = Image.open(ROOT / "docs" / "contact_sheet.png").convert("RGB")
    return sheet.crop(PAINTED)


@pytest.mark.parametrize(("below", "name"), [(20, "look.png"), (46, "styles.png")])
def test_folded_panels(window: Start, shot_file: Path, tmp_path: Path, below: int, name: str) -> None:
    """Their headers are so many pixels below the row of buttons over them."""
    write_trained_shot(shot_file.parent / "understudy", 48, 512, (1, 24), 48)
    write_style(tmp_path / "styles" / "Gouache")
    blender = window(shot_file)
    blender.do(f"{PREFERENCES}.style_folder = {str(tmp_path / 'styles')!r}")
    blender.do("bpy.context.scene.understudy.style = 'Gouache'")
    x, y = blender.find("understudy.show_result")
    while "understudy.show_result" in blender.ask("command_under_mouse()"):
        y += 1
        blender.point(x, y)
    blender.press(x, y + below)
    keep(blender, name, sidebar(blender))


def test_image_editor(window: Start, shot_file: Path) -> None:
    folder = write_trained_shot(shot_file.parent / "understudy", 48, 512, (1,), 0)
    painting().resize((512, 512)).save(folder / "keys" / "0001.png")
    blender = window(shot_file)
    blender.do("view()[1].ui_type = 'IMAGE_EDITOR'")
    blender.do(IMAGE_EDITOR)
    blender.do("bpy.ops.understudy.paint_key()")
    blender.open_tab()
    blender.point(400, 700)
    keep(blender, "image_editor.png", EDITOR)


def test_slider(window: Start, rig_file: Path) -> None:  # noqa: F811 the fixture
    blender = window(rig_file)
    blender.do("bpy.context.preferences.system.viewport_aa = '8'")  # the tests do without
    blender.do(ZOOM)
    open_slider(blender)
    keep(blender, "slider.png", EDITOR)


def test_sequencer(window: Start, cut_file: Path) -> None:  # noqa: F811 the fixture
    blender = window(cut_file)
    open_sequencer(blender)
    x, top, width, _ = sidebar(blender)
    keep(blender, "sequencer.png", (x, top, width, 540))


def test_generate(window: Start, smoke_file: Path) -> None:  # noqa: F811 the fixture
    for i, picture in enumerate(clip("smoke", 40, 64)[8:]):
        Image.fromarray(picture, "RGBA").save(smoke_file.parent / "smoke" / f"{i + 1:04d}.png")
    blender = window(smoke_file)
    open_sequencer(blender)
    blender.click("understudy.generate", 0.5)
    blender.wait("len(strips()) == 2", 120)
    for command, above in (("understudy.combine", 57), ("understudy.use_footage", 100)):
        x, y = blender.find(command, 0.5)
        blender.press(x, y - above)  # the header of its panel
    keep(blender, "generate.png", EDITOR)


def test_install(window: Start, shot_file: Path) -> None:
    """The panel of a Blender that has no engine yet."""
    blender = window(shot_file, Path("/nonexistent"))
    blender.do("import os; del os.environ['UNDERSTUDY_ENGINE_PYTHON']")
    blender.do("bpy.context.preferences.system.use_online_access = False")
    x, top, width, _ = sidebar(blender)
    keep(blender, "install.png", (x, top, width, 330))


def test_preview(window: Start, shot_file: Path, fake_engine: FakeEngine) -> None:
    """A training, and what it can do so far, beside the view."""
    write_trained_shot(shot_file.parent / "understudy", 48, 512, (1, 24), 0)
    steps = [{"progress": [0.4, "Training, step 310", 72.0]}, {"preview": [24, 512, 512, 3]}, {"sleep": 300}]
    blender = window(shot_file, fake_engine(jobs=[steps]))
    blender.click("understudy.train_style", 0.3)
    blender.wait("done() > 0")
    np.save(shot_file.with_suffix(".npy"), np.array(painting().resize((512, 512))))
    blender.do(PAINTED_PREVIEW.format(picture=str(shot_file.with_suffix(".npy"))))
    blender.click("understudy.show_preview", 0.75)
    time.sleep(2)
    blender.point(700, 60)
    keep(blender, "preview.png", EDITOR)
