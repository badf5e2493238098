"""The baseline to beat: Few-Shot Patch-Based Training (Texler et al., SIGGRAPH 2020), written anew from the paper's text.

    python -m benchmarks.fewshot JOB_FOLDER --seconds 120      (into JOB_FOLDER/fewshot/)

Generator of filters 32 64 128 128 128 64 with seven residual blocks, batch normalisation, tanh; patch discriminator; patches
of 32 pixels, 40 a step; 4 L1 + 0.5 LSGAN; Adam 4e-4. Left out is the perceptual term (VGG weights cannot be had offline), and
the guide of advected Gaussians. It reads the colour frames alone. It shares no code with the engine's stylist.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.timed import report
from engine import device, frames, job_folder

PATCH, BATCH = 32, 40
RATE, L1, ADVERSARIAL = 4e-4, 4.0, 0.5


def _conv(before: int, after: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(after),
        nn.LeakyReLU(0.2, inplace=True),
    )


class Residual(nn.Module):
    """Two convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _conv(width, width, 3)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x))


class FewShotGenerator(nn.Module):
    """Colour frame (B, 3, H, W), -1 to 1, to painted frame. H and W are multiples of four."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.to_half, self.to_quarter = _conv(3, 32, 7), _conv(32, 64, 3, 2), _conv(64, 128, 3, 2)
        self.blocks = nn.Sequential(*(Residual(128) for _ in range(7)))
        self.up_half, self.up_full = _conv(256, 128, 3), _conv(192, 128, 3)
        self.merge = _conv(128 + 32 + 3, 64, 7)
        self.colour = nn.Conv2d(64, 3, 1)

    def forward(self, frame: Tensor) -> Tensor:
        full = self.enter(frame)
        half = self.to_half(full)
        quarter = self.to_quarter(half)
        x = torch.cat([self.blocks(quarter), quarter], 1)
        x = torch.cat([F.interpolate(self.up_half(x), scale_factor=2), half], 1)
        x = torch.cat([F.interpolate(self.up_full(x), scale_factor=2), full, frame], 1)
        return torch.tanh(self.colour(self.merge(x)))


def patch_discriminator() -> nn.Sequential:
    """Picture (B, 3, H, W) to scores (B, 1, H/8, W/8)."""
    layers: list[nn.Module] = []
    for before, after in ((3, 12), (12, 24), (24, 48)):
        layers += [nn.Conv2d(before, after, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(48, 1, 3, padding=1))


def _picture(array: np.ndarray) -> Tensor:
    """(H, W, 3) uint8 to (3, H', W'), sides padded to multiples of four."""
    x = torch.from_numpy(array.copy()).permute(2, 0, 1).float() / 127.5 - 1
    return F.pad(x[None], (0, -x.shape[2] % 4, 0, -x.shape[1] % 4), mode="replicate")[0]


def _patches(pairs: list[tuple[Tensor, Tensor]], rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Random patches of the keys and of their paint."""
    cut: tuple[list[Tensor], list[Tensor]] = ([], [])
    for _ in range(BATCH):
        pair = pairs[rng.integers(len(pairs))]
        y, x = (int(rng.integers(side - PATCH + 1)) for side in pair[0].shape[1:])
        for pictures, picture in zip(cut, pair, strict=True):
            pictures.append(picture[:, y : y + PATCH, x : x + PATCH])
    return torch.stack(cut[0]), torch.stack(cut[1])


def train(pairs: list[tuple[Tensor, Tensor]], seconds: float) -> tuple[FewShotGenerator, int]:
    """A generator trained on (frame, painted frame) for the time given, and the number of steps."""
    generator, judge = FewShotGenerator(), patch_discriminator()
    optimise = torch.optim.Adam(generator.parameters(), RATE, betas=(0.9, 0.999))
    optimise_judge = torch.optim.Adam(judge.parameters(), RATE, betas=(0.9, 0.999))
    rng, start, steps = np.random.default_rng(0), time.monotonic(), 0
    while time.monotonic() - start < seconds:
        frame, paint = _patches(pairs, rng)
        made = generator(frame)
        loss = L1 * (made - paint).abs().mean() + ADVERSARIAL * ((judge(made) - 1) ** 2).mean()
        optimise.zero_grad(set_to_none=True)
        loss.backward()
        optimise.step()
        wrong = ((judge(paint) - 1) ** 2).mean() + (judge(made.detach()) ** 2).mean()
        optimise_judge.zero_grad(set_to_none=True)
        (ADVERSARIAL * wrong).backward()
        optimise_judge.step()
        steps += 1
    return generator.eval(), steps


def main() -> None:
    """Train on the folder's keys and paint all of its frames."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=120.0)
    args = parser.parse_args()
    shot = job_folder.read_shot(args.folder)
    device.choose("cpu")
    device.seed_all(0)
    keys = sorted(int(path.stem) for path in (args.folder / "keys").glob("*.png"))
    pairs = [
        (_picture(frames.read_frame(args.folder, shot, k)), _picture(frames.read_key(args.folder, shot, k)[0]))
        for k in keys
    ]
    (args.folder / "fewshot").mkdir(exist_ok=True)
    start = time.monotonic()
    generator, steps = train(pairs, args.seconds)
    trained = time.monotonic()
    with torch.inference_mode():
        for frame in shot.frames:
            made = generator(_picture(frames.read_frame(args.folder, shot, frame))[None])[0]
            made = ((made[:, : shot.height, : shot.width] + 1) * 127.5).round().byte().permute(1, 2, 0)
            Image.fromarray(made.numpy()).save(args.folder / "fewshot" / f"{frame:04d}.png")
    painting = (time.monotonic() - trained) / len(shot.frames)
    report(
        args.folder / "fewshot" / "times.json",
        {"training s": trained - start, "s a frame": painting, "steps": float(steps)},
    )


if __name__ == "__main__":
    main()
