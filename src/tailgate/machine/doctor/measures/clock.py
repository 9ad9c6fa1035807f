"""The clock that benchmarks read: how fine, how fast to read, and what the kernel takes it from."""

import time
from itertools import pairwise

from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 10
READINGS = 2_000
SLOWEST_READING_S = 1e-6
COARSEST_STEP_S = 1e-6
SOURCES = "/sys/devices/system/clocksource/clocksource0"
FAST_SOURCES = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter", "timebase", "riscv_clocksource"}
"""Read in user space, without a system call."""
SLOW_SOURCES = {"hpet", "acpi_pm", "pit", "jiffies", "refined-jiffies"}


def clock(host: Host) -> Verdict:
    """``time.perf_counter``, pytest-benchmark's own: the smallest step seen and what a reading costs."""
    readings = [host.clock() for _ in range(READINGS)]
    steps = [after - before for before, after in pairwise(readings) if after > before]
    if not steps:
        return Verdict("disturbs", f"perf_counter stood still over {READINGS:,} readings")
    step_s, cost_s = min(steps), (readings[-1] - readings[0]) / (READINGS - 1)
    name = time.get_clock_info("perf_counter").implementation
    text = f"perf_counter ({name}): smallest step seen {step_s * 1e9:.0f} ns, a reading costs {cost_s * 1e9:.0f} ns"
    if step_s > COARSEST_STEP_S or cost_s > SLOWEST_READING_S:
        shortest_us = max(step_s, cost_s) * 100 * 1e6
        return Verdict("disturbs", f"{text}: rounds shorter than {shortest_us:,.0f} µs are not resolved to 1 %")
    return Verdict("ok", text)


def source(host: Host) -> Verdict:
    """The hardware behind it. A slow one is what the kernel falls back to when it distrusts the TSC."""
    current = host.read(f"{SOURCES}/current_clocksource")
    available = host.read(f"{SOURCES}/available_clocksource").split()
    if current in FAST_SOURCES:
        return Verdict("ok", f"{current}, read without a system call")
    if current not in SLOW_SOURCES:
        return Verdict("note", f"{current}; the line above says what a reading costs")
    if "tsc" in available:
        remedy = f"echo tsc | sudo tee {SOURCES}/current_clocksource"
        return Verdict("disturbs", f"{current}: every reading is slow, though this machine has tsc", remedy)
    text = f"{current}: every reading is slow; the kernel distrusts this machine's tsc, and its log says why"
    return Verdict("disturbs", text, "sudo dmesg | grep -iE 'tsc|clocksource'")


CHECKS = (Check("clock", clock, linux_only=False), Check("clock source", source))
