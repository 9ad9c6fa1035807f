"""Which CPUs each tenant gets: those of this process's affinity mask, divided; a core's threads stay together."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

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
    """Of each tenant, when the CPUs are split; ``None``: every tenant may use all."""
    if cpu_mode != "split":
        return None
    return shares(by_core(os.sched_getaffinity(0)), tenants)
