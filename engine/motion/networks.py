"""The motion networks: joint tokens with shared weights, LSTMs over time, mixing over the hierarchy and the whole body.

They run on a rig of any shape. Know tensors of features only: no rotation, no unit, no file.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Params:
    """Sizes of one network: `features` in, the last `static` of which tell the joint (0: none is told apart, and all are
    told the same), and `outputs` out of each token, `joint` channels a token, `body` channels
    for the whole rig, gathered from `slots` weighted means of the joints, of which each joint is told a mean of `slots`
    messages of its own weighting; `both_ways` in time or only forwards."""

    features: int
    static: int
    outputs: int
    joint: int
    body: int
    slots: int
    layers: int
    both_ways: bool


CODE = 64


class Who(nn.Module):
    """What tells one joint from the others: static features (B, J, static) → (B, J, CODE)."""

    def __init__(self, static: int) -> None:
        super().__init__()
        self.embed = nn.Linear(5 * static, CODE)

    def forward(self, static: Tensor) -> Tensor:
        """Waves of two lengths keep near joints apart."""
        waves = [f(static * k) for k in (4.0, 12.0) for f in (torch.sin, torch.cos)]
        return nn.functional.gelu(self.embed(torch.cat([static, *waves], -1)))


def choosing(slots: int) -> nn.Linear:
    """Scores of a joint's code for each slot, from the first so unlike that every slot is of other joints."""
    layer = nn.Linear(CODE, slots)
    nn.init.normal_(layer.weight, std=1.5)
    return layer


class Layer(nn.Module):
    """Mix over parent, children and body; run over time for the body and for every joint."""

    def __init__(self, p: Params) -> None:
        super().__init__()
        ways = 2 if p.both_ways else 1
        self.norm = nn.LayerNorm(p.joint)
        self.attend = nn.Linear(p.joint, p.slots)
        self.gather = nn.Linear(p.slots * p.joint, p.body)
        self.body_norm = nn.LayerNorm(p.body)
        self.body_lstm = nn.LSTM(p.body, p.body // ways, bidirectional=p.both_ways)
        self.family = nn.Linear(3 * p.joint, p.joint)
        self.spread = nn.Linear(p.body, p.slots * p.joint if p.static else p.joint)
        self.lstm = nn.LSTM(p.joint, p.joint // ways, bidirectional=p.both_ways)
        self.out = nn.Linear(p.joint, p.joint)
        self.rest = nn.Dropout(0.0)  # training sets its share
        if p.static:
            self.ask = nn.Linear(p.joint, p.slots)
            self.attend_by_code, self.ask_by_code = choosing(p.slots), choosing(p.slots)

    def forward(
        self, h: Tensor, body: Tensor, code: Tensor | None, parents: list[int], state: State | None
    ) -> tuple[Tensor, Tensor, State]:
        """h (T, B, J, joint), body (T, B, body), code (B, J, CODE); the states of both LSTMs after the last frame."""
        frames, batch, joints, channels = h.shape
        x = self.norm(h)
        heard = self.attend(x)
        if code is not None:
            heard = heard + self.attend_by_code(code)
        slots = torch.einsum("tbjs,tbjc->tbsc", heard.softmax(2), x)
        body = body + self.gather(slots.flatten(2))
        whole, body_state = self.body_lstm(self.body_norm(body), state[0] if state else None)
        body = body + whole
        told = self.spread(body)[:, :, None]
        if code is not None:
            asked = (self.ask(x) + self.ask_by_code(code)).softmax(3)
            told = torch.einsum("tbjs,tbsc->tbjc", asked, told.unflatten(-1, (-1, channels))[:, :, 0])
        family = self.family(torch.cat([x, *kin(x, parents)], -1)) + told
        x = nn.functional.gelu(family).reshape(frames, batch * joints, channels)
        x, joint_state = self.lstm(x, state[1] if state else None)
        return h + self.rest(self.out(x)).reshape(h.shape), body, (body_state, joint_state)


Memory = tuple[Tensor, Tensor]
State = tuple[Memory, Memory]


class TokenLSTM(nn.Module):
    """features (B, T, J, features) → outputs (B, T, J, outputs); carries on from `state` where one is given."""

    def __init__(self, p: Params) -> None:
        super().__init__()
        self.params = p
        self.embed = nn.Linear(p.features, p.joint)
        self.who = Who(p.static) if p.static else None
        self.layers = nn.ModuleList(Layer(p) for _ in range(p.layers))
        self.norm = nn.LayerNorm(p.joint)
        self.head = nn.Linear(p.joint, p.outputs)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(
        self, features: Tensor, parents: list[int], state: list[State] | None = None
    ) -> tuple[Tensor, list[State]]:
        """The outputs and the state after the last frame."""
        h = nn.functional.gelu(self.embed(features.transpose(0, 1)))
        body = h.new_zeros(*h.shape[:2], self.params.body)
        code = self.who(features[:, 0, :, -self.params.static :]) if self.who else None
        after: list[State] = []
        for i, layer in enumerate(self.layers):
            h, body, carried = layer(h, body, code, parents, state[i] if state else None)
            after.append(carried)
        return self.head(self.norm(h)).transpose(0, 1), after


def kin(x: Tensor, parents: list[int]) -> tuple[Tensor, Tensor]:
    """Of x (T, B, J, C): each joint's parent (zero at a root), and the mean of its children (zero at a tip)."""
    over, below, count = _kin(tuple(parents), x.dtype, x.device)
    zero = torch.zeros_like(x)
    above = zero.index_copy(2, below, x.index_select(2, over))
    return above, zero.index_add(2, over, x.index_select(2, below)) / count


@functools.lru_cache(maxsize=256)
def _kin(parents: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """The parents of all joints that have one, those joints, and how many children each joint has, at least 1 (J, 1)."""
    children = [j for j, parent in enumerate(parents) if parent >= 0]
    count = [[float(max(1, parents.count(j)))] for j in range(len(parents))]
    with torch.inference_mode(False):
        return (
            torch.tensor([parents[j] for j in children], dtype=torch.long, device=device),
            torch.tensor(children, dtype=torch.long, device=device),
            torch.tensor(count, dtype=dtype, device=device),
        )
