"""Which surface each pixel of a picture sequence shows, from the pictures alone: optical flow (OpenCV's DIS), carried from frame
to frame as anchors. It knows arrays; neither files nor what the anchors are for.

The anchors of the first frame are its own pixel grid. A later pixel has the anchor that the flow leads back to; what the flow
cannot explain is new surface. New surface goes on where its neighbour ends, as a panorama does, unless those anchors are
taken: then it lies on a layer of its own, so that one anchor is never two surfaces.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from engine.footage.kinds import Kinds
from engine.footage.mosaic import FINE_PIXELS, Mosaic

REFERENCE_FRAMES = 8  # so many frames are measured against one and the same, so that errors do not add up
CUT_SIDE = 160  # pixels of the longer side in which cuts are looked for
CUT_KNOWN = 0.3  # share of a picture that flow explains, below which it is another shot
CUT_DIFFERENCE = 0.06  # and by how much the whole picture must differ for that, 0 to 1
COLOUR_APART = 0.07  # of 1: a carried colour that differs by more is another surface


@dataclass(frozen=True)
class Tracked:
    """One frame. anchors: (H, W, 3) float32, pixels of the first frame and a layer, whole numbers from 0.
    kinds: (H, W) uint8, engine.footage.kinds of the surface when it was new.
    to_previous: (H, W, 2) float32, pixels, x right, y down. from_previous: the same for the frame before it, to this one.
    new: share of the picture that was not seen before."""

    anchors: np.ndarray
    kinds: np.ndarray
    to_previous: np.ndarray
    from_previous: np.ndarray
    new: float


def grid(height: int, width: int) -> np.ndarray:
    """(H, W, 2) float32: every pixel's own x and y."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.dstack([x, y])


def sample(field: np.ndarray, xy: np.ndarray, nearest: bool = False) -> np.ndarray:
    """`field` (H, W) or (H, W, C) float32 at pixels xy (h, w, 2); beyond the border, the border."""
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    return cv2.remap(field, xy[..., 0], xy[..., 1], how, borderMode=cv2.BORDER_REPLICATE)


class Flow:
    """Dense flow between pictures of one size. OpenCV sees grey: colours are weighted so that none is blind."""

    def __init__(self, height: int, width: int) -> None:
        self.grid = grid(height, width)
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._dis.setFinestScale(0 if height * width <= FINE_PIXELS else 1)
        self._too_small = min(height, width) < 16  # OpenCV's smallest patches and pyramid

    def __call__(self, here: np.ndarray, there: np.ndarray) -> np.ndarray:
        """(H, W, 2) float32: where each pixel of `here` (H, W, 3 uint8) lies in `there`, as an offset."""
        if self._too_small:
            return np.zeros_like(self.grid)
        grey, other = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (here, there))
        flow: np.ndarray = self._dis.calc(grey, other, None)  # type: ignore[call-overload]
        return flow

    def look_closely(self) -> None:
        """Search from twice as many places, each longer: twice the time, for pictures that are made of what is found."""
        self._dis.setPatchStride(2)
        self._dis.setGradientDescentIterations(40)

    def agrees(self, flow: np.ndarray, back: np.ndarray) -> np.ndarray:
        """(H, W) bool: `flow` stays in the picture, and `back` leads from there to where it came from."""
        xy = self.grid + flow
        height, width = flow.shape[:2]
        inside = (xy >= -0.5).all(-1) & (xy[..., 0] <= width - 0.5) & (xy[..., 1] <= height - 0.5)
        apart = ((flow + sample(back, xy)) ** 2).sum(-1)
        return inside & (apart < 0.5 + 0.02 * (flow * flow).sum(-1))


def soften(picture: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32, 0 to 1, without grain."""
    return cv2.GaussianBlur(picture, (0, 0), 1.0).astype(np.float32) / 255


def _despeckle(known: np.ndarray) -> np.ndarray:
    """The mask without specks in it or holes of a pixel: those are grain, not surface."""
    kernel = np.ones((3, 3), np.uint8)
    closed = cv2.morphologyEx(known.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return cv2.morphologyEx(closed, cv2.MORPH_OPEN, kernel) > 0


def _stray(differs: np.ndarray) -> np.ndarray:
    """(H, W) bool: of the pixels that look like another kind of surface than they are taken for, those in lines and specks,
    which something has dragged along with its rim; a whole region that differs is one in another light."""
    kernel = np.ones((7, 7), np.uint8)
    return differs & ~(cv2.morphologyEx(differs.astype(np.uint8), cv2.MORPH_OPEN, kernel) > 0)


@dataclass
class _Reference:
    """The frame that others are measured against. flow: from the newest frame to it. known: where that holds."""

    picture: np.ndarray
    soft: np.ndarray
    anchors: np.ndarray
    flow: np.ndarray
    known: np.ndarray
    age: int = 0


def is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether two neighbouring frames, (H, W, 3) uint8, belong to different shots: flow explains little of the one by the
    other, and they differ. Looked at in small."""
    height, width = before.shape[:2]
    scale = max(1.0, max(height, width) / CUT_SIDE)
    size = (max(1, round(width / scale)), max(1, round(height / scale)))
    small, other = (cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (before, after))
    apart = np.abs(soften(small) - soften(other)).max(-1)
    if apart.mean() < CUT_DIFFERENCE:
        return False
    flow = Flow(*small.shape[:2])
    back = flow(other, small)
    left = np.abs(sample(soften(small), flow.grid + back) - soften(other)).max(-1)
    known = flow.agrees(back, flow(small, other)) & (left < COLOUR_APART)
    return bool(known.mean() < CUT_KNOWN)


class Tracker:
    """Follows one shot, frame by frame."""

    def __init__(self, first: np.ndarray) -> None:
        """first: (H, W, 3) uint8 sRGB."""
        height, width = first.shape[:2]
        self.flow = Flow(height, width)
        self._picture, self._softened = first, soften(first)
        self.anchors = np.dstack([self.flow.grid, np.zeros((height, width), np.float32)])
        self._mosaic = Mosaic(height, width)
        self._kinds = Kinds(first)
        self.kinds = self._kinds(first)
        self._mosaic.add(self.anchors.reshape(-1, 3), self._softened.reshape(-1, 3), self.kinds.ravel())
        self._refer()

    def _refer(self) -> None:
        """Measure the following frames against the newest one."""
        self._reference = _Reference(
            self._picture,
            self._softened,
            self.anchors,
            np.zeros_like(self.flow.grid),
            np.ones(self.anchors.shape[:2], bool),
        )

    def step(self, picture: np.ndarray) -> Tracked:
        """The next frame, (H, W, 3) uint8 sRGB."""
        back, forth = self.flow(picture, self._picture), self.flow(self._picture, picture)
        soft = soften(picture)
        known = self.flow.agrees(back, forth)
        known &= np.abs(sample(self._softened, self.flow.grid + back) - soft).max(-1) < COLOUR_APART
        known = _despeckle(known)
        direct = self._follow_reference(picture, soft, back, known)
        anchors = self._carry(back, direct)
        self._picture, self._softened = picture, soft
        seen = self._kinds(picture)
        unknown = ~(known | direct) | _stray(self._mosaic.kinds(anchors, seen) != seen)
        self.anchors = self._mosaic.extend(anchors, unknown, soft, seen)
        kinds = self._mosaic.kinds(self.anchors, seen)
        self.kinds = np.where(_stray(kinds != seen), seen, kinds)
        self._reference.age += 1
        if self._reference.age >= REFERENCE_FRAMES or direct.mean() < 0.6:
            self._refer()
        return Tracked(self.anchors, self.kinds, back, forth, float(unknown.mean()))

    def _follow_reference(
        self, picture: np.ndarray, soft: np.ndarray, back: np.ndarray, known: np.ndarray
    ) -> np.ndarray:
        """(H, W) bool: where the reference shows this frame's surface. Its flow is led on by one frame, then measured
        anew against the reference itself, which takes the drift out."""
        ref, xy = self._reference, self.flow.grid + back
        flow = back + sample(ref.flow, xy)
        held = known & (sample(ref.known.astype(np.float32), xy) > 0.99)
        moved = np.rint(sample(ref.picture.astype(np.float32), self.flow.grid + flow)).astype(np.uint8)
        rest, rest_back = self.flow(picture, moved), self.flow(moved, picture)
        better = rest + sample(flow, self.flow.grid + rest)
        error = [np.abs(sample(ref.soft, self.flow.grid + f) - soft).max(-1) for f in (flow, better)]
        small = (rest * rest).sum(-1) < 4.0
        take = small & self.flow.agrees(rest, rest_back) & (cv2.blur(error[1], (5, 5)) <= cv2.blur(error[0], (5, 5)))
        ref.flow = np.where(take[..., None], better, flow)
        ref.known = held & (np.minimum(*error) < COLOUR_APART)
        return ref.known

    def _carry(self, back: np.ndarray, direct: np.ndarray) -> np.ndarray:
        """Anchors of the reference where it is `direct`, else those of the frame before."""
        ref = self._reference
        near = _take(self.anchors, self.flow.grid + back)
        return np.where(direct[..., None], _take(ref.anchors, self.flow.grid + ref.flow), near)


def _take(anchors: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Anchors (H, W, 3) at pixels xy (H, W, 2): between pixels of one surface in between, at an edge the nearest."""
    nearest, between = sample(anchors, xy, nearest=True), sample(anchors, xy)
    return np.where((np.abs(between - nearest).max(-1) < 1.5)[..., None], between, nearest)
