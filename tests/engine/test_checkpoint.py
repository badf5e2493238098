"""Trained networks on disk: what was saved comes back, what was spoilt is one sentence, and the device is the one
asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine import checkpoint, device
from engine.checkpoint import Checkpoint
from engine.protocol import JobError


@dataclass(frozen=True)
class Params:
    """Numbers of a network."""

    width: int
    rate: float


class Network(nn.Module):
    """One layer, and a buffer that is not saved."""

    scale: Tensor

    def __init__(self, params: Params) -> None:
        super().__init__()
        self.layer = nn.Linear(params.width, 2)
        self.register_buffer("scale", torch.arange(2.0), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * self.scale


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Path, Network]:
    """A network, saved under a name with a dot and a prefix."""
    network, path = Network(Params(3, 0.1)), tmp_path / "style" / "v1.2"
    weights = {f"net.{name}": tensor for name, tensor in network.state_dict().items()} | {"other": torch.ones(1)}
    checkpoint.save(path, Checkpoint(weights, Params(3, 0.1), {"steps": 7}))
    return path, network


def test_what_was_saved_comes_back(saved: tuple[Path, Network]) -> None:
    path, network = saved
    loaded = checkpoint.load(path, Params)
    assert loaded.params == Params(3, 0.1) and loaded.about == {"steps": 7}
    x = torch.rand(5, 3)
    assert torch.equal(checkpoint.restore(loaded, Network, "net.")(x), network(x))
    assert sorted(p.name for p in path.parent.iterdir()) == ["v1.2.json", "v1.2.safetensors"]


def cut(path: Path) -> None:
    file = path.with_name("v1.2.safetensors")
    file.write_bytes(file.read_bytes()[:-4])


def grow(path: Path) -> None:
    """A header that promises more than the file holds."""
    path.with_name("v1.2.safetensors").write_bytes((1 << 50).to_bytes(8, "little") + b"{}")


def write(text: str) -> Callable[[Path], None]:
    return lambda path: path.with_name("v1.2.json").write_text(text) and None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.with_name("v1.2.json").unlink(),
        lambda path: path.with_name("v1.2.safetensors").unlink(),
        cut,
        grow,
        write("{"),
        write("[]"),
        write('{"params": {"width": 3}, "about": {}}'),
        write('{"params": {"width": "3", "rate": 0.1}, "about": {}}'),
        write('{"params": {"width": 3, "rate": 0.1, "depth": 2}, "about": {}}'),
        write('{"params": {"width": 4, "rate": 0.1}, "about": {}}'),
        write('{"params": {"width": 999999999999, "rate": 0.1}, "about": {}}'),  # terabytes, were they allocated
    ],
)
def test_spoilt_weights_are_one_sentence(saved: tuple[Path, Network], spoil: Callable[[Path], None]) -> None:
    path, _ = saved
    spoil(path)
    with pytest.raises(JobError, match=r"train (first|again)\.$"):
        checkpoint.restore(checkpoint.load(path, Params), Network, "net.")


def test_a_save_that_fails_leaves_the_old_weights(saved: tuple[Path, Network]) -> None:
    path, _ = saved
    (path.parent / "v1.2.json.partial").mkdir()  # as good as a full disk for the second file
    with pytest.raises(OSError):
        checkpoint.save(path, Checkpoint({"other": torch.zeros(1)}, Params(3, 0.1)))
    assert json.loads(path.with_name("v1.2.json").read_text())["about"] == {"steps": 7}


def test_the_device_is_the_one_asked_for() -> None:
    assert device.choose("cpu").type == "cpu"
    assert device.choose("auto").type == device.describe().split()[0]
    assert 1 <= device.best_thread_count() == torch.get_num_threads()
    with pytest.raises(JobError, match="one of auto, cpu"):
        device.choose("gpu")
    if not torch.backends.mps.is_available():
        with pytest.raises(JobError, match="no 'mps' device; choose auto or"):
            device.choose("mps")


def test_a_seed_repeats() -> None:
    device.seed_all(-3)
    first = torch.rand(4)
    device.seed_all(-3)
    assert torch.equal(first, torch.rand(4))
