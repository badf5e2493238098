"""Presets of Blender's own kind for trainings, looks, keys and generating: those that come along, and the artist's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
import pytest
from bl_ext.user_default import understudy

SOURCE = Path(understudy.__file__).parent

FAMILIES = {
    "stylise": {"source": "VIEWPORT_SOLID", "training_seconds": 45.0},
    "look": {"strength": 0.25, "depth": "EXR", "painted_objects": "SELECTED"},
    "motion": {"every_frame": True, "degrees": 4.0, "lengths": 0.5, "lock_feet": True, "motion_model": "baseline"},
    "generate": {"how": "VARY", "count": 99, "seconds": 33.0, "variation": 0.125},
}
Settings = dict[str, Any]


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Iterator[str]:
    """One of the four, its list named as before afterwards, its settings as in a new scene."""
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    menu = list_of(request.param)
    label = menu.bl_label  # Blender writes the chosen preset's name there
    yield request.param
    menu.bl_label = label


def list_of(family: str) -> Any:
    return getattr(bpy.types, f"VIEW3D_PT_understudy_{family}_presets")


def paths(family: str) -> dict[str, Path]:
    """By name, all that the list in the panel's header shows."""
    folders = bpy.utils.preset_paths(list_of(family).preset_subdir)
    return {path.stem.replace("_", " "): path for folder in folders for path in Path(folder).glob("*.py")}


def load(family: str, path: Path) -> None:
    """As a click on its name in the list does."""
    bpy.ops.script.execute_preset(filepath=str(path), menu_idname=list_of(family).__name__)


def settings() -> Settings:
    """All that a scene remembers."""
    scene: Any = bpy.context.scene
    groups = (scene.understudy, scene.understudy_motion, scene.understudy_generate)
    found = [(g, p.identifier) for g in groups for p in g.bl_rna.properties if not p.is_readonly]
    return {
        f"{g.bl_rna.identifier}.{name}": getattr(g, name)
        for g, name in found
        if name not in ("name", "style_thumbnail", "motion_model_choice")
    }


def holder(name: str, family: str) -> Any:
    """The group that has this setting."""
    scene: Any = bpy.context.scene
    groups = {"motion": (scene.understudy_motion, scene.understudy), "generate": (scene.understudy_generate,)}
    return next(g for g in groups.get(family, (scene.understudy,)) if hasattr(g, name))


def test_some_come_along_and_each_asks_for_something_else(family: str) -> None:
    brought = {name: path for name, path in paths(family).items() if path.is_relative_to(SOURCE)}
    assert len(brought) >= 3
    seen = []
    for path in brought.values():
        bpy.ops.wm.read_homefile(use_factory_startup=True)
        before = settings()
        load(family, path)
        seen.append(settings())
        changed = {name for name, value in seen[-1].items() if value != before[name]}
        kept = {name.split(".")[1] for name in changed} - set(FAMILIES[family]) - {"texture", "light", "slow"}
        assert not kept, "it changes what the list is not about"
    assert all(seen.count(one) == 1 for one in seen)
    assert settings_of_a_new_scene() in seen, "there is a way back"


def settings_of_a_new_scene() -> Settings:
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    return settings()


def test_one_of_the_artists_own(family: str) -> None:
    """Saved, changed, taken up again, deleted."""
    add = getattr(bpy.ops.understudy, f"{family}_preset_add")
    asked = FAMILIES[family]
    for name, value in asked.items():
        setattr(holder(name, family), name, value)
    before = settings()
    assert add(name="My own") == {"FINISHED"}
    preset = paths(family)["My own"]
    try:
        bpy.ops.wm.read_homefile(use_factory_startup=True)
        assert settings() != before
        load(family, preset)
        assert settings() == before
        assert add(name="My own", remove_name=True) == {"FINISHED"}
        assert not preset.exists()
    finally:
        preset.unlink(missing_ok=True)


def test_one_that_came_along_cannot_be_deleted(family: str) -> None:
    add = getattr(bpy.ops.understudy, f"{family}_preset_add")
    path = next(path for path in paths(family).values() if path.is_relative_to(SOURCE))
    assert add(name=path.stem, remove_name=True) == {"CANCELLED"}
    assert path.is_file()
