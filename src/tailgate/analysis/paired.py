"""Two sides called in turns: is one of them slower? Wilcoxon's signed-rank test on the pairs' log-ratios.

GATE.md has the evidence for this choice: the pair of fresh processes is the unit of replication, the test
needs no normal distribution, and one burst moves one rank.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

MOST_EXACT_PAIRS = 50
"""Up to here the null distribution is exact: counted, not approximated."""


@dataclass(frozen=True)
class Paired:
    """What R pairs say of one metric. Changes are relative: +0.03 is 3 % more on the head side."""

    pairs: int
    more: int
    """Pairs in which the head side had more of it (of a latency: was slower)."""
    change_rel: float
    """Hodges and Lehmann's estimate: the median of all means of two pairs, one with itself included."""
    low_rel: float | None
    high_rel: float | None
    """Ends of its interval (99 %); ``None`` where there are too few pairs for one."""
    p_more: float
    """One-sided: how often R pairs of two equal sides look at least so much like more."""
    p_less: float
    half_width_log: float | None
    """Half of the interval's width in log-ratio: the smallest change that these pairs can tell from none."""


def paired(log_ratios: Sequence[float], confidence: float = 0.99) -> Paired:
    """Judge the logarithms of head over base, one a pair.

    The interval inverts the signed-rank test (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods,
    2013, section 3.3): ends are order statistics of the Walsh averages.

    Raises:
        ValueError: no pairs, or a value that is not finite.
    """
    if not log_ratios or not all(math.isfinite(value) for value in log_ratios):
        raise ValueError(f"need finite log-ratios, at least one: {list(log_ratios)!r}")
    walsh = walsh_averages(log_ratios)
    low, high = _interval(walsh, len(log_ratios), confidence)
    p_more, p_less = signed_rank_p(log_ratios)
    return Paired(
        pairs=len(log_ratios),
        more=sum(value > 0 for value in log_ratios),
        change_rel=math.expm1(_median(walsh)),
        low_rel=None if low is None else math.expm1(low),
        high_rel=None if high is None else math.expm1(high),
        p_more=p_more,
        p_less=p_less,
        half_width_log=None if low is None or high is None else (high - low) / 2,
    )


def signed_rank_p(values: Sequence[float]) -> tuple[float, float]:
    """One-sided p-values of Wilcoxon's test against "more than zero" and "less than zero".

    ``scipy.stats.wilcoxon``, exact without ties and zeros; where all values are zero, nothing speaks for either.
    """
    if not any(values):
        return 1.0, 1.0
    from scipy.stats import wilcoxon

    more, less = (float(wilcoxon(values, alternative=side).pvalue) for side in ("greater", "less"))
    return more, less


def walsh_averages(values: Sequence[float]) -> list[float]:
    """All means of two values, each with itself included, ascending: n (n + 1) / 2 of them."""
    return sorted((one + other) / 2 for index, one in enumerate(values) for other in values[index:])


@lru_cache(maxsize=256)
def signed_rank_tail(count: int, statistic: int) -> float:
    """P(W <= statistic) of the signed-rank statistic of ``count`` symmetric values: subset sums of 1..count."""
    sums = [1]
    for rank in range(1, count + 1):
        longer = [0] * (len(sums) + rank)
        for total, ways in enumerate(sums):
            longer[total] += ways
            longer[total + rank] += ways
        sums = longer
    return sum(sums[: statistic + 1]) / 2**count if statistic >= 0 else 0.0


@lru_cache(maxsize=256)
def interval_rank(count: int, confidence: float) -> int | None:
    """Which Walsh average from either end bounds the interval (from 1); ``None``: too few values for any."""
    tail = (1 - confidence) / 2
    rank = 0
    while signed_rank_tail(count, rank) <= tail:
        rank += 1
    return rank or None


def _interval(walsh: Sequence[float], count: int, confidence: float) -> tuple[float | None, float | None]:
    rank = interval_rank(min(count, MOST_EXACT_PAIRS), confidence)
    if rank is None:
        return None, None
    return walsh[rank - 1], walsh[-rank]


def _median(ordered: Sequence[float]) -> float:
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
