"""When a duet has enough pairs, and what they say."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tailgate.gates.duet.decision import FRESH_LOOKS, LOOKS, decide
from tailgate.stats.decision import FAIL, IMPROVED, PASS, UNDECIDED
from tailgate.stats.paired import paired

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""On a loaded machine."""
SECONDS = st.floats(min_value=1e-8, max_value=20.0)


def scattered(change: float, spread: float, count: int) -> list[float]:
    """Log-ratios around a change, the same each time, without ties."""
    return [change + spread * math.sin(17.0 * index + 0.3) for index in range(1, count + 1)]


@pytest.mark.parametrize(
    ("values", "verdict", "confirmed", "more"),
    [
        ([], UNDECIDED, None, 4),
        (scattered(0.0, 0.005, 3), UNDECIDED, None, 1),
        (scattered(0.0, 0.005, 4), PASS, None, 1),
        (scattered(0.0, 0.005, 5), PASS, None, 0),
        (scattered(0.05, 0.005, 3), UNDECIDED, None, 1),
        (scattered(0.05, 0.005, 4), FAIL, None, 4),
        (scattered(0.05, 0.005, 7), FAIL, None, 1),
        (scattered(0.05, 0.005, 8), FAIL, True, 0),
        (scattered(0.025, 0.02, 5), UNDECIDED, None, 1),
        (scattered(0.025, 0.02, 6), UNDECIDED, None, 2),
        (scattered(0.025, 0.02, 8), FAIL, None, 4),
        (scattered(0.05, 0.005, 4) + scattered(0.0, 0.005, 4), FAIL, None, 1),
        (scattered(0.05, 0.005, 4) + scattered(0.0, 0.005, 5), PASS, False, 0),
        (scattered(-0.05, 0.005, 4), IMPROVED, None, 1),
        (scattered(-0.05, 0.005, 5), IMPROVED, None, 0),
        (scattered(0.0, 0.06, 6), UNDECIDED, None, 2),
        (scattered(0.0, 0.06, 8), UNDECIDED, None, 4),
        (scattered(0.0, 0.06, 12), UNDECIDED, None, 8),
        (scattered(0.0, 0.06, 20), UNDECIDED, None, 0),
        (scattered(0.05, 0.005, 4) + scattered(0.0, 0.06, 5), FAIL, None, 3),
        (scattered(0.05, 0.005, 4) + scattered(0.0, 0.06, 12), FAIL, None, 8),
        (scattered(0.05, 0.005, 4) + scattered(0.0, 0.06, 20), UNDECIDED, False, 0),
    ],
)
def test_pairs_are_wanted_until_it_is_decided(
    values: list[float], verdict: str, confirmed: bool | None, more: int
) -> None:
    found = decide(values, "median", 0.02, 8, patient=True)
    assert (found.verdict, found.confirmed, found.more) == (verdict, confirmed, more)


@pytest.mark.parametrize(("metric", "sign"), [("median", 1), ("throughput", -1)])
def test_a_pass_is_told_by_an_interval_within_the_limit(metric: str, sign: int) -> None:
    values = [sign * value for value in (0.0, 0.024, 0.002, -0.003, 0.004, 0.001)]
    assert decide(values[:5], metric, 0.02, 8, patient=True).more == 1
    decided = decide(values, metric, 0.02, 8, patient=True)
    assert decided.verdict == PASS
    assert decided.found is not None
    assert decided.found.confidence == pytest.approx(0.936)
    worst_rel = decided.found.high_rel if sign > 0 else -(decided.found.low_rel or 0.0)
    assert worst_rel == pytest.approx(0.014, abs=0.001)


def test_a_confirmed_fail_is_told_by_all_its_pairs() -> None:
    found = decide(scattered(0.05, 0.005, 10), "median", 0.02, 8, patient=True).found
    assert found is not None
    assert (found.pairs, found.more, found.confidence) == (8, 8, 0.99)


@pytest.mark.parametrize(("looks", "most"), [(LOOKS, 0.0121), (FRESH_LOOKS, 0.055)])
def test_the_levels_of_all_looks_together_are_what_the_error_rates_rest_on(
    looks: Sequence[tuple[float, float]], most: float
) -> None:
    """Many duets of equal sides, in which the smallest effect that counts is none at all."""
    rng = np.random.default_rng(1)
    failed = 0
    for values in rng.standard_t(3, (4000, 20)):
        failed += any(
            paired(values[:count].tolist()).p_more < alpha
            for count, alpha in ((math.ceil(8 * multiple), alpha) for multiple, alpha in looks)
        )
    assert failed / 4000 < most + 3 * math.sqrt(most / 4000)


def test_without_patience_only_a_suspicion_is_worth_more_pairs() -> None:
    calm, slower = scattered(0.0, 0.3, 5), scattered(0.2, 0.3, 5)
    assert decide(calm[:4], "p99", 0.10, 8, patient=False).more == 1, "four pairs cannot pass"
    assert decide(calm, "p99", 0.10, 8, patient=False).more == 0
    assert decide(slower, "p99", 0.10, 8, patient=False).more == 1


def test_a_throughput_that_falls_is_worse() -> None:
    assert decide(scattered(-0.05, 0.005, 20), "throughput", 0.02, 10, patient=True).verdict == FAIL
    assert decide(scattered(0.05, 0.005, 10), "throughput", 0.02, 10, patient=True).verdict == IMPROVED


@settings(PATIENT, max_examples=15)  # each has scipy count exact distributions
@given(st.lists(st.floats(-0.5, 0.5), max_size=60), st.sampled_from(["median", "p99", "throughput"]), st.booleans())
def test_a_fail_is_always_confirmed_and_never_open(values: list[float], metric: str, patient: bool) -> None:
    found = decide(values, metric, 0.02, 8, patient=patient)
    assert found.more <= 8
    assert len(values) + found.more <= 60
    if found.verdict == FAIL and not found.more:
        assert found.confirmed is True
    if len(values) >= 40:
        assert found.more == 0
