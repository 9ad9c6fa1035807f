"""What the kernel says of the machine at one moment, with all tenants as one of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tailgate.machine import trust
from tailgate.machine.trust.accounts import thread_times

PROC = Path("/proc")


def reading_of(pids: Sequence[int], proc: Path = PROC) -> trust.Reading:
    """As the session sees it.

    The tenants are its descendants, so their CPU time is its own, and its CPUs are all that they may use between them.
    Who waited for a CPU is asked of the tenants' threads. Their switches they count themselves: none here.
    """
    found = trust.read()
    times: dict[int, tuple[float, float]] = {}
    for pid in pids:
        times.update(thread_times(proc / str(pid) / "task") or {})
    return replace(found, thread_times_s=times or None, involuntary_switches=0)
