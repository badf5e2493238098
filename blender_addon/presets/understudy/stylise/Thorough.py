"""A long training, for frames that are large or finely painted."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy
settings.training_seconds = 600.0
