"""Paints what a random painter sees: light in tones, marks that stick to the surface, lines. It knows looks and sights, no
scenes and no rays."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engine.stylise.lessons import ink, noise
from engine.stylise.lessons.looks import TONES, Look
from engine.stylise.lessons.sight import Sight

__all__ = ["Sight", "paint"]


def _step(low: float, high: float, x: Tensor) -> Tensor:
    t = ((x - low) / max(high - low, 1e-4)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def _rgb(colour: tuple[float, float, float] | list[float], like: Tensor) -> Tensor:
    return torch.tensor(colour, device=like.device, dtype=like.dtype)[:, None]


class _Canvas:
    """The painting in the making: what all tools need, flat (C, N)."""

    def __init__(self, sight: Sight, look: Look) -> None:
        self.sight, self.look = sight, look
        self.number, self.place = sight.number, sight.place
        turn = look.directions[:, :, self.number]
        self.along = (turn * self.place[None]).sum(1)  # x runs across the strokes, y along
        self.normal = Sight.flat(sight.normal)
        self.facing, self.free = sight.facing.flatten(), sight.free.flatten()
        self.solid = self.number > 0
        self.cover = torch.where(self.solid, sight.cover.flatten(), 1.0)
        self.light = self._light()

    def noise(self, size: float, length: float = 1.0, seed: int = 0) -> Tensor:
        """(4, N) value noises of cells `size` pixels wide, `length` times as long along the strokes."""
        scale = torch.tensor([1.0, 1 / length, math.sqrt(1 / length)], device=self.place.device)[:, None] / size
        found = noise.value(self.along * scale + self.look.offset + 17.3 * seed)
        return found * (2 * size / self.cover).clamp(max=1)  # marks finer than pixels blur

    def only(self, tool: str, painted: Tensor, before: Tensor) -> Tensor:
        """`painted` on the objects that the painter works out with that tool."""
        return torch.where(self.look.worked[tool][self.number], painted, before)

    def _light(self) -> Tensor:
        """(N) how light the painter makes it, about 0 to 1."""
        look, sight = self.look, self.sight
        light = (self.facing * (1 - look.wrap) + look.wrap).clamp(min=0)
        if look.by_eye is not None:
            towards = _rgb(look.by_eye, light)
            towards = towards / towards.square().sum().sqrt()
            light = (0.6 * (self.normal * towards).sum(0) - 0.4 * (self.normal * Sight.flat(sight.way)).sum(0)).clamp(
                min=0
            )
        if look.by_render:  # after the picture's own brightness, whatever the object's colour
            picture = sight.render.repeat_interleave(2, -1).repeat_interleave(2, -2)
            light = Sight.flat(picture).mean(0) / (0.25 + Sight.flat(sight.albedo).mean(0).clamp(min=0) ** 0.45)
        elif look.cast == "full":
            light = light * self.free
        elif look.cast == "part":
            light = light * (1 - look.cast_depth * (1 - self.free))
        if look.fall:
            light = light + look.fall * (Sight.flat(sight.rest)[2] / sight.half[2, self.number].clamp(min=0.05))
        if "brushed" in look.tools:
            amount, size, length = look.brush
            light = light + amount * self.noise(size, length)[0]
        if "dabs" in look.tools:
            for k, (size, length, reach, _) in enumerate(look.dabs):
                inside, own = self._dab(size, length, k)
                light = light + inside * reach * (own[0] - 0.5)
        return light

    def _dab(self, size: float, length: float, seed: int) -> tuple[Tensor, Tensor]:
        scale = torch.tensor([1.0, 1 / length, 1.0], device=self.place.device)[:, None] / size
        bent = self.along * scale + self.look.offset + 11.7 * seed
        apart, own = noise.cells(bent + 0.12 * noise.value(bent * 2.3)[:3])
        return (apart.square().sum(0).sqrt() < 0.3 + 0.35 * own[3]).float(), own

    def tones(self) -> Tensor:
        """(TONES, 3, N) the colours at hand for each pixel."""
        palette, sight = self.look.palette, self.sight
        table = palette.tones[:, :, self.number]
        local = palette.local[self.number]
        if float(palette.local.max()) == 0.0:
            return table
        seen = palette.turn @ (Sight.flat(sight.albedo).clamp(0, 1) ** (1 / 2.2))
        own = torch.stack(
            [(seen * gain + palette.tints[:, k : k + 1]).clamp(0, 1) for k, gain in enumerate(palette.gains)]
        )
        return torch.lerp(table, own, local)


def _lay_tones(c: _Canvas, tones: Tensor) -> Tensor:
    """Colour (3, N) by light."""
    look = c.look
    first = TONES - look.levels if look.levels > 1 else 2
    colour = tones[first]
    for k, cut in enumerate(look.cuts):
        colour = torch.lerp(colour, tones[first + k + 1], _step(cut - look.softness, cut + look.softness, c.light))
    if look.cast == "flat":
        dark = (1 - c.free) * (c.facing > 0)
        colour = torch.lerp(colour, colour * _rgb(look.cast_colour, colour), dark * look.cast_depth)
    return colour


def _lay_streaks(c: _Canvas, colour: Tensor, tones: Tensor) -> Tensor:
    accent = c.look.palette.accent[:, c.number]
    for size, length, amount, adds, tint, k in c.look.streaks:
        s = c.noise(size, length, k + 1)[k % 4]
        if tint > 0.35:  # dry brush: another colour in some of the strokes
            colour = torch.lerp(colour, torch.lerp(accent, tones[3], 0.4), _step(tint, tint + 0.15, s) * 2.2 * amount)
        elif adds:
            colour = colour + 0.6 * amount * s
        else:
            colour = colour * (1 + amount * s)
    return colour


def _lay_dabs(c: _Canvas, colour: Tensor) -> Tensor:
    for k, (size, length, _, tint) in enumerate(c.look.dabs):
        inside, own = c._dab(size, length, k)
        colour = colour + inside * tint * (own[:3] - 0.5) + inside * 0.5 * tint * (own[3] - 0.5)
    return colour


def _lay_speckle(c: _Canvas, colour: Tensor, tones: Tensor) -> Tensor:
    size, rare, strength, towards = c.look.speckle
    spots = (c.noise(size, 1.0, 9)[2] > rare).float() * strength
    aim = {"light": tones[3] * 0.4 + 0.6, "dark": tones[0] * 0.4, "accent": c.look.palette.accent[:, c.number]}[towards]
    colour = torch.lerp(colour, aim, spots)
    if c.look.stipple:
        grid, most = c.look.stipple
        apart, own = noise.cells(c.along / grid + c.look.offset)
        radius = most * (1.1 - c.light.clamp(0, 1)) * (0.5 + 0.5 * own[0])
        ink_colour = tones[0] * 0.6
        colour = torch.lerp(colour, ink_colour, (apart.square().sum(0).sqrt() < radius).float())
    return colour


def _lay_hatch(c: _Canvas, colour: Tensor, tones: Tensor) -> Tensor:
    look = c.look
    gap, duty, wobble, first, second, cross = look.hatch
    place = c.place if look.hatch_one_way else c.along
    bend = wobble * c.noise(gap * 4, 1.0, 5)
    shade = c.light * c.free if look.cast == "hatch" else c.light
    lines = torch.zeros_like(shade)
    for way, below, k in (((0.74, 0.42, 0.53), first, 0), ((-0.48, 0.71, 0.52), second, 1)):
        if k and not cross:
            continue
        at = (place * _rgb(list(way), shade)).sum(0) / gap + 0.3 * bend[k]
        wide = duty * (1 + 0.5 * c.noise(gap * 2.5, 1.0, 6)[k])
        there = ((at - at.floor() < wide) & (shade < below)).float()
        lines = torch.maximum(lines, torch.lerp(duty * (shade < below), there, (0.6 * gap / c.cover).clamp(max=1)))
    aim = tones[0] * 0.55 if look.hatch_local else look.palette.ink[:, None].expand_as(colour)
    return torch.lerp(colour, aim, lines * look.hatch_strength)


def _lay_wash(c: _Canvas, colour: Tensor, distance: Tensor) -> Tensor:
    """Blotches, and pigment that gathers at the borders of the washes."""
    size, blotch, dark, wide = c.look.wash
    n = c.noise(size, 1.0, 12)
    colour = 1 - (1 - colour) * (1 + 1.6 * blotch * n[0] + 0.6 * blotch * c.noise(size / 4, 1.0, 13)[1])
    border = torch.exp(-distance / wide)
    for cut in c.look.cuts:
        border = torch.maximum(border, 0.7 * torch.exp(-(((c.light - cut) / 0.06) ** 2)) * (c.light < cut))
    return 1 - (1 - colour) * (1 + 1.2 * dark * border)


def _lay_lights(c: _Canvas, colour: Tensor, tones: Tensor) -> Tensor:
    """Highlights and rims."""
    look, sight = c.look, c.sight
    way = Sight.flat(sight.way)
    if "shine" in look.tools:
        sharp, cut, strength, white = look.shine
        sun = sight.sun.repeat_interleave(c.number.shape[0] // sight.ids.shape[0], 0).T
        half = sun - way
        blob = (c.normal * half / half.square().sum(0).sqrt().clamp(min=1e-3)).sum(0).clamp(min=0) ** sharp * c.free
        aim = torch.ones_like(colour) if white else tones[3] * 0.6 + 0.4
        colour = torch.lerp(colour, aim, _step(cut - 0.05, cut + 0.05, blob) * strength)
    if "rim" in look.tools:
        cut, strength, soft, light = look.rim
        rim = _step(cut - soft, cut + soft, 1 + (c.normal * way).sum(0)) * c.solid
        aim = tones[3] * 0.5 + 0.5 if light else tones[0] * 0.5
        colour = torch.lerp(colour, aim, rim * strength)
    return colour


def _lay_regions(c: _Canvas, colour: Tensor, tones: Tensor) -> Tensor:
    """Details that nothing but the painting shows: eyes, dots, bands, patches."""
    rng, sight = c.look.rng, c.sight
    key = sight.ids[0].flatten()
    warped = c.noise(9.0, 1.0, 20)[:3]
    for _ in range(rng.randint(1, 9)):
        kind, size = rng.choice(["eye", "dot", "band", "patch", "ring", "lines"]), math.exp(rng.uniform(0.5, 3.0))
        at = rng.randrange(key.shape[0])
        number, centre = key[at], c.place[:, at : at + 1]
        aim = (
            _rgb([rng.random() for _ in range(3)], colour) if rng.random() < 0.5 else tones[rng.randrange(TONES)] * 0.8
        )
        bend = rng.choice([0.0, 0.3, 1.0]) * 0.5 * size
        apart = (c.place - centre + bend * warped).square().sum(0).sqrt()
        way = _rgb([rng.gauss(0, 1) for _ in range(3)], colour)
        flat = ((c.place - centre) * way / way.square().sum().sqrt()).sum(0) + 0.3 * bend * warped[0]
        here = (c.number == number) & c.solid
        inside = {
            "eye": apart < size, "dot": apart < size, "patch": apart < 2.5 * size, "ring": (apart - size).abs() < 1 + 0.2 * size,
            "band": flat.abs() < 0.5 * size,
            "lines": (flat.abs() < 3 * size) & ((flat / (0.5 * size)).remainder(1) < 0.5),
        }[kind]  # fmt: skip
        colour = torch.where(here & inside, aim, colour)
        if kind == "eye":
            colour = torch.where(here & (apart < 0.5 * size), 0.15 * aim, colour)
    return colour


def _background(c: _Canvas) -> Tensor:
    """(3, N)."""
    look, sight = c.look, c.sight
    paper = look.palette.paper[:, None].expand(3, c.number.shape[0])
    behind = sight.behind.flatten(1).repeat(1, sight.ids.shape[0])
    if look.background == "sky":
        turned = (look.palette.turn @ behind).clamp(0, 1)
        return turned * 0.85 + 0.1 * paper
    if look.background == "gradient":
        high = torch.linspace(0, 1, sight.ids.shape[1], device=paper.device)
        rows = high[None, :, None].expand(sight.ids.shape).flatten()
        return torch.lerp(paper, look.palette.accent[:, :1].expand_as(paper), rows * 0.8)
    if look.background == "textured":
        return paper + 0.1 * c.noise(look.wash[0], look.brush[2], 30)[0] * (1 + look.palette.accent[:, :1])
    return paper


def paint(sight: Sight, look: Look) -> Tensor:
    """(F, 3, H, W) sRGB, at the sight's size."""
    c = _Canvas(sight, look)
    tones, tools = c.tones(), look.tools
    colour = _lay_tones(c, tones)
    needs_lines = "ink" in tools or "wash" in tools
    lines = ink.Lines(sight, look, c.light, c.noise(7.0, 1.0, 40)) if needs_lines else None
    if "streaks" in tools:
        colour = c.only("streaks", _lay_streaks(c, colour, tones), colour)
    if "dabs" in tools:
        colour = c.only("dabs", _lay_dabs(c, colour), colour)
    if "regions" in tools:
        colour = _lay_regions(c, colour, tones)
    if "wash" in tools and lines:
        colour = c.only("wash", _lay_wash(c, colour, lines.distance), colour)
    if "speckle" in tools:
        colour = c.only("speckle", _lay_speckle(c, colour, tones), colour)
    if "hatch" in tools or look.cast == "hatch":
        colour = c.only("hatch", _lay_hatch(c, colour, tones), colour)
    colour = _lay_lights(c, colour, tones)
    if "plain" in tools:
        render = Sight.flat(sight.render.repeat_interleave(2, -1).repeat_interleave(2, -2))
        colour = torch.where(torch.tensor(look.plain, device=colour.device)[c.number], render, colour)
    colour = torch.where(c.solid, colour, _background(c)).clamp(0, 1)
    if "ink" in tools and lines:
        colour = torch.lerp(colour, lines.colour(tones), lines.cover())
    if "grain" in tools:
        amount, size = look.grain
        frames, height, width = sight.ids.shape
        spots = Sight.flat(sight.render.new_zeros(1, 1, height, width))
        row, column = torch.meshgrid(*(torch.arange(n, device=spots.device) for n in (height, width)), indexing="ij")
        at = torch.stack([column, row, torch.zeros_like(row)]).flatten(1) / (2 * size)
        paper = noise.value(at + look.offset)[0] + 0.6 * noise.value(at * 0.43 + 5)[1]
        colour = colour * (1 + amount * paper.repeat(frames))
    return sight.picture(colour)
