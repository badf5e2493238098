"""What a graphics card makes of it: time of a training step and of a frame at several sizes, the share of the card's peak that is
reached, and how the cost grows with pixels and with frames. On a machine without one it measures the processor.

    python3 build.py bench gpu                       (on the benchmark's own turntable)
    python -m benchmarks.gpu FOLDER KEY [--truth FOLDER] [--steps 1300] [--seconds 100] [--out gpu.json]

FOLDER is a job folder with keys/KEY. Frames of other sizes are the folder's own, enlarged: right for times, not for looks. It
trains and paints by the product's own code; the variants of the network are measured beside it and are no setting of the product.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import library, metrics
from engine import checkpoint, device, frames, job_folder
from engine.jobs import JOBS
from engine.protocol import TrainStyle
from engine.stylise.generator import Generator, GeneratorParams
from engine.stylise.painter import Key, Painter, read_key
from engine.stylise.train import style_path
from engine.stylise.views import View, read_view

SIZES = {"256": (256, 256), "512": (512, 512), "1080p": (1080, 1920), "2160p": (2160, 3840), "128": (128, 128)}
# Dense peaks in TFLOP/s by the maker's data sheet: float32 on the general cores, tf32 and half precision on the matrix units.
PEAKS = {
    "H100": (67.0, 494.0, 989.0),
    "H200": (67.0, 494.0, 989.0),
    "A100": (19.5, 156.0, 312.0),
    "4090": (82.6, 82.6, 165.0),
}
LOCATE = (job_folder.frame_path, job_folder.geometry_path, job_folder.edges_path, job_folder.albedo_path)
Record = dict[str, Any]


def peaks(chosen: torch.device) -> dict[str, float]:
    """Known peaks of this device, FLOP/s by kind of arithmetic; empty for one that is not listed."""
    name = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else ""
    found = next((rates for part, rates in PEAKS.items() if part in name), None)
    return dict(zip(("fp32", "tf32", "half"), (1e12 * rate for rate in found), strict=True)) if found else {}


def wait(chosen: torch.device) -> None:
    """Until the device has done all it was told."""
    if chosen.type == "cuda":
        torch.cuda.synchronize(chosen)


def timed(work: Callable[[], object], chosen: torch.device, limit: float = 2.0) -> float:
    """Median seconds, after two rounds that do not count; at most about `limit` seconds in all."""
    for _ in range(2):
        work()
    wait(chosen)
    times: list[float] = []
    while len(times) < 3 or (sum(times) < limit and len(times) < 50):
        start = time.perf_counter()
        work()
        wait(chosen)
        times.append(time.perf_counter() - start)
        if sum(times) > 4 * limit:
            break
    return statistics.median(times)


def enlarge(view: View, height: int, width: int) -> View:
    """The view at another size: the nearest pixel's object, all else between pixels."""

    def scaled(x: np.ndarray, how: int) -> np.ndarray:
        return cv2.resize(x, (width, height), interpolation=how)

    names = [field.name for field in dataclasses.fields(view) if isinstance(getattr(view, field.name), np.ndarray)]
    changed: dict[str, Any] = {
        name: scaled(getattr(view, name), cv2.INTER_LINEAR) for name in names if name not in ("ids", "sizes")
    }
    ids = scaled(view.ids.astype(np.float32), cv2.INTER_NEAREST).astype(np.int64)
    return dataclasses.replace(view, ids=ids, **changed)


# --- training --------------------------------------------------------------------------------------------------------


def train(folder: Path, key: int, chosen: torch.device, seconds: float, steps: int) -> Record:
    """One training by the product's own job, from nothing: what it took, the time to its first update included."""
    start = time.perf_counter()
    job = JOBS["train_style"](
        folder, TrainStyle(keys=[key], seconds=seconds, steps=steps, preview_frame=0, device=chosen.type)
    )
    while True:
        try:
            next(job)
        except StopIteration as end:
            figures = end.value.figures
            break
    return {"seconds": time.perf_counter() - start, "training s": figures["seconds"], "steps": figures["steps"]}


def load(folder: Path, keys: list[Key], chosen: torch.device) -> Painter:
    """A painter with the weights that the folder's last training left."""
    saved = checkpoint.load(style_path(folder, "generator"), GeneratorParams)
    return Painter(checkpoint.restore(saved, Generator).to(chosen).eval(), keys, chosen)


def quality(painter: Painter, views: list[View], truth: np.ndarray) -> dict[str, float]:
    """PSNR and SSIM of the frames that nobody painted."""
    made = np.stack([painter.paint(view) for view in views])
    return {"PSNR": metrics.psnr(made, truth), "SSIM": metrics.ssim(made, truth)}


def trainings(
    folder: Path, key: int, truth: Path | None, chosen: torch.device, budgets: list[float], steps: int
) -> list[Record]:
    """Trainings of several lengths and one of `steps` steps, each with the quality it reached."""
    shot = job_folder.read_shot(folder)
    scored = [frame for frame in shot.frames if frame != key]
    views = [read_view(folder, shot, frame) for frame in scored]
    painted = library.Entry("", folder, truth).paint(scored) if truth else None
    rows = []
    for seconds, count in [*((seconds, 0) for seconds in budgets), (600.0, steps)]:
        row = {"budget": f"{count} steps" if count else f"{seconds:g} s", **train(folder, key, chosen, seconds, count)}
        if painted is not None:
            row |= quality(load(folder, [read_key(folder, shot, key)], chosen), views, painted)
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def longer_shots(folder: Path, key: int, chosen: torch.device, work: Path, steps: int) -> list[Record]:
    """Training of the same shot repeated to be longer: its cost must not grow with the frames."""
    shot = job_folder.read_shot(folder)
    rows = []
    for times in (1, 4, 16):
        place = work / f"long{times}"
        for part in ("frames", "guides", "keys"):
            (place / part).mkdir(parents=True, exist_ok=True)
        for number in range(len(shot.frames) * times):
            source = shot.frames[number % len(shot.frames)]
            for locate in LOCATE:
                with contextlib.suppress(FileExistsError):
                    locate(place, number + 1).symlink_to(locate(folder, source).resolve())
        first = shot.frames.index(key) + 1
        with contextlib.suppress(FileExistsError):
            job_folder.key_path(place, first).symlink_to(job_folder.key_path(folder, key).resolve())
        longer = dataclasses.replace(shot, frame_start=1, frame_end=len(shot.frames) * times)
        job_folder.write_json(place / "shot.json", longer)
        rows.append({"frames": len(longer.frames), **train(place, first, chosen, 60.0, steps)})
    return rows


# --- painting --------------------------------------------------------------------------------------------------------


class Part(NamedTuple):
    """A network of the generator as painting a frame called it: once for each tile."""

    network: nn.Module
    given: tuple[Any, ...]


def parts(painter: Painter, view: View) -> tuple[list[Part], int]:
    """What the networks are given for a frame, and the floating-point operations that they take."""
    seen: list[Part] = []
    both = (painter.generator.tone, painter.generator.strokes)
    hooks = [network.register_forward_pre_hook(lambda n, given: seen.append(Part(n, given))) for network in both]
    with FlopCounterMode(display=False) as counter:
        painter.paint(view)
    for hook in hooks:
        hook.remove()
    return seen, counter.get_total_flops()


def variants(chosen: torch.device) -> dict[str, tuple[str, Callable[[], contextlib.AbstractContextManager]]]:
    """Ways to run the network: name → kind of arithmetic, context."""
    plain = contextlib.nullcontext
    if chosen.type != "cuda":
        return {"": ("fp32", plain)}
    return {
        "fp32": ("fp32", plain),
        "tf32": ("tf32", _matrix_units),
        "half": ("half", lambda: torch.autocast("cuda", torch.float16)),
    }


@contextlib.contextmanager
def _matrix_units():  # type: ignore[no-untyped-def]
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def play(called: list[Part]) -> None:
    """The networks of one frame, one after the other."""
    for network, given in called:
        network(*given)


def graphed(called: list[Part]) -> Callable[[], object]:
    """The same as one recorded graph: what it takes without a launch for every layer."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            play(called)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        play(called)
    return graph.replay


def in_order(x: Any, form: torch.memory_format) -> Any:
    """Tensors (B, C, H, W) in that order of memory, also in tuples."""
    if isinstance(x, Tensor):
        return x.contiguous(memory_format=form) if x.ndim == 4 else x
    return type(x)(*(in_order(y, form) for y in x)) if hasattr(x, "_fields") else tuple(in_order(y, form) for y in x)


def compiled(called: list[Part]) -> Callable[[], object]:
    """The same by torch.compile."""
    quick: dict[nn.Module, Any] = {network: torch.compile(network) for network in {part.network for part in called}}
    return functools.partial(play, [Part(quick[network], given) for network, given in called])


def ways(called: list[Part], chosen: torch.device, with_compile: bool) -> dict[str, Callable[[], Callable[[], object]]]:
    """What makes one frame's networks ready to run: as they are, as a recorded graph, compiled."""
    works: dict[str, Callable[[], Callable[[], object]]] = {"": lambda: functools.partial(play, called)}
    if chosen.type == "cuda":
        works[" graph"] = functools.partial(graphed, called)
    if with_compile:
        works[" compiled"] = functools.partial(compiled, called)
    return works


@torch.inference_mode()
def networks(called: list[Part], flops: int, chosen: torch.device, with_compile: bool) -> Record:
    """Seconds of one frame's networks alone by variant, and the share of the device's peak."""
    rates, found = peaks(chosen), Record()
    torch.backends.cudnn.allow_tf32 = False
    for name, (kind, context) in variants(chosen).items():
        for order, form in (("planes", torch.contiguous_format), ("channels-last", torch.channels_last)):
            for network in {part.network for part in called}:
                nn.Module.to(network, memory_format=form)  # type: ignore[call-overload]
            changed = [Part(network, in_order(given, form)) for network, given in called]
            last = with_compile and kind == "half" and form is torch.channels_last
            with context():
                for way, make in ways(changed, chosen, last).items():
                    title = f"{name} {order}{way}".strip()
                    try:
                        seconds = timed(make(), chosen, 0.5)
                    except (
                        RuntimeError,
                        ImportError,
                        OSError,
                    ) as error:  # no compiler, no memory: the others still count
                        found[title] = {"error": str(error)[:200]}
                        continue
                    share = {"of peak": flops / seconds / rates[kind]} if kind in rates else {}
                    found[title] = {"s": seconds, "TFLOP/s": flops / seconds / 1e12, **share}
    return found


def painting(folder: Path, key: int, chosen: torch.device, sizes: list[str], until: float) -> dict[str, Record]:
    """By size: seconds a frame as the product paints it, from arrays in memory to an array, and of the network alone."""
    shot = job_folder.read_shot(folder)
    kept = read_key(folder, shot, key)
    other = next(frame for frame in shot.frames if frame != key)
    view, rows = read_view(folder, shot, other), {}
    for size in sizes:
        if time.monotonic() > until:
            print(f"no time left for {size}", flush=True)
            break
        height, width = SIZES[size]
        paint = cv2.resize(kept.paint, (width, height), interpolation=cv2.INTER_NEAREST)
        large = Key(enlarge(kept.view, height, width), paint, np.ones((height, width), bool))
        painter, frame = load(folder, [large], chosen), enlarge(view, height, width)
        called, flops = parts(painter, frame)
        if chosen.type == "cuda":
            torch.cuda.reset_peak_memory_stats()
        row: Record = {"pixels": height * width, "s a frame": timed(functools.partial(painter.paint, frame), chosen)}
        row |= {
            "frames a second": 1 / row["s a frame"],
            "GFLOP": flops / 1e9,
            "ns a pixel": 1e9 * row["s a frame"] / row["pixels"],
        }
        if chosen.type == "cuda":
            row["peak GiB"] = torch.cuda.max_memory_allocated() / 2**30
        with_compile = chosen.type == "cuda" and size == "1080p" and time.monotonic() < until - 45
        row["networks"] = networks(called, flops, chosen, with_compile)
        rows[size] = row
        print(size, json.dumps(row), flush=True)
    return rows


def files(folder: Path, key: int, work: Path) -> dict[str, float]:
    """Seconds a frame on the processor for what surrounds the painting: reading the guides, writing the picture."""
    shot = job_folder.read_shot(folder)
    picture, cpu = frames.read_frame(folder, shot, key), torch.device("cpu")
    return {
        "read s": timed(lambda: read_view(folder, shot, key), cpu, 0.5),
        "write s": timed(lambda: Image.fromarray(picture).save(work / "written.png", compress_level=3), cpu, 0.5),
    }


def main(arguments: list[str] | None = None) -> None:
    """Measure, and write the record after each part."""
    parser = argparse.ArgumentParser(prog="build.py bench gpu")
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("key", nargs="?", type=int, default=14)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--steps", type=int, default=1300, help="about what two cores do in 120 seconds")
    parser.add_argument(
        "--budgets", type=float, nargs="*", default=[2.0, 5.0, 15.0], help="seconds of trainings to score"
    )
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--seconds", type=float, default=110.0, help="no new size is begun after these")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=Path("build/bench/gpu.json"))
    args = parser.parse_args(arguments)
    until, work = time.monotonic() + args.seconds, args.out.parent / "gpu"
    if args.folder is None:
        entry = library.own_shot("turntable", args.out.parent / "shots")
        args.folder, args.truth = library.stage(entry, [args.key], work / "shot"), entry.truth
    work.mkdir(parents=True, exist_ok=True)
    chosen = device.choose(args.device)
    named = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else f"cpu, {torch.get_num_threads()} threads"
    record: Record = {"device": named, "torch": torch.__version__, "peaks": peaks(chosen)}
    parts: dict[str, Callable[[], Any]] = {
        "training": lambda: trainings(args.folder, args.key, args.truth, chosen, args.budgets, args.steps),
        "painting": lambda: painting(args.folder, args.key, chosen, args.sizes, until),
        "training by frames": lambda: longer_shots(args.folder, args.key, chosen, work, max(2, args.steps // 10)),
        "files 256": lambda: files(args.folder, args.key, work),
    }
    for name, part in parts.items():
        record[name] = part()
        job_folder.write_json(args.out, record)
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
