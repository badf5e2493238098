"""Meshes from nothing: everything in the demo is swept along a path, like clay rolled by hand. Knows Blender's meshes and
materials; does not know what it is that is being modelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import bpy
import numpy as np

from demo.palette import NUMBER, PAINTS, rgb

ANCHOR_AOV, PAINT_AOV = "paint_anchor", "paint_number"


@dataclass(frozen=True)
class Region:
    """A part of an object's surface with a paint of its own: what lies inside an ellipsoid in rest-pose object space."""

    paint: str
    centre: tuple[float, float, float]
    radii: tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """Vertices (N, 3) and faces of a mesh, not yet in Blender."""

    vertices: np.ndarray
    faces: list[list[int]]

    def __add__(self, other: Surface) -> Surface:
        moved = [[v + len(self.vertices) for v in face] for face in other.faces]
        return Surface(np.concatenate([self.vertices, other.vertices]), self.faces + moved)


def smooth_path(points: Sequence[Sequence[float]] | np.ndarray, count: int) -> np.ndarray:
    """`count` points on the Catmull-Rom curve through `points` (any number of columns)."""
    p = np.asarray(points, float)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, len(p) - 3, count)
    i = np.minimum(t.astype(int), len(p) - 4)
    f = (t - i)[:, None]
    a, b, c, d = p[i], p[i + 1], p[i + 2], p[i + 3]
    return b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)))


def sweep(
    path: np.ndarray, radii: np.ndarray, side: Sequence[float] = (1, 0, 0), sides: int = 24, closed: bool = False
) -> Surface:
    """Elliptic rings along `path` (N, 3). radii (N, 2): along `side` and across it. Ends are closed by a fan."""
    step = np.roll(path, -1, 0) - np.roll(path, 1, 0) if closed else np.gradient(path, axis=0)
    tangent = step / np.linalg.norm(step, axis=1, keepdims=True)
    across = np.cross(tangent, np.broadcast_to(np.asarray(side, float), path.shape))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    along = np.cross(across, tangent)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    ring = (
        along[:, None] * np.cos(angle)[None, :, None] * radii[:, 0, None, None]
        + across[:, None] * np.sin(angle)[None, :, None] * radii[:, 1, None, None]
    )
    vertices = (path[:, None] + ring).reshape(-1, 3)
    rings = len(path)
    faces = []
    for r in range(rings if closed else rings - 1):
        for s in range(sides):
            a, b, n = r * sides, (r + 1) % rings * sides, (s + 1) % sides
            faces.append([a + s, a + n, b + n, b + s])
    if not closed:
        vertices = np.vstack([vertices, path[0], path[-1]])
        first, last, end = rings * sides, rings * sides + 1, (rings - 1) * sides
        for s in range(sides):
            n = (s + 1) % sides
            faces += [[first, n, s], [last, end + s, end + n]]
    return Surface(vertices, faces)


def ellipsoid(centre: Sequence[float], radii: Sequence[float], sides: int = 24) -> Surface:
    """An ellipsoid with its axes along x, y, z."""
    angle = np.linspace(0, np.pi, sides // 2 + 1)
    path = np.zeros((len(angle), 3))
    path[:, 2] = -np.cos(angle)
    ring = np.maximum(np.sin(angle), 1e-3)[:, None] * [1.0, 1.0]
    ball = sweep(path, ring, sides=sides)
    return Surface(ball.vertices * np.asarray(radii, float) + np.asarray(centre, float), ball.faces)


def leaf(
    points: Sequence[Sequence[float]], width: float, thickness: float, side: Sequence[float], fat: float = 0.45
) -> Surface:
    """A flat drop along a curve: wing, tail, feather, blade. fat: where along it (0 to 1) it is widest."""
    s = (1 - np.cos(np.linspace(0, np.pi, 22))) / 2
    path = smooth_path(points, 201)[np.round(s * 200).astype(int)]
    belly = np.sin(np.pi * s ** (np.log(0.5) / np.log(fat))) ** 0.75
    radii = np.maximum(belly, 1e-3)[:, None] * [width, thickness]
    return sweep(path, radii, side, sides=20)


def _region_factor(tree: bpy.types.NodeTree, region: Region, low: np.ndarray, size: np.ndarray) -> bpy.types.NodeSocket:
    """1 inside the region, 0 outside, from the Generated coordinates."""
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    scale = tree.nodes.new("ShaderNodeVectorMath")
    scale.operation = "MULTIPLY_ADD"
    scale.inputs[1].default_value = size / region.radii
    scale.inputs[2].default_value = (low - region.centre) / region.radii
    length = tree.nodes.new("ShaderNodeVectorMath")
    length.operation = "LENGTH"
    inside = tree.nodes.new("ShaderNodeMath")
    inside.operation = "LESS_THAN"
    inside.inputs[1].default_value = 1.0
    tree.links.new(coordinates.outputs["Generated"], scale.inputs[0])
    tree.links.new(scale.outputs["Vector"], length.inputs[0])
    tree.links.new(length.outputs["Value"], inside.inputs[0])
    return inside.outputs["Value"]


def _choose(
    tree: bpy.types.NodeTree, factor: bpy.types.NodeSocket, below: bpy.types.NodeSocket, paint: str, kind: str
) -> bpy.types.NodeSocket:
    """A mix node that takes the paint's colour (kind RGBA) or number (kind FLOAT) where factor is 1."""
    mix = tree.nodes.new("ShaderNodeMix")
    mix.data_type = kind
    sockets = [s for s in mix.inputs if s.enabled]  # the node has a set of sockets a type; only one set is enabled
    tree.links.new(factor, sockets[0])
    tree.links.new(below, sockets[1])
    sockets[2].default_value = plain_colour(paint) if kind == "RGBA" else NUMBER[paint]
    return next(s for s in mix.outputs if s.enabled)


def plain_colour(paint: str) -> tuple[float, float, float, float]:
    """The paint's plain colour, linear, as Blender wants it."""
    r, g, b = (((c + 0.055) / 1.055) ** 2.4 for c in rgb(PAINTS[NUMBER[paint]].plain))
    return (r, g, b, 1.0)


def _sky_light(tree: bpy.types.NodeTree, shader: bpy.types.ShaderNode, colour: bpy.types.NodeSocket) -> None:
    """Light from the sky as a glow that grows with the upward normal: no second lamp, so no noise at few samples."""
    normal = tree.nodes.new("ShaderNodeNewGeometry").outputs["Normal"]
    up = tree.nodes.new("ShaderNodeVectorMath")
    up.operation = "DOT_PRODUCT"
    up.inputs[1].default_value = (0.0, -0.05, 0.13)
    glow = tree.nodes.new("ShaderNodeMath")
    glow.inputs[1].default_value = 0.24
    tree.links.new(normal, up.inputs[0])
    tree.links.new(up.outputs["Value"], glow.inputs[0])
    tree.links.new(glow.outputs["Value"], shader.inputs["Emission Strength"])
    tree.links.new(colour, shader.inputs["Emission Color"])


def material(name: str, paint: str, regions: Sequence[Region], low: np.ndarray, size: np.ndarray) -> bpy.types.Material:
    """A plain rough material that also writes the anchor and the paint's number as AOVs, for the painter."""
    made = bpy.data.materials.new(name)
    made.use_nodes = True
    tree = made.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 0.85
    shader.inputs["Specular IOR Level"].default_value = 0.0
    made.cycles.emission_sampling = "NONE"
    base = tree.nodes.new("ShaderNodeRGB")
    base.outputs[0].default_value = plain_colour(paint)
    number = tree.nodes.new("ShaderNodeValue")
    number.outputs[0].default_value = NUMBER[paint]
    colour_out, number_out = base.outputs[0], number.outputs[0]
    for region in regions:
        factor = _region_factor(tree, region, low, size)
        colour_out = _choose(tree, factor, colour_out, region.paint, "RGBA")
        number_out = _choose(tree, factor, number_out, region.paint, "FLOAT")
    tree.links.new(colour_out, shader.inputs["Base Color"])
    _sky_light(tree, shader, colour_out)
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    for aov, socket, out in (("Color", ANCHOR_AOV, coordinates.outputs["Generated"]), ("Value", PAINT_AOV, number_out)):
        node = tree.nodes.new("ShaderNodeOutputAOV")
        node.aov_name = socket
        tree.links.new(out, node.inputs[aov])
    return made


def add(
    scene: bpy.types.Scene, name: str, surface: Surface, paint: str, regions: Sequence[Region] = ()
) -> bpy.types.Object:
    """An object of this surface in the scene, smooth, painted, with a pass index of its own."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(surface.vertices.tolist(), [], surface.faces)
    mesh.shade_smooth()
    low = surface.vertices.min(0)
    mesh.materials.append(material(name, paint, regions, low, surface.vertices.max(0) - low))
    made = bpy.data.objects.new(name, mesh)
    scene.collection.objects.link(made)
    made.pass_index = len(scene.collection.objects)
    return made
