"""Every difference between Blender 4.2 and 5.2 that the extension meets, and nothing else."""

from __future__ import annotations

from typing import Any

import bpy

# --- Video Sequencer -------------------------------------------------------------------------------------------------


def sequencer_strips(editor: bpy.types.SequenceEditor) -> Any:
    """The editor's strips: `sequences` until 4.4."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def strip_span(strip: Any) -> tuple[int, int]:
    """First frame and the frame after the last: `frame_final_…` until 5.1."""
    if hasattr(strip, "left_handle"):
        return int(strip.left_handle), int(strip.right_handle)
    return int(strip.frame_final_start), int(strip.frame_final_end)


def show_sequencer_scene(context: bpy.types.Context, scene: bpy.types.Scene) -> None:
    """Let the Video Sequencer show this scene: 5.0 keeps that by workspace, before it follows the window's scene."""
    if hasattr(context.workspace, "sequencer_scene"):
        context.workspace.sequencer_scene = scene
    else:
        context.window.scene = scene


# --- compositor ------------------------------------------------------------------------------------------------------


def compositor_tree(scene: bpy.types.Scene) -> bpy.types.NodeTree:
    """The scene's compositing tree, made if there is none: a node group of its own from 5.0 on."""
    if not hasattr(scene, "compositing_node_group"):
        scene.use_nodes = True
        return scene.node_tree
    if scene.compositing_node_group is None:
        tree = bpy.data.node_groups.new(f"{scene.name} Compositing", "CompositorNodeTree")
        tree.interface.new_socket(name="Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        layers, output = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("NodeGroupOutput")
        output.location = (400, 0)
        tree.links.new(layers.outputs["Image"], output.inputs["Image"])
        scene.compositing_node_group = tree
    return scene.compositing_node_group
