"""A long learning, for the sharpest pictures."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy_generate
settings.seconds = 900.0
