"""Frames of a path: each stretch is led over from what was played before, by the predictor and the generator, then plays as it
was learned. The networks work at the clip's size; what is finer is carried along in the pictures' own. It knows arrays, no files.

However long the path, nothing fades, freezes or explodes: the networks never run on their own output for longer than one lead,
since each begins at learned frames, and each ends in learned frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.footage.tracking import Flow
from engine.generate import paths
from engine.generate.clip import Clip, find_flow
from engine.generate.networks import Networks, State, enlarge, enlarge_flow, warp
from engine.generate.training import AHEAD, HISTORY, begin

UNSEEN = 1 / 512  # alpha, below which there is nothing
MEMORY = 12  # frames that the LSTM looks back


@dataclass(frozen=True)
class Player:
    """What frames are made with. pictures: (T, 4, H, W) of any size; clip: the same, small."""

    pictures: Tensor
    clip: Clip
    networks: Networks
    device: torch.device

    def picture(self, i: int) -> Tensor:
        """(1, 4, H, W) float32."""
        return self.pictures[i][None].float().to(self.device)


@torch.inference_mode()
def expectations(player: Player) -> np.ndarray:
    """(T, H, D): how latent motion is expected to go on after each frame."""
    latent = torch.from_numpy(player.clip.latent).to(player.device)
    ahead = min(AHEAD, paths.longest_lead(len(latent)))
    made = [latent[:1].expand(ahead, -1)]
    for t in range(1, len(latent)):
        made.append(player.networks.latent(latent[None, max(0, t + 1 - MEMORY) : t + 1], ahead)[0])
    return torch.stack(made).cpu().numpy()


def play(player: Player, stretch: paths.Stretch) -> Iterator[Tensor]:
    """The frames of a stretch, (4, H, W) each."""
    count = len(player.clip)
    lead = min(paths.lead_of(stretch.fit, paths.longest_lead(count)), stretch.length)
    known = stretch.leave + lead < count
    leaving = _go_on(player, stretch.leave) if stretch.leave >= HISTORY - 1 else None
    search = Flow(*player.clip.pictures.shape[-2:])
    for h in range(stretch.length):
        goal = stretch.begin + h
        share = paths.share_of(h + 1, lead, stretch.fit, known)
        if leaving is None or share >= 1:
            yield player.picture(goal)[0]
            continue
        coarse, fine = next(leaving)
        made = _lead(player, coarse, fine, goal, share, search)[0].clamp(min=0)
        yield made * (made[3:] > UNSEEN)


@torch.inference_mode()
def _lead(player: Player, coarse: Tensor, fine: Tensor, goal: int, share: float, search: Flow) -> Tensor:
    other = player.clip.pictures[goal][None].to(player.device)
    found = find_flow(search, coarse[0], other[0])[None].to(player.device)
    blend = player.networks.generator(coarse, other, found, torch.full((1, 1, 1, 1), share, device=player.device))
    return blend.of(fine, player.picture(goal))


def _go_on(player: Player, leave: int) -> Iterator[tuple[Tensor, Tensor]]:
    """What comes after a learned frame, small and in full size: as it was learned, and then as the predictor expects."""
    last = len(player.clip) - 1
    for i in range(leave + 1, last + 1):
        yield player.clip.pictures[i][None].to(player.device), player.picture(i)
    past = begin(player.clip, [last], (slice(None), slice(None)), player.device)
    with torch.inference_mode():
        state = past[0]
        for later in past[1:]:
            state = later._replace(memory=player.networks.predictor(state).memory)
    fine = player.picture(last)
    while True:
        with torch.inference_mode():
            state, fine = _advance(player.networks, state, fine)
        yield state.frames[-1], fine


def _advance(networks: Networks, state: State, fine: Tensor) -> tuple[State, Tensor]:
    """One frame on; what is finer than the clip goes where the flow takes it."""
    after = networks.predictor(state)
    if fine.shape == after.frames[-1].shape:
        return after, after.frames[-1]
    size = (fine.shape[-2], fine.shape[-1])
    new = after.frames[-1] - warp(state.frames[-1], after.flow)
    return after, warp(fine, enlarge_flow(after.flow, size)) + enlarge(new, size)
