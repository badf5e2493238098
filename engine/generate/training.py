"""The steps in which the networks learn a clip: the predictor from its own unrolled frames, the generator on leaps between
stretches against an image critic and a video critic, the LSTM on latent motion with noise. It knows clips and tensors, no
files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from engine.footage.tracking import Flow
from engine.generate import paths
from engine.generate.clip import Clip, find_flow
from engine.generate.networks import Networks, State

HISTORY = 4  # frames that a prediction looks back on, three of them at once
AHEAD = 8  # frames that it is unrolled at most
CROP = 64
PREDICTIONS = 4  # crops a step
LEADS = 2
RATE = 2e-3
STILL = 0.5  # of the leaps are learned as those of what flow cannot follow
NOISE = 0.3  # in latent motion, of a step between neighbours


@dataclass
class Training:
    """Everything that a step needs."""

    clip: Clip
    networks: Networks
    average: Networks
    makers: torch.optim.Optimizer
    judges: torch.optim.Optimizer
    rng: np.random.Generator
    device: torch.device
    adversarial: float
    leaps: np.ndarray
    before: int = 0
    step: int = 0
    error: float = 0.0
    shown: Tensor | None = None


def begin(clip: Clip, at: list[int], window: tuple[slice, slice], device: torch.device) -> list[State]:
    """States for the predictor up to the frames `at`, one for each of the last HISTORY - 2 frames, without memory."""
    rows, columns = window

    def crop(maps: Tensor, back: int) -> Tensor:
        return torch.stack([maps[t - back, :, rows, columns] for t in at]).to(device)

    frames = [crop(clip.pictures, back) for back in range(HISTORY - 1, -1, -1)]
    return [
        State((frames[i - 2], frames[i - 1], frames[i]), crop(clip.flows, HISTORY - 1 - i), None)
        for i in range(2, HISTORY)
    ]


def unroll(networks: Networks, past: list[State], ahead: int) -> list[Tensor]:
    """`ahead` frames (B, 4, H, W) after the past, each from those before it."""
    state, made = past[0], []
    for later in past[1:]:
        state = later._replace(memory=networks.predictor(state).memory)
    for _ in range(ahead):
        state = networks.predictor(state)
        made.append(state.frames[-1])
    return made


def _window(training: Training) -> tuple[slice, slice]:
    """A crop, of the whole picture where that is not larger; its corner on an even pixel."""
    places = []
    for side in training.clip.pictures.shape[-2:]:
        crop = min(CROP, side)
        corner = 2 * int(training.rng.integers(0, (side - crop) // 2 + 1))
        places.append(slice(corner, corner + crop))
    return places[0], places[1]


def step_predictor(training: Training, ahead: int) -> None:
    """The next frames, as they were."""
    clip, rng = training.clip, training.rng
    at = [int(t) for t in rng.integers(HISTORY - 1, len(clip) - ahead, PREDICTIONS)]
    window = _window(training)
    made = unroll(training.networks, begin(clip, at, window, training.device), ahead)
    loss = torch.zeros((), device=training.device)
    for h, frame in enumerate(made, 1):
        truth = torch.stack([clip.pictures[t + h, :, window[0], window[1]] for t in at]).to(training.device)
        loss = loss + difference(frame, truth) / ahead
    _descend(training.makers, loss, training.networks.predictor)
    training.error, training.shown = float(loss.detach()), made[-1][0].detach()


def step_latent(training: Training) -> None:
    """Latent motion, from a past that is a little wrong."""
    latent, rng = training.clip.latent, training.rng
    ahead = min(AHEAD, len(latent) // 3)
    back = min(12, len(latent) - ahead)
    at = rng.integers(back, len(latent) - ahead + 1, 16)
    clips = torch.from_numpy(np.stack([latent[t - back : t + ahead] for t in at])).to(training.device)
    past = clips[:, :back]
    made = training.networks.latent(past + NOISE * rng.uniform() * torch.randn_like(past), ahead)
    _descend(training.makers, 0.1 * F.smooth_l1_loss(made, clips[:, back:]), training.networks.latent)


@dataclass
class Lead:
    """Three neighbouring frames of leaps. made: what the generator makes of them; truth: what came where the first stretch went
    on; goal: the second stretch; share: (B, 1, 1, 1) each, of the second."""

    made: list[Tensor]
    truth: list[Tensor]
    goal: list[Tensor]
    share: list[Tensor]


def lead_over(training: Training) -> Lead:
    """Leaps such as will be made, three frames of each, cropped."""
    clip, rng, device = training.clip, training.rng, training.device
    longest = paths.longest_lead(len(clip))
    places = [paths.draw_leap(training.leaps, longest, rng) for _ in range(LEADS)]
    leads = [paths.lead_of(fit, longest, longest) for _, _, fit in places]
    rows, columns = _window(training)
    known = bool(rng.random() < 0.6)  # as most leaps are: from where it was learned how it goes on
    predicted: list[Tensor] = []
    if not known:
        with torch.no_grad():
            past = begin(clip, [i for i, _, _ in places], (rows, columns), device)
            predicted = unroll(training.average, past, max(leads))
    search = Flow(rows.stop - rows.start, columns.stop - columns.start)
    still = rng.random() < STILL
    lead, first = Lead([], [], [], []), int(rng.integers(1, min(leads) - 1))
    for h in range(first, first + 3):
        other, truth = (
            torch.stack([clip.pictures[int(place[k]) + h, :, rows, columns] for place in places]).to(device)
            for k in (1, 0)
        )
        one = truth if known else predicted[h - 1]
        flows = both_flows(search, one, other) * (0 if still else 1)
        share = torch.tensor([paths.share_of(h, n) for n in leads], device=device)[:, None, None, None]
        meeting = training.networks.generator(one, other, flows, share)
        old, new = meeting.bring(one, other)
        lead.made.append(torch.lerp(old, new, meeting.gate))
        lead.truth.append(truth)
        lead.goal.append(other)
        lead.share.append(share)
    return lead


def both_flows(search: Flow, first: Tensor, second: Tensor) -> Tensor:
    """(B, 4, H, W): the flow from each first picture to the second, and back."""
    found = [torch.cat([find_flow(search, a, b), find_flow(search, b, a)]) for a, b in zip(first, second, strict=True)]
    return torch.stack(found).to(first.device)


def step_generator(training: Training, lead: Lead) -> None:
    """Early frames as they truly came, late ones as the second stretch has them, as crisp as those, and none that the critics
    know."""
    networks = training.networks
    loss = torch.zeros((), device=training.device)
    for made, truth, goal, share in zip(lead.made, lead.truth, lead.goal, lead.share, strict=True):
        loss = loss + difference(made, truth, 1 - share) + difference(made, goal, share.square())
        loss = loss + 0.5 * texture(made, truth, goal, share)
    if training.adversarial:
        networks.image_critic.requires_grad_(False)
        networks.video_critic.requires_grad_(False)
        doubt = -networks.image_critic(lead.made[1]).mean() - networks.video_critic(motion(lead.made)).mean()
        loss = loss + training.adversarial * doubt
    _descend(training.makers, loss, networks.generator)
    training.shown = lead.made[1][0].detach()


def step_critics(training: Training, lead: Lead) -> None:
    """Learned frames against generated ones, alone and three in a row."""
    networks = training.networks.requires_grad_(True)
    made, true = [m.detach() for m in lead.made], lead.truth
    loss = torch.zeros((), device=training.device)
    for critic, real, fake in (
        (networks.image_critic, torch.cat([true[1], lead.goal[1]]), made[1]),
        (networks.video_critic, torch.cat([motion(true), motion(lead.goal)]), motion(made)),
    ):
        loss = loss + F.relu(1 - critic(real)).mean() + F.relu(1 + critic(fake)).mean()
    training.judges.zero_grad(set_to_none=True)
    loss.backward()
    training.judges.step()


def motion(three: list[Tensor]) -> Tensor:
    """Three frames in a row as the video critic sees them: the middle one, and what changes."""
    return torch.cat([three[1], 4 * (three[1] - three[0]), 4 * (three[2] - three[1])], 1)


def difference(made: Tensor, truth: Tensor, weight: Tensor | float = 1.0) -> Tensor:
    """L1 and root mean square, so that neither small nor large errors are let go. weight: of each picture, (B, 1, 1, 1)."""
    wrong = made - truth
    squared = (wrong.square().mean((1, 2, 3), keepdim=True) + 1e-6).sqrt()
    return (weight * (wrong.abs() + 0.5 * squared)).mean()


def texture(made: Tensor, truth: Tensor, goal: Tensor, share: Tensor, side: int = 8) -> Tensor:
    """How far local contrast is from what it is in both: less of it is blur, or two pictures seen through each other."""

    def spread(x: Tensor) -> Tensor:
        mean = F.avg_pool2d(x, side, side // 2)
        return ((F.avg_pool2d(x * x, side, side // 2) - mean * mean).clamp(min=0) + 1e-4).sqrt()

    return (spread(made) - (1 - share) * spread(truth) - share * spread(goal)).abs().mean()


def _descend(optimiser: torch.optim.Optimizer, loss: Tensor, network: nn.Module) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()


@torch.no_grad()
def follow(training: Training) -> None:
    """The average of the last networks is the one that is kept."""
    part = max(0.02, 1 / (training.before + training.step + 1))
    for slow, fast in zip(training.average.parameters(), training.networks.parameters(), strict=True):
        slow.lerp_(fast, part)


def step(training: Training, done: float) -> None:
    """One step; done: part of the budget that is spent. The predictor learns first, and farther ahead by and by; then, in turn
    with the others."""
    rate = RATE * min(1.0, (training.step + 1) / 20) * min(1.0, 0.02 + 2 * (1 - done))
    for group in (*training.makers.param_groups, *training.judges.param_groups):
        group["lr"] = rate
    training.networks.requires_grad_(True)
    reach = min(AHEAD, paths.longest_lead(len(training.clip)))
    if done < 0.4 or training.step % 3 == 0:
        step_predictor(training, min(reach, 2 + int(16 * done)))
    else:
        lead = lead_over(training)
        step_generator(training, lead)
        if training.adversarial:
            step_critics(training, lead)
    for _ in range(2):
        step_latent(training)
    follow(training)
    training.step += 1
