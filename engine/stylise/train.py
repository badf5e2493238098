"""Train a style from scratch on the painted keys of one shot, in a time budget, watched by previews, saved as it goes. The tone
part learns from the keys alone, also in lights that they do not show. The stroke part learns to complete hidden paint, and
texture from strokes moved to another place of their object; with an adversarial term also, on frames that nobody painted,
to pass for painting before the discriminator.

It knows job folders and engine.stylise; not who listens to its updates.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Generator as Steps
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine import checkpoint, device, job_folder, protocol
from engine.adam import Adam
from engine.progress import Outcome, Update, aside
from engine.stylise import head, losses
from engine.stylise.asset import find_style
from engine.stylise.discriminator import Discriminator, DiscriminatorParams
from engine.stylise.features import CHANNELS, EDGE
from engine.stylise.generator import Carried, Generator, GeneratorParams, soften
from engine.stylise.painter import Painter, carry, read_key
from engine.stylise.patches import Batch, Picture, draw, frame_picture, key_picture, spread_frames
from engine.stylise.views import View, read_view

GENERATOR = GeneratorParams(guides=CHANNELS, edges=[EDGE.start, EDGE.stop], fine=16, wide=24, deep=48, strokes=24)
DISCRIMINATOR = DiscriminatorParams(guides=CHANNELS, wide=32, deep=48)
BASE = Path(__file__).parents[1] / "weights" / "style"
LEARNED = 300  # steps after which half the rate is enough: longer at full rate learns the key by heart
MOST = 1200  # steps of a training for each key: in more the tone learns strokes by heart, and lines are smeared
PATCH = 64
KEY_PATCHES = 6
FRAME_PATCHES = 2
FRAMES = 6  # unpainted frames that training looks at, however long the shot
RATE = 2e-3
OFTEN = 130_000  # pixels of keys up to which the last layer is solved every 25 steps; of more as much less often
TONE_ALONE = 0.3  # part of the budget before the strokes are trained
PREVIEW_SECONDS = 4.0
SAVE_SECONDS = 20.0
NOTICED = 30  # pixels from which on an object that nobody painted is worth a word
HIDING = 4  # of these, so many tell which paint to hide


@dataclass
class Training:
    """Everything that one step needs."""

    painter: Painter
    generator: Generator
    average: Generator
    discriminator: Discriminator
    optimise_generator: Adam
    optimise_discriminator: Adam
    keys: list[Picture]
    frames: list[Picture]
    views: list[View]
    rng: np.random.Generator
    device: torch.device
    soft_atlas: Tensor
    before: int  # steps that an earlier training took
    adversarial: float  # weight of the discriminator's word; 0: it is not asked, nor trained
    step: int = 0
    seconds: float = 0.0


def style_path(folder: Path, network: str) -> Path:
    """Where a network's weights are, without suffix."""
    return folder / "style" / network


# --- the steps -------------------------------------------------------------------------------------------------------


def step_tone(training: Training, batch: Batch) -> None:
    """The tone part: the keys' paint from their guides."""
    network = training.generator.tone
    first, last = training.generator.params.edges
    weight = batch.counts * losses.stress(batch.guides[:, first:last])
    loss = losses.reconstruction(network(batch.guides), batch.paint, weight)
    _descend(training.optimise_generator, loss, network)


def step_generator(training: Training, batch: Batch, carried: Carried) -> Tensor:
    """The stroke part: hidden paint is to be restored, moved strokes to match in texture, all to deceive the discriminator.
    Returns what it painted."""
    training.discriminator.requires_grad_(False)
    with torch.no_grad():
        tone = training.average.tone(batch.guides)
    made = training.generator.strokes(batch.guides, tone, carried)
    known = batch.counts * batch.known
    loss = losses.reconstruction(made, batch.paint, known * (1 - batch.moved))
    loss = loss + losses.texture(made, batch.paint, known * batch.moved)
    if training.adversarial:
        doubt = losses.deceive(training.discriminator(batch.guides, made), batch.counts)
        loss = loss + training.adversarial * doubt
    _descend(training.optimise_generator, loss, training.generator.strokes)
    return made.detach()


def step_discriminator(training: Training, batch: Batch, made: Tensor) -> None:
    """Painted patches against those that the generator has just made."""
    judge = training.discriminator.requires_grad_(True)
    loss = losses.real(judge(batch.guides, batch.paint), batch.counts * batch.known)
    loss = loss + losses.made(judge(batch.guides, made), batch.counts)
    _descend(training.optimise_discriminator, loss, judge)


def _descend(optimiser: Adam, loss: Tensor, network: nn.Module) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()


@torch.no_grad()
def _follow(training: Training) -> None:
    """The average of the last generators is the one that is kept."""
    part = max(0.01, 1 / (training.before + training.step + 1))
    for slow, fast in zip(training.average.parameters(), training.generator.parameters(), strict=True):
        slow.lerp_(fast, part)


def step(training: Training, done: float) -> None:
    """One step of everything; done: part of the budget that is spent."""
    rate = RATE * min(1.0, (training.step + 1) / 20) * min(1.0, 0.02 + 1.6 * (1 - done)) / (1 + training.step / LEARNED)
    for optimiser in (training.optimise_generator, training.optimise_discriminator):
        for group in optimiser.param_groups:
            group["lr"] = rate
    tone_turn = done < TONE_ALONE or training.step % 2 == 0
    batch, lent = draw(training.keys, KEY_PATCHES, PATCH, training.rng, training.device, far=tone_turn)
    if tone_turn:
        step_tone(training, batch)
    else:
        carried = carry(training.soft_atlas, *lent)
        if training.adversarial and training.frames:
            free, lent = draw(training.frames, FRAME_PATCHES, PATCH, training.rng, training.device)
            batch, more = batch.join(free), carry(training.painter.atlas, *lent)
            carried = Carried._make(torch.cat(pair) for pair in zip(carried, more, strict=True))
        made = step_generator(training, batch, carried)
        if training.adversarial:
            step_discriminator(training, batch, made)
    _follow(training)
    training.step += 1


# --- the job ---------------------------------------------------------------------------------------------------------


def _base() -> Generator:
    """What every style begins from. Raises JobError."""
    return checkpoint.restore(checkpoint.load(BASE, GeneratorParams), Generator)


def _networks(folder: Path, settings: protocol.TrainStyle) -> tuple[Generator, Discriminator, int]:
    """The base's, or with `resume` those of the last training, or those of the style to start from; and how many steps they
    have behind them. Raises JobError."""
    home = folder
    if not settings.resume or not checkpoint.exists(style_path(folder, "generator")):
        if not settings.base:
            return _base(), Discriminator(DISCRIMINATOR), 0
        home, _ = find_style(folder, settings.base)
    saved = checkpoint.load(style_path(home, "generator"), GeneratorParams)
    judge = checkpoint.load(style_path(home, "discriminator"), DiscriminatorParams)
    return checkpoint.restore(saved, Generator), checkpoint.restore(judge, Discriminator), int(saved.about["steps"])


def _prepare(folder: Path, shot: protocol.Shot, settings: protocol.TrainStyle) -> Steps[Update, bool | None, Training]:
    """Read the keys and some frames; find what the keys show of them."""
    chosen = device.choose(settings.device)
    device.seed_all(settings.seed)
    keys = []
    for frame in sorted(set(settings.keys)):
        yield Update(0.0, f"Reading the painted frame {frame}")
        keys.append(read_key(folder, shot, frame))
    generator, discriminator, before = _networks(folder, settings)
    generator, discriminator = generator.to(chosen), discriminator.to(chosen)
    average = copy.deepcopy(generator)
    painter = yield from aside(lambda: Painter(average, keys, chosen), 0.0, "Looking at the painted frames")
    views, pictures = [], []
    for frame in spread_frames(shot.frames, settings.keys, FRAMES):
        view = yield from aside(partial(read_view, folder, shot, frame), 0.0, f"Looking at frame {frame}")
        text = f"Looking for the painted surface in frame {frame}"
        pictures.append((yield from aside(partial(frame_picture, painter, view), 0.0, text)))
        views.append(view)
    painted = []
    for i, key in enumerate(keys):
        text = f"Looking at what the other frames hide of frame {key.view.frame}"
        painted.append((yield from aside(partial(key_picture, painter, i, views[:HIDING]), 0.0, text)))
    training = Training(
        painter=painter,
        generator=generator,
        average=average,
        discriminator=discriminator,
        optimise_generator=Adam(generator.parameters(), RATE, betas=(0.5, 0.99)),
        optimise_discriminator=Adam(discriminator.parameters(), RATE, betas=(0.5, 0.99)),
        keys=painted,
        frames=pictures,
        views=views,
        rng=np.random.default_rng(settings.seed),
        device=chosen,
        soft_atlas=painter.atlas,
        before=before,
        adversarial=settings.adversarial,
    )
    if not before:
        yield from aside(partial(_settle, training), 0.0, "A first look at the paint")
    return training


def _settle(training: Training, solve: bool = True) -> None:
    """The last layer of the tone part solved for the keys as the rest now is, and their strokes taken anew. Least squares are
    for the beginning: later on they would soften again what has learned to be crisp."""
    if solve:
        _solve(training)
    for i in range(len(training.keys)):
        training.painter.refresh(i)
    training.soft_atlas = soften(training.painter.atlas, *training.rng.uniform(-0.3, 0.3, 2))


def _solve(training: Training) -> None:
    keys = [(key.guides, key.paint, losses.stress(key.guides[None, EDGE])[0] * key.counts) for key in training.keys]
    tone = training.average.tone
    head.fit(tone, [tuple(x.to(training.device) for x in key) for key in keys])  # type: ignore[misc]
    training.generator.tone.colour.load_state_dict(tone.colour.state_dict())


def _save(folder: Path, training: Training, settings: protocol.TrainStyle) -> None:
    about = {
        "keys": [key.view.frame for key in training.painter.keys],
        "seed": settings.seed,
        "steps": training.before + training.step,
        "seconds": round(training.seconds, 1),
    }
    judge = training.discriminator.state_dict()
    checkpoint.save(style_path(folder, "discriminator"), checkpoint.Checkpoint(judge, DISCRIMINATOR, about))
    weights = training.average.state_dict()
    checkpoint.save(style_path(folder, "generator"), checkpoint.Checkpoint(weights, training.average.params, about))


def _notes(training: Training, shot: protocol.Shot) -> list[str]:
    """A sentence for each object that the shot shows and no key does, with the frame to paint."""
    most: dict[int, tuple[int, int]] = {}
    for view in training.views:
        for i, count in zip(*np.unique(view.ids, return_counts=True), strict=True):
            most[int(i)] = max(most.get(int(i), (0, 0)), (int(count), view.frame))
    return [
        f"'{ob.name}' is in no painted frame and was guessed; paint it in frame {most[ob.id][1]}."
        for ob in shot.objects
        if most.get(ob.id, (0, 0))[0] >= NOTICED and ob.id not in training.painter.known
    ]


def train_style(folder: Path, settings: protocol.TrainStyle) -> Steps[Update, bool | None, Outcome]:
    """Train on the keys for the time or the steps given; leaves style/generator and style/discriminator. Raises JobError."""
    shot = job_folder.read_shot(folder)
    training = yield from _prepare(folder, shot, settings)
    watched = (
        [read_view(folder, shot, settings.preview_frame)] if settings.preview_frame in shot.frames else training.views
    )
    start = saved = time.monotonic()
    shown = start - PREVIEW_SECONDS  # the base has something to show at once
    pixels = sum(key.view.ids.size for key in training.painter.keys)
    pause = 25 * max(1, round(pixels / OFTEN))
    try:
        while (done := _done(training, settings, time.monotonic() - start)) < 1:
            step(training, done)
            if training.step % pause == 0:
                fresh = not training.before and done < TONE_ALONE  # what was learned before is not solved anew
                settle = partial(_settle, training, solve=fresh)
                yield from aside(settle, done, f"Training, step {training.step}")
            now = time.monotonic()
            training.seconds = now - start
            preview, frame = None, 0
            if now - shown > PREVIEW_SECONDS and watched:
                view = watched[int((now - start) / PREVIEW_SECONDS) % len(watched)]
                painting = partial(training.painter.paint, view)
                preview = yield from aside(painting, done, f"Training, step {training.step}")
                frame, shown = view.frame, time.monotonic()
            if now - saved > SAVE_SECONDS:
                _save(folder, training, settings)
                saved = now
            if (yield Update(done, f"Training, step {training.step}", preview, frame)):
                break  # the artist has seen enough
    finally:
        if training.step:
            _save(folder, training, settings)
    return Outcome(
        ["style/generator.safetensors"],
        _notes(training, shot),
        {"steps": training.before + training.step, "seconds": training.seconds},
    )


def _done(training: Training, settings: protocol.TrainStyle, seconds: float) -> float:
    """Part of the budget that is spent, 0 to 1. Steps that are asked for are all taken."""
    parts = [training.step / (settings.steps or MOST * len(training.painter.keys))]
    return min(1.0, max(parts + ([seconds / settings.seconds] if settings.seconds > 0 else [])))
