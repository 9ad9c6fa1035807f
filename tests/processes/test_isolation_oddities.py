"""What a sceptical reviewer did to isolation: tests that fork, leave things behind, change the process, have parts."""

import os
import re
from pathlib import Path

import pytest
from foreign import UNDISTURBED
from isolated import CONFTEST, FORK, SPAWN, Project, run_together

BOTH = pytest.mark.parametrize("way", [FORK, SPAWN], ids=["fork", "spawn"])

ODD = """
import logging, os, tempfile
KEPT = []

def test_before(benchmark):
    benchmark(int)

def test_forks_and_returns(benchmark):
    benchmark(int)
    os.fork()

def test_leaves_a_folder_for_exit(benchmark):
    KEPT.append(tempfile.TemporaryDirectory(prefix="left-"))
    benchmark(int)

def test_leaves_a_manager_for_exit(benchmark):
    import multiprocessing
    KEPT.append(multiprocessing.Manager())
    benchmark(int)

def test_logs(benchmark):
    logging.getLogger("project").warning("said by the benchmark")
    benchmark(int)

def test_speaks_of_memory(benchmark):
    raise ValueError("limit: out of memory budget must be positive")

def test_is_no_session(benchmark, request):
    left = [name for name, plugin in request.config.pluginmanager.list_name_plugin() if name.startswith("tailgate-")]
    assert set(left) <= {"tailgate-messenger", "tailgate-spawned"}, left
    benchmark(int)

def test_after(benchmark):
    benchmark(int)
"""


@pytest.mark.alone  # the path of a manager's socket may have 107 bytes, and a worker's folder takes ten of them
@BOTH
def test_odd_benchmarks_cost_themselves_at_most(tmp_path: Path, way: tuple[str, ...]) -> None:
    project = Project(tmp_path, test_odd=ODD)
    found = project.run(*way, "--log-file=log-file.txt")
    assert found.code == 1, found.out
    assert set(found.rows) == {
        "test_before", "test_forks_and_returns", "test_leaves_a_folder_for_exit", "test_leaves_a_manager_for_exit",
        "test_logs", "test_is_no_session", "test_after",
    }  # fmt: skip
    status, reason = found.unmeasured["test_speaks_of_memory"]
    assert status == "failed", "only a type, or a framework's own words, say that memory ran out"
    assert "budget" in reason
    assert not found.left
    assert not project.temporary_files()
    if way is FORK:
        assert "said by the benchmark" in (tmp_path / "log-file.txt").read_text()


STATE = """
import os, signal, resource

def test_the_session_changes_itself():
    os.environ["OMP_NUM_THREADS"] = "7"
    os.umask(0o077)
    os.nice(5)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

def test_benchmark(benchmark):
    umask = os.umask(0)
    benchmark.extra_info.update(
        threads=os.environ.get("OMP_NUM_THREADS"), umask=umask, nice=os.nice(0),
        ignored=signal.getsignal(signal.SIGUSR1) == signal.SIG_IGN,
        files=resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 128,
    )
    benchmark(int)
"""


@BOTH
def test_what_the_session_does_to_itself_is_not_passed_on(tmp_path: Path, way: tuple[str, ...]) -> None:
    found = Project(tmp_path, test_state=STATE).run(*way)
    assert found.code == 0, found.out
    info = found.rows["test_benchmark"]["extra_info"]
    assert {key: info[key] for key in ("threads", "nice", "ignored", "files")} == {
        "threads": None, "nice": os.nice(0), "ignored": False, "files": False,
    }  # fmt: skip
    assert info["umask"] != 0o077


IMPORTS = """
from other import work
def test_it(benchmark):
    with open("counter.txt", "a") as file:
        file.write("x")
    benchmark(work)
"""


def importing(folder: Path) -> Project:
    return Project(folder, test_imports=IMPORTS, other="def work(): return 1\n")


def test_without_git_any_python_file_of_the_project_counts(tmp_path: Path) -> None:
    project = importing(tmp_path)
    assert project.run(*FORK).code == 0
    again = project.run(*FORK, "--resume")
    assert "1 already finished" in again.out
    assert (tmp_path / "counter.txt").read_text() == "x"
    project.write("other.py", "def work(): return 2\n")
    changed = project.run(*FORK, "--resume")
    assert "1 measured again, because the code changed or is not known" in changed.out
    assert (tmp_path / "counter.txt").read_text() == "xx"


def test_a_file_that_is_no_journal_is_not_overwritten(tmp_path: Path) -> None:
    project = importing(tmp_path)
    precious = "print('precious')\n"
    project.write("precious.py", precious)
    found = project.run(*FORK, "--journal=precious.py")
    assert found.code == 4
    assert found.lines("it is not a journal, and would be overwritten")
    assert (tmp_path / "precious.py").read_text() == precious


WARNED = """
import os, signal
def test_it(benchmark):
    benchmark.extra_info["warnings"] = "a test's own text"
    benchmark(int)
    if os.path.exists("once.txt"):
        os.kill(os.getpid(), signal.SIGINT)
    open("once.txt", "w").close()
"""


def test_a_tests_own_warnings_do_not_stand_in_the_way_of_saving(tmp_path: Path) -> None:
    found = Project(tmp_path, test_warned=WARNED).run(*FORK, "--processes=3")
    assert found.code == 2, found.out
    assert found.rows["test_it"]["extra_info"]["warnings"] == "a test's own text"


def test_the_longest_time_out_is_bounded(tmp_path: Path) -> None:
    found = importing(tmp_path).run(*FORK, "--benchmark-timeout=1e9")
    assert found.code == 4
    assert found.lines("allowed: seconds above 0, up to 1,000,000")


TAKEN = """
import os, pytest
SESSION = os.getpid()

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item):
    return True if item.name == "test_taken" and os.getpid() != SESSION else None
"""


def test_a_benchmark_that_another_plug_in_took_is_a_failure_and_not_passed_over(tmp_path: Path) -> None:
    project = Project(tmp_path, test_two="def test_taken(benchmark): pass\ndef test_b(benchmark): benchmark(int)\n")
    project.write("conftest.py", CONFTEST + TAKEN)
    found = project.run("-v", *FORK)
    assert found.code == 1, found.out
    assert found.outcomes == {"test_taken": ["ERROR"], "test_b": ["PASSED"]}
    status, reason = found.unmeasured["test_taken"]
    assert status == "failed"
    assert "its process ended without a report" in reason


SUBTESTS = """
import pytest

@pytest.mark.parametrize("wrong", [0, 1, 2])
def test_parts(benchmark, subtests, wrong):
    benchmark.pedantic(int, rounds=2)
    for part in range(3):
        with subtests.test("part", part=part):
            assert part >= wrong
"""
SAID = re.compile(
    r"(PASSED|FAILED|SUBFAILED\S*|SUBPASSED\S*|contains \d failed subtests?|\d+ failed, \d+ .*?) *(?:\[|in |$)"
)


def test_a_failed_subtest_fails_its_test_as_in_the_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    ways = {"none": ("--isolation=none",), "fork": FORK, "spawn": SPAWN}
    projects = [
        Project(tmp_path_factory.mktemp(name), test_parts=SUBTESTS, conftest=CONFTEST + UNDISTURBED) for name in ways
    ]
    wanted = [(project, ("-v", "--csv=rows.csv", *way)) for project, way in zip(projects, ways.values(), strict=True)]
    sessions = dict(zip(ways, run_together(*wanted), strict=True))
    for name, session in sessions.items():
        assert session.code == pytest.ExitCode.TESTS_FAILED
        assert session.outcomes == {
            "test_parts[0]": ["PASSED"], "test_parts[1]": ["FAILED"], "test_parts[2]": ["FAILED"],
        }, name  # fmt: skip
        assert SAID.findall(session.out) == SAID.findall(sessions["none"].out)
        assert session.lines("contains 1 failed subtest$")
        assert session.lines("contains 2 failed subtests$")
        assert session.saved["tailgate_run"]["measured"] == 3, "a passed subtest is no measurement of its own"
    for project in projects:
        rows = (project.folder / "rows.csv").read_text().splitlines()[1:]
        assert sum(",ok," in row for row in rows) == 3, rows


BLOCKED = """
import signal

def test_it(benchmark):
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    benchmark(int)
"""


def test_ctrl_c_reaches_a_benchmark_whose_session_was_started_with_it_blocked(tmp_path: Path) -> None:
    """As Ray starts what a task runs."""
    project = Project(tmp_path, test_blocked=BLOCKED)
    project.write("blocking.py", "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})\n")
    found = project.run(*FORK, "-p", "blocking")
    assert found.code == 0, found.out
    assert set(found.rows) == {"test_it"}
