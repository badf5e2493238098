"""The extension: registration, in order, and nothing else."""

from . import (
    cli,
    generate_settings,
    jobs,
    keymap,
    motion_settings,
    preferences,
    preview,
    properties,
    styles,
    translations,
    ui,
    ui_generate,
    ui_menus,
    ui_motion,
    ui_presets,
    ui_sequencer,
    ui_stylise,
)
from .operators import (
    assets,
    capture,
    combine,
    footage,
    generate,
    install,
    job,
    keys,
    learn,
    library,
    motion,
    presets,
    results,
    slider,
    stylise,
    whole,
)

MODULES = (
    *(
        preferences,
        translations,
        styles,
        properties,
        motion_settings,
        generate_settings,
        jobs,
        preview,
        job,
        install,
        capture,
        keys,
        stylise,
        results,
        footage,
        combine,
        generate,
        library,
        assets,
        presets,
        motion,
        slider,
        whole,
        learn,
    ),
    *(ui, ui_presets, ui_stylise, ui_sequencer, ui_motion, ui_generate, ui_menus, keymap, cli),
)


def register() -> None:
    """Register every part, those that others need first."""
    for module in MODULES:
        module.register()


def unregister() -> None:
    """Take everything back, in the opposite order; ends the engine."""
    for module in reversed(MODULES):
        module.unregister()
