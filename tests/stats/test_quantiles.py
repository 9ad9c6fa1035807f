import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from tailgate.stats.quantiles import order_statistic_interval, order_statistic_ranks, percentile, samples_for_upper_end

USED_PERCENTS = (90.0, 95.0, 99.0, 99.9)
SAMPLES = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=400)
TIMES_S = st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=400)
QUANTILES = st.floats(0.01, 0.999)
CONFIDENCES = st.floats(0.5, 0.999)


@pytest.mark.parametrize("percent", USED_PERCENTS)
@settings(deadline=None)
@given(samples=TIMES_S)
def test_the_percentiles_of_the_columns_equal_numpy_to_the_last_bit(percent, samples):
    assert percentile(sorted(samples), percent) == np.percentile(samples, percent)


@settings(deadline=None)
@given(samples=SAMPLES, percent=st.floats(0, 100))
def test_any_percentile_of_any_finite_samples_equals_numpy_to_the_last_bit(samples, percent):
    assert percentile(sorted(samples), percent) == np.percentile(samples, percent)


@given(samples=SAMPLES)
def test_percentiles_run_from_the_least_sample_to_the_largest(samples):
    ordered = sorted(samples)
    assert percentile(ordered, 0) == ordered[0]
    assert percentile(ordered, 100) == ordered[-1]


@given(samples=TIMES_S)
def test_the_percentiles_of_the_columns_never_decrease(samples):
    ordered = sorted(samples)
    values = [percentile(ordered, percent) for percent in USED_PERCENTS]
    assert values == sorted(values)


def test_p99_of_a_hundred_calls_lies_beside_the_second_worst():
    assert percentile(range(1, 101), 99) == pytest.approx(99.01)


def test_no_samples_have_no_percentile():
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 50)


@pytest.mark.parametrize("percent", [-0.1, 100.1, math.nan])
def test_a_percent_outside_0_to_100_is_refused(percent):
    with pytest.raises(ValueError, match=r"within 0\.\.100"):
        percentile([1.0], percent)


@settings(deadline=None)
@given(count=st.integers(1, 5000))
def test_p99_ranks_are_those_of_the_contract(count):
    low, high = binom.ppf(0.025, count, 0.99), binom.ppf(0.975, count, 0.99) + 1
    assert order_statistic_ranks(count, 0.99) == (int(low) if low >= 1 else None, int(high) if high <= count else None)


@settings(deadline=None)
@given(count=st.integers(1, 3000), quantile=QUANTILES, confidence=CONFIDENCES)
def test_ranks_that_exist_cover_the_quantile_with_the_confidence_asked_for(count, quantile, confidence):
    low, high = order_statistic_ranks(count, quantile, confidence)
    # The quantile lies between two samples when low..high-1 samples are below it.
    below_low = 0.0 if low is None else binom.cdf(low - 1, count, quantile)
    below_high = 1.0 if high is None else binom.cdf(high - 1, count, quantile)
    assert below_high - below_low >= confidence - 1e-9
    assert (low or 1) <= (high or count)


@pytest.mark.parametrize(
    ("quantile", "confidence", "samples"),
    [
        (0.99, 0.95, 368),  # two-sided 95 %
        (0.99, 0.90, 299),  # its upper end is the one-sided 95 % bound
        (0.99, 0.98, 459),  # one-sided 99 %
        (0.99, 0.99, math.ceil(math.log(0.005) / math.log(0.99))),  # two-sided 99 %
        (0.999, 0.95, math.ceil(math.log(0.025) / math.log(0.999))),
        (0.5, 0.95, 6),
    ],
)
def test_the_fewest_samples_with_an_upper_end_are_the_published_ones(quantile, confidence, samples):
    assert samples_for_upper_end(quantile, confidence) == samples
    assert order_statistic_ranks(samples, quantile, confidence)[1] == samples
    assert order_statistic_ranks(samples - 1, quantile, confidence)[1] is None


def test_p99_has_no_upper_end_below_368_rounds():
    assert [count for count in range(1, 400) if order_statistic_ranks(count, 0.99)[1]] == list(range(368, 400))


@settings(deadline=None, max_examples=50)
@given(quantile=QUANTILES, confidence=CONFIDENCES)
def test_samples_for_upper_end_is_the_least_such_number_for_any_quantile(quantile, confidence):
    count = samples_for_upper_end(quantile, confidence)
    assert order_statistic_ranks(count, quantile, confidence)[1] is not None
    if count > 1:
        assert order_statistic_ranks(count - 1, quantile, confidence)[1] is None


def test_the_p99_interval_covers_the_true_p99_of_independent_calls():
    true_p99 = -math.log(0.01)
    repeats = np.random.default_rng(20).exponential(size=(500, 400))
    repeats.sort(axis=1)
    intervals = [order_statistic_interval(repeat.tolist(), 0.99) for repeat in repeats]
    covered = [low <= true_p99 <= high for low, high in intervals]
    assert np.mean(covered) >= 0.95 - 0.02


@settings(deadline=None)
@given(samples=st.lists(st.floats(1e-9, 1e3), min_size=3, max_size=400))  # of two, the larger is the lower end
def test_the_interval_is_made_of_samples_and_holds_the_percentile(samples):
    ordered = sorted(samples)
    low, high = order_statistic_interval(ordered, 0.99)
    value = percentile(ordered, 99)
    assert low is None or (low in ordered and low <= value)
    assert high is None or (high in ordered and value <= high)


@pytest.mark.parametrize(
    ("count", "quantile", "confidence"), [(0, 0.99, 0.95), (10, 0, 0.95), (10, 1, 0.95), (10, 0.99, 0), (10, 0.99, 1)]
)
def test_ranks_of_nothing_are_refused_with_the_values(count, quantile, confidence):
    with pytest.raises(ValueError, match=rf"count={count}, quantile={quantile}, confidence={confidence}"):
        order_statistic_ranks(count, quantile, confidence)
