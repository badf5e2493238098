"""Score extrapolation by the CMU prediction benchmark: `python -m engine bench prediction --data FILE`.

FILE is in the benchmark's own format or motion capture as everywhere else. Knows no Blender.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from engine import device, job_folder
from engine.clips import read_mocap
from engine.motion import bench, prediction, training


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command line of `bench prediction`."""
    parser.add_argument("--data", type=Path, required=True, help="clips to score on (.npz)")
    parser.add_argument("--clips", nargs="*", help="of a benchmark file these clips only")
    parser.add_argument(
        "--weights", type=Path, default=training.WEIGHTS / "extrapolate", help="of the LSTM, without suffix"
    )
    parser.add_argument("--json", type=Path, help="also write the scores to this file")


def main(args: argparse.Namespace) -> int:
    """Mean angle error at the benchmark's rows for the network and the baselines, and ratios to zero velocity."""
    torch.set_num_threads(device.best_thread_count())
    net = training.load(args.weights)[0]
    players = bench.shipped_players(net)
    tables: dict[str, dict[str, dict[str, float]]] = {}
    if prediction.is_file(args.data):
        every = prediction.windows(args.data, args.clips)
        groups = {x.action: [x] for x in every} | {"mean over actions": every}
        tables = {
            name: {player: prediction.score(group, play) for player, play in players.items()}
            for name, group in groups.items()
        }
    else:
        poses = bench.prediction_windows(read_mocap(args.data))
        tables["all clips"] = {player: bench.score_prediction(poses, play) for player, play in players.items()}
    for name, table in tables.items():
        print(f"\n{name:28}" + "".join(f"{row:>10}" for row in table["ours"]))
        for player, scores in table.items():
            print(f"{player:28}" + "".join(f"{x:10.3f}" for x in scores.values()))
        over = bench.ratios(table["ours"], table["zero velocity"])
        print(f"{'ours / zero velocity':28}" + "".join(f"{x:10.3f}" for x in over.values()))
    if args.json:
        job_folder.write_json(args.json, tables)
    return 0
