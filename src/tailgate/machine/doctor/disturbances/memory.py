"""Memory that was swapped out, and memory that is left."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import psutil

from tailgate.machine.doctor.host import Host, UnreadableError, asking
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 60
MOST_SWAPPED_SHARE = 0.01
LEAST_AVAILABLE_SHARE = 0.10
CGROUPS = "/sys/fs/cgroup"
MIB, GIB = 2**20, 2**30


@dataclass(frozen=True)
class Memory:
    """Bytes, of the whole machine."""

    total: int
    available: int
    swap_total: int
    swap_used: int


def swap(host: Host) -> Verdict:
    """What lies on disk has to be read back when it is touched, perhaps inside a timed call."""
    memory = _memory(host)
    if not memory.swap_total:
        return Verdict("ok", "none")
    swappiness = host.read_if_there("/proc/sys/vm/swappiness")
    text = f"{memory.swap_used / MIB:,.0f} MiB of {memory.swap_total / MIB:,.0f} MiB in use"
    text += f" (swappiness {swappiness})" if swappiness else ""
    remedy = "sudo swapoff -a" if host.system == "Linux" else None
    if memory.swap_used > memory.available:
        return Verdict("disturbs", f"{text}, more than the memory available: free memory before swapoff")
    if memory.swap_used > MOST_SWAPPED_SHARE * memory.total:
        return Verdict("disturbs", text, remedy)
    return Verdict("note", text, remedy)


def available(host: Host) -> Verdict:
    """What can be had without swapping: the machine's, or this cgroup's own limit where that is less."""
    memory = _memory(host)
    text = f"{memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB available"
    limits = list(_cgroup_limits(host)) if host.system == "Linux" else []
    limit = min(limits, default=memory.total)
    if limit < memory.total:
        text += f"; the cgroup allows {limit / GIB:.1f} GiB"
    if memory.available < LEAST_AVAILABLE_SHARE * memory.total:
        return Verdict(
            "disturbs", f"{text}: caches are emptied while you measure", "ps -eo pid,rss,args --sort=-rss | head"
        )
    return Verdict("note" if limit < memory.total else "ok", text)


def _memory(host: Host) -> Memory:
    if host.system != "Linux":
        with asking("the memory"):
            memory, swapped = psutil.virtual_memory(), psutil.swap_memory()
        return Memory(memory.total, memory.available, swapped.total, swapped.used)
    text = host.read("/proc/meminfo")
    found = {name: int(kib) * 1024 for name, kib in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    try:
        swap_total = found["SwapTotal"]
        return Memory(found["MemTotal"], found["MemAvailable"], swap_total, swap_total - found["SwapFree"])
    except KeyError as error:
        raise UnreadableError(f"/proc/meminfo has no {error.args[0]}") from error


def _cgroup_limits(host: Host) -> Iterator[int]:
    """Memory limits in bytes of this process's cgroups up to the root (``memory.max``, ``limit_in_bytes``)."""
    for line in (host.read_if_there("/proc/self/cgroup") or "").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers == "memory":
            folder, name = f"{CGROUPS}/memory", "memory.limit_in_bytes"
        elif not controllers:
            folder, name = CGROUPS, "memory.max"
        else:
            continue
        group = PurePosixPath(path)
        for part in (group, *group.parents):
            text = host.read_if_there(f"{folder}{part}/{name}".replace("//", "/"))
            if text and text.isdigit():
                yield int(text)


CHECKS = (Check("swap", swap, linux_only=False), Check("memory", available, linux_only=False))
