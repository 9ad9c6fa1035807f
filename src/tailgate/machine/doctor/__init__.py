"""``tailgate doctor``: what this machine can measure and what disturbs it. It only reads.

A check is an entry of ``CHECKS`` in a file of ``measures/`` (what can be measured) or ``disturbances/``;
adding a file adds its checks. A file that does not import fails loudly. Files are read in the order of
their ``ORDER``.
"""

import importlib
import pkgutil
from collections.abc import Iterator

from tailgate.machine.doctor.host import Host, UnreadableError
from tailgate.machine.doctor.model import Check, Finding, Verdict

GROUPS = {"measures": "What this machine can measure", "disturbances": "What disturbs it"}
"""Folders of checks, and the headings their findings stand under."""

Examination = dict[str, list[Finding]]
"""Findings by group."""


def examine(host: Host | None = None) -> Examination:
    """Every check on this machine, or on ``host``. Takes a second: the load is watched for one."""
    machine = host or Host()
    return {group: [found for check in checks(group) if (found := look(check, machine))] for group in GROUPS}


def disturbing(examination: Examination) -> list[Finding]:
    """The findings for which the exit code is 1."""
    return [finding for findings in examination.values() for finding in findings if finding.state == "disturbs"]


def checks(group: str) -> Iterator[Check]:
    """The checks of a folder, in the order of its files."""
    package = importlib.import_module(f"{__name__}.{group}")
    modules = [
        importlib.import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)
    ]
    for module in sorted(modules, key=lambda module: module.ORDER):
        yield from module.CHECKS


def look(check: Check, host: Host) -> Finding | None:
    """Run one check. Its finding says what could not be read; any other exception is a bug and stays loud."""
    if check.linux_only and host.system != "Linux":
        verdict: Verdict | None = Verdict("unknown", f"read from Linux's /proc and /sys; this is {host.system}")
    else:
        try:
            verdict = check.find(host)
        except UnreadableError as error:
            verdict = Verdict("unknown", str(error))
    if verdict is None:
        return None
    remedy = verdict.remedy
    if remedy and host.superuser:
        remedy = remedy.replace("sudo ", "")
    return Finding(check.topic, verdict.state, verdict.text, remedy)
