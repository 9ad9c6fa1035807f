"""``--processes N``: each benchmark in several processes; and what is left of them when a session is stopped."""

import sys

import pytest
from foreign import UNDISTURBED
from isolated import FORK, SAY, Project, Scenario, Session, run_scenarios

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of this kind are not available here")

COUNTS = (
    SAY
    + """
def test_plain():
    say("plain")

@pytest.mark.parametrize("n", range(3))
def test_counted(benchmark, n):
    say(f"counted {n} {os.getpid()}")
    nth = open("log.txt").read().count(f"counted {n} ")
    if n == 2 and nth == 2:
        os.abort()
    benchmark.extra_info["nth"] = nth
    benchmark.pedantic(sum, args=([1],), rounds=nth + 1)
"""
)
STOPS = """
import pytest
from saying import say

@pytest.mark.parametrize("n", range(3))
def test_counted(benchmark, n):
    say(f"counted {{n}}")
    if open("log.txt").read().count("\\n") == 5:
        {stop}
    benchmark.pedantic(sum, args=([1],), rounds=2)
"""
LATE = (
    SAY
    + """
@pytest.fixture
def ends_badly():
    yield
    if len(open("log.txt").read().split()) == 1:
        os.abort()

def test_crashes_late(benchmark, ends_badly):
    say("late")
    benchmark.pedantic(sum, args=([1],), rounds=2)
"""
)
STOPPING = """
import pytest
from saying import say

@pytest.fixture(scope="module")
def server():
    yield
    say("server stopped")

def test_first(benchmark): benchmark(sum, [1])

def test_stops(benchmark, server, tmp_path):
    say("stops")
    {stop}

def test_last(benchmark): say("last")
"""
STOP = {
    "pytest.exit('enough', 7)": (7, "Exit: enough"),
    "raise KeyboardInterrupt": (pytest.ExitCode.INTERRUPTED, "KeyboardInterrupt"),
}
Sessions = dict[str, tuple[Session, Project]]


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    def stopped(text: str, stop: str, *options: str) -> Scenario:
        return Scenario(("-v", *FORK, *options), {"test_stops": text.format(stop=stop), "saying": SAY})

    return run_scenarios(
        tmp_path_factory,
        {
            "three": Scenario(
                ("-v", *FORK, "--processes=3", "--seed=5", "--junitxml=junit.xml"), {"test_counts": COUNTS}, UNDISTURBED
            ),
            "late": Scenario(("-v", *FORK, "--processes=3"), {"test_late": LATE}),
            "-x": stopped(STOPS, "assert 0", "--processes=3", "-x"),
            "interrupted": stopped(STOPS, "raise KeyboardInterrupt", "--processes=3"),
            **{stop: stopped(STOPPING, stop) for stop in STOP},
        },
    )


@pytest.fixture
def three(sessions: Sessions) -> tuple[Session, Project]:
    return sessions["three"]


def test_each_benchmark_has_its_processes_interleaved_over_the_selection(three: tuple[Session, Project]) -> None:
    session, project = three
    ran = [line.split()[:2] for line in project.logged]
    names = [tuple(line) for line in ran]
    assert names.count(("plain",)) == 1
    passes = [[name for name in names[start:stop] if name != ("plain",)] for start, stop in ((0, 4), (4, 7), (7, 9))]
    assert [len(one) for one in passes] == [3, 3, 2]  # the third was given up after its crash in the second
    assert all(len(set(one)) == len(one) for one in passes)
    pids = [line.split()[2] for line in project.logged if line != "plain"]
    assert len(set(pids)) == 8
    assert session.left == []


def test_rows_pool_what_the_processes_measured(three: tuple[Session, Project]) -> None:
    session, _ = three
    for n in (0, 1):
        row = session.rows[f"test_counted[{n}]"]
        assert row["stats"]["rounds"] == len(row["stats"]["data"]) == 2 + 3 + 4
        assert row["extra_info"]["process_rounds"] == [2, 3, 4]
        assert row["extra_info"]["process_statuses"] == ["ok", "ok", "ok"]
        assert len(row["extra_info"]["process_medians_s"]) == 3
        assert row["extra_info"]["nth"] == 2
    run = session.saved["tailgate_run"]
    assert (run["processes"], run["seed"], run["isolation"], run["start_method"]) == (3, 5, "process", "fork")


def test_a_crash_in_the_second_process_keeps_what_the_first_measured(three: tuple[Session, Project]) -> None:
    session, project = three
    assert session.code == pytest.ExitCode.TESTS_FAILED
    assert session.outcomes == {
        "test_plain": ["PASSED"], "test_counted[0]": ["PASSED"], "test_counted[1]": ["PASSED"],
        "test_counted[2]": ["FAILED"],
    }  # fmt: skip
    assert session.rows["test_counted[2]"]["stats"]["rounds"] == 2
    assert session.rows["test_counted[2]"]["extra_info"]["warnings"] == ["only 1 of 3 processes were measured"]
    assert session.unmeasured["test_counted[2]"][0] == "crashed"
    assert session.lines("^=+ 1 failed, 3 passed")
    assert (project.folder / "junit.xml").read_text().count("<testcase ") == 4


def test_a_crash_in_an_early_processs_teardown_is_no_less_a_failure(sessions: Sessions) -> None:
    session, project = sessions["late"]
    assert session.code == pytest.ExitCode.TESTS_FAILED
    assert session.outcomes["test_crashes_late"] == ["PASSED", "ERROR"]
    assert session.lines(r"^crashed: SIGABRT in ends_badly")
    assert project.logged == ["late"], "it is not tried again in the next pass"
    assert session.rows["test_crashes_late"]["stats"]["rounds"] == 2


@pytest.mark.parametrize(
    ("name", "code"), [("-x", pytest.ExitCode.TESTS_FAILED), ("interrupted", pytest.ExitCode.INTERRUPTED)]
)
def test_stopped_between_the_passes_what_was_measured_counts(sessions: Sessions, name: str, code: int) -> None:
    session, project = sessions[name]
    assert session.code == code
    assert len(project.logged) == 5
    assert set(session.rows) == {f"test_counted[{n}]" for n in range(3)}
    rounds = sorted(row["stats"]["rounds"] for row in session.rows.values())
    assert rounds == [2, 2, 4]
    for row in session.rows.values():
        count = row["stats"]["rounds"] // 2
        assert row["extra_info"]["warnings"][-1] == f"only {count} of 3 processes were measured"
    assert session.left == []


@pytest.mark.parametrize("stop", STOP)
def test_a_test_may_stop_the_session_and_its_fixtures_are_torn_down(sessions: Sessions, stop: str) -> None:
    session, project = sessions[stop]
    code, said = STOP[stop]
    assert session.code == code
    assert session.lines(said)
    assert "INTERNALERROR" not in session.out
    assert project.logged == ["stops", "server stopped"]
    assert set(session.rows) == {"test_first"}
    assert session.left == []
