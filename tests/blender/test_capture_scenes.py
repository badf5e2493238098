"""Scenes as artists leave them: modifiers, instances, odd objects and settings that a naive render would trip over."""

from __future__ import annotations

from pathlib import Path

import bpy
import numpy as np
import pytest
import stage
from bl_ext.user_default.understudy import compat
from bl_ext.user_default.understudy.job_folder import read_shot

CENTRE = stage.SIDE // 2


def captured(folder: Path) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Guides of frame 1, and the id of each object by name."""
    shot = stage.run(stage.params(folder))
    return stage.guides(folder, 1)[0], {ob.name: ob.id for ob in shot.objects}


def of(guides: dict[str, np.ndarray], name: str, number: int) -> np.ndarray:
    """The guide's pixels on an object, (N, C)."""
    return guides[name][guides["id"][..., 0] == number]


def test_lights_fog_exposure_and_simplify_leave_the_anchor_alone(tmp_path: Path) -> None:
    scene = stage.empty_stage(frames=1)
    stage.add_ball("Ball", (0, 0, 1))
    plain, ids = captured(tmp_path)
    light = stage.link(bpy.data.objects.new("Area", bpy.data.lights.new("Area", "AREA")))
    light.data.size, light.data.energy = 3, 1000
    light.location, light.rotation_euler = (0, -3, 1.8), (-1.3, 0, 0)
    world = scene.world = bpy.data.worlds.new("Fog")
    if bpy.app.version < (5, 0):
        world.use_nodes = True
    fog = world.node_tree.nodes.new("ShaderNodeVolumeScatter")
    fog.inputs["Density"].default_value = 0.5
    world.node_tree.links.new(fog.outputs[0], world.node_tree.nodes["World Output"].inputs["Volume"])
    scene.cycles.film_exposure, scene.view_settings.exposure = 3.0, 2.0
    scene.camera.data.dof.use_dof, scene.camera.data.dof.aperture_fstop = True, 0.1
    scene.cycles.use_adaptive_sampling, scene.render.use_freestyle = True, True
    foggy, _ = captured(tmp_path)
    for name in ("anchor", "depth", "id"):
        assert np.allclose(plain[name], foggy[name], atol=1e-3), name
    assert len(of(plain, "anchor", ids["Ball"])) > 100


@pytest.mark.parametrize("kind", ["MIRROR", "ARRAY", "SUBSURF"])
def test_anchors_under_modifiers_are_rest_lengths(kind: str, tmp_path: Path) -> None:
    """anchor x size is the undeformed place, also outside the mesh's own box, where Mirror and Array put geometry."""
    stage.empty_stage(frames=1)
    ball = stage.add_ball("Ball", (0, 0, 1))
    if kind == "MIRROR":
        for vertex in ball.data.vertices:
            vertex.co.x = vertex.co.x * 0.5 + 0.6
    modifier = ball.modifiers.new("M", kind)
    if kind == "SUBSURF":
        modifier.levels = modifier.render_levels = 2
    guides, ids = captured(tmp_path)
    anchor = of(guides, "anchor", ids["Ball"])[:, :3]
    place = of(guides, "position", ids["Ball"]) - np.array(ball.location)
    co = np.array([vertex.co[:] for vertex in ball.data.vertices])
    rest = co.min(0) + anchor * (co.max(0) - co.min(0))
    assert np.abs(rest - place).max() < (0.05 if kind == "SUBSURF" else 1e-3)
    if kind != "SUBSURF":
        assert anchor.min() < -0.2 or anchor.max() > 1.2, "the copies are in view"


def test_instances_duplicates_and_negative_scale(tmp_path: Path) -> None:
    stage.empty_stage(frames=1)
    ball = stage.add_ball("Ball", (-2, 0, 1))
    twin = stage.link(ball.copy())
    twin.name, twin.location, twin.scale = "Twin", (2, 0, 1), (-1, 1, 2)
    hidden = bpy.data.collections.new("Props")
    prop = bpy.data.objects.new("Prop", ball.data)
    hidden.objects.link(prop)
    instance = stage.link(bpy.data.objects.new("Instance", None))
    instance.instance_type, instance.instance_collection, instance.location = "COLLECTION", hidden, (0, 0, 1)
    guides, ids = captured(tmp_path)
    assert set(ids) == {"Ball", "Twin", "Prop"}
    assert set(np.unique(guides["id"])) == {0, *ids.values()}
    for name in ids:
        anchor = of(guides, "anchor", ids[name])
        assert anchor.min() >= 0 and anchor.max() <= 1
    sizes = {ob.name: ob.size for ob in read_shot(tmp_path).objects}
    assert sizes["Twin"] == pytest.approx([2, 2, 4], abs=0.01)


def test_objects_of_every_kind_do_no_harm(tmp_path: Path) -> None:
    """Surfaces without a material are captured; what is no surface leaves no trace."""
    scene = stage.empty_stage(frames=1)
    stage.link(bpy.data.objects.new("Text", bpy.data.curves.new("Text", "FONT"))).location = (-3, 0, 1)
    bpy.data.curves["Text"].body, bpy.data.curves["Text"].extrude = "abc", 0.1
    bpy.data.objects["Text"].rotation_euler = (1.5, 0, 0)
    bpy.ops.curve.primitive_bezier_circle_add(location=(0, 0, 0.5))
    bpy.context.object.data.bevel_depth, bpy.context.object.name = 0.2, "Curve"
    bpy.ops.object.metaball_add(type="BALL", location=(2, 0, 1))
    bpy.context.object.name = "Meta"
    bpy.ops.mesh.primitive_cube_add(size=0.5, location=(0, 0, 2.5))
    bpy.context.object.name = "Bare"
    bare = bpy.context.object.data
    bare.use_auto_texspace, bare.texspace_size, bare.texspace_location = False, (0.3, 0.4, 0.5), (0.1, 0, 0)
    bpy.ops.object.empty_add(location=(0, -1, 1))
    bpy.ops.object.speaker_add()
    bpy.ops.object.volume_add(location=(0, -1, 1))
    for make in (bpy.ops.object.gpencil_add, bpy.ops.object.grease_pencil_add):
        try:
            make(type="MONKEY", location=(0, -2, 1))
        except (AttributeError, TypeError, RuntimeError):
            continue  # the name of another version
    hairy = stage.add_ball("Hairy", (-1, 1, 1))
    hairy.modifiers.new("Hair", "PARTICLE_SYSTEM").particle_system.settings.type = "HAIR"
    assert any("GREASE" in ob.type or "GPENCIL" in ob.type for ob in scene.objects)
    guides, ids = captured(tmp_path)
    assert set(ids) == {"Text", "Curve", "Meta", "Bare", "Hairy"}
    assert set(np.unique(guides["id"])) == {0, *ids.values()}
    assert ((guides["id"][..., 0] > 0) == (guides["anchor"][..., 3] > 0)).all()
    sizes = {ob.name: np.array(ob.size) for ob in read_shot(tmp_path).objects}
    for name in ids:
        anchor = of(guides, "anchor", ids[name])[:, :3]
        assert np.ptp(anchor, axis=0).max() > 0.3, name
        position = of(guides, "position", ids[name])
        own = np.c_[position, np.ones(len(position))] @ np.array(bpy.data.objects[name].matrix_world.inverted()).T
        error = np.ptp(own[:, :3] - anchor * sizes[name], axis=0).max()
        # Metaballs are finer in renders than in the viewport, where their box is measured.
        assert error < (0.1 if name == "Meta" else 2e-3), f"{name}: anchor x size is a length"


def test_motion_blur_switched_off_per_object_or_on_for_all_keeps_the_vectors(tmp_path: Path) -> None:
    scene = stage.empty_stage(frames=2)
    ball = stage.add_ball("Ball", (0, 0, 1))
    stage.animate(ball, "location", (0, 0, 1), (0.5, 0, 1))
    scene.render.use_motion_blur = True
    ball.cycles.use_motion_blur = ball.cycles.use_deform_motion = False
    guides, ids = captured(tmp_path)
    moved = of(guides, "vector", ids["Ball"])[:, 2]
    assert (np.abs(moved) > 3).all()
    assert scene.render.use_motion_blur


def test_border_percentage_step_layers_and_strips(tmp_path: Path) -> None:
    """The whole picture of every frame, of the layer that is shown, from the camera and not from the sequencer."""
    scene = stage.empty_stage(frames=3)
    scene.frame_step, scene.render.resolution_percentage = 2, 50
    render = scene.render
    render.use_border, render.use_crop_to_border, render.border_max_x = True, True, 0.3
    render.use_stamp = render.use_single_layer = render.use_persistent_data = True
    stage.add_ball("Ball", (0, 0, 1))
    other = scene.view_layers.new("Other")
    other.use_pass_uv = bpy.context.view_layer.use_pass_cryptomatte_object = True
    bpy.context.view_layer.samples, scene.cycles.use_layer_samples = 64, "USE"
    bpy.context.view_layer.use = False
    scene.sequence_editor_create()
    span = {"length": 10} if bpy.app.version >= (5, 0) else {"frame_end": 10}
    compat.sequencer_strips(scene.sequence_editor).new_effect("Colour", "COLOR", 1, 1, **span).color = (1, 0, 1)
    shot = stage.run(stage.params(tmp_path))
    assert (shot.width, shot.height) == (stage.SIDE // 2, stage.SIDE // 2)
    for guides in stage.guides(tmp_path, 1, 2, 3):
        assert guides["id"][CENTRE // 2, CENTRE // 2, 0] == 1
        red, green, blue = guides["frame"][CENTRE // 2, CENTRE // 2].astype(int)
        assert red > blue + 5 or red == green == blue, "not the strip's magenta"


def test_frames_pass_the_compositor_but_its_file_outputs_stay_silent(tmp_path: Path) -> None:
    scene = stage.empty_stage(frames=1)
    stage.add_ball("Ball", (0, 0, 1))
    tree = compat.compositor_tree(scene)
    layers = next(n for n in tree.nodes if n.type == "R_LAYERS")
    out = next(n for n in tree.nodes if n.type in ("COMPOSITE", "GROUP_OUTPUT"))
    invert = tree.nodes.new("CompositorNodeInvert")
    tree.links.new(layers.outputs["Image"], invert.inputs["Color"])
    tree.links.new(invert.outputs["Color"], out.inputs[0])
    files = tree.nodes.new("CompositorNodeOutputFile")
    if hasattr(files, "directory"):
        files.directory, files.file_name = str(tmp_path / "art"), "art"
        files.file_output_items.new("RGBA", "art")
    else:
        files.base_path = str(tmp_path / "art")
    tree.links.new(layers.outputs["Image"], files.inputs[0])
    folder = tmp_path / "job"
    stage.run(stage.params(folder))
    (guides,) = stage.guides(folder, 1)
    assert guides["frame"][2, 2].min() > 150, "the black background, inverted"
    assert not (tmp_path / "art").exists()
    assert not files.mute


def test_a_camera_bound_to_a_marker_is_followed(tmp_path: Path) -> None:
    scene = stage.empty_stage(frames=2)
    stage.add_ball("Ball", (0, 0, 1))
    first, away = scene.camera, stage.link(scene.camera.copy())
    away.location = (0, -30, 3)
    scene.timeline_markers.new("open", frame=1).camera = first
    scene.timeline_markers.new("cut", frame=2).camera = away
    stage.run(stage.params(tmp_path))
    near, far = (np.count_nonzero(guides["id"]) for guides in stage.guides(tmp_path, 1, 2))
    assert near > 5 * far > 0
    assert scene.camera == first


@pytest.mark.parametrize("name", ["shot {blend_name} #1 ü", "plain"])
def test_any_folder_name_will_do(name: str, tmp_path: Path) -> None:
    stage.empty_stage(frames=1)
    stage.add_ball("Ball", (0, 0, 1))
    stage.run(stage.params(tmp_path / name))
    made = sorted(str(path.relative_to(tmp_path / name)) for path in (tmp_path / name).rglob("*") if path.is_file())
    guides = ["guides/0001.albedo.exr", "guides/0001.edges.png", "guides/0001.geometry.exr"]
    assert made == ["frames/0001.png", *guides, "shot.json"]


def test_a_linked_character(tmp_path: Path) -> None:
    """From another file, read-only there: captured as any other, holes and all, and left as it was."""
    stage.empty_stage(frames=1)
    ball = stage.add_ball("Ball", (0, 0, 1))
    card, bare = leaf("ALPHA", -2), stage.link(bpy.data.objects.new("Bare", bpy.data.meshes.new_from_object(ball)))
    bare.data.materials.clear()
    card.data.materials.append(None)
    bare.location = (2, 0, 1)
    ball.pass_index = 5
    light = stage.link(bpy.data.objects.new("Lamp", bpy.data.lights.new("Lamp", "POINT")))
    library = tmp_path / "library.blend"
    bpy.data.libraries.write(str(library), {ball, light, card, bare})
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    stage.empty_stage(frames=1)
    with bpy.data.libraries.load(str(library), link=True) as (source, target):
        target.objects = source.objects
    for ob in target.objects:
        stage.link(ob)
    before = links(bpy.data.materials["ALPHA"])
    guides, ids = captured(tmp_path / "job")
    assert set(ids) == {"Ball", "ALPHA", "Bare"} and np.count_nonzero(guides["id"]) > 500
    assert of(guides, "position", ids["ALPHA"])[:, 0].max() < -1.9, "half of the card is a hole"
    assert np.ptp(of(guides, "anchor", ids["Bare"]), axis=0)[0] > 0.8
    assert links(bpy.data.materials["ALPHA"]) == before and not bpy.data.objects["Bare"].material_slots
    assert [slot.material for slot in bpy.data.objects["ALPHA"].material_slots] == [bpy.data.materials["ALPHA"], None]
    assert bpy.data.objects["Ball"].pass_index == 5 and not bpy.data.objects["Lamp"].hide_render


def leaf(kind: str, x: float) -> bpy.types.Object:
    """A card that is solid on its left half: by the alpha of a Principled BSDF, or by a mix with a transparent one."""
    bpy.ops.mesh.primitive_plane_add(size=1.6, location=(x, 1, 1.3), rotation=(1.5, 0, 0))
    card = bpy.context.object
    card.name = kind
    material = bpy.data.materials.new(kind)
    card.data.materials.append(material)
    tree = compat.material_tree(material)
    coordinates, split, half = map(tree.nodes.new, ("ShaderNodeTexCoord", "ShaderNodeSeparateXYZ", "ShaderNodeMath"))
    half.operation = "GREATER_THAN" if kind == "TURNED" else "LESS_THAN"
    tree.links.new(coordinates.outputs["UV"], split.inputs[0])
    tree.links.new(split.outputs["X"], half.inputs[0])
    solid = tree.nodes["Principled BSDF"]
    solid.inputs["Base Color"].default_value = (0.1, 0.6, 0.1, 1)
    if kind == "ALPHA":
        tree.links.new(half.outputs[0], solid.inputs["Alpha"])
        return card
    mix, hole = tree.nodes.new("ShaderNodeMixShader"), tree.nodes.new("ShaderNodeBsdfTransparent")
    tree.links.new(half.outputs[0], mix.inputs[0])
    tree.links.new((solid if kind == "TURNED" else hole).outputs[0], mix.inputs[1])
    tree.links.new((hole if kind == "TURNED" else solid).outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    return card


def links(material: bpy.types.Material) -> set[tuple[str, str, str, str]]:
    """The links between a material's nodes, by name."""
    ends = ((link.from_node, link.from_socket, link.to_node, link.to_socket) for link in material.node_tree.links)
    return {(a.name, b.identifier, c.name, d.identifier) for a, b, c, d in ends}


def test_what_alpha_cuts_away_shows_what_is_behind(tmp_path: Path) -> None:
    """Cards, half of each a hole, before a wall, and two bare cubes of one mesh: id, anchor and albedo agree on each pixel."""
    stage.empty_stage(frames=1)
    wall = stage.add_ball("Wall", (0, 6, 1))
    wall.scale = (9, 1, 9)
    cards = {leaf(kind, x).name: x for kind, x in (("ALPHA", -1.8), ("MIX", 0), ("TURNED", 1.8))}
    bpy.ops.mesh.primitive_cube_add(size=0.8, location=(1, 0, 3))
    bare = bpy.context.object
    bare.name = "Bare"
    stage.link(bare.copy()).location.x = -1
    before = {material.name: links(material) for material in bpy.data.materials}
    guides, ids = captured(tmp_path)
    for name, x in cards.items():
        place = of(guides, "position", ids[name])[:, 0]
        assert len(place) > 50 and abs(place.min() - x + 0.8) < 0.1 and abs(place.max() - x) < 0.1, (
            f"{name}: its left half"
        )
        green = of(guides, "albedo", ids[name])
        assert (green[:, 1] > green[:, 0] + 0.3).all(), f"{name}: no hole is painted as leaf"
    red = of(guides, "albedo", ids["Wall"])
    assert (red[:, 0] > red[:, 1] + 0.3).all(), "nor what is behind as hole"
    for name in ids:
        anchor = of(guides, "anchor", ids[name])[:, :3]
        assert anchor.min() >= -1e-3 and anchor.max() <= 1.001 and np.ptp(anchor, axis=0).max() > 0.4, name
    assert before == {material.name: links(material) for material in bpy.data.materials}
    assert not bpy.data.node_groups and not bare.material_slots


def test_the_domain_of_smoke_hides_nothing(tmp_path: Path) -> None:
    stage.empty_stage(frames=1)
    stage.add_ball("Ball", (0, 0, 1))
    bpy.ops.mesh.primitive_cube_add(size=4, location=(0, 0, 1))
    domain = bpy.context.object
    smoke = bpy.data.materials.new("Smoke")
    tree = compat.material_tree(smoke)
    tree.nodes.clear()
    output, volume = tree.nodes.new("ShaderNodeOutputMaterial"), tree.nodes.new("ShaderNodeVolumePrincipled")
    tree.links.new(volume.outputs[0], output.inputs["Volume"])
    domain.data.materials.append(smoke)
    guides, ids = captured(tmp_path)
    assert set(np.unique(guides["id"])) == {0, ids["Ball"]}
    assert of(guides, "albedo", ids["Ball"])[:, 0].min() > 0.5, "no grain of smoke"
    assert not domain.hide_render


def test_view_layers_that_the_compositor_puts_together(tmp_path: Path) -> None:
    """Two collections, each in a view layer of its own: the guides know both, and the layers are as before."""
    scene = stage.empty_stage(frames=1)
    near, far = stage.add_ball("Near", (-1.5, 0, 1)), stage.add_ball("Far", (1.5, 2, 1))
    bpy.context.view_layer.name = "Near"
    scene.view_layers.new("Far")
    for ob in (near, far):
        collection = bpy.data.collections.new(ob.name)
        scene.collection.children.link(collection)
        scene.collection.objects.unlink(ob)
        collection.objects.link(ob)
    for layer in scene.view_layers:
        for child in layer.layer_collection.children:
            child.exclude = child.name != layer.name
    tree = compat.compositor_tree(scene)
    first = next(node for node in tree.nodes if node.type == "R_LAYERS")
    second = tree.nodes.new("CompositorNodeRLayers")
    first.layer, second.layer = "Near", "Far"
    guides, ids = captured(tmp_path)
    assert set(np.unique(guides["id"])) == {0, ids["Near"], ids["Far"]}
    assert of(guides, "albedo", ids["Far"])[:, 0].min() > 0.5
    assert [layer.name for layer in scene.view_layers] == ["Near", "Far"] and second.layer == "Far"
    assert all(
        child.exclude == (child.name != layer.name)
        for layer in scene.view_layers
        for child in layer.layer_collection.children
    )
