"""Learn one picture sequence in a time budget, watched by previews, saved as it goes. It knows job folders and engine.generate,
and not who listens to its updates."""

from __future__ import annotations

import copy
import time
from collections.abc import Generator as Steps
from pathlib import Path

import numpy as np
import torch

from engine import checkpoint, device, protocol
from engine.generate import animate, fitness, paths
from engine.generate.clip import Clip, make_clip
from engine.generate.networks import NetworkParams, Networks
from engine.generate.sequence import Sequence, as_preview, read_sequence
from engine.generate.training import AHEAD, RATE, Training, step
from engine.progress import Outcome, Update

PARAMS = NetworkParams(fine=24, wide=40, deep=56, judge=32, latent=16, hidden=64)
NETWORK = "network"
ADVERSARIAL = 0.02
PREVIEW_SECONDS = 0.9
SAVE_SECONDS = 20.0


def learn_sequence(folder: Path, settings: protocol.LearnSequence) -> Steps[Update, bool | None, Outcome]:
    """Learn the sequence in frames/; leaves sequence/. Raises JobError."""
    sequence = yield from read_sequence(folder, settings.objects)
    clip = yield from look(sequence)
    training = yield from learn(folder / "sequence", sequence, clip, settings)
    figures = {"steps": float(training.before + training.step), "error": training.error}
    names = [f"sequence/{NETWORK}{suffix}" for suffix in (".safetensors", ".json")]
    names += [f"sequence/{animate.MOTION}{suffix}" for suffix in (".safetensors", ".json")]
    return Outcome(names, fitness.notes(clip), figures)


def look(sequence: Sequence) -> Steps[Update, bool | None, Clip]:
    """The clip of a sequence that can be served. Raises JobError at once where it cannot."""
    yield Update(0.0, "Looking at the motion")
    fitness.check_count(len(sequence))
    clip = make_clip(sequence.pictures, PARAMS.latent)
    fitness.check(clip, sequence.numbers)
    yield Update(0.0, "Looking at the motion")
    return clip


def learn(
    home: Path, sequence: Sequence, clip: Clip, settings: protocol.LearnSequence
) -> Steps[Update, bool | None, Training]:
    """Train until the budget is spent, or what there is is enough; saved in `home` as it goes."""
    training = _prepare(home, clip, settings)
    animate.save(home, animate.motion_of(clip), {"frames": sequence.digest})
    start = shown = saved = time.monotonic()
    while (done := _done(training, settings, time.monotonic() - start)) < 1:
        step(training, done)
        now, preview = time.monotonic(), None
        if now - shown > PREVIEW_SECONDS and training.shown is not None:
            shown, preview = now, as_preview(training.shown, sequence.linear)
        if now - saved > SAVE_SECONDS:
            saved = now
            _save(home, training, sequence, settings)
        if (yield Update(done, f"Learning the sequence, step {training.step}", preview)):
            break
    _save(home, training, sequence, settings)
    return training


def _done(training: Training, settings: protocol.LearnSequence, seconds: float) -> float:
    parts = [seconds / settings.seconds] if settings.seconds > 0 else []
    parts += [training.step / settings.steps] if settings.steps > 0 else []
    return max(parts)


def _prepare(home: Path, clip: Clip, settings: protocol.LearnSequence) -> Training:
    chosen = device.choose(settings.device)
    device.seed_all(settings.seed)
    networks, before = Networks(PARAMS), 0
    if settings.resume and checkpoint.exists(home / NETWORK):
        saved = checkpoint.load(home / NETWORK, NetworkParams)
        networks, before = checkpoint.restore(saved, Networks), int(saved.about["steps"])
    networks = networks.to(chosen)
    makers = [*networks.predictor.parameters(), *networks.generator.parameters(), *networks.latent.parameters()]
    judges = [*networks.image_critic.parameters(), *networks.video_critic.parameters()]
    return Training(
        clip=clip,
        networks=networks,
        average=copy.deepcopy(networks),
        makers=torch.optim.Adam(makers, RATE, betas=(0.5, 0.99)),
        judges=torch.optim.Adam(judges, RATE, betas=(0.5, 0.99)),
        rng=np.random.default_rng(settings.seed),
        device=chosen,
        adversarial=ADVERSARIAL if len(clip) >= 2 * AHEAD else 0.0,
        leaps=paths.leaps(clip.latent, clip.apart),
        before=before,
    )


def _save(home: Path, training: Training, sequence: Sequence, settings: protocol.LearnSequence) -> None:
    about = {
        "frames": sequence.digest,
        "steps": training.before + training.step,
        "seed": settings.seed,
        "objects": sorted(settings.objects),
    }
    checkpoint.save(home / NETWORK, checkpoint.Checkpoint(training.average.state_dict(), PARAMS, about))
