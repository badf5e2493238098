"""Random looks: which tools a painter uses, how, and with which colours. Every look is drawn from a family (cel, gouache,
watercolour, pen, …) that makes some tools likelier, with the numbers of each tool drawn over wide ranges. It draws numbers;
painting.py paints with them."""

from __future__ import annotations

import colorsys
import math
from random import Random

import torch
from torch import Tensor

from engine.stylise.lessons.sight import Sight

TONES = 4
RGB = tuple[float, float, float]

# How likely each tool is, by family.
TOOLS = (
    "soft",
    "brushed",
    "streaks",
    "dabs",
    "speckle",
    "hatch",
    "wash",
    "shine",
    "rim",
    "regions",
    "ink",
    "grain",
    "plain",
)
FAMILIES = {
    "cel": (0.15, 0.1, 0.0, 0.0, 0.0, 0.05, 0.0, 0.5, 0.35, 0.4, 0.85, 0.05, 0.05),
    "gouache": (0.2, 0.9, 0.9, 0.3, 0.4, 0.1, 0.1, 0.3, 0.15, 0.35, 0.5, 0.3, 0.05),
    "watercolour": (0.5, 0.6, 0.2, 0.1, 0.2, 0.1, 1.0, 0.1, 0.05, 0.3, 0.5, 0.8, 0.03),
    "pen": (0.1, 0.2, 0.05, 0.0, 0.1, 1.0, 0.1, 0.2, 0.05, 0.3, 0.9, 0.3, 0.03),
    "pencil": (0.8, 0.4, 0.9, 0.1, 0.2, 0.6, 0.1, 0.1, 0.1, 0.3, 0.6, 0.8, 0.03),
    "flat": (0.0, 0.1, 0.05, 0.0, 0.1, 0.1, 0.0, 0.15, 0.1, 0.5, 0.35, 0.1, 0.05),
    "impasto": (0.4, 0.5, 0.4, 1.0, 0.2, 0.05, 0.0, 0.3, 0.2, 0.3, 0.2, 0.1, 0.03),
    "smooth": (1.0, 0.1, 0.15, 0.05, 0.15, 0.05, 0.1, 0.5, 0.5, 0.3, 0.3, 0.1, 0.1),
    "print": (0.2, 0.5, 0.2, 0.2, 0.8, 0.3, 0.0, 0.2, 0.1, 0.3, 0.4, 0.5, 0.03),
    "any": (0.4,) * 12 + (0.08,),
}


def _hsv(h: float, s: float, v: float) -> RGB:
    return colorsys.hsv_to_rgb(h % 1.0, min(max(s, 0.0), 1.0), min(max(v, 0.0), 1.0))


def _log(rng: Random, low: float, high: float) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


class Palette:
    """The colours of a look. tones: (TONES, 3, ids + 1) from dark to light. accent, ink: (3, ids + 1). local: (ids + 1) how
    much an object's tones follow what its render shows instead. turn: (3, 3) and gains: (TONES), what becomes of those."""

    def __init__(self, rng: Random, count: int, device: torch.device) -> None:
        self.rng = rng
        self.hue, self.scheme = rng.random(), rng.choice(["any", "any", "near", "opposite", "three"])
        self.saturation, self.spread = rng.uniform(0.05, 0.95), rng.uniform(0.0, 0.4)
        self.high, self.low = rng.uniform(0.7, 1.0), 0.05 + 0.55 * rng.random() ** 1.5
        self.shift, self.drift = rng.gauss(0, 0.07), rng.uniform(-0.25, 0.35)
        kind = rng.choice(["own", "own", "own", "local", "local", "shared", "mono", "mixed"])
        few = sorted((self._one(rng.random()) for _ in range(rng.randint(3, 6))), key=sum)
        tones = []
        grey = rng.random() * 0.3
        for _ in range(count + 1):
            if kind == "shared":
                first = rng.uniform(0, max(0, len(few) - 2.2))
                tones.append([few[min(len(few) - 1, int(first + k * rng.uniform(0.5, 1.0)))] for k in range(TONES)])
            elif kind == "mono":
                top = rng.uniform(0.75, 1.0)
                tones.append([_hsv(self.hue, grey, self.low + (top - self.low) * k / 3) for k in range(TONES)])
            else:
                tones.append(self._ramp())
        if rng.random() < 0.03:
            tones = [row[::-1] for row in tones]
        local = {"local": 1.0, "mixed": 0.5}.get(kind, 0.0)
        own = [rng.uniform(0.7, 1.0) if rng.random() < local else 0.0 for _ in range(count + 1)]
        self.tones = torch.tensor(tones, device=device).permute(1, 2, 0).contiguous()
        self.accent = torch.tensor([self._one(rng.random()) for _ in range(count + 1)], device=device).T.contiguous()
        self.local = torch.tensor(own, device=device)
        self.turn = self._turn().to(device)
        self.gains = [rng.uniform(0.25, 0.6), rng.uniform(0.6, 0.9), rng.uniform(0.85, 1.05), rng.uniform(1.0, 1.3)]
        self.tints = torch.tensor(
            [[0.12 * rng.gauss(0, 1) * (0.3 + k / 4) for k in (3, 2, 1, 0)] for _ in range(3)]
        ).to(device)
        self.paper = torch.tensor(self._paper(), device=device)
        self.ink = torch.tensor(self._ink(), device=device)

    def _hue(self) -> float:
        rng = self.rng
        step = {
            "any": rng.random(),
            "near": 0.0,
            "opposite": rng.choice([0, 0.5]),
            "three": rng.choice([0, 1 / 3, 2 / 3]),
        }
        return self.hue + step[self.scheme] + rng.gauss(0, 0.06)

    def _one(self, at: float) -> RGB:
        saturation = self.saturation + self.spread * self.rng.uniform(-1, 1)
        return _hsv(self._hue(), saturation, self.low + (self.high - self.low) * at)

    def _ramp(self) -> list[RGB]:
        """Dark to light of one object: shades shift in hue towards each other."""
        rng, hue = self.rng, self._hue()
        saturation = self.saturation + self.spread * rng.uniform(-1, 1)
        top = self.high + rng.uniform(-0.25, 0.1)
        low = self.low * rng.uniform(0.5, 1.4)
        bend = rng.uniform(0.7, 1.5)
        out = []
        for k in range(TONES):
            at = (k / (TONES - 1)) ** bend
            out.append(
                _hsv(hue + self.shift * (1 - at) * 2, saturation + self.drift * (0.5 - at), low + (top - low) * at)
            )
        return out

    def _turn(self) -> Tensor:
        """A rotation of hues with more or less saturation."""
        angle = self.rng.choice([0.0, 0.0, self.rng.gauss(0, 0.4), self.rng.uniform(0, 6.3)])
        keep = self.rng.uniform(0.4, 1.4)
        c, s = keep * math.cos(angle), keep * math.sin(angle)
        a, b = (1 - c) / 3, s / math.sqrt(3)
        return torch.tensor([[a + c, a - b, a + b], [a + b, a + c, a - b], [a - b, a + b, a + c]])

    def _paper(self) -> RGB:
        rng = self.rng
        if rng.random() < 0.25:
            return self._one(rng.random())
        if rng.random() < 0.12:
            return _hsv(rng.random(), rng.uniform(0, 0.4), rng.uniform(0.02, 0.25))
        return _hsv(rng.uniform(0.05, 0.2), rng.uniform(0, 0.2), rng.uniform(0.8, 1.0))

    def _ink(self) -> RGB:
        rng = self.rng
        if rng.random() < 0.1:
            return _hsv(rng.random(), rng.uniform(0, 0.2), rng.uniform(0.85, 1.0))
        if rng.random() < 0.25:
            return _hsv(rng.random(), rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.6))
        return _hsv(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.0, 0.22))


class Look:
    """One painter. tools: which of TOOLS are used; the rest are their numbers. Lengths are in pixels of the picture."""

    def __init__(self, rng: Random, sight: Sight) -> None:
        device, count = sight.half.device, sight.half.shape[1] - 1
        u = rng.uniform
        self.family = rng.choice(list(FAMILIES))
        self.tools = {t for t, p in zip(TOOLS, FAMILIES[self.family], strict=True) if rng.random() < p}
        self.palette = Palette(rng, count, device)
        self.rng, self.count, self.device = rng, count, device
        # light
        self.levels = rng.choice([1, 2, 2, 3, 3, 4]) if self.family in ("flat", "cel") else rng.choice([2, 3, 3, 4])
        cuts = sorted(u(0.02, 0.9) for _ in range(self.levels - 1))
        self.cuts = cuts if rng.random() < 0.7 else [c * 0.6 for c in cuts]
        self.softness = u(0.1, 0.5) if "soft" in self.tools else rng.choice([0.004, 0.02, 0.05])
        self.by_render = rng.random() < 0.12
        self.by_eye = [rng.gauss(0, 1) for _ in range(3)] if rng.random() < 0.12 else None
        self.wrap = rng.choice([0.0, 0.0, u(0, 0.5)])
        self.cast = rng.choices(["full", "part", "flat", "hatch", "none"], [4, 1, 1.5, 1, 1])[0]
        self.cast_depth, self.cast_colour = u(0.3, 0.9), _hsv(rng.random(), u(0, 0.6), u(0.2, 0.8))
        self.fall = rng.choice([0.0, 0.0, u(-0.3, 0.3)])
        self.brush = [u(0.05, 0.4), _log(rng, 2, 14), u(1, 6)]
        # marks: size, length, amount, whether it adds, towards the accent, from which noise
        self.streaks = [
            (_log(rng, 0.7, 14), _log(rng, 2, 10), u(0.05, 0.3), rng.random() < 0.3, u(-0.2, 0.6), k)
            for k in range(rng.randint(1, 3))
        ]
        self.dabs = [(_log(rng, 3, 24), _log(rng, 1, 4), u(0.05, 0.45), u(0.0, 0.25)) for _ in range(rng.randint(1, 3))]
        self.speckle = (_log(rng, 0.8, 6), u(0.3, 0.75), u(0.2, 0.9), rng.choice(["light", "dark", "accent"]))
        self.stipple = (_log(rng, 2, 7), u(0.2, 0.6)) if rng.random() < 0.35 else None
        self.hatch = (_log(rng, 2.2, 11), u(0.2, 0.55), u(0, 1.2), u(0.15, 0.7), u(-0.1, 0.35), rng.random() < 0.6)
        self.hatch_local, self.hatch_strength, self.hatch_one_way = rng.random() < 0.5, u(0.4, 1.0), rng.random() < 0.5
        self.wash = (_log(rng, 5, 40), u(0.05, 0.3), u(0.0, 0.4), u(1, 6))
        self.shine = (math.exp(u(2, 5)), u(0.3, 0.8), u(0.5, 1.0), rng.random() < 0.6)
        self.rim = (u(0.55, 0.9), u(0.3, 0.9), rng.choice([0.02, 0.15]), rng.random() < 0.7)
        self.grain = (u(0.01, 0.09), _log(rng, 0.6, 4))
        self.plain = [rng.random() < 0.4 for _ in range(count + 1)]
        self.background = rng.choices(["paper", "sky", "gradient", "textured"], [4, 2, 1, 2])[0]
        self._draw_ink(rng)
        self.directions = self._directions(rng)
        # some painters work out a few objects and leave the others simple
        often = rng.choice([1.0, 1.0, u(0.3, 0.9)])
        self.worked = {
            tool: torch.tensor([rng.random() < often for _ in range(count + 1)], device=device)
            for tool in ("streaks", "dabs", "speckle", "hatch", "wash")
        }
        self.offset = torch.tensor([u(0, 60) for _ in range(3)], device=device)[:, None]

    def _draw_ink(self, rng: Random) -> None:
        u = rng.uniform
        same = rng.random() < 0.6
        weights = [1.0 if same else rng.choice([0.0, u(0.4, 1.0), u(0.8, 1.4)]) for _ in range(self.count + 1)]
        self.ink_weights = torch.tensor(weights, device=self.device)
        self.ink_albedo = u(0.1, 0.3) if rng.random() < 0.15 else None
        self.ink_side = rng.choices(["both", "in", "out"], [3, 2, 1])[0]
        self.ink_width = _log(rng, 0.5, 4.0)  # of the whole line
        self.ink_varies, self.ink_shade = rng.choice([0.0, u(0.2, 0.9)]), rng.choice([0.0, 0.0, u(0.3, 1.2)])
        self.ink_gaps = rng.choice([None, None, u(0.2, 0.7)])
        self.ink_wobble = rng.choice([0.0, 0.0, u(0.2, 1.2)])
        self.ink_leaps, self.ink_folds = rng.random() < 0.7, rng.random() < 0.6
        self.ink_leap, self.ink_fold = u(0.03, 0.15), u(0.0, 0.7)
        self.ink_opacity = rng.choice([1.0, 1.0, u(0.4, 1.0)])
        self.ink_local = rng.choice([None, None, u(0.15, 0.75)])

    def _directions(self, rng: Random) -> Tensor:
        """(3, 3, ids + 1): a rotation for each object, or the same for all."""
        same = rng.random() < 0.3
        first = torch.randn(3, 3, 1, generator=torch.Generator().manual_seed(rng.randrange(1 << 30)))
        many = torch.randn(3, 3, self.count + 1, generator=torch.Generator().manual_seed(rng.randrange(1 << 30)))
        q, _ = torch.linalg.qr((first.expand_as(many) if same else many).permute(2, 0, 1))
        return q.permute(1, 2, 0).contiguous().to(self.device)
