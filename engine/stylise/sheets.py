"""The keys' atlas as OpenCV reads it, for a processor: two thirds of the time of torch's sampling, to the thirty-second part of
a pixel. It knows the atlas' layout, nothing of what is made of it."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from engine.stylise.generator import SCALE

Places = tuple[np.ndarray, np.ndarray]
LONGEST = 1 << 15  # side from which on OpenCV refuses a picture
ROW = 512  # places of no picture, set side by side


class Sheets:
    """A copy of an atlas (CARRIED, rows, columns). strokes: the first three channels; tone: the next three and the last; render:
    the three between, (rows, columns, 3|4) float32 each."""

    def __init__(self, atlas: Tensor) -> None:
        self.strokes, self.tone, self.render = (
            cv2.merge([atlas[channel].numpy() for channel in channels])
            for channels in ([0, 1, 2], [3, 4, 5, 9], [6, 7, 8])
        )

    @staticmethod
    def fit(atlas: Tensor, height: int, width: int) -> bool:
        """Whether pictures (height, width) can be read from this atlas so."""
        return atlas.device.type == "cpu" and max(*atlas.shape[1:], height, width) < LONGEST

    def direct(self, xy: Tensor) -> Tensor:
        """(1, CARRIED, h, w) at the keys' pixels xy (h, w, 2): strokes, which are fine, by cubics, the rest by its neighbours."""
        places = _places(xy)
        strokes = _read(self.strokes, places, cv2.INTER_CUBIC)
        tone, render = (_read(sheet, places, cv2.INTER_LINEAR) for sheet in (self.tone, self.render))
        return _planes([strokes, tone, render], [0, 1, 2, 3, 4, 5, 9, 6, 7, 8])

    def borrowed(self, xy: Tensor, wanted: Tensor) -> Tensor:
        """(1, 6, h, w) at the keys' pixels xy (h, w, 2), as `direct`: strokes and tone; nothing where not wanted (h, w)."""
        where = torch.nonzero(wanted.flatten())[:, 0]
        out = torch.zeros(1, 6, *wanted.shape)
        if len(where):
            some = [F.pad(plane.flatten().index_select(0, where), (0, -len(where) % ROW)) for plane in xy.unbind(-1)]
            places = _places(torch.stack(some).view(2, -1, ROW).movedim(0, -1))
            strokes, tone = _read(self.strokes, places, cv2.INTER_CUBIC), _read(self.tone, places, cv2.INTER_LINEAR)
            found = _planes([strokes, tone], [0, 1, 2, 3, 4, 5]).view(6, -1)[:, : len(where)]
            for plane, part in zip(out.view(6, -1), found, strict=True):
                plane.index_copy_(0, where, part)
        return out


def _places(xy: Tensor) -> Places:
    """Whole pixels of the atlas and parts of them, in OpenCV's own form."""
    x, y = (plane.mul(SCALE).add_((SCALE - 1) / 2).numpy() for plane in xy.unbind(-1))
    return cv2.convertMaps(np.ascontiguousarray(x), np.ascontiguousarray(y), cv2.CV_16SC2)


def _read(sheet: np.ndarray, places: Places, how: int) -> np.ndarray:
    """(h, w, channels)."""
    return cv2.remap(sheet, *places, how, borderMode=cv2.BORDER_REPLICATE)


def _planes(pictures: list[np.ndarray], order: list[int]) -> Tensor:
    """(1, C, h, w) of pictures (h, w, …), whose first C channels become those of the numbers in `order`."""
    planes = np.empty((len(order), *pictures[0].shape[:2]), np.float32)
    cv2.mixChannels(pictures, list(planes), [x for pair in enumerate(order) for x in pair])
    return torch.from_numpy(planes)[None]
