"""Motion figures for the README: the engine's own tables as JSON, stick figures to look at, as strips and as films.

    python3 build.py bench motion --data FOLDER

FOLDER holds cmu_dev.npz, and for the prediction benchmark cmu_prediction_train.npz. The strips and films show SLERP, the
smooth curve, the network and the truth side by side for windows of the dev set, from the best to the worst by the
network's own error over SLERP's; long.mp4 shows ten seconds played on beside what truly followed. Knows no Blender.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from benchmarks import rigs
from engine import job_folder, skeleton
from engine.clips import read_mocap
from engine.motion import bench, bench_long, prediction, training, windows
from engine.motion.windows import PAST

GAP = 30
COLUMNS, WIDTH, HEIGHT, LEFT = 11, 96, 96, 90
INK = {"SLERP": (190, 120, 40), "smooth": (150, 90, 160), "ours": (40, 110, 200), "truth": (60, 60, 60)}
PANEL = 224  # pixels of a film's panels
# Clips of cmu_prediction_train.npz that no network here was trained on: they are takes of cmu_dev.npz.
VALIDATION = [*(f"basketball_{i}" for i in range(1, 6)), "walking_1", "walking_3"]


# --- numbers ---------------------------------------------------------------------------------------------------------


def unseen(folder: Path) -> dict[str, dict[str, float]]:
    """Scores over SLERP's on five rigs with motion of their own, which are made in `folder`: of what the job does, of the
    network alone, of the smooth curves."""
    alone = bench.network_filler(training.load(training.WEIGHTS / "inbetween")[0])
    out: dict[str, dict[str, float]] = {}
    for path in rigs.make(folder):
        mocap = read_mocap(path)
        poses, spread = bench.protocol_data(mocap), windows.deviation(mocap)
        base = bench.score(poses, bench.interpolation, spread)
        for name, filler in (("", bench.job_filler()), (", network alone", alone), (", smooth", bench.smooth)):
            out[path.stem + name] = bench.ratios(bench.score(poses, filler, spread), base)
    return out


def unseen_played(folder: Path) -> dict[str, dict[str, float]]:
    """Playing on on the same rigs, over standing still: as the job has it, by each network alone, by damped velocity."""
    out: dict[str, dict[str, float]] = {}
    players = bench.shipped_players(training.load(training.WEIGHTS / "extrapolate")[0])
    for path in rigs.make(folder):
        poses = bench.prediction_windows(read_mocap(path))
        still = bench.score_prediction(poses, players["zero velocity"])
        for name, player in players.items():
            if name != "zero velocity":
                label = path.stem if name == "ours" else f"{path.stem}, {name}"
                out[label] = bench.ratios(bench.score_prediction(poses, player), still)
    return out


def published(path: Path) -> dict[str, dict[str, float]]:
    """Mean angle errors by the CMU prediction benchmark on its validation clips."""
    every = prediction.windows(path, VALIDATION)
    players = bench.shipped_players(training.load(training.WEIGHTS / "extrapolate")[0])
    return {name: prediction.score(every, play) for name, play in players.items()}


def tables(data: Path, out: Path) -> dict[str, dict]:
    """Everything, by benchmark and model."""
    mocap = read_mocap(data / "cmu_dev.npz")
    spread = torch.tensor(training.load(training.WEIGHTS / "inbetween")[1]["position_deviation"])
    found: dict[str, dict] = dict(bench.table(mocap, spread))
    found["rigs never trained on, over SLERP"] = unseen(out / "rigs")
    found["rigs never trained on, played on, over zero velocity"] = unseen_played(out / "rigs")
    if (data / "cmu_prediction_train.npz").exists():
        found["CMU prediction benchmark"] = published(data / "cmu_prediction_train.npz")
    every = bench_long.stretches(data / "cmu_dev.npz")
    found["ten seconds"] = {n: bench_long.score(every, m) for n, m in (("coasting", "baseline"), ("ours", "auto"))}
    return found


# --- pictures --------------------------------------------------------------------------------------------------------


def poses_of(data: windows.Poses) -> dict[str, Tensor]:
    """Positions (N, 11 + GAP, J, 3) of the truth and of each model."""
    end = PAST + GAP + 1
    part = windows.Poses(data.rotations[:, :end], data.locations[:, :end], data.offsets, data.parents)
    keys = torch.ones(part.rotations.shape[:3], dtype=torch.bool)
    keys[:, PAST : end - 1] = False
    fillers = {"SLERP": bench.interpolation, "smooth": bench.smooth, "ours": bench.job_filler()}
    places = {"truth": part.fk()[1]}
    for name, fill in fillers.items():
        places[name] = skeleton.fk(*fill(part, keys), part.offsets[:, None], part.parents)[1]
    return places


def picked(places: dict[str, Tensor], count: int) -> list[tuple[str, int]]:
    """Windows from the best to the worst by the network's error over SLERP's, and the one with the largest error."""
    gap = slice(PAST, PAST + GAP)
    error = {name: (x - places["truth"])[:, gap].flatten(2).norm(dim=-1).mean(1) for name, x in places.items()}
    order = (error["ours"] / error["SLERP"]).argsort().tolist()
    at = np.linspace(0, len(order) - 1, count - 1).round().astype(int)
    labels = {0: "best", count - 2: "worst"}
    picks = [(labels.get(i, f"{100 * i // (count - 2)} %"), order[k]) for i, k in enumerate(at)]
    return [*picks, ("largest\nerror", int(error["ours"].argmax()))]


def draw(
    image: ImageDraw.ImageDraw, left: float, top: float, pose: Tensor, parents: list[int], ink: tuple[int, ...]
) -> None:
    """One figure (J, 3) seen from the side and a little from the front, feet near the cell's foot."""
    across = pose[:, 0] * 0.8 + pose[:, 2] * 0.6
    for joint, parent in enumerate(parents):
        if parent >= 0:
            line = [(left + float(across[j]), top - float(pose[j, 1])) for j in (parent, joint)]
            image.line(line, fill=ink, width=3)


def strip(places: dict[str, Tensor], parents: list[int], picks: list[tuple[str, int]]) -> Image.Image:
    """For each picked window a row a model: the last known frame, frames of the gap, the target."""
    rows = len(picks) * len(INK)
    sheet = Image.new("RGB", (LEFT + COLUMNS * WIDTH, rows * HEIGHT + 24), "white")
    image = ImageDraw.Draw(sheet)
    frames = torch.linspace(PAST - 1, PAST + GAP, COLUMNS).round().long()
    for column, frame in enumerate(frames.tolist()):
        image.text((LEFT + column * WIDTH + 30, 6), f"frame {frame - PAST + 1}", fill="black")
    for index, (label, window) in enumerate(picks):
        truth = places["truth"][window, frames]
        low, scale = truth[..., 1].amin(), 0.8 * HEIGHT / (truth[..., 1].amax() - truth[..., 1].amin())
        for line, (name, ink) in enumerate(INK.items()):
            base = 24 + (index * len(INK) + line + 1) * HEIGHT - 10
            image.text((6, base - HEIGHT // 2), f"{label}\n{name}", fill=ink)
            for column, frame in enumerate(frames.tolist()):
                pose = places[name][window, frame] - torch.stack([truth[column, 0, 0], low, truth[column, 0, 2]])
                draw(image, LEFT + (column + 0.5) * WIDTH, base, pose * scale, parents, ink)
    return sheet


def panels(shown: dict[str, Tensor], row: int, parents: list[int], label: str, known: bool) -> Image.Image:
    """One frame of a film: positions (T, J, 3) by model. The view follows the truth; the ground has marks, so that what
    slides is seen to."""
    sheet = Image.new("RGB", (PANEL * len(shown), PANEL), "white")
    image = ImageDraw.Draw(sheet)
    truth = shown["truth"]
    low = truth[..., 1].amin()
    scale = 0.7 * PANEL / float((truth[..., 1].amax() - low).clamp_min(1e-6))
    centre = torch.stack([truth[row, 0, 0], low, truth[row, 0, 2]])
    for i, (name, places) in enumerate(shown.items()):
        left, foot = (i + 0.5) * PANEL, PANEL - 18
        across = float(centre[0] * 0.8 + centre[2] * 0.6) * scale
        for mark in range(-8, 9):
            x = left - across % 28 + mark * 28
            if abs(x - left) < PANEL / 2 - 4:
                image.line([(x, foot + 2), (x, foot + 7)], fill=(170, 170, 170))
        image.line([(i * PANEL + 4, foot + 2), ((i + 1) * PANEL - 4, foot + 2)], fill=(170, 170, 170))
        draw(image, left, foot, (places[row] - centre) * scale, parents, INK[name] if not known else (150, 150, 150))
        image.text((i * PANEL + 6, 4), f"{name}   {label}".replace("\n", " "), fill=INK[name])
    return sheet


def film(path: Path, frames: Iterator[Image.Image]) -> None:
    """An MP4 at 30 frames a second, where a Blender is named to make it with; else a sentence."""
    python = os.environ.get("UNDERSTUDY_BLENDER_PYTHON", "")
    if not python:
        print(f"{path.name} is left out: `build.py bench` names a Blender to make films with.")
        return
    with tempfile.TemporaryDirectory() as name:
        for i, image in enumerate(frames):
            image.save(Path(name) / f"{i:04d}.png")
        script = Path(__file__).with_name("film.py")
        subprocess.run([python, str(script), name, str(path), "30"], check=True, stdout=subprocess.DEVNULL)


def gaps_film(places: dict[str, Tensor], parents: list[int], picks: list[tuple[str, int]]) -> Iterator[Image.Image]:
    """Each window at its speed, then at half of it; grey while keyed."""
    for label, window in picks:
        shown = {name: places[name][window] for name in INK}
        for slow in (1, 2):
            for row in range(PAST + GAP + 1):
                image = panels(shown, row, parents, label, row < PAST or row >= PAST + GAP)
                yield from [image] * slow
            yield from [image] * 8


def long_film(every: list[windows.Poses]) -> Iterator[Image.Image]:
    """Stretches played on for ten seconds beside what truly followed."""
    for poses in every:
        rows = round(bench_long.GIVEN * windows.FPS)
        truth = poses.fk()[1][0]
        played = skeleton.fk(*bench_long.play(poses, "auto"), poses.offsets[:, None], poses.parents)[1][0]
        shown = {"ours": torch.cat([truth[:rows], played]), "truth": truth}
        for row in range(rows - 30, len(truth)):
            yield panels(shown, row, poses.parents, f"{(row - rows) / 30:.1f} s", row < rows)


def main() -> None:
    """Write motion.json and motion.png, and films into motion/."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with cmu_dev.npz")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder for motion.json and motion.png")
    parser.add_argument("--only", choices=("numbers", "pictures"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    (args.out / "motion").mkdir(parents=True, exist_ok=True)
    if args.only != "pictures":
        figures = args.out / "motion.json"  # the tables of motion_ablation and motion_learn are kept
        before = json.loads(figures.read_text()) if figures.exists() else {}
        job_folder.write_json(figures, before | tables(args.data, Path("build/bench")))
    if args.only == "numbers":
        return
    mocap = read_mocap(args.data / "cmu_dev.npz")
    with torch.inference_mode():
        places = poses_of(bench.protocol_data(mocap))
    picks = picked(places, 10)
    strip(places, mocap.parents, picks).save(args.out / "motion.png", optimize=True)
    film(args.out / "motion" / "gaps.mp4", gaps_film(places, mocap.parents, picks))
    film(args.out / "motion" / "long.mp4", long_film(bench_long.stretches(args.data / "cmu_dev.npz")[::3]))


if __name__ == "__main__":
    main()
