"""pytest-benchmark's result table, able to show Tailgate's columns, missing values and notes.

Without one of our columns it is pytest-benchmark's own table, unchanged.
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
    P99_BLOCKS_INTERVAL,
    P99_INTERVAL,
    PERCENTILES,
    STOCK,
    TIME_COLUMNS,
    complete,
)
from tailgate.results.comparability import other_workload
from tailgate.seams.between import told
from tailgate.stats.quantiles import samples_for_upper_end

MISSING = "-"
NO_UPPER_END = "?"
Bench = dict[str, Any]
INTERVALS = {"p99": P99_INTERVAL, P99_BLOCKS: P99_BLOCKS_INTERVAL}
"""Column -> the ends that it shows beside P99."""
TAKEN_FOR_INDEPENDENT = (
    "P99 [95 % interval]: as if rounds were independent. Of consecutive rounds, whose slow ones come in bursts, it "
    "held the run's P99 in 51 to 68 % of windows on a busy machine; --benchmark-columns=...,p99_blocks adds an "
    "interval that knows of bursts (docs/statistics.md)."
)
BY_BLOCKS = (
    "P99 [95 % by blocks]: from consecutive rounds, never narrower than the other; of bursts that none of these rounds "
    "saw it knows nothing."
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
        for group, benchmarks in groups:
            self._display_group(tr, group, sorted(benchmarks, key=sort_key(self.sort)), notes)
        of_means = _of_means(rows, self.columns)
        if of_means:
            notes.setdefault(of_means)
        if notes:
            tr.write_line("Legend:")
        for note in notes:
            tr.write_line(f"  {note}")

    def _display_group(self, tr: Any, group: str | None, benchmarks: list[Bench], notes: dict[str, None]) -> None:
        best = {column: _extreme(benchmarks, column, best=True) for column in self.columns}
        worst = {column: _extreme(benchmarks, column, best=False) for column in self.columns}
        scales = [_scalable(extremes, benchmarks, self.sort) for extremes in (best, worst)]
        unit, seconds_scale, operations_scale, labels = self.compute_scale(benchmarks, *scales)
        labels = {**labels, **LABELS}
        solo = len(benchmarks) == 1
        for bench in benchmarks:
            bench["name"] = self.name_format(bench) + _mark(bench, notes)

        def scaled(column: str, value: float) -> float:
            if column in TIME_COLUMNS:
                return float(value * seconds_scale)
            return float(value * operations_scale) if column == "ops" else value

        cells = [
            [self._cell(bench, column, best, scaled, solo, notes) for column in self.columns] for bench in benchmarks
        ]
        widths = [
            2 + max(len(labels[column]), *(len(row[index][0]) for row in cells))
            for index, column in enumerate(self.columns)
        ]
        name_width = 3 + max(len(labels["name"]), *(len(bench["name"]) for bench in benchmarks))
        header = labels["name"].ljust(name_width) + "".join(
            labels[column].rjust(width) + _padding(row)
            for column, width, row in zip(self.columns, widths, cells[0], strict=True)
        )
        title = f" benchmark{'' if group is None else f' {group!r}'}: {len(benchmarks)} tests "
        tr.write_line(title.center(len(header), "-"), yellow=True)
        tr.write_line(header)
        tr.write_line("-" * len(header), yellow=True)
        for bench, row in zip(benchmarks, cells, strict=True):
            failed = bool(bench.get("has_error"))
            tr.write(bench["name"].ljust(name_width), red=failed, invert=failed)
            for column, width, (text, relative) in zip(self.columns, widths, row, strict=True):
                value = bench.get(column)
                tr.write(
                    text.rjust(width) + relative,
                    green=not solo and value is not None and value == best[column],
                    red=not solo and value is not None and value == worst[column],
                    bold=column in TIME_COLUMNS or column in HIGHER_IS_BETTER,
                )
            tr.write("\n")
        tr.write_line("-" * len(header), yellow=True)
        tr.write_line("")
        if self.histogram and not all(bench[name] is not None for bench in benchmarks for name in STOCK):
            self.logger.warning(f"No histogram of {group or 'these'}: the saved run does not hold all it is made of")
        elif self.histogram:
            from pytest_benchmark.histogram import make_histogram

            output_file = make_histogram(self.histogram, group, benchmarks[:75], unit, seconds_scale)
            self.logger.info(f"Generated histogram: {output_file}", bold=True)

    def _cell(
        self,
        bench: Bench,
        column: str,
        best: Bench,
        scaled: Callable[[str, float], float],
        solo: bool,
        notes: dict[str, None],
    ) -> tuple[str, str]:
        """The text of a value and, behind it, its ratio to the best of the group."""
        value = bench.get(column)
        relative = "" if solo or (column not in TIME_COLUMNS and column not in HIGHER_IS_BETTER) else " " * 10
        if value is None:
            notes.setdefault(f"{MISSING}  not known: the saved run holds neither the value nor raw rounds.")
            return MISSING, relative
        if column not in TIME_COLUMNS and column not in HIGHER_IS_BETTER:
            return str(value), relative
        text = f"{scaled(column, value):,.4f}" if column != "throughput" else f"{value:,.2f}"
        if column in INTERVALS:
            text += _interval(bench, column, scaled, notes)
        if column == "throughput":
            notes.setdefault("Throughput: items per call / median latency.")
        if column == "ops":
            notes.setdefault("OPS: Operations Per Second, computed as 1 / Mean")
        if column == "outliers":
            notes.setdefault("Outliers: 1 Standard Deviation from Mean; 1.5 IQR from 1st Quartile and 3rd Quartile.")
        return text, compute_baseline_scale(best[column], value, len(relative))


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


def _interval(bench: Bench, column: str, scaled: Callable[[str, float], float], notes: dict[str, None]) -> str:
    low, high = (bench.get(end) for end in INTERVALS[column])
    notes.setdefault(TAKEN_FOR_INDEPENDENT if column == "p99" else BY_BLOCKS)
    if high is None and column == P99_BLOCKS:
        notes.setdefault(
            f"P99 by blocks [.., {NO_UPPER_END}]: these rounds are worth too few independent ones to bound P99 from "
            "above; take more with --rounds=N, or --processes=N."
        )
    elif high is None:
        notes.setdefault(
            f"P99 [.., {NO_UPPER_END}]: fewer than {samples_for_upper_end(0.99)} rounds, so no round is high enough "
            "to bound P99 from above at 95 %; take more with --rounds=N or --protocol=adaptive."
        )
    ends = [NO_UPPER_END if end is None else f"{scaled('p99', end):,.4f}" for end in (low, high)]
    return f" [{', '.join(ends)}]"


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
    "throttled": "heat slowed the processor; the numbers are not this code's.",
}


def _extreme(benchmarks: list[Bench], column: str, *, best: bool) -> Any:
    values = [bench[column] for bench in benchmarks if isinstance(bench.get(column), int | float)]
    if not values:
        return None
    return max(values) if best == (column in HIGHER_IS_BETTER) else min(values)


def _padding(cell: tuple[str, str]) -> str:
    return " " * len(cell[1])
