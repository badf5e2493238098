"""An operator called to its end, as scripts and the command line do: on an object and its bones, with settings for this one
call, after which selection and scene are as they were; and what came of it. Knows the operators by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bpy

from . import compat
from .outcome import Outcome, heard
from .properties import job_folder
from .shot import look

WORDS_OF_BLENDER = re.compile(
    r"^(Error: )?(Operator bpy\.ops\.\S+\.poll\(\) (failed, )?)?"
)  # before a sentence of ours
RANGED = ("inbetween", "loop", "clean", "reduce_keys")  # operators that take a range of frames


class UnderstudyError(Exception):
    """What could not be done; str() is one sentence that says why and what to do."""


@dataclass(frozen=True)
class Result:
    """What came of a call.

    folder: where files were written, None where none were. frames: of a shot, those captured, trained on, suggested or
    painted, or those generated, in order. keys: how many were made; of reduce_keys and delete_generated_keys, how many went.
    notes: sentences for the artist. figures: what the engine measured, by name.
    """

    folder: Path | None = None
    frames: tuple[int, ...] = ()
    keys: int = 0
    notes: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)


def call(
    operator: str,
    *,
    settings: Mapping[str, Any] | None = None,
    shot: Mapping[str, Any] | None = None,
    motion: Mapping[str, Any] | None = None,
    generate: Mapping[str, Any] | None = None,
    frames: tuple[int, int] | None = None,
) -> Result:
    """Run understudy.<operator> on the context's scene and object, blocking.

    settings: the operator's own; shot, motion, generate: of scene.understudy, scene.understudy_motion and
    scene.understudy_generate, frames: the scene's range, all for this call alone. What is None is left as it is. Raises
    UnderstudyError.
    """
    scene: Any = bpy.context.scene
    own = given(settings)
    first, last = frames or (None, None)
    if frames and operator in RANGED:
        own |= {"frame_start": first, "frame_end": last}
    with ExitStack() as stack:
        stack.enter_context(_in_a_window())
        stack.enter_context(
            bpy.context.temp_override(area=None)
        )  # a script names its source, whatever the editor shows
        stack.enter_context(for_now(scene.understudy, given(shot)))
        stack.enter_context(for_now(scene.understudy_motion, given(motion)))
        stack.enter_context(for_now(scene.understudy_generate, given(generate)))
        stack.enter_context(for_now(scene, given({"frame_end": last, "frame_start": first})))
        outcome = stack.enter_context(heard())
        _run(operator, own, outcome)
        return _result(operator, outcome)


def given(settings: Mapping[str, Any] | None) -> dict[str, Any]:
    """Those that are not None."""
    return {name: value for name, value in (settings or {}).items() if value is not None}


@contextmanager
def for_now(owner: Any, settings: Mapping[str, Any]) -> Iterator[None]:
    """Properties that are as they were afterwards. Raises UnderstudyError."""
    before = {name: getattr(owner, name) for name in settings}
    try:
        for name, value in settings.items():
            try:
                setattr(owner, name, value)
            except (TypeError, ValueError) as error:
                raise UnderstudyError(f"{name} cannot be {value!r}.") from error
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


def _run(operator: str, settings: dict[str, Any], outcome: Outcome) -> None:
    ops: Any = bpy.ops
    try:
        result = getattr(ops.understudy, operator)(**settings)
    except RuntimeError as error:  # how Blender passes on a report of an error, or a refusal by poll
        raise UnderstudyError(WORDS_OF_BLENDER.sub("", str(error).strip())) from error
    except TypeError as error:  # a setting of a kind that the operator does not take
        raise UnderstudyError(str(error).strip()) from error
    if result != {"FINISHED"}:
        raise UnderstudyError(outcome.refusal or "The job was cancelled.")


def _result(operator: str, outcome: Outcome) -> Result:
    folder = outcome.folder or job_folder(bpy.context.scene)
    frames: Sequence[int] = outcome.frames
    state = look(folder) if folder else None
    if state and state.shot and not frames:
        by_operator: dict[str, Sequence[int]] = {
            "capture": state.shot.frames,
            "use_footage": state.shot.frames,
            "train_style": state.keys,
            "stylise": state.results,
            "suggest_key": [state.suggestion.frame] if state.suggestion and state.suggestion.frame is not None else [],
        }
        frames = by_operator.get(operator, ())
    if not frames and outcome.folder is None:
        folder = None
    return Result(folder, tuple(frames), outcome.keys, tuple(outcome.notes), dict(outcome.figures))


@contextmanager
def chosen(ob: bpy.types.Object, bones: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """The object is the active one, with only these bones selected, None for no matter which; afterwards it is as it was.
    Gives what the motion operators are called with. Raises UnderstudyError."""
    bpy.context.view_layer.update()  # an object that a script has just linked is not among them until then
    objects = bpy.context.view_layer.objects
    if ob.name not in objects:
        raise UnderstudyError(f"There is no object '{ob.name}' in the scene.")
    active, objects.active = objects.active, ob
    try:
        with _in_a_window(), nullcontext() if bones is None else _posed(ob, bones):
            yield {"bones": "ALL" if bones is None else "SELECTED", "only_active": True}
    finally:
        objects.active = active


@contextmanager
def _in_a_window() -> Iterator[None]:
    """Commands and timers have no window, and without one Blender's context knows no object."""
    context = bpy.context
    windows = [] if context.window else list(context.window_manager.windows)
    if not windows:
        yield
        return
    with context.temp_override(window=windows[0], scene=context.scene, view_layer=context.view_layer):
        yield


@contextmanager
def _posed(ob: bpy.types.Object, names: Sequence[str]) -> Iterator[None]:
    pose: Any = ob.pose.bones if ob.pose else ()
    if missing := set(names) - {bone.name for bone in pose}:
        raise UnderstudyError(f"'{ob.name}' has no bone '{min(missing)}'.")
    mode, was_selected = ob.mode, ob.select_get()
    before = [(bone, compat.bone_selected(bone)) for bone in pose]
    ob.select_set(True)
    bpy.ops.object.mode_set(mode="POSE")
    try:
        for bone in pose:
            compat.select_bone(bone, bone.name in names)
        yield
    finally:
        for bone, selected in before:
            compat.select_bone(bone, selected)
        if mode != "POSE":
            bpy.ops.object.mode_set(mode=mode)
        ob.select_set(was_selected)
