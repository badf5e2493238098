"""What the stylist's benchmark leaves to be read: a table in Markdown and a sheet of pictures of the worst frames. It knows
figures and arrays, no methods."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks import metrics

COLUMNS = {
    "PSNR": ".1f", "PSNR objects": ".1f", "PSNR revealed": ".1f", "SSIM": ".3f", "SSIM objects": ".3f", "SSIM revealed": ".3f",
    "JOD": ".2f", "warping / truth": ".2f", "sharpness / truth": ".2f", "strokes": ".2f", "strokes revealed": ".2f",
    "training s": ".0f", "s a frame": ".3f", "peak MiB": ".0f",
}  # fmt: skip
Figures = dict[str, float]


def _row(name: str, figures: Figures) -> str:
    cells = [format(figures[c], how) if np.isfinite(figures.get(c, np.nan)) else "" for c, how in COLUMNS.items()]
    return f"| {name} | {' | '.join(cells)} |"


def _head(title: str) -> list[str]:
    return [f"| {title} | {' | '.join(COLUMNS)} |", "|" + "---|" * (1 + len(COLUMNS))]


def mean(tables: list[dict[str, Figures]], columns: list[str]) -> dict[str, Figures]:
    """By method, the mean over the shots that all have it; a shot without such pixels does not count."""
    methods = [name for name in tables[0] if all(name in table for table in tables)]
    out: dict[str, Figures] = {}
    for name in methods:
        there = [c for c in columns if any(np.isfinite(table[name].get(c, np.nan)) for table in tables)]
        out[name] = {c: float(np.nanmean([table[name].get(c, np.nan) for table in tables])) for c in there}
    return out


def markdown(report: dict[str, dict], notes: list[str]) -> str:
    """The whole run. report: by shot, "keys" by method and "figures" by method."""
    lines = ["# Stylise, by `python3 build.py bench stylise`", ""]
    lines += [*(f"* {note}" for note in notes), ""]
    tables = {name: entry["figures"] for name, entry in report.items()}
    if len(tables) > 1:
        lines += [
            *_head(f"mean of {len(tables)} shots"),
            *(_row(*row) for row in mean(list(tables.values()), list(COLUMNS)).items()),
            "",
        ]
    for name, table in tables.items():
        lines += [*_head(f"{name} (keys {report[name]['keys']})"), *(_row(*row) for row in table.items()), ""]
    return "\n".join(lines)


def worst_frames(made: dict[str, np.ndarray], truth: np.ndarray, scored: list[int], by: str, path: Path) -> None:
    """Truth and every method side by side: the three frames in which `by` is worst, then its median and its best."""
    order = np.argsort([metrics.psnr(made[by][i : i + 1], truth[i : i + 1]) for i in range(len(truth))])
    rows = []
    for i in (*order[:3], order[len(order) // 2], order[-1]):
        row = Image.fromarray(np.concatenate([truth[i], *(frames[i] for frames in made.values())], 1))
        ImageDraw.Draw(row).text((4, 4), " | ".join([f"{scored[i]}: truth", *made]), fill=(255, 0, 255))
        rows.append(np.array(row))
    Image.fromarray(np.concatenate(rows)).save(path)
