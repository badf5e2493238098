"""Few keys, to go on posing over them by hand."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy_motion
settings.every_frame = False
settings.degrees = 3.0
settings.lengths = 0.08
