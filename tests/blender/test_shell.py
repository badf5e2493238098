"""What an artist meets before any engine runs: registration, buttons that say why they are grey, painting keys."""

from __future__ import annotations

import ast
import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import bpy
import pytest
from rigs import key_pose, make_armature
from shots import add_camera, refusal, write_key, write_picture, write_results, write_shot, write_style
from stage import quickest

ops = bpy.ops.understudy


def test_unregister_and_register_again() -> None:
    import bl_ext.user_default.understudy as extension

    extension.unregister()
    assert not hasattr(bpy.types.Scene, "understudy")
    assert not hasattr(bpy.types, "VIEW3D_PT_understudy")
    extension.register()
    assert bpy.context.scene.understudy.source == "RENDER"


def test_grey_buttons_say_why(saved_file: Path) -> None:
    assert "no camera" in refusal(ops.capture)
    assert "Nothing is captured yet" in refusal(ops.paint_key)
    assert "Nothing is captured yet" in refusal(ops.train_style)
    assert "Nothing is captured yet" in refusal(ops.stylise)
    folder = write_shot(saved_file.parent / "understudy")
    assert "No frame is painted yet" in refusal(ops.train_style)
    assert "No style is trained yet" in refusal(ops.stylise)
    assert "No frame is stylised yet" in refusal(ops.show_result)
    bpy.context.scene.frame_set(99)
    assert "not captured" in refusal(ops.paint_key)
    write_key(folder, 99)
    assert "No frame is painted yet" in refusal(ops.train_style), "a key outside the captured range is no key"


def captured() -> Path:
    return write_shot(Path(bpy.data.filepath).parent / "understudy")


def stylised() -> None:
    folder = captured()
    write_key(folder, 2)
    write_style(folder)
    write_results(folder, range(1, 5))


def a_job_runs() -> None:
    from bl_ext.user_default.understudy.jobs import Running, manager

    stylised()
    manager.local = Running("Capture", Path(bpy.data.filepath).parent / "understudy")


def the_engine_is_being_installed() -> None:
    from bl_ext.user_default.understudy import installer

    installer.current = installer.Installation(installer.Plan("", Path(), Path("understudy-1-x.whl"), "CPU"))


def a_rig_without_keys() -> None:
    make_armature((-1, 0, 1))
    bpy.ops.object.mode_set(mode="POSE")


@pytest.mark.parametrize(
    ("state", "fewest"),
    [
        (None, 12),
        (captured, 12),
        (stylised, 6),
        (a_job_runs, 8),
        (the_engine_is_being_installed, 10),
        (a_rig_without_keys, 9),
    ],
)
def test_no_button_is_grey_without_a_reason(saved_file: Path, state: Callable[[], object] | None, fewest: int) -> None:
    """Blender says "context is incorrect" where an operator gave none."""
    from bl_ext.user_default.understudy import installer
    from bl_ext.user_default.understudy.jobs import manager

    add_camera()
    if state is not None:
        state()
    try:
        grey = [name for name in dir(ops) if not getattr(ops, name).poll()]
        assert len(grey) >= fewest
        assert [name for name in grey if "context is incorrect" in refusal(getattr(ops, name))] == []
    finally:
        manager.local = installer.current = None


def test_no_poll_refuses_without_a_reason() -> None:
    """In whatever state: each poll ends in `allowed`, which sets the reason."""
    found = 0
    for path in sorted((Path(__file__).parents[2] / "blender_addon" / "operators").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name == "poll":
                found += 1
                ends = [ast.unparse(n.value) for n in ast.walk(node) if isinstance(n, ast.Return) and n.value]
                assert ends and all(end.startswith(("allowed(", "super()")) for end in ends), (path.name, ends)
    assert found > 15


def test_the_engine_is_fetched_only_where_blender_may_go_online() -> None:
    """Or from a folder of wheels, which needs no network."""
    preferences = bpy.context.preferences.addons["bl_ext.user_default.understudy"].preferences
    assert not bpy.app.online_access and "Blender may not go online" in refusal(ops.install_engine)
    preferences.wheel_folder = "/wheels"
    assert ops.install_engine.poll()
    preferences.wheel_folder = ""
    bpy.context.preferences.system.use_online_access = True
    assert ops.install_engine.poll()
    bpy.context.preferences.system.use_online_access = False


def test_everything_that_is_shown_is_explained() -> None:
    """Each operator, panel, setting and choice has a tooltip that is more than its name said again."""
    classes = [
        cls
        for base in (bpy.types.Operator, bpy.types.PropertyGroup, bpy.types.AddonPreferences)
        for cls in base.__subclasses__()
        if cls.__module__.startswith("bl_ext.user_default.understudy") and cls.is_registered
    ]
    told: list[tuple[str, str]] = []
    for cls in classes:
        rna = cls.bl_rna
        if issubclass(cls, bpy.types.Operator):
            rna = getattr(ops, cls.bl_idname.split(".")[1]).get_rna_type()
            told.append((cls.bl_label, rna.description))
        for prop in rna.properties:
            if prop.identifier in own_names(cls) and not prop.is_hidden:
                told.append((prop.name, prop.description))
                told += [(item.name, item.description) for item in getattr(prop, "enum_items_static", ())]
    assert len(told) > 100
    assert [name for name, text in told if len(text) < 10 or text.lower() == name.lower()] == []


def own_names(cls: type) -> set[str]:
    """The properties that the extension itself declares."""
    parts = [part for part in cls.__mro__ if part.__module__.startswith("bl_ext.user_default.understudy")]
    return {name for part in parts for name in inspect.get_annotations(part) if not name.startswith("bl_")}


def test_unsaved_file_is_told_to_be_saved() -> None:
    add_camera()
    for operator in (ops.capture, ops.paint_key, ops.train_style, ops.stylise, ops.show_result):
        assert "Save the Blender file first" in refusal(operator)


def test_a_folder_of_its_own_needs_no_saved_file(tmp_path: Path) -> None:
    bpy.context.scene.understudy.job_folder = str(write_shot(tmp_path / "shot"))
    assert ops.paint_key() == {"FINISHED"}
    assert (tmp_path / "shot" / "keys" / "0001.png").is_file()


def test_paint_key_copies_once_and_never_again(saved_file: Path) -> None:
    folder = write_shot(saved_file.parent / "understudy")
    bpy.context.scene.frame_set(2)
    assert ops.paint_key() == {"FINISHED"}
    key = folder / "keys" / "0002.png"
    assert key.read_bytes() == (folder / "frames" / "0002.png").read_bytes()
    assert [Path(bpy.path.abspath(i.filepath)) for i in bpy.data.images] == [key]
    write_picture(key, (1.0, 0.0, 0.0))
    painted = key.read_bytes()
    assert ops.paint_key() == {"FINISHED"}
    assert key.read_bytes() == painted
    assert sorted(os.listdir(folder / "keys")) == ["0002.png"]


def test_a_painting_that_was_not_saved_is_saved_for_the_training(
    saved_file: Path, fake_engine: Callable[..., None], capfd: pytest.CaptureFixture[str]
) -> None:
    folder = write_shot(saved_file.parent / "understudy")
    key = write_key(folder, 1)
    image = bpy.data.images.load(str(key))
    image.pixels[0] = 0.25
    before = key.read_bytes()
    fake_engine(jobs=[[{"finish": {}}]])
    assert ops.train_style() == {"FINISHED"}
    assert not image.is_dirty and key.read_bytes() != before
    assert "The painting of frame 1 was saved" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("name", "operator"),
    [
        ("understudy", "capture"),
        ("understudy/shot", "capture"),
        ("understudy/shot/guides", "capture"),
        ("understudy/keys", "paint_key"),
        ("understudy/style", "train_style"),
        ("understudy/result", "stylise"),
        ("understudy/coverage", "suggest_key"),
        ("understudy/motion", "inbetween"),
        ("understudy/motion/result", "inbetween"),
        ("motion", "learn_motion"),
    ],
)
def test_a_file_where_a_folder_must_be_is_one_sentence(saved_file: Path, name: str, operator: str) -> None:
    """It says which file, and the file is left as it is."""
    folder, taken = saved_file.parent / "understudy", saved_file.parent / name
    if operator == "capture":
        quickest(frames=1)
    else:
        write_shot(folder)
    if operator in ("train_style", "stylise", "suggest_key"):
        write_key(folder, 1)
    if operator == "stylise":
        write_style(folder)
    if operator in ("inbetween", "learn_motion"):
        a_rig_without_keys()
        bpy.ops.pose.select_all(action="SELECT")
        for frame in (1, 10):
            key_pose(bpy.context.object.pose.bones, frame, seed=frame)
    taken.parent.mkdir(parents=True, exist_ok=True)
    if taken.is_dir():
        shutil.rmtree(taken)
    taken.write_text("of the artist")
    assert f"{taken} is no folder but must be one; move that file away" in refusal(getattr(ops, operator))
    assert taken.read_text() == "of the artist"


def test_a_folder_that_cannot_be_written_to(saved_file: Path) -> None:
    a_rig_without_keys()
    bpy.ops.pose.select_all(action="SELECT")
    for frame in (1, 10):
        key_pose(bpy.context.object.pose.bones, frame, seed=frame)
    bpy.context.scene.understudy.job_folder = "/proc/understudy"
    assert "cannot be written to" in refusal(ops.inbetween)


def test_missing_engine_is_one_sentence(saved_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bl_ext.user_default.understudy.jobs import manager

    manager.close()
    folder = write_shot(saved_file.parent / "understudy")
    write_key(folder, 1)
    monkeypatch.setenv("UNDERSTUDY_ENGINE_PYTHON", str(saved_file.parent / "nowhere"))
    assert "is not there; correct the path" in refusal(ops.train_style)
    monkeypatch.delenv("UNDERSTUDY_ENGINE_PYTHON")
    assert "press Install Engine, or name its Python in the preferences" in refusal(ops.train_style)
    assert not (folder / "job.json").exists(), "nothing is written for a job that cannot start"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Save the file to begin", ["Save the file", "to begin"]),
        ("incomprehensibilities of it", ["incomprehensibilities", "of it"]),
        ("风格化、循环和清理，精简关键帧。", ["风格化、循环和", "清理，精简关键", "帧。"]),
        ("用“接续”学习一个，再按“保存”", ["用“接续”学习一", "个，再按“保存”"]),
        ("Blender 还不允许联网。", ["Blender 还不允", "许联网。"]),
    ],
)
def test_a_sentence_is_parted_where_its_language_parts_it(text: str, lines: list[str]) -> None:
    """No line is longer than 14 letters, Chinese ones counting twice, but for a word that is; none begins with a full stop."""
    from bl_ext.user_default.understudy.ui_lines import wrapped

    assert wrapped(text, 14) == lines
    assert "".join(wrapped(text, 14)).replace(" ", "") == text.replace(" ", "")


def test_state_of_a_shot_follows_its_files(saved_file: Path) -> None:
    from bl_ext.user_default.understudy.shot import look

    folder = write_shot(saved_file.parent / "understudy")
    key = write_key(folder, 3)
    write_style(folder)
    state = look(folder)
    assert (state.keys, state.trained, state.results, state.outdated) == ((3,), True, (), False)
    later = (folder / "style" / "generator.safetensors").stat().st_mtime + 5
    os.utime(key, (later, later))
    assert look(folder).outdated, "a key painted after the training"
    os.utime(key, (0, 0))
    assert not look(folder).outdated
    (folder / "style" / "generator.json").write_text('{"about": {"keys": [2, 3]}}')
    assert look(folder).outdated, "a key removed after the training"
    (folder / "shot.json").write_text("{")
    assert look(folder).shot is None


def test_files_side_by_side_share_no_shot(saved_file: Path) -> None:
    from bl_ext.user_default.understudy.properties import job_folder

    shared = saved_file.parent / "understudy"
    assert job_folder(bpy.context.scene) == shared / "shot"
    bpy.ops.wm.save_as_mainfile(filepath=str(saved_file.with_name("other.blend")))
    assert job_folder(bpy.context.scene) == shared / "other"
    write_shot(shared)
    assert job_folder(bpy.context.scene) == shared, "a shot that was captured into the shared folder stays there"


def test_a_captured_shot_keeps_its_folder_under_another_name(saved_file: Path) -> None:
    from bl_ext.user_default.understudy.properties import job_folder

    scene = quickest(frames=1)
    assert ops.capture() == {"FINISHED"}
    bpy.ops.wm.save_as_mainfile(filepath=str(saved_file.with_name("shot_v2.blend")))
    assert job_folder(scene) == saved_file.parent / "understudy" / "shot"
    assert (saved_file.parent / "understudy" / "shot" / "shot.json").is_file()


def test_scenes_of_one_file_share_no_shot(saved_file: Path) -> None:
    from bl_ext.user_default.understudy.properties import default_folder, job_folder

    first, second = bpy.context.scene, bpy.data.scenes.new("Close/up")
    assert job_folder(first) == saved_file.parent / "understudy" / "shot"
    first.understudy.job_folder = default_folder(first)  # as Capture does
    assert job_folder(first) == saved_file.parent / "understudy" / "shot"
    assert job_folder(second) == saved_file.parent / "understudy" / "shot-Close_up"


def test_an_old_shot_in_the_shared_folder_is_one_files_alone(saved_file: Path) -> None:
    """Two files side by side that once had `//understudy/` together: the one whose objects were captured keeps it."""
    from bl_ext.user_default.understudy.job_folder import write_json
    from bl_ext.user_default.understudy.properties import job_folder
    from bl_ext.user_default.understudy.protocol import Shot, ShotObject

    shared = write_shot(saved_file.parent / "understudy")
    write_json(shared / "shot.json", Shot(1, 4, 16, 16, 24.0, [], [ShotObject(1, "Hero", [1.0, 1.0, 1.0])]))
    scene = bpy.context.scene
    assert job_folder(scene) == shared, "it is alone"
    saved_file.with_name("hero.blend").touch()
    assert job_folder(scene) == shared / saved_file.stem
    scene.collection.objects.link(bpy.data.objects.new("Hero", None))
    assert job_folder(scene) == shared


WHERE = """
import sys, bpy
bpy.ops.preferences.addon_enable(module='bl_pkg')
bpy.ops.extensions.package_install_files(filepath=sys.argv[-1], repo='user_default', enable_on_install=True)
from bl_ext.user_default.understudy.preferences import engine_folder
print('AT', engine_folder(), flush=True)
import os
os._exit(0)
"""


def test_an_engine_of_an_earlier_version_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the extension was updated, and not where another engine is named."""
    from bl_ext.user_default.understudy import installer, preferences

    monkeypatch.setattr(preferences, "engine_folder", lambda: tmp_path / "engine")
    monkeypatch.setattr(installer, "PACKAGES", tmp_path)
    (tmp_path / "understudy-0.2.0-py3-none-any.whl").touch()
    python = installer.interpreter(tmp_path / "engine")
    python.parent.mkdir(parents=True)
    python.touch()
    for version, told in (("0.1.0", "0.1.0"), ("0.2.0", "")):
        state = {"state": "complete", "version": version, "backend": "CPU"}
        (tmp_path / "engine" / installer.STATE_FILE).write_text(json.dumps(state))
        assert preferences.older_engine() == "", "the environment variable names another"
        with monkeypatch.context() as own:
            own.delenv("UNDERSTUDY_ENGINE_PYTHON")
            assert preferences.older_engine() == told


def test_all_blender_versions_share_one_engine(tmp_path: Path) -> None:
    """Where this version's Blender would make it for a user of that home: no version is in the path."""
    zipped = Path(os.environ["BLENDER_USER_RESOURCES"]) / "understudy.zip"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("BLENDER_", "XDG_"))}
    command = [sys.executable, "-c", WHERE, str(zipped)]
    told = subprocess.run(command, capture_output=True, text=True, env=environ | {"HOME": str(tmp_path)}, timeout=120)
    (at,) = (line.removeprefix("AT ") for line in told.stdout.splitlines() if line.startswith("AT "))
    if sys.platform == "linux":
        assert at == str(tmp_path / ".config" / "blender" / "understudy" / "engine")
    version = ".".join(map(str, bpy.app.version[:2]))
    assert at.startswith(str(tmp_path)) and version not in Path(at).parts
