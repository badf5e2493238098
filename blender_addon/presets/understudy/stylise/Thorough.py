"""A long training, for several keys or a slow machine."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy
settings.training_seconds = 600.0
