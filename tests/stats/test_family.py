"""Many comparisons together: the step-up procedure, and the saved gate's rule on 500 unchanged benchmarks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from simulated_families import failing_runs

from tailgate.stats.decision import ALPHA
from tailgate.stats.family import FAMILY_ALPHA, significant

P_VALUES = st.lists(st.floats(min_value=0, max_value=1), min_size=1, max_size=30)


@given(P_VALUES)
def test_the_procedure_is_scipys(p_values: list[float]) -> None:
    adjusted = stats.false_discovery_control(p_values, method="bh")
    found = significant(p_values, len(p_values))
    near = np.isclose(adjusted, FAMILY_ALPHA, rtol=1e-9)
    assert all(one == (value <= FAMILY_ALPHA) for one, value in zip(found, adjusted, strict=True) if not near.any())


@given(P_VALUES, P_VALUES)
def test_what_is_rejected_stays_so_whatever_follows(first: list[float], others: list[float]) -> None:
    """So a benchmark may fail before the last one is measured."""
    comparisons = len(first) + len(others)
    early, late = significant(first, comparisons), significant([*first, *others], comparisons)
    assert all(then for now, then in zip(early, late, strict=False) if now)


def test_one_or_two_comparisons_are_judged_as_each_alone() -> None:
    assert significant([ALPHA], 1) == [True]
    assert significant([ALPHA, 0.5], 2) == [True, False]
    assert significant([ALPHA, 0.5, 0.5], 3) == [False, False, False]


def test_more_p_values_than_comparisons_are_refused() -> None:
    with pytest.raises(ValueError, match="2 p-values of 1 comparison"):
        significant([0.1, 0.2], 1)


@pytest.mark.parametrize(("shared", "own"), [(0.0, 0.02), (0.02, 0.005), (0.014, 0.014)])
@pytest.mark.parametrize("sessions", [10, 30])
def test_500_unchanged_benchmarks_seldom_fail_together(sessions: int, shared: float, own: float) -> None:
    """The bar is 2 % of runs; docs/evidence/statistics.md has more of them."""
    alone, together = failing_runs(300, sessions, shared, own)
    assert together <= 0.04
    assert alone > together


def test_a_slowdown_of_all_benchmarks_fails_them_all_the_same() -> None:
    assert failing_runs(40, 30, 0.0, 0.02, slower=0.06)[1] == 1.0
