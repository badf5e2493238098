"""Which view layer the guides are taken from, where the compositor puts several together. Knows no render."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import bpy

from . import compat


def guide_layer(changes: ExitStack, scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> bpy.types.ViewLayer:
    """The view layer itself; or, where the compositor shows others, one that has what they have, until `changes` closes."""
    names = {view_layer.name} if scene.render.use_single_layer else _composited(scene) or {view_layer.name}
    if names == {view_layer.name}:
        return view_layer
    together = scene.view_layers.new("Understudy")
    changes.callback(scene.view_layers.remove, together)
    shown: list[Any] = [scene.view_layers[name].layer_collection for name in sorted(names)]
    _take_over(together.layer_collection, shown)
    return together


def _composited(scene: bpy.types.Scene) -> set[str]:
    """The scene's view layers that are rendered and read by its compositor; none where it is off."""
    nodes = compat.compositor_nodes(scene) if scene.render.use_compositing else []
    read = {node.layer for node in nodes if node.type == "R_LAYERS" and node.scene == scene and not node.mute}
    return {layer.name for layer in scene.view_layers if layer.use} & read


def _take_over(target: Any, sources: list[Any]) -> None:
    """Show, by collections, what any of the layers shows; hold out, or light by, only what none shows otherwise."""
    for child in target.children:
        theirs = [source.children[child.name] for source in sources]
        seen = [one for one in theirs if not one.exclude]
        child.exclude = not seen
        child.holdout = bool(seen) and all(one.holdout for one in seen)
        child.indirect_only = bool(seen) and all(one.indirect_only for one in seen)
        _take_over(child, theirs)
