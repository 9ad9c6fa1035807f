"""What happened between two readings: differences, as shares and as CPUs' worth of time."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from tailgate.machine.cpus import capped_by_quota
from tailgate.machine.trust.readings import Reading, read

SHORTEST_S = 0.2
"""The kernel counts in steps of 10 ms, on each CPU and in each column: over 0.2 s that is up to a tenth of a CPU.
Shorter stretches cannot be judged."""


@dataclass(frozen=True)
class Stretch:
    """The time between two readings; ``None``: not known. Shares are from 0 to 1.

    Attributes:
        wall_s: how long it was.
        own_cpus: CPU seconds of ours per second.
        cpus: how many CPUs our threads may run on; ``None``: the platform does not say.
        usable_cpus: how many of them the cgroup's quota lets run at once.
        wanted_cpus: how many the benchmark wants: its threads, or what it was seen to use if that is more.
        other_cpus: CPU seconds that other processes used of our CPUs, per second.
        steal_cpus: CPU seconds that the hypervisor took from our CPUs, per second.
        run_delay_share: waiting for a CPU, of the time our threads wanted one.
        run_delay_per_wall: the same waiting, in seconds of all threads per second.
        involuntary_switches: how often the scheduler took the CPU from one of our threads.
        pressure_cpu_share: share of the time in which some task of the machine waited for a CPU.
        pressure_memory_share: the same, for memory.
        pressure_io_share: the same, for input and output.
        throttled_share: share of the time for which a CPU quota stopped the threads, on average.
        throttled_periods: quota periods in which that happened.
        frequency_hz: mean of the frequencies at either end.
        thermal_throttles: how often heat slowed a CPU.
    """

    wall_s: float
    own_cpus: float
    cpus: int | None = None
    usable_cpus: int | None = None
    wanted_cpus: int = 1
    other_cpus: float | None = None
    steal_cpus: float | None = None
    run_delay_share: float | None = None
    run_delay_per_wall: float | None = None
    involuntary_switches: int | None = None
    pressure_cpu_share: float | None = None
    pressure_memory_share: float | None = None
    pressure_io_share: float | None = None
    throttled_share: float | None = None
    throttled_periods: int | None = None
    frequency_hz: float | None = None
    thermal_throttles: int | None = None


def read_since(before: Reading) -> Reading | None:
    """Read the accounts, unless the time since ``before`` is too short to be judged."""
    return read() if time.perf_counter() - before.wall_s >= SHORTEST_S else None


def between(before: Reading, after: Reading, threads: int = 1) -> Stretch | None:
    """``None``: shorter than :data:`SHORTEST_S`."""
    wall_s = after.wall_s - before.wall_s
    if wall_s < SHORTEST_S:
        return None
    own_cpus = max(0.0, after.own_s - before.own_s) / wall_s
    # A CPU that was ours only at one end: its busy seconds cannot be told from the others'.
    cpus = len(after.cpus) if after.cpus and after.cpus == before.cpus else None
    busy_s = _rise(before.busy_s, after.busy_s) if cpus else None
    steal_s = _rise(before.steal_s, after.steal_s) if cpus else None
    # Who calls without telling the threads gets what was seen: 1.6 CPUs in use were at least two threads.
    wanted_cpus = max(1, threads, round(own_cpus))
    running_s, waiting_s = _thread_times(before.thread_times_s, after.thread_times_s)
    return Stretch(
        wall_s=wall_s,
        own_cpus=own_cpus,
        cpus=cpus,
        usable_cpus=capped_by_quota(cpus, after.quota_cpus) if cpus else None,
        wanted_cpus=wanted_cpus,
        other_cpus=None if busy_s is None else max(0.0, busy_s / wall_s - own_cpus),
        steal_cpus=_over(steal_s, wall_s),
        run_delay_share=_share(waiting_s, None if waiting_s is None else waiting_s + (running_s or 0.0)),
        run_delay_per_wall=_over(waiting_s, wall_s),
        involuntary_switches=_count(before.involuntary_switches, after.involuntary_switches),
        pressure_cpu_share=_share(_rise(before.pressure_cpu_s, after.pressure_cpu_s), wall_s),
        pressure_memory_share=_share(_rise(before.pressure_memory_s, after.pressure_memory_s), wall_s),
        pressure_io_share=_share(_rise(before.pressure_io_s, after.pressure_io_s), wall_s),
        throttled_share=_share(
            _rise(before.throttled_cpu_s, after.throttled_cpu_s), wall_s * min(wanted_cpus, cpus or wanted_cpus)
        ),
        throttled_periods=_count(before.throttled_periods, after.throttled_periods),
        frequency_hz=_mean(before.frequency_hz, after.frequency_hz),
        thermal_throttles=_count(before.thermal_throttles, after.thermal_throttles),
    )


def _thread_times(
    before: Mapping[int, tuple[float, float]] | None, after: Mapping[int, tuple[float, float]] | None
) -> tuple[float | None, float | None]:
    """Seconds running and waiting of the threads there are at the end; one that ended took its account with it."""
    if before is None or after is None:
        return None, None
    running_s = waiting_s = 0.0
    for thread, (ran_s, waited_s) in after.items():
        ran_before_s, waited_before_s = before.get(thread, (0.0, 0.0))
        running_s += max(0.0, ran_s - ran_before_s)
        waiting_s += max(0.0, waited_s - waited_before_s)
    return running_s, waiting_s


def _rise(before: float | None, after: float | None) -> float | None:
    """``None`` also where a total fell: the group or the CPU it counts for is another one than before."""
    if before is None or after is None or after < before:
        return None
    return after - before


def _count(before: int | None, after: int | None) -> int | None:
    rise = _rise(before, after)
    return None if rise is None else int(rise)


def _over(part_s: float | None, wall_s: float) -> float | None:
    return None if part_s is None else part_s / wall_s


def _share(part_s: float | None, whole_s: float | None) -> float | None:
    """At most 1: the clocks are read some microseconds apart."""
    if part_s is None or not whole_s:
        return None
    return min(1.0, part_s / whole_s)


def _mean(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else (first + second) / 2
