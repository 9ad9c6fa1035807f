"""Did the machine change, between two moments or two runs? Pure functions on calibrations."""

import statistics
from collections.abc import Sequence

from tailgate.machine.trust.calibration import Calibration

MOST_COMPUTE_CHANGE_REL = 0.05
"""On a quiet virtual machine with 2 CPUs, 150 calibrations in two minutes: 80 % within -1.5 and +1.1 % of their
median, all within -3.3 and +4.1 %; of all pairs of a hundred, none lay 5 % apart."""
MOST_MEMORY_CHANGE_REL = 0.2
"""The memory is the whole host's, and its other guests are heard: there, 80 % lay within -2.7 and +6.9 %, single ones
at +19, +40 and, in 50 more, +65 %; of all pairs of a hundred, 0.6 % lay more than 20 % apart."""
MOST_AT_AN_END = 5
"""Calibrations that speak for the start, and for the end, of a long run."""


def drift(first: Calibration, last: Calibration) -> dict[str, float]:
    """Times of the last over times of the first, by part: 1.05 is 5 % slower."""
    return {"compute_ratio": last.compute_s / first.compute_s, "memory_ratio": last.memory_s / first.memory_s}


def typical(seen: Sequence[Calibration]) -> Calibration:
    """The median of several calibrations, part by part.

    Raises:
        ValueError: there is none.
    """
    if not seen:
        raise ValueError("typical() needs at least one calibration")
    return Calibration(
        statistics.median(calibration.compute_s for calibration in seen),
        statistics.median(calibration.memory_s for calibration in seen),
    )


def remark(seen: Sequence[Calibration]) -> str | None:
    """One line where the machine changed from the start to the end of a run.

    Args:
        seen: the run's calibrations in their order. The medians of the first and of the last third (of at most
            :data:`MOST_AT_AN_END`) are compared, so that one burst says nothing where there are more than five.
    """
    if len(seen) < 2:
        return None
    at_an_end = min(MOST_AT_AN_END, max(1, len(seen) // 3))
    moved = distance(typical(seen[:at_an_end]), typical(seen[-at_an_end:]))
    if moved is None:
        return None
    return (
        f"the machine became {moved} in the course of this run (calibration kernel): part of a difference of that size "
        "between its benchmarks is not your code; let the machine come to rest and measure again"
    )


def compared(baseline: Sequence[Calibration], now: Sequence[Calibration]) -> str | None:
    """One line where the machine is not as fast as it was in the run compared with; medians of either run."""
    if not baseline or not now:
        return None
    moved = distance(typical(baseline), typical(now))
    if moved is None:
        return None
    return (
        f"the machine is {moved} than when the baseline was measured (calibration kernel): part of a change of that "
        "size is not your code; measure both again, in turns"
    )


def distance(first: Calibration, last: Calibration) -> str | None:
    """Half a sentence on how much slower or faster the last is; ``None``: within the limits."""
    ratios = drift(first, last)
    parts = [
        f"{abs(ratio - 1):.0%} {'slower' if ratio > 1 else 'faster'} at {what} (limit {limit_rel:.0%})"
        for what, ratio, limit_rel in (
            ("computing", ratios["compute_ratio"], MOST_COMPUTE_CHANGE_REL),
            ("copying memory", ratios["memory_ratio"], MOST_MEMORY_CHANGE_REL),
        )
        # The same distance either way: half as fast again and a third slower again are where it began.
        if max(ratio, 1 / ratio) > 1 + limit_rel
    ]
    return " and ".join(parts) or None
