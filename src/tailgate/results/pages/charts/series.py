"""Rows as series of a picture: what goes into one panel, what each line is called, and how many are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tailgate.number import number
from tailgate.results.pictures import label
from tailgate.results.row_names import Name, namings
from tailgate.results.rows import Row, alone, saved_row
from tailgate.results.saved_run import Run
from tailgate.results.verdict_table import short_name
from tailgate.text import counted, printable

K = TypeVar("K")
T = TypeVar("T")
MOST_PANELS = 12
"""A page of more pictures is read by nobody, and its table has every row."""
MOST_SERIES = 8
SAME_CELL = (
    "model", "runtime", "precision", "batch_size", "items_per_call", "image_size", "weights", "model_sha256", "device",
    "phase", "threads",
)  # fmt: skip
"""Fields that tell the cells of a suite apart; other projects have none of them."""


def measured(run: Run) -> list[Row]:
    """Every row with its raw rounds under ``data`` (seconds, as they followed; empty: not saved), fastest first."""
    rows = [{**saved_row(bench), "data": bench["stats"].get("data") or ()} for bench in run["benchmarks"]]
    return sorted((row for row in rows if (number(row["median_s"]) or 0) > 0), key=lambda row: row["median_s"])


def closed_loops(rows: Iterable[Row]) -> list[Row]:
    """Those that were called again whenever a call had returned, one at a time."""
    return [row for row in rows if row["load_arrivals"] is None and alone(row)]


def test_of(row: Row) -> str:
    """The test without its parameters."""
    return short_name(str(row["name"])).partition("[")[0]


def group_of(row: Row) -> str:
    """The panel that a row belongs to: its model's, else its test's."""
    model = row["model"]
    return model if isinstance(model, str) and model else test_of(row)


def grouped(rows: Iterable[Row], key: Callable[[Row], K]) -> dict[K, list[Row]]:
    """Rows by key, in the order in which the keys first come."""
    found: dict[K, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found


def cell_of(row: Row, *without: str) -> tuple[str, ...]:
    """What two rows must share to differ in the fields ``without`` alone."""
    return (test_of(row), *(str(row[field]) for field in SAME_CELL if field not in without))


def labels(rows: Sequence[Row]) -> list[str]:
    """What tells these rows apart."""
    names = [Name(printable(short_name(str(row["name"])))) for row in rows]
    return [label(one) for one in (namings(names)[-1].rows if len(names) > 1 else [names[0].test])]


def cell_label(row: Row, *fields: str) -> str:
    """``onnxruntime int8, batch 4``, from the fields that the row has."""
    units = {"batch_size": "batch {}", "threads": "{} threads", "image_size": "{} px"}
    parts = [units.get(field, "{}").format(row[field]) for field in fields if row[field] not in (None, "")]
    return label(", ".join(parts) or test_of(row))


def chosen(panels: Mapping[str, Sequence[Row]]) -> tuple[dict[str, Sequence[Row]], str]:
    """The panels with most rows, as many as a page shows, and a line on the others."""
    most = sorted(panels, key=lambda name: -len(panels[name]))[:MOST_PANELS]
    if len(most) == len(panels):
        return dict(panels), ""
    left_out = f"{MOST_PANELS} of {counted(len(panels), 'groups')} are drawn, those with most rows; the table has all."
    return {name: panels[name] for name in panels if name in most}, left_out


def cut(rows: Sequence[T], most: int, which: str) -> tuple[Sequence[T], str]:
    """The first rows, as many as a panel can show, and a note where they are not all."""
    return rows[:most], "" if len(rows) <= most else f"the {most} {which} of {len(rows):,}"


def positive(value: Any) -> float | None:
    """A finite number above zero."""
    found = number(value)
    return found if found is not None and found > 0 else None
