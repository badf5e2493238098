"""The training that a new scene begins with."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy
settings.training_seconds = 120.0
