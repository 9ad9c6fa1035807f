"""Many benchmarks in one duet: more has to confirm a fail, and the simulator's rule is the duet's."""

import numpy as np
import pytest
from simulated_duets import failed, shares

from tailgate.gates.duet.decision import FAMILY, FRESH_LOOKS, LOOKS, decide, share_of
from tailgate.stats.decision import FAIL

FAILS_FIRST = [0.05, 0.051, 0.052, 0.053]


def confirmed(fresh: list[float], family: int) -> tuple[str, int]:
    found = decide([*FAILS_FIRST, *fresh], "median", 0.02, 8, patient=True, family=family)
    return found.verdict, found.more


@pytest.mark.parametrize(("family", "pairs"), [(1, 4), (FAMILY, 4), (FAMILY + 1, 8), (60, 8), (500, 12), (20_000, 20)])
def test_among_more_benchmarks_more_fresh_pairs_confirm_a_fail(family: int, pairs: int) -> None:
    fresh = [0.05 + 0.001 * index for index in range(pairs)]
    assert confirmed(fresh, family) == (FAIL, 0)
    verdict, more = confirmed(fresh[:-1], family)
    assert (verdict, more) == (FAIL, 1), "not before"


def fails_first(log_ratios: list[float]) -> bool:
    looks = (decide(log_ratios[:count], "median", 0.02, 8, patient=True) for count in (4, 5, 6, 8, 12, 20))
    return any(one.verdict == FAIL and one.more == 4 for one in looks)  # four fresh pairs may confirm it


@pytest.mark.parametrize("family", [1, 500])
def test_fresh_pairs_that_are_not_slower_end_it_as_soon_as_ever(family: int) -> None:
    assert confirmed([0.001 * index for index in range(5)], family) == ("pass", 0)


def test_a_throughput_is_confirmed_the_same_way() -> None:
    lower = [-0.05 - 0.001 * index for index in range(16)]
    found = decide(lower, "throughput", 0.02, 8, patient=True, family=500)
    assert (found.verdict, found.confirmed, found.more) == (FAIL, True, 0)
    assert decide(lower[:15], "throughput", 0.02, 8, patient=True, family=500).more == 1


@pytest.mark.parametrize("slower", [0.0, 0.02, 0.04])
def test_the_simulated_rule_is_the_duets(slower: float) -> None:
    values = slower + 0.03 * np.random.default_rng(7).standard_t(4, (60, 20))
    for row, fails in zip(values.tolist(), failed(values, LOOKS), strict=True):
        assert fails_first(row) == fails
    for family in (1, 100, 500):
        again = failed(values, FRESH_LOOKS, share_of(family))
        for row, fails in zip(values.tolist(), again, strict=True):
            assert (confirmed(row, family)[0] == FAIL) == fails


@pytest.mark.parametrize("scatter", [0.01, 0.03, 0.06])
def test_500_unchanged_benchmarks_seldom_fail_in_one_duet(scatter: float) -> None:
    """The bar is 2 % of runs; docs/evidence/statistics.md has the long run."""
    first, (again,) = shares(20_000, scatter, 0.0, (500,))
    assert 1 - (1 - first * again) ** 500 <= 0.04


def test_a_slowdown_of_5_percent_is_not_missed() -> None:
    for family in (20, 500):
        first, (again,) = shares(2000, 0.01, 0.05, (family,))
        assert first * again > 0.999
