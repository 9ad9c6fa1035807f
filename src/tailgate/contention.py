"""Did other work have the CPUs while a benchmark ran? From the kernel's own accounts, per CPU.

A first guard: what other processes used, and what the hypervisor took, against the CPUs there are. The
row is marked and says why; the numbers stay, because only the reader knows what they are for.
"""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tailgate.cpus import usable_cpus

STAT = Path("/proc/stat")
SHORTEST_S = 0.2
"""The kernel counts in steps of 10 ms: shorter stretches cannot be judged."""
MOST_OVERCOMMITTED_CPUS = 0.25
"""Contended when our threads and the others together want this much more than there is; less than that is
the background of any machine."""
MOST_STEAL_SHARE = 0.05
"""Contended when the hypervisor took this share of the CPUs."""


@dataclass(frozen=True)
class Reading:
    """Seconds since boot, summed over the CPUs this process may use."""

    wall_s: float
    busy_s: float
    steal_s: float
    own_s: float
    involuntary_switches: int


def read() -> Reading | None:
    """Now; ``None`` outside Linux."""
    try:
        busy_s, steal_s = _cpu_times()
    except (OSError, ValueError, IndexError):
        return None
    switches = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
    return Reading(time.perf_counter(), busy_s, steal_s, time.process_time(), switches)


def judge(before: Reading | None, after: Reading | None, threads: int) -> tuple[dict[str, Any], str | None]:
    """Fields for ``extra_info``, and the reason why the row is contended, or ``None``."""
    if before is None or after is None or after.wall_s - before.wall_s < SHORTEST_S:
        return {"other_cpus_busy": None, "steal_cpus": None, "involuntary_switches": None}, None
    wall_s = after.wall_s - before.wall_s
    own = (after.own_s - before.own_s) / wall_s
    steal = (after.steal_s - before.steal_s) / wall_s
    others = max(0.0, (after.busy_s - before.busy_s) / wall_s - own)
    fields = {
        "other_cpus_busy": others,
        "steal_cpus": steal,
        "involuntary_switches": after.involuntary_switches - before.involuntary_switches,
    }
    return fields, reason(others, steal, threads, usable_cpus())


def reason(other_cpus: float, steal_cpus: float, threads: int, cpus: int) -> str | None:
    """Why numbers taken beside so much other work are not this code's; ``None``: they may be."""
    if steal_cpus > MOST_STEAL_SHARE * cpus:
        return f"contended: the hypervisor took {steal_cpus:.2f} of {cpus} CPUs while this ran"
    wanted = min(threads, cpus)
    if wanted + other_cpus > cpus + MOST_OVERCOMMITTED_CPUS:
        return f"contended: other processes used {other_cpus:.2f} of {cpus} CPUs while {wanted} were wanted here"
    return None


def _cpu_times() -> tuple[float, float]:
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    busy = steal = 0
    for line in STAT.read_text().splitlines():
        name, *fields = line.split()
        if name in ours:
            user, nice, system, _idle, _iowait, irq, softirq, stolen = map(int, fields[:8])
            busy += user + nice + system + irq + softirq
            steal += stolen
    return busy * tick_s, steal * tick_s
