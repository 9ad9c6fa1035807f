"""One file a format. A report reads saved runs and returns text; it measures nothing.

A format is a module with ``NAME`` and ``render(runs) -> str``. Ours are in :mod:`tailgate.results.pages`; a project
adds its own by ``tailgate_reports = PACKAGE`` in its pytest.ini: every module of that package, and of the packages in
it, that has them. One that draws, or that has a file of its own beside the text, also has
``attachments(runs) -> {SUFFIX: bytes}``: written beside ``--output=FILE``, under its stem and each suffix
(``.csv``, ``.png``, ``-smir.png``). One whose text has no place for what a reader has to mind also has
``warnings(runs) -> [LINE]``, which the command prints to standard error.

Whatever the format, no text of a run has a control character left when a report sees it: what a terminal would obey, or
what would begin a new line of a table, is written out. Markup is each format's own to escape.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from tailgate.commands import project
from tailgate.errors import TailgateError
from tailgate.results import pages
from tailgate.results.saved_run import Run
from tailgate.text import printable

T = TypeVar("T")

INI = "tailgate_reports"


@dataclass(frozen=True)
class Format:
    """What ``tailgate report --format`` names."""

    render: Callable[[Sequence[Run]], str]
    attachments: Callable[[Sequence[Run]], Mapping[str, bytes]] | None
    """``None``: the text is all there is."""
    warnings: Callable[[Sequence[Run]], Sequence[str]] | None
    """``None``: the text says all of it."""


def formats(start: Path) -> dict[str, Format]:
    """Every format by name: ours, and those of the project around ``start``. A file that does not import fails loudly.

    Raises:
        TailgateError: the package that the project names cannot be imported.
    """
    packages = [pages]
    found = project.imported(start, INI)
    if found is not None:
        packages.append(found.module)
    known = {}
    for report in (module for package in packages for module in _modules(package)):
        if hasattr(report, "NAME"):
            attachments = getattr(report, "attachments", None)
            warnings = getattr(report, "warnings", None)
            known[report.NAME] = Format(
                _of_told(report.render), attachments and _of_told(attachments), warnings and _of_told(warnings)
            )
    return dict(sorted(known.items()))


def where_more_are(start: Path) -> str:
    """For the line about an unknown format: a project adds the formats of its studies."""
    if project.named(start, INI) is not None:
        return ""
    return f"; no project adds formats here: run it inside the checkout of one whose pytest.ini has {INI}"


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    """Of a package and of the packages in it."""
    if not hasattr(package, "__path__"):
        raise TailgateError(f"{INI} = {package.__name__} is a module, not a package of formats")
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(found.name)
        yield module
        if found.ispkg:
            yield from _modules(module)


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
