"""Whom to heed: of several that tell the next rows of a clip, each as far as it would have told the clip's own last seconds
rightly. Knows no network and no file."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from engine import quat
from engine.motion import replay
from engine.motion.tokens import Stance

CUTS, FEWEST = 4, 2  # places in the clip's past at which they are asked: as many, and no fewer
NEAR = 3  # rows to both sides over which it changes who is heeded
FIRM = 4  # how firmly the better one is heeded: shares go by this power of the error
LEAST = 1e-4  # radians: smaller errors count as this
Told = tuple[Tensor, Tensor]  # rotations (rows, J, 4), locations (rows, J, 3)
Tell = Callable[[Stance], Sequence[Told]]


def told(known: Stance, tell: Tell, rows: int) -> tuple[Told, Told]:
    """The next `rows` rows, as a mean of what is told of them after the known ones (1, R, J, ·), and what the first teller tells;
    that alone where the clip is too short to ask."""
    made = tell(known)
    shares = _shares(known, tell, rows, len(made))
    if shares is None:
        return made[0], made[0]
    now = known.rotations[0, -1:]
    ways = torch.stack([quat.log(quat.multiply(quat.conjugate(now).expand_as(q), q)) for q, _ in made])
    places = torch.stack([p for _, p in made])
    weight = shares[:, :, None, None]
    turned = quat.multiply(now.expand_as(made[0][0]), quat.exp((weight * ways).sum(0)))
    return (quat.normalize(turned), (weight * places).sum(0)), made[0]


def _shares(known: Stance, tell: Tell, rows: int, tellers: int) -> Tensor | None:
    """How far each is heeded in each row, (K, rows)."""
    last, error = known.rotations.shape[1], torch.zeros(tellers, rows)
    cuts = [cut for cut in range(last - rows, last - (CUTS + 1) * rows, -rows) if replay.enough(cut)]
    for cut in cuts:
        true = known.rotations[0, cut : cut + rows]
        for i, (made, _) in enumerate(tell(known.rows(0, cut))):
            error[i] += quat.log(quat.multiply(quat.conjugate(made), true)).norm(dim=-1).mean(-1)
    if len(cuts) < FEWEST:
        return None
    weight = (_even(error) / len(cuts)).clamp_min(LEAST) ** -FIRM
    return _even(weight / weight.sum(0))


def _even(x: Tensor) -> Tensor:
    """Rows (K, rows) as means over those near them, so that nobody is heeded all at once."""
    padded = torch.cat([x[:, :1].expand(-1, NEAR), x, x[:, -1:].expand(-1, NEAR)], 1)
    return padded.unfold(1, 2 * NEAR + 1, 1).mean(-1)
