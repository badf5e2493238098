"""What the operators do a piece at a time, all at once, for tests of what comes of it."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from pathlib import Path

import numpy as np
from bl_ext.user_default.understudy.keyframes import delete_steps, key_steps
from bl_ext.user_default.understudy.sparse import Keying
from bl_ext.user_default.understudy.steps import drain
from bl_ext.user_default.understudy.takes import Take, read_take
from bl_ext.user_default.understudy.whole import reduce_steps

motion = importlib.import_module("bl_ext.user_default.understudy.motion")  # the operators' module has the same name


def clip_arrays(plan: motion.Plan) -> dict[str, np.ndarray]:
    """The arrays of a clip."""
    return drain(motion.array_steps(plan))


def export_clip(params: motion.MotionParams, folder: Path) -> motion.Plan:
    """Plan a job and write its clip."""
    plan = motion.make_plan(params)
    drain(motion.export_steps(plan, params.fps, folder))
    return plan


def apply_take(take: Take, amount: float, keying: Keying) -> int:
    """Key a take: the number of keys."""
    return drain(key_steps(take, amount, keying))


def apply_result(params: motion.MotionParams, folder: Path, keying: Keying) -> int:
    """Key the result in a folder: the number of keys."""
    return apply_take(read_take(params, folder), 1.0, keying)


def delete_generated_keys(uid: int, bones: Collection[str] | None) -> int:
    """How many went."""
    return drain(delete_steps(uid, bones))


def reduce_keys(uid: int, bones: Collection[str] | None, start: int, end: int, keying: Keying) -> int:
    """How many went."""
    return drain(reduce_steps(uid, bones, start, end, keying))
