"""A quantile's interval from rounds that follow each other: blocks of them say how much they depend on each other.

The interval from order statistics (:mod:`tailgate.stats.quantiles`) takes rounds for independent. Slow rounds come
in bursts, so that a hundred of them may be two events. Whether a round is above the quantile is a series of 0 and 1.
The share of ones in a block of consecutive rounds varies more between blocks than it would if rounds were independent.
That factor is the design effect of survey statistics: ``rounds / effect`` independent rounds would tell as much.

- Quantile from the interval of a proportion: Woodruff, J. of the American Statistical Association 47 (1952) 635-646.
- Clopper and Pearson's interval with that effective number, and with Student's t of the number of blocks because the
  effect is estimated: Korn and Graubard, Survey Methodology 24 (1998) 193-201.
- The effect is the largest of several sizes of blocks, and at least 1: the interval is never narrower than that of
  independent rounds.

docs/evidence/statistics.md has its coverage, on simulated series and on real rounds.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence

BLOCKS = (4, 8, 16, 32)
"""How many blocks the rounds are cut into; each a pair of the next, so that one count serves all."""
FEWEST_PER_BLOCK = 2
FEWEST_SAMPLES = BLOCKS[0] * FEWEST_PER_BLOCK


def block_interval(
    samples: Sequence[float], quantile: float, confidence: float = 0.95, ordered: Sequence[float] | None = None
) -> tuple[float | None, float | None]:
    """Ends of the interval of ``quantile``, both of them samples; ``None`` for an end that does not exist.

    Args:
        samples: in the order in which they were measured.
        quantile: within (0, 1).
        confidence: within (0, 1).
        ordered: the same, ascending, where that is known already.

    Raises:
        ValueError: ``quantile`` or ``confidence`` outside (0, 1).
    """
    if not 0 < quantile < 1 or not 0 < confidence < 1:
        raise ValueError(f"no interval for quantile={quantile!r}, confidence={confidence!r}")
    count = len(samples)
    if count < FEWEST_SAMPLES:
        return None, None
    ascending = sorted(samples) if ordered is None else ordered
    share = effective_share(samples, ascending, quantile, confidence)
    low, high = effective_ranks(count, share, quantile, (1 - confidence) / 2)
    return (None if low is None else ascending[low - 1], None if high is None else ascending[high - 1])


def effective_share(
    samples: Sequence[float], ordered: Sequence[float], quantile: float, confidence: float = 0.95
) -> float:
    """Independent rounds that one of these is worth for a quantile's interval, within (0, 1].

    Args:
        samples: at least :data:`FEWEST_SAMPLES`, in the order in which they were measured.
        ordered: the same, ascending.
        quantile: within (0, 1).
        confidence: of the interval that it is for, within (0, 1).
    """
    from scipy.special import ndtri, stdtrit

    count = len(samples)
    threshold = ordered[min(count - 1, math.floor(quantile * count))]
    above = [index for index, value in enumerate(samples) if value > threshold]
    if not above:  # ties, or too few rounds for any to lie above
        above = [index for index, value in enumerate(samples) if value >= threshold]
    shares = []
    tail = (1 + confidence) / 2
    for counts, size in _blocks(above, count):
        known = float(ndtri(tail) / stdtrit(len(counts) - 1, tail)) ** 2
        shares.append(known / max(1.0, _design_effect(counts, size)))
    return min(shares)


def _blocks(above: Sequence[int], count: int) -> list[tuple[list[int], int]]:
    """How many of a block's rounds are above, and its size, for every number of blocks that the rounds suffice for.

    What is left over is at the front: the first rounds are the least like the others.
    """
    finest = max(number for number in BLOCKS if number * FEWEST_PER_BLOCK <= count)
    size = count // finest
    left_over = count - finest * size
    counts = [0] * finest
    for index in above:
        if index >= left_over:
            counts[(index - left_over) // size] += 1
    found = [(counts, size)]
    while len(counts) > BLOCKS[0]:
        counts = [one + other for one, other in zip(counts[::2], counts[1::2], strict=True)]
        size *= 2
        found.append((counts, size))
    return found


def _design_effect(counts: Sequence[int], size: int) -> float:
    """The variance of the blocks' shares over what independent rounds would have; 0 where all rounds are alike."""
    share = sum(counts) / len(counts) / size
    expected = share * (1 - share) / size
    if expected == 0:
        return 0.0
    squares = sum((one / size - share) ** 2 for one in counts)
    return squares / (len(counts) - 1) / expected


def effective_ranks(count: int, share: float, quantile: float, tail: float) -> tuple[int | None, int | None]:
    """Ranks (from 1) of an interval where each of ``count`` samples is worth ``share`` independent ones.

    With a share of 1 they are those of ``order_statistic_ranks``.
    """
    from scipy.special import betainc

    worth = count * share
    above = 1 - quantile

    def most_above(beyond: int) -> bool:
        """At most ``above`` lies beyond the sample that ``beyond`` samples are larger than."""
        return bool(betainc(beyond * share + 1, worth - beyond * share, above) >= 1 - tail)

    def least_above(beyond: int) -> bool:
        """At least ``above`` lies beyond the smallest of the ``beyond`` largest samples."""
        return bool(betainc(beyond * share, worth - beyond * share + 1, above) <= tail)

    too_many = _first(0, count, lambda beyond: not most_above(beyond))
    enough = _first(1, count + 1, least_above)
    high = count - too_many + 1 if too_many > 0 else None
    low = count - enough + 1 if enough <= count else None
    return low, high


def _first(start: int, stop: int, holds: Callable[[int], bool]) -> int:
    """The first number from ``start`` for which ``holds``, which stays true from there on; ``stop`` if none."""
    return start + bisect_left(range(start, stop), True, key=holds)
