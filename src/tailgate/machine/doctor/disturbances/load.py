"""Other work on our CPUs, watched for a second: other processes, and the hypervisor."""

import os
from dataclasses import dataclass
from functools import lru_cache

import psutil

from tailgate.machine.doctor.host import Host, Process, UnreadableError, asking
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 10
WATCHED_S = 1.0
MOST_OTHER_CPUS = 0.1
MOST_OTHER_SHARE = 0.01
"""Disturbing above a tenth of one CPU, or above a hundredth of all of ours where that is more."""
MOST_STEAL_SHARE = 0.02
NAMED = 3
SMALLEST_NAMED_CPUS = 0.01


@dataclass(frozen=True)
class CpuTimes:
    """Seconds since boot, over the CPUs we may use."""

    busy_s: float
    steal_s: float
    total_s: float
    machine_cpus: int
    """All that the machine has, to which the load average refers."""


@dataclass(frozen=True)
class Watched:
    """What one second showed, in CPUs' worth of time."""

    other_cpus: float
    steal_cpus: float
    steal_share_since_boot: float
    machine_cpus: int
    busiest: list[tuple[Process, float]]


@lru_cache(maxsize=1)
def watch(host: Host) -> Watched:
    """Watched once a host, for both checks."""
    processes_before = {process.pid: process.cpu_s for process in host.processes()}
    before, own_before_s, started_s = _cpu_times(host), host.own_cpu_s(), host.clock()
    host.sleep(WATCHED_S)
    after, own_after_s, ended_s = _cpu_times(host), host.own_cpu_s(), host.clock()
    wall_s = ended_s - started_s
    used = [
        (process, (process.cpu_s - processes_before.get(process.pid, 0.0)) / wall_s) for process in host.processes()
    ]
    return Watched(
        other_cpus=max(0.0, (after.busy_s - before.busy_s - (own_after_s - own_before_s)) / wall_s),
        steal_cpus=max(0.0, (after.steal_s - before.steal_s) / wall_s),
        steal_share_since_boot=after.steal_s / after.total_s if after.total_s else 0.0,
        machine_cpus=after.machine_cpus,
        busiest=sorted(used, key=lambda pair: -pair[1]),
    )


def load(host: Host) -> Verdict:
    """Other processes now, and the last minute's load average."""
    seen, cpus = watch(host), len(host.usable)
    average = _load_average(host)
    text = f"other processes use {_of(seen.other_cpus, cpus)}; load average {average:.2f} over the last minute"
    if seen.other_cpus > max(MOST_OTHER_CPUS, MOST_OTHER_SHARE * cpus):
        return Verdict("disturbs", f"{text}. Busiest: {_named(seen)}", "top -o %CPU")
    if average > seen.machine_cpus / 2:
        return Verdict("note", f"{text}: quiet now, but there was work until just now")
    return Verdict("ok", text)


def _of(used: float, cpus: int) -> str:
    return f"{used:.2f} of {cpus} CPU{'s' if cpus > 1 else ''}"


def _named(seen: Watched) -> str:
    """The busiest by name, and what is left over: a container does not see its neighbours."""
    top = [(process, cpus) for process, cpus in seen.busiest[:NAMED] if cpus >= SMALLEST_NAMED_CPUS]
    parts = [f"{process.name} (pid {process.pid}) {cpus:.2f}" for process, cpus in top]
    unseen = seen.other_cpus - sum(cpus for _, cpus in seen.busiest)
    if unseen > MOST_OTHER_CPUS:
        parts.append(f"{unseen:.2f} by processes that have ended or cannot be seen from here")
    return ", ".join(parts) or "none that can be seen from here"


def steal(host: Host) -> Verdict:
    """Time in which our CPUs were ready and the hypervisor ran another machine."""
    seen, cpus = watch(host), len(host.usable)
    since_boot_percent = seen.steal_share_since_boot * 100
    text = f"the hypervisor took {_of(seen.steal_cpus, cpus)}; {since_boot_percent:.2f} % of the time since boot"
    if seen.steal_cpus > MOST_STEAL_SHARE * cpus:
        return Verdict("disturbs", f"{text}. Only another machine helps: a dedicated or a bare-metal one")
    if not host.hypervisor and not seen.steal_share_since_boot:
        return Verdict("ok", "none since boot; no hypervisor seen")
    return Verdict("ok", text)


def _cpu_times(host: Host) -> CpuTimes:
    """CPU times from /proc/stat, where user time contains the guests'; elsewhere from psutil, for all CPUs."""
    if host.system != "Linux":
        with asking("the CPUs' times"):
            times = psutil.cpu_times()
        return CpuTimes(sum(times) - times.idle, 0.0, sum(times), len(host.usable))
    ours = {f"cpu{number}" for number in host.usable}
    busy = stolen = total = machine_cpus = 0
    try:
        for line in host.read("/proc/stat").splitlines():
            name, *fields = line.split() or [""]
            machine_cpus += name.startswith("cpu") and name != "cpu"
            if name in ours:
                user, nice, system, idle, wait, irq, softirq, steal_ticks = map(int, fields[:8])
                busy += user + nice + system + irq + softirq
                stolen += steal_ticks
                total += user + nice + system + idle + wait + irq + softirq + steal_ticks
    except ValueError as error:
        raise UnreadableError("/proc/stat has lines in a form we do not know") from error
    tick_s = 1 / os.sysconf("SC_CLK_TCK")
    return CpuTimes(busy * tick_s, stolen * tick_s, total * tick_s, machine_cpus)


def _load_average(host: Host) -> float:
    if host.system != "Linux":
        with asking("the load average"):
            return psutil.getloadavg()[0]
    text = host.read("/proc/loadavg")
    try:
        return float(text.split()[0])
    except (ValueError, IndexError) as error:
        raise UnreadableError(f"/proc/loadavg says {text[:40]!r}") from error


CHECKS = (Check("load", load, linux_only=False), Check("steal", steal))
