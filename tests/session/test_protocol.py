import statistics
from collections.abc import Callable, Iterator
from itertools import chain, repeat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tailgate.measure.clocks import timed_rounds
from tailgate.measure.warmup import warm_up
from tailgate.session.protocol import (
    PRESETS,
    WARMUP_LIMIT_S,
    Protocol,
    is_steady,
    rounds_that_fit,
    rounds_wanted,
    steadiness_rel,
)

QUICK, PAPER, ADAPTIVE = PRESETS["quick"], PRESETS["paper"], PRESETS["adaptive"]


class FakeWork:
    """Calls that take as long as they are told to, on a clock that only they move."""

    def __init__(self, durations_s: Iterator[float], wall_s: Callable[[float], float] = lambda s: s) -> None:
        self.now_s = 0.0
        self.calls = 0
        self.batches: list[int] = []
        self._durations_s = durations_s
        self._wall_s = wall_s

    def rounds_of(self, rounds: int) -> list[float]:
        self.batches.append(rounds)
        self.calls += rounds
        durations_s = [next(self._durations_s) for _ in range(rounds)]
        self.now_s += self._wall_s(sum(durations_s))
        return durations_s

    def warm_up(self, protocol: Protocol) -> tuple[list[float], int, str | None]:
        return warm_up(protocol, self.rounds_of, now=lambda: self.now_s)


@pytest.mark.parametrize(("protocol", "calls"), [(QUICK, 10), (PAPER, 20)])
def test_the_fixed_protocols_warm_up_with_their_own_number_of_calls(protocol, calls):
    work = FakeWork(repeat(0.01))
    assert work.warm_up(protocol) == ([0.01] * calls, calls, None)
    assert work.calls == calls


@pytest.mark.parametrize(
    ("call_s", "max_time_s", "rounds"),
    [
        (0.01, 3.0, 300),
        (0.0125, 1.0, 80),
        (1.0, 3.0, 50),  # at least 50
        (1e-6, 3.0, 2000),  # at most 2,000
        (0.0, 3.0, 2000),
    ],
)
def test_quick_takes_the_rounds_that_fit_between_50_and_2000(call_s, max_time_s, rounds):
    assert QUICK.rounds_after([call_s] * 10, max_time_s) == rounds


@settings(deadline=None)
@given(st.lists(st.just(0.0) | st.floats(1e-9, 100), min_size=1), st.floats(0, 100))
def test_quick_never_leaves_50_to_2000(warm_s, max_time_s):
    assert 50 <= QUICK.rounds_after(warm_s, max_time_s) <= 2000


def test_quick_judges_by_the_median_of_the_warm_calls():
    assert QUICK.rounds_after([0.01] * 9 + [5.0], max_time_s=1.0) == 100


@given(st.lists(st.just(0.0) | st.floats(1e-9, 100), min_size=1), st.floats(0, 100))
def test_paper_always_times_100_rounds(warm_s, max_time_s):
    assert PAPER.rounds_after(warm_s, max_time_s, min_rounds=500) == 100


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_rounds_and_warm_up_given_by_hand_win_over_every_protocol(preset):
    protocol = preset.overridden(rounds=7, warmup_rounds=3)
    assert protocol.rounds_after([1e-9], 100.0, min_rounds=50) == 7
    assert FakeWork(repeat(0.01)).warm_up(protocol)[1] == 3
    assert protocol.name == preset.name


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_nothing_given_by_hand_leaves_a_protocol_as_it_is(preset):
    assert preset.overridden(rounds=None, warmup_rounds=None) == preset


def test_no_warm_up_rounds_still_make_one_call_to_learn_how_long_it_takes():
    work = FakeWork(repeat(0.01))
    assert work.warm_up(QUICK.overridden(None, 0)) == ([0.01], 1, None)


@pytest.mark.parametrize("protocol", [QUICK, ADAPTIVE], ids=["quick", "adaptive"])
def test_a_markers_min_rounds_are_respected(protocol):
    slow = [10.0] * 10
    assert protocol.rounds_after(slow, 1.0, min_rounds=80) == 80
    assert protocol.rounds_after(slow, 1.0, min_rounds=5) == protocol.min_rounds


@pytest.mark.parametrize(("least", "most", "rounds"), [(5, 1000, 100), (200, 1000, 200), (5, 50, 50), (60, 50, 60)])
def test_rounds_that_fit_stay_within_least_and_most_and_least_wins(least, most, rounds):
    assert rounds_that_fit(0.01, 1.0, least, most) == rounds


@pytest.mark.parametrize("batches", range(8))
def test_fewer_than_8_batches_are_never_steady(batches):
    assert steadiness_rel([1.0] * batches) is None
    assert not is_steady([1.0] * batches)


def test_eight_equal_batches_are_steady():
    assert is_steady([1.0] * 8)


@pytest.mark.parametrize(("spread", "steady"), [(0.01, True), (0.02, True), (0.05, False), (0.2, False)])
def test_steady_means_within_2_percent(spread, steady):
    # t(0.975, 7) = 2.365: the half-width of eight values 1 ± spread is about 0.89 spread.
    medians_s = [1 - spread, 1 + spread] * 4
    assert is_steady(medians_s) is steady
    assert steadiness_rel(medians_s) == pytest.approx(0.8938 * spread, rel=1e-3)


def test_a_slow_start_fades_out_of_the_judgement():
    assert not is_steady([5.0, 4.0, 3.0, 2.0] + [1.0] * 7)
    assert is_steady([5.0, 4.0, 3.0, 2.0] + [1.0] * 8)


def test_adaptive_warms_up_until_eight_batches_of_a_quarter_second_agree():
    work = FakeWork(repeat(0.25))
    warm_s, calls, warning = work.warm_up(ADAPTIVE)
    assert (calls, warning) == (8, None)
    assert warm_s == [0.25] * 8


def test_adaptive_batches_short_calls_into_quarter_seconds():
    work = FakeWork(repeat(0.001))
    warm_s, calls, warning = work.warm_up(ADAPTIVE)
    assert work.batches == [1] + [250] * 8  # the first call only shows how many make a batch
    assert (len(warm_s), calls, warning) == (2000, 2001, None)


def test_adaptive_keeps_the_slow_start_out_of_the_warm_calls():
    work = FakeWork(chain([2.0, 1.5, 1.0, 0.5], repeat(0.25)))
    warm_s, calls, warning = work.warm_up(ADAPTIVE)
    assert set(warm_s) == {0.25}
    assert (calls, warning) == (12, None)


def test_adaptive_gives_up_after_its_limit_and_says_so():
    work = FakeWork(chain.from_iterable(repeat([0.2, 0.6])))
    warm_s, calls, warning = work.warm_up(ADAPTIVE)
    assert warning.startswith(f"not steady after {WARMUP_LIMIT_S:g} s of warm-up: ±")
    assert warning.endswith("wanted ±2%")
    assert work.now_s <= WARMUP_LIMIT_S + 0.6
    assert warm_s
    assert calls == work.calls


def test_a_call_longer_than_the_limit_ends_the_warm_up_with_what_was_seen():
    warm_s, calls, warning = FakeWork(repeat(40.0)).warm_up(ADAPTIVE)
    assert (warm_s, calls) == ([40.0], 1)
    assert "only 1 batches of calls" in warning


def test_giving_up_before_the_first_whole_batch_still_returns_warm_calls():
    # A timer that does not count waiting (time.process_time): calls look short, the wall clock runs on.
    warm_s, _, warning = FakeWork(repeat(0.01), wall_s=lambda _: 40.0).warm_up(ADAPTIVE)
    assert warning is not None
    assert warm_s


def test_adaptive_takes_368_rounds_where_the_calls_do_not_vary():
    assert ADAPTIVE.rounds_after([0.01] * 100, max_time_s=1.0) == 368


def test_adaptive_takes_more_rounds_the_more_the_calls_vary():
    varied = [0.0100, 0.0104] * 50  # the median's interval is ±1.96 % wide; ±1 % takes 1.96² times as many
    assert ADAPTIVE.rounds_after(varied, max_time_s=1e6) == rounds_wanted(varied) == 385


def test_adaptive_stops_wishing_at_20000_rounds():
    assert ADAPTIVE.rounds_after([0.010, 0.015] * 50, max_time_s=1e6) == 20_000


def test_adaptive_takes_no_more_rounds_than_fit_ten_times_the_budget():
    assert ADAPTIVE.rounds_after([0.1] * 100, max_time_s=1.0) == 100
    assert ADAPTIVE.rounds_after([0.010, 0.015] * 50, max_time_s=1.0) == 800


WARM_S = st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=50)


@settings(deadline=None)
@given(warm_s=WARM_S, max_time_s=st.floats(0.01, 100), min_rounds=st.integers(1, 100))
def test_adaptive_rounds_are_at_least_368_where_they_fit_and_never_more_than_fit(warm_s, max_time_s, min_rounds):
    rounds = ADAPTIVE.rounds_after(warm_s, max_time_s, min_rounds)
    least = max(50, min_rounds)
    fitting = max(least, min(20_000, int(max_time_s * 10 / statistics.median(warm_s))))
    assert least <= rounds <= fitting
    assert rounds >= min(368, fitting)


@pytest.mark.parametrize("samples", [[0.01], [0.01] * 5])
def test_too_few_warm_calls_want_no_rounds_of_their_own(samples):
    assert rounds_wanted(samples) == 1


@pytest.mark.parametrize(("args", "kwargs"), [((), {}), ((1,), {}), ((1, 2), {}), ((), {"b": 2}), ((1,), {"b": 2})])
@pytest.mark.parametrize(("rounds", "iterations"), [(3, 1), (2, 5)])
def test_every_round_calls_with_the_arguments_and_is_timed_on_its_own(args, kwargs, rounds, iterations):
    seen = []
    ticks = iter(range(100))
    durations_s = timed_rounds(
        lambda *a, **k: seen.append((a, k)), args, kwargs, rounds, iterations, lambda: float(next(ticks))
    )
    assert durations_s == [1.0] * rounds
    assert seen == [(args, kwargs)] * (rounds * iterations)
