"""What several tenants cannot be combined with, checked before anything is measured."""

from __future__ import annotations

import os
from collections.abc import Sequence

from tailgate.errors import TailgateError
from tailgate.machine.cpus import affinity_cpus

MOST_TENANTS = 64
"""Each is a process with a framework of its own, and a fork server that it is forked from."""
CPU_MODES = ("shared", "split")


def refuse(tenants: int, *, processes: int, duet: str | None, profilers: Sequence[str]) -> None:
    """Refuse several tenants beside what they cannot be combined with.

    Args:
        tenants: how many, at least 1.
        processes: how many in a row were asked for.
        duet: the other side, where there is one.
        profilers: meters with runs of their own that were typed.

    Raises:
        TailgateError: one line.
    """
    if tenants == 1:
        return
    flag = f"--tenants={tenants}"
    if duet:
        raise TailgateError(f"{flag} cannot be one side of a duet; leave --tenants or --duet out")
    if processes > 1:
        raise TailgateError(
            f"{flag} runs processes at once, --processes={processes} one after the other; leave one of them out"
        )
    if profilers:
        raise TailgateError(
            f"--meters={','.join(profilers)} has runs of its own, of one process, and {flag} has none for it; "
            "leave one of them out"
        )


def check_tenants(tenants: int, cpu_mode: str, not_isolated: str | None) -> None:
    """Asked in the session, not in a tenant, whose CPUs are its share already.

    ``cpu_mode``: ``split`` or ``shared``; ``not_isolated``: why there can be no processes, where nothing else keeps
    benchmarks from being measured.

    Raises:
        TailgateError: one line.
    """
    if tenants == 1:
        return
    if not_isolated:
        raise TailgateError(f"--tenants={tenants} needs a process for each tenant, and {not_isolated}")
    if cpu_mode != "split":
        return
    if not hasattr(os, "sched_setaffinity"):
        raise TailgateError("--tenant-cpus=split: this platform binds no process to CPUs; use --tenant-cpus=shared")
    cpus = affinity_cpus()
    if cpus < tenants:
        raise TailgateError(
            f"--tenant-cpus=split: {cpus} CPUs cannot be divided among {tenants} tenants "
            f"(allowed: --tenants=2 to {cpus}); use --tenant-cpus=shared, or fewer tenants"
            if cpus > 1
            else f"--tenant-cpus=split: there is one CPU for {tenants} tenants; use --tenant-cpus=shared"
        )
