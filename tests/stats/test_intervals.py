import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import sem, t

from tailgate.stats.intervals import median_half_width_rel, samples_for_half_width, t_half_width_rel

TIMES_S = st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=60)


@settings(deadline=None)
@given(values=TIMES_S, confidence=st.sampled_from([0.9, 0.95, 0.99]))
def test_half_width_is_that_of_scipys_t_interval(values, confidence):
    half_width_rel = t_half_width_rel(values, confidence)
    spread = sem(values)
    if spread == 0:
        assert half_width_rel == pytest.approx(0, abs=1e-12)
        return
    low, high = t.interval(confidence, len(values) - 1, loc=np.mean(values), scale=spread)
    assert half_width_rel == pytest.approx((high - low) / 2 / np.mean(values), rel=1e-6, abs=1e-12)


def test_half_width_is_positive_for_negative_means():
    assert t_half_width_rel([-1.0, -2.0, -3.0]) == t_half_width_rel([1.0, 2.0, 3.0])


@pytest.mark.parametrize("values", [[], [1.0], [-1.0, 1.0], [0.0, 0.0]])
def test_too_few_values_or_a_mean_of_zero_have_no_relative_width(values):
    assert t_half_width_rel(values) is None


@settings(deadline=None)
@given(values=st.lists(st.floats(1e-6, 1e3), min_size=6, max_size=60), factor=st.floats(0.1, 10))
def test_half_widths_do_not_depend_on_the_unit(values, factor):
    scaled = [value * factor for value in values]
    assert t_half_width_rel(scaled) == pytest.approx(t_half_width_rel(values), rel=1e-6, abs=1e-12)
    assert median_half_width_rel(scaled) == pytest.approx(median_half_width_rel(values), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("samples", [[], [1.0], [1.0] * 5, [0.0] * 20])
def test_the_median_of_few_samples_or_of_zero_has_no_relative_interval(samples):
    assert median_half_width_rel(samples) is None


def test_the_medians_interval_of_six_samples_reaches_from_the_least_to_the_largest():
    assert median_half_width_rel([6, 5, 4, 3, 2, 1]) == pytest.approx((6 - 1) / 2 / 3.5)


def test_the_medians_interval_is_of_order_statistics_whatever_the_order():
    samples = list(range(1, 101))
    # Ranks 40 and 61 of 100 (binomial(100, 1/2) at 2.5 % and 97.5 %, plus one).
    assert median_half_width_rel(samples[::-1]) == pytest.approx((61 - 40) / 2 / statistics.median(samples))


def test_half_the_width_needs_four_times_the_samples():
    assert samples_for_half_width(100, 0.02, 0.01) == 400


def test_an_interval_of_no_width_needs_one_sample():
    assert samples_for_half_width(100, 0.0, 0.01) == 1


@given(count=st.integers(1, 10_000), half_width_rel=st.floats(0, 1), wanted_rel=st.floats(0.001, 1))
def test_the_samples_asked_for_are_enough_and_not_one_too_many(count, half_width_rel, wanted_rel):
    needed = samples_for_half_width(count, half_width_rel, wanted_rel)
    assert half_width_rel * math.sqrt(count / needed) <= wanted_rel * (1 + 1e-9)
    if needed > 1:
        assert half_width_rel * math.sqrt(count / (needed - 1)) >= wanted_rel * (1 - 1e-9)


@pytest.mark.parametrize(("count", "half", "wanted"), [(0, 0.1, 0.1), (1, -0.1, 0.1), (1, 0.1, 0), (1, 0.1, -1)])
def test_questions_without_an_answer_are_refused_with_their_values(count, half, wanted):
    with pytest.raises(ValueError, match=rf"count={count}, half_width_rel={half}, wanted_rel={wanted}"):
        samples_for_half_width(count, half, wanted)
