"""Where a curve peaks, and when that is not known."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.gpu_precision.peaks import NEAR_REL, Point, peak

VALUES = st.floats(min_value=1e-3, max_value=1e6)


@st.composite
def curves(draw: st.DrawFn) -> list[Point]:
    batches = draw(st.lists(st.sampled_from([2**power for power in range(10)]), min_size=1, unique=True))
    points = []
    for batch in batches:
        value, widths = draw(VALUES), draw(st.none() | st.tuples(st.floats(0, 0.5), st.floats(0, 0.5)))
        ends = (None, None) if widths is None else (value * (1 - widths[0]), value * (1 + widths[1]))
        points.append(Point(batch, value, *ends))
    return points


@settings(max_examples=50)
@given(curves())
def test_a_peak_is_one_of_the_batches_and_nothing_is_above_it(points: list[Point]) -> None:
    found = peak(points)
    by_batch = {point.batch: point.value for point in points}
    assert by_batch[found.batch] == found.value == max(by_batch.values())
    assert found.near_batch <= found.batch
    assert by_batch[found.near_batch] >= (1 - NEAR_REL) * found.value
    assert found.batch in found.overlapping
    assert set(found.overlapping) <= set(by_batch)
    assert found.at_the_edge == (found.batch == max(by_batch))


@settings(max_examples=50)
@given(curves(), st.floats(min_value=1e-3, max_value=1e3))
def test_units_do_not_move_a_peak(points: list[Point], scale: float) -> None:
    scaled = [
        Point(
            one.batch, one.value * scale,
            None if one.low is None else one.low * scale, None if one.high is None else one.high * scale,
        )
        for one in points
    ]  # fmt: skip
    assert peak(scaled).value == pytest.approx(peak(points).value * scale)
    assert peak(list(reversed(points))) == peak(points)


@pytest.mark.parametrize(
    ("points", "batch", "alike", "flat"),
    [
        ([Point(1, 10, 9, 11), Point(2, 20, 19, 21), Point(4, 30, 29, 31)], 4, (4,), False),
        ([Point(1, 10, 9, 11), Point(2, 29, 28, 30), Point(4, 30, 29, 31)], 4, (2, 4), True),
        ([Point(8, 30, 29, 31), Point(16, 29.5, 28, 30.5)], 8, (8, 16), False),
        ([Point(8, 30), Point(16, 30)], 8, (8,), False),
    ],
)
def test_a_peak_is_flat_when_a_smaller_batch_cannot_be_told_from_it(
    points: list[Point], batch: int, alike: tuple[int, ...], flat: bool
) -> None:
    found = peak(points)
    assert (found.batch, found.overlapping, found.flat) == (batch, alike, flat)


def test_there_is_no_peak_of_nothing() -> None:
    with pytest.raises(ValueError, match="no points"):
        peak([])
