"""Which of two tries of a contended benchmark counts."""

from __future__ import annotations

import statistics

from tailgate.processes.attempt import Attempt
from tailgate.processes.pooling import numbered


def better(first: Attempt, second: Attempt) -> Attempt:
    """Of two measured ones the less disturbed, whatever its times; a failure of the second is never hidden.

    Args:
        first: measured, and contended.
        second: whatever came of trying again.
    """
    if second.failed:
        second.rows = first.rows  # all there is that was measured in order
        for row in second.rows:
            row["extra_info"]["tries"] = 2
        return second
    if not second.measured:  # skipped, or stopped in the middle: then the session is to stop, too
        first.final_message = second.final_message
        return first
    calmer = not second.contended or _disturbance(second) < _disturbance(first)
    kept, other = (second, first) if calmer else (first, second)
    discarded = dict(numbered(other.rows))
    for place, row in numbered(kept.rows):
        dropped_s = discarded[place]["data"] if place in discarded else []
        median_s = statistics.median(dropped_s) if dropped_s else None
        row["extra_info"].update(tries=2, discarded_median_s=median_s, discarded_because=other.contended)
    return kept


def _disturbance(made: Attempt) -> float:
    """CPUs that others took while it was timed."""
    infos = [row["extra_info"] for row in made.rows]
    return max((info.get("other_cpus_busy") or 0.0) + (info.get("steal_cpus") or 0.0) for info in infos)
