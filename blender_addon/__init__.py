"""The extension: registration, in order, and nothing else."""

from . import cli, jobs, preferences, preview, properties, styles, ui, ui_stylise
from .operators import assets, capture, install, job, keys, motion, presets, results, stylise

MODULES = (
    *(
        preferences,
        styles,
        properties,
        jobs,
        preview,
        job,
        install,
        capture,
        keys,
        stylise,
        results,
        assets,
        presets,
        motion,
    ),
    *(ui, ui_stylise, cli),
)


def register() -> None:
    """Register every part, those that others need first."""
    for module in MODULES:
        module.register()


def unregister() -> None:
    """Take everything back, in the opposite order; ends the engine."""
    for module in reversed(MODULES):
        module.unregister()
