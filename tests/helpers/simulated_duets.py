"""The duet's rule on many simulated benchmarks at once (docs/evidence/statistics.md#many-benchmarks).

``PYTHONPATH=src:tests/helpers python tests/helpers/simulated_duets.py DECISIONS`` prints the page's figures.

A fail is told by its first pairs, and then by fresh ones alone. So the two shares are simulated by themselves, and
their product is the share of benchmarks that fail: rates are found that no number of whole duets would show.
"""

import math
import sys
from collections.abc import Sequence
from itertools import product

import numpy as np

from tailgate.gates.duet.decision import BOUNDS, FRESH_LOOKS, LEAST_PAIRS_OF_A_PASS, LOOKS, share_of
from tailgate.stats.paired import interval_rank
from tailgate.stats.signed_rank import signed_rank_tail

PAIRS = 8
MOST_PAIRS = math.ceil(PAIRS * LOOKS[-1][0])
LIMIT_REL = 0.02
CHUNK = 20_000
FAMILIES = (1, 20, 100, 200, 500)


def failed(log_ratios: np.ndarray, looks: Sequence[tuple[float, float]], share: float = 1.0) -> np.ndarray:
    """Of each row of pairs, whether these looks tell a fail; ``decision.decide`` for arrays without ties."""
    fails, is_open = np.zeros(len(log_ratios), bool), np.ones(len(log_ratios), bool)
    for multiple, alpha in looks:
        values = log_ratios[is_open, : math.ceil(PAIRS * multiple)]
        worse, better, below = _judged(values, alpha * share, share)
        where = np.flatnonzero(is_open)
        fails[where[worse]] = True
        is_open[where[worse | ((better | below) & (values.shape[1] >= LEAST_PAIRS_OF_A_PASS))]] = False
    return fails


def _judged(values: np.ndarray, alpha: float, share: float) -> tuple[np.ndarray, ...]:
    """What is worse, better, and below the limit; ``duet_verdict`` for arrays."""
    count = values.shape[1]
    first, second = np.triu_indices(count)
    walsh = np.sort((values[:, first] + values[:, second]) / 2, axis=1)
    ranks = np.abs(values).argsort(axis=1).argsort(axis=1) + 1
    statistics = np.array([signed_rank_tail(count, one) for one in range(len(first) + 1)])
    p_better = statistics[(ranks * (values > 0)).sum(axis=1)]
    p_worse = statistics[(ranks * (values < 0)).sum(axis=1)]
    middle = np.median(walsh, axis=1)
    rank = interval_rank(count, min(BOUNDS, 1 - 2.0 ** (1 - count)))
    strict = rank if share == 1 else interval_rank(count, 1 - (1 - BOUNDS) * share)
    limit = np.log1p(LIMIT_REL)
    least = walsh[:, strict - 1] if strict else np.full(len(values), -np.inf)
    worse = ((p_worse < alpha) & (middle > limit)) | (least > limit)
    better = ((p_better < alpha) & (np.expm1(middle) < -LIMIT_REL)) | (np.expm1(walsh[:, -rank]) < -LIMIT_REL)
    return worse, better & ~worse, walsh[:, -rank] < limit


def shares(decisions: int, scatter: float, slower: float, families: Sequence[int]) -> tuple[float, list[float]]:
    """Of benchmarks: those whose first pairs fail; for each family those whose fresh pairs do."""
    rng = np.random.default_rng(20261130)
    first, fresh, done = 0, np.zeros(len(families)), 0
    while done < decisions:
        count = min(CHUNK, decisions - done)
        # Student's t of 4, as pairs of medians scatter (docs/evidence/statistics.md).
        values = np.log1p(slower) + scatter * rng.standard_t(4, (2, count, MOST_PAIRS)) / np.sqrt(2)
        first += failed(values[0], LOOKS).sum()
        fresh += [failed(values[1], FRESH_LOOKS, share_of(family)).sum() for family in families]
        done += count
    return first / decisions, (fresh / decisions).tolist()


def runs_failing(share: float, family: int) -> float:
    """Of runs of so many unchanged benchmarks, in how many any fails."""
    return 1 - (1 - share) ** family


def main(decisions: int) -> None:
    """Print them."""
    for scatter in (0.01, 0.018, 0.03, 0.04, 0.05, 0.06):
        first, (alone, *confirmed) = shares(decisions, scatter, 0.0, (1, *FAMILIES))
        runs = runs_failing(first * alone, 500)
        print(f"unchanged, pairs scatter by {scatter:.1%}, 500 benchmarks, each as alone: runs failing {runs:.2%}")
        for family, share in zip(FAMILIES, confirmed, strict=True):
            print(
                f"unchanged, pairs scatter by {scatter:.1%}, {family} benchmarks: failed first {first:.3%}, "
                f"then again {share:.4%}; runs failing {runs_failing(first * share, family):.2%}"
            )
    for slower, scatter in product((0.03, 0.05), (0.01, 0.018, 0.03, 0.05, 0.06)):
        first, confirmed = shares(decisions // 10, scatter, slower, FAMILIES)
        caught = ", ".join(
            f"{first * share:.1%} of {family}" for family, share in zip(FAMILIES, confirmed, strict=True)
        )
        print(f"one slower by {slower:.0%}, pairs scatter by {scatter:.1%}: caught {caught}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
