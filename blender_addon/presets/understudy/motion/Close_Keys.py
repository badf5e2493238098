"""Keys so close that no difference from what was shown is seen."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy_motion
settings.every_frame = False
settings.degrees = 0.1
settings.lengths = 0.005
