"""The light stays as it was painted, whatever it does in the scene."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy
settings.strength = 1.0
settings.light = 0.0
settings.texture = 1.0
