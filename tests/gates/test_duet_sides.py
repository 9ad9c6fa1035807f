"""A duet's sides: how their benchmarks are matched, what a side can be, and how it calls."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tailgate.errors import TailgateError
from tailgate.gates.duet.base import Base, checked_python, parsed
from tailgate.gates.duet.matching import matched
from tailgate.gates.duet.turn_taking import TurnTaker, warm_round_s
from tailgate.measure.calls import PreparedCall, prepared_call

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""On a loaded machine."""
SECONDS = st.floats(min_value=1e-8, max_value=20.0)


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
