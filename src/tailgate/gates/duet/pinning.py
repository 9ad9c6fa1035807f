"""Both sides on one CPU, for calls that one thread computes.

Left to the scheduler, each side settles on a CPU of its own, whose neighbours (the other half of a core, other guests
of a host) are not the same. On this project's 2-CPU virtual machine the spread of the pairs was then two to three times
as large (docs/evidence/duet-evidence.md). Which CPU it is changes from pair to pair. Calls of several threads are left
to the scheduler.
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

ALONE_SHARE = 0.95
"""Of the process's CPU time, in the calling thread: from here on one thread computes."""


def is_one_thread(thread_cpu_s: float, process_cpu_s: float) -> bool:
    """Whether the calling thread did the work; a call that only waits did none that could tell."""
    return process_cpu_s > 0 and thread_cpu_s >= ALONE_SHARE * process_cpu_s


@contextlib.contextmanager
def on_one_cpu(pids: Sequence[int], chance: random.Random) -> Iterator[int | None]:
    """Keep all threads of these processes on one CPU; which one, or ``None``: this platform has no affinity."""
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    before: dict[int, set[int]] = {}
    for thread in [thread for pid in pids for thread in _threads(pid)]:
        with contextlib.suppress(OSError):  # it has just ended
            before[thread] = os.sched_getaffinity(thread)
    common = set.intersection(*before.values()) if before else set()
    if not common:
        yield None
        return
    cpu = chance.choice(sorted(common))
    _set({thread: {cpu} for thread in before})
    try:
        yield cpu
    finally:
        _set(before)


def _set(wanted: dict[int, set[int]]) -> None:
    for thread, cpus in wanted.items():
        with contextlib.suppress(OSError):
            os.sched_setaffinity(thread, cpus)


def _threads(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(entry.name) for entry in Path(f"/proc/{pid}/task").iterdir()]
    return []
