"""A short learning and few frames, to see whether the sequence can be served."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy_generate
settings.count = 12
settings.seconds = 60.0
