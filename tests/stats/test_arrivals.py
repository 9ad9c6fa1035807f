"""Seeded schedules of arrivals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.stats import arrivals

RATES = st.floats(1e-3, 1e6)
SEEDS = st.integers(0, 2**63)
KINDS = {
    "constant": lambda rate, seed, **length: arrivals.constant(rate, **length),
    "poisson": arrivals.poisson,
    "bursts": lambda rate, seed, **length: arrivals.gamma(rate, 2.0, seed, **length),
    "regular": lambda rate, seed, **length: arrivals.gamma(rate, 0.5, seed, **length),
}
CV = {"constant": 0.0, "poisson": 1.0, "bursts": 2.0, "regular": 0.5}


@pytest.mark.parametrize("kind", KINDS)
@given(RATES, SEEDS, st.integers(1, 500))
def test_it_ascends_from_above_0_and_the_same_seed_draws_the_same(kind, rate, seed, requests):
    times_s = KINDS[kind](rate, seed, requests=requests)
    assert len(times_s) == requests
    assert times_s.dtype == np.float64
    assert times_s[0] > 0 or kind == "bursts"  # a gap of a gamma distribution may round to 0
    assert (np.diff(times_s) >= 0).all()
    assert np.array_equal(times_s, KINDS[kind](rate, seed, requests=requests))


@pytest.mark.parametrize("kind", KINDS)
@given(RATES, SEEDS, st.floats(1e-3, 300))
def test_a_longer_schedule_begins_with_the_shorter_one(kind, rate, seed, expected):
    seconds = expected / rate
    by_time_s = KINDS[kind](rate, seed, seconds=seconds)
    assert (by_time_s <= seconds * (1 + 1e-9)).all()
    by_number_s = KINDS[kind](rate, seed, requests=len(by_time_s) + 1)
    assert np.array_equal(by_time_s, by_number_s[:-1])
    assert by_number_s[-1] > seconds * (1 - 1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_its_rate_and_the_coefficient_of_variation_are_as_asked(kind):
    times_s = KINDS[kind](250.0, 3, requests=100_000)
    gaps_s = np.diff(times_s, prepend=0)
    assert np.mean(gaps_s) * 250 == pytest.approx(1, abs=5 * max(CV[kind], 1e-9) / math.sqrt(1e5))
    assert np.std(gaps_s) / np.mean(gaps_s) == pytest.approx(CV[kind], rel=0.03, abs=1e-6)
    expected = 250.0 * 100
    assert len(KINDS[kind](250.0, 4, seconds=100)) == pytest.approx(expected, abs=5 * CV[kind] * math.sqrt(expected))


def test_a_constant_rate_has_all_of_its_requests():
    assert len(arrivals.constant(0.1, seconds=30)) == 3
    assert len(arrivals.constant(1000, seconds=10)) == 10_000
    assert arrivals.constant(4, requests=3).tolist() == [0.25, 0.5, 0.75]


def test_other_seeds_draw_other_schedules():
    assert not np.array_equal(arrivals.poisson(1, 1, requests=9), arrivals.poisson(1, 2, requests=9))


@pytest.mark.parametrize(
    ("rate", "length"),
    [
        (0, {"requests": 1}),
        (-1, {"requests": 1}),
        (math.inf, {"requests": 1}),
        (math.nan, {"requests": 1}),
        (1, {}),
        (1, {"requests": 1, "seconds": 1.0}),
        (1, {"requests": 0}),
        (1, {"seconds": 0.0}),
        (1, {"seconds": math.inf}),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_rate_or_length_that_is_none_is_refused(kind, rate, length):
    with pytest.raises(ValueError, match=r"rate|seconds|requests"):
        KINDS[kind](rate, 0, **length)


@pytest.mark.parametrize("cv", [0, -1, math.nan, math.inf])
def test_a_coefficient_of_variation_must_be_above_0(cv):
    with pytest.raises(ValueError, match="coefficient of variation"):
        arrivals.gamma(1, cv, 0, requests=1)
