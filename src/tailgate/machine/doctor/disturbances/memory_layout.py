"""Where memory lies: pages, addresses and nodes differ between processes of the same program."""

import re

from tailgate.machine.doctor.cpu_lists import named, parse
from tailgate.machine.doctor.host import Host, UnreadableError
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 80
HUGE_PAGES = "/sys/kernel/mm/transparent_hugepage/enabled"
NODES = "/sys/devices/system/node"
_NO_RANDOMIZE = 0x0040000
MODES = {
    "always": "any large block may get huge pages, now or later, as free memory allows: processes differ",
    "madvise": "only programs that ask for huge pages get them",
    "never": "all pages are small: address translation costs more on large tensors",
}


def huge_pages(host: Host) -> Verdict:
    """Transparent huge pages."""
    match = re.search(r"\[(\w+)\]", host.read(HUGE_PAGES))
    if match is None or match.group(1) not in MODES:
        raise UnreadableError(f"{HUGE_PAGES} names no mode we know")
    mode = match.group(1)
    remedy = f"echo madvise | sudo tee {HUGE_PAGES}" if mode == "always" else None
    return Verdict("note", f"{mode}: {MODES[mode]}", remedy)


def randomization(host: Host) -> Verdict:
    """Address space layout randomisation: for the machine, and for this process by its personality."""
    if host.integer("/proc/sys/kernel/randomize_va_space") == 0:
        return Verdict("note", "off: every process has the same layout, which may be a lucky or an unlucky one")
    try:
        off_here = int(host.read_if_there("/proc/self/personality") or "0", 16) & _NO_RANDOMIZE
    except ValueError as error:
        raise UnreadableError("/proc/self/personality is not a number") from error
    if off_here:
        return Verdict("note", "off for this process and those it starts (setarch -R)")
    text = "on: each process gets another layout; measure several processes rather than switch it off"
    return Verdict("note", text, "setarch -R pytest")


def nodes(host: Host) -> Verdict:
    """NUMA: memory of another node is slower, and where a page lies is decided when it is first written."""
    online = sorted(parse(host.read(f"{NODES}/online")))
    if len(online) < 2:
        return Verdict("ok", "one node")
    ours = {node: parse(host.read(f"{NODES}/node{node}/cpulist")) & host.usable for node in online}
    used = [node for node in online if ours[node]]
    node = max(online, key=lambda node: len(ours[node]))
    remedy = f"numactl --cpunodebind={node} --membind={node} pytest"
    if len(used) < 2:
        return Verdict("note", f"{len(online)} nodes; all usable CPUs are on node {node}", remedy)
    text = f"usable CPUs are on {len(used)} nodes; node {node} has {named(ours[node])}"
    return Verdict("note", f"{text}: memory of the other nodes is slower", remedy)


CHECKS = (Check("huge pages", huge_pages), Check("ASLR", randomization), Check("NUMA", nodes))
