"""The calibration kernel, what is said of its times, and waiting for the others."""

import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suite import printed

from tailgate.machine.trust import Calibration, Reading, calibrate, compared, drift, remark, typical, wait_until_quiet
from tailgate.machine.trust.drift import MOST_COMPUTE_CHANGE_REL, MOST_MEMORY_CHANGE_REL

BASE = Calibration(compute_s=0.001, memory_s=0.002)


def times(compute: float = 1.0, memory: float = 1.0) -> Calibration:
    """``BASE`` times these."""
    return Calibration(BASE.compute_s * compute, BASE.memory_s * memory)


def test_the_kernel_takes_time_and_starts_no_thread() -> None:
    threads = threading.active_count()
    seen = calibrate()
    assert seen.compute_s > 0
    assert seen.memory_s > 0
    assert threading.active_count() == threads


MEMORY = """
import sys
from tailgate.machine.trust import calibrate
def rss_kib():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1])
calibrate(); before = rss_kib(); calibrate(); print(rss_kib() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_its_memory_is_given_back() -> None:
    assert int(printed(MEMORY)) < 8 * 1024


def test_drift_is_the_last_over_the_first() -> None:
    assert drift(BASE, times(1.1, 0.5)) == pytest.approx({"compute_ratio": 1.1, "memory_ratio": 0.5})


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ([], None),
        ([BASE], None),
        ([BASE, BASE], None),
        ([BASE, times(1.04, 1.19)], None),
        ([BASE, times(1.08)], "8% slower at computing (limit 5%)"),
        ([BASE, times(0.9)], "10% faster at computing (limit 5%)"),
        ([BASE, times(1.0, 1.5)], "50% slower at copying memory (limit 20%)"),
        ([BASE, times(1.1, 1.5)], "10% slower at computing (limit 5%) and 50% slower at copying memory (limit 20%)"),
        # One burst, at an end or between, says nothing where there are enough to outvote it.
        ([BASE, times(3, 3), BASE], None),
        ([BASE] * 9 + [times(3, 3)], None),
        ([times(3, 3)] + [BASE] * 9, None),
        ([BASE] * 5 + [times(1.1)] * 5, "10% slower at computing (limit 5%)"),
    ],
)
def test_a_run_in_whose_course_the_machine_changed_says_so(seen: list[Calibration], said: str | None) -> None:
    line = remark(seen)
    if said is None:
        assert line is None
    else:
        assert line.startswith(f"the machine became {said} in the course of this run (calibration kernel): part of a")
        assert "\n" not in line


def test_a_machine_that_is_not_what_it_was_for_the_baseline_says_so() -> None:
    assert compared([BASE, times(3), BASE], [BASE]) is None, "the median of a run"
    assert compared([], [BASE]) is None
    assert compared([BASE], [times(1.07)]) == (
        "the machine is 7% slower at computing (limit 5%) than when the baseline was measured (calibration kernel): "
        "part of a change of that size is not your code; measure both again, in turns"
    )


def test_the_typical_calibration_is_the_median_of_each_part() -> None:
    assert typical([times(1, 3), times(2, 1), times(3, 2)]) == times(2, 2)
    with pytest.raises(ValueError, match="at least one"):
        typical([])


ratios = st.floats(0.1, 10)


@given(ratios, ratios)
def test_nothing_is_said_within_the_limits_and_something_beyond(compute: float, memory: float) -> None:
    beyond = max(compute, 1 / compute) > 1 + MOST_COMPUTE_CHANGE_REL + 1e-9
    beyond = beyond or max(memory, 1 / memory) > 1 + MOST_MEMORY_CHANGE_REL + 1e-9
    within = max(compute, 1 / compute) < 1 + MOST_COMPUTE_CHANGE_REL - 1e-9
    within = within and max(memory, 1 / memory) < 1 + MOST_MEMORY_CHANGE_REL - 1e-9
    for line in (remark([BASE, times(compute, memory)]), compared([BASE], [times(compute, memory)])):
        assert not beyond or line is not None
        assert not within or line is None


def readings(others: list[float | None]) -> Iterator[Reading]:
    """A quarter of a second apart, with so many CPUs' worth of other processes in between."""
    wall_s = busy_s = 10.0
    yield Reading(wall_s, 1.0, frozenset({0, 1}), busy_s=busy_s, steal_s=0.0)
    for cpus in others:
        wall_s += 0.25
        busy_s += 0.25 * (cpus or 0.0)
        yield Reading(wall_s, 1.0, frozenset({0, 1}), busy_s=None if cpus is None else busy_s, steal_s=0.0)


@pytest.mark.parametrize(
    ("others", "limit_s", "quiet", "steps"),
    [
        ([0.0], 10.0, True, 1),
        ([1.0, 1.0, 0.05], 10.0, True, 3),
        ([1.0, 0.2, 0.2, 0.2, 0.0], 1.0, False, 4),
        ([1.0], 0.0, False, 1),
        ([0.0], 0.0, True, 1),
        ([None], 10.0, False, 1),  # it cannot be seen: no use in waiting
    ],
)
def test_waiting_until_the_others_have_finished(
    others: list[float | None], limit_s: float, quiet: bool, steps: int
) -> None:
    slept: list[float] = []
    following = readings(others)
    assert wait_until_quiet(limit_s, read=lambda: next(following), sleep=slept.append) is quiet
    assert slept == [0.25] * steps
