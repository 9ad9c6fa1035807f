"""JSON for benchmark-action/github-action-benchmark: ``tool: customSmallerIsBetter``; its throughput lies beside it.

The action takes one direction for a whole file, so throughput has a file of its own (``customBiggerIsBetter``).
Fields: https://github.com/benchmark-action/github-action-benchmark#tool-required, ``BenchmarkResult`` in its
``src/extract.ts``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tailgate.results.pages.exported import Export, Measured, Value, export, not_empty, one_run, scaled, written_out
from tailgate.results.saved_run import Run

NAME = "github-action-benchmark"
LABELS = {"median": "median", "p99": "P99"}
MARKUP = "`|"
"""The action puts names between backticks, into a table's cell."""


def render(runs: Sequence[Run]) -> str:
    """A list of latencies in milliseconds.

    Raises:
        TailgateError: several runs, or no undisturbed row.
    """
    found = export(one_run(runs, NAME))
    return _text(
        _latency(one, metric, value, found)
        for one in not_empty(found, NAME)
        for metric, value in one.metrics.items()
        if metric in LABELS
    )


def attachments(runs: Sequence[Run]) -> Mapping[str, bytes]:
    """The list of throughputs."""
    found = export(one_run(runs, NAME))
    entries = (
        {**_entry(one, "throughput", found), "unit": "items/s", "value": one.metrics["throughput"].value}
        for one in not_empty(found, NAME)
        if "throughput" in one.metrics
    )
    return {"-throughput.json": _text(entries).encode()}


def warnings(runs: Sequence[Run]) -> Sequence[str]:
    """What the file does not say."""
    return export(one_run(runs, NAME)).left_out


def _latency(one: Measured, metric: str, value: Value, found: Export) -> dict[str, Any]:
    entry = {**_entry(one, LABELS[metric], found), "unit": "ms", "value": scaled(value.value, 1e3)}
    low, high = (scaled(end, 1e3) for end in (value.low, value.high))
    if low is None and high is None:
        return entry
    ends = " to ".join("?" if end is None else f"{end:.4g}" for end in (low, high))
    return {**entry, "range": f"{ends} ms", "extra": f"{entry['extra']}\nin brackets: {value.ends}"}


def _entry(one: Measured, label: str, found: Export) -> dict[str, Any]:
    """The name, and what a tooltip of the action's chart says."""
    name = written_out(f"{one.name} {label}", MARKUP)
    return {"name": name, "extra": f"rounds: {one.rounds}\nmachine: {found.machine or 'not recorded'}"}


def _text(entries: Any) -> str:
    return json.dumps(list(entries), indent=2) + "\n"
