"""The one shortcut: a pie menu on Y, which is free in Pose Mode, Object Mode, the Dope Sheet and the Graph Editor. It is listed
in the preferences, where it can be changed, switched off and put back. Knows the menu by its name."""

from __future__ import annotations

from typing import Any

import bpy
import rna_keymap_ui

from .ui_menus import PIE

KEY = "Y"
WHERE = (
    ("Pose", "EMPTY"),
    ("Object Mode", "EMPTY"),
    ("Dopesheet", "DOPESHEET_EDITOR"),
    ("Graph Editor", "GRAPH_EDITOR"),
)

_added: list[tuple[Any, Any]] = []


def draw(layout: bpy.types.UILayout, context: bpy.types.Context) -> None:
    """The shortcuts as the user has them, to be edited."""
    user: Any = context.window_manager.keyconfigs.user
    for name, _ in WHERE if user else ():
        keymap = user.keymaps.get(name)
        for item in keymap.keymap_items if keymap else ():
            if item.idname == "wm.call_menu_pie" and item.properties.name == PIE:
                layout.context_pointer_set("keymap", keymap)
                rna_keymap_ui.draw_kmi([], user, keymap, item, layout, 0)


def register() -> None:
    config: Any = bpy.context.window_manager.keyconfigs.addon
    for name, space in WHERE if config else ():  # there is none without a window
        keymap = config.keymaps.new(name=name, space_type=space)
        item = keymap.keymap_items.new("wm.call_menu_pie", KEY, "PRESS")
        item.properties.name = PIE
        _added.append((keymap, item))


def unregister() -> None:
    for keymap, item in _added:
        keymap.keymap_items.remove(item)
    _added.clear()
