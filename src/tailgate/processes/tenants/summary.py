"""The block at the end of a run: what the tenants of each benchmark did together."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from tailgate.results.comparability import other_workload
from tailgate.results.rows import UNTRUSTED
from tailgate.results.saved_run import Run
from tailgate.seams import benchmark_names
from tailgate.session.run import BenchmarkRun
from tailgate.text import milliseconds, printable

OF_TENANTS = {"tenants", "tenant_cpus"}
"""What differs in any case."""


class TenantSummary:
    """The plug-in that prints what tenants did together."""

    def __init__(self, config: pytest.Config, run: BenchmarkRun) -> None:
        self._config = config
        self._run = run

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """What tenants did together, after the tables."""
        for line in lines(benchmark_names.measured(self._config), self._run.compared):
            terminalreporter.write_line(line)


def lines(rows: Iterable[Any], compared: Sequence[Run] = ()) -> list[str]:
    """A heading and two lines a benchmark; none where nothing was measured with tenants.

    ``compared``: saved runs; the same benchmark in one of them, alone, is told beside.
    """
    found = [row for row in rows if row and row.extra_info.get("tenant_p99s_s")]
    if not found:
        return []
    told = ["Tenants: P99 of the best, the median and the worst of them; items of all per second while all were timed."]
    for row in found:
        told += _of_one(row.fullname, row.extra_info, _alone(row.fullname, row.extra_info, compared))
    return told


def _of_one(name: str, info: Mapping[str, Any], alone: Mapping[str, Any] | None) -> list[str]:
    p99s_s = info["tenant_p99s_s"]
    low, middle, high = (milliseconds(value) for value in (min(p99s_s), statistics.median(p99s_s), max(p99s_s)))
    total = info.get("total_throughput_items_per_s")
    rate = "not known" if total is None else f"{total:,.4g} items/s"
    said = [
        f"  {printable(name)} x{info['tenants']} ({info['tenant_cpus']} CPUs)",
        f"    P99 {low} / {middle} / {high} (worst: tenant {info['tenant_worst']}); together {rate}",
    ]
    one = (alone or {}).get("throughput")
    if alone is not None and one:
        times = "beside" if total is None else f"{total / one:.2f} times"  # contended tenants may not overlap
        said[1] += f", {times} one tenant of the baseline"
        if alone.get("p99"):
            said[1] += f", whose P99 is {milliseconds(alone['p99'])}"
        if alone["status"]:
            said[1] += f"; that row was {alone['status']}"
    return said


def _alone(name: str, info: Mapping[str, Any], compared: Sequence[Run]) -> Mapping[str, Any] | None:
    """The ``stats`` of the latest run with one tenant, on this machine, of the same workload.

    ``status``: what disturbed it; ``None`` where nothing did.
    """
    for run in reversed(compared):
        for bench in run["benchmarks"]:
            stats, saved = bench["stats"], bench.get("extra_info") or {}
            one = saved.get("tenants", 1) == 1 and not stats.get("other_machine")
            alike = not {*other_workload(saved, info)} - OF_TENANTS
            if bench["fullname"] == name and one and alike:
                status = saved.get("status")
                return {**stats, "status": status if status in UNTRUSTED else None}
    return None
