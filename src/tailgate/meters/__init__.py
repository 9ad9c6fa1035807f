"""One file a meter: what is sampled beside time, or counted in a run of its own.

A meter is a module-level ``METER`` of class :class:`Meter`'s shape in a file of this folder, or ``PROFILER`` of
:class:`Profiler`'s; adding a file adds the meter. A file that does not import fails loudly; one that begins with
an underscore is a meter's own helper.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from tailgate.results.rows import add_warning


class Reading(Protocol):
    """A meter at work on one benchmark."""

    def stop(self) -> dict[str, Any]:
        """End the timed rounds; returns flat, unit-suffixed fields for ``extra_info``."""


class Fitted(Protocol):
    """A meter made ready for one row.

    Its readings may also have ``warnings`` (lines), ``throttled`` (why the row is not to be trusted, or ``None``), and
    ``afterwards()``: more fields, asked for when all is over and nobody is watched.
    """

    def start(self, mark: Any, threads: int) -> Reading:
        """Begin, right before the timed rounds."""

    def sm_clock_hz(self) -> float | None:
        """The metered device's clock now, in hertz; ``None``: not known."""

    def close(self) -> None:
        """Release what it holds."""


class Meter(Protocol):
    """What ``--meters`` names, sampled around the timed rounds.

    A meter that must know the row has a further method, ``for_row(extra_info) -> Fitted | None``, which is called
    before the warm-up and whose answer is started in its place; ``None``: it has nothing to do with this row.
    """

    name: str

    def unavailable(self) -> str | None:
        """Why this machine cannot give the value, or ``None``."""

    def before_setup(self) -> Any:
        """A mark taken before the test's fixtures are set up; handed to :meth:`start`."""

    def start(self, mark: Any, threads: int) -> Reading:
        """Begin, right before the timed rounds."""


class Inside(Protocol):
    """A profiling meter's part in the process that it profiles."""

    def mark(self) -> None:
        """Mark the start of the benchmark's own work; a later mark replaces an earlier one."""

    def stop(self) -> dict[str, Any]:
        """The calls are over; plain data for :meth:`Profiler.read`."""


@dataclass(frozen=True)
class Profiled:
    """What a profiling meter makes of its runs."""

    fields: dict[str, Any]
    """Flat, unit-suffixed, for ``extra_info``; ``None`` where there is no value."""
    warnings: list[str] = field(default_factory=list)
    """Why there is none, and what a reader must mind."""


class Profiler(Protocol):
    """What ``--meters`` names, too costly to be beside the timed rounds: it has runs, and processes, of its own."""

    name: str
    fields: tuple[str, ...]
    """What it gives."""
    calls: tuple[int, ...]
    """One run for each: how often the benchmark's function is called."""

    def unavailable(self) -> str | None:
        """Why this machine cannot give the values, with the command that helps, or ``None``."""

    def command(self, folder: Path) -> list[str]:
        """What to put before a new interpreter's command, keeping its files in ``folder``; empty: fork as usual."""

    def variables(self) -> dict[str, str]:
        """Added to the environment of such an interpreter."""

    def inside(self, folder: Path) -> Inside:
        """Its part in the process of one run."""

    def read(self, folders: Sequence[Path], found: Sequence[dict[str, Any]]) -> Profiled:
        """Its fields from each run's folder, and from what :meth:`Inside.stop` gave there."""

    def hint(self, folder: Path) -> str:
        """More about a failed run: ``; ...``, or an empty text."""


class NoPart:
    """The part of a profiler that needs none in the process."""

    def mark(self) -> None:
        """Mark nothing."""

    def stop(self) -> dict[str, Any]:
        """Report nothing."""
        return {}


@lru_cache(maxsize=1)
def meters() -> dict[str, Meter]:
    """All meters of timed runs, by name."""
    return {meter.name: meter for module in _modules() if (meter := getattr(module, "METER", None)) is not None}


@lru_cache(maxsize=1)
def profilers() -> dict[str, Profiler]:
    """All meters with runs of their own, by name."""
    return {meter.name: meter for module in _modules() if (meter := getattr(module, "PROFILER", None)) is not None}


def _modules() -> list[ModuleType]:
    found = []
    for info in pkgutil.iter_modules(__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{__name__}.{info.name}")
        if not hasattr(module, "METER") and not hasattr(module, "PROFILER"):
            raise AttributeError(f"{module.__name__} has neither METER nor PROFILER")
        found.append(module)
    return found


def not_profiled(extra_info: dict[str, Any], meters: Iterable[str], reason: str) -> None:
    """Say in a row why these meters could have no runs of their own."""
    for name in meters:
        extra_info.update(dict.fromkeys(profilers()[name].fields))
        add_warning(extra_info, f"{name}: {reason}")


def diagnosed(find: Callable[[Any], Any]) -> tuple[str | None, str]:
    """Why it cannot be used here, with the command that helps, or ``None``; and what the doctor said."""
    from tailgate.machine.doctor.host import Host, UnreadableError

    try:
        found = find(Host())
    except UnreadableError as error:
        return str(error), ""
    if found.state in ("ok", "note"):
        return None, found.text
    return found.text + (f": {found.remedy}" if found.remedy else ""), found.text
