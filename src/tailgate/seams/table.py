"""pytest-benchmark's result table, able to show Tailgate's columns, missing values and notes.

Without one of our columns it is pytest-benchmark's own table, unchanged. With one, it is no wider than the terminal, or
than 100 columns where the terminal has fewer.
"""

import math
from collections.abc import Callable
from typing import Any

from pytest_benchmark.table import STAT_PROPS, CompareBetweenResults, TableResults, compute_baseline_scale
from pytest_benchmark.utils import report_progress

from tailgate.errors import TailgateError
from tailgate.results.columns import ADDED_COLUMNS, HIGHER_IS_BETTER, LABELS, P99_BLOCKS, STOCK, TIME_COLUMNS, complete
from tailgate.results.row_names import Name, namings
from tailgate.seams.between import printable_names
from tailgate.seams.table_cells import WITH_ONE_FACTOR, Cells
from tailgate.seams.table_lines import HANGING, folded, limit, table_lines
from tailgate.seams.table_notes import ONE_FACTOR, explain, mark, of_means

Bench = dict[str, Any]


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
        groups = printable_names(groups)
        for _, benchmarks in groups:
            for bench in benchmarks:
                complete(bench, bench.get("extra_info") or {})
                for column in STOCK:
                    bench.setdefault(column, None)
                bench[P99_BLOCKS] = bench["p99"]
        rows = [bench for _, group in groups for bench in group]
        whole = all(bench[name] is not None for bench in rows for name in STOCK)
        if whole and not ours and not any(mark(bench, {}) for bench in rows):
            super().display(tr, groups, progress_reporter=progress_reporter)
            return
        tr.write_line("")
        notes: dict[str, None] = {}
        most = limit()
        for group, benchmarks in groups:
            self._display_group(tr, group, sorted(benchmarks, key=sort_key(self.sort)), notes, most)
        if text := of_means(rows, self.columns):
            notes.setdefault(text)
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
        explain(benchmarks, self.columns, notes)
        if grid in WITH_ONE_FACTOR and len(benchmarks) > 1:
            notes.setdefault(ONE_FACTOR)
        self._draw(group, benchmarks, unit, seconds_scale)

    def _name(self, bench: Bench, notes: dict[str, None]) -> Name:
        """What ``--benchmark-name`` makes of it, apart from the run that it is from."""
        shown, test = self.name_format(bench), self.name_format({**bench, "source": ""})
        if not shown.startswith(test):  # "trial": nothing but the run
            test = shown
        return Name(test, shown[len(test) :], mark(bench, notes))

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


def _extreme(benchmarks: list[Bench], column: str, *, best: bool) -> Any:
    values = [bench[column] for bench in benchmarks if isinstance(bench.get(column), int | float)]
    if not values:
        return None
    return max(values) if best == (column in HIGHER_IS_BETTER) else min(values)
