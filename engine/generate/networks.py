"""The networks that learn one sequence: the motion predictor, the generator that leads one stretch of it over into another, an
image critic and a video critic, and an LSTM over the latent motion. They know tensors only."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

CHANNELS = 4  # of a picture: colours premultiplied by alpha, alpha
REACH = 0.25  # most that the residual may add, in tones
FARTHEST = 12.0  # pixels that a frame may move in one step


@dataclass(frozen=True)
class NetworkParams:
    """fine, wide, deep: widths at a half, a quarter and an eighth of the size. latent, hidden: of the LSTM over latent motion."""

    fine: int
    wide: int
    deep: int
    latent: int
    hidden: int


Memory = tuple[Tensor, Tensor]


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


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """(B, C, H, W) pictures fetched from where `flow` (B, 2, H, W), in pixels, x first, points to."""
    height, width = picture.shape[-2:]
    y = torch.linspace(-1 + 1 / height, 1 - 1 / height, height, device=picture.device)[:, None].expand(height, width)
    x = torch.linspace(-1 + 1 / width, 1 - 1 / width, width, device=picture.device)[None].expand(height, width)
    grid = torch.stack([x + flow[:, 0] * (2 / width), y + flow[:, 1] * (2 / height)], -1)
    return F.grid_sample(picture, grid, padding_mode="border", align_corners=False)


class Trunk(nn.Module):
    """A small U-Net from pictures (B, inputs, H, W), sides multiples of 8, to maps (B, outputs, H/2, W/2); with a recurrent cell at
    its bottom if asked for."""

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
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, pictures: Tensor, memory: Memory | None = None) -> tuple[Tensor, Memory | None]:
        fine = F.silu(self.enter(F.pixel_unshuffle(pictures, 2)))
        wide = F.silu(self.down(fine))
        deep = F.silu(self.deeper(wide))
        if self.cell is not None:
            remembered, memory = self.cell(deep, memory)
            deep = deep + remembered
        deep = deep + F.silu(self.middle(deep))
        wide = F.silu(self.up(torch.cat([F.interpolate(deep, scale_factor=2.0), wide], 1)))
        fine = F.silu(self.join(torch.cat([F.interpolate(wide, scale_factor=2.0), fine], 1)))
        return self.leave(fine), memory


class Predictor(nn.Module):
    """The next frame of the last three: they are moved by a flow, on what they changed last, and corrected. A ConvLSTM remembers how it
    went on so far."""

    def __init__(self, params: NetworkParams) -> None:
        super().__init__()
        self.trunk = Trunk(3 * CHANNELS, 3 + 4 * CHANNELS, params, recurrent=True)

    def forward(self, last: list[Tensor], memory: Memory | None) -> tuple[Tensor, Memory | None]:
        """last: three frames (B, 4, H, W), the newest at the end."""
        old, mid, new = last
        seen = torch.cat([new, 4 * (new - mid), 4 * (mid - old)], 1)
        maps, memory = self.trunk(seen, memory)
        flow = FARTHEST * torch.tanh(F.interpolate(maps[:, :2], scale_factor=2.0, mode="bilinear") / 4)
        inertia = torch.tanh(F.interpolate(maps[:, 2:3], scale_factor=2.0, mode="bilinear"))
        moved = warp(torch.cat([new, new - mid], 1), flow)
        frame = moved[:, :CHANNELS] + inertia * moved[:, CHANNELS:]
        return frame + REACH * torch.tanh(F.pixel_shuffle(maps[:, 3:], 2)), memory
