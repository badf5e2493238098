"""Runs in the engine's Python, because Blender's reads no multilayer EXR: guides of a job folder as one .npz file.

python read_guides.py JOB_FOLDER OUT.npz FRAME…      arrays "<frame>.<guide>", (H, W, C) float32 ("edges" uint8), and
                                                     "<frame>.frame"
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.frames import read_edges, read_frame, read_guides
from engine.job_folder import read_shot


def main(folder: Path, out: Path, frames: list[int]) -> None:
    """Read with the engine's own reader, write for Blender's Python."""
    shot = read_shot(folder)
    arrays = {}
    for frame in frames:
        arrays |= {f"{frame}.{name}": guide for name, guide in read_guides(folder, shot, frame, shot.guides).items()}
        arrays[f"{frame}.edges"] = read_edges(folder, shot, frame)
        arrays[f"{frame}.frame"] = read_frame(folder, shot, frame)
    np.savez(out, **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), [int(frame) for frame in sys.argv[3:]])
