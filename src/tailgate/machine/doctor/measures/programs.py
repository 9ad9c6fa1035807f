"""The memory profilers that meters start: valgrind and memray, which is found without importing it."""

import importlib.metadata

from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict
from tailgate.machine.doctor.programs import runnable

ORDER = 40


def valgrind(host: Host) -> Verdict:
    """Installed and runnable."""
    return runnable(host, "valgrind")


def memray(host: Host) -> Verdict:
    """Installed beside us."""
    try:
        return Verdict("ok", f"memray {importlib.metadata.version('memray')}")
    except importlib.metadata.PackageNotFoundError:
        return Verdict("missing", "not installed in this Python", "python -m pip install memray")


CHECKS = (Check("valgrind", valgrind, linux_only=False), Check("memray", memray, linux_only=False))
