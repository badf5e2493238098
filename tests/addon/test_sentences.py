"""What the engine and the installer say has its Simplified Chinese, with the same values, and no Chinese is left of what is
said no more. Read off the source, so that nothing can be forgotten: every sentence and every line of progress is found."""

from __future__ import annotations

import ast
import re
import runpy
import string
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from addon import plain_paint
from addon.installer import REASONS, Plan, explain
from addon.sentences import Sentences
from PIL import Image

from engine import frames, protocol

ROOT = Path(__file__).resolve().parents[2]
ENGINE, ADDON = ROOT / "engine", ROOT / "blender_addon"
# Said to whoever works on the engine, to scripts and on the command line, or found in files only.
OTHERS = re.compile(r"engine/(__main__|run|protocol|motion/(bench|train|prediction|windows).*|stylise/train_base)\.py")
SCRIPTS = re.compile(r"blender_addon/(protocol|cli|calls|strip_calls|api|translations/.*)\.py")
SHOWS_PROGRESS = re.compile(r"engine/.*|blender_addon/(installer|jobs)\.py")
PROGRESS = {"Update": 1, "Progress": 2, "Step": 1, "aside": 2, "wait": 2}  # where the words stand among the arguments


def template(node: ast.AST) -> str:
    """The text of a string, with {} for each of its values; empty for what is no string."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return holes_alone(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def holes_alone(text: str) -> str:
    """A template without the names of its holes."""
    return re.sub(r"{[^{}]*}", "{}", text)


def strings(tree: ast.AST) -> set[str]:
    """Every string, as a template, that is neither a docstring nor a part of another one."""
    others, found = set(), []
    for node in ast.walk(tree):  # what holds others comes before them
        if isinstance(node, ast.Expr):
            others.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            others.update(map(id, node.values))
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in others:
            found.append(template(node))
    return set(found)


def progress(tree: ast.AST) -> Iterator[str]:
    """What is being done: the words of an Update and the like, and what is put into `text` for one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield from map(template, node.args[PROGRESS[name] :][:1] if name in PROGRESS else [])
        elif isinstance(node, ast.Yield) and isinstance(node.value, ast.Tuple):
            yield from map(template, node.value.elts)
        elif isinstance(node, ast.Assign):
            target = node.targets[0]
            pairs = (
                zip(target.elts, node.value.elts, strict=True)
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
                else [(target, node.value)]
            )
            for place, value in pairs:
                if ast.unparse(place) in ("text", "state.text"):
                    yield from map(template, [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value])


@cache
def sources() -> list[tuple[str, ast.Module]]:
    paths = sorted((*ENGINE.rglob("*.py"), *ADDON.rglob("*.py")))
    return [(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def said() -> set[str]:
    """Every sentence and line of progress, as a template."""
    found: set[str] = set()
    for name, tree in sources():
        if OTHERS.fullmatch(name) or SCRIPTS.fullmatch(name):
            continue
        if name != "engine/serve.py":  # its sentences refuse messages and go into the log
            found |= {text for text in strings(tree) if text.endswith(".") and " " in text.strip()}
        if SHOWS_PROGRESS.fullmatch(name):
            found |= set(progress(tree))
    return {text for text in found if re.search("[A-Za-z]{2}", text)}


def tables(*names: str) -> dict[str, str]:
    """All words of these files."""
    files = [runpy.run_path(str(ADDON / "translations" / f"{name}.py")) for name in names]
    found: dict[str, str] = {}
    for table in (value for file in files for key, value in file.items() if key.isupper() and isinstance(value, dict)):
        found |= table
    return found


def translate(sentence: str) -> str:
    """In the tables' language."""
    return Sentences(OURS, PARTS).translate(sentence, lambda text: WORDS.get(text, text))


OURS = tables("zh_engine") | runpy.run_path(str(ADDON / "translations/zh_sentences.py"))["SENTENCES"]
PARTS: dict[str, str] = runpy.run_path(str(ADDON / "translations/zh_sentences.py"))["PARTS"]
WORDS = tables("zh_messages", "zh_panels") | OURS | PARTS
PIP = ("Collecting", "Downloading", "Using cached", "Processing", "Installing")  # how its words begin that are shown


def test_whatever_is_said_is_translated() -> None:
    known = {holes_alone(english).rstrip(".") for english in WORDS}
    wanted = said()
    assert len(wanted) > 300  # the collectors above have not gone blind
    assert not (missing := sorted(text for text in wanted if text.rstrip(".") not in known)), missing


def test_what_stands_inside_of_sentences_is_translated() -> None:
    """Why the installer failed, and why a channel is left alone."""
    rig = next(tree for name, tree in sources() if name == "blender_addon/rig.py")
    calls = [node for node in ast.walk(rig) if isinstance(node, ast.Call) and ast.unparse(node.func) == "self.note"]
    wanted = {holes_alone(reason) for _, reason in REASONS} | {template(call.args[0]) for call in calls}
    assert len(wanted) > 8 and wanted <= {holes_alone(english) for english in PARTS}


def test_nothing_is_translated_that_is_said_no_more() -> None:
    said = (tree for name, tree in sources() if "translations/" not in name)
    there = {text for tree in said for text in strings(tree)} | {f"{word} {{}}" for word in PIP}
    assert all(word in (ADDON / "installer.py").read_text(encoding="utf-8") for word in PIP)
    assert not (stale := sorted(english for english in OURS | PARTS if holes_alone(english) not in there)), stale


def test_the_values_are_the_same() -> None:
    """All are there, by the same names; Chinese alone has no plural."""

    def values(text: str) -> set[str | None]:
        return {name for _, name, spec, _ in string.Formatter().parse(text) if name is not None and not spec}

    for english, text in (OURS | PARTS).items():
        assert values(english) - {"plural"} == values(text), english
    assert len({holes_alone(english) for english in OURS}) == len(OURS)


def test_every_template_is_found_again() -> None:
    """With values in it, and not as another one."""
    for english, text in OURS.items():
        values = {name: f"V{i}" for i, name in enumerate(re.findall("{(.*?)}", english))}
        if "sentence" in values:
            continue
        assert translate(english.format(**values)) == text.format(**values), english


def test_sentences_with_values_are_chinese(tmp_path: Path) -> None:
    folder = tmp_path / "a shot. light"
    for name in ("guides", "keys"):
        (folder / name).mkdir(parents=True)
    Image.new("RGB", (30, 20)).save(folder / "keys/0007.png")
    shot = protocol.Shot(7, 7, 64, 64, 24.0, [], [])
    with pytest.raises(protocol.JobError) as error:
        frames.read_key(folder, shot, 7)
    assert translate(str(error.value)) == (
        f"{folder}/keys/0007.png 为 30 x 20 像素，镜头为 64 x 64 像素；请按镜头的尺寸把手绘帧重新保存为 PNG。"
    )
    with pytest.raises(protocol.JobError) as error:
        frames.read_frame(folder, shot, 7)
    assert translate(str(error.value)) == f"缺少 {folder}/frames/0007.png；请重新采集第 7 帧。"
    with pytest.raises(plain_paint.JobError) as error:
        plain_paint.read_surface(folder, shot, 7)
    assert translate(str(error.value)) == (
        f"{folder}/guides/0007.geometry.exr 已损坏或不是 Blender 采集的文件；请重新采集第 7 帧。"
    )
    plan = Plan("/py", tmp_path / "engine", tmp_path / "u-1-py3.whl", "CPU")
    assert translate(explain(["ERROR: No matching distribution found for torch>=2"], plan)) == (
        "引擎没有安装成功：没有适合此 Python 和本机的 torch>=2；请指定另一个 Python。"
    )


def test_several_sentences_and_names_of_the_artist() -> None:
    said = "The network needs 4 bones that turn, and here are 2. The motion coasts to rest instead."
    assert translate(said) == "神经网络需要 4 根旋转的骨骼，这里只有 2 根。运动将逐渐停下。"
    assert translate("'light' is in no key; frame 3 shows it best.") == "手绘帧中没有“light”；第 3 帧显示得最清楚。"
    assert translate("The light must be 0 to 1, not 2.") == "光照必须为 0 至 1，不能是 2。"
    assert translate("A sentence of someone else's. Playing on") == "A sentence of someone else's. Playing on"


def test_english_stays_as_it_is() -> None:
    for english in ("Frame 3 painted", "The weights at /a are larger than any that Understudy writes; train again."):
        assert Sentences(OURS, PARTS).translate(english, lambda text: text) == english
