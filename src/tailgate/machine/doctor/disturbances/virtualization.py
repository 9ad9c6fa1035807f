"""Somebody else's machine: a hypervisor or a container under us."""

import re

from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict

ORDER = 90


def machine(host: Host) -> Verdict:
    """A virtual machine's times drift with the host's other guests, which cannot be seen from inside."""
    if host.hypervisor:
        text = "absolute times drift over minutes and hours; believe differences measured side by side"
        return Verdict("note", f"{host.hypervisor}: {text}")
    return Verdict("ok", "none seen")


def container(host: Host) -> Verdict:
    """A container sees the whole machine's settings and may not be able to change them."""
    kind = _container(host)
    if kind is None:
        return Verdict("ok", "none seen")
    return Verdict("note", f"{kind}: settings below /sys and /proc/sys belong to the host; change them there")


def _container(host: Host) -> str | None:
    if host.exists("/.dockerenv"):
        return "docker"
    if host.exists("/run/.containerenv"):
        return "podman"
    if named := host.read_if_there("/run/systemd/container") or host.environ.get("container"):
        return named
    group = re.search(r"docker|kubepods|lxc|libpod", host.read_if_there("/proc/1/cgroup") or "")
    return group.group() if group else None


CHECKS = (Check("virtual machine", machine), Check("container", container))
