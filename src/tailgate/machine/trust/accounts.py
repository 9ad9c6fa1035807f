"""The kernel's accounts, one function a file of ``/proc`` and ``/sys``.

``None`` where the kernel does not keep the account or will not show it: never zero, which would say "nothing
happened". All are totals since boot or since the group was made, except the frequency, which is of now.
"""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from tailgate.machine.cpus import contents

FREQUENCY_BUDGET_S = 0.001
"""Kernels before 5.18 sleep 10 ms to find the frequency of one CPU: after this long, the CPUs read so far do."""


def cpu_times(stat: Path, cpus: Iterable[int]) -> tuple[float, float] | None:
    """Busy and stolen seconds of ``cpus``, summed: ``/proc/stat``, in steps of 10 ms.

    Busy is user, nice, system, irq and softirq; waiting for input and output is idle. ``None`` too where one
    of the CPUs is not listed: lxcfs numbers a container's CPUs anew, so the lines there are not these CPUs'.
    """
    wanted = {f"cpu{number}" for number in cpus}
    busy = steal = 0
    try:
        for line in contents(stat).splitlines():
            name, *fields = line.split()
            if name in wanted:
                user, nice, system, _idle, _iowait, irq, softirq, stolen = map(int, fields[:8])
                busy += user + nice + system + irq + softirq
                steal += stolen
                wanted.remove(name)
    except (OSError, ValueError):
        return None
    if wanted or busy == 0:  # a sandbox (gVisor) lists every CPU and counts nothing
        return None
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    return busy * tick_s, steal * tick_s


def thread_times(tasks: Path) -> Mapping[int, tuple[float, float]] | None:
    """Seconds (running, runnable but waiting for a CPU) by thread: ``/proc/self/task/*/schedstat``."""
    found = {}
    try:
        threads = os.listdir(tasks)  # noqa: PTH208 - twice as fast, and read around timed rounds
    except OSError:
        return None
    for thread in threads:
        try:
            running_ns, waiting_ns, _times = map(int, contents(f"{tasks}/{thread}/schedstat").split())
        except (OSError, ValueError):
            continue  # it has just ended
        found[int(thread)] = (running_ns * 1e-9, waiting_ns * 1e-9)
    # Without the accounting the kernel writes zeros, though this very thread has run.
    return found if any(running_s for running_s, _ in found.values()) else None


def pressure(file: Path) -> float | None:
    """Seconds in which some task waited for the resource: ``some … total=`` of ``/proc/pressure/*``, in µs there."""
    try:
        for line in contents(file).splitlines():
            kind, *pairs = line.split()
            if kind == "some":
                return int(dict(pair.split("=") for pair in pairs)["total"]) * 1e-6
    except (OSError, ValueError, KeyError):
        pass  # no such file, or pressure accounting is switched off (psi=0): reading then fails
    return None


def throttling(folders: Iterable[Path]) -> tuple[int, float] | None:
    """Periods in which a CPU quota stopped the group, and for how many CPU seconds: ``cpu.stat``.

    Summed over the groups on the way to the root, because any of them can stop the process, and no two at once.
    The seconds are of all CPUs together: two threads stopped for one second are two.
    """
    periods, stopped_s, found = 0, 0.0, False
    for folder in folders:
        try:
            pairs = (line.split() for line in contents(f"{folder}/cpu.stat").splitlines())
            counts = {name: int(value) for name, value in pairs}
        except (OSError, ValueError):
            continue
        if "nr_throttled" not in counts:
            continue  # the root of version 2, and groups without the CPU controller, have only usage
        found = True
        periods += counts["nr_throttled"]
        stopped_s += counts.get("throttled_usec", 0) * 1e-6 + counts.get("throttled_time", 0) * 1e-9
    return (periods, stopped_s) if found else None


def frequency_hz(folder: Path, cpus: Iterable[int]) -> float | None:
    """Mean current frequency of ``cpus``: ``cpu*/cpufreq/scaling_cur_freq``, in kHz there."""
    found_khz = []
    start_s = time.perf_counter()
    for number in cpus:
        try:
            found_khz.append(int(contents(f"{folder}/cpu{number}/cpufreq/scaling_cur_freq")))
        except (OSError, ValueError):
            return None  # the mean of some CPUs would not be the mean
        if time.perf_counter() - start_s > FREQUENCY_BUDGET_S:
            break
    return sum(found_khz) / len(found_khz) * 1e3 if found_khz else None


def thermal_throttles(folder: Path, cpus: Iterable[int]) -> int | None:
    """How often heat slowed ``cpus`` or their packages: ``cpu*/thermal_throttle/*_throttle_count`` (x86, Intel).

    A package's count is read once for each of its CPUs: only whether the sum rose means something.
    """
    count = None
    for number in cpus:
        for what in ("core", "package"):
            file = f"{folder}/cpu{number}/thermal_throttle/{what}_throttle_count"
            try:
                count = (count or 0) + int(contents(file))
            except (OSError, ValueError):
                continue
        if count is None:
            return None  # no such folder on the first CPU: there is none on the others
    return count
