"""A failure with the name of the tenant that failed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tailgate.processes.endings import Ending, at_once_hint


def named(ending: Ending, name: str) -> Ending:
    """Which of them it was, in its one line."""
    return replace(ending, reason=_said_of(ending.status, ending.reason, name))


def named_report(report: dict[str, Any], name: str) -> dict[str, Any]:
    """The serialised report of a failed test, with the tenant's name in its message."""
    if report.get("outcome") != "failed":
        return report
    longrepr = report.get("longrepr")
    if isinstance(longrepr, str):
        text = _said_of(str(report.get("tailgate_status", "failed")), longrepr, name)
        return {**report, "longrepr": text}
    if not isinstance(longrepr, dict) or not longrepr.get("reprcrash"):
        return report
    message = str(longrepr["reprcrash"]["message"])
    body, status = message.removeprefix("Failed: "), report.get("tailgate_status")
    body += at_once_hint(body)
    text = f"{name}: {body}" if status is None else _said_of(status, body, name)
    crash = {**longrepr["reprcrash"], "message": f"{'Failed: ' * message.startswith('Failed: ')}{text}"}
    chain = longrepr.get("chain")
    if chain:  # of exceptions; the last one's is the report's
        chain = [*chain[:-1], (chain[-1][0], crash, chain[-1][2])]
    return {**report, "longrepr": {**longrepr, "reprcrash": crash, "chain": chain}}


def _said_of(status: str, reason: str, name: str) -> str:
    return f"{status}: {name}: {reason.removeprefix(f'{status}: ')}"
