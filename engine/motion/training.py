"""What all motion trainings share: the running mean of the weights, and runs that can be stopped and taken up again, by one
process or by several.

A run in progress is OUT.run.safetensors (network, mean, optimizer) and OUT.run.json; what ships is OUT, the mean alone
in half precision. Knows no motion.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from engine import checkpoint, device
from engine.motion import ranks
from engine.motion.networks import Params, TokenLSTM
from engine.protocol import JobError

CREDIT = (
    "The data used in this project was obtained from mocap.cs.cmu.edu. "
    "The database was created with funding from NSF EIA-0196217."
)


Network = TypeVar("Network", bound=nn.Module)
WEIGHTS = Path(__file__).parent.parent / "weights"


def add_run(parser: argparse.ArgumentParser) -> None:
    """What every command line takes; steps, rate and every have defaults of their own there."""
    parser.add_argument("--data", type=Path, required=True, help="motion to learn from (.npz)")
    parser.add_argument(
        "--apart", nargs="*", default=[], help="takes of --data (beginnings of names) not to learn from"
    )
    parser.add_argument("--out", type=Path, required=True, help="weights to write: OUT.safetensors and OUT.json")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seconds", type=float, help="a budget instead of steps: the learning rate follows the clock")
    parser.add_argument("--pause", type=float, help="stop after so many seconds; the same command goes on")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--every", type=int, help="steps between checkpoints")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="auto, cpu, cuda, …; on a processor one thread is fastest")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command lines of the large networks take besides; batch and body have defaults of their own there."""
    add_run(parser)
    parser.add_argument("--dev", type=Path, help="motion to score on, never learned from (.npz)")
    parser.add_argument("--batch", type=int, help="windows a step, of each process")
    parser.add_argument("--decay", type=float, default=0.02, help="weight decay")
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--joint", type=int, default=64, help="channels a joint")
    parser.add_argument("--body", type=int, help="channels of the whole")
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument(
        "--slots", type=int, default=16, help="means that joints are gathered in, messages they are told"
    )
    parser.add_argument(
        "--synthetic", type=float, default=0.15, help="share of the steps on rigs and motion by formula"
    )
    parser.add_argument("--rigs", type=int, default=48, help="how many rigs by formula")


def prepare(args: argparse.Namespace) -> torch.device:
    """Threads, device, precision and seed as asked for, the other processes met; the device."""
    where = ranks.join(device.choose(args.device))
    torch.set_num_threads(args.threads)
    torch.set_default_device(where)
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(args.seed)
    return where


@contextlib.contextmanager
def plain_lstm() -> Iterator[None]:
    """PyTorch's own LSTM: oneDNN's takes twice as long to train at these sizes."""
    enabled = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = False  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = enabled


def optimizer_for(network: nn.Module, rate_: float, decay: float) -> torch.optim.AdamW:
    """The one that all the networks here are trained with."""
    on_card = next(network.parameters()).is_cuda
    return torch.optim.AdamW(network.parameters(), rate_, betas=(0.9, 0.98), weight_decay=decay, fused=on_card or None)


def set_dropout(network: nn.Module, share: float) -> None:
    """How much of what the layers add is left out at random in training."""
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = share


class Average(Generic[Network]):
    """An exponential mean of a network's weights, with a short memory at first."""

    def __init__(self, network: Network, memory: float) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.memory = memory

    @torch.no_grad()
    def update(self, network: Network, step: int) -> None:
        """Take the weights after `step` into the mean."""
        share = 1.0 - min(self.memory, (1.0 + step) / (10.0 + step))
        torch._foreach_lerp_(list(self.network.parameters()), list(network.parameters()), share)


@dataclass
class Run:
    """How far a training is: steps done, seconds spent, the latest scores."""

    step: int = 0
    seconds: float = 0.0
    scores: dict[str, float] = field(default_factory=dict)


def rate(step: int, done: float, top: float, warm: int = 100) -> float:
    """The learning rate: a short rise, then half a cosine down to a hundredth."""
    return top * min(1.0, (step + 1) / warm) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def _run_path(out: Path) -> Path:
    return out.with_name(out.name + ".run")


Parts = dict[str, nn.Module | torch.optim.Optimizer]


def save_run(out: Path, parts: Parts, params: object, run: Run) -> None:
    """Write the whole state of a training: networks and optimizers by name."""
    weights: dict[str, Tensor] = {}
    for name, part in parts.items():
        if isinstance(part, nn.Module):
            weights |= {f"{name}.{k}": v for k, v in part.state_dict().items()}
            continue
        for index, moments in part.state_dict()["state"].items():
            weights |= {f"{name}.{index}.{k}": v for k, v in moments.items()}
    checkpoint.save(_run_path(out), checkpoint.Checkpoint(weights, params, vars(run)))


def resume(out: Path, parts: Parts, kind: type = Params) -> Run:
    """Take up the training of OUT, whose sizes are of this `kind`, where its last checkpoint left it, or begin a new Run.
    Raises JobError."""
    if not checkpoint.exists(_run_path(out)):
        return Run()
    saved = checkpoint.load(_run_path(out), kind)
    for name, part in parts.items():
        own = {k.removeprefix(name + "."): v for k, v in saved.weights.items() if k.startswith(name + ".")}
        if isinstance(part, nn.Module):
            _fit(part, own)
            continue
        state: dict[int, dict[str, Tensor]] = {}
        for key, tensor in own.items():
            index, moment = key.split(".")
            state.setdefault(int(index), {})[moment] = tensor
        part.load_state_dict({"state": state, "param_groups": part.state_dict()["param_groups"]})
    return Run(**saved.about)


def _fit(part: nn.Module, weights: dict[str, Tensor]) -> None:
    if {k: v.shape for k, v in weights.items()} != {k: v.shape for k, v in part.state_dict().items()}:
        raise JobError("The training in progress is of another network; give --out another name.")
    part.load_state_dict(weights)


def dice(args: argparse.Namespace, step: int) -> np.random.Generator:
    """A generator of its own for every step and process: a run that was stopped goes on with the batches it would have had.
    Dropout goes by torch's numbers, which begin anew as well."""
    if getattr(args, "dropout", 0.0):
        torch.manual_seed((args.seed * 1_000_003 + step) * 4096 + ranks.own())
    return np.random.default_rng([args.seed, step, ranks.own()])


class Pace:
    """Where a training stands: its `step`, how much is `done`, 0 to 1, by steps or by the clock, and whether to `stop`."""

    def __init__(self, args: argparse.Namespace, run: Run) -> None:
        self.args, self.run, self.step = args, run, run.step
        self.before = run.seconds
        self.began = time.monotonic() - run.seconds
        self.losses: list[Tensor] = []
        self._look(run.seconds)

    def _look(self, seconds: float) -> None:
        args, self.seconds = self.args, seconds
        self.done = min(1.0, seconds / args.seconds if args.seconds else self.step / args.steps)
        self.stop = self.done >= 1.0 or bool(args.pause and seconds - self.before > args.pause)

    def tick(self, loss: Tensor) -> bool:
        """A step was taken; whether it is time for a checkpoint, which the first process writes."""
        self.losses.append(loss.detach())
        self.step += 1
        self._look(ranks.agreed(time.monotonic() - self.began, loss.device))
        return ranks.own() == 0 and (self.stop or self.step % self.args.every == 0)

    def record(self, parts: Parts, params: object, scores: dict[str, float]) -> None:
        """Write a checkpoint and say a line."""
        run = self.run
        run.step, run.seconds, run.scores = self.step, self.seconds, scores
        save_run(self.args.out, parts, params, run)
        line = " ".join(f"{name} {value:.3f}" for name, value in scores.items())
        loss = float(torch.stack(self.losses).mean())
        print(f"step {run.step}, {run.seconds:.0f} s, loss {loss:.4f}  {line}", flush=True)
        self.losses = []


def descend(net: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor | None, steepest: float = 0.5) -> None:
    """One step down the mean loss of all processes that have one, its slope held to `steepest`: what is unrolled has steep
    places."""
    optimizer.zero_grad()
    if loss is not None:
        loss.backward()
    if ranks.mean_slopes(net, loss is not None):
        nn.utils.clip_grad_norm_(net.parameters(), steepest)
        optimizer.step()


def finish(
    out: Path, mean: Average[Any], run: Run, facts: dict[str, Any], precision: torch.dtype = torch.float16
) -> None:
    """Write what ships: the mean weights in that precision, and how they came about. The first process does, for all."""
    if ranks.own() == 0:
        weights = {k: v.to(precision) for k, v in mean.network.state_dict().items()}
        about = facts | {"steps": run.step, "seconds": round(run.seconds), "scores": run.scores, "credit": CREDIT}
        checkpoint.save(out, checkpoint.Checkpoint(weights, mean.network.params, about))
    ranks.meet()


def load(path: Path) -> tuple[TokenLSTM, dict[str, Any]]:
    """A finished network in single precision, ready to run, and its facts. Raises JobError."""
    saved = checkpoint.load(path, Params)
    return checkpoint.restore(saved, TokenLSTM).float().eval().requires_grad_(False), saved.about
