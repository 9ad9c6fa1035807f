"""Percentiles and their distribution-free intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

FARTHEST = 10
"""Deviations; beyond them lies less than 1e-20 of a binomial distribution."""


def percentile(sorted_samples: Sequence[float], percent: float) -> float:
    """The ``percent``-th percentile of ascending ``sorted_samples``, numpy's default (linear) rule.

    The same arithmetic as ``numpy.percentile(..., method="linear")`` (Hyndman and Fan 1996, type 7),
    to the last bit, without importing numpy into a process that is about to be timed.

    Raises:
        ValueError: no samples, or ``percent`` outside 0..100.
    """
    if not sorted_samples:
        raise ValueError("percentile of no samples")
    if not 0 <= percent <= 100:
        raise ValueError(f"percent must be within 0..100, not {percent!r}")
    position = percent / 100 * (len(sorted_samples) - 1)
    below = math.floor(position)
    above = min(below + 1, len(sorted_samples) - 1)
    fraction = position - below
    low, high = sorted_samples[below], sorted_samples[above]
    step = high - low
    # numpy switches sides at one half so that rounding never passes the upper sample.
    return low + step * fraction if fraction < 0.5 else high - step * (1 - fraction)


@lru_cache(maxsize=4096)
def order_statistic_ranks(count: int, quantile: float, confidence: float = 0.95) -> tuple[int | None, int | None]:
    """Ranks (from 1) of the samples that bound ``quantile`` with at least ``confidence``, equal tails.

    The number of samples below the quantile is binomial(count, quantile); the ranks are
    ``binom.ppf(tail)`` and ``binom.ppf(1 - tail) + 1`` (David and Nagaraja, Order Statistics, 2003,
    section 7.1). A rank outside 1..count does not exist and is ``None``: with few samples no sample
    is large enough to bound a high quantile from above.

    Raises:
        ValueError: ``count`` below 1, or ``quantile`` or ``confidence`` outside (0, 1).
    """
    if count < 1 or not 0 < quantile < 1 or not 0 < confidence < 1:
        raise ValueError(f"no ranks for count={count!r}, quantile={quantile!r}, confidence={confidence!r}")
    tail = (1 - confidence) / 2
    low, high = _binomial_ppf(tail, count, quantile), _binomial_ppf(1 - tail, count, quantile) + 1
    return (low if low >= 1 else None), (high if high <= count else None)


def _binomial_ppf(share: float, count: int, quantile: float) -> int:
    """The least number that binomial(count, quantile) does not exceed with probability ``share`` or more.

    Of its own, because scipy's import takes longer than a small session, whose report waits for it.
    """
    above = 1 - quantile
    center, spread = count * above, math.sqrt(count * above * quantile)
    number = max(0, math.floor(center - FARTHEST * (spread + 1)))  # what lies farther away is no part of a share
    probability = math.exp(
        math.lgamma(count + 1) - math.lgamma(number + 1) - math.lgamma(count - number + 1)
        + number * math.log(above) + (count - number) * math.log(quantile)
    )  # fmt: skip
    not_above = probability
    while not_above <= 1 - share and number < count:
        probability *= (count - number) / (number + 1) * above / quantile
        number += 1
        not_above += probability
    return count - number


def order_statistic_interval(
    sorted_samples: Sequence[float], quantile: float, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """The samples at :func:`order_statistic_ranks`: a distribution-free interval of ``quantile``.

    It assumes independent samples; under bursts of noise its real coverage is far lower (docs/design.md).
    """
    low, high = order_statistic_ranks(len(sorted_samples), quantile, confidence)
    return (
        None if low is None else sorted_samples[low - 1],
        None if high is None else sorted_samples[high - 1],
    )


@lru_cache(maxsize=64)
def samples_for_upper_end(quantile: float, confidence: float = 0.95) -> int:
    """The fewest samples with which :func:`order_statistic_interval` has an upper end (P99: 368).

    The upper rank is ``count`` at most when all ``count`` samples lie below the quantile with
    probability ``quantile ** count`` of at most the upper tail.
    """
    tail = (1 - confidence) / 2
    count = max(1, math.ceil(math.log(tail) / math.log(quantile)) - 2)
    while order_statistic_ranks(count, quantile, confidence)[1] is None:
        count += 1
    return count
