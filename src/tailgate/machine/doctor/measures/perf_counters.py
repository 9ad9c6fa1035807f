"""Hardware counters: whether they count here, tried and not guessed; and the ``perf`` command."""

import errno
import re

from tailgate.machine.doctor.counters import EVENTS
from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict
from tailgate.machine.doctor.programs import runnable

ORDER = 20
PARANOID = "/proc/sys/kernel/perf_event_paranoid"
PERMITS = {-1: "everything", 0: "all processes, kernel included", 1: "own processes, kernel included"}
"""By perf_event_paranoid, for a user without CAP_PERFMON; below -1 as -1."""
OWN_ONLY = "own processes, user space only"
_CAP_SYS_ADMIN, _CAP_PERFMON = 21, 38


def counters(host: Host) -> Verdict:
    """Each event is opened and counted over a short loop, in user space, as any unprivileged tool would."""
    counted, refused = [], dict[str, OSError]()
    for name, event in EVENTS.items():
        try:
            if host.count(event) > 0:
                counted.append(name)
        except OSError as error:
            refused[name] = error
    if "instructions" in counted:
        return _counting(host, counted)
    if "instructions" in refused:
        return _refused(host, refused["instructions"])
    text = "the instructions counter opens but stays at 0"
    return Verdict("missing", f"{text}: {_where(host)}")


def _counting(host: Host, counted: list[str]) -> Verdict:
    absent = [name for name in EVENTS if name not in counted]
    without = f" (but not {', '.join(absent)})" if absent else ""
    text = f"{', '.join(counted)} count{without}; {_permission(host)}"
    if host.read_if_there("/proc/sys/kernel/nmi_watchdog") == "1":
        remedy = "sudo sysctl kernel.nmi_watchdog=0"
        return Verdict("note", f"{text}; the NMI watchdog holds one counter of each CPU", remedy)
    return Verdict("ok", text)


def _refused(host: Host, error: OSError) -> Verdict:
    reason = f"perf_event_open: {error.strerror or error}"
    if error.errno in (errno.ENOENT, errno.EOPNOTSUPP, errno.ENODEV):
        return Verdict("missing", f"no hardware counters ({reason}): {_where(host)}")
    if not host.exists(PARANOID):
        return Verdict("missing", f"the kernel was built without perf events ({reason})")
    level = host.integer(PARANOID)
    if error.errno == errno.EACCES and level > 2:
        text = f"perf_event_paranoid is {level}: this kernel then refuses every counter to users ({reason})"
        return Verdict("missing", text, "sudo sysctl kernel.perf_event_paranoid=2")
    if error.errno in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        cause = "a container's system call filter (docker run --cap-add PERFMON lifts it) or a security module"
        return Verdict("missing", f"refused though perf_event_paranoid is {level} ({reason}): {cause}")
    return Verdict("unknown", reason)


def _where(host: Host) -> str:
    if host.hypervisor:
        return f"the hypervisor ({host.hypervisor}) passes none on; bare metal has them, and some virtual machines"
    return "the kernel has no driver for this processor's counters"


def _permission(host: Host) -> str:
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", host.read("/proc/self/status"), re.MULTILINE)
    capabilities = int(match.group(1), 16) if match else 0
    level = host.integer(PARANOID)
    if capabilities >> _CAP_SYS_ADMIN & 1 or capabilities >> _CAP_PERFMON & 1:
        return f"all processes, kernel included (perf_event_paranoid {level} does not bind a privileged user)"
    return f"perf_event_paranoid {level} permits {PERMITS.get(max(level, -1), OWN_ONLY)}"


def command(host: Host) -> Verdict:
    """Installed, and for this kernel: Ubuntu's ``perf`` is a script that may find none."""
    return runnable(host, "perf")


CHECKS = (Check("perf counters", counters), Check("perf command", command))
