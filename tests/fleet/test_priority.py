"""A session has the priority of the raylet, and not that of Ray's workers."""

import os
import threading
from pathlib import Path

import pytest

from tailgate.fleet.priority import take_after


def in_a_thread(work) -> list:  # type: ignore[no-untyped-def, type-arg]
    """What it returns: a thread has a nice value of its own, and this one's is thrown away with it."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found


def test_the_raylets_priority_is_taken_or_missed_in_one_line() -> None:
    def work() -> tuple[int, str | None, int]:
        before = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, 0, 15)
        return before, take_after(os.getppid()), os.getpriority(os.PRIO_PROCESS, 0)

    ((_, lacks, after),) = in_a_thread(work)
    parents = os.getpriority(os.PRIO_PROCESS, os.getppid())
    assert (lacks is None) == (after == parents)
    assert lacks is None or "RAY_worker_niceness=0" in lacks


def test_without_the_right_to_it_the_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "setpriority", refused)
    assert "runs at nice" in str(take_after(os.getppid()))


def test_what_the_out_of_memory_killer_is_told_is_the_raylets(tmp_path: Path) -> None:
    for name, score in (("self", "1000\n"), (str(os.getppid()), "0\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "oom_score_adj").write_text(score)
    in_a_thread(lambda: take_after(os.getppid(), tmp_path))
    assert (tmp_path / "self" / "oom_score_adj").read_text() == "0\n"


def test_a_raylet_that_is_gone_changes_nothing() -> None:
    assert take_after(None) is None
    assert take_after(2**22 + 1) is None
