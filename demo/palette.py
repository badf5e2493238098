"""What every surface of the demo looks like: its plain colour, and how the painter paints it. Standard library only, so that
Blender (which makes the materials) and the painter (which never sees Blender) read the same table.

The plain colours are few and shared on purpose: bird, cap, stones and trunks are one grey brown in the render and teal, plum,
lilac and rust in the painting, so that no map from colour to colour can make the one out of the other.
"""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Paint:
    """One surface. plain: colour in the render. tones: colours from deepest shadow to highlight. accent: what some strokes
    lean to. All are sRGB in hexadecimal.

    length, width: half sizes of a stroke in metres. flow: direction of the strokes in the object's own axes, laid onto the
    surface. A paint without them is a region of another one's object, and shares its strokes. ink: width of the outline
    in pixels of a 256 picture, 0 for none. matt: not modelled by light; brightest below, like an evening sky.
    """

    name: str
    plain: str
    tones: str
    accent: str
    length: float = 0.0
    width: float = 0.0
    flow: Colour = (0.0, 0.0, 1.0)
    ink: float = 0.0
    matt: bool = False


_BROWN, _CREAM, _GREEN, _GREY = "7c6a5c", "c9bda8", "7f8a5f", "8d9196"

PAINTS = (
    Paint("sky", "aebfcc", "e9886f f0a27c f8c796 fbdcae", "f7b79a", 2.2, 0.34, (1, 0, 0.06), matt=True),
    Paint("sun", "e8e2d4", "fff3d0 fff3d0 fff3d0 fff8e4", "ffe3a6", 0.9, 0.22, (1, 0, 0.3), matt=True),
    Paint("far hill", _GREEN, "7d5a86 a06c8c c98a92 e0a294", "b9789a", 0.9, 0.20, (1, 0, -0.35)),
    Paint("near hill", _GREEN, "2f5b74 3f7f86 62a08a 9dbb86", "4f93a0", 0.55, 0.12, (0.8, 0, -0.6)),
    Paint("ground", _GREEN, "4b4f7c b0803f e8b658 fbd983", "e8935a", 0.30, 0.06, (1, 0.25, 0)),
    Paint("grass", _GREEN, "234e63 2f7f74 7fae5c cfd27a", "e0a23c", 0.09, 0.016, (0, 0, 1), ink=0.7),
    Paint("stone", _BROWN, "4a4378 7f74a8 b9a9cf e6d7e6", "d58fa6", 0.10, 0.035, (1, 0.4, -0.3), ink=1.1),
    Paint("trunk", _BROWN, "4d2a4a 8c4250 bf6a55 e39a6c", "c9514a", 0.16, 0.03, (0, 0, 1), ink=0.9),
    Paint("leaves", _GREEN, "1f4a63 2d7a7a 58a888 b8d28c", "e8b04f", 0.13, 0.045, (0.6, 0.2, -1), ink=0.9),
    Paint("back", _BROWN, "1f2f63 1f6c93 2fa3b0 8fd9cc", "3f6fc4", 0.085, 0.026, (0, 0.5, -1), ink=1.35),
    Paint("belly", _CREAM, "8a6394 e0a48c fbe6c4 fffaf0", "f5b98c", ink=1.35),
    Paint("wing", _BROWN, "1b2858 1f4f86 2b7fb0 7fc3d6", "45b6a8", 0.10, 0.020, (0, 0.7, -1), ink=1.25),
    Paint("beak", _CREAM, "8f3350 d9622f ffa531 ffe08a", "ffc04a", 0.04, 0.012, (0, 1, 0), ink=1.1),
    Paint("leg", _CREAM, "7a2c50 c4512f f08a33 ffc46a", "e8743a", 0.04, 0.010, (0, 0, 1), ink=0.8),
    Paint("eye", "1c1c20", "171433 171433 1f1b42 3b3a78", "2b2a60", 0.03, 0.010, (0, 0, 1), ink=0.6),
    Paint("glint", "f2f2f2", "ffffff ffffff ffffff ffffff", "ffffff", matt=True),
    Paint("cheek", _CREAM, "a0527f ea7a6c ff9d86 ffc3a6", "ff8a78"),
    Paint("scarf", _GREY, "6d1f52 bd2b45 f2523c ff9a6b", "ff7a4a", 0.05, 0.018, (1, 0.6, -0.5), ink=1.2),
    Paint("stripe", _CREAM, "8a4a6e e8a05a ffd98a fff0c0", "ffc766", ink=1.2),
    Paint("cap", _BROWN, "43215f 7d3a86 b65a9c eda0b4", "d8527e", 0.07, 0.022, (0, 0, -1), ink=1.3),
    Paint("dot", _CREAM, "9d7ba6 f0cfae fff4dc ffffff", "ffe3b0", ink=0.5),
    Paint("stem", _CREAM, "7a5f92 dba88e fbe3c0 fff6e6", "f0bd8f", ink=1.1),
)
OVERSIZE = 2  # the painter works on pictures this much larger
PAPER = "f6efe2"  # where nothing is painted
NUMBER = {paint.name: number for number, paint in enumerate(PAINTS)}


def rgb(code: str) -> Colour:
    """sRGB in 0 to 1 from 'rrggbb'."""
    return (int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255)
