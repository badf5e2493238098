"""What panels and preferences share: sentences over several lines, time left, how far the installation is. Draws, and nothing
else."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import bpy

from . import installer
from .words import iface_, said

OPENING, CLOSING = "“‘（《", "，。；：！？、”’）》"  # stay with what follows and with what goes before
WIDE = "\u2e80-\uffef"  # Chinese may be parted after every character
PIECES = re.compile(rf"[{OPENING}]*(?:[{WIDE}]|[^\s{WIDE}{OPENING}{CLOSING}]+)[{CLOSING}]*|\S|\s+")


def duration(seconds: float) -> str:
    """1:05, or 2:00:00."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def wrapped(text: str, letters: int) -> list[str]:
    """The text in lines of at most so many letters, a wide one counting as two. A word that is longer has a line of its own."""
    lines, used = [""], 0
    for piece in PIECES.findall(text):
        size = sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in piece)
        if lines[-1] and used + size > letters and not piece.isspace():
            lines, used = [*lines, ""], 0
        if lines[-1] or not piece.isspace():
            lines[-1] += piece
            used += size
    return [line.rstrip() for line in lines]


def sentence(layout: Any, text: str, icon: Any, width: int) -> None:
    """A sentence over as many lines as a region of this width (pixels) takes. It is translated as a whole, before that."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    scale = bpy.context.preferences.system.ui_scale
    for i, line in enumerate(wrapped(iface_(text), max(16, int(width / (6.5 * scale)) - 8))):
        column.label(text=line, icon="BLANK1" if i else icon, translate=False)


def installation(layout: Any, step: installer.Step) -> None:
    """How far the engine's installation is, and the cross that stops it."""
    box = layout.box().column()
    row = box.row()
    row.label(text="Installing the engine")
    row.operator("understudy.cancel_install", text="", icon="X")
    box.progress(factor=step.done, text=f"{step.done:.0%}", type="BAR")
    box.label(text=said(step.text, iface_))
