"""How surfaces show their anchors: for a sweep they shine with their Generated coordinates, and holes stay holes.

One override does where every surface is whole. Where a material cuts shapes out of a plane by its alpha (leaves, fences,
hair cards), each material shines by itself instead, through the holes that it had. Knows no render and no file.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import bpy

from . import compat

NAME = "Understudy Anchor"
HALF = 0.499  # less than this of a surface is a hole


def shine(changes: ExitStack, view_layer: bpy.types.ViewLayer, with_holes: bool) -> None:
    """Let every surface of the layer shine with its anchor until `changes` closes. `with_holes`: the frames show holes."""
    group = _anchor_group(changes)
    anchor = _anchor_material(changes, group)
    cut = with_holes and any(_alpha(material) is not None for material in bpy.data.materials)
    changes.callback(setattr, view_layer, "material_override", view_layer.material_override)
    view_layer.material_override = None if cut else anchor
    if cut:
        _fill_slots(changes, anchor)
        for material in [material for material in bpy.data.materials if _output(material) is not None]:
            if material != anchor:
                _shine_through(changes, material, group)


def is_volume(ob: bpy.types.Object) -> bool:
    """Whether an object has nothing but a volume, as the domain of smoke: its box is not seen."""
    outputs = [_output(slot.material) for slot in ob.material_slots if slot.material is not None]
    return bool(outputs) and all(
        output is not None and output.inputs["Volume"].is_linked and not output.inputs["Surface"].is_linked
        for output in outputs
    )


def _output(material: bpy.types.Material) -> Any:
    """The node that Cycles shows the material by; None where the material has no nodes in use."""
    tree = compat.used_tree(material)
    return tree and tree.get_output_node("CYCLES")


def _source(socket: Any) -> Any:
    """The socket that feeds this one, past reroutes; None if nothing does."""
    while socket.is_linked:
        source = socket.links[0].from_socket
        if source.node.type != "REROUTE":
            return source
        socket = source.node.inputs[0]
    return None


def _alpha(material: bpy.types.Material) -> tuple[Any, bool] | None:
    """(the input whose value tells how solid the material is, whether it is the other way about); None for one without
    holes. Read off a Principled BSDF, or a mix with a Transparent BSDF, at the output."""
    output = _output(material)
    source = output and _source(output.inputs["Surface"])
    if not source:
        return None
    node = source.node
    if node.type == "BSDF_PRINCIPLED":
        alpha = node.inputs["Alpha"]
        return (alpha, False) if _source(alpha) or alpha.default_value < HALF else None
    if node.type == "MIX_SHADER":
        for i in (1, 2):
            shader = _source(node.inputs[i])
            if shader and shader.node.type == "BSDF_TRANSPARENT":
                return node.inputs[0], i == 2
    return None


def _shine_through(changes: ExitStack, material: bpy.types.Material, group: Any) -> None:
    """Put the anchor between the material and its output, where the material is solid; take it away in the end."""
    tree: Any = material.node_tree
    output, found = _output(material), _alpha(material)
    for name in ("Surface", "Volume"):
        socket = output.inputs[name]
        for link in list(socket.links):
            changes.callback(_link, tree, link.from_socket, socket, link.is_muted)
            tree.links.remove(link)
    node = tree.nodes.new("ShaderNodeGroup")
    changes.callback(tree.nodes.remove, node)
    node.node_tree = group
    if found:
        alpha, turned = found
        node.inputs["Turned"].default_value = float(turned)
        node.inputs["Alpha"].default_value = alpha.default_value
        if source := _source(alpha):
            tree.links.new(source, node.inputs["Alpha"])
    tree.links.new(node.outputs[0], output.inputs["Surface"])


def _link(tree: Any, source: Any, target: Any, muted: bool) -> None:
    tree.links.new(source, target).is_muted = muted


def _fill_slots(changes: ExitStack, anchor: bpy.types.Material) -> None:
    """What has no material, or one without nodes, gets the anchor's: nothing overrides it now."""
    for ob in bpy.data.objects:
        if ob.type not in ("MESH", "CURVE", "SURFACE", "FONT", "META"):
            continue
        materials: Any = ob.data.materials
        if not len(materials):
            materials.append(anchor)
            changes.callback(materials.clear)  # pop would leave the objects their slot
        for i, slot in enumerate(ob.material_slots):
            if slot.material is not None and _output(slot.material) is not None:
                continue
            if slot.link == "DATA":  # also of a linked file's object, whose slots are not to be written
                changes.callback(materials.__setitem__, i, slot.material)
                materials[i] = anchor
            elif ob.library is None:
                changes.callback(setattr, slot, "material", slot.material)
                slot.material = anchor


def _anchor_material(changes: ExitStack, group: Any) -> bpy.types.Material:
    """Shines with the surface's Generated coordinates: where in its rest shape a point is. For as long as `changes`."""
    material = bpy.data.materials.new(NAME)
    changes.callback(bpy.data.materials.remove, material)
    tree = compat.material_tree(material)
    tree.nodes.clear()
    node: Any = tree.nodes.new("ShaderNodeGroup")
    node.node_tree = group
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(node.outputs[0], output.inputs["Surface"])
    return material


def _anchor_group(changes: ExitStack) -> Any:
    """Generated coordinates as light where Alpha (or, turned, what is left of it to 1) is at least a half, else a hole."""
    groups: Any = bpy.data.node_groups
    group = groups.new(NAME, "ShaderNodeTree")
    changes.callback(groups.remove, group)
    group.interface.new_socket("Shader", in_out="OUTPUT", socket_type="NodeSocketShader")
    for name, value in (("Alpha", 1.0), ("Turned", 0.0)):
        group.interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat").default_value = value
    kinds = ("NodeGroupInput", "NodeGroupOutput", "ShaderNodeTexCoord", "ShaderNodeEmission")
    given, output, coordinates, light = map(group.nodes.new, kinds)
    turned, size, solid, hole, mix = map(
        group.nodes.new, 3 * ["ShaderNodeMath"] + ["ShaderNodeBsdfTransparent"] + ["ShaderNodeMixShader"]
    )
    turned.operation, size.operation, solid.operation = "SUBTRACT", "ABSOLUTE", "GREATER_THAN"
    solid.inputs[1].default_value = HALF
    for source, target in (
        (given.outputs["Alpha"], turned.inputs[0]),
        (given.outputs["Turned"], turned.inputs[1]),
        (turned.outputs[0], size.inputs[0]),
        (size.outputs[0], solid.inputs[0]),
        (solid.outputs[0], mix.inputs[0]),
        (coordinates.outputs["Generated"], light.inputs["Color"]),
        (hole.outputs[0], mix.inputs[1]),
        (light.outputs[0], mix.inputs[2]),
        (mix.outputs[0], output.inputs[0]),
    ):
        group.links.new(source, target)
    return group
