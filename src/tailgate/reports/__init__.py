"""One file a format. A report reads saved runs and returns text; it measures nothing.

A format is a module of this folder with ``NAME`` and ``render(runs) -> str``; adding a file adds it to
``tailgate report --format``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence

from tailgate.history import Run


def formats() -> dict[str, Callable[[Sequence[Run]], str]]:
    """Every format by name. A file that does not import fails loudly."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        report = importlib.import_module(f"{__name__}.{module.name}")
        if hasattr(report, "NAME"):
            found[report.NAME] = report.render
    return dict(sorted(found.items()))
