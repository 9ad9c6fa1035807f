"""CSV for apache-otava's ``csv`` importer: a row for each benchmark in each session, in order of time.

Otava takes one column to choose rows by, and calls it ``branch``; here it holds the benchmark. So a session that lacks
a benchmark has no row of it, where a column for each benchmark would have an empty cell, which Otava refuses.
Columns and checks: ``CsvImporter`` in https://github.com/apache/otava, ``otava/importer.py``.
"""

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tailgate.errors import TailgateError
from tailgate.results.pages.exported import Measured, export
from tailgate.results.saved_run import Run, machine_id_of
from tailgate.results.spreadsheet import Writer
from tailgate.text import counted

NAME = "otava-csv"
METRICS = {"median": "median_s", "p99": "p99_s", "throughput": "throughput_items_per_s"}
HEADER = ("time", "branch", "commit", "git_branch", "machine", *METRICS.values())

Row = dict[str, Any]


def render(runs: Sequence[Run]) -> str:
    """The history.

    Raises:
        TailgateError: no undisturbed row with a time.
    """
    rows, left_out = _history(runs)
    if not rows:
        raise TailgateError(f"--format={NAME}: the file would be empty: {'; '.join(left_out)}; measure again")
    text = io.StringIO(newline="")
    writer = Writer(text, HEADER)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def warnings(runs: Sequence[Run]) -> list[str]:
    """What the file does not say, and which of Otava's columns it cannot fill."""
    rows, lines = _history(runs)
    for column in METRICS.values():
        empty = sum(row[column] is None for row in rows)
        if empty:
            lines.append(f"{column} is empty in {counted(empty, 'rows')}: Otava refuses it among a test's metrics")
    return lines


def _history(runs: Sequence[Run]) -> tuple[list[Row], list[str]]:
    """Rows in order of time, and a line for each reason to leave some out."""
    machines = {machine_id_of(run) for run in runs}
    found: dict[tuple[str, datetime], Row] = {}
    lines, untimed, twice = [], 0, 0
    for run in runs:
        session = export(run)
        lines += [f"{_when(run)}: {line}" for line in session.left_out]
        where = f" on machine {session.machine or '(unknown)'}" if len(machines) > 1 else ""
        for one in session.rows:
            series, time = f"{one.name}{where}", _time(one.timestamp_utc)
            if time is None:
                untimed += 1
            elif (series, time) in found:
                twice += 1
            else:
                found[series, time] = _row(run, one, series, time)
    if untimed:
        lines.append(f"{counted(untimed, 'rows')} left out, no time")
    if twice:
        lines.append(f"{counted(twice, 'rows')} left out, also in another file")
    if len(machines) > 1:
        lines.append(f"the runs are of {len(machines)} machines: each benchmark is a series for each of them")
    return [found[key] for key in sorted(found, key=lambda key: (key[1], key[0]))], lines


def _time(text: Any) -> datetime | None:
    """In UTC, as pytest-benchmark means a time without a zone; ``None``: it is none."""
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _row(run: Run, one: Measured, series: str, time: datetime) -> Row:
    commit = run.get("commit_info") or {}
    known = {name: value for name in ("id", "branch") if isinstance(value := commit.get(name), str)}
    dirty = "-dirty" if commit.get("dirty") is True else ""
    return {
        "time": time.isoformat(timespec="seconds"),
        "branch": series,
        "commit": f"{known['id']}{dirty}" if "id" in known else None,
        "git_branch": known.get("branch"),
        "machine": machine_id_of(run),
        **{column: _metric(one.metrics, metric) for metric, column in METRICS.items()},
    }


def _metric(metrics: Mapping[str, Any], name: str) -> float | None:
    return metrics[name].value if name in metrics else None


def _when(run: Run) -> str:
    return str(run.get("datetime") or "a run without a time")[:19]
