"""Trained networks on disk: `NAME.safetensors` with the tensors, `NAME.json` with the network's frozen Params dataclass
and a few facts about the training. It knows no network; what is loaded must fit exactly."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as serialise
from torch import Tensor, nn

from engine import job_folder, protocol
from engine.protocol import JobError, ProtocolError

MAX_WEIGHTS = 4 << 30
MAX_PARAMS = 1 << 20

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Checkpoint:
    """What was saved: tensors by name (on the CPU), the Params dataclass, facts (plain JSON: steps, seed, data, …)."""

    weights: dict[str, Tensor]
    params: Any
    about: dict[str, Any] = field(default_factory=dict)


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write `path`.safetensors and `path`.json (path without suffix). Each is moved into place whole, the weights
    first: with the Params unchanged, as within one training, the pair fits at every moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".safetensors.partial")
    weights = {name: t.detach().cpu().contiguous().clone() for name, t in checkpoint.weights.items()}
    try:
        partial.write_bytes(serialise(weights))  # by Python, whose OSError says when the disk is full
        os.replace(partial, path.with_name(path.name + ".safetensors"))
    finally:
        partial.unlink(missing_ok=True)
    facts = {"params": dataclasses.asdict(checkpoint.params), "about": checkpoint.about}
    job_folder.write_json(path.with_name(path.name + ".json"), facts)


def exists(path: Path) -> bool:
    """Whether both files are there."""
    return all(path.with_name(path.name + suffix).is_file() for suffix in (".safetensors", ".json"))


def load(path: Path, params: type) -> Checkpoint:
    """What `save` wrote, its Params checked against the dataclass `params`. Raises JobError."""
    weights_path, json_path = (path.with_name(path.name + suffix) for suffix in (".safetensors", ".json"))
    if not exists(path):
        raise JobError(f"There are no trained weights at {weights_path}; train first.")
    if weights_path.stat().st_size > MAX_WEIGHTS or json_path.stat().st_size > MAX_PARAMS:
        raise JobError(f"The weights at {weights_path} are larger than any that Understudy writes; train again.")
    try:
        facts = json.loads(json_path.read_text(encoding="utf-8"))
        checked = protocol.from_dict(params, facts["params"])
        return Checkpoint(load_file(weights_path), checked, dict(facts["about"]))
    except (ProtocolError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise JobError(
            f"The weights at {weights_path} are damaged or of another version ({error}); train again."
        ) from error


def restore(checkpoint: Checkpoint, build: Callable[[Any], Network], prefix: str = "") -> Network:
    """The network `build(params)` with its weights, those whose names begin with `prefix`. Names and shapes are
    compared on a network without storage first, so that senseless Params allocate nothing. Raises JobError."""
    weights = {name.removeprefix(prefix): t for name, t in checkpoint.weights.items() if name.startswith(prefix)}
    with torch.device("meta"):
        wanted = {name: t.shape for name, t in build(checkpoint.params).state_dict().items()}
    have = {name: t.shape for name, t in weights.items()}
    if wanted != have:
        odd = sorted(name for name in wanted.keys() | have.keys() if wanted.get(name) != have.get(name))
        raise JobError(f"The trained weights do not fit their network (at '{odd[0]}'); train again.")
    network = build(checkpoint.params)
    network.load_state_dict(weights)
    return network
