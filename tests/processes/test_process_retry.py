"""The second try of a contended benchmark: what is kept, and that no failure is hidden."""

from typing import Any

import pytest

from tailgate.processes.attempt import Attempt
from tailgate.processes.endings import Ending
from tailgate.processes.pooling import better

CRASH = Ending("crashed", "crashed: SIGSEGV")
PASSED = ["passed", "passed", "passed"]


def attempt(outcomes: list[str], median_s: float | None = None, busy: float | None = None, **more: Any) -> Attempt:
    info = {} if busy is None else {"status": "contended", "other_cpus_busy": busy}
    rows = [] if median_s is None else [{"fullname": "test_a.py::test_a", "data": [median_s], "extra_info": info}]
    return Attempt(reports=[{"outcome": outcome} for outcome in outcomes], rows=rows, **more)


def contended(busy: float = 1.0) -> Attempt:
    return attempt(PASSED, 1.0, busy, final_message={"in_order": True})


@pytest.mark.parametrize(
    "second",
    [
        attempt(["passed"], ending=CRASH),
        attempt(["passed", "passed"], 2.0, ending=CRASH),  # in its teardown
        attempt(["passed", "failed", "passed"]),
        attempt(["passed", "passed", "failed"], 2.0),
        attempt(PASSED, 2.0, final_message={"internal_error": "Traceback"}),
    ],
    ids=["crash", "crash in teardown", "failure", "failure in teardown", "internal error"],
)
def test_a_failure_of_the_second_try_is_what_came_of_it_and_the_first_ones_row_is_kept(second: Attempt) -> None:
    first = contended()
    kept = better(first, second)
    assert kept is second
    assert kept.failed
    assert not kept.measured, "so it is not journaled, and the session fails"
    (row,) = kept.rows
    assert (row["data"], row["extra_info"]["tries"]) == ([1.0], 2)
    assert row["extra_info"]["status"] == "contended"


def test_where_the_second_try_was_skipped_the_first_counts() -> None:
    first = contended()
    assert better(first, attempt(["skipped", "passed"])) is first


def test_where_the_second_try_stopped_the_session_the_first_counts_and_it_stops() -> None:
    first = contended()
    kept = better(first, attempt(["passed"], final_message={"in_order": True, "exit": ("enough", 7)}))
    assert kept is first
    assert kept.final_message["exit"] == ("enough", 7)


@pytest.mark.parametrize(
    ("second", "kept_s", "discarded_s"),
    [
        (attempt(PASSED, 9.0), 9.0, 1.0),  # not contended: slower or not
        (attempt(PASSED, 9.0, 0.5), 9.0, 1.0),
        (attempt(PASSED, 0.5, 1.5), 1.0, 0.5),
    ],
    ids=["quiet", "less disturbed", "more disturbed"],
)
def test_of_two_measured_tries_the_less_disturbed_is_kept(second: Attempt, kept_s: float, discarded_s: float) -> None:
    (row,) = better(contended(), second).rows
    assert row["data"] == [kept_s]
    assert (row["extra_info"]["tries"], row["extra_info"]["discarded_median_s"]) == (2, discarded_s)
