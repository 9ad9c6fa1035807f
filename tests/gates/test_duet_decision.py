"""When a duet has enough pairs, and what they say."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailgate.gates.duet.decision import decide
from tailgate.stats.decision import FAIL, IMPROVED, PASS, UNDECIDED


def scattered(change: float, spread: float, count: int) -> list[float]:
    """Log-ratios around a change, the same each time, without ties."""
    return [change + spread * math.sin(17.0 * index + 0.3) for index in range(1, count + 1)]


@pytest.mark.parametrize(
    ("values", "verdict", "confirmed", "more"),
    [
        (scattered(0.0, 0.005, 3), UNDECIDED, None, 7),
        (scattered(0.0, 0.005, 10), PASS, None, 0),
        (scattered(0.05, 0.005, 10), FAIL, None, 10),
        (scattered(0.05, 0.005, 19), FAIL, None, 1),
        (scattered(0.05, 0.005, 20), FAIL, True, 0),
        (scattered(0.05, 0.005, 10) + scattered(0.0, 0.005, 10), PASS, False, 0),
        (scattered(-0.05, 0.005, 10), IMPROVED, None, 0),
        (scattered(0.0, 0.06, 10), UNDECIDED, None, 10),
        (scattered(0.0, 0.06, 20), UNDECIDED, None, 0),
        (scattered(0.05, 0.005, 10) + scattered(0.0, 0.06, 10), FAIL, None, 10),
        (scattered(0.05, 0.005, 10) + scattered(0.0, 0.06, 20), UNDECIDED, False, 0),
    ],
)
def test_pairs_are_wanted_until_it_is_decided(
    values: list[float], verdict: str, confirmed: bool | None, more: int
) -> None:
    found = decide(values, "median", 0.02, 10, patient=True)
    assert (found.verdict, found.confirmed, found.more) == (verdict, confirmed, more)


def test_without_patience_only_a_suspicion_is_worth_more_pairs() -> None:
    calm, slower = scattered(0.0, 0.3, 10), scattered(0.2, 0.3, 10)
    assert decide(calm, "p99", 0.10, 10, patient=False).more == 0
    assert decide(slower, "p99", 0.10, 10, patient=False).more == 10


def test_a_throughput_that_falls_is_worse() -> None:
    assert decide(scattered(-0.05, 0.005, 20), "throughput", 0.02, 10, patient=True).verdict == FAIL
    assert decide(scattered(0.05, 0.005, 10), "throughput", 0.02, 10, patient=True).verdict == IMPROVED


@settings(deadline=None, max_examples=15)  # each has scipy count exact distributions
@given(st.lists(st.floats(-0.5, 0.5), max_size=60), st.sampled_from(["median", "p99", "throughput"]), st.booleans())
def test_a_fail_is_always_confirmed_and_never_open(values: list[float], metric: str, patient: bool) -> None:
    found = decide(values, metric, 0.02, 10, patient=patient)
    assert found.more <= 10
    assert len(values) + found.more <= 60
    if found.verdict == FAIL and not found.more:
        assert found.confirmed is True
    if len(values) >= 40:
        assert found.more == 0
