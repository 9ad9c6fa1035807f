"""Environment variables that change how numeric libraries use threads, instructions or memory."""

from tailgate.machine.doctor.host import Host
from tailgate.machine.doctor.model import Check, Verdict
from tailgate.machine.variables import recorded

ORDER = 110


def variables(host: Host) -> Verdict:
    """The variables that are part of a run's fingerprint."""
    found = recorded(host.environ)
    if not found:
        return Verdict("ok", "no variable for threads or instruction sets is set")
    text = ", ".join(f"{name}={value}" for name, value in found.items())
    return Verdict("note", text, f"env {' '.join(f'-u {name}' for name in found)} pytest")


CHECKS = (Check("environment", variables, linux_only=False),)
