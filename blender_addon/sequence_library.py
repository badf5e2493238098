"""Learned sequences that outlive what they were learned from: folders on disk, so that a still elsewhere can be given their
motion. Knows files and no scene.

    NAME/sequence.json   what it is, for people
    NAME/thumbnail.png   its first picture, in its own format
    NAME/sequence/       the trained weights, what Generate.learned takes
"""

from __future__ import annotations

import re
import shutil
import tempfile
from datetime import datetime
from pathlib import Path

from .job_folder import write_json
from .preferences import sequence_folder
from .styles import StyleError, folder_name
from .words import rpt_


class SequenceError(StyleError):
    """A learned sequence that cannot be saved, found or deleted; str() is one sentence that says what to do."""


def source_folder(shot_folder: Path, kind: str, name: str) -> Path:
    """The job folder of a picture sequence: one of its own, in that of the scene's own shot, also when the scene works on
    footage. kind: "strips", "folders", "images", "movies" or "shots"."""
    shared = shot_folder.parents[1] if shot_folder.parent.name == "footage" else shot_folder
    return shared / "generated" / kind / (re.sub(r"[^\w. -]", "_", name).strip(" .") or "unnamed")


def is_learned(folder: Path) -> bool:
    """Whether a job folder holds a learned sequence."""
    return (folder / "sequence" / "network.json").is_file()


def names() -> list[str]:
    """The saved sequences, in order."""
    try:
        return sorted(path.parent.name for path in sequence_folder().glob("*/sequence.json"))
    except OSError:
        return []


def find(name: str) -> Path:
    """The folder that Generate.learned takes. Raises SequenceError."""
    if name not in names():
        raise SequenceError(
            rpt_("There is no learned sequence '{name}' in {folder}; choose another, or copy it there.").format(
                name=name, folder=sequence_folder()
            )
        )
    return sequence_folder() / name / "sequence"


def save(folder: Path, name: str) -> Path:
    """Save what was learned in this job folder; returns its new folder. Raises StyleError; OSError for a full disk."""
    if not is_learned(folder):
        raise SequenceError("Nothing is learned of this sequence yet: press Learn first.")
    name, library = folder_name(name), sequence_folder()
    if (library / name).exists():
        raise SequenceError(
            rpt_("There is a learned sequence '{name}' already; choose another name, or delete that one first.").format(
                name=name
            )
        )
    library.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".partial-", dir=library))
    try:
        shutil.copytree(folder / "sequence", making / "sequence")
        frames = sorted(path for path in (folder / "frames").iterdir() if not path.name.startswith("."))
        shutil.copyfile(frames[0], making / f"thumbnail{frames[0].suffix}")
        about = {"name": name, "saved": datetime.now().isoformat(timespec="seconds"), "from": folder.name}
        write_json(making / "sequence.json", about | {"frames": len(frames)})
        making.rename(library / name)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return library / name


def delete(name: str) -> None:
    """Delete a learned sequence for good. Raises SequenceError."""
    folder = find(name).parent
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise SequenceError(
            rpt_("The learned sequence '{name}' could not be deleted ({why}).").format(name=name, why=error.strerror)
        ) from error
