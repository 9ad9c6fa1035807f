"""What the kernel keeps account of: waiting for a CPU, pressure, and the most memory a process had."""

from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 50


def waits(host: Host) -> Verdict:
    """Time each thread was ready but had no CPU. A kernel that has it switched off prints three zeros."""
    text = host.read_if_there("/proc/self/schedstat")
    if text is None:
        return Verdict("missing", "no /proc/self/schedstat: this kernel was built without it")
    if text.split() == ["0", "0", "0"]:
        return Verdict("missing", "/proc/self/schedstat stays 0", "sudo sysctl kernel.task_delayacct=1")
    return Verdict("ok", "time each thread waited for a CPU (/proc/self/task/*/schedstat)")


def pressure(host: Host) -> Verdict:
    """Share of time in which some task waited for CPU, memory or disk."""
    if host.exists("/proc/pressure/cpu"):
        host.read("/proc/pressure/cpu")
        return Verdict("ok", "time some task waited for CPU, memory or disk (/proc/pressure)")
    remedy = "sudo grubby --update-kernel=ALL --args=psi=1" if host.which("grubby") else None
    return Verdict("missing", "no /proc/pressure: the kernel has to be booted with psi=1", remedy)


def memory_peak(host: Host) -> Verdict:
    """A peak per benchmark needs a reset of the process's high-water mark; this asks and resets nothing."""
    if not host.exists("/proc/self/clear_refs") or "VmHWM:" not in host.read("/proc/self/status"):
        return Verdict("missing", "the kernel keeps no high-water mark that can be reset (/proc/self/clear_refs)")
    if not host.writable("/proc/self/clear_refs"):
        return Verdict("missing", "a process may not reset its own high-water mark (/proc/self/clear_refs)")
    return Verdict("ok", "resident memory's high-water mark can be reset for each benchmark")


CHECKS = (Check("CPU waits", waits), Check("pressure stalls", pressure), Check("memory peak", memory_peak))
