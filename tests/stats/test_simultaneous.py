"""Differences that are told from none, many at once: against scipy's own interval, and how often one is wrong."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tailgate.stats.simultaneous import LEAST_VALUES, difference

VALUES = st.lists(st.floats(-1e3, 1e3), min_size=LEAST_VALUES, max_size=12)


@given(VALUES, st.integers(1, 5000))
def test_it_is_students_interval_at_bonferronis_level(values: list[float], comparisons: int) -> None:
    found = difference(values, comparisons)
    scale = np.std(values, ddof=1) / len(values) ** 0.5
    assert found.low is not None
    assert found.high is not None
    if scale > 1e-9:
        low, high = stats.t.interval(1 - 0.05 / comparisons, len(values) - 1, np.mean(values), scale)
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-6, abs=1e-6)
    assert found.low <= found.mean <= found.high


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=LEAST_VALUES - 1))
def test_of_too_few_values_nothing_is_told(values: list[float]) -> None:
    found = difference(values, 1)
    assert (found.low, found.high, found.told) == (None, None, False)


@pytest.mark.parametrize("burst", [0.0, 0.1])
def test_one_unchanged_table_in_twenty_at_most_names_an_operator(burst: float) -> None:
    """Sixty operators in six pairs; with ``burst`` one value in ten is disturbed."""
    chance = random.Random(1)

    def value() -> float:
        return chance.gauss(0, 1) + (chance.expovariate(0.2) if chance.random() < burst else 0.0)

    tables = [[[value() - value() for _ in range(6)] for _ in range(60)] for _ in range(300)]
    wrong = sum(any(difference(row, len(table)).told for row in table) for table in tables)
    assert wrong / len(tables) <= 0.08  # of 300 tables: two standard deviations above 5 %


def test_a_difference_far_beyond_its_scatter_is_told_among_five_thousand() -> None:
    assert difference([0.035, 0.036, 0.037, 0.036, 0.035, 0.036], 5000).told
    assert not difference([0.035, 0.036, -0.05, 0.036, 0.035, 0.036], 5000).told
