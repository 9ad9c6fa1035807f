"""The values of a table as text: with four decimals as pytest-benchmark writes them, or as short as three digits."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from tailgate.results.columns import HIGHER_IS_BETTER, P99_BLOCKS, P99_BLOCKS_INTERVAL, P99_INTERVAL, TIME_COLUMNS
from tailgate.seams.table_lines import Cell, Grid

MISSING = "-"
NO_UPPER_END = "?"
INTERVALS = {"p99": P99_INTERVAL, P99_BLOCKS: P99_BLOCKS_INTERVAL}
"""Column -> the ends that it shows beside P99."""
SHORT_LABELS = {"p99": "P99 [95 %]", P99_BLOCKS: "P99 [95 %, blocks]", "throughput": "Items/s"}
MEASURED = (*TIME_COLUMNS, *HIGHER_IS_BETTER)
"""Columns of numbers with a unit; the others are counts."""
FULL_DECIMALS = 4
WITH_ONE_FACTOR = range(1, 4)
"""Of :meth:`Cells.grids`: those in which one column says how many times the best value each one is."""
Bench = dict[str, Any]
Scaled = Callable[[str, float], float]
"""Column and value in s or 1/s -> value in the table's unit."""


class Cells:
    """The cells of one table, to be written in several ways.

    ``factor``: of the best value of a column and one of its values, the text behind the latter.
    """

    def __init__(
        self,
        benchmarks: Sequence[Bench],
        columns: Sequence[str],
        extremes: tuple[Bench, Bench],
        scaled: Scaled,
        factor: Callable[[Any, Any], str],
    ) -> None:
        self._benchmarks = benchmarks
        self._columns = columns
        self._best, self._worst = extremes
        self._scaled = scaled
        self._factor = factor

    def grids(self, labels: dict[str, str], sort: str) -> Iterator[Grid]:
        """Grids from the widest to the narrowest: all columns with factors, then one, then none."""
        labels_full = [labels[column] for column in self._columns]
        labels_short = [SHORT_LABELS.get(column, labels[column]) for column in self._columns]
        one = self._one_with_factors(sort)
        full: dict[str, int | None] = dict.fromkeys(self._columns)
        yield Grid(labels_full, self._rows(self._columns, full))
        yield Grid(labels_full, self._rows(one, full))
        aligned = {column: self._decimals(column) for column in self._columns}
        yield Grid(labels_full, self._rows(one, aligned))
        yield Grid(labels_short, self._rows(one, aligned))
        yield Grid(labels_short, self._rows([], aligned))
        yield Grid(labels_short, self._rows([], dict.fromkeys(self._columns, 0)))

    def _one_with_factors(self, sort: str) -> list[str]:
        """The column that the rows are sorted by; the median where that is a name."""
        able = [column for column in self._columns if column in MEASURED]
        return next(([column] for column in (sort, "median") if column in able), able[:1])

    def _rows(self, with_factors: Sequence[str], decimals: Mapping[str, int | None]) -> list[list[Cell]]:
        return [
            [self._cell(bench, column, column in with_factors, decimals[column]) for column in self._columns]
            for bench in self._benchmarks
        ]

    def _decimals(self, column: str) -> int:
        shown = [bench.get(name) for bench in self._benchmarks for name in (column, *INTERVALS.get(column, ()))]
        return decimals_for(self._scaled(column, value) for value in shown if isinstance(value, int | float))

    def _cell(self, bench: Bench, column: str, with_factor: bool, decimals: int | None) -> Cell:
        value, solo = bench.get(column), len(self._benchmarks) == 1
        measured = column in MEASURED
        markup = {
            "green": not solo and value is not None and value == self._best[column],
            "red": not solo and value is not None and value == self._worst[column],
            "bold": measured,
        }
        if value is None:
            return Cell(MISSING, "", markup)
        if not measured:
            return Cell(str(value), "", markup)
        text = self._number(column, value, decimals)
        if column in INTERVALS:
            ends = [bench.get(end) for end in INTERVALS[column]]
            said = [NO_UPPER_END if end is None else self._number(column, end, decimals) for end in ends]
            text += f" [{', '.join(said)}]"
        factor = self._factor(self._best[column], value) if with_factor and not solo else ""
        return Cell(text, factor, markup)

    def _number(self, column: str, value: float, decimals: int | None) -> str:
        found = self._scaled(column, value)
        if decimals is None:
            return f"{found:,.{2 if column == 'throughput' else FULL_DECIMALS}f}"
        return short_number(found, decimals)


def decimals_for(values: Iterable[float]) -> int:
    """Decimals that show three significant digits of the smallest value, four at most; 0 without values."""
    sizes = [abs(value) for value in values if value and math.isfinite(value)]
    return min(FULL_DECIMALS, max(0, _needed(min(sizes)))) if sizes else 0


def short_number(value: float, decimals: int) -> str:
    """With so many decimals, or what three significant digits need: ``0.0000123`` is ``1.23e-05``, never ``0.0000``."""
    if value and math.isfinite(value) and _needed(abs(value)) > decimals:
        return f"{value:.3g}"
    return f"{value:,.{decimals}f}"


def _needed(size: float) -> int:
    """Decimals that three significant digits need."""
    return 2 - math.floor(math.log10(size))
