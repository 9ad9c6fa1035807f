"""Which of many differences are told from none, all of them at once. Pure functions."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

LEAST_VALUES = 3
"""Fewer have no interval that tells anything: of two, Student's t is 12.7 for a single comparison."""


@dataclass(frozen=True)
class Difference:
    """The mean of a few differences."""

    mean: float
    low: float | None
    high: float | None
    """Ends of its interval; ``None``: too few values."""

    @property
    def told(self) -> bool:
        """Whether the interval leaves out no difference at all."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def difference(values: Sequence[float], comparisons: int, confidence: float = 0.95) -> Difference:
    """Student's interval of the mean, widened for ``comparisons`` of which none may be wrong (Bonferroni).

    Hochberg and Tamhane, Multiple Comparison Procedures (1987), section 2.1. Means and not medians, because the means
    of parts add up to the mean of the whole.

    Args:
        values: one per pair of processes, in any unit.
        comparisons: how many such intervals are looked at together.
        confidence: that all of them hold their true differences.
    """
    mean = math.fsum(values) / len(values)
    if len(values) < LEAST_VALUES:
        return Difference(mean, None, None)
    from scipy.special import stdtrit

    quantile = float(stdtrit(len(values) - 1, 1 - (1 - confidence) / 2 / max(1, comparisons)))
    half = quantile * statistics.stdev(values) / math.sqrt(len(values))
    return Difference(mean, mean - half, mean + half)
