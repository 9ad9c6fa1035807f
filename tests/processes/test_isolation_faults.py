"""Benchmarks that crash, hang, run out of memory, leak, flood: each costs itself and nothing else."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from isolated import FORK, LEAVING_S, SPAWN, Project, Session, run_together

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="faults are injected as Linux has them"),
]

FAULTS = """
import ctypes, os, resource, signal, subprocess, sys, threading, time
from multiprocessing import shared_memory
import pytest

HELD = []

def measure(benchmark):
    benchmark(sum, [1])

def little_memory(more=2**27):
    now = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more, now + more))

def test_first(benchmark):
    measure(benchmark)

def test_sigsegv(benchmark):
    print("said before")
    ctypes.string_at(0)

def test_sigsegv_after_measuring(benchmark):
    measure(benchmark)
    ctypes.string_at(0)

@pytest.fixture
def crashing_end():
    yield
    os.abort()

def test_crash_in_teardown(benchmark, crashing_end):
    measure(benchmark)

def test_sigkill(benchmark):
    os.kill(os.getpid(), signal.SIGKILL)

def test_os_exit(benchmark):
    os._exit(3)

def test_os_exit_zero(benchmark):
    os._exit(0)

def test_sys_exit(benchmark):
    sys.exit(3)

@pytest.mark.parametrize("size", [1, 100, 100_000])
def test_memory_held(benchmark, size):
    little_memory()
    while True:
        HELD.append([0] * size)

def fill():
    while True:
        HELD.append([0] * 1000)

def test_memory_while_timed(benchmark):
    little_memory()
    benchmark(fill)

@pytest.fixture
def big():
    little_memory()
    return bytearray(2**30)

def test_memory_in_setup(benchmark, big):
    measure(benchmark)

def test_says_oom(benchmark):
    pytest.fail("oom: so says the test")

def test_fails_and_crashes(benchmark, crashing_end):
    assert not benchmark

@pytest.fixture
def broken():
    raise RuntimeError("no model")

def test_broken_setup(benchmark, broken):
    measure(benchmark)

@pytest.fixture(params=[True, False], ids=["daemon", "waited_for"])
def threads(request):
    for _ in range(3):
        threading.Thread(target=time.sleep, args=(1000,), daemon=request.param).start()

def test_leaks_threads(benchmark, threads):
    measure(benchmark)

def test_leaks_processes(benchmark):
    for new_session in (False, True):
        subprocess.Popen(["sleep", "1000"], start_new_session=new_session)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:  # a daemon, deaf to all that can be ignored
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(1000)
        os._exit(0)
    measure(benchmark)

def test_shared_memory_of_a_killed_one(benchmark):
    shared_memory.SharedMemory(os.environ["MARK"], create=True, size=4096)
    os.kill(os.getpid(), signal.SIGKILL)

def test_floods(benchmark):
    for number in range(10_000):
        print("quiet flood", number)
    measure(benchmark)

def test_floods_and_fails(benchmark):
    for number in range(10_000):
        print("loud flood", number)
    os.write(2, b"by descriptor\\n")
    assert 1 + 1 == 3

@pytest.mark.parametrize("function", [lambda: 1])
def test_unpicklable(benchmark, function):
    assert benchmark(function) == 1
    benchmark.extra_info.update(lock=threading.Lock(), function=function, nested={"deep": [function]}, keys={(1, 2): 3})
    del benchmark.extra_info["keys"]  # pytest-benchmark itself cannot save it

def test_closes_every_descriptor_but_the_standard_ones(benchmark):
    os.closerange(3, 1000)
    measure(benchmark)

def test_closes_the_standard_descriptors(benchmark):
    os.closerange(0, 3)
    measure(benchmark)

def test_last(benchmark):
    measure(benchmark)
"""
LINE = {  # what is said of each that was not measured: its status, and a pattern of its reason
    "test_sigsegv": ("crashed", r"crashed: SIGSEGV in string_at \(__init__.py:\d+\)"),
    "test_sigsegv_after_measuring": ("crashed", r"crashed: SIGSEGV in string_at \(__init__.py:\d+\)"),
    "test_sigkill": ("crashed", r"crashed: SIGKILL from outside at \d+ MiB \(.*\)"),
    "test_os_exit": ("crashed", r"crashed: the process ended itself with exit code 3 in its test"),
    "test_os_exit_zero": ("crashed", r"crashed: the process ended itself with exit code 0 in its test"),
    "test_sys_exit": ("failed", r"SystemExit: 3"),
    "test_memory_held[1]": ("oom", r"oom: MemoryError"),
    "test_memory_held[100]": ("oom", r"oom: MemoryError"),
    "test_memory_held[100000]": ("oom", r"oom: MemoryError"),
    "test_memory_while_timed": ("oom", r"oom: MemoryError"),
    "test_memory_in_setup": ("oom", r"oom: MemoryError"),
    "test_broken_setup": ("failed", r"RuntimeError: no model"),
    "test_says_oom": ("failed", r"oom: so says the test"),
    "test_fails_and_crashes": ("failed", r"assert not .*"),  # and then, in its teardown, crashed
    "test_shared_memory_of_a_killed_one": ("crashed", r"crashed: SIGKILL from outside .*"),
    "test_floods_and_fails": ("failed", r"assert \(1 \+ 1\) == 3"),
    "test_closes_every_descriptor_but_the_standard_ones": (
        "crashed", r"crashed: its test closed the file descriptor by which it reports, .* \(os\.closerange\?\)",
    ),
}  # fmt: skip
MEASURED = [
    "test_first", "test_crash_in_teardown", "test_leaks_threads[daemon]", "test_leaks_threads[waited_for]",
    "test_leaks_processes", "test_floods", "test_unpicklable[<lambda>]", "test_closes_the_standard_descriptors",
    "test_last",
]  # fmt: skip
IN_TEARDOWN = {"test_crash_in_teardown", "test_fails_and_crashes"}
IN_SETUP = {"test_memory_in_setup", "test_broken_setup"}
FEW = (
    "test_sigsegv", "test_sigkill", "test_os_exit", "test_memory_while_timed", "test_broken_setup",
    "test_leaks_processes", "test_floods_and_fails", "test_unpicklable[<lambda>]", "test_last",
)  # fmt: skip
"""Enough to see that a new interpreter fares the same: each takes half a second to start."""


@dataclass
class Faults:
    """A session, what it was asked to run, and its project."""

    session: Session
    asked: set[str]
    project: Project


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Faults]:
    fork, spawn = (Project(tmp_path_factory.mktemp(name), test_faults=FAULTS) for name in ("fork", "spawn"))
    options = ("-v", "--junitxml=junit.xml")
    sessions = run_together(
        (fork, (*options, *FORK)), (spawn, (*options, *SPAWN, *(f"test_faults.py::{name}" for name in FEW)))
    )
    return {"fork": Faults(sessions[0], {*LINE, *MEASURED}, fork), "spawn": Faults(sessions[1], set(FEW), spawn)}


@pytest.fixture(params=["fork", "spawn"])
def faults(both: dict[str, Faults], request: pytest.FixtureRequest) -> Faults:
    return both[request.param]


def test_every_other_benchmark_is_measured_and_saved(faults: Faults) -> None:
    session, asked = faults.session, faults.asked
    assert session.code == pytest.ExitCode.TESTS_FAILED
    assert "INTERNALERROR" not in session.out
    assert list(session.rows) == [name for name in MEASURED if name in asked]
    assert all(row["stats"]["rounds"] >= 3 for row in session.rows.values())


def test_status_and_reason_of_what_was_not_measured_are_saved(faults: Faults) -> None:
    session, asked = faults.session, faults.asked
    assert set(session.unmeasured) == set(LINE) & asked
    for name, (status, reason) in session.unmeasured.items():
        assert status == LINE[name][0], (name, reason)
        assert re.fullmatch(LINE[name][1], reason), (name, reason)


def test_a_fault_is_one_line_in_the_failures_and_a_failure_in_junit(faults: Faults) -> None:
    session, asked = faults.session, faults.asked
    for name in set(LINE) & asked:
        late = ["ERROR"] if name == "test_fails_and_crashes" else []
        assert session.outcomes[name] == ["ERROR" if name in IN_SETUP else "FAILED", *late], name
        if LINE[name][0] in ("crashed", "oom"):
            heading = rf"_+ (ERROR at setup of )?{re.escape(name)} _+\n"
            assert re.search(rf"^{heading}{LINE[name][1]}\n[-_=\n]", session.out, re.MULTILINE), name
    failed = (faults.project.folder / "junit.xml").read_text()
    assert failed.count("<failure ") == len(set(LINE) & asked - IN_SETUP)
    assert failed.count("<error ") == len(IN_SETUP & asked) + len(IN_TEARDOWN & asked)


def test_nothing_is_left_of_any(faults: Faults) -> None:
    assert faults.session.left == []
    assert faults.project.temporary_files() == []
    assert not Path("/dev/shm", faults.project.mark).exists()


def test_what_was_measured_before_a_crash_in_teardown_counts(faults: Faults) -> None:
    session, asked = faults.session, faults.asked
    if "test_crash_in_teardown" not in asked:
        pytest.skip("not among the few that were spawned")
    assert session.outcomes["test_crash_in_teardown"] == ["PASSED", "ERROR"]
    assert session.lines(r"^crashed: SIGABRT in crashing_end \(test_faults.py:\d+\)$")


def test_output_is_shown_of_what_failed_only(faults: Faults) -> None:
    session = faults.session
    assert "quiet flood" not in session.out
    assert len(session.lines(r"^loud flood \d+$")) == 10_000
    assert session.lines("^by descriptor$")
    assert session.lines("^said before$"), "a crashed one's too"
    assert session.lines(r'^  File ".*test_faults\.py", line \d+ in test_sigsegv$'), "the Python stack"
    assert not session.lines(r'^  File ".*(_pytest|pluggy)'), "without the way there"


def test_what_cannot_be_carried_home_comes_as_text(faults: Faults) -> None:
    session = faults.session
    info = session.rows["test_unpicklable[<lambda>]"]["extra_info"]
    assert "lock object" in info["lock"]
    assert "<lambda>" in info["function"]
    assert "<lambda>" in info["nested"]["deep"][0]
    assert "<lambda>" in session.rows["test_unpicklable[<lambda>]"]["params"]["function"]


ENDS_ITS_PARENT = """
import os, signal, time

def test_first(benchmark):
    benchmark(sum, [1])

def test_ends_its_parent(benchmark):
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1000)

def test_last(benchmark):
    benchmark(sum, [1])
"""


@pytest.mark.parametrize("way", [FORK, SPAWN], ids=["fork", "spawn"])
def test_a_benchmark_whose_parent_is_ended_ends_too_and_the_rest_is_spawned(
    tmp_path: Path, way: tuple[str, ...]
) -> None:
    project = Project(tmp_path, test_project=ENDS_ITS_PARENT)
    session = project.run("-v", *way, grace_s=LEAVING_S)
    assert session.code == pytest.ExitCode.TESTS_FAILED
    assert set(session.rows) == {"test_first", "test_last"}
    assert session.unmeasured == {
        "test_ends_its_parent": (
            "crashed", "crashed: its supervisor was ended from outside, and the process with it",
        ),
    }  # fmt: skip
    assert session.left == []
    said = "From then on each benchmark started a new interpreter, because a fork server was lost."
    assert (said in session.out) == (way == FORK)


HANGS = """
import os, signal, threading, time
import pytest

def test_first(benchmark):
    benchmark(sum, [1])

def test_hangs(benchmark):
    print("still here")
    time.sleep(1000)

def test_is_deaf(benchmark):
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    os.kill(os.getpid(), signal.SIGSTOP)

@pytest.fixture
def endless():
    yield
    time.sleep(1000)

def test_hangs_in_teardown(benchmark, endless):
    benchmark(sum, [1])

def test_last(benchmark):
    benchmark(sum, [1])
"""


def test_what_hangs_is_ended_and_says_where_it_was(tmp_path_factory: pytest.TempPathFactory) -> None:
    fork, spawn = (Project(tmp_path_factory.mktemp(name), test_hangs=HANGS) for name in ("fork", "spawn"))
    two = [f"test_hangs.py::test_{name}" for name in ("hangs", "last")]
    forked, spawned = run_together(
        (fork, ("-v", *FORK, "--benchmark-timeout=1.5")), (spawn, ("-v", *SPAWN, "--benchmark-timeout=4", *two))
    )
    for session, project, timeout_s in ((forked, fork, "1.5"), (spawned, spawn, "4")):
        assert session.code == pytest.ExitCode.TESTS_FAILED
        for name, (status, reason) in session.unmeasured.items():
            place = {"test_hangs": r"call in test_hangs \(test_hangs.py:10\)", "test_is_deaf": "call"}[name]
            assert status == "timeout"
            assert re.fullmatch(
                rf"timeout: not done after {timeout_s} s, in {place}; "
                r"it was ended \(--benchmark-timeout=SECONDS allows more\)",
                reason,
            )
        assert session.lines("^still here$")
        assert session.left == []
        assert project.temporary_files() == []
    assert set(forked.unmeasured) == {"test_hangs", "test_is_deaf"}
    assert set(forked.rows) == {"test_first", "test_hangs_in_teardown", "test_last"}
    assert forked.outcomes["test_hangs_in_teardown"] == ["PASSED", "ERROR"]
    assert set(spawned.unmeasured) == {"test_hangs"}
    assert set(spawned.rows) == {"test_last"}
