"""What the artist may change about a painted frame without training again: how strong the painting is, how far it follows the
light, how much of its strokes is laid on, and where. It knows views and pictures; neither networks nor files."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.ndimage import uniform_filter

from engine.protocol import Stylise
from engine.stylise.views import View


@dataclass(frozen=True)
class Look:
    """The fields of the same name in engine.settings.Stylise."""

    strength: float = 1.0
    light: float = 1.0
    texture: float = 1.0
    objects: tuple[int, ...] = ()
    keep_background: bool = False
    keep_alpha: bool = True

    @classmethod
    def of(cls, settings: Stylise) -> Look:
        """The look that a job asks for."""
        return cls(
            strength=settings.strength,
            light=settings.light,
            texture=settings.texture,
            objects=tuple(sorted(set(settings.objects))),
            keep_background=settings.keep_background,
            keep_alpha=settings.keep_alpha,
        )

    def words(self) -> str:
        """What differs from the look as it was painted, for a frame's metadata."""
        plain = asdict(Look())
        return (
            ", ".join(f"{name} {value}" for name, value in asdict(self).items() if value != plain[name]) or "as painted"
        )


def lay_on(view: View, painting: np.ndarray, look: Look) -> np.ndarray:
    """The finished frame, (H, W, 3|4) float32, 0 to 1, straight alpha: the painting (H, W, 3) where and as far as the look wants
    it, else the render."""
    amount = _where(view, look)
    if amount is not None or look.strength < 1:
        part = np.float32(look.strength) if amount is None else amount[..., None] * np.float32(look.strength)
        painting = view.render + part * (painting - view.render)
    if view.alpha is None or not look.keep_alpha:
        return painting
    return np.dstack([painting, view.alpha.astype(np.float32) / 255])


def _where(view: View, look: Look) -> np.ndarray | None:
    """(H, W) float32, 0 to 1, where the painting goes; None for everywhere. An id holds for a whole pixel, so the border is
    softened as the render's is."""
    if not look.objects and not look.keep_background:
        return None
    wanted = np.isin(view.ids, look.objects) if look.objects else np.ones(view.shape, bool)
    if look.keep_background:
        wanted &= view.ids > 0
    return uniform_filter(wanted.astype(np.float32), 3)
