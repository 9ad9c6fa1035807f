"""By how much a metric may get worse, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field

METRICS = ("median", "p99", "throughput")
"""In the order in which they are reported."""


DEFAULT_LIMITS_REL: Mapping[str, float] = {"median": 0.02, "p99": 0.10, "throughput": 0.02}
"""A minimum effect of 2 %; of a P99, which scatters ten times as much, 10 % (docs/evidence/statistics.md)."""


@dataclass(frozen=True)
class Limits:
    """What one benchmark is judged by."""

    relative: Mapping[str, float] = field(default_factory=dict)
    """Metric -> the largest change for the worse that passes, 0.02 for 2 %; metrics that are not named do not fail."""
    absolute: Mapping[str, float] = field(default_factory=dict)
    """``median_max``, ``p99_max`` in seconds, ``throughput_min`` in items a second: objectives, met or not."""
    if_enough: frozenset[str] = frozenset()
    """Those of ``relative`` that nobody named: a duet leaves them out where calls are too long for enough of them."""
