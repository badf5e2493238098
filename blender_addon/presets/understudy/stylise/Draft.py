"""A short training, to see whether the painting holds."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy
settings.training_seconds = 30.0
