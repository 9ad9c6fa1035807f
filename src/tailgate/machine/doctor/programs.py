"""Programs that others bring along: whether they are installed and run here, and the command that installs them."""

import re

from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Verdict

COMMANDS = {
    "ubuntu": {
        "perf": "sudo apt install linux-tools-common linux-tools-$(uname -r)",
        "nvidia-driver": "sudo ubuntu-drivers install",
    },
    "debian": {
        "perf": "sudo apt install linux-perf",
        "valgrind": "sudo apt install valgrind",
        "nvidia-driver": "sudo apt install nvidia-driver",
    },
    "fedora": {"perf": "sudo dnf install perf", "valgrind": "sudo dnf install valgrind"},
    "suse": {"perf": "sudo zypper install perf", "valgrind": "sudo zypper install valgrind"},
    "arch": {"perf": "sudo pacman -S perf", "valgrind": "sudo pacman -S valgrind"},
    "alpine": {"perf": "sudo apk add perf", "valgrind": "sudo apk add valgrind"},
}
"""By the name a distribution gives itself (``ID``) or its kin (``ID_LIKE``) in os-release, nearest first."""


def install_command(host: Host, program: str) -> str | None:
    """For the first family that has one; ``None`` on a distribution we do not know."""
    text = host.read_if_there("/etc/os-release") or host.read_if_there("/usr/lib/os-release") or ""
    fields = dict(re.findall(r'^(ID|ID_LIKE)="?([^"\n]*)"?$', text, re.MULTILINE))
    families = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".split()
    if "ubuntu" in families:
        families.append("debian")
    return next((COMMANDS[family][program] for family in families if program in COMMANDS.get(family, {})), None)


def runnable(host: Host, name: str) -> Verdict:
    """Find the program and ask it for its version: some are scripts that find nothing to start."""
    path = host.which(name)
    if path is None:
        return Verdict("missing", "not installed", install_command(host, name))
    done = host.run([name, "--version"])
    if done.code != 0:
        text = " ".join((done.err or done.out).split())[:120]
        return Verdict("missing", f"{path} does not work: {text}", install_command(host, name))
    return Verdict("ok", f"{done.out} ({path})")
