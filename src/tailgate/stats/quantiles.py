"""Percentiles and their distribution-free intervals."""

import math
from collections.abc import Sequence
from functools import lru_cache


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
    low = _binomial_quantile(tail, count, quantile)
    high = _binomial_quantile(1 - tail, count, quantile) + 1
    return (low if low >= 1 else None), (high if high <= count else None)


def _binomial_quantile(probability: float, count: int, share: float) -> int:
    """``scipy.stats.binom.ppf``: the fewest successes that are not passed with ``probability`` at least.

    From ``scipy.special``, because ``scipy.stats`` takes half a second to import, in every session.
    """
    from scipy.special import bdtr, bdtrik

    successes: int = max(math.ceil(bdtrik(probability, count, share)) - 1, 0)
    # The inverse is a float next to a whole number at times; the distribution itself decides.
    while bdtr(successes, count, share) < probability:
        successes += 1
    return successes


def order_statistic_interval(
    sorted_samples: Sequence[float], quantile: float, confidence: float = 0.95
) -> tuple[float | None, float | None]:
    """The samples at :func:`order_statistic_ranks`: a distribution-free interval of ``quantile``.

    It assumes independent samples; under bursts of noise its real coverage is far lower (docs/project/design.md).
    """
    low, high = order_statistic_ranks(len(sorted_samples), quantile, confidence)
    return (None if low is None else sorted_samples[low - 1], None if high is None else sorted_samples[high - 1])


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
