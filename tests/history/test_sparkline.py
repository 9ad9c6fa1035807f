"""A series as one line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailgate.history.sparkline import CHANGE, HEIGHTS, MISSING, WIDEST, sparkline


@pytest.mark.parametrize(
    ("values", "changes", "drawn"),
    [
        ([], (), ""),
        ([1.0], (), "▄"),
        ([1.0, 1.0, 1.0], (), "▄▄▄"),
        ([1.0, 1.003, 1.0, 1.002, 1.01], (), "▄▄▄▄▅"),
        ([1.0, None, 2.0], (), "▁·█"),
        ([1.0, 1.0, 2.0, 2.0], (2,), "▁▁│██"),
        ([2.0, 1.0], (0,), "█▁"),
        ([None, None], (), "··"),
        ([1.0, 10.0, 100.0], (), "▁▅█"),
        ([0.0, -1.0, 2.0], (), "··▄"),
    ],
)
def test_drawn(values: list[float | None], changes: tuple[int, ...], drawn: str) -> None:
    assert sparkline(values, changes) == drawn


@given(st.lists(st.none() | st.floats(min_value=1e-9, max_value=1e9), max_size=200))
def test_it_fits_and_has_one_character_a_session(values: list[float | None]) -> None:
    drawn = sparkline(values)
    assert len(drawn.removeprefix("…")) == min(len(values), WIDEST)
    assert drawn.startswith("…") == (len(values) > WIDEST)
    assert set(drawn) <= {*HEIGHTS, MISSING, CHANGE, "…"}
