"""Pictures of a saved run: what its rows can show is drawn, what they cannot says why."""

from __future__ import annotations

import pkgutil
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from tailgate.errors import one_line
from tailgate.results import pictures
from tailgate.results.pages.sections import Kind, NotDrawn, Section
from tailgate.results.saved_run import Run
from tailgate.results.svg import svg
from tailgate.text import printable

MODULES = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
KINDS: list[Any] = sorted((one for one in MODULES if hasattr(one, "section")), key=lambda one: one.ORDER)
"""Every module here that has ``section(run)``, each a ``Kind``; on the page they stand by their ``ORDER``."""
MISSING = "matplotlib is not installed; install it with: pip install 'matplotlib>=3.8'"


def sections(run: Run, prefix: str, more: Sequence[Kind] = ()) -> list[Section | NotDrawn]:
    """One for each kind, also of those that a project adds; draw inside of :func:`pictures.style`.

    ``prefix``: what the pictures' names in the page begin with.
    """
    if not pictures.installed():
        return [NotDrawn("Pictures", MISSING)]
    return [_drawn(kind, run, prefix) for kind in (*KINDS, *more)]


def _drawn(kind: Kind, run: Run, prefix: str) -> Section | NotDrawn:
    """A section with its pictures as elements of a page, or why there is none."""
    try:
        made = kind.section(run)
        if isinstance(made, NotDrawn):
            return made
        names = [f"{prefix}{made.name}-{number}" for number in range(1, len(made.panels) + 1)]
        panels = [
            replace(panel, svg=svg(panel.figure, name, panel.title, panel.summary))
            for panel, name in zip(made.panels, names, strict=True)
        ]
        return replace(made, panels=panels)
    except Exception as error:  # whatever a library makes of odd numbers costs its picture, not the page
        return NotDrawn(kind.TITLE, printable(f"drawing failed: {type(error).__name__}: {one_line(error)}"))
