"""Train what every style begins from: a generator that has seen many painters at work on shots made by script, so that a painted
key need only tell it which painter this one is. A lesson is a shot with one painted key; its other frames are to be painted after
it, as the stylist does: with the last layer of the tone part solved for that key, and strokes carried over from it.

    python -m engine train style --out weights/style [--seconds 3000] [--device cuda]

Pictures come from engine.stylise.lessons alone. They are read by the very code that reads a shot, in processes beside.
"""

from __future__ import annotations

import argparse
import copy
import os
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine import checkpoint
from engine.adam import Adam
from engine.stylise import head, losses
from engine.stylise.features import EDGE, GUESS, RENDER
from engine.stylise.generator import BEYOND, Carried, Generator, ToneNetwork, make_atlas, sample
from engine.stylise.lessons import make_lesson
from engine.stylise.painter import Key, Painter
from engine.stylise.patches import frame_picture
from engine.stylise.train import GENERATOR
from engine.stylise.views import View

KEPT_BACK = 12  # lessons that score and never teach
WARM = 40  # lessons to begin with
STEEPEST = 20.0  # length of the gradient from which on a step is not taken
CROP = 160  # of a frame's side, that is learned from at a time
SCORE_SECONDS = 45.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line."""
    parser.add_argument("--out", type=Path, required=True, help="weights to write: OUT.safetensors and OUT.json")
    parser.add_argument("--start", type=Path, help="weights to go on from, without suffix")
    parser.add_argument("--seconds", type=float, default=3000, help="of training, after the first lessons are made")
    parser.add_argument("--lessons", type=int, default=1200, help="how many are made while it trains; all are kept")
    parser.add_argument("--batch", type=int, default=6, help="lessons a step")
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=max(1, (os.cpu_count() or 2) - 2))


# --- lessons, as a network reads them --------------------------------------------------------------------------------


class Studied(NamedTuple):
    """A lesson, or several along a first dimension. guides (C, H, W), paint (3, H, W), counts (1, H, W) of the key; and of its
    frames guides (T, C, H, W), paint (T, 3, H, W), xy (T, H, W, 2), trust (T, 1, H, W), the same for what is borrowed."""

    key_guides: Tensor
    key_paint: Tensor
    guides: Tensor
    paint: Tensor
    xy: Tensor
    trust: Tensor
    borrowed_xy: Tensor
    borrowed_trust: Tensor


def views(seed: int, side: int, device: str) -> list[tuple[View, np.ndarray]]:
    """The lesson's key and frames with their paint (H, W, 3) uint8."""
    lesson = make_lesson(seed, side, device=device)
    both = [torch.cat([key[None], rest]).cpu().numpy() for key, rest in zip(lesson.key, lesson.frames, strict=True)]
    render, albedo, ids, points, normal, depth, paint = both
    if device == "cuda":
        del lesson
        torch.cuda.empty_cache()  # several processes share the card
    sizes = np.ones((int(ids.max()) + 1, 3), np.float32)
    for i in np.unique(ids):
        sizes[i] = points.transpose(0, 2, 3, 1)[ids == i].max(0)

    def last(x: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(x.transpose(1, 2, 0), np.float32)

    return [
        (
            View(i, last(render[i]), last(albedo[i]), ids[i], last(points[i]), last(normal[i]), depth[i], sizes),
            np.rint(last(paint[i]) * 255).astype(np.uint8),
        )
        for i in range(len(render))
    ]


def study(seed: int, side: int, device: str) -> list[np.ndarray]:
    """The fields of Studied for a lesson, in the small types in which they are kept."""
    torch.set_num_threads(1)
    (view, paint), *rest = views(seed, side, device)
    painter = Painter(Generator(GENERATOR), [Key(view, paint, np.ones(view.shape, bool))], torch.device("cpu"))
    pictures = [frame_picture(painter, frame) for frame, _ in rest]
    half, tiny = np.float16, np.uint8
    return [
        painter.read(view).numpy().astype(half),
        paint.transpose(2, 0, 1),
        np.stack([p.guides.numpy() for p in pictures]).astype(half),
        np.stack([paint.transpose(2, 0, 1) for _, paint in rest]),
        np.stack([p.xy.numpy() for p in pictures]),
        np.stack([(p.trusts[0].numpy() * 255).astype(tiny) for p in pictures]),
        np.stack([p.borrowed_xy.numpy() for p in pictures]),
        np.stack([(p.borrowed_trust.numpy() * 255).astype(tiny) for p in pictures]),
    ]


class School:
    """Lessons, made by processes beside and kept on the device."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        # With a number of tasks, processes are started afresh: forked ones could not use a card.
        self._crew = ProcessPoolExecutor(args.workers, max_tasks_per_child=10_000)
        self._under_way: deque[Future[list[np.ndarray]]] = deque()
        self._next = args.seed * 1_000_000
        self.lessons: list[list[Tensor]] = []

    def go_on(self, wanted: int) -> None:
        """Have lessons made until `wanted` are there or under way, as fast as processes are free; take in what is done."""
        busy = sum(not result.done() for result in self._under_way)
        while len(self.lessons) + len(self._under_way) < wanted and busy < 2 * self._args.workers:
            what = (self._next, self._args.side, self._args.device)
            self._under_way.append(self._crew.submit(study, *what))
            self._next, busy = self._next + 1, busy + 1
        while self._under_way and self._under_way[0].done():
            arrays = self._under_way.popleft().result()
            self.lessons.append([torch.from_numpy(a).to(self._args.device) for a in arrays])

    def draw(self, rng: np.random.Generator, numbers: list[int] | None = None) -> Studied:
        """Some lessons, with the same two of their frames each; the paint's colours in another order, but not for `numbers`."""
        which = numbers or rng.integers(KEPT_BACK, len(self.lessons), self._args.batch).tolist()
        frames = [0, 1] if numbers else rng.permutation(3)[:2].tolist()
        picked = []
        for number in which:
            lesson = self.lessons[number]
            chosen = [lesson[0].float(), lesson[1].float() / 127.5 - 1, *(x[frames].float() for x in lesson[2:])]
            chosen[3] = chosen[3] / 127.5 - 1
            for trust in (5, 7):
                chosen[trust] = chosen[trust] / 255
            picked.append(chosen if numbers else _recolour(_crop(chosen, rng), rng))
        return Studied._make(torch.stack(column) for column in zip(*picked, strict=True))


def _crop(lesson: list[Tensor], rng: np.random.Generator) -> list[Tensor]:
    """The lesson with the same square of its frames alone."""
    side = lesson[2].shape[-1]
    part = min(side, CROP)
    down, right = (int(rng.integers(side - part + 1)) // 4 * 4 for _ in range(2))
    rows, columns = slice(down, down + part), slice(right, right + part)
    for i in (2, 3, 5, 7):
        lesson[i] = lesson[i][..., rows, columns]
    for i in (4, 6):
        lesson[i] = lesson[i][:, rows, columns]
    return lesson


def _recolour(lesson: list[Tensor], rng: np.random.Generator) -> list[Tensor]:
    """The lesson as a painter of other colours has it: red for green."""
    order = rng.permutation(3).tolist()
    for guides, paint in ((0, 1), (2, 3)):
        lesson[paint] = lesson[paint][..., order, :, :]
        lesson[guides] = torch.cat([lesson[guides][..., order, :, :], lesson[guides][..., 3:, :, :]], -3)
    return lesson


# --- the training ----------------------------------------------------------------------------------------------------


def solved_tone(network: ToneNetwork, batch: Studied) -> tuple[Tensor, Tensor]:
    """The keys' tone (B, 3, H, W), which nothing is learned from, and their frames' (B, T, 3, h, w), with the last layer solved
    for each key. What is learned leads through its equations: a look whose best layer for a key suits other frames."""
    weight = losses.stress(batch.key_guides[:, EDGE])
    layer = head.solve(*head.sums(network, batch.key_guides, batch.key_paint, weight))
    with torch.no_grad():
        key_tone = mix(network.look(batch.key_guides), layer) + batch.key_guides[:, GUESS]
    count, frames = batch.guides.shape[1], batch.guides.flatten(0, 1)
    tone = mix(network.look(frames), layer.repeat_interleave(count, 0)) + frames[:, GUESS]
    return key_tone.clamp(-BEYOND, BEYOND), tone.clamp(-BEYOND, BEYOND).view(batch.paint.shape)


def mix(look: Tensor, layers: Tensor) -> Tensor:
    """(B, 3, H, W) of (B, C, H, W), each by a last layer of its own (B, N, 3)."""
    weight, bias = (torch.cat(column) for column in zip(*(head.as_layer(layer) for layer in layers), strict=True))
    made = F.conv2d(look.flatten(0, 1)[None], weight, bias, padding=1, groups=len(look))
    return made.view(-1, 3, *look.shape[2:])


def carried(batch: Studied, key_tone: Tensor, i: int) -> Carried:
    """What lesson i's key lends its frames."""
    render, ones = batch.key_guides[i][RENDER], torch.ones_like(key_tone[i, :1])
    atlas = make_atlas(key_tone[i], batch.key_paint[i], ones, render)

    def lend(xy: Tensor, last: int) -> Tensor:
        return torch.cat([sample(atlas[:3], xy), sample(atlas[3:last], xy, "bilinear")], 1)

    trusts = batch.trust[i], batch.borrowed_trust[i]
    return Carried(lend(batch.xy[i], len(atlas)), lend(batch.borrowed_xy[i], 6), *trusts)


def finished(generator: Generator, batch: Studied, key_tone: Tensor, tone: Tensor) -> tuple[Tensor, Carried]:
    """(B T, 3, H, W) the finished frames, and what the keys lent them."""
    with torch.no_grad():
        lent = [carried(batch, key_tone, i) for i in range(len(tone))]
        lent_ = Carried._make(torch.cat(column) for column in zip(*lent, strict=True))
    return generator.strokes(batch.guides.flatten(0, 1), tone.detach().flatten(0, 1), lent_), lent_


def step(generator: Generator, batch: Studied, optimiser: Adam) -> tuple[float, float]:
    """One step; what the tone and the finished frames are wrong by."""
    key_tone, tone = solved_tone(generator.tone, batch)
    guides, paint = batch.guides.flatten(0, 1), batch.paint.flatten(0, 1)
    stress = losses.stress(guides[:, EDGE])
    wrong = losses.reconstruction(tone.flatten(0, 1), paint, stress)
    made, lent = finished(generator, batch, key_tone, tone)
    known = stress * (0.3 + 0.7 * lent.trust)
    loss = losses.reconstruction(made, paint, known) + 0.5 * losses.texture(made, paint, 0.3 + 0.7 * (1 - lent.trust))
    optimiser.zero_grad(set_to_none=True)
    (wrong + loss).backward()
    steep = float(nn.utils.clip_grad_norm_(generator.parameters(), 1.0))
    if steep < STEEPEST:  # a key's equations may be near to none; what leads through them then leads astray
        optimiser.step()
    return wrong.item(), loss.item()


@torch.no_grad()
def score(generator: Generator, school: School) -> dict[str, float]:
    """PSNR of the palette's guess, of the tone and of the finished frames of the lessons kept back; and the sharpness of the
    last over the truth's."""
    errors, sharp = np.zeros(3), np.zeros(2)
    for i in range(KEPT_BACK):
        batch = school.draw(np.random.default_rng(0), [i])
        key_tone, tone = solved_tone(generator.tone, batch)
        made, _ = finished(generator, batch, key_tone, tone)
        paint = batch.paint.flatten(0, 1)
        for j, picture in enumerate((batch.guides.flatten(0, 1)[:, GUESS], tone.flatten(0, 1), made)):
            errors[j] += float(10 * torch.log10(4 / (picture.clamp(-1, 1) - paint).square().mean((1, 2, 3))).mean())
        for j, picture in enumerate((made, paint)):
            sharp[j] += float((picture - F.avg_pool2d(picture, 3, 1, 1)).abs().mean())
    guess, tone_, made_ = errors / KEPT_BACK
    return {"guess": guess, "tone": tone_, "finished": made_, "sharpness": sharp[0] / sharp[1]}


def main(args: argparse.Namespace) -> int:
    """Train and save; 0."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = True
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    generator = Generator(GENERATOR)
    if args.start:
        generator.load_state_dict(checkpoint.load(args.start, type(GENERATOR)).weights)
    generator = generator.to(args.device)
    average = copy.deepcopy(generator)
    optimiser = Adam(generator.parameters(), args.rate, betas=(0.9, 0.99))
    school = School(args)
    while len(school.lessons) < KEPT_BACK + WARM:
        school.go_on(KEPT_BACK + WARM)
        time.sleep(0.05)
    start = scored = time.monotonic()
    print(f"{len(school.lessons)} lessons to begin with", flush=True)
    taken, wrong = 0, np.zeros(2)
    while (done := (time.monotonic() - start) / args.seconds) < 1:
        school.go_on(KEPT_BACK + WARM + int(args.lessons * min(1.0, done / 0.4)) + 1)
        rate = args.rate * min(1.0, (taken + 1) / 50) * min(1.0, 2 * (1 - done) + 0.01)
        optimiser.param_groups[0]["lr"] = rate
        wrong = 0.99 * wrong + 0.01 * np.array(step(generator, school.draw(rng), optimiser))
        taken += 1
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), generator.parameters(), strict=True):
                slow.lerp_(fast, max(0.002, 1 / taken))
        if time.monotonic() - scored > SCORE_SECONDS:
            _report(args, average, school, taken, wrong)
            scored = time.monotonic()
    _report(args, average, school, taken, wrong)
    return 0


def _report(args: argparse.Namespace, average: Generator, school: School, taken: int, wrong: np.ndarray) -> None:
    """Score and save the network as it is."""
    figures = {name: round(float(value), 3) for name, value in score(average, school).items()}
    about: dict[str, Any] = {
        "steps": taken,
        "lessons": len(school.lessons) - KEPT_BACK,
        "seed": args.seed,
        "kept back (PSNR)": figures,
        "device": torch.cuda.get_device_name() if args.device == "cuda" else "cpu",
        "pictures": "engine.stylise.lessons",
    }
    checkpoint.save(args.out, checkpoint.Checkpoint(average.state_dict(), GENERATOR, about))
    print(f"step {taken}, {len(school.lessons)} lessons, losses {wrong.round(4).tolist()}, {figures}", flush=True)
