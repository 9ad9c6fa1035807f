"""One file a format. A report reads saved runs and returns text; it measures nothing.

A format is a module of this folder with ``NAME`` and ``render(runs) -> str``; adding a file adds it to
``tailgate report --format``. One that draws, or that has a file of its own beside the text, also has
``attachments(runs) -> {SUFFIX: bytes}``: written beside ``--output=FILE``, under its stem and each suffix
(``.csv``, ``.png``, ``-smir.png``).

Whatever the format, no text of a run has a control character left when a report sees it: what a terminal would obey, or
what would begin a new line of a table, is written out. Markup is each format's own to escape.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from tailgate.results.saved_run import Run
from tailgate.text import printable

T = TypeVar("T")


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
            attachments = getattr(report, "attachments", None)
            found[report.NAME] = Format(_of_told(report.render), attachments and _of_told(attachments))
    return dict(sorted(found.items()))


def _of_told(make: Callable[[Sequence[Run]], T]) -> Callable[[Sequence[Run]], T]:
    @wraps(make)
    def made(runs: Sequence[Run]) -> T:
        return make([told(run) for run in runs])

    return made


def told(value: Any) -> Any:
    """Plain data with every text in it on one line and without anything a terminal would obey."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {told(key): told(one) for key, one in value.items()}
    return [told(one) for one in value] if isinstance(value, list) else value
