"""Levels and the changes between them: invariants, bad values, and error rates on the simulator."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulator import Machine, drifting, history, step

from tailgate.stats.change_points import LEAST_SCATTER, LEAST_VALUES, segmented
from tailgate.stats.intervals import difference_interval

LOGS = st.floats(min_value=-1.0, max_value=1.0, allow_nan=False)
SERIES = st.lists(LOGS, min_size=LEAST_VALUES, max_size=40)


def noise(sessions: int, seed: int, scatter: float = 0.02) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, scatter, sessions)


def places(values: np.ndarray) -> list[int]:
    found = segmented(values.tolist())
    assert found is not None
    return [one.index for one in found.changes]


@settings(max_examples=60)
@given(SERIES)
def test_levels_cover_every_value_once_and_changes_lie_between_them(values: list[float]) -> None:
    found = segmented(values)
    assert found is not None
    assert [index for one in found.levels for index in range(one.start, one.end)] == list(range(len(values)))
    assert [one.index for one in found.changes] == [one.start for one in found.levels[1:]]
    for change, before, after in zip(found.changes, found.levels, found.levels[1:], strict=False):
        assert change.change == pytest.approx(after.center - before.center)
        assert change.low <= change.change <= change.high
        assert before.start < change.earliest <= change.index <= change.latest < after.end
    assert all(min(values) <= one.center <= max(values) for one in found.levels)
    assert all(0 <= index < len(values) for index in found.far)
    assert found.scatter >= LEAST_SCATTER


@settings(max_examples=30)
@given(st.lists(st.integers(-1024, 1024), min_size=LEAST_VALUES, max_size=40), st.integers(-9, 9))
def test_another_unit_changes_nothing(steps: list[int], shift: int) -> None:
    """A factor of all values is a shift of their logarithms; these are exact in binary."""
    one, other = segmented([step / 1024 for step in steps]), segmented([step / 1024 + shift for step in steps])
    assert one is not None
    assert other is not None
    assert [change.index for change in one.changes] == [change.index for change in other.changes]
    assert [change.change for change in one.changes] == pytest.approx([change.change for change in other.changes])


@pytest.mark.parametrize("values", [[], [0.0], [0.1] * (LEAST_VALUES - 1)])
def test_too_few_values_have_no_levels(values: list[float]) -> None:
    assert segmented(values) is None


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="need finite"):
        segmented([0.0] * 10 + [value])


def test_equal_values_are_one_level() -> None:
    found = segmented([0.5] * 30)
    assert found is not None
    assert (len(found.levels), found.levels[0].center, found.changes, found.far) == (1, 0.5, [], [])


def test_a_difference_below_the_least_scatter_is_no_change() -> None:
    assert places(np.array([0.0] * 20 + [0.0005] * 3)) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_large_step_is_found_where_it_is(seed: int) -> None:
    values = noise(50, seed)
    values[30:] += 0.2
    found = segmented(values.tolist())
    assert found is not None
    (change,) = found.changes
    assert (change.index, change.earliest, change.latest) == (30, 30, 30)
    assert change.low < 0.2 < change.high


def test_one_session_that_is_far_is_named_and_is_no_level() -> None:
    values = noise(50, 3)
    values[20] += 0.3
    found = segmented(values.tolist())
    assert found is not None
    assert (found.changes, found.far) == ([], [20])


def test_a_short_interlude_is_no_change() -> None:
    values = noise(50, 4)
    values[20:22] += 0.3
    assert places(values) == []


def test_a_level_begins_where_it_is_told_to() -> None:
    found = segmented(noise(30, 5).tolist(), begins=[12])
    assert found is not None
    assert [one.start for one in found.levels] == [0, 12]
    assert len(found.changes) == 1


def test_an_interval_of_a_difference_is_students() -> None:
    from scipy import stats

    before, after = [0.0, 0.1, 0.2, 0.15], [0.5, 0.7, 0.6]
    expected = stats.ttest_ind(after, before).confidence_interval(0.99)
    assert difference_interval(before, after, 0.99)[1:] == pytest.approx(tuple(expected))
    assert difference_interval([0.0], [1.0]) == (1.0, None, None)
    with pytest.raises(ValueError, match="values before and after"):
        difference_interval([], [1.0])


@pytest.fixture(scope="module")
def noises() -> list[np.ndarray]:
    """Histories of a simulated machine on which nothing changed."""
    rng = np.random.default_rng(20261130)
    return [history(Machine(), rng, 60) for _ in range(50)]


def test_few_points_are_false_on_the_simulator(noises: list[np.ndarray]) -> None:
    """The bar is one in 1,000 sessions; these are 3,000. docs/evidence/change-points.md has the long run."""
    assert sum(len(places(one)) for one in noises) <= 6


@pytest.mark.parametrize(("change", "least"), [(0.03, 0.7), (0.05, 0.96), (0.10, 1.0)])
def test_steps_are_found_on_the_simulator(noises: list[np.ndarray], change: float, least: float) -> None:
    slower = np.log1p(step(60, (40, change)).slower)
    found = [any(abs(place - 40) <= 5 for place in places(one + slower)) for one in noises]
    assert np.mean(found) >= least


def test_two_steps_are_two_changes_on_the_simulator(noises: list[np.ndarray]) -> None:
    slower = np.log1p(step(60, (20, 0.1), (40, 0.1)).slower)
    found = [places(one + slower) for one in noises]
    assert np.mean([len(one) == 2 for one in found]) >= 0.9


def test_a_slow_drift_is_seen_as_changes_for_the_worse(noises: list[np.ndarray]) -> None:
    slower = np.log1p(drifting(60, 0.15).slower)
    for one in noises:
        found = segmented((one + slower).tolist())
        assert found is not None
        assert found.changes
        assert all(change.change > 0 for change in found.changes)
