"""Wilcoxon's signed-rank test, exact whatever the ties and zeros: the distribution is counted, never approximated.

Values that are zero are left out and equal sizes share their mean rank, as in ``scipy.stats.wilcoxon``; given those
ranks every choice of signs is equally likely (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 2013,
section 3.1, remarks on ties). scipy leaves the exact distribution at 14 pairs with a tie or a zero.
"""

from collections.abc import Sequence
from functools import lru_cache


def signed_rank_p(values: Sequence[float]) -> tuple[float, float]:
    """One-sided p-values against "more than zero" and "less than zero"; 1 and 1 where all values are zero."""
    sizes = sorted(abs(value) for value in values if value)
    ranks = _doubled_ranks(sizes)
    positive = sum(ranks[value] for value in values if value > 0)
    every = tuple(ranks[size] for size in sizes)
    return _tail(every, sum(every) - positive), _tail(every, positive)


@lru_cache(maxsize=256)
def signed_rank_tail(count: int, statistic: int) -> float:
    """P(W <= statistic) of the signed-rank statistic of ``count`` symmetric values without ties."""
    return _tail(tuple(range(1, count + 1)), statistic)


def _doubled_ranks(ascending: Sequence[float]) -> dict[float, int]:
    """Size -> twice its mean rank, a whole number."""
    ranks: dict[float, int] = {}
    start = 0
    for end in range(1, len(ascending) + 1):
        if end == len(ascending) or ascending[end] != ascending[start]:
            ranks[ascending[start]] = start + 1 + end
            start = end
    return ranks


def _tail(ranks: tuple[int, ...], statistic: int) -> float:
    """P(sum of the ranks with one sign <= statistic)."""
    rest = sum(ranks) - statistic - 1
    if rest < statistic:  # by symmetry; the smaller tail has fewer sums to count
        return 1.0 - _tail(ranks, rest) if rest >= 0 else 1.0
    return _subsets(ranks, statistic) / 2 ** len(ranks) if statistic >= 0 else 0.0


def _subsets(ranks: tuple[int, ...], most: int) -> int:
    """How many choices of the ranks sum up to ``most`` or less.

    The choices for each sum are the digits of one long number, which each rank adds to, shifted by itself.
    """
    bits = len(ranks) + 1  # no digit overflows: there are 2 ** len(ranks) choices
    kept = (1 << bits * (most + 1)) - 1
    subsets = 1
    for rank in ranks:
        subsets += (subsets << bits * rank) & kept
    return subsets % ((1 << bits) - 1) if ranks else 1  # the sum of its digits
