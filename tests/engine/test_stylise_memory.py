"""How much memory painting takes: a key of many pixels is paid for in bytes a pixel, and no more after it was looked at."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tiny_shot import write_shot

TIMES = 16  # the tiny shot's side by side, each way: 1024 x 1024 pixels
SETTING_UP, KEPT = 600, 290  # bytes a pixel of the key, at most; with what a first run takes anyhow

CHILD = """
import os, sys
from dataclasses import replace
from pathlib import Path
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # on several, the peak is what happens to be done at once
import numpy as np, torch
from engine import device, job_folder
from engine.stylise.features import CHANNELS, EDGE
from engine.stylise.generator import Generator, GeneratorParams
from engine.stylise.painter import Key, Painter, read_key

def told(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(name))

folder, times = Path(sys.argv[1]), int(sys.argv[2])
device.choose("cpu")
shot = job_folder.read_shot(folder)
key = read_key(folder, shot, 4)
many = lambda x: None if x is None else np.tile(x, (times, times, 1)[: x.ndim])
names = ("render", "albedo", "ids", "points", "normal", "depth", "edges", "alpha")
key = Key(replace(key.view, **{n: many(getattr(key.view, n)) for n in names}), many(key.paint), many(key.painted))
network = Generator(GeneratorParams(CHANNELS, [EDGE.start, EDGE.stop], 16, 24, 48, 24)).eval()
view, before = key.view, told("VmRSS")
painter = Painter(network, [key], torch.device("cpu"), learning=False)
del key
print(view.ids.size, told("VmHWM") - before, told("VmRSS") - before)
"""


def test_a_large_key_takes_so_many_bytes_a_pixel_and_gives_back_what_is_done_with(tmp_path: Path) -> None:
    write_shot(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), str(TIMES)], check=True, capture_output=True, text=True
    )
    pixels, most, kept = map(int, done.stdout.split())
    assert most < SETTING_UP * pixels and kept < KEPT * pixels, f"{most / pixels:.0f} and {kept / pixels:.0f} bytes"
