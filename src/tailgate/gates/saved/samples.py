"""What one session found of one benchmark: the numbers a gate judges, and what they belong to."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tailgate.results import columns
from tailgate.results.plain import plain
from tailgate.results.rows import UNTRUSTED


@dataclass(frozen=True)
class Sample:
    """The numbers of one row of one session."""

    fullname: str
    values: Mapping[str, float | None]
    """Metric -> value: seconds, or items per second."""
    p99_low_s: float | None
    p99_high_s: float | None
    rounds: int
    info: Mapping[str, Any]
    """Its ``extra_info``, which says what its workload was."""
    status: str

    @property
    def trusted(self) -> bool:
        """Whether its times are the benchmark's own."""
        return self.status not in UNTRUSTED

    def log(self, metric: str) -> float | None:
        """The metric's logarithm; ``None`` where the value is not known, or has none."""
        value = self.values.get(metric)
        return math.log(value) if value is not None and 0 < value < math.inf else None


def of_stats(fullname: str, stats: Mapping[str, Any], extra_info: Mapping[str, Any]) -> Sample:
    """The sample of a row whose ``stats`` have every column (``columns.complete``)."""
    return Sample(
        fullname,
        {metric: stats.get(metric) for metric in ("median", "p99", "throughput")},
        stats.get("p99_low"),
        stats.get("p99_high"),
        int(stats["rounds"]),
        dict(extra_info),
        str(extra_info.get("status", "ok")),
    )


def of_row(row: Any) -> Sample:
    """The sample of a row that this session measured."""
    stats = row.stats
    found = {metric: getattr(stats, metric) for metric in ("median", "p99", "throughput", "rounds")}
    return of_stats(
        row.fullname, found | columns.p99_interval(stats.sorted_data, row.extra_info), plain(row.extra_info)
    )
