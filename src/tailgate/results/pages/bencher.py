"""Bencher Metric Format: for ``bencher run --adapter json --file FILE``.

Version 0 of https://bencher.dev/docs/reference/bencher-metric-format/, which every version of Bencher reads. Each
measure is of Bencher's own unit: ``latency`` in nanoseconds, ``throughput`` in operations per second.
"""

import hashlib
import json
from collections.abc import Sequence

from tailgate.results.pages.exported import Value, export, not_empty, one_run, scaled
from tailgate.results.saved_run import Run

NAME = "bencher"
MEASURES = {"median": ("latency", 1e9), "p99": ("p99-latency-ns", 1e9), "throughput": ("throughput", 1.0)}
"""Metric -> Bencher's measure, and the factor to its unit."""
LONGEST_BYTES = 1024
"""Of a benchmark's name: ``MAX_BENCHMARK_NAME_LEN`` of Bencher's ``bencher_valid/src/benchmark_name.rs``."""


def render(runs: Sequence[Run]) -> str:
    """One JSON object.

    Raises:
        TailgateError: several runs, or no undisturbed row.
    """
    found = {
        shortened(one.name): {
            MEASURES[metric][0]: _metric(value, MEASURES[metric][1]) for metric, value in one.metrics.items()
        }
        for one in not_empty(export(one_run(runs, NAME)), NAME)
    }
    return json.dumps(found, indent=2) + "\n"


def warnings(runs: Sequence[Run]) -> list[str]:
    """What the file does not say."""
    found = export(one_run(runs, NAME))
    long = [one.name for one in found.rows if shortened(one.name) != one.name]
    said = [f"{len(long)} names are longer than Bencher's {LONGEST_BYTES} bytes; they end in a digest"] if long else []
    return [*found.left_out, *said]


def shortened(name: str) -> str:
    """The name as Bencher takes it: a longer one keeps its beginning, and a digest tells it from others."""
    text = name.encode(errors="replace")
    if len(text) <= LONGEST_BYTES:
        return name
    digest = hashlib.sha256(text).hexdigest()[:12]
    return f"{text[: LONGEST_BYTES - 13].decode(errors='ignore')}~{digest}"


def _metric(one: Value, factor: float) -> dict[str, float | None]:
    ends = {"value": one.value, "lower_value": one.low, "upper_value": one.high}
    return {name: scaled(value, factor) for name, value in ends.items() if value is not None}
