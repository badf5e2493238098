"""Learning to make a picture between two others from the one sequence that it is for, and making it. What is trained is kept
only as far as it does better than plain flow on frames that are there. It knows a sequence as pictures by frame number; neither
how files are named nor what is asked for."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator as Steps
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine import checkpoint, device, protocol
from engine.generate.flows import BothWays, Meeting, as_seen, bow, meet
from engine.generate.midway import SIDES, Ends, Lesson, Midway, MidwayParams, again, apart, crops, hints
from engine.generate.sequence import as_preview
from engine.progress import Update

NETWORK = "midway"
WIDTHS = 24, 40, 56
SECONDS = 50.0  # most that the training takes
LESSONS = 40
LESSON_SIDE = 192  # pixels of a picture that a lesson takes
CROP = 64
BATCH = 4
RATE = 1.5e-3
FEWEST = 4  # lessons, below which flow alone is used
CHECK_EVERY = 4  # of so many lessons one is not learned from: network and flow are compared on it
SHARES = (0.0, 0.35, 0.7)  # of what the network says, in what is made
SEEN = 0.1  # by which colours differ, in all channels together
DRAWN_ANEW = (
    "What is seen is drawn anew in each frame rather than moved, so nothing lies between; neighbours were mixed there."
)
PIXELS = 1 << 20  # of a piece of a picture that is made at once
HALO = 32  # pixels around it that bear on it, besides those that move in


class Numbered(Protocol):
    """A picture sequence."""

    numbers: list[int]
    linear: bool

    def colours(self, number: int) -> np.ndarray:
        """(H, W, 4) float32, premultiplied: light where the sequence is linear, else sRGB."""

    def digest(self, *numbers: int) -> str:
        """Short name of what these frames hold."""


@dataclass
class Maker:
    """Makes a picture between two. share: of the network's word, 0 for flow alone. blends: the two are only mixed, without the
    network or flow. name: of what is in it, for a file's metadata."""

    network: Midway
    device: torch.device
    share: float = 0.0
    name: str = "flow"
    notes: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    blends: bool = False

    def tensor(self, planes: np.ndarray) -> Tensor:
        """(1, C, H, W) of (H, W, C)."""
        return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1)))[None].to(self.device)

    def __call__(self, first: np.ndarray, second: np.ndarray, meeting: Meeting, t: float) -> np.ndarray:
        """(H, W, 4) float32 at time t, premultiplied as the two."""
        if self.blends:
            return ((1 - t) * first + t * second).astype(np.float32)
        leads = torch.from_numpy(hints(meeting))[None].to(self.device)
        ends = Ends(self.tensor(first), self.tensor(second), leads, torch.tensor([t], device=self.device))
        height, width = first.shape[:2]
        rows = max(64, PIXELS // width)
        made = [self._rows(ends, top, min(height, top + rows)) for top in range(0, height, rows)]
        return np.ascontiguousarray(torch.cat(made, 2)[0].cpu().numpy().transpose(1, 2, 0))

    @torch.inference_mode()
    def _rows(self, ends: Ends, top: int, bottom: int) -> Tensor:
        """(1, 4, bottom - top, W), from so much of the pictures as can move there."""
        height = ends.first.shape[2]
        reach = HALO + int(ends.hints[:, :4].abs().max())
        above, below = max(0, top - reach), min(height, bottom + reach)
        part = Ends(
            ends.first[:, :, above:below], ends.second[:, :, above:below], ends.hints[:, :, above:below], ends.t
        )
        made = make(self.network, part, self.share)
        return made[:, :, top - above : bottom - above]


def make(network: Midway, ends: Ends, share: float) -> Tensor:
    """(B, 4, H, W) of pictures of any size: plain flow and the network, seen both ways in time, mixed."""
    height, width = ends.first.shape[2:]
    pad = (0, -width % SIDES, 0, -height % SIDES)
    if any(pad):
        first, second, leads = (F.pad(x, pad, mode="replicate") for x in (ends.first, ends.second, ends.hints))
        ends = Ends(first, second, leads, ends.t)
    made = network.plain(ends)
    if share > 0:
        said = (network(ends) + network(ends.turned())) / 2
        made = (1 - share) * made + share * said
    return made[:, :, :height, :width]


def learn(
    folder: Path, source: Numbered, cuts: list[tuple[int, int]], settings: protocol.Generate
) -> Steps[Update, bool | None, Maker]:
    """A maker for the sequence, trained within min(settings.seconds, SECONDS); kept in `folder`, and taken from there if it is
    of these frames. Updates go from 0 to 1."""
    chosen = device.choose(settings.device)
    device.seed_all(settings.seed)
    mark = f"{source.digest(*source.numbers)} {settings.seed}"
    if checkpoint.exists(folder / NETWORK):
        saved = checkpoint.load(folder / NETWORK, MidwayParams)
        if saved.about.get("frames") == mark:
            return _maker(folder, checkpoint.restore(saved, Midway).to(chosen), chosen, float(saved.about["share"]))
    params = MidwayParams(*WIDTHS, light=source.linear)
    network = Midway(params).to(chosen)
    seconds = min(settings.seconds, SECONDS)
    triplets = _triplets(source.numbers, cuts)
    if seconds <= 0 or len(triplets) < FEWEST:
        note = ["The frames are too few to learn their motion from; optical flow alone made what lies between."]
        return Maker(network, chosen, notes=note if seconds > 0 else [])
    start = time.monotonic()
    lessons = yield from _prepare(source, triplets, settings.seed, seconds)
    if _goes_on(lessons) < 0:
        return Maker(network, chosen, 0.0, "blend", [DRAWN_ANEW], {"steps": 0, "share": 0}, blends=True)
    learned = [lesson for i, lesson in enumerate(lessons) if i % CHECK_EVERY]
    step = yield from _train(network, learned, seconds - (time.monotonic() - start), settings.seed)
    share, gain = _best_share(network, lessons[::CHECK_EVERY])
    about = {"frames": mark, "share": share, "steps": step}
    checkpoint.save(folder / NETWORK, checkpoint.Checkpoint(network.state_dict(), params, about))
    maker = _maker(folder, network, chosen, share)
    maker.figures = {"steps": step, "share": share, "gain": gain, "training s": time.monotonic() - start}
    return maker


def _maker(folder: Path, network: Midway, chosen: torch.device, share: float) -> Maker:
    weights = hashlib.sha256((folder / f"{NETWORK}.safetensors").read_bytes()).hexdigest()[:12]
    return Maker(network.eval(), chosen, share, f"midway {weights}, {share:g}" if share else "flow")


def _goes_on(lessons: list[Lesson]) -> float:
    """Whether what moves moves on, over all lessons, 1 to -1: drawings that are made anew for every frame go to and fro."""
    weight = sum(lesson.weight for lesson in lessons)
    return sum(lesson.goes_on * lesson.weight for lesson in lessons) / weight if weight else 1.0


# --- lessons ---------------------------------------------------------------------------------------------------------


def _triplets(numbers: list[int], cuts: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Three frames in a row at even distances, without a cut; at most LESSONS, spread over the sequence."""
    cut = set(cuts)
    found = [
        (a, b, c)
        for a, b, c in zip(numbers, numbers[1:], numbers[2:], strict=False)
        if b - a == c - b and (a, b) not in cut and (b, c) not in cut
    ]
    if len(found) <= LESSONS:
        return found
    return [found[int(i)] for i in np.linspace(0, len(found) - 1, LESSONS)]


def _prepare(
    source: Numbered, triplets: list[tuple[int, int, int]], seed: int, seconds: float
) -> Steps[Update, bool | None, list[Lesson]]:
    """Lessons of the triplets, as many as a third of the time allows."""
    rng, lessons, start = np.random.default_rng(seed), [], time.monotonic()
    for i in rng.permutation(len(triplets)):
        pictures = [source.colours(number) for number in triplets[i]]
        height, width = pictures[0].shape[:2]
        y, x = (int(rng.integers(max(1, n - LESSON_SIDE + 1))) for n in (height, width))
        lessons.append(_lesson([p[y : y + LESSON_SIDE, x : x + LESSON_SIDE] for p in pictures], source.linear))
        yield Update(0.1 * len(lessons) / len(triplets), f"Following what moves, frame {triplets[i][1]}")
        if time.monotonic() - start > seconds / 3 and len(lessons) >= FEWEST:
            break
    return lessons


def _lesson(pictures: list[np.ndarray], linear: bool) -> Lesson:
    first, middle, second = (as_seen(picture, linear) for picture in pictures)
    flow = BothWays(*first.shape[:2])
    early, late = flow(first, middle), flow(middle, second)
    aside = bow(early, late) / 8  # what lies half a step away, if the motion goes in a bow
    near = Meeting(0.5 * early.back - aside, 0.5 * late.onward - aside, early.sure_back, late.sure)
    stacked = np.stack([picture.transpose(2, 0, 1) for picture in pictures])
    leads = meet(early, 0.5, after=late), meet(late, 0.5, before=early), near
    differs = [np.abs(pictures[1] - other).sum(-1) > SEEN for other in (pictures[0], pictures[2])]
    before, after = -early.back[differs[0] | differs[1]], late.onward[differs[0] | differs[1]]
    weight = float(np.sqrt((before**2).sum() * (after**2).sum()))
    goes_on = float((before * after).sum()) / max(weight, 1e-6)
    first_hints, second_hints, near_hints = (hints(lead).astype(np.float16) for lead in leads)
    return Lesson(stacked.astype(np.float16), first_hints, second_hints, near_hints, goes_on, weight)


# --- training --------------------------------------------------------------------------------------------------------


def _train(network: Midway, lessons: list[Lesson], seconds: float, seed: int) -> Steps[Update, bool | None, int]:
    """Steps until the time is over; how many."""
    where = next(network.parameters()).device
    optimise = torch.optim.Adam(network.parameters(), RATE, betas=(0.9, 0.99))
    rng, step, start, shown = np.random.default_rng(seed), 0, time.monotonic(), 0.0
    while (done := (time.monotonic() - start) / max(seconds, 1e-3)) < 1:
        for group in optimise.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / 20) * (1.02 - done)
        batch = crops(lessons, CROP, BATCH, rng, where)
        picture, truth = again(network, batch)
        error = apart(picture, truth)
        optimise.zero_grad(set_to_none=True)
        error.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimise.step()
        step += 1
        preview = None
        if time.monotonic() - shown > 0.9:
            shown, preview = time.monotonic(), as_preview(picture[0], False)
        text = f"Learning to make frames between, step {step}, error {float(error.detach()):.4f}"
        if (yield Update(0.1 + 0.9 * done, text, preview)):
            break
    return step


@torch.inference_mode()
def _best_share(network: Midway, lessons: list[Lesson]) -> tuple[float, float]:
    """How much of the network's word is best on lessons that it has not had, and by how many dB that is better than flow alone.
    The truth lies between two pictures that were made at the sequence's own distance."""
    where = next(network.parameters()).device
    errors = dict.fromkeys(SHARES, 0.0)
    for lesson in lessons:
        fields = (lesson.pictures, lesson.early, lesson.late, lesson.near)
        pictures, early, late, near = (torch.from_numpy(x.astype(np.float32)).to(where) for x in fields)
        first, middle, second = (pictures[i : i + 1] for i in range(3))
        t = torch.full((1,), 0.5, device=where)
        for share in SHARES:
            before = make(network, Ends(first, middle, early[None], t), share)
            after = make(network, Ends(middle, second, late[None], t), share)
            made = make(network, Ends(before, after, near[None], t), share)
            errors[share] += float(((network.seen(made) - network.seen(middle)) ** 2).mean())
    best = min(errors, key=errors.__getitem__)
    return best, 10 * float(np.log10(max(errors[0.0], 1e-9) / max(errors[best], 1e-9)))
