"""Pytest's and our own options where each benchmark has a process of its own."""

import json
import re
import sys
import types
from pathlib import Path

import pytest
from foreign import run_all
from isolated import CONFTEST, FORK, SPAWN, Project, Session, run_together

from tailgate.hindrance import hindrance

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes of this kind are not available here")

SAY = """
import os, sys, threading, time
import pytest

def say(line):
    with open(os.environ.get("LOG", "log.txt"), "a") as log:
        log.write(f"{line}\\n")
"""
WRONG = {
    ("--isolation=proces",): ["--isolation", "'proces'", "did you mean 'process'?", "allowed: process, none"],
    ("--isolation=",): ["--isolation", "''", "allowed: process, none"],
    (*FORK, "--processes=0"): ["--processes", "0 is too small", "allowed: 1 or more"],
    (*FORK, "--processes=many"): ["--processes", "'many' is not a whole number", "allowed: 1 or more"],
    (*FORK, "--processes=1001"): ["--processes", "1001 is too large", "allowed: 1 to 1000"],
    (*FORK, "--benchmark-timeout=-1"): ["--benchmark-timeout", "-1 is no length of time", "allowed: seconds above 0"],
    (*FORK, "--benchmark-timeout=0"): ["--benchmark-timeout", "0 is no length of time", "allowed: seconds above 0"],
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


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Session, Project]:
    project = Project(tmp_path_factory.mktemp("three"), test_counts=COUNTS)
    return project.run("-v", *FORK, "--processes=3", "--seed=5", "--junitxml=junit.xml"), project


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
    assert session.unmeasured["test_counted[2]"][0] == "crashed"
    assert session.lines("^=+ 1 failed, 3 passed")
    assert (project.folder / "junit.xml").read_text().count("<testcase ") == 4


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


@pytest.mark.parametrize(
    ("stop", "options", "code"),
    [("assert 0", ("-x",), pytest.ExitCode.TESTS_FAILED), ("raise KeyboardInterrupt", (), pytest.ExitCode.INTERRUPTED)],
    ids=["-x", "Ctrl-C"],
)
def test_stopped_between_the_passes_what_was_measured_counts(
    tmp_path: Path, stop: str, options: tuple[str, ...], code: int
) -> None:
    project = Project(tmp_path, test_counts=STOPS.format(stop=stop), saying=SAY)
    session = project.run("-v", *FORK, "--processes=3", *options)
    assert session.code == code
    assert len(project.logged) == 5
    assert set(session.rows) == {f"test_counted[{n}]" for n in range(3)}
    rounds = sorted(row["stats"]["rounds"] for row in session.rows.values())
    assert rounds == [2, 2, 4]
    for row in session.rows.values():
        if row["stats"]["rounds"] < 4 and stop.startswith("raise"):
            assert "interrupted: 1 of 3 processes were measured" in row["extra_info"]["warnings"]
    assert session.left == []


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


@pytest.mark.parametrize(
    ("stop", "code", "said"),
    [
        ("pytest.exit('enough', 7)", 7, r"Exit: enough"),
        ("pytest.exit('enough')", pytest.ExitCode.INTERRUPTED, r"Exit: enough"),
        ("raise KeyboardInterrupt", pytest.ExitCode.INTERRUPTED, "KeyboardInterrupt"),
    ],
)
def test_a_test_may_stop_the_session_and_its_fixtures_are_torn_down(
    tmp_path: Path, stop: str, code: int, said: str
) -> None:
    project = Project(tmp_path, test_stopping=STOPPING.format(stop=stop), saying=SAY)
    session = project.run("-v", *FORK)
    assert session.code == code
    assert session.lines(said)
    assert "INTERNALERROR" not in session.out
    assert project.logged == ["stops", "server stopped"]
    assert set(session.rows) == {"test_first"}
    assert session.left == []


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


PRINTS = """
import os, sys

def test_prints(benchmark):
    print("printed by python")
    print("complained by python", file=sys.stderr)
    os.write(1, b"written by descriptor\\n")
    benchmark(sum, [1])

def test_prints_and_fails(benchmark):
    print("printed and failed")
    assert 0

def test_prints_and_dies(benchmark):
    print("printed and died", flush=True)
    os.abort()
"""


@pytest.mark.parametrize(
    ("way", "kinds"),
    [(FORK, ("fd", "sys", "tee-sys", "no")), (SPAWN, ("fd", "tee-sys", "no"))],
    ids=["fork", "spawn"],
)
def test_capturing_is_as_asked(
    tmp_path_factory: pytest.TempPathFactory, way: tuple[str, ...], kinds: tuple[str, ...]
) -> None:
    projects = [Project(tmp_path_factory.mktemp(kind), test_prints=PRINTS) for kind in kinds]
    options = ("-p", "no:cacheprovider", *way)
    pairs = zip(projects, kinds, strict=True)
    found = dict(
        zip(kinds, run_together(*((one, (f"--capture={kind}", *options)) for one, kind in pairs)), strict=True)
    )
    for kind, session in found.items():
        assert session.code == pytest.ExitCode.TESTS_FAILED, kind
        live = session.out.partition("= FAILURES =")[0]
        sections = session.out.partition("= FAILURES =")[2]
        assert ("printed by python" in live) == (kind in ("no", "tee-sys")), kind
        assert ("complained by python" in live) == (kind in ("no", "tee-sys")), kind
        assert ("printed and failed" in live) == (kind in ("no", "tee-sys")), kind
        assert ("\nprinted and failed" in sections) == (kind != "no"), kind
        assert "printed by python" not in sections, kind
        assert session.left == []
    assert "written by descriptor" not in found["fd"].out
    assert "written by descriptor" in found["no"].out
    assert "\nprinted and died" in found["fd"].out.partition("= FAILURES =")[2]


PRELOADS = (
    SAY
    + """
preload = pytest.mark.preload

@preload("big_module")
@pytest.mark.parametrize("n", [1, 2])
def test_uses_it(benchmark, n):
    before = "big_module" in sys.modules
    import big_module
    benchmark.extra_info.update(pid=os.getpid(), by=big_module.PID, before=before, parent=os.getppid())
    benchmark(sum, [1])

def test_without(benchmark):
    benchmark.extra_info["before"] = "big_module" in sys.modules
    benchmark(sum, [1])

@preload("big_module", "no_such_module", "raises", "sys_exits")
def test_some_cannot_be_imported(benchmark):
    benchmark.extra_info["before"] = "big_module" in sys.modules
    with pytest.raises(ModuleNotFoundError):
        import no_such_module
    with pytest.raises(ZeroDivisionError):
        import raises
    benchmark(sum, [1])

@preload("crashes")
def test_import_crashes(benchmark):
    benchmark(sum, [1])

@preload("crashes")
def test_imports_what_crashes(benchmark):
    import crashes
    benchmark(sum, [1])

@preload("exits")
def test_import_exits(benchmark):
    benchmark(sum, [1])

@preload("busy")
def test_starts_a_busy_thread(benchmark):
    import busy
    benchmark(sum, [1])

@preload("busy")
def test_starts_it_again(benchmark):
    benchmark.extra_info["before"] = "busy" in sys.modules
    benchmark(sum, [1])
"""
)
MODULES = {
    "big_module": "import os\nPID = os.getpid()\nprint('noise')\nopen('imports.txt', 'a').write(f'{PID}\\n')\n",
    "raises": "1 / 0",
    "sys_exits": "raise SystemExit(3)",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "exits": "import os\nos._exit(0)",
    "busy": """
import threading, time
def work():
    while True:
        sum(range(1000))
threading.Thread(target=work, daemon=True, name="worker").start()
""",
    "sleepy": """
import threading, time
threading.Thread(target=lambda: time.sleep(60), daemon=True, name="worker").start()
""",
    "hangs": "import time\ntime.sleep(1000)\n",
}


HANGS = """
import pytest

@pytest.mark.preload("hangs")
def test_never(benchmark): benchmark(sum, [1])

def test_last(benchmark): benchmark(sum, [1])
"""


@pytest.fixture(scope="module")
def at_once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Session, Project]]:
    """Sessions that mostly wait, at the same time."""
    one = "def test_one(benchmark): benchmark(sum, [1])\n"
    files = {
        "preloads": ({"test_preloads": PRELOADS}, "", FORK),
        "hangs": ({"test_hangs": HANGS}, "", (*FORK, "--benchmark-timeout=1.5")),
        "busy": ({"test_busy": one}, "import sleepy\n", ("--isolation=process",)),
        "strange": ({"test_strange": STRANGE}, BROKEN_HOOK, FORK),
    }
    projects = {}
    for name, (tests, conftest, _) in files.items():
        folder = tmp_path_factory.mktemp(name)
        projects[name] = Project(folder, **tests, **MODULES)
        projects[name].write("conftest.py", CONFTEST + conftest)
    options = ("-v", "-p", "no:cacheprovider")
    sessions = run_together(*((projects[name], (*options, *way)) for name, (_, _, way) in files.items()))
    return {name: (session, projects[name]) for name, session in zip(files, sessions, strict=True)}


@pytest.fixture
def preloads(at_once: dict[str, tuple[Session, Project]]) -> tuple[Session, Project]:
    return at_once["preloads"]


def test_a_preloaded_module_is_imported_once_in_a_template_of_its_own(preloads: tuple[Session, Project]) -> None:
    session, project = preloads
    infos = [session.rows[f"test_uses_it[{n}]"]["extra_info"] for n in (1, 2)]
    (by,) = {info["by"] for info in infos}
    assert all(info["before"] for info in infos)
    assert len({by, *(info["pid"] for info in infos)}) == 3, "imported by neither"
    assert {info["parent"] for info in infos} == {by}
    imported = (project.folder / "imports.txt").read_text().split()
    assert imported.count(str(by)) == 1
    assert len(imported) == 2, "once here, and once for the benchmark that names others, too"
    assert session.rows["test_without"]["extra_info"]["before"] is False
    assert "noise" not in session.out
    assert "Traceback" not in session.out, "what went wrong with an import is told by the test's own"
    assert session.out.count("Segmentation fault") == 1


def test_what_cannot_be_imported_is_left_to_the_test(preloads: tuple[Session, Project]) -> None:
    session, _ = preloads
    assert session.outcomes["test_some_cannot_be_imported"] == ["PASSED"]
    assert session.rows["test_some_cannot_be_imported"]["extra_info"]["before"] is True
    assert session.outcomes["test_import_crashes"] == session.outcomes["test_import_exits"] == ["PASSED"]
    assert session.unmeasured == {
        "test_imports_what_crashes": ("crashed", session.unmeasured["test_imports_what_crashes"][1])
    }
    assert session.unmeasured["test_imports_what_crashes"][1].startswith("crashed: SIGSEGV in string_at")
    assert session.left == []


def test_a_module_that_starts_work_is_not_forked_from(preloads: tuple[Session, Project]) -> None:
    session, _ = preloads
    assert session.outcomes["test_starts_a_busy_thread"] == ["PASSED"]
    assert session.rows["test_starts_it_again"]["extra_info"]["before"] is False
    assert session.lines(
        r"^Benchmarks that preload busy started a new interpreter each, because a Python thread is at work \(worker\)"
    )


def test_an_import_that_hangs_costs_its_benchmarks_only(at_once: dict[str, tuple[Session, Project]]) -> None:
    session, _ = at_once["hangs"]
    assert session.code == pytest.ExitCode.TESTS_FAILED
    assert session.unmeasured == {"test_never": ("timeout", "timeout: importing hangs took more than 1.5 s")}
    assert set(session.rows) == {"test_last"}
    assert session.left == []


def test_a_session_with_a_thread_at_work_spawns_and_says_so(at_once: dict[str, tuple[Session, Project]]) -> None:
    session, _ = at_once["busy"]
    assert session.code == 0
    assert session.saved["tailgate_run"]["start_method"] == "spawn"
    assert session.lines(r"^Each benchmark started a new interpreter, because a Python thread is at work \(worker\)\.$")


STRANGE = (
    SAY
    + """
import atexit, warnings
from multiprocessing import Process

def test_reaps_any_child():
    with pytest.raises(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
        raise ChildProcessError  # the template is there

def test_known_here_only(benchmark, tmp_path, monkeypatch, record_property):
    (tmp_path / "known_here_only.py").write_text(
        "import enum\\nclass Odd(Exception): pass\\nclass Colour(enum.IntEnum):\\n    RED = 1\\n"
        "class OddWarning(UserWarning): pass\\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import known_here_only
    benchmark.extra_info.update(odd=known_here_only.Odd("x"), colour=known_here_only.Colour.RED)
    record_property("odd", known_here_only.Odd("y"))
    warnings.warn(known_here_only.OddWarning("careful"))
    benchmark(sum, [1])

def test_refers_to_itself(benchmark):
    ring = []
    ring.append(ring)
    benchmark.extra_info["ring"] = ring
    benchmark(sum, [1])

def test_forks_and_returns(benchmark):
    benchmark(sum, [1])
    if os.fork() == 0:
        return
    os.wait()

def test_exit_function_hangs(benchmark):
    atexit.register(time.sleep, 1000)
    benchmark(sum, [1])

def test_worker_is_left(benchmark):
    Process(target=time.sleep, args=(1000,), daemon=True).start()
    benchmark(sum, [1])

def test_hook_is_broken(benchmark):
    benchmark(sum, [1])

def test_last(benchmark):
    benchmark(sum, [1])
"""
)
BROKEN_HOOK = """
def pytest_runtest_makereport(item, call):
    if item.name == "test_hook_is_broken" and call.when == "call":
        raise LookupError("in a hook")
"""


def test_strange_projects_are_measured_all_the_same(at_once: dict[str, tuple[Session, Project]]) -> None:
    session, _ = at_once["strange"]
    assert session.code == pytest.ExitCode.TESTS_FAILED
    assert "INTERNALERROR" not in session.out
    assert session.left == []
    info = session.rows["test_known_here_only"]["extra_info"]
    assert info["odd"] == "UNSERIALIZABLE[Odd('x')]"
    assert info["colour"] == "UNSERIALIZABLE[<Colour.RED: 1>]"
    assert session.lines("UserWarning: careful")
    assert "[...]" in str(session.rows["test_refers_to_itself"]["extra_info"]["ring"])
    assert session.unmeasured["test_hook_is_broken"] == (
        "failed", "pytest failed inside the benchmark's process: LookupError: in a hook",
    )  # fmt: skip
    assert set(session.outcomes) - {name for name, outcome in session.outcomes.items() if outcome == ["PASSED"]} == {
        "test_hook_is_broken"
    }


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
    found = hindrance(config_with(**options))  # type: ignore[arg-type]
    assert found == reason if not reason else reason in found


def test_a_saved_run_says_how_it_was_isolated(three: tuple[Session, Project]) -> None:
    saved = json.loads((three[1].folder / "run.json").read_text())
    assert saved["tailgate_run"]["isolation"] == "process"
