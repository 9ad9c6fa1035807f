"""A failure without a test: a benchmark that is not there any more fails as a test does, in JUnit XML too."""

from typing import Literal

import pytest

from tailgate.gates.scope import split
from tailgate.text import printable


def report_failure(config: pytest.Config, fullname: str, text: str) -> None:
    """Report a failed test of this name, with one line; the name may come from a file."""
    nodeid = printable(fullname)
    path, names = split(nodeid)
    location = (path, None, ".".join(names) or path)
    config.hook.pytest_runtest_logstart(nodeid=nodeid, location=location)
    outcomes: tuple[tuple[Literal["call", "teardown"], Literal["failed", "passed"]], ...] = (
        ("call", "failed"),
        ("teardown", "passed"),
    )
    for when, outcome in outcomes:
        report = pytest.TestReport(
            nodeid=nodeid,
            location=location,
            keywords={},
            outcome=outcome,
            longrepr=text if outcome == "failed" else None,
            when=when,
        )
        config.hook.pytest_runtest_logreport(report=report)
    config.hook.pytest_runtest_logfinish(nodeid=nodeid, location=location)


def turn(report: pytest.TestReport, text: str) -> None:
    """Make a test that passed one that failed with this line; one that was expected to fail has done so now."""
    report.outcome = "skipped" if hasattr(report, "wasxfail") else "failed"
    report.longrepr = text
