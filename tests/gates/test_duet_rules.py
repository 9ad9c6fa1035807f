"""The duet's pure parts: turns, matching, what a side is, when there are enough pairs and what they say."""

import math
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tailgate.errors import TailgateError
from tailgate.gates.duet.base import Base, checked_python, parsed
from tailgate.gates.duet.decision import FRESH_LOOKS, LOOKS, decide
from tailgate.gates.duet.matching import matched
from tailgate.gates.duet.ratios import block_log_ratio
from tailgate.gates.duet.turn_taking import TurnTaker, warm_round_s
from tailgate.gates.duet.turns import (
    BLOCK_S,
    LEAST_ROUNDS_OF_P99,
    LONGEST_PRIMED_S,
    MOST_ROUNDS,
    abba,
    authors_turns,
    turns_for,
)
from tailgate.measure.calls import PreparedCall, prepared_call
from tailgate.stats.decision import FAIL, IMPROVED, PASS, UNDECIDED
from tailgate.stats.paired import paired

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


@pytest.mark.parametrize(("rounds", "warmup_rounds", "iterations"), [(1, 0, 1), (5, 2, 1), (3, 0, 4)])
def test_a_pedantic_call_is_made_as_often_as_pytest_benchmark_would(
    rounds: int, warmup_rounds: int, iterations: int
) -> None:
    called: list[int] = []
    call = prepared_call(called.append, (1,), rounds=rounds, warmup_rounds=warmup_rounds, iterations=iterations)
    home = FakeHome([(1, iterations, 0), None])
    TurnTaker(home).take_prepared(call, time.perf_counter)  # type: ignore[arg-type]
    call.finish(time.perf_counter)
    assert len(called) == (warmup_rounds + rounds) * iterations + (iterations > 1)


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


NAMES = st.lists(
    st.builds("{}[{}]".format, st.sampled_from(["test_a", "test_b"]), st.sampled_from("tuvwxyz")), unique=True
)


@PATIENT
@given(NAMES, NAMES, st.booleans())
def test_matching_uses_every_benchmark_once(base: list[str], head: list[str], by_order: bool) -> None:
    found = matched(base, head, by_order=by_order)
    assert sorted([*(one for one, _ in found.pairs), *found.missing]) == sorted(base)
    assert sorted([*(other for _, other in found.pairs), *found.new]) == sorted(head)
    same = set(base) & set(head)
    assert {(name, name) for name in same} <= set(found.pairs)
    if not by_order:
        assert len(found.pairs) == len(same)


def test_another_configuration_is_matched_in_order() -> None:
    found = matched(["t[a-t1]", "t[b-t1]", "u"], ["t[a-t2]", "t[b-t2]", "u"], by_order=True)
    assert found.pairs == (("t[a-t1]", "t[a-t2]"), ("t[b-t1]", "t[b-t2]"), ("u", "u"))
    assert not found.missing
    assert not found.new


def test_different_numbers_are_not_matched_in_order() -> None:
    found = matched(["t[a-t1]"], ["t[a-t2]", "t[b-t2]"], by_order=True)
    assert (found.pairs, found.missing, found.new) == ((), ("t[a-t1]",), ("t[a-t2]", "t[b-t2]"))


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("main", Base(ref="main")),
        ("HEAD~3", Base(ref="HEAD~3")),
        ("python:.venv/bin/python", Base(python=".venv/bin/python")),
        ("main,python:/x y/python", Base(ref="main", python="/x y/python")),
        ("python:/x,v1.0", Base(ref="v1.0", python="/x")),
        ("option:--threads=1", Base(options=("--threads=1",))),
        ("option:--threads=1 -o 'tailgate_seed=1 2'", Base(options=("--threads=1", "-o", "tailgate_seed=1 2"))),
    ],
)
def test_what_a_side_can_be(text: str, base: Base) -> None:
    assert parsed(text) == base
    assert base.label


@pytest.mark.parametrize("text", ["option:", "option:threads", "option:'", "a,b", "python:a,python:b", "-x", "a,"])
def test_what_a_side_cannot_be(text: str) -> None:
    with pytest.raises(TailgateError, match="--duet: ") as failed:
        parsed(text)
    assert "\n" not in str(failed.value)


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TailgateError, match=r"--duet: python:nowhere/python is not there"):
        checked_python("nowhere/python", tmp_path)


def test_a_python_without_packages(tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho pytest_benchmark scipy\n")
    fake.chmod(0o755)
    with pytest.raises(TailgateError, match=r"lacks pytest_benchmark, scipy: .*pip install pytest-benchmark scipy$"):
        checked_python("./python", tmp_path)


def test_a_python_that_is_none(tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\nexit 3\n")
    fake.chmod(0o755)
    with pytest.raises(TailgateError, match="does not run as a Python"):
        checked_python(str(fake), tmp_path)


@dataclass
class FakeHome:
    """The parent's end, with its orders written down beforehand."""

    orders: list[Any]
    sent: list[Any] = field(default_factory=list)

    def send(self, message: Any) -> None:
        self.sent.append(message)

    def receive(self) -> Any:
        return self.orders.pop(0)


def test_a_side_calls_at_the_parents_word_and_keeps_the_primed_rounds_to_itself() -> None:
    called: list[tuple[int, int]] = []

    def rounds_of(rounds: int, iterations: int) -> list[float]:
        called.append((rounds, iterations))
        return [0.5] * rounds

    home = FakeHome([(3, 2, 1), (4, 2, 0), None])
    taken = TurnTaker(home).take(rounds_of, lambda call_s: 2)  # type: ignore[arg-type]
    kind, ready = home.sent[0]
    assert kind == "ready"
    assert ready["call_s"] not in (0, 0.25, 0.5)  # by the wall clock, whatever the timer says
    assert (ready["iterations"], ready["fixed"]) == (2, None)
    assert [(kind, block[0]) for kind, block in home.sent[1:]] == [("block", [0.5] * 3), ("block", [0.5] * 4)]
    assert called[-3:] == [(1, 2), (3, 2), (4, 2)]
    assert taken.iterations == 2


def test_warming_up_ends_after_ten_calls_or_half_a_second() -> None:
    clock = iter(float(step) for step in range(1000))
    calls = 0

    def rounds_of(rounds: int, iterations: int) -> list[float]:
        nonlocal calls
        calls += 1
        return [0.1]

    warm_round_s(rounds_of, lambda: 0.0)
    assert calls == 10
    calls = 0
    timed_s, wall_s = warm_round_s(rounds_of, lambda: next(clock))
    assert calls == 2
    assert (timed_s, wall_s) == (0.1, 1.0)


def test_a_prepared_call_times_the_call_alone() -> None:
    log: list[Any] = []
    clock = iter([1.0, 1.25])
    call = PreparedCall(
        target=lambda *args, **kwargs: log.append(("call", args, kwargs)),
        args=(),
        kwargs={},
        setup=lambda: ((1,), {"a": 2}),
        teardown=lambda *args, **kwargs: log.append(("down", args, kwargs)),
    )
    assert call.timed(lambda: next(clock)) == 0.25
    assert log == [("call", (1,), {"a": 2}), ("down", (1,), {"a": 2})]


def test_a_bare_call_has_no_frame_of_ours() -> None:
    def frames(*args: int, key: int) -> tuple[Any, ...]:
        return args, key, sys._getframe(1).f_code.co_name

    here = "test_a_bare_call_has_no_frame_of_ours"
    assert prepared_call(frames, (1,), {"key": 2}).bare() == ((1,), 2, here)
    done: list[int] = []
    with_setup = prepared_call(done.append, setup=lambda: ((3,), {}), teardown=done.append)
    with_setup.bare()
    assert done == [3, 3]


def test_a_prepared_call_has_one_source_of_arguments() -> None:
    with pytest.raises(TypeError, match="setup"):
        PreparedCall(print, (1,), {}, setup=lambda: ((1,), {})).once()


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
