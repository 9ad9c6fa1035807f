"""Whose threads wait in this process, by the code on their stacks: a fork leaves them behind.

A thread that the kernel holds in a system call has its stack pointer in ``/proc/self/task/TID/syscall``, and this
process may read its own memory. The return addresses that lie on the stack name the libraries that the thread
belongs to (proc_pid_syscall(5), proc_pid_maps(5), proc_pid_mem(5)).
"""

import os
import re
import struct
import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

DEEPEST_BYTES = 32 * 1024
"""A waiting thread was never seen to hold more than 8 KiB; beyond its stack lies memory of others."""
WORD = struct.calcsize("P")
ANYBODYS = re.compile(
    r"^(ld-|ld\.|libc[.-]|libpthread|libstdc\+\+|libc\+\+|libgcc|libgfortran|libquadmath|libm[.-]|libpython|python|\[)"
)
"""Code on every thread's stack. A thread with Python's alone is Python's own watchdog (``faulthandler``)."""
SURVIVORS = re.compile("openblas")
"""Sets its threads up anew in the child (``pthread_atfork``)."""
SURVIVING_NAMES = {"jemalloc_bg_thd"}
"""The same of jemalloc, which pyarrow and with it pandas bring."""
AT_IMPORT = {"onnxruntime_pybind11_state": 1}
"""Threads that the import alone starts (seen of 1.31.1), and that no session needs."""
SPIN_LOOKS, SPIN_S = 10, 0.03
"""Pools spin for a while before they wait; a thread that runs longer is at work."""


@dataclass(frozen=True)
class Mapping:
    """A line of ``/proc/self/maps``."""

    low: int
    high: int
    executable: bool
    file: str


RUNNING = "native code at work"
"""In place of a library's name: a running thread shows no stack."""


def left_behind(proc: Path, python_idents: Collection[int] = ()) -> list[str]:
    """The libraries whose waiting or working threads a fork would lose, by name; Python's own threads are not told.

    ``python_idents``: of :func:`threading.get_ident`. A kernel that hides system calls leaves the threads' names: one
    that differs from the process's own is told.
    """
    mine = {str(os.getpid()), str(threading.get_native_id())}
    found: Counter[str] = Counter()
    for look in range(SPIN_LOOKS):
        try:
            tasks = [task for task in (proc / "task").iterdir() if task.name not in mine]
            mappings = _mappings((proc / "maps").read_text())
        except OSError:
            return []  # no Linux, or one that tells nothing
        looked = [_owner(proc, task, mappings, python_idents) for task in tasks]
        if RUNNING not in looked or look == SPIN_LOOKS - 1:
            found = Counter(name for name in looked if name)
            break
        time.sleep(SPIN_S)
    return sorted(name for name, count in found.items() if count > AT_IMPORT.get(name, 0))


def _owner(proc: Path, task: Path, mappings: list[Mapping], python_idents: Collection[int]) -> str | None:
    """Name of the library that this thread belongs to; ``None``: Python's, one that survives, or it has ended."""
    try:
        name = (task / "comm").read_text().strip()
        if name in SURVIVING_NAMES:
            return None
        state = _syscall(task)
        if state == ["running"]:
            return RUNNING
        if len(state) < 3:  # its last two are the stack pointer and the program counter
            return None if name == (proc / "comm").read_text().strip() else name
        pointer = int(state[-2], 16)
        stack = _containing(mappings, pointer)
        if stack is None or any(pointer <= ident < stack.high for ident in python_idents):
            return None if stack else name
        files = {
            mapping.file
            for word in _words(proc, pointer, min(stack.high, pointer + DEEPEST_BYTES))
            if (mapping := _containing(mappings, word)) and mapping.executable
        }
    except OSError:
        return None  # it has ended meanwhile
    own = sorted(file for file in files if file and not ANYBODYS.match(Path(file).name))
    if not own:
        return None if files else name
    lost = [file for file in own if not SURVIVORS.search(file)]
    return Path(lost[0]).name.split(".")[0] if lost else None


def _syscall(task: Path) -> list[str]:
    try:
        return (task / "syscall").read_text().split()
    except OSError:
        return []  # hidden by this kernel


def _words(proc: Path, low: int, high: int) -> tuple[int, ...]:
    """What lies on a stack, up to the thread's own descriptor, which begins with its own address (glibc on x86-64)."""
    with (proc / "mem").open("rb", buffering=0) as memory:
        memory.seek(low)
        content = memory.read((high - low) // WORD * WORD)
    words = tuple(memoryview(content).cast("P"))
    for index, word in enumerate(words):
        if word == low + index * WORD and word in words[index + 1 : index + 3]:
            return words[:index]
    return words


def _mappings(text: str) -> list[Mapping]:
    found = []
    for line in text.splitlines():
        place, rights, _, _, _, *file = line.split(maxsplit=5)
        low, high = (int(end, 16) for end in place.split("-"))
        found.append(Mapping(low, high, "x" in rights, file[0] if file else ""))
    return found


def _containing(mappings: list[Mapping], address: int) -> Mapping | None:
    index = bisect_right(mappings, address, key=lambda mapping: mapping.low) - 1
    return mappings[index] if index >= 0 and address < mappings[index].high else None
