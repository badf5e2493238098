"""What the generator's benchmark leaves to be read and looked at: a table in Markdown, a sheet of stills and a film for each
effect. Pictures are (T, H, W, 3) float32, 0 to 1. Knows figures and pictures, no methods."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

Figures = dict[str, float]
Table = dict[str, Figures]
COLUMNS = {
    "continue": {
        "PSNR 8": ".2f", "JOD 8": ".2f", "sharpness 12": ".2f", "FD frames": ".2f", "FD changes": ".2f",
        "spread at the end": ".2f", "sharpness at the end": ".2f", "motion at the end": ".2f", "copied": ".2f",
        "s a frame": ".3f", "CPU s a frame": ".3f",
    },
    "between": {"PSNR": ".2f", "JOD": ".2f", "sharpness": ".2f", "s a frame": ".3f", "job s": ".0f"},
    "loop and vary": {"loop seam": ".2f", "seeds apart": ".2f", "training s": ".0f", "steps": ".0f", "peak MiB": ".0f"},
}  # fmt: skip
INK = (255, 0, 255)


def mean(tables: list[Table]) -> Table:
    """By method, the mean of each figure over the effects."""
    methods = list(dict.fromkeys(name for table in tables for name in table))
    out: Table = {}
    for name in methods:
        rows = [table[name] for table in tables if name in table]
        columns = list(dict.fromkeys(column for row in rows for column in row))
        out[name] = {c: float(np.nanmean([row.get(c, np.nan) for row in rows])) for c in columns}
    return out


def lines_of(table: Table, columns: dict[str, str], title: str) -> list[str]:
    """The lines of one table in Markdown."""
    there = [c for c in columns if any(c in row for row in table.values())]
    lines = [f"| {title} | {' | '.join(there)} |", "|" + "---|" * (1 + len(there))]
    for name, row in table.items():
        cells = [format(row[c], columns[c]) if np.isfinite(row.get(c, np.nan)) else "" for c in there]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return [*lines, ""]


def markdown(report: dict[str, dict[str, Table]], notes: list[str]) -> str:
    """The whole run. report: by effect, by kind of question, by method."""
    lines = ["# Generate, by `python3 build.py bench generate`", "", *(f"* {note}" for note in notes), ""]
    for kind, columns in COLUMNS.items():
        tables = {name: entry[kind] for name, entry in report.items() if kind in entry}
        if not tables:
            continue
        lines += [f"## {kind.capitalize()}", ""]
        if len(tables) > 1:
            lines += lines_of(mean(list(tables.values())), columns, f"mean of {len(tables)}")
        for name, table in tables.items():
            lines += lines_of(table, columns, name)
    return "\n".join(lines)


def _bytes(pictures: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(pictures, 0, 1) * 255).astype(np.uint8)


def _labelled(row: np.ndarray, label: str) -> np.ndarray:
    image = Image.fromarray(row)
    ImageDraw.Draw(image).text((4, 3), label, fill=INK)
    return np.array(image)


def stills(made: dict[str, np.ndarray], given: int, path: Path) -> None:
    """A row a method, truth first: frames 1, 4 and 8 after the given ones, then later ones up to the last."""
    last = min(len(x) for x in made.values()) - 1
    at = sorted({min(i, last) for i in (0, 3, 7, given // 2, given, 3 * given, 6 * given, last)})
    rows = [
        _labelled(np.concatenate(list(_bytes(x[at])), 1), f"{name}: +{[i + 1 for i in at]}") for name, x in made.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(path, quality=85)


def leads(truth: np.ndarray, made: np.ndarray, path: Path, row: int = 12, rows: int = 3) -> None:
    """Every one of the first frames: the truth's first row, then ours, in which one stretch is left for another."""
    shown = [(f"truth: +1 to +{row}", truth[:row])]
    shown += [(f"ours: +{i + 1} to +{i + row}", made[i : i + row]) for i in range(0, row * rows, row)]
    strips = [_labelled(np.concatenate(list(_bytes(x)), 1), label) for label, x in shown if len(x) == row]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(strips)).save(path, quality=85)


def worst(made: dict[str, np.ndarray], truth: np.ndarray, by: str, path: Path) -> None:
    """Truth and every method side by side: the three frames in which `by` is worst, the median and the best."""
    error = ((made[by] - truth) ** 2).mean((1, 2, 3))
    order = np.argsort(-error)
    rows = [
        _labelled(
            np.concatenate([_bytes(truth[i]), *(_bytes(x[i]) for x in made.values())], 1), " | ".join(["truth", *made])
        )
        for i in (*order[:3], order[len(order) // 2], order[-1])
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(rows)).save(path, quality=85)


def film(made: dict[str, np.ndarray], path: Path, fps: int, grow: int = 1) -> None:
    """Truth and methods side by side as H.264, where a Blender is named to make it with; else a sentence."""
    python = os.environ.get("UNDERSTUDY_BLENDER_PYTHON", "")
    if not python:
        print(f"{path.name} is left out: `build.py bench` names a Blender to make films with.")
        return
    length = min(len(x) for x in made.values())
    with tempfile.TemporaryDirectory() as name:
        for i in range(length):
            row = np.concatenate([_labelled(_bytes(x[i]), label) for label, x in made.items()], 1)
            Image.fromarray(row.repeat(grow, 0).repeat(grow, 1)).save(Path(name) / f"{i:04d}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        script = Path(__file__).with_name("film.py")
        subprocess.run([python, str(script), name, str(path), str(fps)], check=True, stdout=subprocess.DEVNULL)
