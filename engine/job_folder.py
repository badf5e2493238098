"""The files of a job folder: where they lie, how they are read, written and checked before any time is spent on them.

Like protocol.py, which says what they hold, this file is the same in both halves (`build.py sync`). Standard library only.
"""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from .protocol import (
    GUIDES,
    MAX_FRAMES,
    MAX_JOINTS,
    MAX_JSON_FILE,
    MAX_SIDE,
    PROTOCOL_VERSION,
    SETTINGS,
    Clean,
    Clip,
    Combine,
    Extrapolate,
    Generate,
    Inbetween,
    Job,
    JobError,
    LearnMotion,
    LearnSequence,
    Loop,
    ProtocolError,
    Settings,
    Shot,
    Stylise,
    SuggestKey,
    TrackFootage,
    TrainStyle,
    from_dict,
)

FOOTAGE = "footage"  # Shot.source of frames that no scene was rendered for
# Every folder that jobs and the add-on make within a job folder.
FOLDERS = (
    "frames",
    "guides",
    "keys",
    "style",
    "style_before",
    "coverage",
    "result",
    "history",
    "sequence",
    "takes",
    "learned",
)


def frame_path(folder: Path, frame: int) -> Path:
    """The shot's own picture of a frame."""
    return folder / "frames" / f"{frame:04d}.png"


def geometry_path(folder: Path, frame: int) -> Path:
    """The multilayer EXR with GEOMETRY_PASSES."""
    return folder / "guides" / f"{frame:04d}.geometry.exr"


def albedo_path(folder: Path, frame: int) -> Path:
    """The multilayer EXR with ALBEDO_PASSES."""
    return folder / "guides" / f"{frame:04d}.albedo.exr"


def edges_path(folder: Path, frame: int) -> Path:
    """The guide "edges", a PNG."""
    return folder / "guides" / f"{frame:04d}.edges.png"


def key_path(folder: Path, frame: int) -> Path:
    """A frame as the artist painted it."""
    return folder / "keys" / f"{frame:04d}.png"


def result_path(folder: Path, frame: int) -> Path:
    """A finished frame."""
    return folder / "result" / f"{frame:04d}.png"


def check_folders(folder: Path) -> None:
    """See that no file has the name of a folder: of one above the job folder, its own, or one in it. Raises JobError."""
    for path in (*reversed(folder.parents), folder, *(folder / name for name in FOLDERS)):
        if os.path.lexists(path) and not os.path.isdir(path):
            raise JobError(f"{path} is no folder but must be one; move that file away or rename it, then try again.")


def _read_json(path: Path, cls: type) -> Any:
    if not path.is_file():
        raise JobError(
            f"{path.name} is missing in the job folder {path.parent}; capture the shot or export the clip again."
        )
    if path.stat().st_size > MAX_JSON_FILE:
        raise JobError(f"{path.name} is larger than any that Understudy writes; make the job again.")
    try:
        return from_dict(cls, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, ProtocolError) else "it is no JSON"
        raise JobError(f"{path.name} cannot be read ({why.rstrip('.')}); make the job again.") from error


def write_json(path: Path, data: Any) -> None:
    """Write a dataclass (or plain data) as JSON under a temporary name, then move it into place."""
    partial = path.with_name(path.name + ".partial")
    plain = dataclasses.asdict(data) if dataclasses.is_dataclass(data) and not isinstance(data, type) else data
    try:
        partial.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_job(folder: Path, settings: Settings) -> None:
    """Write job.json for these settings."""
    kind = next(kind for kind, cls in SETTINGS.items() if isinstance(settings, cls))
    write_json(folder / "job.json", Job(kind, settings))


def read_shot(folder: Path) -> Shot:
    """shot.json, checked. Raises JobError."""
    shot: Shot = _read_json(folder / "shot.json", Shot)
    if shot.frame_end < shot.frame_start or len(shot.frames) > MAX_FRAMES:
        raise JobError(
            f"The shot's frame range {shot.frame_start} to {shot.frame_end} is empty or too long; capture it again."
        )
    if not (0 < shot.width <= MAX_SIDE and 0 < shot.height <= MAX_SIDE):
        raise JobError(
            f"The shot's size {shot.width} x {shot.height} is out of bounds (1 to {MAX_SIDE}); capture it again."
        )
    if unknown := sorted(set(shot.guides) - set(GUIDES)):
        raise JobError(f"The shot has a guide '{unknown[0]}' that this engine does not know; update the engine.")
    return shot


def read_clip(folder: Path, name: str = "clip") -> Clip:
    """NAME.json, checked. Raises JobError."""
    clip: Clip = _read_json(folder / f"{name}.json", Clip)
    if clip.frame_end < clip.frame_start or clip.frame_end - clip.frame_start >= MAX_FRAMES:
        raise JobError(f"The clip's frame range {clip.frame_start} to {clip.frame_end} is empty or too long.")
    if len(clip.parents) != len(clip.joints) or len(clip.joints) > MAX_JOINTS:
        raise JobError("The clip's list of parents does not fit its list of joints; export it again.")
    if any(not -1 <= parent < j for j, parent in enumerate(clip.parents)):
        raise JobError("The clip's joints are not in order, parents first; export it again.")
    if not clip.joints and not clip.channels:
        raise JobError("The clip holds no joint and no channel; select bones that have keys.")
    if clip.fps <= 0 or clip.up not in ("Y", "Z"):
        raise JobError("The clip's frame rate or up axis makes no sense; export it again.")
    return clip


def read_job(folder: Path) -> Job:
    """job.json, checked, with its settings as their dataclass. Raises JobError."""
    path = folder / "job.json"
    check_folders(folder)
    if not folder.is_dir():
        raise JobError(f"There is no job folder {folder}.")
    job: Job = _read_json(path, Job)
    if job.protocol != PROTOCOL_VERSION:
        raise JobError(
            f"The job was made for protocol {job.protocol} and this engine speaks {PROTOCOL_VERSION}; "
            "install the extension and the engine of the same version."
        )
    if job.kind not in SETTINGS:
        raise JobError(f"The job's kind '{job.kind}' is unknown; it is one of {', '.join(SETTINGS)}.")
    try:
        settings = from_dict(SETTINGS[job.kind], job.settings)
    except ProtocolError as error:
        raise JobError(f"job.json cannot be read ({str(error).rstrip('.')}); make the job again.") from error
    _check_settings(folder, settings)
    return dataclasses.replace(job, settings=settings)


def _check_settings(folder: Path, settings: Settings) -> None:
    """One sentence for each thing in the settings that cannot work, before any time is spent."""
    if isinstance(settings, SuggestKey):
        _check_suggestion(settings, read_shot(folder))
    elif isinstance(settings, TrackFootage):
        _check_footage(read_shot(folder))
    elif isinstance(settings, Combine):
        _check_combination(folder, settings)
    elif isinstance(settings, (TrainStyle, Stylise)):
        shot = read_shot(folder)
        if isinstance(settings, TrainStyle):
            _check_keys(folder, settings, shot)
        else:
            _check_look(settings, shot)
    elif isinstance(settings, (LearnSequence, Generate)):
        _check_sequence(folder, settings)
    elif isinstance(settings, LearnMotion):
        if settings.kind != "inbetween" or settings.seconds <= 0:
            raise JobError("What can be learned is in-betweening, kind 'inbetween', within some seconds; ask for that.")
    else:
        clip = read_clip(folder)
        if isinstance(settings, Loop):
            _check_loop(settings, clip)
        if isinstance(settings, Clean) and any(not 0 <= foot < len(clip.joints) for foot in settings.feet):
            raise JobError("A foot to lock is no joint of the clip; choose the feet again.")
        if isinstance(settings, Extrapolate) and not 0 < settings.frames <= MAX_FRAMES:
            raise JobError(f"The number of frames to play on must be 1 to {MAX_FRAMES}, not {settings.frames}.")
        if isinstance(settings, (Inbetween, Extrapolate, Loop)) and not 0 <= settings.variation <= 1:
            raise JobError(f"The variation must be 0 to 1, not {settings.variation:g}.")
        if isinstance(settings, Extrapolate) and settings.towards_target and settings.frames < 2:
            raise JobError("A target pose must lie at least 2 frames ahead; choose more frames.")


def _check_look(settings: Stylise, shot: Shot) -> None:
    if not shot.frame_start <= settings.frame_start <= settings.frame_end <= shot.frame_end:
        raise JobError(
            f"Frames {settings.frame_start} to {settings.frame_end} are not all in the captured range "
            f"{shot.frame_start} to {shot.frame_end}; capture them first."
        )
    for name, most in (("strength", 1), ("light", 1), ("texture", 2)):
        if not 0 <= getattr(settings, name) <= most:
            raise JobError(f"The {name} must be 0 to {most}, not {getattr(settings, name):g}.")
    if settings.depth not in ("8", "16", "EXR"):
        raise JobError(f"The depth must be 8, 16 or EXR, not '{settings.depth}'.")
    if lost := sorted(set(settings.objects) - {ob.id for ob in shot.objects}):
        raise JobError(f"The shot has no object with the number {lost[0]}; choose the objects again.")


def _check_keys(folder: Path, settings: TrainStyle, shot: Shot) -> None:
    if not settings.keys:
        raise JobError("No frame is painted yet; paint at least one frame and save it in the keys folder.")
    if settings.seconds <= 0 and settings.steps <= 0:
        raise JobError("The training has neither time nor steps; give it some seconds.")
    if settings.adversarial < 0:
        raise JobError("The weight of the discriminator cannot be below 0; 0 leaves it out.")
    for frame in settings.keys:
        if frame not in shot.frames:
            raise JobError(
                f"The painted frame {frame} is not in the captured range {shot.frame_start} to {shot.frame_end}."
            )
        if not key_path(folder, frame).is_file():
            raise JobError(
                f"The painted frame {key_path(folder, frame)} is missing; save it there or take it off the list."
            )


def _check_suggestion(settings: SuggestKey, shot: Shot) -> None:
    if settings.count < 1:
        raise JobError(f"The number of frames to suggest must be at least 1, not {settings.count}.")
    for frame in settings.keys:
        if frame not in shot.frames:
            raise JobError(
                f"The painted frame {frame} is not in the captured range {shot.frame_start} to {shot.frame_end}."
            )


def _check_footage(shot: Shot) -> None:
    if shot.source != FOOTAGE:
        raise JobError("This shot was captured from a scene, so its guides are exact; only footage is tracked.")


def _check_combination(folder: Path, settings: Combine) -> None:
    if settings.how not in ("CROSS_FADE", "MASK", "OBJECTS"):
        raise JobError(f"'{settings.how}' is no way to combine: choose CROSS_FADE, MASK or OBJECTS.")
    if settings.frame_end < settings.frame_start or settings.frame_end - settings.frame_start >= MAX_FRAMES:
        raise JobError(f"Frames {settings.frame_start} to {settings.frame_end} are none or too many to combine.")
    if not 0 <= settings.feather <= MAX_SIDE:
        raise JobError(f"An edge can be softened over 0 to {MAX_SIDE} pixels, not {settings.feather:g}.")
    named = [settings.first, settings.second, *([settings.mask] if settings.how == "MASK" else [])]
    for name in named:
        if not name or not (folder / name).is_dir():
            raise JobError(f"There is no folder of pictures {folder / name if name else 'named'}; choose one.")
    if settings.how == "OBJECTS":
        shot = read_shot(folder / settings.shot)
        if not settings.objects or "id" not in shot.guides:
            raise JobError("Name the objects of a captured shot that the second sequence is to show.")


def _check_sequence(folder: Path, settings: LearnSequence | Generate) -> None:
    frames = folder / "frames"
    if not frames.is_dir() or not any(path.suffix in (".png", ".exr") for path in frames.iterdir()):
        raise JobError(f"There are no pictures in {frames}; put a picture sequence there, NNNN.png or NNNN.exr.")
    if settings.objects and "id" not in read_shot(folder).guides:
        raise JobError(
            "The shot has no guide that tells its objects apart; capture it with guides, or choose no objects."
        )
    if isinstance(settings, LearnSequence):
        if settings.seconds <= 0 and settings.steps <= 0:
            raise JobError("The training has neither time nor steps; give it some seconds.")
        return
    if settings.how not in ("CONTINUE", "LOOP", "VARY", "BETWEEN", "ANIMATE"):
        raise JobError(f"'{settings.how}' is nothing to make: choose CONTINUE, LOOP, VARY, BETWEEN or ANIMATE.")
    if settings.how != "BETWEEN" and not 2 <= settings.count <= MAX_FRAMES:
        raise JobError(f"The number of frames to make must be 2 to {MAX_FRAMES}, not {settings.count}.")
    if settings.how == "BETWEEN" and not 1 <= settings.slow <= 64:
        raise JobError(f"Motion can be slowed down 1 to 64 times, not {settings.slow}.")
    if not 0 <= settings.variation <= 1:
        raise JobError(f"The variation must be 0 to 1, not {settings.variation:g}.")
    if settings.depth not in ("8", "16", "EXR"):
        raise JobError(f"The depth must be 8, 16 or EXR, not '{settings.depth}'.")
    if settings.how == "ANIMATE" and not settings.learned:
        raise JobError("A picture takes its motion from a learned sequence; choose the folder of one.")
    if settings.how != "BETWEEN" and settings.learned and not (folder / settings.learned / "network.json").is_file():
        raise JobError(f"There is no learned sequence in {folder / settings.learned}; choose the folder of one.")


def _check_loop(settings: Loop, clip: Clip) -> None:
    if settings.blend < 1:
        raise JobError(f"A cycle's blend must be at least 1 frame, not {settings.blend}.")
    if settings.repeats < 0 or settings.repeats * (clip.frame_end - clip.frame_start) > MAX_FRAMES:
        raise JobError(
            f"{settings.repeats} repeats of this cycle would not be 0 to {MAX_FRAMES} frames; ask for others."
        )
