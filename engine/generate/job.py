"""Make more of a sequence: continue, loop, vary, animate. The sequence is learned first where that has not been done. A finished
frame says in its own metadata what it was made of, so that a run that was stopped goes on and an artist's own file is left alone. It
knows job folders and files."""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Generator as Steps
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from engine import checkpoint, device, protocol
from engine.generate import paths
from engine.generate.networks import NetworkParams, Predictor
from engine.generate.sequence import Sequence, as_preview, read_sequence, write_frame
from engine.generate.train import HISTORY, NETWORK, learn
from engine.pictures import read_about
from engine.progress import Outcome, Update
from engine.protocol import JobError

SOFTWARE = "Understudy"
LEAD = 8  # frames over which one stretch is led over into the next
LEARNING = 0.8  # part of the progress that learning takes


@dataclass(frozen=True)
class Player:
    """What frames are made with."""

    sequence: Sequence
    predictor: Predictor
    device: torch.device


def generate(folder: Path, settings: protocol.Generate) -> Steps[Update, bool | None, Outcome]:
    """Make the frames asked for in result/. Raises JobError."""
    if settings.how == "ANIMATE":
        raise JobError("Pictures cannot be animated yet.")
    sequence = yield from read_sequence(folder, settings.objects)
    home = folder / (settings.learned or "sequence")
    if not settings.learned and not _is_learned(home, sequence):
        learning = learn(
            home, sequence, protocol.LearnSequence(settings.seconds, seed=settings.seed, device=settings.device)
        )
        yield from _scaled(learning, 0.0, LEARNING)
    chosen = device.choose(settings.device)
    saved = checkpoint.load(home / NETWORK, NetworkParams)
    predictor = checkpoint.restore(saved, Predictor, "predictor.").to(chosen).eval()
    player = Player(sequence, predictor, chosen)
    plan = _plan(sequence, settings)
    return (yield from _make(folder, settings, player, plan, _about(home, sequence, settings)))


def _is_learned(home: Path, sequence: Sequence) -> bool:
    if not checkpoint.exists(home / NETWORK):
        return False
    return checkpoint.load(home / NETWORK, NetworkParams).about.get("frames") == sequence.digest


def _scaled(steps: Steps[Update, bool | None, object], low: float, high: float) -> Steps[Update, bool | None, None]:
    answer = None
    while True:
        try:
            update = steps.send(answer)
        except StopIteration:
            return
        answer = yield Update(low + (high - low) * update.done, update.text, update.preview, update.frame)


def _plan(sequence: Sequence, settings: protocol.Generate) -> list[paths.Stretch]:
    small = [
        cv2.resize(p.float().numpy().transpose(1, 2, 0), (24, 24), interpolation=cv2.INTER_AREA)
        for p in sequence.pictures
    ]
    cost = paths.leaps(paths.latents(np.stack(small)))
    rng = np.random.default_rng(settings.seed)
    if settings.how == "LOOP":
        return paths.circle(cost, settings.count, LEAD)
    start = len(sequence) - 1
    if settings.how == "VARY":
        start = int(rng.integers(paths.BACK, len(sequence)))
    return paths.wander(cost, settings.count, start, rng, LEAD, settings.variation)


def _about(home: Path, sequence: Sequence, settings: protocol.Generate) -> dict[str, str]:
    weights = hashlib.sha256((home / f"{NETWORK}.safetensors").read_bytes()).hexdigest()[:12]
    how = f"{settings.how} {settings.count} frames, variation {settings.variation:g}, seed {settings.seed}"
    return {
        "Software": f"{SOFTWARE} {importlib.metadata.version('understudy')}",
        "Understudy generate": how + (f", objects {sorted(settings.objects)}" if settings.objects else ""),
        "Understudy sources": sequence.digest,
        "Understudy model": f"fusion_gan {weights}",
    }


def _make(
    folder: Path, settings: protocol.Generate, player: Player, plan: list[paths.Stretch], about: dict[str, str]
) -> Steps[Update, bool | None, Outcome]:
    sequence = player.sequence
    first = sequence.numbers[-1] + 1 if settings.how == "CONTINUE" else sequence.numbers[0]
    suffix = ".exr" if settings.depth == "EXR" else ".png"
    results, foreign, made, frame = [], [], 0, first
    for stretch in plan:
        lead = _lead(player, stretch)
        for h in range(stretch.length):
            path = folder / "result" / f"{frame:04d}{suffix}"
            words = {**about, "Understudy frame": str(frame)}
            found = read_about(path) if path.exists() else {}
            results.append(f"result/{path.name}")
            if path.exists() and not settings.overwrite and not found.get("Software", "").startswith(SOFTWARE):
                foreign.append(frame)
                preview = None
            elif settings.overwrite or not found or found | words != found:
                picture = next(lead)
                i = len(sequence) - 1 if settings.how == "CONTINUE" else min(frame - first, len(sequence) - 1)
                write_frame(path, picture, sequence, i, settings.depth, words)
                preview = as_preview(picture, sequence.linear)
                made += 1
            else:
                next(lead)
                preview = None
            frame += 1
            done = (frame - first) / settings.count
            enough = yield Update(LEARNING + (1 - LEARNING) * done, f"Frame {frame - 1} made", preview, frame - 1)
            if enough:
                break
    listed = ", ".join(str(n) for n in foreign[:8])
    notes = [f"Kept what is not Understudy's own in result/ (frames {listed}); move it away first."] if foreign else []
    return Outcome(results, notes, {"made": made, "kept": len(results) - made})


@torch.no_grad()
def _lead(player: Player, stretch: paths.Stretch):  # type: ignore[no-untyped-def]
    """The frames of a stretch, led over from what came before."""
    pictures = player.sequence.pictures
    seen: list[Tensor] = []
    memory = None
    if stretch.leave >= HISTORY - 1:
        seen = [
            pictures[i][None].float().to(player.device) for i in range(stretch.leave - HISTORY + 1, stretch.leave + 1)
        ]
        for i in range(3, len(seen)):
            _, memory = player.predictor(seen[i - 3 : i], memory)
    for h in range(stretch.length):
        b = pictures[stretch.begin + h][None].float().to(player.device)
        share = min(1.0, (h + 1) / (LEAD + 1))
        if share < 1 and seen:
            a, memory = player.predictor(seen[-3:], memory)
            seen.append(a)
            b = a * (1 - share) + b * share
        yield b[0]
