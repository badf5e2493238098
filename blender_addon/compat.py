"""Every difference between Blender 4.2 and 5.2 that the extension meets, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import gpu

# --- properties ------------------------------------------------------------------------------------------------------

# Of paths that may begin with //, the folder of the Blender file: 4.5 warns of such a path where this is not said.
RELATIVE_PATH: set[str] = {"PATH_SUPPORTS_BLEND_RELATIVE"} if bpy.app.version >= (4, 5, 0) else set()


# --- Video Sequencer -------------------------------------------------------------------------------------------------


def sequencer_strips(editor: bpy.types.SequenceEditor) -> Any:
    """The editor's strips: `sequences` until 4.4."""
    return editor.strips if hasattr(editor, "strips") else editor.sequences


def all_strips(editor: bpy.types.SequenceEditor) -> Any:
    """The editor's strips and those in metas: `sequences_all` until 4.4."""
    return editor.strips_all if hasattr(editor, "strips_all") else editor.sequences_all


def strip_span(strip: Any) -> tuple[int, int]:
    """First frame and the frame after the last: `frame_final_…` until 5.1."""
    if hasattr(strip, "left_handle"):
        return int(strip.left_handle), int(strip.right_handle)
    return int(strip.frame_final_start), int(strip.frame_final_end)


def content_start(strip: Any) -> float:
    """The frame at which a strip's first picture lies, trimmed off or not: `frame_start` until 5.1."""
    return float(strip.content_start if hasattr(strip, "content_start") else strip.frame_start)


def sequencer_scene(context: bpy.types.Context) -> bpy.types.Scene:
    """The scene that the Video Sequencer shows: since 5.0 the workspace's own, if it has one."""
    scene: Any = getattr(context.workspace, "sequencer_scene", None) or context.scene
    return scene


def show_sequencer_scene(context: bpy.types.Context, scene: bpy.types.Scene) -> None:
    """Let the Video Sequencer show this scene: 5.0 keeps that by workspace, before it follows the window's scene."""
    if hasattr(context.workspace, "sequencer_scene"):
        context.workspace.sequencer_scene = scene
    else:
        context.window.scene = scene


# --- compositor ------------------------------------------------------------------------------------------------------


def compositor_tree(scene: Any) -> Any:
    """The scene's compositing tree, made if there is none: a node group of its own from 5.0 on."""
    if not hasattr(scene, "compositing_node_group"):
        scene.use_nodes = True
        return scene.node_tree
    if scene.compositing_node_group is None:
        groups: Any = bpy.data.node_groups
        tree = groups.new(f"{scene.name} Compositing", "CompositorNodeTree")
        tree.interface.new_socket(name="Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        layers, output = tree.nodes.new("CompositorNodeRLayers"), tree.nodes.new("NodeGroupOutput")
        output.location = (400, 0)
        tree.links.new(layers.outputs["Image"], output.inputs["Image"])
        scene.compositing_node_group = tree
    return scene.compositing_node_group


# --- rendering -------------------------------------------------------------------------------------------------------


def present(target: Any, **values: Any) -> dict[str, Any]:
    """Those of the values whose attribute this version knows."""
    return {name: value for name, value in values.items() if hasattr(target, name)}


def image_format(file_format: str, depth: str) -> dict[str, Any]:
    """RGBA image settings, in the order in which they can be set: from 5.0 on the kind of media comes first."""
    settings = {
        "file_format": file_format,
        "color_mode": "RGBA",
        "color_depth": depth,
        "color_management": "FOLLOW_SCENE",
    }
    if file_format == "OPEN_EXR_MULTILAYER":
        settings["exr_codec"] = "ZIP"
    if "media_type" in bpy.types.ImageFormatSettings.bl_rna.properties:
        kind = "MULTI_LAYER_IMAGE" if file_format == "OPEN_EXR_MULTILAYER" else "IMAGE"
        return {"media_type": kind, **settings}
    return settings


def literal_path(path: Path) -> str:
    """A path for RenderSettings.filepath: from 4.5 on {…} in it is a template."""
    text = str(path)
    return text.replace("{", "{{").replace("}", "}}") if bpy.app.version >= (4, 5) else text


def start_gpu(scene: bpy.types.Scene) -> None:
    """Make drawing possible where Blender has no window: a function of its own in 5.2, any GPU render before."""
    if hasattr(gpu, "init"):
        gpu.init()
    else:
        bpy.ops.render.render(scene=scene.name)


def material_tree(material: bpy.types.Material) -> bpy.types.NodeTree:
    """The material's nodes: from 5.0 on every material has them."""
    if bpy.app.version < (5, 0):
        material.use_nodes = True
    tree: Any = material.node_tree
    return tree


def used_tree(material: bpy.types.Material) -> Any:
    """The material's nodes, None where it is shown without: before 5.0 they can be switched off."""
    return material.node_tree if bpy.app.version >= (5, 0) or material.use_nodes else None


def compositor_nodes(scene: bpy.types.Scene) -> list[Any]:
    """The compositor's nodes, also those in groups; none where it is not used."""
    if hasattr(scene, "compositing_node_group"):
        tree = scene.compositing_node_group
    else:
        tree = scene.node_tree if scene.use_nodes else None
    trees: list[Any] = [tree] if tree else []
    found: list[Any] = []
    for tree in trees:  # grows while it is read
        found += tree.nodes
        inner = [node.node_tree for node in tree.nodes if node.type == "GROUP" and node.node_tree]
        trees += [tree for tree in inner if tree not in trees]
    return found


# --- actions ---------------------------------------------------------------------------------------------------------


def action_fcurves(owner: Any) -> list[bpy.types.FCurve]:
    """The F-curves that move an object or other data: since 4.4 those of its slot of the action, before all of the
    action's."""
    anim = owner.animation_data
    if bpy.app.version < (4, 4):
        return list(anim.action.fcurves)
    if anim.action_slot is None:
        return []
    bags = (strip.channelbag(anim.action_slot) for layer in anim.action.layers for strip in layer.strips)
    return [fcurve for bag in bags if bag for fcurve in bag.fcurves]


def action_users(owner: Any) -> int:
    """How many objects (or other data) the keys of its action (since 4.4: of its slot) move."""
    anim = owner.animation_data
    if bpy.app.version < (4, 4):
        return anim.action.users - anim.action.use_fake_user
    return len(anim.action_slot.users()) if anim.action_slot else 0


def assign_action(owner: Any, action: Any) -> None:
    """Let a copy of its action move an object or other data: since 4.4 by the slot that it had."""
    anim = owner.animation_data
    slot = anim.action_slot.identifier if bpy.app.version >= (4, 4) and anim.action_slot else None
    anim.action = action
    if slot is not None:
        anim.action_slot = action.slots[slot]


@contextmanager
def action_in_use(ob: bpy.types.Object, action: bpy.types.Action) -> Iterator[None]:
    """Another action in the place of the object's, with the slot that fits (since 4.4), while its curves are read."""
    anim: Any = ob.animation_data_create()
    before, slot = anim.action, getattr(anim, "action_slot", None)
    anim.action = action
    if hasattr(anim, "action_slot") and anim.action_slot is None and anim.action_suitable_slots:
        anim.action_slot = anim.action_suitable_slots[0]
    try:
        yield
    finally:
        anim.action = before
        if slot is not None:
            anim.action_slot = slot


# --- selection -------------------------------------------------------------------------------------------------------


def bone_selected(bone: bpy.types.PoseBone) -> bool:
    """Whether a bone is selected in Pose Mode."""
    owner: Any = bone if hasattr(bone, "select") else bone.bone
    return bool(owner.select)


def select_bone(bone: bpy.types.PoseBone, select: bool) -> None:
    """Select a bone in pose mode: the pose bone's own flag since 5.0, before its bone's."""
    owner: Any = bone if hasattr(bone, "select") else bone.bone
    owner.select = select
