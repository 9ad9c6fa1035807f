"""A duet's turns: how many calls a side makes, in which order, and what the blocks say of a pair."""

import math
import statistics

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tailgate.gates.duet.ratios import block_log_ratio
from tailgate.gates.duet.turns import (
    BLOCK_S,
    LEAST_ROUNDS_OF_P99,
    LONGEST_PRIMED_S,
    MOST_ROUNDS,
    abba,
    authors_turns,
    turns_for,
)

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""On a loaded machine."""
SECONDS = st.floats(min_value=1e-8, max_value=20.0)


@PATIENT
@given(SECONDS, st.integers(1, 1000), st.floats(0.05, 5.0))
def test_blocks_are_short_and_many_and_keep_to_the_wall_time(call_s: float, iterations: int, side_s: float) -> None:
    turns = turns_for(call_s, iterations, side_s)
    assert turns.blocks >= 2
    assert turns.blocks % 2 == 0  # whole A B B A
    round_s = turns.iterations * call_s
    assert turns.iterations >= iterations or round_s * 2 <= side_s or turns.iterations == 1
    assert turns.rounds == 1 or turns.rounds * round_s <= BLOCK_S * 1.5
    if round_s < side_s / 4:
        assert turns.blocks * turns.rounds * round_s == pytest.approx(side_s, rel=0.6)
    assert turns.blocks == 2 or turns.blocks * turns.rounds <= MOST_ROUNDS * 2


def test_a_long_call_is_a_block_by_itself_and_not_primed() -> None:
    turns = turns_for(LONGEST_PRIMED_S * 10)
    assert (turns.rounds, turns.iterations, turns.priming, turns.blocks) == (1, 1, 0, 10)


@pytest.mark.parametrize(
    ("call_s", "calls"),
    [(0.00016, 1550), (0.001, 250), (0.004, 62), (0.0055, 50), (0.0099, 50), (0.0101, 50), (0.013, 38), (0.1, 4)],
)
def test_a_side_has_about_50_blocks_or_half_a_second(call_s: float, calls: int) -> None:
    """A P99 needs 50 calls, so that every call of up to 10 ms has one."""
    turns = turns_for(call_s)
    assert turns.rounds * turns.blocks == calls


@PATIENT
@given(SECONDS, st.integers(1, 100), st.floats(0.001, 1.0), st.floats(0.1, 10.0))
def test_a_p99_gets_its_calls_wherever_there_is_time(
    call_s: float, iterations: int, side_s: float, p99_s: float
) -> None:
    turns = turns_for(call_s, iterations, side_s, p99_s=p99_s)
    fits = 1.1 * LEAST_ROUNDS_OF_P99 * call_s * iterations <= p99_s
    assert turns.rounds * turns.blocks >= LEAST_ROUNDS_OF_P99 or not fits


@PATIENT
@given(st.integers(LEAST_ROUNDS_OF_P99, 200), SECONDS)
def test_an_author_who_counted_enough_rounds_for_a_p99_has_one(rounds: int, round_s: float) -> None:
    turns = authors_turns(rounds, 1, round_s)
    assert LEAST_ROUNDS_OF_P99 <= turns.rounds * turns.blocks <= rounds
    assert turns.blocks >= 2


@PATIENT
@given(st.integers(1, 5000), st.integers(1, 100), st.none() | SECONDS)
def test_an_authors_rounds_are_never_exceeded(rounds: int, iterations: int, round_s: float | None) -> None:
    turns = authors_turns(rounds, iterations, round_s)
    assert 1 <= turns.rounds * turns.blocks <= rounds
    assert (turns.iterations, turns.priming) == (iterations, 0)
    assert rounds == 1 or turns.blocks >= 2


@PATIENT
@given(st.integers(1, 30).map(lambda half: 2 * half), st.sampled_from([0, 1]))
def test_sides_take_turns_so_that_a_drift_cancels(blocks: int, first: int) -> None:
    order = list(abba(blocks, first))
    assert order[:4] == [first, 1 - first, 1 - first, first]
    times: dict[int, list[int]] = {0: [], 1: []}
    for moment, side in enumerate(order):
        times[side].append(moment)
    assert len(times[0]) == len(times[1]) == blocks
    assert statistics.fmean(times[0]) == statistics.fmean(times[1])


@PATIENT
@given(st.lists(st.floats(0.5, 2.0), min_size=8, max_size=40), st.floats(0.5, 2.0), st.integers(1, 5))
def test_a_drift_that_both_sides_share_does_not_move_the_ratio(drift: list[float], slower: float, rounds: int) -> None:
    base = [speed for speed in drift for _ in range(rounds)]
    head = [speed * slower for speed in base]
    assert block_log_ratio(base, head, rounds) == pytest.approx(math.log(slower), abs=1e-9)


def test_one_disturbed_block_does_not_move_the_ratio() -> None:
    base, head = [1.0] * 20, [1.0] * 20
    head[4:6] = [9.0, 9.0]
    assert block_log_ratio(base, head, 2) == 0.0
