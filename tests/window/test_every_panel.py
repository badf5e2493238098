"""Every panel of the extension, unfolded and drawn in a real window: those of the 3D View, of Pose Mode, of the Video Sequencer
and of the Image Editor, the presets and the preferences. Their pictures are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conftest import Window
from test_sequencer_window import SEQUENCER
from test_shot_operators import IMAGE_EDITOR
from trained import write_trained_shot

# All are registered anew, none of them folded, and each notes that it was drawn.
UNFOLDED = """
import os
os.environ.pop('UNDERSTUDY_ENGINE_PYTHON', None)
drawn = set()
bases = (bpy.types.Panel, bpy.types.AddonPreferences)
ours = [cls for base in bases for cls in base.__subclasses__() if cls.__module__.startswith('bl_ext.user_default.understudy')]
ours = [cls for cls in ours if cls.is_registered]

def noting(cls):
    draw = cls.draw
    def wrapped(self, context):
        draw(self, context)
        drawn.add(cls.__name__)
    cls.draw = wrapped

for cls in reversed(ours):
    bpy.utils.unregister_class(cls)
for cls in ours:
    cls.bl_options = set(getattr(cls, 'bl_options', ())) - {'DEFAULT_CLOSED'}
    noting(cls)
pending = ours
while pending:
    for cls in list(pending):
        if getattr(cls, 'bl_parent_id', '') not in [other.__name__ for other in pending]:
            bpy.utils.register_class(cls)
            pending = [other for other in pending if other is not cls]
names = sorted(cls.__name__ for cls in ours)
"""
POSE = """
armature = bpy.data.armatures.new('Rig')
rig = bpy.data.objects.new('Rig', armature)
bpy.context.scene.collection.objects.link(rig)
window, area = view()
with bpy.context.temp_override(window=window, area=area):
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode='POSE')
"""


def test_every_panel_is_drawn(window: Callable[..., Window], shot_file: Path) -> None:
    write_trained_shot(shot_file.parent / "understudy")
    blender = window(shot_file)
    blender.do(UNFOLDED)
    blender.do(f"bpy.ops.wm.open_mainfile(filepath={str(shot_file)!r})")  # forgets that they were folded
    assert len(blender.ask("names")) > 20

    def look(name: str) -> None:
        blender.open_tab()
        blender.point(400, 500)
        blender.do("bpy.ops.wm.redraw_timer(type='DRAW_WIN_SWAP', iterations=2)")
        blender.keep(name)

    look("object_mode")
    blender.do(POSE)
    look("pose_mode")
    blender.find("understudy.extrapolate")
    blender.do("view()[1].type = 'SEQUENCE_EDITOR'")
    blender.do(SEQUENCER)
    look("video_sequencer")
    blender.do("view()[1].ui_type = 'IMAGE_EDITOR'")
    blender.do(IMAGE_EDITOR)
    look("image_editor")
    blender.do("bpy.ops.preferences.addon_show(module='bl_ext.user_default.understudy')")
    blender.wait("'UnderstudyPreferences' in drawn")
    blender.keep("preferences")
    for family in ("stylise", "look", "motion", "generate"):
        blender.do(f"bpy.ops.wm.call_panel(name='VIEW3D_PT_understudy_{family}_presets', keep_open=True)")
        blender.wait(f"'VIEW3D_PT_understudy_{family}_presets' in drawn")
        blender.keep(f"presets_of_{family}")
        blender.key("Escape")
    assert blender.ask("sorted(set(names) - drawn)") == []
    assert "Traceback" not in blender.log()
