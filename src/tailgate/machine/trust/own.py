"""What is ours: the CPUs our threads may use, and the CPU seconds we and our worker processes used."""

import os
import time
from contextlib import suppress
from pathlib import Path

import psutil

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # typeshed knows a module only where it exists


def own_cpus(tasks: Path = Path("/proc/self/task")) -> frozenset[int] | None:
    """The CPUs that any of our threads may run on; ``None`` where the platform has no affinity (macOS).

    All threads, because a runtime may pin the main thread to one CPU and its pool to the others.
    """
    if not hasattr(os, "sched_getaffinity"):
        return None
    cpus = set(os.sched_getaffinity(0))
    try:
        threads = os.listdir(tasks)  # noqa: PTH208 - twice as fast, and read around timed rounds
    except OSError:
        return frozenset(cpus)
    for thread in threads:
        try:
            cpus |= os.sched_getaffinity(int(thread))
        except OSError:
            continue  # it has just ended
    return frozenset(cpus)


def own_cpu_s() -> float:
    """CPU seconds of this process, of its live descendants, and of the children it has waited for.

    A benchmark that hands its work to processes must not be called its own neighbour. Missed are those who left
    the family: daemons, and on Windows children that have ended.
    """
    waited_s, live_s = _waited_for_s(), 0.0
    for _ in range(3):  # a child waited for meanwhile would be missing in both sums
        live_s = _live_descendants_s() if _may_have_children() else 0.0
        before_s, waited_s = waited_s, _waited_for_s()
        if waited_s == before_s:
            break
    return time.process_time() + waited_s + live_s


def involuntary_switches() -> int | None:
    """How often the scheduler took the CPU from one of our threads; ``None`` on Windows."""
    return None if resource is None else resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw


def _waited_for_s() -> float:
    if resource is None:
        return 0.0
    waited = resource.getrusage(resource.RUSAGE_CHILDREN)
    return float(waited.ru_utime + waited.ru_stime)


def _live_descendants_s() -> float:
    total_s = 0.0
    try:
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):  # ended meanwhile
                total_s += sum(process.cpu_times()[:4])  # user and system, its own and of children it waited for
    except psutil.Error:
        pass  # /proc hides the other processes (hidepid)
    return total_s


def _may_have_children() -> bool:
    """Asked of the kernel in a microsecond: finding children through psutil reads every process's files."""
    if not hasattr(os, "waitid"):
        return True
    try:
        # WNOWAIT: a child that has ended stays to be waited for by its owner.
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
