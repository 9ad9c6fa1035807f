"""P99's interval from blocks of consecutive rounds."""

import math
import random
import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailgate.stats.block_quantiles import FEWEST_SAMPLES, block_interval, effective_ranks, effective_share
from tailgate.stats.quantiles import order_statistic_interval, order_statistic_ranks

SAMPLES_S = st.lists(st.floats(1e-6, 10), min_size=FEWEST_SAMPLES, max_size=300)
SEEDS = st.integers(0, 2**32)
QUANTILES = st.sampled_from([0.5, 0.9, 0.99])


def bursty(count: int, seed: int, mean_burst: float = 50, share: float = 0.05) -> list[float]:
    """Quiet rounds of about 1, and bursts of slower ones."""
    dice = random.Random(seed)
    slow, found = False, []
    for _ in range(count):
        slow = dice.random() >= 1 / mean_burst if slow else dice.random() < share / (1 - share) / mean_burst
        found.append(math.exp(dice.gauss(0, 0.1)) * (3 * math.exp(dice.gauss(0, 0.3)) if slow else 1))
    return found


@settings(deadline=None)
@given(SAMPLES_S, QUANTILES)
def test_it_is_never_narrower_than_that_of_independent_rounds(samples, quantile):
    low, high = block_interval(samples, quantile)
    least_low, least_high = order_statistic_interval(sorted(samples), quantile)
    assert low is None or (low in samples and low <= least_low)
    assert high is None or (high in samples and least_high is not None and high >= least_high)


@settings(deadline=None)
@given(SAMPLES_S, QUANTILES)
def test_only_the_order_of_the_values_counts_and_not_their_scale(samples, quantile):
    low, high = block_interval(samples, quantile)
    scaled = [2.0 * value for value in samples]
    assert block_interval(scaled, quantile) == (None if low is None else 2 * low, None if high is None else 2 * high)
    assert block_interval(samples, quantile, ordered=sorted(samples)) == (low, high)


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_a_burst_is_worth_less_than_the_same_rounds_far_apart(seed):
    apart = [2.0 if index % 100 == 50 else 1.0 + index * 1e-6 for index in range(1600)]
    together = sorted(apart, key=lambda value: value == 2.0)
    ordered = sorted(apart)
    assert effective_share(together, ordered, 0.99) < 0.2 * effective_share(apart, ordered, 0.99)
    shuffled = random.Random(seed).sample(apart, len(apart))
    assert 0 < effective_share(shuffled, ordered, 0.99) <= 1


@settings(deadline=None)
@given(st.integers(1, 3000), st.sampled_from([0.5, 0.9, 0.99, 0.999]), st.sampled_from([0.9, 0.95, 0.99]))
def test_rounds_that_are_worth_one_each_have_the_ranks_of_order_statistics(count, quantile, confidence):
    found = effective_ranks(count, 1.0, quantile, (1 - confidence) / 2)
    assert found == order_statistic_ranks(count, quantile, confidence)


@given(st.integers(100, 5000), st.floats(0.01, 1), st.floats(0.01, 1))
def test_the_less_a_round_is_worth_the_wider(count, one, other):
    less, more = sorted((one, other))
    (low, high), (wide_low, wide_high) = (effective_ranks(count, worth, 0.99, 0.025) for worth in (more, less))
    assert wide_low is None or (low is not None and wide_low <= low)
    assert wide_high is None or (high is not None and wide_high >= high)


@pytest.mark.parametrize("count", range(FEWEST_SAMPLES))
def test_too_few_rounds_for_blocks_have_no_interval(count):
    assert block_interval([1.0] * count, 0.99) == (None, None)


def test_equal_rounds_have_an_interval_of_no_width():
    assert block_interval([1.0] * 2000, 0.99) == (1.0, 1.0)


@pytest.mark.parametrize(("quantile", "confidence"), [(0, 0.95), (1, 0.95), (0.99, 0), (0.99, 1), (math.nan, 0.95)])
def test_a_quantile_or_confidence_outside_0_to_1_is_refused(quantile, confidence):
    with pytest.raises(ValueError, match="no interval"):
        block_interval([1.0] * 20, quantile, confidence)


def covered(interval: tuple[float | None, float | None], value: float) -> bool:
    low, high = interval
    return (low is None or low <= value) and (high is None or value <= high)


def test_of_bursts_it_holds_the_p99_far_more_often_than_order_statistics_do():
    """Fixed seeds: 40 runs of 2,000 rounds with bursts of 20 rounds, and the P99 of half a million."""
    true = statistics.quantiles(bursty(500_000, 0, mean_burst=20), n=100)[98]
    runs = [bursty(2000, seed, mean_burst=20) for seed in range(1, 41)]
    by_blocks = sum(covered(block_interval(run, 0.99), true) for run in runs)
    by_ranks = sum(covered(order_statistic_interval(sorted(run), 0.99), true) for run in runs)
    assert by_ranks <= 30
    assert by_blocks >= 36
