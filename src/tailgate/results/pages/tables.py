"""A page's other tables as CSV for programs: numbers with their units in the columns' names; not known is empty."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from tailgate.results.explanation import saved_explanations
from tailgate.results.pages.content import NOT_KNOWN, Content, verdicts_of
from tailgate.results.saved_run import Run
from tailgate.results.spreadsheet import Rows
from tailgate.results.verdict import ordered

VERDICTS = (
    "fullname", "metric", "verdict", "base_s", "head_s", "base_items_per_s", "head_items_per_s", "change_rel",
    "low_rel", "high_rel", "confidence", "p", "limit_rel", "detectable_rel", "replicates", "unit", "worse",
    "confirmed", "reason", "reproduce",
)  # fmt: skip
"""The names that a saved run has for them."""
OPERATORS = (
    "fullname", "change", "base_names", "base_kinds", "base_shapes", "head_names", "head_kinds", "head_shapes",
    "base_s", "head_s", "contribution_rel", "contribution_low_rel", "contribution_high_rel", "exceeds_scatter",
)  # fmt: skip
SEPARATOR = " + "
"""Between the operators of one row."""


def files(runs: Sequence[Run], pages: Sequence[Content]) -> dict[str, str]:
    """Each by its file's name; ``pages`` has the runs' contents."""
    titled = [(page.title, page, run) for page, run in zip(pages, runs, strict=True)]
    return {
        "machine.csv": text(
            ("run", "name", "value"), ([title, *one] for title, page, _ in titled for one in _machine(page))
        ),
        "verdicts.csv": text(("run", *VERDICTS), ([title, *one] for title, _, run in titled for one in _verdicts(run))),
        "operators.csv": text(
            ("run", *OPERATORS), ([title, *one] for title, _, run in titled for one in _operators(run))
        ),
    }


def text(header: Sequence[str], lines: Iterable[Sequence[Any]]) -> str:
    """A whole CSV."""
    stream = io.StringIO()
    writer = Rows(stream, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)
    for line in (header, *lines):
        writer.writerow(line)
    return stream.getvalue()


def _machine(page: Content) -> Iterator[tuple[str, str]]:
    for name, value in page.machine:
        yield name, "" if value == NOT_KNOWN else value


def _verdicts(run: Run) -> Iterator[list[Any]]:
    for one in ordered(verdicts_of(run)):
        values = one.as_json()
        yield [values.get(name) for name in VERDICTS]


def _operators(run: Run) -> Iterator[list[Any]]:
    for fullname, found in saved_explanations(run).items():
        for row, saved in zip(found.rows, found.as_json()["rows"], strict=True):
            sides = (row.match.base, row.match.head)
            names = [
                SEPARATOR.join(getattr(one, part) for one in side)
                for side in sides
                for part in ("name", "kind", "shapes")
            ]
            means_s = [statistics.fmean(side_s) if side_s and side else None for side_s, side in
                       zip((row.base_s, row.head_s), sides, strict=True)]  # fmt: skip
            yield [fullname, row.match.change, *names, *means_s, *(saved[name] for name in OPERATORS[-4:])]
