"""OpenMetrics text: for GitLab's metrics reports (``artifacts:reports:metrics``) and for Prometheus.

It is at once OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/) and Prometheus' older text
format 0.0.4: gauges alone, and no timestamp, which neither the textfile collector nor the Pushgateway takes.
"""

from collections.abc import Iterator, Sequence

from tailgate.results.pages.exported import Measured, export, not_empty, one_run, written_out
from tailgate.results.saved_run import Run

NAME = "openmetrics"
INTERVAL = (
    "the 95 % interval of the 99th percentile by blocks of rounds; in a run without it, as if rounds were independent."
)
FAMILIES = {
    "tailgate_latency_median_seconds": ("median", "value", "Median time of one call."),
    "tailgate_latency_p99_seconds": ("p99", "value", "99th percentile of the time of one call."),
    "tailgate_latency_p99_low_seconds": ("p99", "low", f"Lower end of {INTERVAL}"),
    "tailgate_latency_p99_high_seconds": ("p99", "high", f"Upper end of {INTERVAL}"),
    "tailgate_throughput_items_per_second": ("throughput", "value", "Items per second; larger is better."),
}
"""Metric family -> which value of a row, and its help."""
UNITS = ("seconds", "items_per_second")
COMMENT = "#"
"""GitLab's reader drops the rest of a line from here on, inside of a quoted label too, and then refuses the report."""


def render(runs: Sequence[Run]) -> str:
    """One sample for each known value of each row.

    Raises:
        TailgateError: several runs, or no row at all.
    """
    found = export(one_run(runs, NAME), disturbed=True)
    lines = [line for family in FAMILIES for line in _family(family, not_empty(found, NAME), found.machine)]
    return "\n".join([*lines, "# EOF", ""])


def warnings(runs: Sequence[Run]) -> Sequence[str]:
    """What the file does not say."""
    return export(one_run(runs, NAME), disturbed=True).left_out


def _family(name: str, rows: Sequence[Measured], machine: str | None) -> Iterator[str]:
    metric, part, text = FAMILIES[name]
    values = [(one, getattr(one.metrics[metric], part)) for one in rows if metric in one.metrics]
    known = [(one, value) for one, value in values if value is not None]
    if not known:
        return
    unit = next(unit for unit in UNITS if name.endswith(f"_{unit}"))
    yield f"# TYPE {name} gauge"
    yield f"# UNIT {name} {unit}"
    yield f"# HELP {name} {text}"
    for one, value in known:
        labels = {"benchmark": one.name, "machine": machine or "", "status": one.status}
        shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items() if text)
        yield f"{name}{{{shown}}} {float(value)!r}"


def _escaped(text: str) -> str:
    text = written_out(text, COMMENT)
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
