"""Energy of processor and memory: RAPL's counters, which AMD's processors have under Intel's name."""

from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 30
DOMAINS = "/sys/class/powercap/intel-rapl:*"


def energy(host: Host) -> Verdict:
    """Which domains there are, and whether we may read them: since Linux 5.10 only root may."""
    found = [domain for domain in host.glob(DOMAINS) if host.exists(f"{domain}/energy_uj")]
    if not found:
        if host.hypervisor:
            return Verdict("missing", f"the hypervisor ({host.hypervisor}) passes no RAPL counters on")
        return Verdict("missing", "no RAPL counters in /sys/class/powercap", "sudo modprobe intel_rapl_msr")
    names = ", ".join(host.read(f"{domain}/name") for domain in found)
    closed = [domain for domain in found if not host.readable(f"{domain}/energy_uj")]
    if closed:
        text = f"RAPL has {names}, but only root may read it (until the next boot, this opens it to all users)"
        return Verdict("missing", text, f"sudo chmod a+r {DOMAINS}/energy_uj")
    for domain in found:
        host.integer(f"{domain}/energy_uj")
    return Verdict("ok", f"RAPL: {names}")


CHECKS = (Check("CPU energy", energy),)
