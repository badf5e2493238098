"""The learn job: the shipped in-betweening network taught by the artist's own clips of one rig, tested on motion that was
held back, and kept only if it is better there than the network it began with and than the plain curves.

What is kept is a folder: the weights, and a JSON file that says whose rig it is and what was measured. Knows no Blender.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engine import checkpoint, clips, device, protocol, quat, skeleton
from engine.motion import baseline, blend, metrics, retime, tokens, training
from engine.motion.networks import Params, TokenLSTM
from engine.progress import Outcome, Update
from engine.protocol import JobError

NAME = "learned/inbetween"
PAST, GAPS = 10, (5, 15, 30)
TEST, CHECK = 0.15, 0.1  # of every clip: held back to be tested on, and to tell when to stop
BRIEF = (
    3  # rows before a gap where it is told when to stop: so long gaps have room in a short stretch, and they tell most
)
LONG = 0.07  # of a clip: if a stretch that tells when to stop need not be longer, there are two
FEWEST_ROWS = 120  # of motion at 30 frames a second: with less there is nothing to test on
BATCH, RATE = 6, 2e-3
BETTER = 0.99  # of the others' error: what counts as better
LOOKS = 12  # how often the networks are compared on the second part,
SHARES = (1.0, 0.5)  # and with how much of what they have learned
CLOSEST = 1e-4  # of the rig's size: how equal the offsets of one rig are
CLOCK = time.monotonic  # a bench on a machine that others use counts the processor's seconds


@dataclass(frozen=True)
class Piece:
    """A stretch of one clip that moves: rotations (T, J, 4), locations (T, J, 3), frames for one row of the network."""

    rotations: Tensor
    locations: Tensor
    step: float

    @property
    def rows(self) -> int:
        """How many rows of the network it is long."""
        return int((len(self.rotations) - 1) / self.step) + 1

    def part(self, start: float, end: float) -> Piece:
        """From one share of it to another."""
        low, high = round(start * len(self.rotations)), round(end * len(self.rotations))
        return Piece(self.rotations[low:high], self.locations[low:high], self.step)

    def window(self, start: float, step: float, rows: int) -> tuple[Tensor, Tensor]:
        """Rotations (rows, J, 4) and locations (rows, J, 3) from frame `start` on, `step` frames apart."""
        at = retime.Rows(start + step * np.arange(rows))
        return at.rotations(self.rotations), at.vectors(self.locations)


@dataclass(frozen=True)
class Windows:
    """Equal stretches, (B, T, J, ·)."""

    rotations: Tensor
    locations: Tensor


def learn_motion(folder: Path, settings: protocol.LearnMotion) -> Generator[Update, bool | None, Outcome]:
    """Learn from clips/, test, and write learned/ if it helps. Raises JobError."""
    yield Update(0.0, "Reading the clips")
    motions = read_clips(folder / "clips")
    rig, pieces = moving_pieces(motions)
    fit, check, test = split(pieces)
    where = device.choose(settings.device)
    if where.type == "cpu":
        torch.set_num_threads(
            1
        )  # steps this small only wait for a second thread, for minutes where the machine is busy
    base = blend.Actor(training.load(training.WEIGHTS / "inbetween")[0].to(where), blend.shipped(where))
    rows = {"frames": sum(len(m.rotations) for m in motions), "windows": sum(p.rows // (PAST + 15) for p in fit)}
    lessons = Lessons(base, rig, fit, check, settings)
    best = yield from lessons.run()
    yield Update(0.97, "Testing on motion held back")
    figures = verdict(base, best, test_windows(test), rig)
    figures |= {"clips": float(len(motions)), **{k: float(v) for k, v in rows.items()}, "steps": float(lessons.steps)}
    told = (
        f"Learned from {len(motions)} clip{'s' * (len(motions) > 1)}, {rows['frames']} frames, about "
        f"{rows['windows']} different gaps of half a second; a seventh of it was held back to be tested on."
    )
    if max(figures["over_base"], figures["over_curves"]) > BETTER:
        other = "the shipped network" if figures["over_base"] > BETTER else "the plain curves"
        return Outcome(
            [], [told, f"It was not better there than {other}, so nothing is kept; add more clips."], figures
        )
    clip = motions[0].clip
    about = {"joints": clip.joints, "parents": clip.parents, "figures": figures, "credit": training.CREDIT}
    weights = {k: v.half() for k, v in best.state_dict().items()}
    checkpoint.save(folder / NAME, checkpoint.Checkpoint(weights, best.net.params, about))
    told_better = f"There the error is {1.0 - figures['over_base']:.0%} below the shipped network's."
    return Outcome([f"{NAME}.safetensors", f"{NAME}.json"], [told, told_better], figures)


def load(folder: Path, clip: protocol.Clip) -> blend.Actor:
    """What learn_motion wrote into a folder, for a clip of the same rig. Raises JobError."""
    path = folder / Path(NAME).name
    if not checkpoint.exists(path):
        raise JobError(f"There is no learned motion style for this in {folder}; learn one, or choose none.")
    saved = checkpoint.load(path, Params)
    facts = saved.about
    if (clip.joints, clip.parents) != (facts.get("joints"), facts.get("parents")):
        raise JobError(f"The motion style in {folder} was learned on another rig; choose one of this rig.")

    def build(params: Params) -> blend.Actor:
        return blend.Actor(TokenLSTM(params), blend.Blend(blend.BlendParams()))

    return checkpoint.restore(saved, build).float().eval().requires_grad_(False)


# --- the artist's clips ----------------------------------------------------------------------------------------------


def read_clips(folder: Path) -> list[clips.Motion]:
    """All clips in a folder, of one rig. Raises JobError."""
    names = sorted(path.stem for path in folder.glob("*.json"))
    if not names:
        raise JobError("There is no clip to learn from; choose Actions of this rig.")
    motions = [clips.read_clip(folder, name) for name in names]
    first = motions[0]
    size = float(skeleton.reach(torch.from_numpy(first.offsets), first.clip.parents))
    for name, motion in zip(names, motions, strict=True):
        same = (motion.clip.joints, motion.clip.parents, motion.clip.up) == (
            first.clip.joints,
            first.clip.parents,
            first.clip.up,
        )
        if not same or np.abs(motion.offsets - first.offsets).max(initial=0.0) > CLOSEST * size:
            raise JobError(f"The clip '{name}' is of another rig than '{names[0]}'; learn from clips of one rig.")
    return motions


def moving_pieces(motions: Sequence[clips.Motion]) -> tuple[tokens.Rig, list[Piece]]:
    """The rig of the joints that move in any of the clips, and the clips as motion of it. Raises JobError."""
    rotations, locations = (
        torch.from_numpy(np.concatenate([getattr(m, name) for m in motions])) for name in ("rotations", "locations")
    )
    part = retime.moving_part(motions[0], rotations, locations)
    lengths = [len(m.rotations) for m in motions]
    steps = [retime.near_one(m.clip.fps) for m in motions]
    turns, moves = part.rotations.split(lengths), part.locations.split(lengths)
    pieces = [Piece(quat.continuous(q), p, s) for q, p, s in zip(turns, moves, steps, strict=True) if len(q) > 1]
    if len(part.joints) < 2 or not pieces or sum(p.rows for p in pieces) < FEWEST_ROWS:
        raise JobError(
            f"The clips hold too little motion to learn from and test on; {FEWEST_ROWS / 30:.0f} seconds or more "
            "of a moving rig are needed."
        )
    return part.rig, pieces


def split(pieces: Sequence[Piece]) -> tuple[list[Piece], list[Piece], list[Piece]]:
    """What is learned from, what tells when to stop, and what is tested on: of every clip a stretch each, of a long one two
    that tell when to stop, for one alone may be unlike the rest."""
    fit, check, test = [], [], []
    for piece in pieces:
        shortest, brief = ((n + 2) / max(piece.rows, 1) for n in (PAST + GAPS[0], BRIEF + GAPS[1] + 1))
        first, second = max(TEST, min(shortest, 0.3)), max(CHECK, min(brief, 0.2))
        test.append(piece.part(0.5, 0.5 + first))
        half = max(0.5 * second, brief)
        checks = [(1.0 - second, 1.0)] if half > LONG else [(0.2, 0.2 + half), (1.0 - half, 1.0)]
        check += [piece.part(*ends) for ends in checks]
        taken = [0.0, *(at for ends in sorted([*checks, (0.5, 0.5 + first)]) for at in ends)]
        fit += [piece.part(start, end) for start, end in zip(taken[::2], taken[1::2], strict=False)]
    return [p for p in fit if p.rows > PAST + GAPS[0]], check, test


def test_windows(pieces: Sequence[Piece], past: int = PAST) -> dict[int, Windows]:
    """For each length of gap the windows of the LaFAN1 protocol, close together; short ones where there is no room."""
    out: dict[int, Windows] = {}
    for gap in GAPS:
        rows = past + gap + 1
        found = [p.window(s * p.step, p.step, rows) for p in pieces for s in range(0, p.rows - rows + 1, 3)]
        if found:
            out[gap] = Windows(torch.stack([q for q, _ in found]), torch.stack([p for _, p in found]))
    if not out:
        raise JobError("Every clip is too short to hold back a part to test on; choose longer Actions.")
    return out


# --- what is compared ------------------------------------------------------------------------------------------------


def rows_keyed(rows: int, joints: int, given: np.ndarray, where: torch.device) -> Tensor:
    """A key mask (1, rows, joints) of whole poses."""
    keys = torch.zeros(1, rows, joints, dtype=torch.bool, device=where)
    keys[:, given] = True
    return keys


def errors(rotations: Tensor, locations: Tensor, truth: Windows, rig: tokens.Rig, free: slice) -> Tensor:
    """How far global rotations and positions are from the truth's in the rows to be filled, (2, B)."""
    made, at = skeleton.fk(rotations[:, free], locations[:, free], rig.offsets[:, None], rig.parents)
    turned, places = skeleton.fk(truth.rotations[:, free], truth.locations[:, free], rig.offsets[:, None], rig.parents)
    turn = (metrics.align(turned, made) - turned).square().sum((2, 3)).add(1e-8).sqrt().mean(1)
    move = ((at - places) / rig.size()).square().sum((2, 3)).add(1e-8).sqrt().mean(1)
    return torch.stack([turn, move])


@torch.inference_mode()
def compare(actor: blend.Actor, windows: dict[int, Windows], rig: tokens.Rig) -> float:
    """Its error over that of the plain curves: mean over gap lengths, of rotations and positions."""
    where, ratios = next(actor.parameters()).device, []
    rig = tokens.Rig(rig.parents, rig.offsets.to(where), rig.up)
    for gap, found in windows.items():
        truth = Windows(found.rotations.to(where), found.locations.to(where))
        past = truth.rotations.shape[1] - gap - 1
        given = np.r_[0:past, past + gap]
        keys = rows_keyed(past + gap + 1, len(rig.parents), given, where).expand(len(truth.rotations), -1, -1)
        free = slice(past, past + gap)
        made = errors(*blend.fill(actor, truth.rotations, truth.locations, keys, keys, rig), truth, rig, free)
        gaps = baseline.gaps(keys)
        curves = baseline.smooth_rotations(truth.rotations, gaps), baseline.smooth(truth.locations, gaps)
        ratios.append(made.mean(1) / errors(*curves, truth, rig, free).mean(1).clamp_min(1e-6))
    return float(torch.stack(ratios).mean())


def verdict(base: blend.Actor, best: blend.Actor, windows: dict[int, Windows], rig: tokens.Rig) -> dict[str, float]:
    """The learned networks' error over the shipped ones' and over the curves'; how many windows were compared."""
    own, shipped = compare(best, windows, rig), compare(base, windows, rig)
    tested = sum(len(w.rotations) for w in windows.values())
    return {"over_base": own / shipped, "over_curves": own, "tested": float(tested)}


# --- learning --------------------------------------------------------------------------------------------------------


class Lessons:
    """The training on the clips: `steps` taken so far."""

    def __init__(
        self, base: blend.Actor, rig: tokens.Rig, fit: list[Piece], check: list[Piece], settings: protocol.LearnMotion
    ) -> None:
        self.actor = blend.Actor(copy.deepcopy(base.net), copy.deepcopy(base.trust))
        self.actor.train().requires_grad_(True)
        self.mean = training.Average(self.actor, 0.97)
        self.base = copy.deepcopy(self.mean.network)
        self.where = next(base.parameters()).device
        self.rig = tokens.Rig(rig.parents, rig.offsets.to(self.where), rig.up)
        self.fit, self.check = fit, test_windows(check, BRIEF)
        self.random, self.seconds, self.steps = np.random.default_rng(settings.seed), settings.seconds, 0
        self.optimizer = torch.optim.AdamW(self.actor.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.02)

    def run(self) -> Generator[Update, bool | None, blend.Actor]:
        """Learn for as long as there is time; of what was learned that which was best on the part for checking. What it began
        with is no choice here: whether anything is kept is told by motion that had no say in this."""
        self.lowest, self.best = float("inf"), self.base
        began, looks = CLOCK(), 0
        while (done := (CLOCK() - began) / self.seconds) < 1.0:
            self.optimizer.param_groups[0]["lr"] = RATE * min(1.0, (self.steps + 1) / 20) * (1.01 - done)
            with training.plain_lstm():
                loss = self.loss()
                self.optimizer.zero_grad()
                loss.backward()
            torch.nn.utils.clip_grad_norm_(self.actor.parameters(), 1.0)
            self.optimizer.step()
            self.mean.update(self.actor, self.steps)
            self.steps += 1
            if (yield Update(0.95 * done, "Learning from the clips")):
                break
            if done * LOOKS > looks + 1:
                looks += 1
                self.look()
        self.look()
        return self.best

    def look(self) -> None:
        """Keep what has been learned, whole or half of it, if it is the best so far on the part for checking."""
        for share in SHARES:
            part = copy.deepcopy(self.base)
            torch._foreach_lerp_(list(part.parameters()), list(self.mean.network.parameters()), share)
            if (now := compare(part, self.check, self.rig)) < self.lowest:
                self.best, self.lowest = part, now

    def loss(self) -> Tensor:
        """The error on a random batch, over that of the interpolation."""
        windows, given = self.draw()
        keys = rows_keyed(windows.rotations.shape[1], len(self.rig.parents), given, self.where)
        keys = keys.expand(len(windows.rotations), -1, -1)
        rig = tokens.Rig(self.rig.parents, self.rig.offsets.expand(len(keys), -1, -1), self.rig.up)
        parts = blend.parts(self.actor.net, windows.rotations, windows.locations, keys, keys, rig)
        made = errors(*parts.poses(self.actor.trust(parts.features)), windows, rig, slice(None))
        between = parts.between
        with torch.no_grad():
            plain = errors(between.rotations, between.locations, windows, rig, slice(None))
        weight = made.new_tensor([[1.0], [3.0]])
        return (weight * made).mean() / ((weight * plain).mean() + 0.02)

    def draw(self) -> tuple[Windows, np.ndarray]:
        """Random windows of one length, at 0.85 to 1.18 times their speed, and the rows that are keyed."""
        random, longest = self.random, max(p.rows for p in self.fit)
        gap = int(random.integers(4, max(5, min(46, longest - PAST - 1))))
        past, future = PAST, 1
        if (kind := random.random()) > 0.5:  # as much before and after as there happens to be
            past, future = (
                int(random.integers(1, PAST + 1)),
                int(random.integers(1, max(2, min(11, longest - PAST - gap)))),
            )
        rows = past + gap + future
        given = np.r_[0:past, past + gap : rows]
        if kind > 0.7:  # keys here and there, as an artist sets them
            given = np.unique(np.r_[0, random.integers(1, rows - 1, max(1, rows // 12)), rows - 1])
        room = np.array([max(p.rows - rows, 0) + (p.rows >= rows) for p in self.fit], np.float64)
        found = []
        for index in random.choice(len(self.fit), BATCH, p=room / room.sum()):
            piece = self.fit[index]
            fastest = (len(piece.rotations) - 1) / (rows - 1)
            step = min(piece.step * float(np.exp(random.uniform(-0.16, 0.16))), fastest)
            start = float(random.uniform(0.0, max(len(piece.rotations) - 1 - step * (rows - 1), 0.0)))
            found.append(piece.window(start, step, rows))
        turns, moves = (torch.stack(x).to(self.where) for x in zip(*found, strict=True))
        return Windows(turns, moves), given
