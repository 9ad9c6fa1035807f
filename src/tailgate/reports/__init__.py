"""One file a format. A report reads saved runs and returns text; it measures nothing.

A format is a module of this folder with ``NAME`` and ``render(runs) -> str``; adding a file adds it to
``tailgate report --format``. One that draws, or that has a file of its own beside the text, also has
``attachments(runs) -> {SUFFIX: bytes}``: written beside ``--output=FILE``, under its stem and each suffix
(``.csv``, ``.png``, ``-smir.png``).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tailgate.history import Run


@dataclass(frozen=True)
class Format:
    """What ``tailgate report --format`` names."""

    render: Callable[[Sequence[Run]], str]
    attachments: Callable[[Sequence[Run]], Mapping[str, bytes]] | None
    """``None``: the text is all there is."""


def formats() -> dict[str, Format]:
    """Every format by name. A file that does not import fails loudly."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        report = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(report, "NAME"):
            found[report.NAME] = Format(report.render, getattr(report, "attachments", None))
    return dict(sorted(found.items()))
