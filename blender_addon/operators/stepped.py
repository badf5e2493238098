"""Operators that read or change a scene for longer than a moment: by pieces, between which Blender's window answers. Until the
last piece the artist may look round, and what would change the scene waits. Knows no job."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy

from ..jobs import Running, manager
from ..steps import Step

Operator = bpy.types.Operator if TYPE_CHECKING else object  # Blender takes no mixin that is an Operator itself
TICK = 0.01
SLICE = 0.05  # seconds of pieces in one go: Blender draws its window after each
LOOKING = {"TIMER", "MOUSEMOVE", "INBETWEEN_MOUSEMOVE", "MIDDLEMOUSE", "WHEELUPMOUSE", "WHEELDOWNMOUSE"}
LOOKING |= {"TRACKPADPAN", "TRACKPADZOOM", "MOUSEROTATE", "WINDOW_DEACTIVATE"}

Pieces = Generator[Step, None, set[str]]


class SteppedOperator(Operator):
    """Mixin: `in_pieces` begins, then `next_pieces` is what `modal` calls while `pieces` is not None."""

    pieces: Pieces | None = None
    _tick: Any = None

    def in_pieces(self, context: bpy.types.Context, pieces: Pieces) -> set[str]:
        """Do the first pieces: what they end in, or RUNNING_MODAL if there are more."""
        self.pieces = pieces
        ended = self._slice()
        if self.pieces is not None:
            self._tick = context.window_manager.event_timer_add(TICK, window=context.window)
        return ended

    def next_pieces(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """The next pieces at every tick: what they end in, or how the event is to go on."""
        if event.type == "TIMER":
            ended = self._slice()
            if self.pieces is None:
                self.end_ticks(context)
                return ended
        return {"PASS_THROUGH"} if event.type in LOOKING or event.type.startswith("NDOF") else {"RUNNING_MODAL"}

    def end_ticks(self, context: bpy.types.Context) -> None:
        """No more pieces: at the end, and where Blender takes the operator away."""
        if self._tick is not None:
            context.window_manager.event_timer_remove(self._tick)
            self._tick = None
        if self.pieces is not None:
            self.pieces.close()
            self.pieces = manager.local = None

    def _slice(self) -> set[str]:
        pieces, shown = self.pieces, manager.local
        assert pieces is not None
        self.pieces = manager.local = None  # also where a piece fails
        until = time.monotonic() + SLICE
        try:
            while time.monotonic() < until:
                step = next(pieces)
        except StopIteration as end:
            ended: set[str] = end.value
            return ended
        self.pieces, manager.local = pieces, shown or Running(self.bl_label, Path(), takes_escape=False)
        manager.local.advance(*step)
        manager.show(manager.local)
        return {"RUNNING_MODAL"}
