"""The learning and the frames that a new scene begins with."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy_generate
settings.count = 24
settings.variation = 0.5
settings.seconds = 240.0
settings.slow = 2
