"""Which CPUs each tenant gets, and what the kernel says of the machine with all tenants as one of our processes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tailgate.machine import trust
from tailgate.machine.trust.accounts import thread_times

PROC = Path("/proc")
CPU_FOLDER = Path("/sys/devices/system/cpu")


def shares(cpus: Sequence[int], tenants: int) -> list[frozenset[int]]:
    """Divide ``cpus``, each to one tenant, neighbours together; the first ones get one more where it does not come out.

    ``tenants``: at least 1, at most as many as there are CPUs.
    """
    each, over = divmod(len(cpus), tenants)
    found, start = [], 0
    for index in range(tenants):
        end = start + each + (index < over)
        found.append(frozenset(cpus[start:end]))
        start = end
    return found


def by_core(cpus: Iterable[int], folder: Path = CPU_FOLDER) -> list[int]:
    """In the order of sockets and cores: two hyperthreads of a core, often far apart by number, are neighbours.

    By number alone where the kernel does not say.
    """

    def place(cpu: int) -> tuple[int, int, int]:
        topology = folder / f"cpu{cpu}" / "topology"
        try:
            socket, core = (int((topology / name).read_text()) for name in ("physical_package_id", "core_id"))
        except (OSError, ValueError):
            return 0, 0, cpu
        return socket, core, cpu

    return sorted(cpus, key=place)


def of_tenants(tenants: int, cpu_mode: str) -> list[frozenset[int]] | None:
    """Each tenant's CPUs where they are split; ``None``: every tenant may use all."""
    if cpu_mode != "split":
        return None
    return shares(by_core(os.sched_getaffinity(0)), tenants)


def reading_of(pids: Sequence[int], proc: Path = PROC) -> trust.Reading:
    """The kernel's accounts as the session sees them.

    The tenants are its descendants, so their CPU time is its own, and its CPUs are all that they may use between them.
    Who waited for a CPU is asked of the tenants' threads. Their switches they count themselves: none here.
    """
    found = trust.read()
    times: dict[int, tuple[float, float]] = {}
    for pid in pids:
        times.update(thread_times(proc / str(pid) / "task") or {})
    return replace(found, thread_times_s=times or None, involuntary_switches=0)
