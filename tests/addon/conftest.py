"""The add-on's modules that need no bpy, imported as `addon.…` without the package's own __init__, which needs it."""

from __future__ import annotations

import sys
import types
from pathlib import Path

addon = types.ModuleType("addon")
addon.__path__ = [str(Path(__file__).resolve().parents[2] / "blender_addon")]
sys.modules["addon"] = addon
