"""The kinds of job, the models that each offers, and how a job folder is run. A job is a generator function of a folder
and its settings; its module is imported at its first use, so that an engine is ready before any of them is."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from engine import job_folder, protocol
from engine.lock import lock
from engine.progress import Outcome, Update
from engine.protocol import JobError

# What is sent into a job: True once what it has is good enough.
Steps = Generator[Update, bool | None, Outcome]
Job = Callable[[Path, Any], Steps]
LOCK_FILE = ".lock"


def train_style(folder: Path, settings: protocol.TrainStyle) -> Steps:
    """Train a network on the painted keys; writes style/."""
    from engine.stylise.train import train_style as job

    return job(folder, settings)


def stylise(folder: Path, settings: protocol.Stylise) -> Steps:
    """Paint frames with the weights in style/; writes result/."""
    from engine.stylise.infer import stylise as job

    return job(folder, settings)


def suggest_key(folder: Path, settings: protocol.SuggestKey) -> Steps:
    """Find the frames to paint next; writes suggest.json and coverage/."""
    from engine.stylise.coverage import suggest_key as job

    return job(folder, settings)


def track_footage(folder: Path, settings: protocol.TrackFootage) -> Steps:
    """Give footage its guides by optical flow; writes guides/."""
    from engine.footage.job import track_footage as job

    return job(folder, settings)


def combine(folder: Path, settings: protocol.Combine) -> Steps:
    """Put two picture sequences together; writes result/."""
    from engine.combine import combine as job

    return job(folder, settings)


def learn_sequence(folder: Path, settings: protocol.LearnSequence) -> Steps:
    """Learn a picture sequence, its looks and its motion; writes sequence/."""
    from engine.generate.train import learn_sequence as job

    return job(folder, settings)


def generate(folder: Path, settings: protocol.Generate) -> Steps:
    """Make more of a picture sequence; writes result/."""
    if settings.how == "BETWEEN":
        from engine.generate.between import between as job
    else:
        from engine.generate.job import generate as job

    return job(folder, settings)


def inbetween(folder: Path, settings: protocol.Inbetween) -> Steps:
    """Fill the frames between the keys of clip.npz; writes result/clip.npz."""
    from engine.motion.infer import inbetween as job

    return job(folder, settings)


def extrapolate(folder: Path, settings: protocol.Extrapolate) -> Steps:
    """Play on after the last frame of clip.npz; writes result/clip.npz."""
    from engine.motion.play import extrapolate as job

    return job(folder, settings)


def loop(folder: Path, settings: protocol.Loop) -> Steps:
    """Make clip.npz a cycle; writes result/clip.npz."""
    from engine.motion.loop import loop as job

    return job(folder, settings)


def clean(folder: Path, settings: protocol.Clean) -> Steps:
    """Smooth clip.npz and lock its feet; writes result/clip.npz."""
    from engine.motion.clean import clean as job

    return job(folder, settings)


def learn_motion(folder: Path, settings: protocol.LearnMotion) -> Steps:
    """Learn from the artist's own clips; writes learned/ if that helps."""
    from engine.motion.learn import learn_motion as job

    return job(folder, settings)


JOBS: dict[str, Job] = {
    "train_style": train_style,
    "stylise": stylise,
    "suggest_key": suggest_key,
    "track_footage": track_footage,
    "combine": combine,
    "learn_sequence": learn_sequence,
    "generate": generate,
    "inbetween": inbetween,
    "extrapolate": extrapolate,
    "loop": loop,
    "clean": clean,
    "learn_motion": learn_motion,
}
MODELS: dict[str, list[str]] = {
    "train_style": ["anchor_gan"],
    "suggest_key": ["coverage"],
    "stylise": ["anchor_gan"],
    "track_footage": ["flow"],
    "combine": ["mix"],
    "learn_sequence": ["fusion_gan"],
    "generate": ["fusion_gan"],
    "inbetween": ["lstm", "baseline"],
    "extrapolate": ["lstm", "baseline"],
    "loop": ["curves"],
    "clean": ["curves"],
    "learn_motion": ["lstm"],
}


def run_folder(folder: Path, jobs: Mapping[str, Job] = JOBS) -> Steps:
    """Check the job in `folder` and do it, alone in that folder. Raises JobError, and whatever goes wrong."""
    job = job_folder.read_job(folder)
    with _alone(folder):
        return (yield from jobs[job.kind](folder, job.settings))


def explain(error: Exception) -> str:
    """What went wrong, as one sentence for the artist that says what to do."""
    if isinstance(error, JobError):
        return str(error)
    if isinstance(error, MemoryError) or "out of memory" in str(error) or "can't allocate memory" in str(error):
        return "The memory was not enough; close other programs or make the frames smaller, then run the job again."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "The disk is full; free some space and run the job again, finished frames are kept."
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"The file {error.filename} could not be used ({error.strerror}); mend that and run the job again."
    what = " ".join(str(error).split())[:200]
    return f"The job met an error that it does not know ({type(error).__name__}: {what}); the engine's log tells more."


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock."""
    with open(folder / LOCK_FILE, "a+", encoding="ascii") as file:
        if not lock(file):
            file.seek(0)
            raise JobError(
                f"Another process ({file.read(20).strip() or 'unknown'}) is running the job in {folder}; "
                "wait until it is done, or end it."
            )
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
