"""SMT: two hardware threads of one core share its units, so each is slower while the other works."""

from tailgate.machine.doctor.cpu_lists import named, parse, written
from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 40
CPUS = "/sys/devices/system/cpu"
SWITCH = f"{CPUS}/smt/control"


def siblings(host: Host) -> Verdict:
    """Cores of which we may use more than one thread, or of which others may use the second."""
    cores = {parse(host.read(f"{CPUS}/cpu{cpu}/topology/thread_siblings_list")) | {cpu} for cpu in host.usable}
    one_each = sorted(min(core & host.usable) for core in cores)
    shared = [core for core in cores if len(core & host.usable) > 1]
    if shared:
        text = (
            f"{len(host.usable)} usable CPUs are threads of {len(cores)} cores: two that share a core slow each other"
        )
        everywhere = f"  # or, for every process: echo off | sudo tee {SWITCH}" if host.exists(SWITCH) else ""
        return Verdict("disturbs", text, f"taskset -c {written(one_each)} pytest{everywhere}")
    outside = sorted(set().union(*cores) - host.usable)
    if outside:
        text = f"one usable CPU a core, but others may run on the siblings ({named(outside)})"
        return Verdict("note", text, f"echo off | sudo tee {SWITCH}")
    if host.hypervisor:
        text = f"none shown; the hypervisor ({host.hypervisor}) may hide that these CPUs share cores on the host"
        return Verdict("note", text)
    return Verdict("ok", "no two usable CPUs share a core")


CHECKS = (Check("SMT siblings", siblings),)
