"""What the LSTM and the critics are worth: the in-betweening network with its recurrence taken out, with convolutions over time
in its place, and with critics, all trained side by side for the same time on the same motion.

    python -m benchmarks.motion_ablation --data FOLDER --seconds 240 --out benchmarks/results/motion.json

Four processes at once, so that none has the machine to itself; the scores are the bare network's by the LaFAN1 protocol on
the dev set, over SLERP's. Knows no Blender.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

from engine import job_folder
from engine.motion import train_inbetween
from engine.motion.networks import Params, TokenLSTM

WIDTH = 9  # rows that a convolution spans; the second of two leaves out three of four
VARIANTS = ("LSTM", "no recurrence", "convolutions over time", "LSTM and critics")
Memory = tuple[Tensor, Tensor]


class Frames(nn.Module):
    """In an LSTM's place, (T, N, C) → (T, N, C): every frame by itself, or, wide, two convolutions over time."""

    def __init__(self, channels: int, wide: bool) -> None:
        super().__init__()
        width = WIDTH if wide else 1
        self.first = nn.Conv1d(channels, channels, width, padding=width // 2)
        self.second = nn.Conv1d(channels, channels, width, padding=4 * (width // 2), dilation=4)

    def forward(self, x: Tensor, state: Memory | None = None) -> tuple[Tensor, Memory]:
        """What an LSTM returns, with a state of nothing."""
        made = self.second(nn.functional.gelu(self.first(x.permute(1, 2, 0)))).permute(2, 0, 1)
        return made, (x.new_zeros(0), x.new_zeros(0))


def network(variant: str, params: Params) -> TokenLSTM:
    """The network of a variant."""
    net = TokenLSTM(params)
    if variant in VARIANTS[1:3]:
        for layer in net.layers:
            for name, channels in (("body_lstm", params.body), ("lstm", params.joint)):
                setattr(layer, name, Frames(channels, variant == VARIANTS[2]))
    return net


def train(variant: str, args: argparse.Namespace, out: Path) -> None:
    """Train one of them."""
    parser = argparse.ArgumentParser()
    train_inbetween.add_arguments(parser)
    critics = "0.02" if variant == VARIANTS[3] else "0"
    given = ["--data", str(args.data / "cmu_train.npz"), "--dev", str(args.data / "cmu_dev.npz"), "--out", str(out)]
    given += ["--seconds", str(args.seconds), "--every", "1000000", "--batch", str(args.batch), "--critics", critics]
    given += ["--device", args.device, "--rigs", str(args.rigs)]
    train_inbetween.main(parser.parse_args(given), lambda params: network(variant, params))


def main() -> None:
    """Train all at once, add the table to a file of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with cmu_train.npz and cmu_dev.npz")
    parser.add_argument("--seconds", type=float, default=1500.0, help="of training, for each")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rigs", type=int, default=24)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, required=True, help="figures (.json) to add the table to")
    parser.add_argument("--only", choices=VARIANTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.only:
        train(args.only, args, args.out)
        return
    with tempfile.TemporaryDirectory() as folder:
        outs = {v: Path(folder) / v.replace(" ", "_") for v in VARIANTS}
        command = [sys.executable, "-m", "benchmarks.motion_ablation", *sys.argv[1:]]
        running = [subprocess.Popen([*command, "--only", v, "--out", str(out)]) for v, out in outs.items()]
        if any(process.wait() for process in running):
            raise SystemExit("A training failed; its message is above.")
        table = {}
        for variant, out in outs.items():
            about = json.loads(out.with_suffix(".json").read_text())["about"]
            table[variant] = {
                "numbers": out.with_suffix(".safetensors").stat().st_size // 2,
                "steps": about["steps"],
                "seconds": about["seconds"],
            } | about["scores"]
    figures = json.loads(args.out.read_text()) if args.out.exists() else {}
    machine = torch.cuda.get_device_name() if args.device.startswith("cuda") else "processor"
    figures["ablation"] = {"machine": machine, "batch": args.batch, "over SLERP": table}
    job_folder.write_json(args.out, figures)


if __name__ == "__main__":
    main()
