"""Watches Blender's main thread from inside a window: how long each call of our operators, panels and timers holds it.
Knows no test."""

from __future__ import annotations

from conftest import Window

LONGEST = 0.1  # seconds

# Seconds of the processor that each call of ours takes on the main thread, so that other programs do not count, nor Blender's
# own rendering of a frame.
WATCH = """
import inspect, sys, time
longest, rendering = {}, [0.0]

def timed(name, call):
    def wrapped(*arguments, **named):
        begun, before = time.thread_time(), rendering[0]
        try:
            return call(*arguments, **named)
        finally:
            took = time.thread_time() - begun - (rendering[0] - before)
            longest[name] = max(longest.get(name, 0.0), took)
    return wrapped

def watch(owner, name):
    call = timed(f'{owner.__name__}.{name}', vars(owner)[name])
    if name in ('invoke', 'modal'):  # Blender counts the arguments
        setattr(owner, name, lambda self, context, event: call(self, context, event))
    else:
        setattr(owner, name, lambda self, context: call(self, context))

def render(*arguments):
    begun = time.thread_time()
    try:
        return rendered(*arguments)
    finally:
        rendering[0] += time.thread_time() - begun

OURS = 'bl_ext.user_default.understudy'
seen = set()
for module in [m for name, m in sorted(sys.modules.items()) if name.startswith(OURS)]:
    for owner in [c for c in vars(module).values() if inspect.isclass(c) and c.__module__.startswith(OURS)]:
        if owner not in seen:
            seen.add(owner)
            for name in {'invoke', 'modal', 'execute', 'draw'} & set(vars(owner)):
                watch(owner, name)
capturing, jobs, installing = (sys.modules[f'{OURS}.{name}'] for name in ('capture', 'jobs', 'operators.install'))
rendered, capturing._render = capturing._render, render
pump = timed('pump', jobs.Manager.pump)
jobs.Manager.pump = lambda self: pump(self)
installing._look = timed('look', installing._look)
"""


def no_long_block(blender: Window, *expected: str) -> None:
    """Nothing took long, and what is `expected` was seen at all."""
    longest = blender.ask("longest")
    print(longest)
    assert all(any(name in seen for seen in longest) for name in expected), longest
    assert not {name: seconds for name, seconds in longest.items() if seconds > LONGEST}
