"""The verdict on one benchmark: its fields, and whether something else had a hand in them."""

from dataclasses import dataclass

from tailgate.machine.trust.readings import Reading
from tailgate.machine.trust.rules import CONTENDED, THROTTLED
from tailgate.machine.trust.stretch import SHORTEST_S, Stretch, between

Value = float | int | None

SOURCES = {
    "cpu_per_wall": "never alone",
    "other_cpus_busy": "/proc/stat does not list the CPUs of this process, or they changed meanwhile",
    "steal_cpus": "/proc/stat does not list the CPUs of this process, or they changed meanwhile",
    "run_delay_share": "no /proc/self/task/*/schedstat, or the kernel writes zeros there",
    "involuntary_switches": "no getrusage on this platform",
    "pressure_cpu_share": "no /proc/pressure/cpu (kernel before 4.20, or psi=0)",
    "pressure_memory_share": "no /proc/pressure/memory (kernel before 4.20, or psi=0)",
    "pressure_io_share": "no /proc/pressure/io (kernel before 4.20, or psi=0)",
    "cgroup_throttled_share": "no cgroup of this process counts throttling in cpu.stat",
    "cpu_frequency_mean_hz": "no cpufreq/scaling_cur_freq in /sys (usual in virtual machines)",
    "thermal_throttles": "no thermal_throttle counts in /sys (Intel has them, outside of virtual machines)",
}
"""Field of ``extra_info`` -> why it is ``None`` where it is."""
IN_STRETCH = {
    "cpu_per_wall": "own_cpus", "other_cpus_busy": "other_cpus", "cgroup_throttled_share": "throttled_share",
    "cpu_frequency_mean_hz": "frequency_hz",
}  # fmt: skip
"""Field -> attribute of :class:`Stretch`, where they have different names."""


@dataclass(frozen=True)
class Judgement:
    """What to write into a benchmark's row.

    Attributes:
        fields: for ``extra_info``, units in their names; ``None`` where not known.
        status: ``"contended"``, ``"throttled"``, or ``None``: nothing was seen that forbids trusting the numbers.
        reason: one line for the row's warnings: cause, number, limit, what to do; ``None`` without a status.
        missing: why which fields are ``None``, in one line; ``None`` where all are known.
    """

    fields: dict[str, Value]
    status: str | None
    reason: str | None
    missing: str | None


def judge(before: Reading | None, after: Reading | None, threads: int = 1) -> Judgement:
    """Judge the timed rounds between two readings.

    Args:
        before: taken right before the timed rounds.
        after: taken right after them.
        threads: how many the benchmark computes with, as far as known; what it was seen to use counts if more.
    """
    seen = between(before, after, threads) if before is not None and after is not None else None
    if seen is None:
        missing = f"all: the timed rounds took less than {SHORTEST_S:g} s, too short for the kernel's 10 ms steps"
        return Judgement(dict.fromkeys(SOURCES), None, None, missing)
    status, reason = _verdict(seen)
    fields: dict[str, Value] = {name: getattr(seen, IN_STRETCH.get(name, name)) for name in SOURCES}
    missing = "; ".join(f"{name}: {SOURCES[name]}" for name, value in fields.items() if value is None)
    return Judgement(fields, status, reason, missing or None)


def _verdict(seen: Stretch) -> tuple[str | None, str | None]:
    for status, rules in (("contended", CONTENDED), ("throttled", THROTTLED)):
        for rule in rules:
            reason = rule(seen)
            if reason:
                return status, reason
    return None, None


OF_A_TENANT = ("cpu_per_wall", "run_delay_share", "involuntary_switches")
"""What the kernel says of one process alone; the rest of docs/guide/trust.md is of the machine, which all share."""
