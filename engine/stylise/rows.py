"""Tables read by rows: on a processor a fraction of the time that reading each column of its own takes, as all that is told of a
pixel lies together. It knows tensors only."""

from __future__ import annotations

import cv2
import torch
from torch import Tensor


def rows(table: Tensor, which: Tensor) -> Tensor:
    """(C, …) of a table (P, C): its rows `which` (…), set upright."""
    flat = which.flatten()
    if table.device.type != "cpu" or not len(flat):
        return table.index_select(0, flat).T.reshape(table.shape[1], *which.shape)
    return torch.from_numpy(cv2.transpose(table.numpy().take(flat.numpy(), 0))).view(table.shape[1], *which.shape)
