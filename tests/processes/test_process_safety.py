"""What may be forked."""

import _thread
import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from patience import until

from tailgate.processes import fork_safety, python_threads

pytestmark = pytest.mark.alone

SOON_S = 30.0


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """``/proc/self`` of a process without any thread but this one."""
    (tmp_path / "fd").mkdir()
    (tmp_path / "fd" / "0").symlink_to("/dev/null")
    return tmp_path


@pytest.mark.parametrize(("device", "reason"), [("/dev/nvidia-uvm", "CUDA is initialised"), ("/dev/nvidiactl", None)])
def test_a_gpu_that_is_in_use_forbids_forking(proc: Path, device: str, reason: str | None) -> None:
    assert fork_safety.unsafe_to_fork(proc, "linux") is None
    (proc / "fd" / "1").symlink_to(device)
    assert fork_safety.unsafe_to_fork(proc, "linux") == reason


def test_elsewhere_than_on_linux_nothing_is_forked(proc: Path) -> None:
    assert fork_safety.unsafe_to_fork(proc, "darwin") == "forking is not safe on darwin"


def test_threads_that_would_be_missing_are_named(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_safety, "left_behind", lambda _proc, _idents: ["_duckdb", "libgomp"])
    assert fork_safety.unsafe_to_fork(proc, "linux") == (
        "threads have been started that would be missing after a fork (_duckdb, libgomp)"
    )


def an_executor() -> Callable[[], object]:
    pool = ThreadPoolExecutor(1)
    pool.submit(int).result()
    return pool.shutdown


def a_queue() -> Callable[[], object]:
    work: queue.Queue[object] = queue.Queue()
    threading.Thread(target=work.get, daemon=True).start()
    return lambda: work.put(None)


def an_event_loop() -> Callable[[], object]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: (loop.run_forever(), loop.close()), daemon=True)
    thread.start()
    return lambda: (loop.call_soon_threadsafe(loop.stop), thread.join())


def an_event() -> Callable[[], object]:
    going = threading.Event()
    threading.Thread(target=going.wait, daemon=True).start()
    return going.set


def test_an_event_loop_in_a_thread_is_at_work() -> None:
    end = an_event_loop()
    try:
        assert fork_safety.unsafe_still(0.05).startswith("a Python thread is at work (")
    finally:
        end()


@pytest.mark.parametrize("begin", [an_executor, a_queue, an_event])
def test_a_thread_that_waits_for_work_would_be_missed(begin: Callable[[], Callable[[], object]]) -> None:
    end = begin()
    try:
        until(python_threads.awaited)
        assert fork_safety.unsafe_still() == (
            f"a Python thread waits for work and would be missing after a fork ({', '.join(python_threads.awaited())})"
        )
    finally:
        end()
    until(lambda: not python_threads.awaited())


def test_a_timer_and_a_monitor_are_not_missed() -> None:
    stop = threading.Event()
    timer, monitor = threading.Timer(SOON_S, print), threading.Thread(target=stop.wait, args=(SOON_S,))
    for thread in (timer, monitor):
        thread.start()
    try:
        until(lambda: not python_threads.at_work())
        assert python_threads.awaited() == []
    finally:
        timer.cancel()
        stop.set()
        monitor.join()


def test_a_python_thread_at_work_is_waited_for_and_then_named() -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            time.sleep(0.001)

    waiting = threading.Thread(target=threading.Event().wait, args=(60,), daemon=True, name="waits")
    waiting.start()
    worker = threading.Thread(target=work, name="works")
    worker.start()
    try:
        until(lambda: python_threads.at_work() == ["works"])
        assert fork_safety.unsafe_still(0.05) == "a Python thread is at work (works)"
    finally:
        stop.set()
        worker.join()
    assert "works" not in (fork_safety.unsafe_still(5.0) or "")


def test_a_thread_that_python_has_no_name_for_is_seen_too() -> None:
    going, gone = [True], threading.Event()

    def nameless() -> None:
        while going:
            time.sleep(0.001)
        gone.set()

    _thread.start_new_thread(nameless, ())
    try:
        until(lambda: any("nameless" in name for name in python_threads.at_work()))
        assert fork_safety.unsafe_still(0.0) == "a Python thread is at work (without a name, in nameless)"
    finally:
        going.clear()
        assert gone.wait(SOON_S)


NO_WAITING = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: pytest.fail("it waits"))


def test_only_a_thread_at_work_is_waited_for_not_words_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_safety, "unsafe_to_fork", lambda: "no thread is at work here, but CUDA is initialised")
    monkeypatch.setattr(fork_safety.python_threads, "at_work", list)
    monkeypatch.setattr(fork_safety, "time", NO_WAITING)
    assert fork_safety.unsafe_still(SOON_S) == "no thread is at work here, but CUDA is initialised"


def test_where_nothing_is_forked_no_thread_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork_safety.sys, "platform", "darwin")
    monkeypatch.setattr(fork_safety.python_threads, "at_work", lambda: ["works"])
    monkeypatch.setattr(fork_safety, "time", NO_WAITING)
    assert fork_safety.unsafe_still(SOON_S) is not None


def test_a_thread_that_ends_in_time_hinders_nothing() -> None:
    worker = threading.Thread(target=lambda: [time.sleep(0.005) for _ in range(20)], name="soon done")
    worker.start()
    assert "soon done" not in (fork_safety.unsafe_still(20.0) or "")
    worker.join()


def test_forking_gives_no_warning_about_threads() -> None:
    waiting = threading.Thread(target=threading.Event().wait, args=(60,), daemon=True)
    waiting.start()
    pid = fork_safety.quiet_fork()
    if pid == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
