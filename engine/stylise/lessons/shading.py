"""The plain render of a lesson: patterns on the surfaces, sun, sky and a second light, and what the camera makes of them.
Colours are linear (3, N) until `develop`. It knows places on surfaces and nothing of painters."""

from __future__ import annotations

import colorsys
import math
from random import Random

import torch
from torch import Tensor

from engine.stylise.lessons import noise
from engine.stylise.lessons.trace import Hits

PATTERNS = ("plain", "stripes", "checkers", "patches", "gradient", "mottled", "dots")


def colour(rng: Random, dull: float = 1.0) -> tuple[float, float, float]:
    """A random linear colour, more often muted than not."""
    value = rng.uniform(0.08, 0.95)
    r, g, b = colorsys.hsv_to_rgb(rng.random(), dull * rng.random() ** 1.3, value)
    return r**2.2, g**2.2, b**2.2


class Albedo:
    """The colours of the objects: per id one of PATTERNS, three colours, a direction and a scale."""

    def __init__(self, rng: Random, count: int, half: Tensor, pixel: Tensor) -> None:
        device = half.device
        plain = rng.choice([1, 4, 12])
        kinds, colours, ways, scales = [], [], [], []
        few = [colour(rng) for _ in range(rng.randint(1, 4))]
        shared = rng.random() < 0.25
        for _ in range(count + 1):
            kinds.append(rng.choices(range(len(PATTERNS)), [plain, 1, 1, 1, 1, 1, 1])[0])
            colours.append([rng.choice(few) if shared else colour(rng) for _ in range(3)])
            way = [rng.gauss(0, 1) for _ in range(3)]
            size = math.sqrt(sum(w * w for w in way))
            ways.append([w / size for w in way])
            scales.append([rng.uniform(0.12, 0.7), math.exp(rng.uniform(math.log(3), math.log(40)))])
        self.kind = torch.tensor(kinds, device=device)
        self.colours = torch.tensor(colours, device=device).permute(1, 2, 0).contiguous()  # (3, 3, ids)
        self.way = torch.tensor(ways, device=device).T.contiguous()
        scale = torch.tensor(scales, device=device)
        longest = half.amax(0).clamp(1e-2, 3.0)
        self.cell = torch.maximum(scale[:, 0] * longest, scale[:, 1] * pixel)
        self.half = half
        self.offset = torch.rand(3, 1, generator=torch.Generator().manual_seed(rng.randrange(1 << 30))).to(device) * 60

    def of(self, hits: Hits) -> Tensor:
        """Linear (3, N); 0 where nothing is."""
        number = hits.number
        kind, cell = self.kind[number], self.cell[number]
        first, second, third = self.colours[:, :, number]
        place = hits.rest / cell
        along = (self.way[:, number] * place).sum(0)
        grain = noise.value(place + self.offset)
        apart, own = noise.cells(place + self.offset)
        checks = place.add(0.013).floor().sum(0).remainder(2)
        high = (hits.rest / self.half[:, number].clamp(min=1e-3) * self.way[:, number]).sum(0)
        mixes = [
            torch.zeros_like(along),
            (torch.sin(math.pi * along) > 0).float(),
            checks,
            (grain[0] > 0.15).float(),
            (0.5 + 0.6 * high).clamp(0, 1),
            0.5 + 0.5 * grain[1],
            (apart.square().sum(0).sqrt() < 0.2 + 0.25 * own[0]).float(),
        ]
        mix = torch.zeros_like(along)
        for index, pattern in enumerate(mixes):
            mix = torch.where(kind == index, pattern, mix)
        out = torch.lerp(first, second, mix)
        extra = (kind == 3) & (grain[2] > 0.45)
        out = torch.where(extra, third, out)
        return out * (number > 0)


class Lights:
    """What lights a shot, and the camera's response to it."""

    def __init__(self, rng: Random, seed: int) -> None:
        u = rng.uniform
        warm = u(-0.15, 0.25)
        self.sun = [u(1.2, 4) * c for c in (1 + warm, 1.0, 1 - warm)]
        dome = u(0.08, 0.7)
        self.sky = [dome * c for c in (1 - 0.6 * warm, 1.0, 1 + 0.6 * warm)]
        self.second = [rng.choice([0, 0, u(0.2, 1)]) * c for c in colour(rng)]
        a, b = u(0, 6.3), u(-0.3, 1)
        self.second_way = [math.cos(a) * math.cos(b), math.sin(a) * math.cos(b), math.sin(b)]
        self.gloss, self.sharp = rng.choice([0, 0, u(0, 0.4)]), math.exp(u(1.5, 4.5))
        self.exposure, self.even = rng.gauss(0.1, 0.45), u(0.5, 1.0)
        self.filmic, self.contrast = rng.random() < 0.5, u(0.8, 1.25)
        self.grain = rng.choice([0, 0, u(0.002, 0.03)])
        self.back = rng.choice(["none", "plain", "gradient", "gradient"])
        self.back_colours = [colour(rng, 0.7), colour(rng, 0.7)]
        self.seed = seed
        self.gain = torch.ones(())

    def shade(self, hits: Hits, albedo: Tensor, lit: Tensor, way: Tensor, sun: Tensor, glow: int) -> Tensor:
        """Scene light (3, N). lit: (N) direct sun, shadows and facing included. way: rays. sun: (3, N)."""

        def rgb(c: list[float]) -> Tensor:
            return torch.tensor(c, device=albedo.device)[:, None]

        normal = hits.normal
        second = (normal * rgb(self.second_way)).sum(0).clamp(min=0)
        light = rgb(self.sun) * lit + rgb(self.sky) * (0.65 + 0.35 * normal[2]) + rgb(self.second) * second
        half = sun - way
        half = half / half.square().sum(0).sqrt().clamp(min=1e-3)
        shine = (normal * half).sum(0).clamp(min=0) ** self.sharp * (lit > 0) * self.gloss
        out = albedo * light + rgb(self.sun) * shine
        return torch.where((hits.number == glow) & (hits.number > 0), albedo * 1.5, out)

    def background(self, high: Tensor) -> Tensor:
        """Scene light (3, …) behind everything; high: 0 at the foot of the picture, 1 at its head."""
        low, top = (torch.tensor(c, device=high.device).reshape(3, *[1] * high.ndim) for c in self.back_colours)
        if self.back == "none":
            return torch.zeros_like(low * high)
        return low + (top - low) * (high if self.back == "gradient" else 0 * high)

    def expose(self, light: Tensor, there: Tensor) -> None:
        """Set the exposure by the light (3, …) of the first frame where objects are, as one who lights a shot would; not always
        well."""
        middle = (light.amax(0).clamp(min=2e-3).log() * there).sum() / there.sum().clamp(min=1)
        self.gain = torch.exp(self.exposure + self.even * (math.log(0.22) - middle))

    def develop(self, light: Tensor, grainy: bool = True) -> Tensor:
        """Scene light (F, 3, H, W) → the picture, sRGB 0 to 1."""
        light = light * self.gain
        if self.filmic:  # a log curve with a soft foot and shoulder, and bright colours that pale
            grey = light.mean(1, keepdim=True)
            light = torch.lerp(light, grey, (0.12 + 0.25 * grey).clamp(max=0.6))
            stops = ((light.clamp(min=1e-5) / 0.18).log2() + 8) / 13
            x = stops.clamp(0, 1)
            s = torch.sigmoid((x - 0.6) * 10 * self.contrast)
            picture = (s - 0.003) / 0.98
        else:
            x = (light * self.contrast).clamp(0, 1)
            picture = torch.where(x < 0.0031308, 12.92 * x, 1.055 * x.clamp(min=1e-6) ** (1 / 2.4) - 0.055)
        if self.grain and grainy:
            generator = torch.Generator().manual_seed(self.seed)
            picture = picture + self.grain * torch.randn(picture.shape, generator=generator).to(picture.device)
        return picture.clamp(0, 1)
