"""Motion figures for the README: the engine's own table as JSON, and a strip of stick figures to look at.

    python benchmarks/motion.py --data FOLDER --out FOLDER

The strip shows SLERP, the smooth curve, the network and the truth side by side for some windows of the dev set, from the
best to the worst by the network's own error over SLERP's. Knows no Blender.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from engine import job_folder, skeleton
from engine.clips import read_mocap
from engine.motion import bench, training, windows

GAP = 30
COLUMNS, WIDTH, HEIGHT, LEFT = 8, 120, 120, 110
INK = {"SLERP": (190, 120, 40), "smooth": (150, 90, 160), "ours": (40, 110, 200), "truth": (60, 60, 60)}


def poses_of(data: windows.Poses) -> dict[str, Tensor]:
    """Positions (N, 11 + GAP, J, 3) of the truth and of each model."""
    end = windows.PAST + GAP + 1
    part = windows.Poses(data.rotations[:, :end], data.locations[:, :end], data.offsets, data.parents)
    keys = torch.ones(part.rotations.shape[:3], dtype=torch.bool)
    keys[:, windows.PAST : end - 1] = False
    net = training.load(training.WEIGHTS / "inbetween")[0]
    fillers = {"SLERP": bench.interpolation, "smooth": bench.smooth, "ours": bench.network_filler(net)}
    places = {"truth": part.fk()[1]}
    for name, fill in fillers.items():
        places[name] = skeleton.fk(*fill(part, keys), part.offsets[:, None], part.parents)[1]
    return places


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
    frames = torch.linspace(windows.PAST - 1, windows.PAST + GAP, COLUMNS).round().long()
    for column, frame in enumerate(frames.tolist()):
        image.text((LEFT + column * WIDTH + 30, 6), f"frame {frame - windows.PAST + 1}", fill="black")
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


def main() -> None:
    """Write motion.json and motion.png."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with cmu_dev.npz")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder for motion.json and motion.png")
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    mocap = read_mocap(args.data / "cmu_dev.npz")
    spread = torch.tensor(training.load(training.WEIGHTS / "inbetween")[1]["position_deviation"])
    job_folder.write_json(args.out / "motion.json", bench.table(mocap, spread))
    data = bench.protocol_data(mocap)
    with torch.inference_mode():
        places = poses_of(data)
    gap = slice(windows.PAST, windows.PAST + GAP)
    error = {name: (x - places["truth"])[:, gap].flatten(2).norm(dim=-1).mean(1) for name, x in places.items()}
    order = (error["ours"] / error["SLERP"]).argsort().tolist()
    count = len(order)
    picks = [("best", order[0]), ("quarter", order[count // 4]), ("median", order[count // 2]), ("worst", order[-1])]
    picks.append(("largest\nerror", int(error["ours"].argmax())))
    strip(places, mocap.parents, picks).save(args.out / "motion.png")


if __name__ == "__main__":
    main()
