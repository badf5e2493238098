"""Learn one picture sequence in a time budget, watched by previews, saved as it goes. It knows job folders and engine.generate; not
who listens to its updates."""

from __future__ import annotations

import time
from collections.abc import Generator as Steps
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from engine import checkpoint, device, protocol
from engine.generate.networks import NetworkParams, Predictor
from engine.generate.sequence import Sequence, as_preview, read_sequence
from engine.progress import Outcome, Update

PARAMS = NetworkParams(fine=24, wide=40, deep=56, latent=16, hidden=64)
NETWORK = "network"
HISTORY = 4  # frames that a prediction looks back
AHEAD = 8  # frames that it is trained to look ahead
CROP = 64
BATCH = 4
RATE = 2e-3
PREVIEW_SECONDS = 0.9
SAVE_SECONDS = 20.0


@dataclass
class Training:
    """Everything that one step needs."""

    sequence: Sequence
    predictor: Predictor
    optimise: torch.optim.Optimizer
    rng: np.random.Generator
    device: torch.device
    before: int
    step: int = 0
    loss: float = 0.0
    shown: Tensor | None = field(default=None)


def draw(training: Training, ahead: int) -> list[Tensor]:
    """Crops of consecutive frames, HISTORY + ahead of (B, 4, CROP, CROP)."""
    pictures, rng = training.sequence.pictures, training.rng
    side_y, side_x = (min(CROP, side // 8 * 8) for side in pictures.shape[-2:])
    crops = []
    for _ in range(BATCH):
        t = int(rng.integers(0, len(pictures) - HISTORY - ahead + 1))
        y, x = (int(rng.integers(0, n - s + 1)) for n, s in zip(pictures.shape[-2:], (side_y, side_x), strict=True))
        crops.append(pictures[t : t + HISTORY + ahead, :, y : y + side_y, x : x + side_x].float())
    return list(torch.stack(crops, 1).to(training.device))


def unroll(predictor: Predictor, past: list[Tensor], ahead: int) -> list[Tensor]:
    """`ahead` frames after those of the past."""
    memory, seen = None, list(past)
    for i in range(3, len(past)):
        _, memory = predictor(seen[i - 3 : i], memory)
    made: list[Tensor] = []
    for _ in range(ahead):
        frame, memory = predictor(seen[-3:], memory)
        seen.append(frame)
        made.append(frame)
    return made


def step_predictor(training: Training, ahead: int) -> None:
    """The next frames, each from those made before it."""
    clip = draw(training, ahead)
    made = unroll(training.predictor, clip[:HISTORY], ahead)
    loss = torch.stack([(a - b).abs().mean() for a, b in zip(made, clip[HISTORY:], strict=True)]).mean()
    training.optimise.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(training.predictor.parameters(), 1.0)
    training.optimise.step()
    training.loss, training.shown = float(loss.detach()), made[-1][0]


def learn(folder: Path, sequence: Sequence, settings: protocol.LearnSequence) -> Steps[Update, bool | None, Training]:
    """Train until the budget is spent or what there is is enough; saved in `folder` as it goes."""
    training = _prepare(folder, sequence, settings)
    start = shown = saved = time.monotonic()
    while (done := _done(training, settings, time.monotonic() - start)) < 1:
        for group in training.optimise.param_groups:
            group["lr"] = RATE * min(1.0, (training.step + 1) / 20) * min(1.0, 0.02 + 1.6 * (1 - done))
        step_predictor(training, min(AHEAD, 2 + int(12 * done), len(sequence) - HISTORY))
        training.step += 1
        now, preview = time.monotonic(), None
        if now - shown > PREVIEW_SECONDS and training.shown is not None:
            shown, preview = now, as_preview(training.shown, sequence.linear)
        if now - saved > SAVE_SECONDS:
            saved = now
            _save(folder, training, settings)
        if (yield Update(done, f"Learning, step {training.step}, error {training.loss:.4f}", preview)):
            break
    _save(folder, training, settings)
    return training


def learn_sequence(folder: Path, settings: protocol.LearnSequence) -> Steps[Update, bool | None, Outcome]:
    """Learn the sequence in frames/; leaves sequence/. Raises JobError."""
    sequence = yield from read_sequence(folder, settings.objects)
    training = yield from learn(folder / "sequence", sequence, settings)
    figures = {"steps": float(training.before + training.step), "loss": training.loss}
    return Outcome([f"sequence/{NETWORK}.safetensors"], [], figures)


def _done(training: Training, settings: protocol.LearnSequence, seconds: float) -> float:
    parts = [seconds / settings.seconds] if settings.seconds > 0 else []
    parts += [training.step / settings.steps] if settings.steps > 0 else []
    return max(parts)


def _prepare(folder: Path, sequence: Sequence, settings: protocol.LearnSequence) -> Training:
    chosen = device.choose(settings.device)
    device.seed_all(settings.seed)
    predictor, before = Predictor(PARAMS), 0
    if settings.resume and checkpoint.exists(folder / NETWORK):
        saved = checkpoint.load(folder / NETWORK, NetworkParams)
        predictor, before = checkpoint.restore(saved, Predictor, "predictor."), int(saved.about["steps"])
    predictor = predictor.to(chosen)
    optimise = torch.optim.Adam(predictor.parameters(), RATE, betas=(0.5, 0.99))
    return Training(sequence, predictor, optimise, np.random.default_rng(settings.seed), chosen, before)


def _save(folder: Path, training: Training, settings: protocol.LearnSequence) -> None:
    weights = {f"predictor.{name}": t for name, t in training.predictor.state_dict().items()}
    about = {"frames": training.sequence.digest, "steps": training.before + training.step, "seed": settings.seed}
    checkpoint.save(folder / NETWORK, checkpoint.Checkpoint(weights, PARAMS, about))
