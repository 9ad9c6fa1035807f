"""Ctrl-C, SIGTERM, SIGKILL: what was measured is saved, the journal is kept, and nothing goes on running."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from isolated import FORK, LEAVING_S, SPAWN, Project, Session, adopting

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="orphans are found as Linux shows them")
WAYS = pytest.mark.parametrize("way", [FORK, SPAWN], ids=["fork", "spawn"])

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


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, test_project=PROJECT)


def press_ctrl_c(session: subprocess.Popen[str]) -> None:
    """The terminal sends it to the whole foreground group."""
    os.killpg(session.pid, signal.SIGINT)


def check_stopped(project: Project, session: Session) -> None:
    """In order, with what was measured saved and nothing left."""
    assert session.code == pytest.ExitCode.INTERRUPTED, session.out
    assert "INTERNALERROR" not in session.out
    assert "Traceback" not in session.out
    assert list(session.rows) == ["test_first"]
    assert session.left == []
    assert project.temporary_files() == []
    assert not Path("/dev/shm", project.mark).exists()


def check_resumed(project: Project, way: tuple[str, ...]) -> None:
    """The first benchmark is finished, and the others are measured now."""
    project.log.unlink()
    resumed = project.run("-v", *way, "--resume", SHORT="yes")
    assert resumed.code == 0
    assert project.logged == ["server started", "long", *TORN_DOWN, "last"]
    assert set(resumed.rows) == {"test_first", "test_long", "test_last"}
    assert resumed.lines(r"^--resume: 1 already finished, taken from .*journal\.jsonl$")


@WAYS
def test_ctrl_c_ends_fixtures_saves_and_is_gone_on_from(project: Project, way: tuple[str, ...]) -> None:
    with adopting():
        running = project.start("-v", *way)
        project.await_line("long")
        press_ctrl_c(running)
        stopped = project.finish(running)
    check_stopped(project, stopped)
    assert project.logged == ["first", "server started", "long", *TORN_DOWN]
    assert stopped.lines("KeyboardInterrupt")
    check_resumed(project, way)


def test_ctrl_c_twice_does_not_wait_for_a_deaf_benchmark(project: Project) -> None:
    with adopting():
        running = project.start("-v", *FORK, DEAF="yes", LEAKY="yes")
        project.await_line("long")
        press_ctrl_c(running)
        time.sleep(0.2)
        press_ctrl_c(running)
        stopped = project.finish(running)
    check_stopped(project, stopped)
    assert "memory freed" not in project.logged


def test_a_flurry_of_ctrl_c_leaves_the_journal_and_nothing_running(project: Project) -> None:
    """Pytest itself is interrupted while it ends; whether it still saves is a matter of luck, with or without us."""
    journal = project.folder / "journal.jsonl"
    with adopting():
        running = project.start("-v", *FORK, f"--journal={journal}")
        project.await_line("long")
        for _ in range(5):
            press_ctrl_c(running)
            time.sleep(0.01)
        stopped = project.finish(running, grace_s=LEAVING_S)
    assert stopped.left == []
    assert project.temporary_files() == []
    assert not Path("/dev/shm", project.mark).exists()
    assert stopped.code in (pytest.ExitCode.INTERRUPTED, -signal.SIGINT)
    assert "test_project.py::test_first" in journal.read_text()


def test_sigterm_to_the_session_is_as_ctrl_c(project: Project) -> None:
    with adopting():
        running = project.start("-v", *FORK)
        project.await_line("long")
        running.send_signal(signal.SIGTERM)
        stopped = project.finish(running)
    check_stopped(project, stopped)
    assert project.logged == ["first", "server started", "long", *TORN_DOWN]
    assert stopped.lines(r"terminated \(SIGTERM\): what was measured is saved, and --resume goes on from it")


@WAYS
def test_a_killed_session_leaves_no_process_behind_and_is_gone_on_from(project: Project, way: tuple[str, ...]) -> None:
    with adopting():
        running = project.start("-v", *way, LEAKY="yes")
        project.await_line("long")
        running.kill()
        killed = project.finish(running, grace_s=LEAVING_S)
    assert killed.code == -signal.SIGKILL
    assert killed.left == []
    assert not Path("/dev/shm", project.mark).exists()
    if way == FORK:
        check_resumed(project, way)


def test_a_killed_session_is_noticed_although_a_process_of_another_test_holds_its_ends_open(project: Project) -> None:
    project.write(
        "test_a_leak.py",
        """
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
""",
    )
    with adopting():
        running = project.start(*FORK)
        project.await_line("long")
        leaked = int((project.folder / "leaked.txt").read_text())
        running.kill()
        running.wait()
        deadline_s = time.monotonic() + LEAVING_S + 2
        while [text for text in project.left_behind(grace_s=0.1) if not text.startswith(f"{leaked} ")]:
            assert time.monotonic() < deadline_s
        psutil.Process(leaked).kill()
        project.finish(running, grace_s=LEAVING_S)
