"""Which colours a part of the footage is made of: without objects, like colour stands for one material, so that paint is lent to
new surface by what looks alike. It knows pictures, nothing of motion."""

from __future__ import annotations

import cv2
import numpy as np

MOST = 6
APART = 16.0  # in CIE Lab, lightness halved: colours nearer than that are one kind
SMALL = 160  # pixels of the longer side of the picture that kinds are looked for in
SMOOTH = 2.5  # pixels over which neighbours agree on a kind


class Kinds:
    """The kinds of colour in one picture, (H, W, 3) uint8 sRGB."""

    def __init__(self, picture: np.ndarray) -> None:
        height, width = picture.shape[:2]
        scale = min(1.0, SMALL / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        colours = _lab(cv2.medianBlur(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), 5))
        points = colours.reshape(-1, 3)
        cv2.setRNGSeed(0)
        count = min(MOST, len(points))
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
        empty = np.zeros((0, 1), np.int32)
        _, labels, centres = cv2.kmeans(points, count, empty, stop, 2, cv2.KMEANS_PP_CENTERS)
        self.centres = _merge(centres, np.bincount(labels.ravel(), minlength=count))

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """(H, W) uint8: the kind of each pixel, from 0."""
        colours = _lab(cv2.medianBlur(np.ascontiguousarray(picture), 5))
        away = [np.sqrt(((colours - centre) ** 2).sum(-1)) for centre in self.centres]
        return np.argmin([cv2.GaussianBlur(one, (0, 0), SMOOTH) for one in away], axis=0).astype(np.uint8)


def _lab(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32, CIE Lab with the lightness halved: light falls on one material in many ways."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return (lab * np.array([0.5, 1, 1], np.float32)).astype(np.float32)


def _merge(centres: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(K, 3) colours of which no two are near, the commonest first."""
    kept: list[np.ndarray] = []
    for i in np.argsort(-counts):
        if all(np.sqrt(((centres[i] - other) ** 2).sum()) > APART for other in kept):
            kept.append(centres[i])
    return np.stack(kept)
