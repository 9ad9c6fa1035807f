import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from studies.onnx_profiles.correlation import (
    can_both_be_true,
    correlation,
    linear_fit,
    most_influential,
    p_bounds,
    pearson_p,
)
from studies.onnx_profiles.published import PUBLISHED

FEW = settings(max_examples=30, deadline=None)
# Whole numbers, so that no spread is mere rounding.
VALUES = st.integers(-1000, 1000)
PAIRS = st.lists(st.tuples(VALUES, VALUES), min_size=4, max_size=30).filter(
    lambda pairs: all(len({pair[side] for pair in pairs}) > 1 for side in (0, 1))
)


def columns(pairs):
    return [float(x) for x, _ in pairs], [float(y) for _, y in pairs]


@pytest.mark.parametrize("one", PUBLISHED, ids=lambda one: f"{one.pair}-{one.device}-{one.r}")
def test_each_published_p_belongs_to_its_r(one):
    assert can_both_be_true(one.r, one.p, one.n)
    # A check that cannot fail shows nothing.
    assert not can_both_be_true(one.r, one.p * 1e6, one.n)


def test_published_pairs_pin_down_their_number_of_models():
    moderate = [one for one in PUBLISHED if abs(one.r) < 0.95]
    assert len(moderate) >= 5
    for one in moderate:
        assert [n for n in range(25, 40) if can_both_be_true(one.r, one.p, n)] == [32]


@pytest.mark.parametrize(("r", "p"), [(0.990, 8.8e-27), (0.698, 9.0e-6)])
def test_p_of_a_rounded_r_lies_within_its_bounds(r, p):
    low, high = p_bounds(r, 32)
    assert low < pearson_p(r, 32) < high
    assert low <= p <= high


def test_r_with_its_p_interval_and_rho_of_known_values():
    # Anscombe's first quartet (The American Statistician 27, 1973): r = 0.816, y = 3.00 + 0.500 x, r2 = 0.67.
    x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
    y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
    found, fit = correlation(x, y), linear_fit(x, y)
    assert found.n == 11
    assert found.pearson_r == pytest.approx(0.81642, abs=1e-5)
    assert found.pearson_p == pytest.approx(0.00217, abs=1e-5)
    assert found.pearson_p == pytest.approx(pearson_p(found.pearson_r, 11), rel=1e-9)
    centre, half = math.atanh(found.pearson_r), 1.959964 / math.sqrt(8)
    assert (found.low_r, found.high_r) == pytest.approx((math.tanh(centre - half), math.tanh(centre + half)), abs=1e-6)
    assert found.spearman_rho == pytest.approx(0.81818, abs=1e-5)
    assert (fit.intercept, fit.slope, fit.r2) == pytest.approx((3.0001, 0.5001, 0.6665), abs=1e-4)
    assert (fit.intercept_se, fit.slope_se) == pytest.approx((1.1247, 0.1179), abs=1e-4)
    assert fit.at(10) == pytest.approx(8.0011, abs=1e-3)


@FEW
@given(PAIRS, st.integers(1, 50), st.integers(-500, 500))
def test_units_and_offsets_change_nothing(pairs, factor, offset):
    x, y = columns(pairs)
    one, other = correlation(x, y), correlation([factor * value + offset for value in x], y)
    assert other.pearson_r == pytest.approx(one.pearson_r, abs=1e-9)
    assert other.spearman_rho == pytest.approx(one.spearman_rho, abs=1e-9)
    assert other.pearson_p == pytest.approx(one.pearson_p, rel=1e-3, abs=1e-9)


@FEW
@given(PAIRS)
def test_turning_one_side_turns_the_sign_and_nothing_else(pairs):
    x, y = columns(pairs)
    one, other = correlation(x, y), correlation([-value for value in x], y)
    assert other.pearson_r == pytest.approx(-one.pearson_r, abs=1e-12)
    assert other.spearman_rho == pytest.approx(-one.spearman_rho, abs=1e-12)
    assert (other.low_r, other.high_r) == pytest.approx((-one.high_r, -one.low_r), abs=1e-9)


@FEW
@given(PAIRS)
def test_every_number_is_within_its_bounds_and_sides_can_be_swapped(pairs):
    x, y = columns(pairs)
    one = correlation(x, y)
    assert -1 <= one.low_r <= one.pearson_r + 1e-12
    assert one.pearson_r - 1e-12 <= one.high_r <= 1
    assert 0 <= one.pearson_p <= 1
    assert 0 <= one.spearman_p <= 1
    assert abs(one.spearman_rho) <= 1 + 1e-12
    assert correlation(y, x).pearson_r == pytest.approx(one.pearson_r, abs=1e-12)


@FEW
@given(PAIRS)
def test_a_growing_curve_keeps_rho(pairs):
    x, y = columns(pairs)
    assert correlation([value**3 for value in x], y).spearman_rho == pytest.approx(
        correlation(x, y).spearman_rho, abs=1e-12
    )


@FEW
@given(st.lists(VALUES, min_size=3, max_size=30, unique=True), st.integers(-9, 9), st.integers(-9, 9))
def test_a_line_is_found_again(x, slope, intercept):
    assume(slope)
    fit = linear_fit([float(value) for value in x], [float(intercept + slope * value) for value in x])
    assert (fit.slope, fit.intercept, fit.r2) == pytest.approx((slope, intercept, 1), rel=1e-6, abs=1e-6)


@FEW
@given(PAIRS)
def test_a_fit_explains_the_square_of_r(pairs):
    x, y = columns(pairs)
    assert linear_fit(x, y).r2 == pytest.approx(correlation(x, y).pearson_r ** 2, abs=1e-9)


@FEW
@given(st.floats(-0.999, 0.999), st.integers(3, 100))
def test_p_falls_as_r_grows_and_does_not_know_its_sign(r, n):
    assert pearson_p(r, n) == pearson_p(-r, n)
    assert pearson_p(min(1.0, abs(r) + 0.001), n) <= pearson_p(r, n) <= 1


@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([], [], "0 points; 3 at least"),
        ([1], [2], "1 point; 3 at least"),
        ([1, 2], [1, 2], "2 points; 3 at least"),
        ([1, 1, 1], [1, 2, 3], "all x values are the same"),
        ([1, 2, 3], [5, 5, 5], "all y values are the same"),
        ([0, 0, 0], [1, 2, 3], "all x values are the same"),
        ([1e9, 1e9 + 1e-6, 1e9], [1, 2, 3], "all x values are the same"),
        ([1, 2, math.nan], [1, 2, 3], "a value is not finite"),
        ([1, 2, 3], [1, 2, math.inf], "a value is not finite"),
        ([1, 2, 3], [1, 2], "3 x values and 2 y values"),
    ],
)
def test_what_has_no_correlation_has_none_and_says_why(x, y, reason):
    found, fit = correlation(x, y), linear_fit(x, y)
    assert (found.reason, fit.reason) == (reason, reason)
    numbers = (found.pearson_r, found.pearson_p, found.low_r, found.high_r, found.spearman_rho, found.spearman_p)
    assert numbers == (None,) * 6
    assert (fit.slope, fit.slope_se, fit.intercept, fit.intercept_se, fit.r2) == (None,) * 5
    assert most_influential(x, y) is None
    with pytest.raises(ValueError, match=reason):
        fit.at(1.0)


def test_three_points_have_an_r_and_no_interval():
    found = correlation([1, 2, 3], [1, 2, 4])
    assert found.pearson_r == pytest.approx(0.98198, abs=1e-5)
    assert (found.low_r, found.high_r) == (None, None)


def test_values_whose_squares_overflow_or_vanish_have_the_same_r():
    x, y = [1.0, 2.0, 3.0, 5.0], [2.0, 1.0, 4.0, 5.0]
    for factor in (1e200, 1e-200):
        found = correlation([factor * value for value in x], y)
        assert found.pearson_r == pytest.approx(correlation(x, y).pearson_r)


def test_the_point_off_the_line_is_the_influential_one():
    x = [float(value) for value in range(10)]
    y = [2 * value for value in x]
    y[7] = 60.0
    found = most_influential(x, y)
    assert found.index == 7
    assert found.without.pearson_r == pytest.approx(1.0)
    assert found.without.n == 9


@pytest.mark.parametrize(("r", "n"), [(1.5, 32), (-1.01, 32), (0.5, 2)])
def test_there_is_no_p_of_what_is_no_correlation(r, n):
    with pytest.raises(ValueError, match="no p for"):
        pearson_p(r, n)


def test_a_perfect_correlation_has_p_zero():
    assert pearson_p(1.0, 5) == pearson_p(-1.0, 5) == 0.0
