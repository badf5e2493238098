"""One training by several processes, as torchrun starts them: each has batches of its own, and all step down the mean of
their slopes, so that their weights stay the same.

    torchrun --nproc-per-node 2 -m engine train inbetween --data …

A process by itself is the first of one, and nothing here does anything then. Knows no network.
"""

from __future__ import annotations

import atexit
import os
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn

PATIENCE = timedelta(hours=1)  # while the first process scores and the others wait


def join(where: torch.device) -> torch.device:
    """Meet the other processes, if torchrun started some; the device of this one."""
    if "WORLD_SIZE" not in os.environ or not distributed.is_available():
        return where
    if where.type == "cuda":
        where = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(where)
    if not distributed.is_initialized():
        distributed.init_process_group("nccl" if where.type == "cuda" else "gloo", timeout=PATIENCE)
        atexit.register(distributed.destroy_process_group)
    return where


def count() -> int:
    """How many processes train."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def own() -> int:
    """Which of them this one is, from 0; the first writes and tells."""
    return distributed.get_rank() if count() > 1 else 0


def agreed(number: float, where: torch.device) -> float:
    """What the first process has for it."""
    if count() == 1:
        return number
    told = torch.tensor(number, dtype=torch.float64, device=where)
    distributed.broadcast(told, 0)
    return float(told)


def meet() -> None:
    """Wait for the others."""
    if count() > 1:
        distributed.barrier()


def alike(network: nn.Module) -> None:
    """Give all processes the first one's weights and buffers."""
    if count() > 1:
        for tensor in network.state_dict().values():
            distributed.broadcast(tensor, 0)


def mean_slopes(network: nn.Module, counts: bool) -> bool:
    """Make the slopes of all processes the mean over those that have a loss, of which this one `counts` as one or does not;
    whether there is one."""
    if count() == 1:
        return counts
    weights = list(network.parameters())
    slopes = [x.grad if counts and x.grad is not None else torch.zeros_like(x) for x in weights]
    told = torch.cat([*(slope.flatten() for slope in slopes), slopes[0].new_full((1,), float(counts))])
    distributed.all_reduce(told)
    some = float(told[-1])
    parts: tuple[Tensor, ...] = (told[:-1] / max(some, 1.0)).split([x.numel() for x in weights])
    for weight, part in zip(weights, parts, strict=True):
        weight.grad = part.view_as(weight)
    return some > 0
