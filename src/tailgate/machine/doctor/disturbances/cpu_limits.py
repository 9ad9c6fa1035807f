"""Fewer CPUs than the machine has: a cgroup's quota of CPU time, and the affinity mask."""

import math

from tailgate.machine.cpus import cpu_quota
from tailgate.machine.doctor.cpu_lists import named, parse, written
from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 50


def quota(host: Host) -> Verdict:
    """A quota below the number of CPUs stops all threads until the next period, once it is used up."""
    granted = cpu_quota(host.root / "sys/fs/cgroup", host.root / "proc/self/cgroup")
    cpus = sorted(host.usable)
    if granted is None:
        return Verdict("ok", "none")
    if granted >= len(cpus):
        return Verdict("ok", f"{granted:g} CPUs' worth of time for {len(cpus)} usable CPUs")
    text = f"the cgroup grants {granted:g} CPUs' worth of time on {len(cpus)} CPUs: threads beyond that are stopped"
    whole = math.floor(granted)
    if whole == 0:
        return Verdict("disturbs", f"{text}; raise it where the container is started (docker run --cpus)")
    return Verdict("disturbs", f"{text} in mid-call", f"taskset -c {written(cpus[:whole])} pytest")


def affinity(host: Host) -> Verdict:
    """The mask that taskset, a container's cpuset or a batch system sets."""
    online = parse(host.read("/sys/devices/system/cpu/online"))
    if online <= host.usable:
        return Verdict("ok", f"all {len(online)} CPUs")
    return Verdict("note", f"{named(host.usable)} of {len(online)}; thread counts that are asked for refer to these")


CHECKS = (Check("CPU quota", quota), Check("affinity", affinity))
