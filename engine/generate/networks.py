"""The networks that learn one sequence: the predictor of the next frames, the generator that leads one stretch over into another,
critics of images and of motion, and an LSTM over the latent motion. They know tensors only.

A flow (B, 2, H, W) holds, x first, how many pixels off a pixel's colour is to be fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

CHANNELS = 4  # of a picture: colours premultiplied by alpha, alpha
REACH = 0.25  # most that a residual adds, in tones
TURN = 4.0  # pixels by which a step may correct a flow


@dataclass(frozen=True)
class NetworkParams:
    """fine, wide, deep: widths at a half, a quarter and an eighth of the size. judge: width of the critics. latent: coordinates
    of latent motion. hidden: of the LSTM over them."""

    fine: int
    wide: int
    deep: int
    judge: int
    latent: int
    hidden: int


Memory = tuple[Tensor, Tensor]


def warp(picture: Tensor, flow: Tensor, crisp: bool = False) -> Tensor:
    """(B, C, H, W) fetched along a flow; beyond the border, the border's own colour. crisp: by cubic curves."""
    height, width = picture.shape[-2:]
    y = torch.arange(height, device=picture.device)[:, None] + 0.5
    x = torch.arange(width, device=picture.device)[None] + 0.5
    grid = torch.stack([(x + flow[:, 0]) * (2 / width) - 1, (y + flow[:, 1]) * (2 / height) - 1], -1)
    if not crisp:
        return F.grid_sample(picture, grid, padding_mode="border", align_corners=False)
    found = F.grid_sample(picture, grid, mode="bicubic", padding_mode="border", align_corners=False)
    return found.clamp(0, max(1.0, float(picture.amax())))


def enlarge(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps at another size, smoothly."""
    if maps.shape[-2:] == size:
        return maps
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False)


def enlarge_flow(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """A flow at another size, in pixels of that size."""
    scale = torch.tensor([size[1] / flow.shape[-1], size[0] / flow.shape[-2]], device=flow.device)
    return enlarge(flow, size) * scale[:, None, None]


class ConvLSTM(nn.Module):
    """A recurrent cell over maps (B, C, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * width, 4 * width, 3, padding=1)

    def forward(self, x: Tensor, memory: Memory | None) -> tuple[Tensor, Memory]:
        hidden, cell = memory if memory else (torch.zeros_like(x), torch.zeros_like(x))
        take, keep, show, new = self.gates(torch.cat([x, hidden], 1)).chunk(4, 1)
        cell = torch.sigmoid(keep + 1) * cell + torch.sigmoid(take) * torch.tanh(new)
        hidden = torch.sigmoid(show) * torch.tanh(cell)
        return hidden, (hidden, cell)


class Trunk(nn.Module):
    """A small U-Net from maps (B, inputs, H, W), sides multiples of 8, to (B, outputs, H/2, W/2), at first zero; with a recurrent
    cell at its bottom if asked for."""

    def __init__(self, inputs: int, outputs: int, params: NetworkParams, recurrent: bool) -> None:
        super().__init__()
        fine, wide, deep = params.fine, params.wide, params.deep
        self.enter = nn.Conv2d(4 * inputs, fine, 3, padding=1)
        self.down = nn.Conv2d(fine, wide, 3, stride=2, padding=1)
        self.deeper = nn.Conv2d(wide, deep, 3, stride=2, padding=1)
        self.cell = ConvLSTM(deep) if recurrent else None
        self.middle = nn.Conv2d(deep, deep, 3, padding=1)
        self.up = nn.Conv2d(deep + wide, wide, 3, padding=1)
        self.join = nn.Conv2d(wide + fine, fine, 3, padding=1)
        self.leave = nn.Conv2d(fine, outputs, 3, padding=1)
        for tensor in self.leave.parameters():
            nn.init.zeros_(tensor)

    def forward(self, maps: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory | None]:
        fine = F.silu(self.enter(F.pixel_unshuffle(maps, 2)))
        wide = F.silu(self.down(fine))
        deep = F.silu(self.deeper(wide))
        if self.cell is not None:
            remembered, memory = self.cell(deep, memory)
            deep = deep + remembered
        deep = deep + F.silu(self.middle(deep))
        wide = F.silu(self.up(torch.cat([F.interpolate(deep, scale_factor=2.0), wide], 1)))
        fine = F.silu(self.join(torch.cat([F.interpolate(wide, scale_factor=2.0), fine], 1)))
        return self.leave(fine), memory


class State(NamedTuple):
    """Where a prediction stands. frames: the last three, (B, 4, H, W), the newest at the end. flow: from the newest to the one
    before. memory: of the recurrent cell."""

    frames: tuple[Tensor, Tensor, Tensor]
    flow: Tensor
    memory: Memory | None


class Predictor(nn.Module):
    """The next frame of the last three. The newest is moved on along its own flow, as corrected; its last change may go on
    (waves do); the rest is added. A ConvLSTM remembers how it went on so far. Untrained, it extrapolates the flow."""

    def __init__(self, params: NetworkParams) -> None:
        super().__init__()
        self.trunk = Trunk(3 * CHANNELS + 2, 3 + 4 * CHANNELS, params, recurrent=True)

    def forward(self, state: State) -> State:
        old, mid, new = state.frames
        size = (new.shape[-2], new.shape[-1])
        seen = torch.cat([new, 4 * (new - mid), 4 * (mid - old), state.flow / 4], 1)
        maps, memory = self.trunk(seen, state.memory)
        flow = warp(state.flow, state.flow) + TURN * torch.tanh(enlarge(maps[:, :2], size))
        inertia = torch.tanh(enlarge(maps[:, 2:3], size))
        moved = warp(torch.cat([new, new - mid], 1), flow)
        frame = moved[:, :CHANNELS] + inertia * moved[:, CHANNELS:]
        frame = (frame + REACH * torch.tanh(F.pixel_shuffle(maps[:, 3:], 2))).clamp(-0.1, 3)
        return State((mid, new, frame), flow, memory)


class Meeting(NamedTuple):
    """How two pictures are brought together, at any size. first, second: flows. gate: how much rather the second is taken,
    (B, 1, H, W), 0 to 1."""

    first: Tensor
    second: Tensor
    gate: Tensor

    def bring(self, first: Tensor, second: Tensor, crisp: bool = False) -> tuple[Tensor, Tensor]:
        """Two pictures (B, 4, H, W), moved to where they agree."""
        size = (first.shape[-2], first.shape[-1])
        return (
            warp(first, enlarge_flow(self.first, size), crisp),
            warp(second, enlarge_flow(self.second, size), crisp),
        )


class Generator(nn.Module):
    """Leads a stretch that ends over into one that begins: it says where both are fetched from, so that they agree, and which of
    them to take, place by place. Untrained, it morphs along the flows that it is given, evenly in time."""

    def __init__(self, params: NetworkParams) -> None:
        super().__init__()
        self.trunk = Trunk(2 * CHANNELS + 5, 5, params, recurrent=False)

    def forward(self, first: Tensor, second: Tensor, flows: Tensor, share: Tensor) -> Meeting:
        """flows: (B, 4, H, W), from the first to the second and back. share: (B, 1, 1, 1), 0 the first to 1 the second, in what
        is seen and of the way that things go."""
        size = (first.shape[-2], first.shape[-1])
        there = share.expand(-1, 1, *size)
        maps, _ = self.trunk(torch.cat([first, second, flows / 4, 2 * there - 1], 1))
        between = 4 * share * (1 - share)
        turns = TURN * between * torch.tanh(enlarge(maps[:, :4], size))
        gate = torch.sigmoid(torch.logit(there, 1e-4) + 4 * torch.tanh(enlarge(maps[:, 4:], size)))
        return Meeting(turns[:, :2] + share * flows[:, 2:], turns[:, 2:] + (1 - share) * flows[:, :2], gate)


class Critic(nn.Module):
    """Tells learned patches from generated ones: (B, inputs, H, W) to a score for each patch of about 20 pixels."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.enter = spectral_norm(nn.Conv2d(4 * inputs, width, 3, padding=1))
        self.down = spectral_norm(nn.Conv2d(width, width, 4, stride=2, padding=1))
        self.middle = spectral_norm(nn.Conv2d(width, width, 3, padding=1))
        self.score = spectral_norm(nn.Conv2d(width, 1, 1))

    def forward(self, maps: Tensor) -> Tensor:
        x = F.leaky_relu(self.enter(F.pixel_unshuffle(maps, 2)), 0.2)
        x = F.leaky_relu(self.middle(F.leaky_relu(self.down(x), 0.2)), 0.2)
        return self.score(x)


class LatentMotion(nn.Module):
    """What latent motion does next: an LSTM over (B, T, latent)."""

    def __init__(self, params: NetworkParams) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2 * params.latent, params.hidden, batch_first=True)
        self.leave = nn.Linear(params.hidden, params.latent)
        for tensor in self.leave.parameters():
            nn.init.zeros_(tensor)

    def forward(self, past: Tensor, ahead: int) -> Tensor:
        """(B, ahead, latent) after (B, T, latent): velocity goes on, as corrected."""
        speed = torch.diff(past, dim=1)
        told, memory = self.lstm(torch.cat([past[:, 1:], speed], -1))
        at, last, made = past[:, -1], speed[:, -1], []
        for _ in range(ahead):
            last = last + self.leave(told[:, -1])
            at = at + last
            made.append(at)
            told, memory = self.lstm(torch.cat([at, last], -1)[:, None], memory)
        return torch.stack(made, 1)


class Networks(nn.Module):
    """All that is learned of a sequence."""

    def __init__(self, params: NetworkParams) -> None:
        super().__init__()
        self.predictor = Predictor(params)
        self.generator = Generator(params)
        self.image_critic = Critic(CHANNELS, params.judge)
        self.video_critic = Critic(3 * CHANNELS, params.judge)
        self.latent = LatentMotion(params)
