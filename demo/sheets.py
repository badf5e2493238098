"""The two sheets to look at: what went in and what came out of the shot, and the poses of the leap. Knows the demo's folder
and how guides are read; neither Blender nor how anything was made.

Run by hand:  python -m demo.sheets OUT_FOLDER
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from demo.palette import PAPER
from engine import frames, job_folder, protocol

INK, FAINT, KEY, GENERATED, PLAYED_ON = "#1f2447", "#8b8596", "#e0532f", "#2a7f9e", "#9a5fb0"
MARGIN, GAP = 48, 14
CELL = 256  # a frame on the contact sheet
SHOWN = (1, 8, 14, 32, 40, 48)
GUIDES = ("normal", "depth", "anchor", "id")


class Sheet:
    """A sheet of paper to paste and write on."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width, height), "#" + PAPER)
        self.draw = ImageDraw.Draw(self.image)

    def write(self, x: int, y: int, text: str, size: int, colour: str = INK, anchor: str = "ls") -> None:
        """One line of text; y is its baseline."""
        self.draw.text((x, y), text, colour, ImageFont.load_default(size), anchor=anchor)

    def paste(self, x: int, y: int, picture: Image.Image, side: int, frame_colour: str = "", line: int = 4) -> None:
        """A square picture, its upper left corner at x, y, in a frame if a colour is given."""
        way = Image.Resampling.LANCZOS if picture.width < 2 * side else Image.Resampling.BOX
        self.image.paste(picture.convert("RGB").resize((side, side), way), (x, y))
        if frame_colour:
            box = (x - line, y - line, x + side + line - 1, y + side + line - 1)
            self.draw.rectangle(box, outline=frame_colour, width=line)


# --- contact sheet ---------------------------------------------------------------------------------------------------


def _as_colour(name: str, guide: np.ndarray) -> Image.Image:
    """A guide (H, W, C) as people look at it."""
    seen = np.isfinite(guide).all(-1) & (np.abs(guide) < 1e6).all(-1)
    value = np.where(seen[..., None], guide, 0.0)
    if name == "normal":
        picture = 0.5 + 0.5 * value[..., :3]
    elif name == "depth":
        near = value[seen].min() if seen.any() else 1.0
        picture = np.repeat(np.clip(near / np.maximum(value, near), 0, 1), 3, -1)
    elif name == "id":
        palette = np.random.default_rng(4).random((4096, 3)) * 0.75 + 0.2
        picture = palette[np.rint(value[..., 0]).astype(int) % 4096]
    else:
        picture = value[..., :3]
    return Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))


def _open(folder: Path, frame: int) -> Image.Image:
    return Image.open(folder / f"{frame:04d}.png")


def contact_sheet(out: Path) -> Image.Image:
    """Render, guides and painted key above; below them frames of the shot: render, stylised, and what the painter made."""
    folder = out / "shot"
    shot = job_folder.read_shot(folder)
    key = int(next((folder / "keys").glob("*.png")).stem)
    width = 2 * MARGIN + len(SHOWN) * CELL + (len(SHOWN) - 1) * GAP
    big = (width - 2 * MARGIN - 2 * 2 * GAP) // 3
    top, below = 150, 150 + big + 110
    sheet = Sheet(width, below + 3 * (CELL + GAP) + 118)
    sheet.write(MARGIN, 72, "Understudy", 44)
    sheet.write(width - MARGIN, 72, f"one painted frame, {len(shot.frames)} frames played", 26, FAINT, "rs")
    columns = [MARGIN + i * (big + 2 * GAP) for i in range(3)]
    for x, text in zip(
        columns,
        (f"render, frame {key}", "guides that Blender gives", f"frame {key}, the one painted key"),
        strict=True,
    ):
        sheet.write(x, top - 14, text, 22, KEY if x == columns[2] else INK)
    sheet.paste(columns[0], top, _open(folder / "frames", key), big)
    _guide_block(sheet, folder, shot, key, (columns[1], top), big)
    sheet.paste(columns[2], top, _open(folder / "keys", key), big, KEY)
    rows = (
        (folder / "frames", "render"),
        (folder / "result", "stylised by Understudy"),
        (out / "painted", "truth: the same brush on every frame, never shown to the network"),
    )
    y = below
    for pictures, text in rows:
        sheet.write(MARGIN, y - 10, text, 20, GENERATED if "Understudy" in text else INK)
        for i, frame in enumerate(SHOWN):
            sheet.paste(
                MARGIN + i * (CELL + GAP), y, _open(pictures, frame), CELL, GENERATED if "Understudy" in text else "", 3
            )
        y += CELL + GAP + 26
    for i, frame in enumerate(SHOWN):
        sheet.write(MARGIN + i * (CELL + GAP) + CELL // 2, y - 14, f"frame {frame}", 18, FAINT, "ms")
    return sheet.image


def _guide_block(sheet: Sheet, folder: Path, shot: protocol.Shot, key: int, corner: tuple[int, int], side: int) -> None:
    """Four of the guides in the space of one picture."""
    arrays = frames.read_guides(folder, shot, key, list(GUIDES))
    small = (side - 2 * 24) // 2
    for i, name in enumerate(GUIDES):
        x = corner[0] + 12 + (i % 2) * (small + 24)
        y = corner[1] + (i // 2) * (small + 24)
        sheet.paste(x, y, _as_colour(name, arrays[name]), small)
        sheet.write(x, y + small + 17, name, 16, FAINT)


# --- poses -----------------------------------------------------------------------------------------------------------


def poses(out: Path) -> Image.Image:
    """The leap, frame by frame, by the network and by the baseline; the keys stand out."""
    about = json.loads((out / "work" / "leap.json").read_text(encoding="utf-8"))
    strip, keys = about["strip"], set(about["keys"])
    half = (len(strip) + 1) // 2
    side, label = about["side"], 120
    row = side + 8
    block = 2 * row + 76
    sheet = Sheet(2 * MARGIN + label + half * side, 150 + 2 * block + 10)
    sheet.write(MARGIN, 72, f"{len(keys)} keyed poses, the rest by Understudy", 36)
    x = MARGIN
    for colour, text in (
        (KEY, "key"),
        (GENERATED, "in-between"),
        (PLAYED_ON, f"played on after frame {max(keys)}"),
    ):
        sheet.draw.rectangle((x, 98, x + 18, 112), fill=colour)
        sheet.write(x + 26, 112, text, 18)
        x += 60 + int(sheet.draw.textlength(text, ImageFont.load_default(18)))
    for line, part in enumerate((strip[:half], strip[half:])):
        _pose_lines(sheet, out, part, keys, 150 + line * block, side, label)
    return sheet.image


def _pose_lines(sheet: Sheet, out: Path, part: Sequence[int], keys: set[int], top: int, side: int, label: int) -> None:
    for i, frame in enumerate(part):
        colour = KEY if frame in keys else PLAYED_ON if frame > max(keys) else GENERATED
        x = MARGIN + label + i * side
        for row, name in enumerate(("auto", "baseline")):
            sheet.paste(x, top + row * (side + 8), _open(out / "work" / f"poses_{name}", frame), side)
        y = top + 2 * (side + 8) + 6
        sheet.draw.rectangle((x + 6, y, x + side - 7, y + (8 if frame in keys else 4)), fill=colour)
        sheet.write(x + side // 2, y + 32, f"{'key ' if frame in keys else ''}{frame}", 18, colour, "ms")
    for row, name in enumerate(("network", "baseline")):
        sheet.write(MARGIN, top + row * (side + 8) + side // 2, name, 20, INK if row == 0 else FAINT)


def main(out: Path) -> None:
    """Draw both."""
    for name, draw in (("contact_sheet", contact_sheet), ("poses", poses)):
        draw(out).save(out / f"{name}.png", optimize=True)
        print(f"frame {name}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
