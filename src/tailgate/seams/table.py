"""pytest-benchmark's result table, able to show Tailgate's columns, missing values and notes.

Without one of our columns it is pytest-benchmark's own table, unchanged. With one, it is no wider than the terminal, or
than 100 columns where the terminal has fewer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from pytest_benchmark.table import STAT_PROPS, CompareBetweenResults, TableResults, compute_baseline_scale
from pytest_benchmark.utils import report_progress

from tailgate.errors import TailgateError
from tailgate.results.columns import (
    ADDED_COLUMNS,
    HIGHER_IS_BETTER,
    LABELS,
    P99_BLOCKS,
    PERCENTILES,
    STOCK,
    TIME_COLUMNS,
    complete,
    under_load,
)
from tailgate.results.comparability import other_workload
from tailgate.seams.between import told
from tailgate.seams.row_names import Name, namings
from tailgate.seams.table_cells import INTERVALS, MISSING, NO_UPPER_END, Cells
from tailgate.seams.table_lines import HANGING, folded, limit, table_lines
from tailgate.stats.quantiles import samples_for_upper_end

Bench = dict[str, Any]
UNKNOWN = f"{MISSING}  not known: the saved run holds neither the value nor raw rounds."
ONE_FACTOR = "(2.00): so many times the best value of the column."
TAKEN_FOR_INDEPENDENT = (
    "P99 [95 % interval]: as if rounds were independent. Of consecutive rounds, whose slow ones come in bursts, it "
    "held the run's P99 in 51 to 68 % of windows on a busy machine; --benchmark-columns=...,p99_blocks adds an "
    "interval that knows of bursts (docs/evidence/statistics.md)."
)
BY_BLOCKS = (
    "P99 [95 % by blocks]: from consecutive rounds, never narrower than the other; of bursts that none of these rounds "
    "saw it knows nothing."
)
BY_CYCLES = (
    "Times under a load: of responses, from the time at which a request was due. P99 [95 % interval]: from the busy "
    "periods of the queue, which are independent of each other (docs/guide/load.md)."
)
UNBOUNDED_BY_CYCLES = (
    f"P99 [.., {NO_UPPER_END}], under a load: too few busy periods to bound it from above; --load-seconds=S takes more."
)
OF_COLUMNS = {
    "throughput": "Throughput (items/s): items per call / median latency.",
    "ops": "OPS: Operations Per Second, computed as 1 / Mean",
    "outliers": "Outliers: 1 Standard Deviation from Mean; 1.5 IQR from 1st Quartile and 3rd Quartile.",
}


def _unbounded(column: str) -> str:
    """What it takes to bound it from above; not at import, because the number of rounds needs scipy."""
    if column == P99_BLOCKS:
        return (
            f"P99 by blocks [.., {NO_UPPER_END}]: these rounds are worth too few independent ones to bound P99 "
            "from above; take more with --rounds=N, or --processes=N."
        )
    return (
        f"P99 [.., {NO_UPPER_END}]: fewer than {samples_for_upper_end(0.99)} rounds do not bound it above; "
        "--rounds=N or --protocol=adaptive does."
    )


def sort_key(column: str) -> Callable[[Bench], Any]:
    """Ascending by ``column``; rows without a value come last."""

    def key(bench: Bench) -> Any:
        value = bench.get(column)
        return (value is None, value if value is not None else 0)

    return key


class PercentileTable(TableResults):
    """The table with P90, P95, P99, P99.9 and throughput as columns like any other."""

    def display(self, tr: Any, groups: Any, progress_reporter: Any = report_progress) -> None:
        """Print one table per group."""
        ours = set(self.columns) & {*ADDED_COLUMNS, P99_BLOCKS} or self.sort in ADDED_COLUMNS
        groups = told(groups)
        for _, benchmarks in groups:
            for bench in benchmarks:
                complete(bench, bench.get("extra_info") or {})
                for column in STOCK:
                    bench.setdefault(column, None)
                bench[P99_BLOCKS] = bench["p99"]
        rows = [bench for _, group in groups for bench in group]
        whole = all(bench[name] is not None for bench in rows for name in STOCK)
        if whole and not ours and not any(_mark(bench, {}) for bench in rows):
            super().display(tr, groups, progress_reporter=progress_reporter)
            return
        tr.write_line("")
        notes: dict[str, None] = {}
        most = limit()
        for group, benchmarks in groups:
            self._display_group(tr, group, sorted(benchmarks, key=sort_key(self.sort)), notes, most)
        of_means = _of_means(rows, self.columns)
        if of_means:
            notes.setdefault(of_means)
        if notes:
            tr.write_line("Legend:")
        for note in notes:
            for line in folded(f"  {note}", most, HANGING):
                tr.write_line(line)

    def _display_group(
        self, tr: Any, group: str | None, benchmarks: list[Bench], notes: dict[str, None], most: int
    ) -> None:
        best = {column: _extreme(benchmarks, column, best=True) for column in self.columns}
        worst = {column: _extreme(benchmarks, column, best=False) for column in self.columns}
        scales = [_scalable(extremes, benchmarks, self.sort) for extremes in (best, worst)]
        unit, seconds_scale, operations_scale, labels = self.compute_scale(benchmarks, *scales)
        names = [self._name(bench, notes) for bench in benchmarks]
        for bench, name in zip(benchmarks, names, strict=True):
            bench["name"] = str(name)

        def scaled(column: str, value: float) -> float:
            if column in TIME_COLUMNS:
                return float(value * seconds_scale)
            return float(value * operations_scale) if column == "ops" else value

        cells = Cells(benchmarks, self.columns, (best, worst), scaled, _factor)
        title = f"benchmark{'' if group is None else f' {group!r}'}: {len(benchmarks)} tests"
        failed = [bool(bench.get("has_error")) for bench in benchmarks]
        lines, grid = table_lines(
            title, labels["name"], namings(names), cells.grids({**labels, **LABELS}, self.sort), failed, most
        )
        for line in lines:
            for text, markup in line:
                tr.write(text, **markup)
            tr.write("\n")
        tr.write_line("")
        _explain(benchmarks, self.columns, notes)
        if grid and len(benchmarks) > 1:
            notes.setdefault(ONE_FACTOR)
        self._draw(group, benchmarks, unit, seconds_scale)

    def _name(self, bench: Bench, notes: dict[str, None]) -> Name:
        """What ``--benchmark-name`` makes of it, apart from the run that it is from."""
        shown, test = self.name_format(bench), self.name_format({**bench, "source": ""})
        if not shown.startswith(test):  # "trial": nothing but the run
            test = shown
        return Name(test, shown[len(test) :], _mark(bench, notes))

    def _draw(self, group: str | None, benchmarks: list[Bench], unit: str, seconds_scale: float) -> None:
        if self.histogram and not all(bench[name] is not None for bench in benchmarks for name in STOCK):
            self.logger.warning(f"No histogram of {group or 'these'}: the saved run does not hold all it is made of")
        elif self.histogram:
            from pytest_benchmark.histogram import make_histogram

            output_file = make_histogram(self.histogram, group, benchmarks[:75], unit, seconds_scale)
            self.logger.info(f"Generated histogram: {output_file}", bold=True)


class BetweenTable(CompareBetweenResults):
    """``--between``, which needs every value that it shows; of others it only wants to know the largest."""

    def display(self, tr: Any, groups: Any, progress_reporter: Any = report_progress) -> None:
        """Print one table per group.

        Raises:
            TailgateError: a saved run lacks a value that is to be shown.
        """
        for bench in [bench for _, benchmarks in groups for bench in benchmarks]:
            complete(bench, bench.get("extra_info") or {})
            lacking = [name for name in dict.fromkeys([*self.columns, self.sort]) if bench.get(name) is None]
            if lacking:
                raise TailgateError(
                    f"compare --between: {bench['fullname']} of {bench['path']} has no {', '.join(lacking)}; leave the "
                    "column or the file out, or compare without --between"
                )
            bench.update((name, math.nan) for name in STAT_PROPS if bench[name] is None)
        super().display(tr, groups, progress_reporter=progress_reporter)


def _scalable(extremes: Bench, benchmarks: list[Bench], sort: str) -> Bench:
    """The values that pytest-benchmark chooses its units by, where one of them is missing."""
    found = dict(extremes)
    for column in ("ops", *([] if sort in {"name", "fullname"} else [sort])):
        if found.get(column, benchmarks[0].get(column)) is None:
            known = _extreme(benchmarks, "median", best=True) if column != "ops" else None
            found[column] = known or 1.0
    return found


def _factor(best: Any, value: Any) -> str:
    return str(compute_baseline_scale(best, value, 1))


def _explain(benchmarks: list[Bench], columns: list[str], notes: dict[str, None]) -> None:
    """What a reader must know of the values that are shown."""
    for bench in benchmarks:
        for column in columns:
            if bench.get(column) is None:
                notes.setdefault(UNKNOWN)
            elif column in INTERVALS:
                loaded = under_load(bench.get("extra_info") or {})
                notes.setdefault(BY_CYCLES if loaded else TAKEN_FOR_INDEPENDENT if column == "p99" else BY_BLOCKS)
                if bench.get(INTERVALS[column][1]) is None:
                    notes.setdefault(UNBOUNDED_BY_CYCLES if loaded else _unbounded(column))
            elif column == "throughput" and under_load(bench.get("extra_info") or {}):
                notes.setdefault("Throughput (items/s), under a load: items of the requests served per second.")
            elif column in OF_COLUMNS:
                notes.setdefault(OF_COLUMNS[column])


def _of_means(rows: list[Bench], shown: list[str]) -> str | None:
    """Whose percentiles are not of single calls."""
    calls = {bench["name"]: bench.get("iterations") for bench in rows}
    found = [(name, count) for name, count in calls.items() if isinstance(count, int) and count > 1]
    if not found or not {*PERCENTILES, P99_BLOCKS} & set(shown):
        return None
    (name, count), *others = found
    more = f" and {len(others)} more" if others else ""
    calls_said = "several" if others else str(count)
    return (
        f"Percentiles of {name}{more}: a round is {calls_said} calls (iterations), so they are of means over these "
        "and hide a single slow call; iterations=1 shows it."
    )


def _mark(bench: Bench, notes: dict[str, None]) -> str:
    if bench.get("other_machine"):
        notes.setdefault("(other machine): saved on a machine with another fingerprint; not comparable, shown only.")
        return " (other machine)"
    saved = bench.get("saved_extra_info")  # a row of this session has none
    different = [] if saved is None else other_workload(saved, bench.get("extra_info") or {})
    if different:
        notes.setdefault(f"(other workload): differs in {', '.join(different)}; not comparable, shown only.")
        return " (other workload)"
    status = _status(bench)
    if status == "ok":
        return ""
    notes.setdefault(f"({status}): {STATUS_NOTES[status]}")
    return f" ({status})"


def _status(bench: Bench) -> str:
    # pytest-benchmark shows a saved row with the extra_info of the row just measured.
    saved = bench.get("saved_extra_info")
    status = ((bench.get("extra_info") if saved is None else saved) or {}).get("status")
    # Other projects may keep a word of their own under this name.
    return status if isinstance(status, str) and status in STATUS_NOTES else "ok"


STATUS_NOTES = {
    "oversubscribed": "more threads than CPUs this process may use.",
    "contended": "other work had the CPU; the numbers are not this code's.",
    "late": "the instrument could not keep the schedule of requests; the responses are not this code's.",
    "overloaded": "requests came faster than they were served; the percentiles depend on how long one measures.",
    "errors": "some requests failed; the percentiles are of the others.",
    "interrupted": "the search for the peak was interrupted; the peak is of the probes until then.",
    "throttled": "heat slowed the processor; the numbers are not this code's.",
}


def _extreme(benchmarks: list[Bench], column: str, *, best: bool) -> Any:
    values = [bench[column] for bench in benchmarks if isinstance(bench.get(column), int | float)]
    if not values:
        return None
    return max(values) if best == (column in HIGHER_IS_BETTER) else min(values)


def _padding(cell: tuple[str, str]) -> str:
    return " " * len(cell[1])
