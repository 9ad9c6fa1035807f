"""May this process be forked? Only while nothing has started that a fork would leave half behind.

A forked process has one thread. Libraries that only wait, and set themselves up anew (OpenBLAS), do not
mind; the GNU OpenMP pool hangs at its next parallel loop, and CUDA refuses to work.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
import warnings
from pathlib import Path

PROC = Path("/proc/self")
GNU_OPENMP = "libgomp"
CUDA_DEVICE = "/dev/nvidia-uvm"
"""Opened when CUDA is initialised, and by nothing that only asks for the GPUs' names."""

SPIN_LOOKS, SPIN_S = 10, 0.03
PATIENCE_S = 3.0
"""A thread that an import starts (``import openvino`` sends a note to its makers) may be at work so long."""
WAITING = ("threading.py", "queue.py", "selectors.py", "futures/thread.py")
"""Where a Python thread that waits for work stands (``import openvino`` leaves one, for its telemetry)."""


def unsafe_to_fork(proc: Path = PROC, platform: str | None = None) -> str | None:
    """Why a fork of this process could not be trusted, or ``None``."""
    platform = platform or sys.platform
    if platform != "linux":
        return f"forking is not safe on {platform}"
    busy = _busy_threads()
    if busy:
        return f"a Python thread is at work ({', '.join(busy)})"
    if CUDA_DEVICE in _open_files(proc):
        return "CUDA is initialised"
    if _waits_inside(GNU_OPENMP, proc):
        return "the GNU OpenMP thread pool has been started"
    return None


def unsafe_still(patience_s: float = PATIENCE_S) -> str | None:
    """:func:`unsafe_to_fork`, once what an import has set going had time to come to rest."""
    deadline_s = time.monotonic() + patience_s
    while sys.platform == "linux" and _busy_threads() and time.monotonic() < deadline_s:
        time.sleep(SPIN_S)
    return unsafe_to_fork()


def _busy_threads() -> list[str]:
    """Python threads other than this one that are not merely waiting for work: they may hold a lock."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    found = []
    for ident, frame in sys._current_frames().items():
        if ident != threading.get_ident() and not frame.f_code.co_filename.endswith(WAITING):
            found.append(names.get(ident, f"without a name, in {frame.f_code.co_name}"))
    return found


def _open_files(proc: Path) -> set[str]:
    found = set()
    for link in (proc / "fd").iterdir():
        try:
            found.add(str(link.readlink()))
        except OSError:
            continue  # closed meanwhile: the folder's own descriptor
    return found


def _waits_inside(library: str, proc: Path) -> bool:
    """Whether a thread is blocked in a system call made from this library's code.

    libgomp's threads wait in a system call of its own, not of the C library's; before that they spin, so a
    running thread is looked at again a little later.
    """
    try:
        ranges = _code_of(library, (proc / "maps").read_text())
        for _ in range(SPIN_LOOKS if ranges else 0):
            states = [(task / "syscall").read_text().split() for task in (proc / "task").iterdir()]
            if any(low <= int(state[-1], 16) < high for state in states if len(state) > 1 for low, high in ranges):
                return True
            if ["running"] not in states:  # this thread itself is inside its read
                return False
            time.sleep(SPIN_S)
    except OSError:
        return False  # not told by this kernel; a hang then ends at --benchmark-timeout
    return False


def _code_of(library: str, maps: str) -> list[tuple[int, int]]:
    pattern = re.compile(rf"^([0-9a-f]+)-([0-9a-f]+) r-xp .*/{library}[^/]*$", re.MULTILINE)
    return [(int(low, 16), int(high, 16)) for low, high in pattern.findall(maps)]


def quiet_fork() -> int:
    """``os.fork`` without the warnings about threads: :func:`unsafe_to_fork` has looked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()
