"""What may be forked."""

import _thread
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tailgate.processes import safety

pytestmark = pytest.mark.alone

SOON_S = 30.0


MAPS = """\
55a0-55b0 r-xp 00000000 08:01 1 /usr/bin/python3
7f00-7f80 r-xp 00000000 08:01 2 /usr/lib/libgomp.so.1.0.0
7f80-7f90 r--p 00000000 08:01 2 /usr/lib/libgomp.so.1.0.0
7fa0-7fb0 r-xp 00000000 08:01 3 /usr/lib/libc.so.6
"""


class FakeProc:
    """``/proc/self`` with a maps file, descriptors and what each thread is in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "fd").mkdir()
        (folder / "task").mkdir()
        (folder / "maps").write_text("")
        self.open("/dev/null")
        self.thread("running")

    def open(self, target: str) -> None:
        (self.folder / "fd" / str(len(list((self.folder / "fd").iterdir())))).symlink_to(target)

    def thread(self, syscall: str) -> None:
        task = self.folder / "task" / str(100 + len(list((self.folder / "task").iterdir())))
        task.mkdir()
        (task / "syscall").write_text(f"{syscall}\n")


@pytest.fixture
def proc(tmp_path: Path) -> FakeProc:
    return FakeProc(tmp_path)


def waits_at(place: int) -> str:
    return f"202 0x1 0x80 0x0 0x0 0x0 0x0 0x7ffe {place:#x}"


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda proc: None, None),
        (lambda proc: proc.open("/dev/nvidia-uvm"), "CUDA is initialised"),
        (lambda proc: proc.open("/dev/nvidiactl"), None),
        (lambda proc: proc.thread(waits_at(0x7F10)), "the GNU OpenMP thread pool has been started"),
        (lambda proc: proc.thread(waits_at(0x7F80)), None),  # its data, not its code
        (lambda proc: proc.thread(waits_at(0x7FA5)), None),  # another library waits (OpenBLAS in the C library)
        (lambda proc: proc.thread("running"), None),
        (lambda proc: proc.thread("-1 0x0 0x0"), None),
    ],
    ids=["idle", "cuda", "nvidia-smi", "libgomp", "data", "libc", "running", "outside"],
)
def test_what_forbids_forking_is_seen_in_proc(
    proc: FakeProc, monkeypatch: pytest.MonkeyPatch, prepare: Callable[[FakeProc], None], reason: str | None
) -> None:
    monkeypatch.setattr(safety, "SPIN_S", 0.0)
    (proc.folder / "maps").write_text(MAPS)
    prepare(proc)
    assert safety.unsafe_to_fork(proc.folder, "linux") == reason


def test_elsewhere_than_on_linux_nothing_is_forked(proc: FakeProc) -> None:
    assert safety.unsafe_to_fork(proc.folder, "darwin") == "forking is not safe on darwin"


def test_a_kernel_that_tells_nothing_of_system_calls_is_no_hindrance(proc: FakeProc) -> None:
    (proc.folder / "maps").unlink()
    assert safety.unsafe_to_fork(proc.folder, "linux") is None


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
        assert safety.unsafe_still(0.05) == "a Python thread is at work (works)"
    finally:
        stop.set()
        worker.join()
    assert "works" not in (safety.unsafe_still(5.0) or "")


def test_a_thread_that_python_has_no_name_for_is_seen_too() -> None:
    going, gone = [True], threading.Event()

    def nameless() -> None:
        while going:
            time.sleep(0.001)
        gone.set()

    _thread.start_new_thread(nameless, ())
    time.sleep(0.05)
    try:
        assert safety.unsafe_still(0.0) == "a Python thread is at work (without a name, in nameless)"
    finally:
        going.clear()
        assert gone.wait(SOON_S)


def test_only_a_thread_at_work_is_waited_for_not_words_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety, "unsafe_to_fork", lambda: "no thread is at work here, but CUDA is initialised")
    monkeypatch.setattr(safety, "_busy_threads", list)
    started_s = time.monotonic()
    assert safety.unsafe_still(SOON_S) == "no thread is at work here, but CUDA is initialised"
    assert time.monotonic() - started_s < SOON_S / 2


def test_where_nothing_is_forked_no_thread_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safety.sys, "platform", "darwin")
    monkeypatch.setattr(safety, "_busy_threads", lambda: ["works"])
    started_s = time.monotonic()
    safety.unsafe_still(SOON_S)
    assert time.monotonic() - started_s < SOON_S / 2


def test_a_thread_that_ends_in_time_is_no_hindrance() -> None:
    worker = threading.Thread(target=lambda: [time.sleep(0.005) for _ in range(20)], name="soon done")
    worker.start()
    assert "soon done" not in (safety.unsafe_still(20.0) or "")
    worker.join()


def test_forking_gives_no_warning_about_threads() -> None:
    waiting = threading.Thread(target=threading.Event().wait, args=(60,), daemon=True)
    waiting.start()
    pid = safety.quiet_fork()
    if pid == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
