"""Ctrl-C, SIGTERM, SIGKILL: what was measured is saved, the journal is kept, and nothing goes on running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from isolated import CONFTEST, FORK, LEAVING_S, SPAWN, Project, Session, adopting, run_together
from patience import until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="orphans are found as Linux shows them")

PROJECT = """
import os, signal, subprocess, threading, time
from multiprocessing import shared_memory
import pytest

def say(line):
    with open(os.environ["LOG"], "a") as log:
        log.write(line + "\\n")

def test_first(benchmark):
    say("first")
    benchmark(sum, [1])

@pytest.fixture(scope="session")
def server():
    say("server started")
    yield
    say("server stopped")

@pytest.fixture
def shared():
    memory = shared_memory.SharedMemory(os.environ["MARK"], create=True, size=4096)
    yield memory
    memory.close()
    memory.unlink()
    say("memory freed")

def test_long(benchmark, server, shared, tmp_path):
    if os.environ.get("DEAF"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.environ.get("LEAKY"):
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
    threading.Thread(target=time.sleep, args=(1000,)).start()
    say("long")
    if not os.environ.get("SHORT"):
        time.sleep(1000)
    benchmark(sum, [1])

def test_last(benchmark):
    say("last")
    benchmark(sum, [1])
"""
TORN_DOWN = ["memory freed", "server stopped"]


LEAK = """
import os, time

def test_forks_and_forgets():
    if os.fork() == 0:
        os.setsid()
        with open("/dev/null", "w") as nowhere:
            for number in (1, 2):
                os.dup2(nowhere.fileno(), number)
        open("leaked.txt", "w").write(str(os.getpid()))
        time.sleep(1000)
        os._exit(0)
"""
Sessions = dict[str, tuple[Session, Project]]
Disturb = Callable[[Project, subprocess.Popen[str]], object]


def press_ctrl_c(project: Project, session: subprocess.Popen[str], times: int = 1, pause_s: float = 0.2) -> None:
    """The terminal sends it to the whole foreground group."""
    for _ in range(times):
        os.killpg(session.pid, signal.SIGINT)
        time.sleep(pause_s)


def press_again_while_saving(project: Project, session: subprocess.Popen[str]) -> None:
    press_ctrl_c(project, session, pause_s=0.0)
    project.await_line("server stopped")
    press_ctrl_c(project, session, pause_s=0.0)


def send_sigterm(_: Project, session: subprocess.Popen[str]) -> None:
    session.send_signal(signal.SIGTERM)


def kill(_: Project, session: subprocess.Popen[str]) -> None:
    session.kill()


def disturbed(
    factory: pytest.TempPathFactory,
    scenarios: dict[str, tuple[tuple[str, ...], dict[str, str], Disturb]],
    grace_s: float = 0.0,
) -> Sessions:
    """Sessions that are all in the middle of the same benchmark when something happens to each."""
    found = {}
    with adopting():
        running = {}
        for name, (way, variables, _) in scenarios.items():
            project = Project(factory.mktemp("session"), test_project=PROJECT)
            if name == "leak":
                project.write("test_a_leak.py", LEAK)
            running[name] = project, project.start("-v", *way, "--journal=journal.jsonl", **variables)
        for name, (project, session) in running.items():
            project.await_line("long")
            scenarios[name][2](project, session)
        for name, (project, session) in running.items():
            if name == "leak":
                end_what_leaked(project, session)
            found[name] = project.finish(session, grace_s), project
    return found


def end_what_leaked(project: Project, session: subprocess.Popen[str]) -> None:
    """Once it is the last that is left of its session."""
    leaked = int((project.folder / "leaked.txt").read_text())
    session.wait()
    until(lambda: all(text.startswith(f"{leaked} ") for text in project.left_behind(grace_s=0.1)), "their end")
    psutil.Process(leaked).kill()


DEAF = {"DEAF": "yes", "LEAKY": "yes"}
STOPPED: dict[str, tuple[tuple[str, ...], dict[str, str], Disturb]] = {
    "Ctrl-C, fork": (FORK, {}, press_ctrl_c),
    "Ctrl-C, spawn": (SPAWN, {}, press_ctrl_c),
    "Ctrl-C twice, deaf": (FORK, DEAF, lambda project, session: press_ctrl_c(project, session, times=2)),
    "Ctrl-C while saving": (FORK, {}, press_again_while_saving),
    "SIGTERM": (FORK, {}, send_sigterm),
    "SIGTERM, spawn": (SPAWN, {}, send_sigterm),
}
KILLED: dict[str, tuple[tuple[str, ...], dict[str, str], Disturb]] = {
    "fork": (FORK, {"LEAKY": "yes"}, kill),
    "spawn": (SPAWN, {"LEAKY": "yes"}, kill),
    "leak": (FORK, {}, kill),
    "flurry": (FORK, {}, lambda project, session: press_ctrl_c(project, session, times=5, pause_s=0.01)),
}


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    return disturbed(tmp_path_factory, STOPPED)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Sessions:
    return disturbed(tmp_path_factory, KILLED, LEAVING_S)


def check_nothing_is_left(session: Session, project: Project) -> None:
    assert session.left == []
    assert project.temporary_files() == []
    assert not Path("/dev/shm", project.mark).exists()


@pytest.mark.parametrize("name", STOPPED)
def test_a_session_that_is_stopped_saves_and_leaves_nothing(stopped: Sessions, name: str) -> None:
    session, project = stopped[name]
    assert session.code == pytest.ExitCode.INTERRUPTED, session.out
    assert "INTERNALERROR" not in session.out
    assert "Traceback" not in session.out
    assert list(session.rows) == ["test_first"]
    check_nothing_is_left(session, project)
    assert project.logged[:3] == ["first", "server started", "long"]
    assert project.logged[3:] == ([] if "deaf" in name else TORN_DOWN)
    if "SIGTERM" in name:
        assert session.lines(r"terminated \(SIGTERM\): what was measured is saved, and --resume goes on from it")
    else:
        assert session.lines("KeyboardInterrupt")


@pytest.mark.parametrize("name", ["fork", "spawn"])
def test_a_killed_session_leaves_no_process_behind(killed: Sessions, name: str) -> None:
    session, project = killed[name]
    assert session.code == -signal.SIGKILL
    assert session.left == []
    assert not Path("/dev/shm", project.mark).exists()


def test_a_killed_session_is_noticed_although_another_tests_process_holds_its_ends_open(killed: Sessions) -> None:
    session, project = killed["leak"]
    assert session.code == -signal.SIGKILL
    assert (project.folder / "leaked.txt").exists()
    assert session.left == []


def test_a_flurry_of_ctrl_c_leaves_the_journal_and_nothing_running(killed: Sessions) -> None:
    """Who insists ends a session before it has saved."""
    session, project = killed["flurry"]
    check_nothing_is_left(session, project)
    assert session.code in (pytest.ExitCode.INTERRUPTED, -signal.SIGINT)
    assert "test_project.py::test_first" in (project.folder / "journal.jsonl").read_text()


SLOW_TO_SAVE = """
import os, time

def pytest_benchmark_update_json(output_json):
    with open(os.environ["LOG"], "a") as log:
        log.write("saving\\n")
    while not os.path.exists("pressed"):
        time.sleep(0.01)
"""


def test_ctrl_c_after_the_last_benchmark_does_not_cost_what_was_measured(tmp_path: Path) -> None:
    project = Project(tmp_path, test_project=PROJECT)
    project.write("conftest.py", CONFTEST + SLOW_TO_SAVE)
    with adopting():
        running = project.start(*FORK, SHORT="yes")
        project.await_line("saving")
        press_ctrl_c(project, running, pause_s=0.0)
        project.write("pressed", "")
        session = project.finish(running)
    assert session.code == 0
    assert set(session.rows) == {"test_first", "test_long", "test_last"}
    assert session.lines("^Saving what was measured; once more ends it without.$")
    check_nothing_is_left(session, project)


def test_all_of_them_can_be_gone_on_from(stopped: Sessions, killed: Sessions) -> None:
    chosen = {
        "Ctrl-C, fork": (stopped, FORK), "Ctrl-C, spawn": (stopped, SPAWN), "fork": (killed, FORK),
        "flurry": (killed, FORK),
    }  # fmt: skip
    projects = {name: sessions[name][1] for name, (sessions, _) in chosen.items()}
    for project in projects.values():
        project.log.unlink()
    arguments = ("-v", "--resume", "--journal=journal.jsonl")
    resumed = run_together(*((projects[name], (*arguments, *way)) for name, (_, way) in chosen.items()), SHORT="yes")
    for project, session in zip(projects.values(), resumed, strict=True):
        assert session.code == 0, session.out
        assert project.logged == ["server started", "long", *TORN_DOWN, "last"]
        assert set(session.rows) == {"test_first", "test_long", "test_last"}
        assert session.lines(r"^--resume: 1 already finished, taken from journal\.jsonl$")
        assert session.left == []
