"""The pages of docs/ against the source: every name in them exists, every operator, verb and function for scripts is in
them, and examples parse. Reads the source and runs nothing of Blender, so it needs plain Python alone."""

from __future__ import annotations

import argparse
import ast
import importlib.metadata
import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest

from engine.__main__ import BENCH, TRAIN

ROOT = Path(__file__).resolve().parents[1]
ADDON = ROOT / "blender_addon"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
ALL = "\n".join(PAGES.values())
INTERNAL = {"understudy.start_engine"}  # a button without a page of its own


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def operators() -> set[str]:
    """Every bl_idname of an operator."""
    found = (re.findall(r'bl_idname = "(understudy\.\w+)"', path.read_text()) for path in ADDON.rglob("*.py"))
    return {name for names in found for name in names}


def settings() -> set[str]:
    """Every property of a scene."""
    classes = [
        node
        for name in ("properties", "motion_settings", "generate_settings")
        for node in ast.walk(tree(ADDON / f"{name}.py"))
    ]
    return {
        part.target.id
        for node in classes
        if isinstance(node, ast.ClassDef)
        for part in node.body
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
    }


def parser() -> Any:
    """The command line's own parser, from the parts of cli.py that need no Blender."""
    choices = {
        target.id: ast.literal_eval(node.value)
        for node in tree(ADDON / "properties.py").body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id in ("SOURCES", "DEPTHS")
    }
    module = tree(ADDON / "cli.py")
    module.body = [
        node
        for node in module.body
        if (isinstance(node, ast.FunctionDef) and not node.decorator_list)
        or (isinstance(node, ast.ClassDef) and node.name in ("Misuse", "Parser"))
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MACHINES")
        or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
    ]
    names: dict[str, Any] = {"argparse": argparse, "os": os, "NoReturn": NoReturn, "Callable": Callable, **choices}
    exec(compile(module, "cli.py", "exec"), names)
    return names["parser"]()


def verbs() -> set[str]:
    commands = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return set(commands.choices)


def functions() -> set[str]:
    """What api.py offers."""
    listed = next(n for n in tree(ADDON / "api.py").body if ast.unparse(n).startswith("__all__"))
    assert isinstance(listed, ast.Assign)
    return {name for name in ast.literal_eval(listed.value) if name.islower()}


def examples(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", ALL, re.DOTALL)


def lines() -> list[str]:
    return [line for example in examples("console") for line in example.splitlines() if line]


def test_every_operator_is_told_of_and_exists() -> None:
    assert len(operators()) > 15
    named = set(re.findall(r"`(understudy\.\w+)`", ALL)) - {"understudy.api"}
    assert named <= operators()
    assert operators() - named <= INTERNAL


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"^\| [A-Z][\w ]*, `([a-z_]+)`", ALL, re.MULTILINE)) | set(
        re.findall(r"\*\(?\s*\(`([a-z_]+)`[:)]", ALL)
    )
    named |= set(re.findall(r"scene\.understudy(?:_motion)?\.(\w+)", ALL))
    assert len(named) > 15
    assert named <= settings()


def strings(node: ast.AST) -> set[str]:
    """Every string in a piece of source."""
    return {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)}


def buttons() -> set[tuple[str, str]]:
    """Each operator with the words on its buttons: its own label, and what a panel writes in its place."""
    found = set()
    for node in (part for path in ADDON.rglob("*.py") for part in ast.walk(tree(path))):
        if isinstance(node, ast.ClassDef):
            own = {ast.unparse(p.targets[0]): p.value for p in node.body if isinstance(p, ast.Assign)}
            if "bl_idname" in own and "bl_label" in own:
                found.add((ast.literal_eval(own["bl_idname"]), ast.literal_eval(own["bl_label"])))
        elif isinstance(node, ast.FunctionDef):
            asked = [c for c in ast.walk(node) if isinstance(c, ast.Call) and ast.unparse(c.func).endswith(".operator")]
            texts = [
                p.value for p in ast.walk(node) if isinstance(p, ast.Assign) and ast.unparse(p.targets[0]) == "text"
            ]
            for call in asked:
                given = [k.value for k in call.keywords if k.arg == "text"]
                words = given if all(isinstance(v, ast.Constant) for v in given) else texts
                found |= {(name, word) for name in strings(call.args[0]) for v in words for word in strings(v)}
    return found


def fields() -> set[tuple[str, str]]:
    """Each setting with the words beside its field."""
    found = set()
    for node in (part for path in ADDON.glob("*.py") for part in ast.walk(tree(path))):
        if isinstance(node, ast.AnnAssign) and isinstance(node.annotation, ast.Call):
            found |= {
                (ast.unparse(node.target), w)
                for k in node.annotation.keywords
                if k.arg == "name"
                for w in strings(k.value)
            }
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".prop") and len(node.args) > 1:
            found |= {
                (n, w)
                for n in strings(node.args[1])
                for k in node.keywords
                if k.arg == "text"
                for w in strings(k.value)
            }
    return found


def test_buttons_and_fields_are_called_in_the_docs_what_they_are_called_in_blender() -> None:
    told = set(re.findall(r"\*\*([^*]+)\*\*\s*\(`(understudy\.\w+)`", ALL)) | set(
        re.findall(r"^\| ([^|`]+?), `(understudy\.\w+)` \|", ALL, re.MULTILINE)
    )
    assert len(told) > 20
    assert not sorted((name, operator) for name, operator in told if (operator, name) not in buttons())
    told = set(re.findall(r"^\| ([A-Z][^|`]*?), `([a-z_]+)` \|", ALL, re.MULTILINE)) | set(
        re.findall(r"\*([A-Z][^*\n]+)\*\s*\(`([a-z_]+)`", ALL)
    )
    assert len(told) > 20
    assert not sorted((name, setting) for name, setting in told if (setting, name) not in fields())


def test_whatever_is_set_in_bold_or_italics_is_a_word_of_blenders_window() -> None:
    """Or a heading within a paragraph, which ends in a full stop; or one of Blender's own words."""
    shown = set().union(*(strings(tree(path)) for path in ADDON.rglob("*.py")))
    shown |= {path.stem.replace("_", " ") for path in (ADDON / "presets").rglob("*.py")}
    shown |= {"Image Editor", "3D View", "Resolution %", "Engine ready", "Engine 0.0.9", "Where it is plain"}
    words = re.findall(r"(?<!\*)\*\*?([^*\n]+?)\*\*?(?!\*)", re.sub(r"```.*?```", "", ALL, flags=re.DOTALL))
    assert len(words) > 100
    assert not sorted(
        {word for word in words if word not in shown and not word.endswith(".") and not word.startswith("[")}
    )


def constant(file: str, name: str) -> Any:
    """A number that a module of the project holds."""
    assigned = [n for n in tree(ROOT / file).body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == name]
    return ast.literal_eval(assigned[0].value)


def default(name: str, module: str = "properties") -> float:
    """What a setting is in a new scene."""
    (call,) = [
        part.annotation
        for part in ast.walk(tree(ADDON / f"{module}.py"))
        if isinstance(part, ast.AnnAssign) and ast.unparse(part.target) == name
    ]
    assert isinstance(call, ast.Call)
    value: float = ast.literal_eval(next(k.value for k in call.keywords if k.arg == "default"))
    return value


def preset(family: str, name: str) -> float:
    """How many seconds a preset trains or learns."""
    source = (ADDON / "presets" / "understudy" / family / f"{name}.py").read_text()
    return float(re.findall(r"seconds = ([\d.]+)", source)[0])


WORDS = {"half a": 0.5, "two": 2, "one": 1, "four": 4, "ten": 10, "twelve": 12}
# A page, its words with the numbers in them, and what the source says of each number.
TOLD: list[tuple[str, str, Callable[[], list[float]]]] = [
    ("first_shot.md", r"It takes (\w+) minutes at most \(\*Train For\*\)", lambda: [default("training_seconds") / 60]),
    (
        "troubleshooting.md",
        r"\*Train For\* was short, give it (\w+) minutes",
        lambda: [default("training_seconds") / 60],
    ),
    (
        "README.md",
        r"([\d.]+) degrees and ([\d.]+) bone lengths at first",
        lambda: [default("degrees", "motion_settings"), default("lengths", "motion_settings")],
    ),
    (
        "stylise.md",
        r"\*Draft\* trains for (half a) minute, \*Standard\* for (\w+), \*Thorough\* for (\w+),",
        lambda: [preset("stylise", name) / 60 for name in ("Draft", "Standard", "Thorough")],
    ),
    (
        "generate.md",
        r"\*Draft\*, \*Standard\* and \*Thorough\* learn for (\w+), (\w+) and (\w+) minutes",
        lambda: [preset("generate", name) / 60 for name in ("Draft", "Standard", "Thorough")],
    ),
    (
        "stylise.md",
        r"ends by itself after ([\d,]+) steps for each key",
        lambda: [constant("engine/stylise/train.py", "MOST")],
    ),
    ("stylise.md", r"(\w+) runs are kept", lambda: [constant("blender_addon/history.py", "MOST")]),
    ("inbetween.md", r"1 as acted, up to ([\d.]+) \|", lambda: [constant("blender_addon/operators/slider.py", "MOST")]),
    ("inbetween.md", r"fewer than (\w+) bones that turn", lambda: [constant("engine/motion/infer.py", "FEWEST")]),
    (
        "play_on.md",
        r"from ([\d.]+) to ([\d.]+) of the motion's own",
        lambda: list(constant("engine/motion/along.py", "(SLOWEST, FASTEST)")),
    ),
]


@pytest.mark.parametrize(("page", "words", "real"), TOLD, ids=[f"{page}-{n}" for n, (page, *_) in enumerate(TOLD)])
def test_numbers_that_are_told_are_those_of_the_source(page: str, words: str, real: Callable[[], list[float]]) -> None:
    text = (ROOT / "README.md").read_text() if page == "README.md" else PAGES[page]
    found = re.search(words, " ".join(text.split()))
    assert found, f"{page} does not say so any more"
    told = [float(WORDS.get(word.lower()) or word.replace(",", "")) for word in found.groups()]
    assert told == real()


def test_standard_presets_are_what_a_new_scene_begins_with() -> None:
    assert preset("stylise", "Standard") == default("training_seconds")
    assert preset("generate", "Standard") == default("seconds", "generate_settings")


def test_the_room_that_torch_takes() -> None:
    """For every kind that the preferences offer, as Install Engine asks for it."""
    told = dict(re.findall(r"^\| `(\w+)` \|.*\| ([\d.]+) GB \|$", PAGES["install.md"], re.MULTILINE))
    source = next(n for n in tree(ADDON / "installer.py").body if ast.unparse(n).startswith("BACKENDS"))
    assert isinstance(source, ast.AnnAssign) and source.value is not None
    assert {name: float(room) * 1000 for name, room in told.items()} == {
        name: megabytes for name, (_, megabytes) in ast.literal_eval(source.value).items()
    }


def test_every_verb_and_function_has_an_example() -> None:
    assert verbs() == {line.split("understudy ")[1].split()[0] for line in lines() if "--command" in line}
    assert functions() == set(re.findall(r"\bapi\.(\w+)\(", ALL))


@pytest.mark.parametrize("line", lines())
def test_commands_parse(line: str) -> None:
    words = shlex.split(line)
    if "--command" in words:
        parser().parse_args(words[words.index("understudy") + 1 :])
    elif words[1] == "build.py":
        assert f'"{words[2]}":' in (ROOT / "build.py").read_text()
    else:
        assert words[1:3] == ["-m", "engine"]
        known = {"run": {}, "train": TRAIN, "bench": BENCH}[words[3]]
        assert not known or words[4] in known
        sources = ("engine.motion.training", *TRAIN.values())
        source = "".join((ROOT / f"{name.replace('.', '/')}.py").read_text() for name in sources)
        assert all(f'"{word}"' in source for word in words if word.startswith("--") and word != "--help")


@pytest.mark.parametrize("example", examples("python"))
def test_python_parses_and_its_operators_exist(example: str) -> None:
    ast.parse(example)
    assert {f"understudy.{name}" for name in re.findall(r"bpy\.ops\.understudy\.(\w+)\(", example)} <= operators()


def test_no_message_is_invented() -> None:
    """Each message in the first column of Troubleshooting is in the source, up to what is filled in."""
    source = "".join(path.read_text() for folder in (ADDON, ROOT / "engine") for path in folder.rglob("*.py"))
    source = re.sub(r'"\s*\n\s*f?"', "", source)  # strings over several lines
    told = re.findall(r"^\| ([^|*]+?) \|", PAGES["troubleshooting.md"], re.MULTILINE)
    messages = [message.removeprefix("The engine was not installed: ") for message in told if " " in message]
    assert len(messages) > 25
    parts = [part.strip(" .(),;'") for message in messages for part in message.split("…")]
    assert not [part for part in parts if part not in source]


# Raised towards an artist; other errors are caught and told by one of these.
SAID = {
    "OperatorError",
    "JobError",
    "CaptureError",
    "FootageError",
    "MotionError",
    "SequenceError",
    "StyleError",
    "InstallError",
}
SAID |= {"EngineDied", "EngineMissing", "EngineMismatch", "EngineNotInstalled", "UnderstudyError"}


def said(node: ast.expr) -> str:
    """A message as Troubleshooting writes it: … for what is filled in."""
    if isinstance(node, ast.Constant):
        return re.sub(r"\{[^}]*\}", "…", str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(map(said, node.values))
    if isinstance(node, ast.BinOp):
        return said(node.left) + said(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return said(node.func.value)
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "rpt_":
        return said(node.args[0])
    return "…"


def errors() -> set[str]:
    """Every message that is raised towards an artist, as far as it stands where it is raised."""
    files = [*ADDON.rglob("*.py"), *(p for p in (ROOT / "engine").rglob("*.py") if not re.match("bench|bvh", p.name))]
    raised = [node.exc for path in files for node in ast.walk(tree(path)) if isinstance(node, ast.Raise)]
    found = {said(e.args[0]) for e in raised if isinstance(e, ast.Call) and e.args and ast.unparse(e.func) in SAID}
    return {message for message in found if message.strip("… .")}


def test_every_error_says_what_to_do_or_is_in_troubleshooting() -> None:
    """In a clause of its own, or as an order; values that only scripts can ask for share one row there."""
    told = re.findall(r"^\| ([^|*]+?) \|", PAGES["troubleshooting.md"], re.MULTILINE)
    advice = re.compile(r"[;:] [\w…]|^(Choose|Name|Select|Save|Open|Give) |^The .* must be .* not |, not …\.$")
    assert len(errors()) > 150
    assert not sorted(message for message in errors() if not advice.search(message) and message not in told)


def installed(name: str, found: set[str]) -> set[str]:
    """The package and all that it asks for on this machine, by their names in lower case."""
    name = name.lower().replace("_", "-")
    if name not in found:
        found.add(name)
        for line in importlib.metadata.requires(name) or []:
            wanted, _, only = line.partition(";")
            try:
                importlib.metadata.version(needed := re.split(r"[^\w.-]", wanted.strip())[0])
            except importlib.metadata.PackageNotFoundError:
                continue  # for another machine
            if "extra" not in only:
                installed(needed, found)
    return found


def test_every_package_has_its_licence() -> None:
    """Whatever Install Engine puts on the artist's disk is on the page about licences."""
    rows = re.findall(r"^\| ([\w, -]+) \|[^|]*\| (\S.*) \|$", PAGES["licences.md"], re.MULTILINE)
    told = {name.strip().lower() for names, _ in rows for name in names.split(",")} - {"package"}
    needed = installed("understudy", set()) - {"understudy"}
    assert len(needed) > 10
    assert needed - told == set()


def test_every_tool_is_shown_before_and_after() -> None:
    """By a picture whose text says what is to be seen, and every picture is on some page."""
    tools = {
        "stylise",
        "footage",
        "combine",
        "generate",
        "inbetween",
        "play_on",
        "loop",
        "clean",
        "reduce_keys",
        "learn",
    }
    shown = {page: re.findall(r"!\[([^\]]+)\]\(([\w/]+\.png)\)", text) for page, text in PAGES.items()}
    assert not [tool for tool in tools if not shown[f"{tool}.md"]]
    assert not [text for page in shown.values() for text, _ in page if len(text) < 15]
    used = {path for page in shown.values() for _, path in page}
    assert {f"pictures/{path.name}" for path in (ROOT / "docs" / "pictures").glob("*.png")} <= used


def test_pictures_are_small() -> None:
    for path in (ROOT / "docs" / "pictures").glob("*.png"):
        assert path.stat().st_size < 150_000, path.name
