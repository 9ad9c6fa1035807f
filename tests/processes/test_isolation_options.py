"""Pytest's and our own options where each benchmark has a process of its own."""

import re
import sys
import types
from pathlib import Path

import pytest
from foreign import run_all
from isolated import CONFTEST, FORK, SAY, SPAWN, Project

from tailgate.session.refusals import why_not_isolated

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of this kind are not available here")

WRONG = {
    ("--isolation=proces",): ["--isolation", "'proces'", "did you mean 'process'?", "allowed: process, none"],
    ("--isolation=",): ["--isolation", "''", "allowed: process, none"],
    (*FORK, "--processes=0"): ["--processes", "0 is out of range", "allowed: 1 to 1000"],
    (*FORK, "--processes=many"): ["--processes", "'many' is not a whole number", "allowed: 1 to 1000"],
    (*FORK, "--processes=1001"): ["--processes", "1001 is out of range", "allowed: 1 to 1000"],
    (*FORK, "--benchmark-timeout=-1"): ["--benchmark-timeout", "-1 is not a duration", "allowed: seconds above 0"],
    (*FORK, "--benchmark-timeout=0"): ["--benchmark-timeout", "0 is not a duration", "allowed: seconds above 0"],
    (*FORK, "--benchmark-timeout=abc"): ["--benchmark-timeout", "'abc'", "allowed: seconds above 0"],
    (*FORK, "--benchmark-timeout=nan"): ["--benchmark-timeout", "nan", "allowed: seconds above 0"],
    (*FORK, "--benchmark-timeout=inf"): ["--benchmark-timeout", "inf", "allowed: seconds above 0"],
    (*FORK, "--start-method=x"): ["--start-method", "'x'", "allowed: auto, fork, spawn"],
    (*FORK, "--start-method=spwan"): ["--start-method", "'spwan'", "did you mean 'spawn'?"],
    (*FORK, "--journal="): ["--journal", "no file named", "write --journal=FILE"],
    ("--processes=3",): ["--processes needs a process for each benchmark: add --isolation=process"],
    ("--resume",): ["--resume needs a process for each benchmark: add --isolation=process"],
    ("--journal=x",): ["--journal needs a process for each benchmark: add --isolation=process"],
    ("--benchmark-timeout=1",): ["--benchmark-timeout needs a process for each benchmark: add --isolation=process"],
    ("--start-method=fork", "--isolation=none"): ["--start-method needs a process for each benchmark"],
    ("-o", "tailgate_isolation=proces"): ["'proces'", "did you mean 'process'?"],
}
NOT_MEASURED = [
    ("--isolation=process", "test_small.py", option)
    for option in ("--benchmark-disable", "--benchmark-skip", "--collect-only")
]
IN_INI = (
    "-o",
    "tailgate_processes=3",
    "-o",
    "tailgate_resume=on",
    "-o",
    "tailgate_benchmark_timeout=5",
    "test_small.py",
)
SHOWN = ("--isolation=process", "--setup-show", "test_small.py")
DEBUGGED = ("--isolation=process", "--pdb", "test_small.py")
STOP_FIRST = (*FORK, "-v", "-x", "test_failing.py")
STOP_SECOND = (*FORK, "-v", "--maxfail=2", "test_failing.py")
NO_DEBUGGING = (*FORK, "-p", "no:debugging")
NO_TERMINAL = (*FORK, "-p", "no:terminal", "--rootdir=.")
NO_CAPTURE = (*FORK, "-p", "no:capture")
QUIET = (*FORK, "-q", "--durations=3", "-vv")
FILES = {
    "conftest.py": CONFTEST,
    "test_small.py": SAY + """
def test_plain():
    say(f"plain {os.getpid()}")

def test_one(benchmark):
    say(f"one {os.getpid()}")
    benchmark(sum, [1])
""",
    "test_failing.py": SAY + """
def test_a(benchmark): benchmark(sum, [1])
def test_b(benchmark): os.abort()
def test_plain_c(): assert 0
def test_d(benchmark): benchmark(sum, [1])
""",
}  # fmt: skip


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], list]:
    """Exit code and output of sessions that need no process of their own."""
    folder = tmp_path_factory.mktemp("many")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    sessions = [
        *NOT_MEASURED, IN_INI, SHOWN, DEBUGGED, STOP_FIRST, STOP_SECOND, NO_DEBUGGING, NO_TERMINAL, NO_CAPTURE,
        QUIET,
    ]  # fmt: skip
    return run_all(folder, *WRONG, *sessions)


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_a_wrong_value_ends_the_run_with_one_line(
    many: dict[tuple[str, ...], list], arguments: tuple[str, ...]
) -> None:
    code, text = many[arguments]
    assert code == pytest.ExitCode.USAGE_ERROR
    (line,) = text.split("\n\n")[0].splitlines()
    assert line.startswith("ERROR: ")
    assert not [part for part in WRONG[arguments] if part not in line]
    assert "collected" not in text


@pytest.mark.parametrize("arguments", NOT_MEASURED, ids=lambda arguments: arguments[-1])
def test_what_measures_nothing_starts_no_process_and_says_nothing(
    many: dict[tuple[str, ...], list], arguments: tuple[str, ...]
) -> None:
    code, text = many[arguments]
    assert code == 0
    assert "isolated" not in text
    assert "INTERNALERROR" not in text


def test_in_an_ini_file_what_needs_isolation_waits_for_it(many: dict[tuple[str, ...], list]) -> None:
    code, text = many[IN_INI]
    assert (code, " 2 passed" in text) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(SHOWN, "fixtures are to be shown, not measured"), (DEBUGGED, "the debugger needs this process's terminal")],
    ids=["setup-show", "pdb"],
)
def test_what_needs_the_sessions_process_is_not_isolated_and_says_why(
    many: dict[tuple[str, ...], list], arguments: tuple[str, ...], reason: str
) -> None:
    code, text = many[arguments]
    assert code == 0
    assert f"Benchmarks were not isolated: {reason}." in text
    if arguments == SHOWN:
        assert re.search(r"SETUP +F benchmark", text)


@pytest.mark.parametrize(
    ("arguments", "passed", "failed"), [(STOP_FIRST, 1, 1), (STOP_SECOND, 1, 2)], ids=["-x", "--maxfail"]
)
def test_it_stops_after_so_many_failures(
    many: dict[tuple[str, ...], list], arguments: tuple[str, ...], passed: int, failed: int
) -> None:
    code, text = many[arguments]
    assert code == pytest.ExitCode.TESTS_FAILED
    assert f"stopping after {failed} failures" in text
    assert f" {failed} failed, {passed} passed in" in text
    assert "test_d" not in text.replace("test_d(", "")


@pytest.mark.parametrize("arguments", [NO_DEBUGGING, NO_TERMINAL, NO_CAPTURE, QUIET], ids=" ".join)
def test_it_does_without_what_pytest_can_do_without(
    many: dict[tuple[str, ...], list], arguments: tuple[str, ...]
) -> None:
    code, text = many[arguments]
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "INTERNALERROR" not in text
    assert arguments == NO_TERMINAL or "2 failed, 4 passed" in text


def test_debugging_turned_off_is_no_matter_without_isolation_either(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(benchmark): benchmark(sum, [1])")
    ran = pytester.runpytest_subprocess("-p", "no:debugging", "-p", "no:hypothesispytest", "--benchmark-max-time=0.001")
    ran.assert_outcomes(passed=1)


OPENED = """
import os, sys
import pytest
SESSION = os.environ.setdefault("SESSION", str(os.getpid())) == str(os.getpid())

def watch(event, arguments):
    if event == "open" and str(arguments[0]).endswith("rows.csv"):
        with open(os.environ["LOG"], "a") as log:
            log.write(f"opened in the {'session' if SESSION else 'child'}\\n")

sys.addaudithook(watch)
"""


@pytest.mark.parametrize("how", [("--csv=rows.csv",), ("-o", "tailgate_csv=rows.csv")], ids=["option", "ini"])
def test_the_csv_is_opened_in_the_session_alone(tmp_path: Path, how: tuple[str, ...]) -> None:
    project = Project(tmp_path, test_one="def test_one(benchmark): benchmark(int)\n")
    project.write("conftest.py", CONFTEST + OPENED)
    session = project.run(*SPAWN, *how)
    assert session.code == 0, session.out
    assert set(project.logged) == {"opened in the session"}
    assert (tmp_path / "rows.csv").read_text().count("\n") == 2


LAST_FAILED = (
    SAY
    + """
def test_good(benchmark):
    say("good")
    benchmark(sum, [1])

def test_bad(benchmark):
    say("bad")
    os.abort()
"""
)


def test_last_failed_knows_what_failed_in_other_processes(tmp_path: Path) -> None:
    project = Project(tmp_path, test_project=LAST_FAILED)
    project.run(*FORK, save=False)
    project.log.unlink()
    for way in (FORK, SPAWN):
        session = project.run(*way, "--lf", save=False)
        assert session.lines("run-last-failure: rerun previous 1 failure")
    assert project.logged == ["bad", "bad"]


def test_a_project_that_turns_warnings_into_errors_has_none_of_ours(tmp_path: Path) -> None:
    plain = Project(
        tmp_path, test_plain="def test_plain(): pass\n", test_one="def test_one(benchmark): benchmark(int)\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    for arguments in (("test_plain.py",), ("test_plain.py", "test_one.py")):
        session = plain.run(*FORK, *arguments, save=False, PYTHONDEVMODE="1", PYTHONWARNINGS="error::ResourceWarning")
        assert session.code == 0, session.out
        assert "ResourceWarning" not in session.out


def test_another_measures_coverage_so_benchmarks_stay_here(tmp_path: Path) -> None:
    project = Project(
        tmp_path,
        test_one="import os\ndef test_one(benchmark, pytestconfig): benchmark(int)\n",
        coverage="class Coverage:\n    @classmethod\n    def current(cls): return cls()\n",
    )
    with (tmp_path / "conftest.py").open("a") as conftest:
        conftest.write("import coverage\n")
    session = project.run("--isolation=process")
    assert session.code == 0
    assert session.lines(r"^Benchmarks were not isolated: coverage is measured here \(and slows down every line")
    assert session.saved["tailgate_run"]["isolation"] == "none"


def test_under_xdist_pytest_benchmark_turns_itself_off_and_nothing_is_isolated(tmp_path: Path) -> None:
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    project = Project(tmp_path, test_one="def test_one(benchmark): benchmark(int)\n")
    session = project.run("--isolation=process", "-n1", save=False)
    assert session.code == 0
    assert "not isolated" not in session.out


def config_with(**options: object) -> types.SimpleNamespace:
    return types.SimpleNamespace(option=types.SimpleNamespace(collectonly=False, **options))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, None),
        ({"usepdb": True}, "debugger"),
        ({"trace": True}, "debugger"),
        ({"setupshow": True}, "shown"),
        ({"setuponly": True}, "shown"),
        ({"setupplan": True}, "shown"),
        ({"cov_source": ["."]}, "coverage"),
        ({"cov_source": ["."], "no_cov": True}, None),
        ({"benchmark_skip": True}, ""),
        ({"benchmark_disable": True, "benchmark_enable": False}, ""),
        ({"benchmark_disable": True, "benchmark_enable": True}, None),
        ({"dist": "load"}, ""),
        ({"dist": "no"}, None),
    ],
    ids=str,
)
def test_what_hinders_isolation(monkeypatch: pytest.MonkeyPatch, options: dict, reason: str | None) -> None:
    monkeypatch.delitem(sys.modules, "coverage", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    found = why_not_isolated(config_with(**options))  # type: ignore[arg-type]
    assert found == reason if not reason else reason in found
