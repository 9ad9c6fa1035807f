"""Values of saved rows that several studies read: finite numbers, machines, statuses, and why a cell is missing."""

from __future__ import annotations

import io
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tailgate import TailgateError, is_number
from tailgate.results.rows import UNTRUSTED
from tailgate.results.saved_run import Run, machine_id_of, machine_of
from tailgate.results.spreadsheet import Writer
from tailgate.text import counted

USABLE = ("ok", "oversubscribed")
"""Statuses of rows whose times are the code's own."""
DISTURBED = tuple(sorted(UNTRUSTED))
"""Statuses of rows whose times are not the code's own."""
FLOPS_PER_MAC = 2
MIB = 2**20


def finite(value: Any) -> float | None:
    """A finite number as a float; ``None`` for anything else that a file may hold."""
    return float(value) if is_number(value) else None


def positive(value: Any) -> float | None:
    """A finite number above zero, of its own type."""
    return value if is_number(value) and value > 0 else None


def count(value: Any) -> int | None:
    """An integer above zero."""
    return int(value) if isinstance(value, int) and is_number(value) and value > 0 else None


def known(values: Iterable[Any]) -> list[float]:
    """The finite numbers among ``values``."""
    return [found for value in values if (found := finite(value)) is not None]


def middle(values: Iterable[Any]) -> float | None:
    """The median of the finite numbers among ``values``; ``None`` where there are none."""
    numbers = known(values)
    return statistics.median(numbers) if numbers else None


def scaled(value: float | None, factor: float) -> float | None:
    """``value × factor``."""
    return None if value is None else value * factor


def per(value: float | None, unit: float) -> float | None:
    """``value`` in ``unit``s: ``per(0.0125, 1e-3)`` is 12.5 ms."""
    return None if value is None else value / unit


def threads_text(threads: int | None) -> str:
    """``1 thread``, ``2 threads``; empty where the count is not known."""
    return "" if threads is None else counted(threads, "threads")


def processor(run: Run, cpus: str = "usable CPUs") -> str:
    """``AMD EPYC, 2 usable CPUs``."""
    facts = machine_of(run) or {}
    count = f", {facts['usable_cpus']} {cpus}" if facts.get("usable_cpus") else ""
    return f"{facts.get('cpu_model') or 'unknown processor'}{count}"


def check_one_machine(name: str, runs: Sequence[Run]) -> None:
    """A report whose numbers are compared within one machine takes runs of that machine only.

    Raises:
        TailgateError: the runs are from different machines.
    """
    machines = {machine_id_of(run) for run in runs}
    if len(machines) > 1:
        names = ", ".join(sorted(machine or "unknown" for machine in machines))
        raise TailgateError(f"--format={name}: the runs are from different machines ({names}); report each on its own")


def no_row(name: str, rows: str, command: str) -> TailgateError:
    """The error of a report whose ``rows`` are not in the runs; ``command`` measures them."""
    return TailgateError(
        f"--format={name}: no {rows} in these runs; measure some with: pytest {command} --benchmark-save=NAME"
    )


def unmeasured_entries(runs: Sequence[Run]) -> Iterator[Mapping[str, Any]]:
    """What the runs say of cells that have no row."""
    for run in runs:
        entries = run.get("unmeasured")
        yield from (one for one in (entries if isinstance(entries, list) else []) if isinstance(one, Mapping))


def unmeasured(runs: Sequence[Run], test: str) -> list[tuple[str, str, str]]:
    """Name, status and reason of each cell of ``test`` that has no row."""
    return [
        (str(one["fullname"]).rpartition("::")[2], str(one.get("status")), str(one.get("reason")))
        for one in unmeasured_entries(runs)
        if test in str(one.get("fullname"))
    ]


def csv_text(header: Sequence[str], lines: Iterable[Mapping[str, Any]]) -> str:
    """CSV, the header first; a cell whose value is ``None`` is empty."""
    stream = io.StringIO()
    writer = Writer(stream, header)
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()
