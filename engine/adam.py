"""Adam (Kingma 2015) as torch.optim has it, without torch.optim: that imports a compiler with its first optimiser, seconds of
an artist's waiting for the first preview. It knows tensors only."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class Adam:
    """Steps parameters down their gradients; one without a gradient is left as it is. param_groups: one, whose "lr" may be
    changed between steps."""

    def __init__(self, parameters: Iterable[Tensor], rate: float, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.param_groups: list[dict[str, float]] = [{"lr": rate}]
        self._parameters, self._betas, self._epsilon = list(parameters), betas, 1e-8
        self._mean = [torch.zeros_like(p) for p in self._parameters]
        self._square = [torch.zeros_like(p) for p in self._parameters]
        self._steps = [0] * len(self._parameters)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad.zero_()

    @torch.no_grad()
    def step(self) -> None:
        """One step."""
        going = [i for i, parameter in enumerate(self._parameters) if parameter.grad is not None]
        if not going:
            return
        for i in going:
            self._steps[i] += 1
        slow, slower = self._betas
        mean, square = [self._mean[i] for i in going], [self._square[i] for i in going]
        gradients: list[Tensor] = [g for i in going if (g := self._parameters[i].grad) is not None]
        torch._foreach_lerp_(mean, gradients, 1 - slow)
        torch._foreach_mul_(square, slower)
        torch._foreach_addcmul_(square, gradients, gradients, 1 - slower)
        spread = torch._foreach_sqrt(square)
        torch._foreach_div_(spread, [(1 - slower ** self._steps[i]) ** 0.5 for i in going])
        torch._foreach_add_(spread, self._epsilon)
        rate = self.param_groups[0]["lr"]
        lengths = [-rate / (1 - slow ** self._steps[i]) for i in going]
        torch._foreach_addcdiv_([self._parameters[i] for i in going], mean, spread, lengths)
