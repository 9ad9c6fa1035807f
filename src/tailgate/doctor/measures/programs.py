"""The memory profilers that meters start: valgrind, and memray, which is asked for without importing it."""

from __future__ import annotations

import importlib.metadata

from tailgate.doctor.host import Host
from tailgate.doctor.install import install_command
from tailgate.doctor.model import Check, Verdict

ORDER = 40


def valgrind(host: Host) -> Verdict:
    """Installed and runnable."""
    path = host.which("valgrind")
    if path is None:
        return Verdict("missing", "not installed", install_command(host, "valgrind"))
    done = host.run(["valgrind", "--version"])
    if done.code != 0:
        return Verdict("missing", f"{path} does not work: {' '.join((done.err or done.out).split())[:120]}")
    return Verdict("ok", f"{done.out} ({path})")


def memray(host: Host) -> Verdict:
    """Installed beside us."""
    try:
        return Verdict("ok", f"memray {importlib.metadata.version('memray')}")
    except importlib.metadata.PackageNotFoundError:
        return Verdict("missing", "not installed in this Python", "python -m pip install memray")


CHECKS = (Check("valgrind", valgrind, linux_only=False), Check("memray", memray, linux_only=False))
