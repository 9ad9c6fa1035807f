"""Absolute limits: ``p99_max``, ``median_max``, ``throughput_min``. Judged on the row itself; no history is needed."""

from collections.abc import Mapping

from tailgate.gates.saved.samples import Sample
from tailgate.results.verdict import Verdict
from tailgate.stats.decision import FAIL, PASS, UNDECIDED

ENOUGH_ROUNDS = 368
"""Fewer have no round that bounds P99 from above at 95 %."""


def objectives(row: Sample, limits: Mapping[str, float]) -> list[Verdict]:
    """One verdict per objective."""
    return [_objective(row, name, limit) for name, limit in limits.items()]


def _objective(row: Sample, name: str, limit: float) -> Verdict:
    from tailgate.results.verdict_table import quantity

    metric = name.rpartition("_")[0]
    value = row.values.get(metric)
    goal = quantity(limit, metric)
    if value is None:
        return Verdict(row.fullname, metric, UNDECIDED, reason=f"{name} {goal}: this session has no {metric}")
    shown = quantity(value, metric)
    if metric == "p99":
        verdict, why = _p99(row, limit)
        return Verdict(row.fullname, metric, verdict, reason=f"{name} {goal}: {shown}{why}", head=value)
    missed = value < limit if name == "throughput_min" else value > limit
    verdict, word = (FAIL, "not met") if missed else (PASS, "met")
    if missed and not row.trusted:
        verdict, word = UNDECIDED, f"not met, but the row is {row.status}"
    return Verdict(row.fullname, metric, verdict, reason=f"{name} {goal}: {word}, {shown}", head=value)


def _p99(row: Sample, limit_s: float) -> tuple[str, str]:
    """A P99 is known by its interval: only an interval on one side of the limit says anything."""
    from tailgate.results.verdict_table import quantity

    low_s, high_s = row.p99_low_s, row.p99_high_s
    ends = [quantity(end, "p99") if end is not None else "?" for end in (low_s, high_s)]
    interval = f" [95 % interval {ends[0]}, {ends[1]}]"
    if low_s is not None and low_s > limit_s:
        if row.trusted:
            return FAIL, f"{interval}, not met"
        return UNDECIDED, f"{interval}, not met, but the row is {row.status}"
    if high_s is None:
        return UNDECIDED, f"{interval}; {row.rounds} rounds do not bound it from above, {ENOUGH_ROUNDS} do"
    if high_s > limit_s:
        return UNDECIDED, f"{interval}, which has the limit in it; more rounds tell more"
    return PASS, f"{interval}, met"
