"""One file a meter: what is sampled beside time.

A meter is a module-level ``METER`` of class :class:`Meter`'s shape in a file of this folder; adding a
file adds the meter. A file that does not import fails loudly.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import lru_cache
from typing import Any, Protocol


class Reading(Protocol):
    """A meter at work on one benchmark."""

    def stop(self) -> dict[str, Any]:
        """End the timed rounds; returns flat, unit-suffixed fields for ``extra_info``."""


class Meter(Protocol):
    """What ``--meters`` names."""

    name: str

    def unavailable(self) -> str | None:
        """Why this machine cannot give the value, or ``None``."""

    def before_setup(self) -> Any:
        """A mark taken before the test's fixtures are set up; handed to :meth:`start`."""

    def start(self, mark: Any, threads: int) -> Reading:
        """Begin, right before the timed rounds."""


@lru_cache(maxsize=1)
def meters() -> dict[str, Meter]:
    """All meters by name."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        meter = importlib.import_module(f"{__name__}.{module.name}").METER
        found[meter.name] = meter
    return found
