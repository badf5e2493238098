"""All surface that a part of the footage has shown so far, as one flat field that grows like a panorama, on as many layers as
there are surfaces one behind the other. It hands out anchors for new surface and knows old surface again by its colour.

It knows arrays; neither flow nor files.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import cKDTree

FINE_PIXELS = 600_000  # larger pictures are kept at half size
NEAR = 16  # pixels over which new surface is taken for a part of its neighbour
COLOUR_WEIGHT = 80.0  # pixels of distance that count as much as the whole range of a colour
ALIKE = 0.08  # of 1: colours that differ less are the same surface
LAYERS = 64
EDGE = 4  # pixels beside new surface in which flow is not to be trusted
VOTES = 9  # known pixels that say where an unknown one belongs


class Mosaic:
    """Anchors (x, y, layer) in pixels of the part's first frame, a field three pictures wide and high on each layer."""

    def __init__(self, height: int, width: int) -> None:
        self._size = np.array([width, height])
        self._cell = 1 if height * width <= FINE_PIXELS else 2
        self._held: list[np.ndarray] = []
        self._colours: list[np.ndarray] = []
        self._kinds: list[np.ndarray] = []

    def _cells(self, xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of places (N, 2)."""
        whole = np.rint(xy + self._size).astype(np.int64) // self._cell
        x, y = np.clip(whole, 1, 3 * self._size // self._cell - 1).T
        return y, x

    def add(self, anchors: np.ndarray, colours: np.ndarray, kinds: np.ndarray) -> None:
        """Anchors (N, 3) show surface of these colours (N, 3), 0 to 1, and kinds (N,)."""
        layers, cells = np.rint(anchors[:, 2]).astype(np.int64), self._cells(anchors[:, :2])
        shape = tuple(3 * self._size[::-1] // self._cell + 1)
        while len(self._held) <= layers.max(initial=0):
            self._held.append(np.zeros(shape, bool))
            self._colours.append(np.zeros((*shape, 3), np.uint8))
            self._kinds.append(np.zeros(shape, np.uint8))
        for layer in np.unique(layers):
            here = (cells[0][layers == layer], cells[1][layers == layer])
            fresh = tuple(side[~self._held[layer][here]] for side in here)
            self._kinds[layer][fresh] = kinds[layers == layer][~self._held[layer][here]]
            self._held[layer][here] = True
            self._colours[layer][here] = np.rint(colours[layers == layer] * 255)

    def kinds(self, anchors: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """(H, W) the kinds of surface at anchors (H, W, 3), as it was when it was new; `seen` (H, W) where that is unknown."""
        places, kinds = anchors.reshape(-1, 3), seen.reshape(-1).copy()
        layers = np.rint(places[:, 2]).astype(np.int64)
        for layer in np.unique(layers):
            mine = np.flatnonzero(layers == layer)
            cells = self._cells(places[mine, :2])
            held = self._held[layer][cells]
            kinds[mine[held]] = self._kinds[layer][cells][held]
        return kinds.reshape(seen.shape)

    def extend(self, anchors: np.ndarray, unknown: np.ndarray, colours: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """The anchors (H, W, 3) with those of the `unknown` pixels (H, W) made up: the neighbour's surface goes on.
        colours: (H, W, 3) float32, 0 to 1, smooth. kinds: (H, W)."""
        if not unknown.any():
            return anchors
        out = anchors.copy()
        led = _lead(anchors, unknown, colours)
        y, x = np.nonzero(unknown)
        todo = np.ones(len(y), bool)
        apart = np.zeros(unknown.shape, np.float32)
        for layer in range(LAYERS):
            apart[y, x] = self._apart(led[:, :2], colours[y, x], layer)
            weight = np.maximum(cv2.blur(unknown.astype(np.float32), (5, 5)), 1e-3)
            fits = todo & ((cv2.blur(apart, (5, 5)) / weight)[y, x] < ALIKE)
            fits = todo if layer == LAYERS - 1 else fits
            led[fits, 2] = layer
            todo &= ~fits
            if not todo.any():
                break
        out[y, x] = led
        self.add(led, colours[y, x], kinds[y, x])
        return out

    def _apart(self, xy: np.ndarray, colours: np.ndarray, layer: int) -> np.ndarray:
        """(N,) how far colours (N, 3) are from those of the surface at places (N, 2) of a layer; 0 where that is free."""
        if layer >= len(self._held):
            return np.zeros(len(xy), np.float32)
        cells = self._cells(xy)
        differ = np.abs(self._colours[layer][cells].astype(np.float32) / 255 - colours).max(-1)
        return np.where(self._held[layer][cells], differ, 0).astype(np.float32)


def _lead(anchors: np.ndarray, unknown: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """(N, 3) anchors of the unknown pixels if each goes on from a known one, near and of like colour: what comes out from
    behind something mostly looks like what was already seen of it."""
    y, x = np.nonzero(unknown)
    far, edge = (cv2.dilate(unknown.astype(np.uint8), np.ones((2 * r + 1,) * 2, np.uint8)) > 0 for r in (NEAR, EDGE))
    v, u = np.nonzero(far & ~edge)
    if not len(v):
        return np.stack([x, y, np.zeros(len(x))], -1).astype(np.float32)
    tree = cKDTree(np.column_stack([u, v, colours[v, u] * COLOUR_WEIGHT]))
    count = min(VOTES, len(v))
    near = tree.query(np.column_stack([x, y, colours[y, x] * COLOUR_WEIGHT]), count)[1].reshape(len(x), count)
    moves = anchors[v, u, :2] - np.column_stack([u, v])
    offered = moves[near]  # (N, VOTES, 2)
    votes = (np.abs(offered[:, :, None] - offered[:, None]).max(-1) < 1).sum(-1)
    move = offered[np.arange(len(x)), votes.argmax(1)]
    return np.column_stack([np.column_stack([x, y]) + move, np.zeros(len(x))]).astype(np.float32)
