"""Where the numbers are crunched: the device, how many threads, and seeds. It knows nothing of jobs or networks."""

from __future__ import annotations

import ctypes
import functools
import os
import random
import sys
import time

import cv2
import numpy as np
import torch

from engine.protocol import JobError

AT_ONCE = 8_000_000  # pixels of all frames in work, of which each takes about 200 bytes
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENAS = -1, -3, -8  # as malloc.h numbers them
DEVICES = ("auto", "cpu", "cuda", "mps", "xpu")


def choose(name: str = "auto") -> torch.device:
    """The device of that name; "auto" is the fastest kind that this machine has. On the CPU it also sets the thread
    count. Raises JobError."""
    if name not in DEVICES:
        raise JobError(f"The device '{name}' is unknown; it is one of {', '.join(DEVICES)}.")
    found = _available()
    if name == "auto":
        name = found[0]
    if name not in found:
        raise JobError(f"This machine's PyTorch has no '{name}' device; choose auto or {' or '.join(found)}.")
    if name == "cpu":
        torch.set_num_threads(best_thread_count())
        _keep_memory()
    return torch.device(name)


def describe() -> str:
    """What "auto" means on this machine, for the artist: "cuda (NVIDIA …)", "cpu"."""
    kind = _available()[0]
    return f"cuda ({torch.cuda.get_device_name()})" if kind == "cuda" else kind


def seed_all(seed: int) -> None:
    """Make what follows repeatable on this machine: Python's, numpy's and every device's random numbers."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


@functools.cache
def _keep_memory() -> None:
    """Let the C library keep large pieces that are freed, up to half a gigabyte, in one heap for all threads, as a thread's own
    holds none of them: else each is had from the system anew and cleared page by page, a fifth of a large frame's time.
    Only glibc can be told so."""
    adjust = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if adjust is not None:
        for option, size in ((_MMAP_THRESHOLD, 1 << 30), (_TRIM_THRESHOLD, 1 << 29), (_ARENAS, 1)):
            adjust(option, size)


def give_back() -> None:
    """Return to the system what is free of the memory that `_keep_memory` lets the C library keep, after work that is not done
    again; it takes some hundredths of a second."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


@functools.cache
def best_thread_count() -> int:
    """Threads for CPU work, measured once: on a busy machine a second OpenMP thread can make small steps thirty times
    slower, on an idle one it nearly halves them. OMP_NUM_THREADS is the user's word and is kept."""
    if "OMP_NUM_THREADS" in os.environ:
        return torch.get_num_threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    best, best_time = 1, _time_step(1)
    for count in (2**n for n in range(1, cores.bit_length())):
        seconds = _time_step(count)
        if seconds > 0.9 * best_time:
            break
        best, best_time = count, seconds
    return best


@functools.cache
def quick_type(device: torch.device) -> torch.dtype:
    """The numbers in which a painting network is quickest: bfloat16 on a processor that multiplies them in hardware, as measured
    once, for about twice the speed and a tenth of an 8 bit step in the picture; else float32."""
    if device.type != "cpu":
        return torch.float32
    try:
        plain, short = _time_convolutions(torch.float32, torch.bfloat16)
    except RuntimeError:  # a build of torch without them
        return torch.float32
    return torch.bfloat16 if short < 0.75 * plain else torch.float32


def share_out(device: torch.device, pixels: int) -> tuple[int, int]:
    """How many frames of so many pixels to work on at once, and on how many threads each: on the CPU frames share the cores
    better than the steps of one frame do, as long as memory allows; a graphics card wants its files read ahead."""
    cores = spare_cores()
    frames = max(1, min(cores, AT_ONCE // max(1, pixels)))
    return frames, max(1, cores // frames) if device.type == "cpu" else 1


def spare_cores() -> int:
    """Cores that this process may use; OMP_NUM_THREADS is the user's word, read here because torch tells each thread its own."""
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if asked.isdigit() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def use_threads(count: int) -> None:
    """Let the calling thread's work be done on so many cores."""
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


def _time_convolutions(*kinds: torch.dtype) -> list[float]:
    """Seconds for a convolution of the size that painting networks have, in each kind of number, on one core: the best of
    several in turn, as a busy machine only delays them."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    shapes = (1, 24, 128, 128), (24, 24, 3, 3)
    both = [[torch.ones(shape, dtype=kind).to(memory_format=torch.channels_last) for shape in shapes] for kind in kinds]
    best = [float("inf")] * len(kinds)
    with torch.inference_mode():
        for _ in range(10):
            for i, (image, kernel) in enumerate(both):
                start = time.perf_counter()
                torch.nn.functional.conv2d(image, kernel, padding=1)
                best[i] = min(best[i], time.perf_counter() - start)
    torch.set_num_threads(threads)
    return best


def _available() -> list[str]:
    """Kinds of device that work here, the fastest first."""
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "xpu": torch.xpu.is_available(),
    }
    return [name for name, works in there.items() if works] + ["cpu"]


def _time_step(threads: int) -> float:
    """Seconds for a few recurrent and convolutional steps of the sizes that the networks here have; the worst of three,
    since waiting for a core that is taken does not happen every time."""
    torch.set_num_threads(threads)
    state, weight = torch.zeros(32, 256), torch.zeros(256, 256)
    image, kernel = torch.zeros(1, 16, 64, 64), torch.zeros(16, 16, 3, 3)
    times = []
    with torch.inference_mode():
        for _ in range(4):
            start = time.perf_counter()
            for _ in range(8):
                state = torch.tanh(state @ weight)
                image = torch.nn.functional.conv2d(image, kernel, padding=1)
            times.append(time.perf_counter() - start)
    return max(times[1:])  # the first one pays for the start of the threads
