"""May this process be forked? Only while nothing has started that a fork would leave half behind.

A forked process has one thread. Whoever hands work to a thread that is gone waits for ever (GNU OpenMP, XLA, polars,
an executor of Python's) or computes with fewer threads than it says; CUDA refuses to work. Libraries that set
themselves up anew (OpenBLAS) do not mind. In doubt a new interpreter is started, which is never wrong.
"""

import os
import sys
import time
import warnings
from pathlib import Path

from tailgate.processes import python_threads
from tailgate.processes.native_threads import left_behind

PROC = Path("/proc/self")
CUDA_DEVICE = "/dev/nvidia-uvm"
"""Opened when CUDA is initialised, and by nothing that only asks for the GPUs' names."""

LOOK_S = 0.03
PATIENCE_S = 3.0
"""A thread that an import starts (``import openvino`` sends a note to its makers) may be at work so long."""


def unsafe_to_fork(proc: Path = PROC, platform: str | None = None) -> str | None:
    """Why a fork of this process could not be trusted, or ``None``."""
    platform = platform or sys.platform
    if platform != "linux":
        return f"forking is not safe on {platform}"
    if busy := python_threads.at_work():
        return f"a Python thread is at work ({', '.join(busy)})"
    if idle := python_threads.awaited():
        return f"a Python thread waits for work and would be missing after a fork ({', '.join(idle)})"
    if CUDA_DEVICE in _open_files(proc):
        return "CUDA is initialised"
    if lost := left_behind(proc, sys._current_frames()):
        return f"threads have been started that would be missing after a fork ({', '.join(lost)})"
    return None


def unsafe_still(patience_s: float = PATIENCE_S) -> str | None:
    """:func:`unsafe_to_fork`, once what an import has set going had time to come to rest."""
    deadline_s = time.monotonic() + patience_s
    while sys.platform == "linux" and python_threads.at_work() and time.monotonic() < deadline_s:
        time.sleep(LOOK_S)
    return unsafe_to_fork()


def _open_files(proc: Path) -> set[str]:
    found = set()
    for link in (proc / "fd").iterdir():
        try:
            found.add(str(link.readlink()))
        except OSError:
            continue  # closed meanwhile: the folder's own descriptor
    return found


def quiet_fork() -> int:
    """``os.fork`` without the warnings about threads: :func:`unsafe_to_fork` has looked."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return os.fork()
