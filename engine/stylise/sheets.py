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
_CHANNELS = ([0, 1, 2], [3, 4, 5, 9], [6, 7, 8])
LARGE = 1 << 22  # pixels of an atlas from which on it is kept in 16 bits: half the room, a hundredth more time
STEP = 1 / 8192  # of its values then, up to 4: a sixtieth of an 8 bit step


class Sheets:
    """A copy of an atlas (CARRIED, rows, columns), in three pictures of 3 or 4 channels. strokes: the first three channels; tone:
    the next three and the last; render: the three between."""

    def __init__(self, height: int, width: int) -> None:
        """rows and columns of the atlas, all 0."""
        kind, self._step = (np.float32, 1.0) if height * width < LARGE else (np.int16, STEP)
        self.strokes, self.tone, self.render = (np.zeros((height, width, len(c)), kind) for c in _CHANNELS)

    @classmethod
    def of(cls, atlas: Tensor) -> Sheets:
        """A copy."""
        sheets = cls(*atlas.shape[1:])
        sheets.write(0, atlas)
        return sheets

    def write(self, first: int, rows: Tensor) -> None:
        """Rows (CARRIED, h, columns) of the atlas, from row `first` on."""
        for sheet, channels in zip((self.strokes, self.tone, self.render), _CHANNELS, strict=True):
            for start in range(0, rows.shape[1], ROW):
                part = rows[channels, start : start + ROW]
                if sheet.dtype != np.float32:
                    part = part.div(self._step).round_().clamp_(-32768, 32767).to(torch.int16)
                sheet[first + start :][: part.shape[1]] = cv2.merge(list(part.numpy()))

    @staticmethod
    def fit(device: torch.device, height: int, width: int) -> bool:
        """Whether an atlas of so many rows and columns can be read so."""
        return device.type == "cpu" and max(height, width) < LONGEST

    def direct(self, xy: Tensor) -> Tensor:
        """(1, CARRIED, h, w) at the keys' pixels xy (h, w, 2): strokes, which are fine, by cubics, the rest by its neighbours."""
        places = _places(xy)
        strokes = _read(self.strokes, places, cv2.INTER_CUBIC)
        tone, render = (_read(sheet, places, cv2.INTER_LINEAR) for sheet in (self.tone, self.render))
        return self._planes([strokes, tone, render], [0, 1, 2, 3, 4, 5, 9, 6, 7, 8])

    def borrowed(self, xy: Tensor, wanted: Tensor) -> Tensor:
        """(1, 6, h, w) at the keys' pixels xy (h, w, 2), as `direct`: strokes and tone; nothing where not wanted (h, w)."""
        where = torch.nonzero(wanted.flatten())[:, 0]
        out = torch.zeros(1, 6, *wanted.shape)
        if len(where):
            some = [F.pad(plane.flatten().index_select(0, where), (0, -len(where) % ROW)) for plane in xy.unbind(-1)]
            places = _places(torch.stack(some).view(2, -1, ROW).movedim(0, -1))
            strokes, tone = _read(self.strokes, places, cv2.INTER_CUBIC), _read(self.tone, places, cv2.INTER_LINEAR)
            found = self._planes([strokes, tone], [0, 1, 2, 3, 4, 5]).view(6, -1)[:, : len(where)]
            for plane, part in zip(out.view(6, -1), found, strict=True):
                plane.index_copy_(0, where, part)
        return out

    def _planes(self, pictures: list[np.ndarray], order: list[int]) -> Tensor:
        """(1, C, h, w) float32 of pictures (h, w, …), whose first C channels become those of the numbers in `order`."""
        planes = np.empty((len(order), *pictures[0].shape[:2]), pictures[0].dtype)
        cv2.mixChannels(pictures, list(planes), [x for pair in enumerate(order) for x in pair])
        found = torch.from_numpy(planes)[None]
        return found if self._step == 1 else found.float().mul_(self._step)


def _places(xy: Tensor) -> Places:
    """Whole pixels of the atlas and parts of them, in OpenCV's own form."""
    x, y = (plane.mul(SCALE).add_((SCALE - 1) / 2).numpy() for plane in xy.unbind(-1))
    return cv2.convertMaps(np.ascontiguousarray(x), np.ascontiguousarray(y), cv2.CV_16SC2)


def _read(sheet: np.ndarray, places: Places, how: int) -> np.ndarray:
    """(h, w, channels)."""
    return cv2.remap(sheet, *places, how, borderMode=cv2.BORDER_REPLICATE)
