"""``--load`` in real sessions: servers of one queue, one that dies, a search that Ctrl-C ends, a row like any other."""

import os
import re
import signal
import sys
import time
from typing import Any

import pytest
from isolated import FORK, SAY, Project, Session, adopting, run_scenarios
from isolated import Scenario as Sc

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="benchmarks have processes of their own")

WORK = (
    SAY
    + """
calls = 0

def work():
    time.sleep(0.001)

def first():
    try:
        os.close(os.open(os.path.join(os.environ["TMPDIR"], "..", "first"), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True
"""
)
ONE = WORK + "\ndef test_work(benchmark):\n    benchmark(work)\n"
DIES = (
    WORK
    + """
def test_one_dies(benchmark):
    dies, begin_s = first(), time.monotonic()
    def call():
        global calls
        calls += 1
        time.sleep(0.001)
        if dies and time.monotonic() - begin_s > 2.5:  # the closed loop lasts a second
            os.kill(os.getpid(), signal.SIGKILL)
    benchmark(call)

def test_after_it(benchmark):
    benchmark(work)
"""
)
MANY = (
    WORK
    + """
import unittest

def test_work(benchmark):
    benchmark(work)

class TestClass:
    @pytest.mark.parametrize("n", [1])
    def test_method(self, benchmark, n):
        benchmark(work)

def test_pedantic(benchmark):
    benchmark.pedantic(work, rounds=3, iterations=2)

def test_asks_late(request):
    request.getfixturevalue("benchmark")(work)

def test_fails_later(benchmark):
    begin_s = time.monotonic()
    failed = []
    def call():
        time.sleep(0.001)
        if not failed and time.monotonic() - begin_s > 2.0:
            failed.append(1)
            raise KeyError("request")
    benchmark(call)

def test_plain():
    pass
"""
)
ENDS = (
    WORK
    + """
def ends_by(benchmark, end):
    begin_s = time.monotonic()
    def call():
        time.sleep(0.001)
        if time.monotonic() - begin_s > 2.5:  # the closed loop lasts a second
            end()
    benchmark(call)

def test_skips(benchmark):
    ends_by(benchmark, lambda: pytest.skip("no more"))

def test_exits(benchmark):
    ends_by(benchmark, lambda: sys.exit(3))
"""
)
FAILS_BEFORE = """
def test_fails_at_500(benchmark):
    made = []
    def call():
        made.append(1)
        if len(made) == 500:
            raise KeyError("call")
    benchmark(call)
"""
NO_ROOM = """
import resource

def pytest_collection_finish():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
"""
RATE = "--load=constant:300"
SCENARIOS = {
    "two": Sc((*FORK, "--servers=2", RATE, "--load-seconds=1.5"), {"test_it": ONE}),
    "more than CPUs": Sc((*FORK, "--servers=9", RATE, "--load-seconds=1"), {"test_it": ONE}),
    "one dies": Sc((*FORK, "--servers=2", RATE, "--load-seconds=4"), {"test_it": DIES}),
    "none": Sc((RATE, "--load-seconds=1.5", "-rs", "-v", "--csv=rows.csv"), {"test_it": MANY}),
    "process": Sc((*FORK, RATE, "--load-seconds=1.5", "-rs", "-v"), {"test_it": MANY}),
    "CPU time": Sc((RATE, "--benchmark-timer=time.process_time"), {"test_it": ONE}),
    "too hard": Sc(("--load=peak", "--load-limit=p99=0.5ms"), {"test_it": ONE}),
    "too hard for two": Sc((*FORK, "--servers=2", "--load=peak", "--load-limit=p99=0.5ms"), {"test_it": ONE}),
    "no room": Sc((*FORK, "--servers=2", "--load=constant:20000", "--load-seconds=1"), {"test_it": ONE}, NO_ROOM),
    "too slow": Sc(("--load=constant:0.0001%",), {"test_it": ONE}),
    "both end": Sc((*FORK, "--servers=2", RATE, "--load-seconds=3", "-rsf"), {"test_it": ENDS}),
    "fails before": Sc(("--load=constant:9000", "--load-seconds=0.01"), {"test_it": FAILS_BEFORE}),
    "two fail before": Sc((*FORK, "--servers=2", "--load=constant:9000"), {"test_it": FAILS_BEFORE}),
}
Sessions = dict[str, tuple[Session, Project]]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    return run_scenarios(tmp_path_factory, SCENARIOS)


def info_of(session: Session, name: str) -> dict[str, Any]:
    found: dict[str, Any] = session.rows[name]["extra_info"]
    return found


def test_nothing_is_left_of_any_session(sessions: Sessions) -> None:
    for session, project in sessions.values():
        assert session.left == []
        assert project.temporary_files() == []


@pytest.mark.parametrize(("scenario", "servers", "requests"), [("two", 2, 450), ("more than CPUs", 9, 368)])
def test_servers_of_one_queue_are_one_row_with_every_request(
    sessions: Sessions, scenario: str, servers: int, requests: int
) -> None:
    session, _ = sessions[scenario]
    assert session.code == 0, session.out
    (row,) = session.rows.values()
    info = row["extra_info"]
    assert (info["load_servers"], info["load_requests"], info["load_failed_requests"]) == (servers, requests, 0)
    assert row["stats"]["rounds"] == len(row["stats"]["data"]) == requests
    assert min(row["stats"]["data"]) >= 0.001


def test_more_servers_than_cpus_are_marked(sessions: Sessions) -> None:
    assert len(os.sched_getaffinity(0)) < 9
    assert info_of(sessions["more than CPUs"][0], "test_work[constant:300]")["status"] in (
        "oversubscribed", "late", "contended", "overloaded",
    )  # fmt: skip


def test_a_server_that_dies_is_said_and_the_others_go_on(sessions: Sessions) -> None:
    session, _ = sessions["one dies"]
    info = info_of(session, "test_one_dies[constant:300]")
    assert (info["status"], info["load_valid"]) == ("errors", False)
    assert any("of 2 died (crashed: SIGKILL" in text and "the others went on" in text for text in info["warnings"])
    assert 0 < info["load_requests"] < 1200
    assert info_of(session, "test_after_it[constant:300]")["load_requests"] == 1200


@pytest.mark.parametrize("scenario", ["none", "process"])
def test_every_kind_of_test_has_its_row(sessions: Sessions, scenario: str) -> None:
    session, _ = sessions[scenario]
    assert session.code == 0, session.out
    assert set(session.rows) == {
        "test_work[constant:300]", "test_method[1-constant:300]", "test_asks_late", "test_fails_later[constant:300]",
    }  # fmt: skip
    assert session.outcomes["test_plain"] == ["PASSED"]
    assert session.outcomes["test_pedantic[constant:300]"] == ["SKIPPED"]
    assert session.lines("SKIPPED.*benchmark.pedantic counts its own calls, rounds and set-ups")
    assert {info["load_arrivals"] for row in session.rows.values() for info in [row["extra_info"]]} == {"constant:300"}
    failed = info_of(session, "test_fails_later[constant:300]")
    assert (failed["status"], failed["load_failed_requests"], failed["load_valid"]) == ("errors", 1, False)
    assert any("KeyError: 'request'" in text for text in failed["warnings"])


def test_both_ways_give_the_same_fields(sessions: Sessions) -> None:
    name = "test_work[constant:300]"
    one, other = (sessions[scenario][0].rows[name] for scenario in ("none", "process"))
    assert set(one["stats"]) == set(other["stats"])
    loads = [{field for field in row["extra_info"] if field.startswith("load_")} for row in (one, other)]
    assert loads[0] == loads[1]
    assert loads[0] >= {
        "load_arrivals", "load_seed", "load_rate_offered_per_s", "load_rate_served_per_s", "load_requests",
        "load_servers", "load_utilization", "load_wait_p99_s", "load_service_median_s", "load_service_p99_s",
        "load_queue_max", "load_lateness_p99_s", "load_lateness_max_s", "load_valid",
    }  # fmt: skip


def test_the_interval_is_the_same_in_the_row_and_in_its_stats(sessions: Sessions) -> None:
    for row in sessions["none"][0].rows.values():
        for end in ("low", "high"):
            assert row["stats"][f"p99_{end}"] == row["extra_info"][f"load_p99_{end}_s"]


def test_csv_has_the_loads_columns(sessions: Sessions) -> None:
    head, *rows = (sessions["none"][1].folder / "rows.csv").read_text().splitlines()
    assert {"load_arrivals", "load_rate_offered_per_s", "load_requests", "load_valid"} <= set(head.split(","))
    assert len(rows) >= 3


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ("CPU time", "--load needs a wall clock, and --benchmark-timer=process_time is none; leave it out"),
        ("too hard", "--load-limit=p99=0.5ms: the median service time alone is "),
        ("too hard for two", "--load-limit=p99=0.5ms: the median service time alone is "),
        ("no room", "the schedule that the servers share, 20,000 requests, cannot be written to .*320,000 bytes"),
        ("too slow", "--load: constant:0.0001%: 368 requests take .* s, and a benchmark may take 86,400 s; raise"),
    ],
)
def test_what_cannot_be_measured_fails_in_one_line(sessions: Sessions, scenario: str, said: str) -> None:
    session, _ = sessions[scenario]
    assert session.code == 1
    assert session.lines(f"^{said}")
    assert session.lines("^FAILED test_it.py::test_work")
    assert not {"Traceback", "another exception", "INTERNALERROR"} & set(session.out.split())
    assert "another exception" not in session.out


def test_how_all_servers_end_is_how_the_test_ends(sessions: Sessions) -> None:
    session, _ = sessions["both end"]
    assert session.lines("^SKIPPED.*no more")
    assert session.lines("^FAILED test_it.py::test_exits.*server 1 of 2: SystemExit: 3")
    assert session.code == 1


@pytest.mark.parametrize(("scenario", "count"), [("fails before", 1), ("two fail before", 2)])
def test_a_call_that_fails_in_the_closed_loop_is_counted(sessions: Sessions, scenario: str, count: int) -> None:
    session, _ = sessions[scenario]
    assert session.code == 0, session.out
    (row,) = session.rows.values()
    info = row["extra_info"]
    assert (info["status"], info["load_valid"], info["load_failed_requests"]) == ("errors", False, 0)
    text = f"errors: {count} of \\d+ calls of the closed loop failed, the first, call \\d+, with KeyError: 'call'"
    assert any(re.match(text, one) for one in info["warnings"])


def test_ctrl_c_in_a_search_keeps_its_probes(tmp_path: Any) -> None:
    project = Project(tmp_path, test_it=WORK + """
def test_work(benchmark):
    begin_s, said = time.monotonic(), []
    def call():
        time.sleep(0.001)
        if not said and time.monotonic() - begin_s > 5.5:
            said.append(say("searching"))
    benchmark(call)
""")  # fmt: skip
    with adopting():
        session = project.start(*FORK, "--load=peak", "--load-limit=p99=100ms", "--load-seconds=1.5")
        project.await_line("searching")
        time.sleep(0.2)
        os.killpg(session.pid, signal.SIGINT)
        found = project.finish(session)
    assert found.code == 2, found.out
    assert found.left == []
    (row,) = found.rows.values()
    assert row["extra_info"]["status"] == "interrupted"
    assert row["extra_info"]["load_probes"]
    assert any(text.startswith("interrupted: Ctrl-C left ") for text in row["extra_info"]["warnings"])
