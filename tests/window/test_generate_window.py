"""Generate in a real window: pressed in the Video Sequencer's sidebar, with the true engine, while the interface answers."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Seat, Window
from test_sequencer_window import open_sequencer
from watch import WATCH, no_long_block

STRIPS = """
import bpy, sys
scene, folder = bpy.context.scene, sys.argv[-2]
editor = scene.sequence_editor_create()
strips = editor.strips if hasattr(editor, 'strips') else editor.sequences
strip = strips.new_image('Smoke', f'{folder}/0001.png', 1, 1)
for frame in range(2, 33):
    strip.elements.append(f'{frame:04d}.png')
editor.active_strip, scene.frame_end = strip, 60
scene.view_settings.view_transform = 'Standard'
settings = scene.understudy_generate
settings.count, settings.seconds = 8, 4
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[-1])
"""
SIDE = 64
PREFERENCES = "bpy.context.preferences.addons['bl_ext.user_default.understudy'].preferences"


def write_wave(path: Path, frame: int) -> None:
    """A PNG of bands that rise, once through in 8 frames."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(
        b"\0" + b"".join(bytes([(4 * (y + x // 4) + 32 * frame) % 256, 90, 160]) for x in range(SIDE))
        for y in range(SIDE)
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


@pytest.fixture
def smoke_file(seat: Seat, user_folder: Path, tmp_path: Path) -> Path:
    """A saved file with a strip of 32 pictures, active, and little to make of it."""
    for frame in range(1, 33):
        write_wave(tmp_path / "smoke" / f"{frame:04d}.png", frame)
    (tmp_path / "strips.py").write_text(STRIPS)
    path = tmp_path / "smoke.blend"
    seat.run(f"blender --background --python '{tmp_path / 'strips.py'}' -- '{tmp_path / 'smoke'}' '{path}' >&2")
    return path


def test_a_strip_is_continued_by_one_click_and_taken_back_by_one_undo(
    window: Callable[..., Window], smoke_file: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    blender = window(smoke_file)
    open_sequencer(blender)
    blender.do(WATCH)
    blender.click("understudy.generate", 0.5)
    blender.wait("manager.running is not None and manager.running.done > 0.1", 60)
    assert blender.ask("manager.running.takes_enough"), "it can be ended early"
    picture = Path(request.config.getoption("--panel-picture") or tmp_path / "generate.png")
    blender.picture(picture)
    blender.wait("len(strips()) == 2", 90)
    blender.click("understudy.show_take", 0.3)
    blender.wait("'IMAGE' in [n.type for n in compat.compositor_tree(bpy.context.scene).nodes]")
    blender.point(600, 120)
    blender.key("ctrl+z")
    blender.wait("len(strips()) == 2 and bpy.context.scene.understudy_generate.take")
    assert blender.ask("(strips()[-1].name, strips()[-1].channel)") == ["Smoke continued", 1]
    assert blender.ask("list(compat.strip_span(strips()[-1]))") == [33, 41]
    blender.point(600, 120)
    blender.key("ctrl+z")
    blender.wait("len(strips()) == 1")
    assert (tmp_path / "understudy" / "smoke" / "generated" / "strips" / "Smoke" / "takes" / "continued").is_dir()
    what_was_learned(blender, tmp_path / "sequences")
    no_long_block(blender, "ReadingOperator.modal", "pump")


def what_was_learned(blender: Window, library: Path) -> None:
    """Learned on until it is enough, saved, and deleted; the last take as a node."""
    blender.do("bpy.context.scene.understudy_generate.seconds = 300")
    blender.do(f"{PREFERENCES}.sequence_folder = {str(library)!r}")
    blender.click("understudy.learn_sequence", 0.6)
    blender.wait("manager.running is not None and manager.running.done > 0", 60)
    blender.click("understudy.good_enough", 0.3)
    blender.wait("manager.running is None", 60)
    blender.click("understudy.save_sequence", 0.8)
    blender.key("Return")
    blender.wait(f"Path({str(library / 'Smoke')!r}).is_dir()")
    blender.do("bpy.context.scene.understudy_generate.how = 'ANIMATE'")
    blender.click("understudy.delete_sequence", 0.89)
    blender.key("Return")
    blender.wait("'is deleted' in reports()")
    assert not (library / "Smoke").exists()


def test_given_up_it_leaves_nothing_behind(window: Callable[..., Window], smoke_file: Path, tmp_path: Path) -> None:
    blender = window(smoke_file)
    open_sequencer(blender)
    blender.do("bpy.context.scene.understudy_generate.seconds = 300")
    blender.click("understudy.generate", 0.5)
    blender.wait("manager.running is not None and manager.running.done > 0.001", 60)
    blender.point(600, 500)
    blender.key("Escape")
    blender.wait("manager.running is None", 30)
    assert blender.ask("len(strips())") == 1
    assert not list(tmp_path.rglob("takes"))
