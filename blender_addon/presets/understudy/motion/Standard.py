"""The keys that a new scene begins with."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy_motion
settings.every_frame = False
settings.degrees = 0.5
settings.lengths = 0.02
settings.variation = 0.5
