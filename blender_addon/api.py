"""Understudy for scripts: what the buttons do, as functions that return when it is done.

    from bl_ext.user_default.understudy import api

Each works on the context's scene and, for motion, on the object that it is given. An argument that is None is as the scene says;
what is given counts for this call. All return a `Result` and raise `UnderstudyError`, one sentence. Save the file yourself.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from .calls import Result, UnderstudyError, call, chosen
from .job_folder import key_path
from .operators.job import OperatorError, shot_folder
from .strip_calls import combine

__all__ = (
    "Result",
    "UnderstudyError",
    "capture_shot",
    "clean",
    "combine",
    "delete_generated_keys",
    "extrapolate",
    "generate",
    "inbetween",
    "learn_motion",
    "learn_sequence",
    "loop",
    "paint_key",
    "reduce_keys",
    "save_style",
    "stylise",
    "suggest_key",
    "train_style",
    "use_footage",
)

Frames = tuple[int, int]  # first and last, inclusive
Folder = str | os.PathLike[str]

# --- a shot, painted -------------------------------------------------------------------------------------------------


def capture_shot(
    frames: Frames | None = None, *, source: str | None = None, job_folder: Folder | None = None
) -> Result:
    """Render the frames of the scene's range and their guides into the shot's job folder.

    source: "RENDER", "VIEWPORT_SOLID" or "VIEWPORT_MATERIAL", what the frames show.

    >>> shot = api.capture_shot((1, 3))
    >>> shot.frames
    (1, 2, 3)
    >>> (shot.folder / "frames" / "0002.png").is_file()
    True
    """
    return call("capture", shot=_shot(job_folder, source=source), frames=frames)


def use_footage(file: Folder | None = None, *, still: bool | None = None, again: bool = False) -> Result:
    """Make footage the scene's shot: its frames are read, and what moves in them is tracked. From then on the scene's job
    folder is `folder`.

    file: a movie or a picture, from the scene's first frame on; None for the active strip of the Video Sequencer. still: the
    camera stands still. again: read the frames anew where the footage was used before.

    >>> api.use_footage("//plates/tree.png").frames
    (1,)
    """
    path = None if file is None else bpy.path.abspath(os.fspath(file))
    return call("use_footage", settings={"filepath": path, "overwrite": again}, shot={"footage_still": still})


def paint_key(frame: int, *, transparent: bool = False, job_folder: Folder | None = None) -> Path:
    """Make a captured frame a key: a copy of it, to be painted on in any program, unless it is one already. Gives the file.

    transparent: begin with a picture that is transparent all over; only what is painted on it counts.

    >>> path = api.paint_key(2)
    >>> path.name
    '0002.png'
    """
    scene: Any = bpy.context.scene
    before = scene.frame_current
    scene.frame_set(frame)
    try:
        call("paint_key", settings={"transparent": transparent}, shot=_shot(job_folder))
        return key_path(_folder(job_folder), frame)
    finally:
        scene.frame_set(before)


def suggest_key(*, job_folder: Folder | None = None) -> Result:
    """Find the frame to paint next: `frames` holds it, and is empty where no other would add anything. `figures` tells which
    share of the shot the painted frames cover, 0 to 1.

    >>> found = api.suggest_key()
    >>> 0.0 <= found.figures["coverage"] <= 1.0
    True
    """
    frame = bpy.context.scene.frame_current
    try:
        return call("suggest_key", shot=_shot(job_folder))
    finally:
        bpy.context.scene.frame_set(frame)


def train_style(
    *,
    seconds: float | None = None,
    seed: int | None = None,
    resume: bool = False,
    base: str | None = None,
    job_folder: Folder | None = None,
) -> Result:
    """Train the style on the painted frames.

    resume: go on from the style trained before. base: start from a saved style.

    >>> api.train_style(seconds=1).frames
    (2,)
    """
    use = None if base is None else "BASE"
    shot = _shot(job_folder, training_seconds=seconds, seed=seed, style=base, style_use=use)
    return call("train_style", settings={"resume": resume}, shot=shot)


def save_style(name: str, *, job_folder: Folder | None = None) -> Result:
    """Save the trained style under a name that no saved style has yet, for other shots. `folder` is where it lies.

    >>> api.save_style("Gouache").folder.is_dir()
    True
    """
    return call("save_style", settings={"name": name}, shot=_shot(job_folder))


def stylise(
    *,
    style: str | None = None,
    strength: float | None = None,
    light: float | None = None,
    strokes: float | None = None,
    collection: str | None = None,
    keep_background: bool | None = None,
    keep_alpha: bool | None = None,
    depth: str | None = None,
    seed: int | None = None,
    overwrite: bool = False,
    job_folder: Folder | None = None,
) -> Result:
    """Paint every captured frame. `frames` are those that are finished, in the folder's result/.

    style: a saved one, "" for the shot's own. strength, light: 0 to 1. strokes: 0 to 2. collection: name of the only one
    whose objects are painted. depth: "8" or "16" for PNG, "EXR". overwrite: paint finished frames again.

    >>> done = api.stylise(strength=0.8)
    >>> done.frames
    (1, 2, 3)
    >>> (done.folder / "result" / "0001.png").is_file()
    True
    """
    found = _collection(collection)
    shot = _shot(
        job_folder,
        style=style,
        style_use=None if style is None else "PAINT",
        strength=strength,
        light=light,
        texture=strokes,
        painted_collection=found,
        painted_objects="COLLECTION" if found else None,
        keep_background=keep_background,
        keep_alpha=keep_alpha,
        depth=depth,
        seed=seed,
    )
    return call("stylise", settings={"overwrite": overwrite}, shot=shot)


# --- more of a picture sequence --------------------------------------------------------------------------------------


def generate(
    how: str,
    files: Folder | None = None,
    *,
    strip: str | None = None,
    collection: str | None = None,
    count: int | None = None,
    slow: int | None = None,
    variation: float | None = None,
    learned: str | None = None,
    seconds: float | None = None,
    depth: str | None = None,
    seed: int | None = None,
    job_folder: Folder | None = None,
) -> Result:
    """Make more of a picture sequence. `frames` are those that were made, in the folder's result/.

    how: "CONTINUE", "LOOP", "VARY", "BETWEEN" or "ANIMATE". files: a folder of numbered pictures, or a picture or movie; strip:
    a strip of the Video Sequencer by its name; without both, the captured shot, and of it the objects of `collection` alone.
    count: how many frames. slow: how many times slower, for "BETWEEN". variation: 0 to 1. learned: the saved sequence whose
    motion "ANIMATE" gives to the picture. seconds: for learning, where that is still to be done.

    >>> api.generate("VARY", "//smoke", count=4, seconds=1).frames
    (1, 2, 3, 4)
    """
    settings = _pictures(files, strip) | {
        "count": count,
        "slow": slow,
        "variation": variation,
        "seconds": seconds,
    }
    return call(
        "generate",
        settings=settings,
        shot=_shot(job_folder, depth=depth, seed=seed),
        generate={"how": how, "sequence": learned, "collection": _collection(collection)},
    )


def learn_sequence(
    files: Folder | None = None,
    *,
    strip: str | None = None,
    collection: str | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    resume: bool = False,
    name: str | None = None,
    seed: int | None = None,
    job_folder: Folder | None = None,
) -> Result:
    """Learn a picture sequence, which `generate` else does first. The pictures are meant as there.

    steps: stop after so many. resume: go on from what was learned before. name: save it under this name, for "ANIMATE"
    elsewhere; `folder` is then where it lies.

    >>> api.learn_sequence("//smoke", seconds=1, name="Smoke").folder.name
    'Smoke'
    """
    settings = _pictures(files, strip) | {"seconds": seconds, "steps": steps, "resume": resume, "name": name}
    return call(
        "learn_sequence",
        settings=settings,
        shot=_shot(job_folder, seed=seed),
        generate={"collection": _collection(collection)},
    )


# --- motion ----------------------------------------------------------------------------------------------------------


def inbetween(
    ob: bpy.types.Object,
    frames: Frames | None = None,
    *,
    bones: Sequence[str] | None = None,
    model: str | None = None,
    learned: Folder | None = None,
    amount: float | None = None,
    variation: float | None = None,
    seed: int | None = None,
    every_frame: bool | None = None,
    degrees: float | None = None,
    lengths: float | None = None,
) -> Result:
    """Make the frames between the object's keys; these stay as they are. Without an engine by plain curves, which `notes` says.

    bones: None for all. model: "auto", "baseline", or a network that the engine offers. learned: folder of a motion style.
    amount: 0 plain to 1 acted, up to 1.5. variation: how far another seed may stray, 0 to 1. every_frame: a key on every
    frame, instead of few that keep within `degrees` and `lengths` (in bone lengths) of what was made.

    >>> made = api.inbetween(bpy.data.objects["Rig"], (1, 24), bones=["b1"], every_frame=True)
    >>> made.keys > 0
    True
    """
    motion = _motion(every_frame, degrees, lengths) | {"learned": None if learned is None else os.fspath(learned)}
    with chosen(ob, bones) as meant:
        settings = meant | {"use_selected_keys": False, "amount": amount, "variation": variation}
        return call(
            "inbetween", settings=settings, shot={"motion_model": model, "seed": seed}, motion=motion, frames=frames
        )


def extrapolate(
    ob: bpy.types.Object,
    count: int | None = None,
    *,
    to_next_key: bool | None = None,
    bones: Sequence[str] | None = None,
    model: str | None = None,
    amount: float | None = None,
    variation: float | None = None,
    seed: int | None = None,
    every_frame: bool | None = None,
    degrees: float | None = None,
    lengths: float | None = None,
) -> Result:
    """Play the motion on after the last key, for `count` frames. The other arguments are those of `inbetween`.

    >>> api.extrapolate(bpy.data.objects["Rig"], 8).keys > 0
    True
    """
    motion = _motion(every_frame, degrees, lengths) | {"towards_target": to_next_key}
    with chosen(ob, bones) as meant:
        settings = meant | {"use_selected_keys": False, "frames": count, "amount": amount, "variation": variation}
        return call("extrapolate", settings=settings, shot={"motion_model": model, "seed": seed}, motion=motion)


def loop(
    ob: bpy.types.Object,
    frames: Frames | None = None,
    *,
    bones: Sequence[str] | None = None,
    in_place: bool | None = None,
    repeats: int | None = None,
    blend: int | None = None,
    seed: int | None = None,
) -> Result:
    """Make a range a cycle, in a new action; the present one is kept.

    in_place: the rig does not travel. repeats: cycles to play after the first. blend: frames on either side of the joint
    that may change.

    >>> rig = bpy.data.objects["Rig"]
    >>> before = rig.animation_data.action
    >>> api.loop(rig, (1, 24)).keys > 0
    True
    >>> rig.animation_data.action != before
    True
    """
    motion = {
        "loop_keep_root": None if in_place is None else not in_place,
        "loop_repeats": repeats,
        "loop_blend": blend,
    }
    with chosen(ob, bones) as meant:
        return call("loop", settings=meant, shot={"seed": seed}, motion=motion, frames=frames)


def clean(
    ob: bpy.types.Object,
    frames: Frames | None = None,
    *,
    bones: Sequence[str] | None = None,
    smooth: float | None = None,
    contacts: bool | None = None,
    degrees: float | None = None,
    lengths: float | None = None,
) -> Result:
    """Take jitter out of captured motion, in a new action; the present one is kept.

    smooth: seconds below which a wobble is jitter. contacts: hold feet where they stand.

    >>> api.clean(bpy.data.objects["Rig"], (1, 24), smooth=0.1).keys > 0
    True
    """
    motion = _motion(None, degrees, lengths) | {"clean_smooth": smooth, "clean_contacts": contacts}
    with chosen(ob, bones) as meant:
        return call("clean", settings=meant, motion=motion, frames=frames)


def reduce_keys(
    ob: bpy.types.Object,
    frames: Frames | None = None,
    *,
    bones: Sequence[str] | None = None,
    degrees: float | None = None,
    lengths: float | None = None,
) -> Result:
    """Make many keys few, so that the curves stay within the bound of what they were. `keys` is how many went.

    >>> rig = bpy.data.objects["Rig"]
    >>> made = api.inbetween(rig, (1, 24), every_frame=True)
    >>> 0 < api.reduce_keys(rig, (1, 24), degrees=2, lengths=0.1).keys < made.keys
    True
    """
    with chosen(ob, bones) as meant:
        return call("reduce_keys", settings=meant, motion=_motion(None, degrees, lengths), frames=frames)


def delete_generated_keys(ob: bpy.types.Object, *, bones: Sequence[str] | None = None) -> Result:
    """Delete the keys that Understudy made; the artist's own stay. `keys` is how many went.

    >>> rig = bpy.data.objects["Rig"]
    >>> made = api.inbetween(rig, (1, 24))
    >>> api.delete_generated_keys(rig).keys == made.keys
    True
    """
    with chosen(ob, bones) as meant:
        return call("delete_generated_keys", settings=meant)


def learn_motion(
    ob: bpy.types.Object, actions: str | None = None, *, seconds: float | None = None, seed: int | None = None
) -> Result:
    """Learn a motion style from the file's actions of a rig; `inbetween` uses it from then on. `folder` is where it lies,
    None where it was no better on motion held back and was not kept; `notes` says why.

    actions: names, * for anything, commas part several.

    >>> api.learn_motion(bpy.data.objects["Rig"], "Nobody*")
    Traceback (most recent call last):
        ...
    bl_ext.user_default.understudy.calls.UnderstudyError: No action named 'Nobody*' moves this rig; name others, or import some.
    """
    with chosen(ob):
        return call("learn_motion", settings={"actions": actions, "seconds": seconds}, shot={"seed": seed})


# --- what they share -------------------------------------------------------------------------------------------------


def _shot(job_folder: Folder | None, **settings: Any) -> dict[str, Any]:
    """Settings of the scene's shot, the folder among them, absolute."""
    return settings | {"job_folder": None if job_folder is None else os.path.abspath(job_folder)}


def _pictures(files: Folder | None, strip: str | None) -> dict[str, Any]:
    """Which picture sequence is meant."""
    source = "FILES" if files is not None else "STRIP" if strip is not None else "SHOT"
    return {"source": source, "strip": strip, "path": None if files is None else bpy.path.abspath(os.fspath(files))}


def _collection(name: str | None) -> bpy.types.Collection | None:
    """A collection of the file, None without a name. Raises UnderstudyError."""
    found = None if name is None else bpy.data.collections.get(name)
    if name is not None and found is None:
        raise UnderstudyError(f"There is no collection '{name}' in the file.")
    return found


def _folder(job_folder: Folder | None) -> Path:
    """Where the shot lies. Raises UnderstudyError."""
    try:
        return Path(os.path.abspath(job_folder)) if job_folder is not None else shot_folder(bpy.context)
    except OperatorError as error:
        raise UnderstudyError(str(error)) from error


def _motion(every_frame: bool | None, degrees: float | None, lengths: float | None) -> dict[str, Any]:
    return {"every_frame": every_frame, "degrees": degrees, "lengths": lengths}
