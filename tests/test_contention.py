import pytest

from tailgate.contention import Reading, judge, read, reason
from tailgate.cpus import usable_cpus


@pytest.mark.parametrize(
    ("others", "steal", "threads", "cpus", "contended"),
    [
        (0.0, 0.0, 2, 2, False),
        (0.2, 0.0, 2, 2, False),  # the background of any machine
        (0.9, 0.0, 2, 2, True),
        (0.9, 0.0, 1, 2, False),  # the other CPU was free for it
        (1.4, 0.0, 1, 2, True),
        (0.9, 0.0, 4, 2, True),
        (0.0, 0.2, 1, 2, True),
        (0.0, 0.05, 1, 2, False),
    ],
)
def test_contended_is_more_wanted_than_there_is(
    others: float, steal: float, threads: int, cpus: int, contended: bool
) -> None:
    assert (reason(others, steal, threads, cpus) is not None) is contended


def test_the_reason_says_how_much_and_of_what() -> None:
    assert reason(0.9, 0.0, 2, 2) == "contended: other processes used 0.90 of 2 CPUs while 2 were wanted here"


def test_own_time_is_not_the_others() -> None:
    before = Reading(wall_s=0, busy_s=10, steal_s=1, own_s=5, involuntary_switches=3)
    after = Reading(wall_s=2, busy_s=14, steal_s=1, own_s=8, involuntary_switches=10)
    fields, _ = judge(before, after, threads=1)
    assert fields == {"other_cpus_busy": 0.5, "steal_cpus": 0.0, "involuntary_switches": 7}


def test_what_is_too_short_to_judge_is_unknown_not_zero() -> None:
    before = Reading(0, 0, 0, 0, 0)
    fields, why = judge(before, Reading(0.1, 0.1, 0, 0, 0), threads=usable_cpus())
    assert set(fields.values()) == {None}
    assert why is None
    assert judge(None, None, threads=1)[0]["steal_cpus"] is None


def test_the_kernels_accounts_only_grow() -> None:
    first, second = read(), read()
    assert first is not None
    assert second is not None
    assert second.busy_s >= first.busy_s
    assert second.wall_s > first.wall_s
