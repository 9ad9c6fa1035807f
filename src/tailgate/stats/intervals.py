"""Intervals of location: is a series steady, and how many samples does a wanted interval need."""

import math
import statistics
from collections.abc import Sequence

from tailgate.stats.quantiles import order_statistic_interval


def t_half_width_rel(values: Sequence[float], confidence: float = 0.95) -> float | None:
    """Half the width of Student's t interval of the mean of ``values``, as a share of that mean.

    ``None`` with fewer than two values or a mean of zero.
    """
    if len(values) < 2:
        return None
    mean = statistics.fmean(values)
    if mean == 0:
        return None
    from scipy.special import stdtrit

    quantile = float(stdtrit(len(values) - 1, (1 + confidence) / 2))
    return quantile * statistics.stdev(values) / math.sqrt(len(values)) / abs(mean)


def median_half_width_rel(samples: Sequence[float], confidence: float = 0.95) -> float | None:
    """Half the width of the median's order-statistic interval, as a share of the median.

    ``None`` where the interval lacks an end (fewer than six samples at 95 %) or the median is zero.
    """
    ordered = sorted(samples)
    if not ordered:
        return None
    low, high = order_statistic_interval(ordered, 0.5, confidence)
    median = statistics.median(ordered)
    if low is None or high is None or median == 0:
        return None
    return (high - low) / 2 / median


def samples_for_half_width(count: int, half_width_rel: float, wanted_rel: float) -> int:
    """How many samples bring an interval seen with ``count`` samples to the wanted half-width.

    An interval of a location narrows with the square root of the number of samples.
    """
    if count < 1 or half_width_rel < 0 or wanted_rel <= 0:
        raise ValueError(f"no answer for {count=}, {half_width_rel=}, {wanted_rel=}")
    return max(1, math.ceil(count * (half_width_rel / wanted_rel) ** 2))


def difference_interval(
    before: Sequence[float], after: Sequence[float], confidence: float = 0.99
) -> tuple[float, float | None, float | None]:
    """The difference of two means, after less before, and the ends of Student's interval with a common variance.

    ``None`` for the ends with fewer than three values in all.

    Raises:
        ValueError: one of them is empty.
    """
    if not before or not after:
        raise ValueError("difference_interval() needs values before and after")
    means = [statistics.fmean(values) for values in (before, after)]
    difference, freedom = means[1] - means[0], len(before) + len(after) - 2
    if freedom < 1:
        return difference, None, None
    from scipy.special import stdtrit

    squares = sum((value - mean) ** 2 for values, mean in zip((before, after), means, strict=True) for value in values)
    spread = math.sqrt(squares / freedom * (1 / len(before) + 1 / len(after)))
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * spread
    return difference, difference - half, difference + half
