"""Every motion training, on few numbers and for few steps; run by itself, what each of the processes does that torchrun has
started for test_motion_training.py: DATA FOLDER."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from engine.__main__ import main
from engine.motion import ranks, training

SMALL = ["--joint", "8", "--body", "8", "--batch", "2", "--every", "2", "--rigs", "1"]
TRAININGS = {
    "inbetween": SMALL,
    "extrapolate": SMALL,
    "outlook": SMALL,
    "blend": ["--batches", "2", "--every", "2", "--rigs", "1"],
    "footing": ["--batches", "3", "--every", "2"],
}


def train(name: str, data: Path, out: Path, steps: int, *more: str) -> dict[str, torch.Tensor]:
    """The weights after so many tiny steps."""
    how = ["--data", str(data), "--out", str(out), "--steps", str(steps), *TRAININGS[name], *more]
    assert main(["train", name, *how]) == 0
    return load_file(out.with_suffix(".safetensors"))


def step_together() -> None:
    """One step by all processes is one down the mean of their losses, or of the losses of those that have one."""
    inputs = torch.tensor([[1.0, 2.0, 3.0], [-2.0, 0.5, 4.0]])
    for having in ([0, 1], [1], []):
        nets = [nn.Linear(3, 1), nn.Linear(3, 1)]
        ranks.alike(nets[0])
        nets[1].load_state_dict(nets[0].state_dict())
        own, whole = (torch.optim.SGD(net.parameters(), 0.01) for net in nets)
        losses = [net(inputs).square().sum(-1) for net in nets]
        training.descend(nets[0], own, losses[0][ranks.own()] if ranks.own() in having else None, 1e9)
        if having:
            losses[1][having].mean().backward()
            whole.step()
        assert torch.allclose(nets[0].weight, nets[1].weight), having


def in_company(data: Path, folder: Path) -> None:
    """Train everything, and two networks in two pieces as well."""
    more = ("--critics", "0.5", "--dropout", "0.1")
    for name in TRAININGS:
        train(name, data, folder / name, 4, *(more if name == "inbetween" else ()))
    for name, own in (("inbetween", more), ("blend", ())):
        for pause in (("--pause", "1e-9"), ()):
            train(name, data, folder / f"{name} in pieces", 4, *own, *pause)
    step_together()
    ranks.meet()  # as every training does at its end: none takes its threads down while another speaks to them


if __name__ == "__main__":
    in_company(Path(sys.argv[1]), Path(sys.argv[2]))
