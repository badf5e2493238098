"""Half of the render shows through, with soft strokes."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy
settings.strength = 0.5
settings.light = 1.0
settings.texture = 0.6
