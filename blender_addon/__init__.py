"""The extension: registration, in order, and nothing else."""

from . import cli, jobs, preferences, properties, ui
from .operators import capture, job, motion, results, stylise

MODULES = (preferences, properties, jobs, job, capture, stylise, results, motion, ui, cli)


def register() -> None:
    """Register every part, those that others need first."""
    for module in MODULES:
        module.register()


def unregister() -> None:
    """Take everything back, in the opposite order; ends the engine."""
    for module in reversed(MODULES):
        module.unregister()
