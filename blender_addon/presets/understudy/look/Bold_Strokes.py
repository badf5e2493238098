"""Lines and strokes are laid on strongly."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy
settings.strength = 1.0
settings.light = 1.0
settings.texture = 1.6
