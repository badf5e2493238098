"""A key on every frame, as baked motion has."""

from typing import Any

import bpy

scene: Any = bpy.context.scene
settings = scene.understudy_motion
settings.every_frame = True
