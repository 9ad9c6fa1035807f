"""Pressure stalls: the share of the last 10 seconds in which some task waited."""

import re
from functools import partial

from tailgate.machine.doctor.host import Host, UnreadableError
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 20
MOST_PERCENT = {"cpu": 10.0, "memory": 1.0, "io": 10.0}
"""Of the time. Our own start waits for the disk and, briefly, for a CPU."""
REMEDIES = {"cpu": "top -o %CPU", "memory": "ps -eo pid,rss,args --sort=-rss | head", "io": "sudo iotop -oPa"}
WAITED_FOR = {"cpu": "a CPU", "memory": "memory", "io": "a disk"}


def pressure(resource: str, host: Host) -> Verdict | None:
    """Pressure on one resource; where the kernel has no such files, ``kernel_accounts`` says so."""
    if not host.exists("/proc/pressure/cpu"):
        return None
    match = re.search(r"^some avg10=([\d.]+)", host.read(f"/proc/pressure/{resource}"), re.MULTILINE)
    if match is None:
        raise UnreadableError(f"/proc/pressure/{resource} has no avg10")
    percent = float(match.group(1))
    text = f"some task waited for {WAITED_FOR[resource]} in {percent:.1f} % of the last 10 s"
    if percent > MOST_PERCENT[resource]:
        return Verdict("disturbs", text, REMEDIES[resource])
    return Verdict("ok", text)


CHECKS = tuple(
    Check(f"{label} pressure", partial(pressure, name))
    for name, label in {"cpu": "CPU", "memory": "memory", "io": "disk"}.items()
)
