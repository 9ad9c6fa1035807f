"""The Pareto front against its definition."""

from hypothesis import given
from hypothesis import strategies as st

from tailgate.stats.pareto import front

POINTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30)


def dominates(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one[0] <= other[0] and one[1] >= other[1] and one != other


@given(POINTS)
def test_the_front_is_what_nothing_dominates(points: list[tuple[float, float]]) -> None:
    found = front(points)
    best = [points[index] for index in found]
    assert best == sorted(set(best))
    assert set(best) == {one for one in points if not any(dominates(other, one) for other in points)}
