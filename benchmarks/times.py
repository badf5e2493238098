"""What an artist waits for on a processor: the seconds to the first previews of a training and what these are worth, and the
seconds a frame of painting at three sizes, each by the product's own job in a process of its own.

    python -m benchmarks.times [--seconds 20] [--out build/bench/times.json]       (3 to 4 minutes on two idle cores)

The shot is the benchmark's demo, written anew as a capture of today leaves it. Frames of other sizes are its own, enlarged: right
for times, not for looks.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import OpenEXR
from PIL import Image

from benchmarks import library, metrics, timed
from engine import frames, job_folder, protocol

# Width, height, frames; the last only where it is asked for.
SIZES = {"256": (256, 256, 48), "512": (512, 512, 16), "1080p": (1920, 1080, 8), "2160p": (3840, 2160, 4)}
KEY = 19
PASSES = {
    "anchor": "Combined.RGBA",
    "depth": "Depth.Z",
    "normal": "Normal.XYZ",
    "id": "Object Index.X",
    "vector": "Vector.XYZW",
}
Figures = dict[str, float]


# --- shots of any size -----------------------------------------------------------------------------------------------


def _cut(picture: np.ndarray, width: int, height: int, how: int) -> np.ndarray:
    """The middle of a picture (H, W, C) in these proportions, enlarged."""
    rows = round(picture.shape[1] * height / width)
    first = (picture.shape[0] - rows) // 2
    large = cv2.resize(picture[first : first + rows], (width, height), interpolation=how)
    return large.reshape(height, width, picture.shape[2])


def _write_layers(path: Path, layers: dict[str, np.ndarray]) -> None:
    """An EXR as Blender 5.x writes it, a part a pass. layers: Pass.CHANNELS → (H, W, C)."""
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    parts = []
    for name, picture in layers.items():
        layer, _, channels = f"ViewLayer.{name}".rpartition(".")
        planes = {
            f"{layer}.{channel}": np.ascontiguousarray(picture[..., i], np.float32)
            for i, channel in enumerate(channels)
        }
        parts.append(OpenEXR.Part(header | {"name": layer}, planes, layer))
    OpenEXR.File(parts).write(str(path))


def write_shot(entry: library.Entry, folder: Path, width: int, height: int, count: int) -> None:
    """A job folder with the shot's first frames, four of them in turn for large ones, and the key."""
    shot, shown = entry.shot, count if height <= 512 else min(count, 4)
    for name in ("frames", "guides", "keys"):
        (folder / name).mkdir(parents=True)

    def picture(source: Path, path: Path) -> None:
        read = np.array(Image.open(source).convert("RGB"))
        Image.fromarray(_cut(read, width, height, cv2.INTER_LINEAR)).save(path)

    def capture(number: int, frame: int) -> None:
        guides = frames.read_guides(entry.folder, shot, number, [*PASSES, "albedo"])
        large = {
            name: _cut(guide, width, height, cv2.INTER_NEAREST if name == "id" else cv2.INTER_LINEAR)
            for name, guide in guides.items()
        }
        light = np.dstack([np.zeros((height, width, 3), np.float32), large["anchor"][..., 3:]])
        _write_layers(job_folder.geometry_path(folder, frame), {PASSES[name]: large[name] for name in PASSES})
        _write_layers(
            job_folder.albedo_path(folder, frame), {"Combined.RGBA": light, "Diffuse Color.RGB": large["albedo"]}
        )
        for locate in (job_folder.frame_path, job_folder.edges_path):
            picture(locate(entry.folder, number), locate(folder, frame))

    for frame in [*range(1, shown + 1), KEY]:
        capture(frame, frame)
    for frame in range(shown + 1, count + 1):
        for locate in (job_folder.frame_path, job_folder.edges_path, job_folder.geometry_path, job_folder.albedo_path):
            if not locate(folder, frame).exists():
                locate(folder, frame).symlink_to(locate(folder, (frame - 1) % shown + 1).name)
    picture(entry.truth / f"{KEY:04d}.png", job_folder.key_path(folder, KEY))
    facts = json.loads((entry.folder / "shot.json").read_text(encoding="utf-8"))
    facts |= {"width": width, "height": height, "guides": [*PASSES, "albedo", "edges"]}
    job_folder.write_json(folder / "shot.json", facts)


# --- jobs in a process of their own ----------------------------------------------------------------------------------


def child(folder: Path, out: Path, begun: float) -> None:
    """Run the folder's job; write when each update with a picture came, in seconds since `begun`, and keep these pictures."""
    from engine.jobs import run_folder

    seen: list[float] = []
    shown: list[tuple[int, np.ndarray]] = []
    first = 0.0
    for update in run_folder(folder):
        first = first or time.time() - begun
        if update.preview is not None:
            seen.append(time.time() - begun)
            shown += [(update.frame, update.preview)] if len(shown) < 3 else []
    times = {"start s": first, "end s": time.time() - begun} | {f"{i}": at for i, at in enumerate(seen, 1)}
    for i, (frame, picture) in enumerate(shown, 1):
        Image.fromarray(picture[..., :3]).save(out.with_suffix(f".{frame}.{i}.png"))
    timed.report(out, times)


def run(folder: Path, job: protocol.TrainStyle | protocol.Stylise, out: Path) -> Figures:
    """What `child` says of a job."""
    job_folder.write_job(folder, job)
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    command = [sys.executable, "-m", "benchmarks.times", "--child", str(folder), str(out), str(time.time())]
    subprocess.run(command, check=True, env=environment)
    return timed.read(out)


def preview(entry: library.Entry, folder: Path, seconds: float, work: Path) -> Figures:
    """Seconds from the start of the process to the first previews, and their SSIM to the truth."""
    job = protocol.TrainStyle(keys=[KEY], seconds=seconds, steps=0, preview_frame=1, device="cpu")
    took = run(folder, job, work / "training.json")
    truth, told = entry.paint([1]), {"start s": took["start s"], "training s": took["end s"], "CPU s": took["CPU s"]}
    for i in (1, 2, 3):
        path = work / f"training.1.{i}.png"
        if path.exists():
            told[f"preview {i} s"] = took[str(i)]
            told[f"preview {i} SSIM"] = metrics.ssim(np.array(Image.open(path))[None], truth)
    return told


def painting(folder: Path, count: int, work: Path) -> Figures:
    """Seconds a frame. pace: after the first frames, which wait for the key to be looked at; all: the whole job, from its first
    update on; process: with the start of Python and of torch besides."""
    took = run(folder, protocol.Stylise(1, count, overwrite=True, device="cpu"), work / "painting.json")
    at = [took[str(i)] for i in range(1, count + 1)]
    cores = min(os.cpu_count() or 1, 4)  # as many frames come at once
    return {
        "pace s": (at[-1] - at[cores - 1]) / (count - cores),
        "all s": (took["end s"] - took["start s"]) / count,
        "process s": took["end s"] / count,
        "first frame s": at[0] - took["start s"],
        "CPU s a frame": took["CPU s"] / count,
        "peak MiB": took["peak MiB"],
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure, and write the record after each part."""
    parser = argparse.ArgumentParser(prog="build.py bench times")
    parser.add_argument("--seconds", type=float, default=20.0, help="of training")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES)[:3])
    parser.add_argument("--out", type=Path, default=Path("build/bench/times.json"))
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    args = parser.parse_args(arguments)
    if args.child:
        child(Path(args.child[0]), Path(args.child[1]), float(args.child[2]))
        return
    work = args.out.parent / "times"
    shutil.rmtree(work, ignore_errors=True)
    entry = library.own_shot("demo", args.out.parent / "shots")
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else -1.0
    record: dict[str, object] = {"cores": os.cpu_count(), "load before": load}
    for name in args.sizes:
        write_shot(entry, work / name, *SIZES[name])
    trained = work / "training"
    write_shot(entry, trained, 256, 256, max(frame for frame in entry.shot.frames))
    record["preview"] = preview(entry, trained, args.seconds, work)
    for name in args.sizes:
        shutil.copytree(trained / "style", work / name / "style")
        record[name] = painting(work / name, SIZES[name][2], work)
        job_folder.write_json(args.out, record)
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
