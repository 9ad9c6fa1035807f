"""Two sides called in turns: is one of them slower? Wilcoxon's signed-rank test on the pairs' log-ratios.

docs/evidence/statistics.md has the evidence for this choice: the pair of fresh processes is the unit of replication,
the test needs no normal distribution, and one burst moves one rank.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from statistics import median

from tailgate.stats.signed_rank import signed_rank_p, signed_rank_tail

LEAST_PAIRS = 4
"""Fewer have no interval: of three, both ends together miss in one duet of four."""


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
    """Ends of its interval; ``None`` where there are too few pairs for one."""
    confidence: float | None
    """Of that interval, two-sided."""
    p_more: float
    """One-sided: how often R pairs of two equal sides look at least so much like more."""
    p_less: float
    half_width_log: float | None
    """Half of the interval's width in log-ratio: the smallest change that these pairs can tell from none."""


def paired(log_ratios: Sequence[float], confidence: float = 0.99) -> Paired:
    """Judge the logarithms of head over base, one a pair.

    ``confidence``: of the interval. Fewer pairs than that needs have the widest there is, from the least value to the
    largest, of a confidence of ``1 - 2 ** (1 - pairs)``; fewer than ``LEAST_PAIRS`` have none.

    The interval inverts the signed-rank test (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods,
    2013, section 3.3): ends are Walsh averages, by the same distribution as the p-values, ties included.

    Raises:
        ValueError: no pairs, or a value that is not finite.
    """
    if not log_ratios or not all(math.isfinite(value) for value in log_ratios):
        raise ValueError(f"need finite log-ratios, at least one: {list(log_ratios)!r}")
    if len(log_ratios) >= LEAST_PAIRS:
        confidence = min(confidence, 1 - 2.0 ** (1 - len(log_ratios)))
    walsh = walsh_averages(log_ratios)
    p_more, p_less = signed_rank_p(log_ratios)
    low, high = _interval(log_ratios, walsh, confidence, p_more, p_less)
    return Paired(
        pairs=len(log_ratios),
        more=sum(value > 0 for value in log_ratios),
        change_rel=math.expm1(median(walsh)),
        low_rel=None if low is None else math.expm1(low),
        high_rel=None if high is None else math.expm1(high),
        confidence=None if low is None else confidence,
        p_more=p_more,
        p_less=p_less,
        half_width_log=None if low is None or high is None else (high - low) / 2,
    )


def walsh_averages(values: Sequence[float]) -> list[float]:
    """All means of two values, each with itself included, ascending: n (n + 1) / 2 of them."""
    return sorted((one + other) / 2 for index, one in enumerate(values) for other in values[index:])


@lru_cache(maxsize=256)
def interval_rank(count: int, confidence: float) -> int | None:
    """Which Walsh average from either end bounds the interval (from 1); ``None``: too few values for any."""
    statistics = range(count * (count + 1) // 2)
    rank = bisect_right(statistics, (1 - confidence) / 2, key=lambda statistic: signed_rank_tail(count, statistic))
    return rank or None


def _interval(
    values: Sequence[float], walsh: Sequence[float], confidence: float, p_more: float, p_less: float
) -> tuple[float | None, float | None]:
    """The shifts that the test does not reject; p-values as given at zero, where there may be ties of its own."""
    rank = interval_rank(len(values), confidence)
    if rank is None:
        return None, None
    tail = (1 - confidence) / 2
    low, high = walsh[rank - 1], walsh[-rank]
    if len(set(values)) < len(values):
        low, high = _lower_end(values, tail), -_lower_end([-value for value in values], tail)
    # Where values are zero, the test drops them at zero and nowhere else: the ends follow what it says there.
    return (min if p_more > tail else max)(low, 0.0), (max if p_less > tail else min)(high, 0.0)


def _lower_end(values: Sequence[float], tail: float) -> float:
    """Where values are tied: p changes only at Walsh averages, and rises from each gap between them to the next."""
    ends = list(dict.fromkeys(walsh_averages(values)))
    gaps = [(one + other) / 2 for one, other in pairwise(ends)]
    return ends[bisect_right(gaps, tail, key=lambda gap: signed_rank_p([value - gap for value in values])[0])]
