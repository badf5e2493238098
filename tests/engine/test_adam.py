"""Our Adam steps as torch's does, and starts at once."""

from __future__ import annotations

import subprocess
import sys

import torch
from torch import nn

from engine.adam import Adam


def test_it_steps_as_torch_does() -> None:
    """Also where a parameter has no gradient in some steps, and with a rate that changes."""
    torch.manual_seed(0)
    ours, theirs = nn.Linear(5, 3), nn.Linear(5, 3)
    theirs.load_state_dict(ours.state_dict())
    steppers = Adam(ours.parameters(), 0.1, (0.5, 0.99)), torch.optim.Adam(theirs.parameters(), 0.1, betas=(0.5, 0.99))
    for step in range(12):
        x = torch.randn(4, 5)
        for network, stepper in zip((ours, theirs), steppers, strict=True):
            stepper.param_groups[0]["lr"] = 0.1 / (step + 1)
            stepper.zero_grad(set_to_none=True)
            bias = network.bias if step % 3 else network.bias.detach()
            (nn.functional.linear(x, network.weight, bias) ** 2).sum().backward()  # type: ignore[no-untyped-call]
            stepper.step()
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.bias, theirs.bias)


def test_it_brings_no_compiler() -> None:
    """torch.optim imports one with its first optimiser, which takes seconds."""
    program = """
import sys, torch
from engine.adam import Adam
network = torch.nn.Conv2d(3, 3, 3)
stepper = Adam(network.parameters(), 0.1)
network(torch.ones(1, 3, 4, 4)).sum().backward()
torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
stepper.step()
sys.exit(any(name.startswith("torch._dynamo") for name in sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
