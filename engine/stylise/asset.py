"""A style used on another shot than the one it was trained on, or on another camera of it: which objects are the same. A saved
style is a small job folder (shot.json, style/, and keys/, frames/, guides/ of the painted frames alone), so any job folder
that holds a trained style can be used as one. It knows job folders and views, no networks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine import job_folder
from engine.protocol import JobError, Shot
from engine.stylise.views import View, stem

APART = -(1 << 30)  # frame number of a key from another shot: no time lies between it and any frame


def find_style(folder: Path, style: str) -> tuple[Path, Shot]:
    """The folder of the style that a job in `folder` names (absolute, or relative to the job folder), and the shot that it was
    learned from. Raises JobError."""
    found = folder / style
    if not (found / "style" / "generator.json").is_file() or not (found / "shot.json").is_file():
        raise JobError(f"There is no style in {found}; choose the folder of a saved style.")
    return found, job_folder.read_shot(found)


@dataclass(frozen=True)
class Cast:
    """Which object of a shot is which of a style's. numbers: (highest id of the shot + 1,), the style's id, or one beyond all of
    its own. sizes: (highest of those + 1, 3) edges of the objects' boxes, the style's where it knows the object. names: by the
    style's number, as in View. strange: names of the shot's objects that the style does not know."""

    numbers: np.ndarray
    sizes: np.ndarray
    names: tuple[str, ...]
    strange: list[str]

    def of(self, view: View) -> View:
        """The shot's view, seen as the style's: numbers, and points in the style's units."""
        ids = np.where(view.ids < len(self.numbers), self.numbers[np.minimum(view.ids, len(self.numbers) - 1)], 0)
        ids = np.where(view.ids < len(self.numbers), ids, len(self.sizes) - 1)
        scale = self.sizes[ids] / np.maximum(view.sizes[view.ids], 1e-9)
        points = np.where((view.ids > 0)[..., None], view.points * scale, view.points)
        return dataclasses.replace(view, ids=ids, points=points.astype(np.float32), sizes=self.sizes, names=self.names)


def cast(shot: Shot, learned: Shot) -> Cast:
    """The objects of a shot by the numbers of the shot that the style was learned from."""
    known = {ob.name: ob for ob in learned.objects}
    count = max([ob.id for ob in shot.objects], default=0) + 1
    first = max([ob.id for ob in learned.objects], default=0) + 1
    numbers = first + np.arange(count)
    numbers[0] = 0
    sizes = np.ones((first + count + 1, 3), np.float32)
    sizes[0] = (1, shot.height / shot.width, 0)
    names = [""] * len(sizes)
    for ob in shot.objects:
        if ob.name in known:
            numbers[ob.id] = known[ob.name].id
        sizes[numbers[ob.id]] = known[ob.name].size if ob.name in known else ob.size
        names[numbers[ob.id]] = stem(ob.name)
    return Cast(numbers, sizes, tuple(names), [ob.name for ob in shot.objects if ob.name not in known])
