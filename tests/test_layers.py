"""The walls of the house, read off the source: who may import whom, and the house rules that no linter knows. Nothing
is imported or run, so it needs neither Blender nor torch."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("blender_addon", "engine", "benchmarks", "demo", "tests")
FOUND = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
SOURCES = [ROOT / "build.py", *(path for path in FOUND if ROOT / "demo" / "out" not in path.parents)]
ADDON = [p for p in SOURCES if ROOT / "blender_addon" in p.parents]
ENGINE = [p for p in SOURCES if ROOT / "engine" in p.parents]

BLENDER = {"bpy", "bpy_extras", "mathutils", "gpu", "gpu_extras", "bmesh", "blf", "bl_math", "imbuf", "idprop", "numpy"}
BLENDER |= {"bl_ui", "bl_operators", "rna_keymap_ui"}  # Blender's own panels and operators, to build on
TORCH = {"torch", "numpy", "scipy", "OpenEXR", "safetensors", "PIL", "cv2", "engine"}
# What there is to show: names, settings, the job manager, the files of a shot. Nothing that reads or changes a scene.
PANEL_MAY_SEE = {
    "__package__",
    "engine_process",
    "history",
    "installer",
    "jobs",
    "preferences",
    "properties",
    "protocol",
    "sequence_library",
    "shot",
    "styles",
    "ui",
    "ui_lines",
    "ui_presets",
    "ui_sequencer",
    "ui_stylise",
    "words",
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(nodes: ast.AST) -> Iterator[tuple[int, str]]:
    """(level, dotted module) of every import; level 0 is absolute. `from . import a` counts as level 1, "a"."""
    for node in ast.walk(nodes):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.level, node.module
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.level, alias.name) for alias in node.names)


def foreign(path: Path) -> set[str]:
    """Top-level packages from outside the standard library."""
    tops = {module.split(".")[0] for level, module in imports(tree(path)) if level == 0}
    return tops - sys.stdlib_module_names


def relative(path: Path) -> set[str]:
    return {module.split(".")[0] for level, module in imports(tree(path)) if level}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every call with its dotted name."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


each = pytest.mark.parametrize("path", SOURCES, ids=name)


def test_there_is_something_to_check() -> None:
    assert len(ADDON) > 10 and len(ENGINE) > 10


# --- who may import whom ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ADDON, ids=name)
def test_the_addon_knows_blender_and_numpy_alone(path: Path) -> None:
    """No torch, no engine, no package that Blender does not bring; its own modules by relative imports alone."""
    assert foreign(path) <= BLENDER


@pytest.mark.parametrize("path", ENGINE, ids=name)
def test_the_engine_knows_no_blender(path: Path) -> None:
    """Nor the add-on, the benchmarks, the demo or the tests."""
    assert foreign(path) <= TORCH


@pytest.mark.parametrize("module", ["protocol.py", "settings.py", "job_folder.py", "lock.py"])
def test_the_contract_is_one_and_needs_the_standard_library_only(module: str) -> None:
    ours, theirs = ROOT / "engine" / module, ROOT / "blender_addon" / module
    assert ours.read_bytes() == theirs.read_bytes(), "run `python3 build.py sync`"
    assert not foreign(ours) and relative(ours) <= {"protocol", "settings"}


def test_decimation_is_one_and_needs_numpy_only() -> None:
    ours, theirs = ROOT / "engine" / "motion" / "decimate.py", ROOT / "blender_addon" / "decimate.py"
    assert ours.read_bytes() == theirs.read_bytes(), "run `python3 build.py sync`"
    assert foreign(ours) == {"numpy"} and not relative(ours)


def test_the_wire_needs_no_blender() -> None:
    path = ROOT / "blender_addon" / "engine_process.py"
    assert not foreign(path) and relative(path) == {"protocol"}


@pytest.mark.parametrize("path", [p for p in ADDON if p.name.startswith("ui")], ids=name)
def test_panels_draw_and_touch_no_scene(path: Path) -> None:
    assert relative(path) <= PANEL_MAY_SEE


def test_the_engine_listens_before_torch_is_there() -> None:
    """What `python -m engine` imports at the head of its modules: Blender may die while torch still loads."""
    for module in ("__main__", "job_folder", "jobs", "progress", "protocol", "run", "serve", "settings"):
        heads = [node for node in tree(ROOT / "engine" / f"{module}.py").body if isinstance(node, ast.stmt)]
        tops = {m for node in heads if isinstance(node, (ast.Import, ast.ImportFrom)) for _, m in imports(node)}
        assert not {m for m in tops if m.startswith(("torch", "scipy", "engine.device", "engine.motion", "engine.sty"))}


@pytest.mark.parametrize("path", [p for p in ADDON if p.name != "compat.py"], ids=name)
def test_differences_between_blenders_live_in_compat(path: Path) -> None:
    assert "bpy.app.version" not in {ast.unparse(n) for n in ast.walk(tree(path)) if isinstance(n, ast.Attribute)}


# --- house rules -----------------------------------------------------------------------------------------------------


@each
def test_every_module_says_what_it_is(path: Path) -> None:
    assert len(ast.get_docstring(tree(path)) or "") > 30


@each
def test_files_and_functions_are_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450
    functions = [n for n in ast.walk(tree(path)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    assert not [f.name for f in functions if (f.end_lineno or 0) - f.lineno >= 60]


@pytest.mark.parametrize("path", [p for p in SOURCES if ROOT / "tests" not in p.parents], ids=name)
def test_nothing_dangerous_is_called(path: Path) -> None:
    """No pickle in any guise, no shell."""
    assert not foreign(path) & {"dill", "joblib", "cloudpickle"}
    assert not {m for _, m in imports(tree(path))} & {"pickle", "shelve", "marshal", "multiprocessing"}
    for called, node in calls(path):
        keywords = {k.arg: ast.unparse(k.value) for k in node.keywords}
        assert called not in ("torch.save", "os.system", "eval", "exec"), f"line {node.lineno}"
        if called == "torch.load":  # a classifier's published weights, by the benchmarks alone, and nothing but tensors
            assert keywords.get("weights_only") == "True" and path.parent.name == "benchmarks", f"line {node.lineno}"
        assert keywords.get("shell") != "True", f"line {node.lineno}"
        assert keywords.get("allow_pickle") != "True", f"line {node.lineno}"
        if called in ("np.load", "numpy.load"):
            assert keywords.get("allow_pickle") == "False", f"line {node.lineno}"


def test_no_drawer_for_odds_and_ends() -> None:
    assert not [name(p) for p in SOURCES if p.stem in ("utils", "util", "helpers", "helper", "common", "misc")]
