"""The columns that pytest-benchmark lacks: what they are called, and how raw samples give them."""

import statistics
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from tailgate.number import is_number, number
from tailgate.stats.block_quantiles import block_interval
from tailgate.stats.quantiles import order_statistic_interval, percentile

PERCENTILES: dict[str, float] = {"p90": 90.0, "p95": 95.0, "p99": 99.0, "p999": 99.9}
"""Column name -> percent. Values in seconds."""

P99_INTERVAL = ("p99_low", "p99_high")
"""Ends of P99's 95 % order-statistic interval, in seconds; ``None`` where an end does not exist."""

P99_BLOCKS = "p99_blocks"
"""A column that shows P99 with the interval below; not a statistic of its own, so nothing sorts or fails by it."""
P99_BLOCKS_INTERVAL = ("p99_blocks_low", "p99_blocks_high")
"""Ends of P99's 95 % interval from blocks of consecutive rounds, in seconds; ``None`` where an end does not exist."""

ADDED_COLUMNS = (*PERCENTILES, "throughput")
SORTABLE = ("min", "max", "mean", "stddev", "name", "fullname", "median", "iqr", "ops", "rounds", *ADDED_COLUMNS)
TIME_COLUMNS = ("min", "max", "mean", "stddev", "median", "iqr", *PERCENTILES, P99_BLOCKS)
HIGHER_IS_BETTER = ("ops", "throughput")
STOCK = (
    "min", "max", "mean", "stddev", "median", "iqr", "q1", "q3", "ld15iqr", "hd15iqr", "iqr_outliers",
    "stddev_outliers", "outliers", "rounds", "iterations", "ops", "total",
)  # fmt: skip
"""What pytest-benchmark 5 saves of a benchmark, and its own readers take to be there; older versions saved less."""
INTERVAL_ENDS = frozenset((*P99_INTERVAL, *P99_BLOCKS_INTERVAL))

CLOSED_LOOP: Mapping[str, Any] = MappingProxyType({})
"""The ``extra_info`` of a row that says nothing of a load."""
LABELS: dict[str, str] = {
    "p90": "P90", "p95": "P95", "p99": "P99 [95 % interval]", P99_BLOCKS: "P99 [95 % by blocks]", "p999": "P99.9",
    "throughput": "Throughput (items/s)",
}  # fmt: skip


def items_per_call(extra_info: Mapping[str, Any]) -> float | None:
    """Items one call processes: ``extra_info["items_per_call"]``, 1 where nobody said.

    ``None``: what was said is not a positive number, so nobody knows.
    """
    said = extra_info.get("items_per_call")
    if said is None:
        return 1
    items = number(said)
    return items if items is not None and items > 0 else None


def throughput(median_s: float, items: float | None, served_per_s: float | None = None) -> float | None:
    """Items per second: items per call over the *median* latency; ``None`` for a median of zero, or unknown items.

    ``served_per_s``: of an open loop the rate at which requests were served, because a response may have waited.
    """
    found: float | None = None
    if items is not None and served_per_s is not None:
        found = items * served_per_s
    elif items is not None and median_s:
        found = items / median_s  # not by 1 / median_s, which rounds once more
    return found if is_number(found) else None


def under_load(extra_info: Mapping[str, Any]) -> bool:
    """Whether the samples are responses of an open loop, of which each depends on those before it."""
    return "load_arrivals" in extra_info


def served_per_s(extra_info: Mapping[str, Any]) -> float | None:
    """Requests per second that an open loop served; ``None``: the row is of a closed loop."""
    return number(extra_info.get("load_rate_served_per_s")) if under_load(extra_info) else None


def p99_interval(
    sorted_samples: Sequence[float], extra_info: Mapping[str, Any] = CLOSED_LOOP
) -> dict[str, float | None]:
    """``p99_low`` and ``p99_high`` in seconds; under a load those that were found when the schedule was known."""
    if under_load(extra_info):
        return {name: extra_info.get(f"load_{name}_s") for name in P99_INTERVAL}
    return dict(zip(P99_INTERVAL, order_statistic_interval(sorted_samples, 0.99), strict=True))


def p99_blocks_interval(
    samples: Sequence[float],
    sorted_samples: Sequence[float] | None = None,
    extra_info: Mapping[str, Any] = CLOSED_LOOP,
) -> dict[str, float | None]:
    """``p99_blocks_low`` and ``p99_blocks_high`` in seconds; ``samples`` in the order in which they were measured."""
    if under_load(extra_info):
        return dict(zip(P99_BLOCKS_INTERVAL, p99_interval((), extra_info).values(), strict=True))
    return dict(zip(P99_BLOCKS_INTERVAL, block_interval(samples, 0.99, ordered=sorted_samples), strict=True))


def complete(stats: dict[str, Any], extra_info: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in, in place, the columns a saved ``stats`` lacks; ``None`` where raw data is missing too.

    Runs saved by plain pytest-benchmark, or by an older Tailgate, then compare like new ones.
    """
    for name in STOCK:
        stats.setdefault(name, None)
    if stats["ops"] is None and stats["mean"]:
        stats["ops"] = 1 / stats["mean"]
    if stats["iqr"] is None and None not in (stats["q1"], stats["q3"]):
        stats["iqr"] = stats["q3"] - stats["q1"]
    if all(stats.get(name) is not None for name in ADDED_COLUMNS) and stats.keys() >= INTERVAL_ENDS:
        return stats  # a run of ours: no round is looked at
    data = stats.get("data")
    samples = sorted(data) if data else None
    for name, percent in PERCENTILES.items():
        if stats.get(name) is None:
            stats[name] = percentile(samples, percent) if samples else None
    if any(name not in stats for name in P99_INTERVAL):
        stats.update(p99_interval(samples, extra_info) if samples else dict.fromkeys(P99_INTERVAL))
    if any(name not in stats for name in P99_BLOCKS_INTERVAL):
        stats.update(p99_blocks_interval(data, samples, extra_info) if data else dict.fromkeys(P99_BLOCKS_INTERVAL))
    if stats.get("throughput") is None:
        median = stats.get("median")
        if median is None and samples:
            median = statistics.median(samples)
        stats["throughput"] = (
            None if median is None else throughput(median, items_per_call(extra_info), served_per_s(extra_info))
        )
    return stats
